"""What offices set for their own area, by the rules that files obey."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from market.catalogue import terms
from market.catalogue.local import queries, service
from market.catalogue.models import Listing, Pin, Term
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.models import AuditEntry, Node, OutboxRow
from market.core.permissions import SYSTEM, policy
from market.core.unit_of_work import unit_of_work
from market.regions import queries as regions
from tests import people

HERE, ELSEWHERE = "511803", "511402"
TEA = {"name_1": "川茶", "keywords_1": "茶叶；茶园", "source_1": "县政府文件（演示）"}


@pytest.fixture
def officer(app):
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.add(Node(name="one", heartbeat=clock.now()))
    return people.actor(("county", None, HERE))


def seen(read=queries.industries, code=HERE):
    db.session.rollback()
    return read(people.region(code).id).version


def held(code=HERE):
    db.session.rollback()
    return [
        (one.position, one.name) for one in regions.leading_industries([people.region(code).id])
    ]


def audited(action):
    db.session.rollback()
    return db.session.scalars(select(AuditEntry).where(AuditEntry.action == action)).all()


def rebuilds():
    db.session.rollback()
    return db.session.scalars(select(OutboxRow.id).where(OutboxRow.kind == "rebuild")).all()


def test_a_county_names_its_industries_and_the_index_follows(officer):
    service.save_industries(officer, HERE, TEA, seen())
    assert held() == [(1, "川茶")]
    assert len(rebuilds()) == 1
    first = regions.industries_version()
    moved = {"name_2": "川茶", "keywords_2": "茶叶", "name_1": "雅鱼", "keywords_1": "冷水鱼"}
    service.save_industries(officer, HERE, moved, seen())
    assert held() == [(1, "雅鱼"), (2, "川茶")]
    assert regions.industries_version() != first
    service.save_industries(officer, HERE, {}, seen())
    assert held() == []
    entries = audited("industries.edited")
    assert [one.object_no for one in entries] == [HERE] * 3
    assert entries[0].before == {}
    assert entries[0].after == {"1": "川茶｜茶叶；茶园｜县政府文件（演示）"}


def test_saving_what_is_there_changes_nothing(officer):
    service.save_industries(officer, HERE, TEA, seen())
    service.save_industries(officer, HERE, TEA, seen())
    assert len(audited("industries.edited")) == 1
    assert len(rebuilds()) == 1


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name_2": "川茶"}, "keywords_2"),
        ({"keywords_3": "茶叶"}, "name_3"),
        ({"name_1": "茶", "keywords_1": "茶叶"}, "name_1"),
        ({"name_1": "川:茶", "keywords_1": "茶叶"}, "name_1"),
        ({"name_1": "川茶", "keywords_1": "茶"}, "keywords_1"),
        (
            {"name_1": "川茶", "keywords_1": "茶叶", "name_4": "川茶", "keywords_4": "茶"},
            "keywords_4",
        ),
        ({"name_1": "川茶", "keywords_1": "=A1"}, "keywords_1"),
        ({"name_1": "川" * 31, "keywords_1": "茶叶"}, "name_1"),
    ],
)
def test_mistakes_stand_at_their_fields(officer, typed, field):
    with pytest.raises(Invalid) as error:
        service.save_industries(officer, HERE, typed, seen())
    assert field in error.value.fields
    assert held() == []


def test_a_stale_form_overwrites_nothing(officer):
    before = seen()
    service.save_industries(officer, HERE, TEA, before)
    with pytest.raises(Conflict):
        service.save_industries(officer, HERE, {"name_1": "雅鱼", "keywords_1": "冷水鱼"}, before)
    assert held() == [(1, "川茶")]


def test_only_the_area_and_what_lies_below(officer):
    for actor in (officer, people.actor(("owner", people.organisation(code=ELSEWHERE)))):
        with pytest.raises(NotFound):
            service.save_industries(actor, ELSEWHERE, TEA, seen(code=ELSEWHERE))
    city = people.actor(("prefecture", None, "511400"))
    assert ELSEWHERE in {one.code for one in queries.counties(city)}
    assert HERE not in {one.code for one in queries.counties(city)}
    service.save_industries(city, ELSEWHERE, TEA, seen(code=ELSEWHERE))
    assert held(ELSEWHERE) == [(1, "川茶")]
    with pytest.raises(NotFound):
        queries.county(city, "511400")


# -- recommendations (on the demonstration data)


def pinned(code=HERE):
    db.session.rollback()
    query = select(Pin.position, Listing.no, Pin.note).join(Listing, Listing.id == Pin.listing_id)
    rows = db.session.execute(query.where(Pin.region_id == people.region(code).id))
    return sorted(tuple(row) for row in rows)


@pytest.fixture
def clerk(demo):
    actor = people.actor(("county", None, HERE))
    service.save_pins(actor, HERE, {}, seen(queries.pins))
    return actor


def test_a_listing_is_recommended_and_moves_instead_of_standing_twice(clerk):
    service.pin(clerk, HERE, "CG2026000001", 3, "用得上")
    service.pin(clerk, HERE, "CG2026000002", 1, None)
    service.pin(clerk, HERE, "CG2026000001", 2, "用得上")
    assert pinned() == [(1, "CG2026000002", None), (2, "CG2026000001", "用得上")]
    typed = {"no_1": "CG2026000001", "no_2": "cg2026000002", "note_2": "换过来"}
    service.save_pins(clerk, HERE, typed, seen(queries.pins))
    assert pinned() == [(1, "CG2026000001", None), (2, "CG2026000002", "换过来")]
    assert {one.object_no for one in audited("pins.edited")} == {HERE}


def test_what_is_not_public_is_not_recommended(clerk):
    for typed, field in (
        ({"no_1": "CG2026999999"}, "no_1"),
        ({"no_1": "CG2026000001", "no_5": "CG2026000001"}, "no_5"),
        ({"note_2": "没有编号"}, "no_2"),
    ):
        with pytest.raises(Invalid) as error:
            service.save_pins(clerk, HERE, typed, seen(queries.pins))
        assert field in error.value.fields
    assert pinned() == []


# -- synonyms


@pytest.fixture
def province(app):
    return people.actor(("province", None, "510000"))


def words():
    db.session.rollback()
    return {frozenset(group) for group in terms.synonym_groups()}


def test_a_province_keeps_the_synonyms(province):
    service.save_group(province, None, {"label": "黄茶甲", "aliases": "蒙顶黄芽甲；黄芽甲"})
    assert frozenset({"黄茶甲", "蒙顶黄芽甲", "黄芽甲"}) in words()
    service.save_group(
        province, "黄茶甲", {"label": "黄茶甲", "aliases": "黄芽甲", "source": "整理"}
    )
    assert frozenset({"黄茶甲", "黄芽甲"}) in words()
    service.end_group(province, "黄茶甲")
    assert not any("黄茶甲" in group for group in words())
    with pytest.raises(NotFound):
        service.end_group(province, "黄茶甲")
    service.save_group(province, None, {"label": "黄茶甲", "aliases": "黄芽甲"})
    assert frozenset({"黄茶甲", "黄芽甲"}) in words()
    assert len(audited("synonyms.edited")) == 3
    assert audited("synonyms.ended")[0].before["label"] == "黄茶甲"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"label": "黄茶甲"}, "aliases"),
        ({"label": "黄茶甲", "aliases": "黄茶甲"}, "aliases"),
        ({"label": "科技成果", "aliases": "黄茶甲"}, "label"),
        ({"label": "黄", "aliases": "黄茶甲"}, "label"),
        ({"label": "黄茶甲", "aliases": "；".join(f"第{n}个词" for n in range(30))}, "aliases"),
    ],
)
def test_groups_that_make_no_sense_are_refused(province, values, field):
    before = db.session.scalars(select(Term.code)).all()
    with pytest.raises(Invalid) as error:
        service.save_group(province, None, values)
    assert field in error.value.fields
    assert db.session.scalars(select(Term.code)).all() == before


def test_an_alias_cannot_be_emptied_away(province):
    service.save_group(province, None, {"label": "黄茶甲", "aliases": "黄芽甲"})
    with pytest.raises(Invalid):
        service.save_group(province, "黄茶甲", {"label": "黄茶甲", "aliases": None})


def test_each_office_keeps_its_own_synonyms_and_all_hold(province):
    county, city = (
        people.actor(("county", None, HERE)),
        people.actor(("prefecture", None, "511800")),
    )
    far = people.actor(("province", None, "370000"))
    told = {"label": "黄茶甲", "aliases": "黄芽甲"}
    assert service.save_group(county, None, told) == "黄茶甲"
    assert queries.group("黄茶甲").region.code == HERE
    assert frozenset({"黄茶甲", "黄芽甲"}) in words()
    for other in (city, far, people.actor(("county", None, ELSEWHERE))):
        with pytest.raises(Denied):
            service.save_group(other, "黄茶甲", told | {"aliases": "黄芽乙"})
        with pytest.raises(Denied):
            service.end_group(other, "黄茶甲")
    for actor in (county, city):
        with pytest.raises(Denied):
            service.end_group(actor, "科技成果")  # came with the platform
    for actor in (county, city, province, far):
        held = db.session.scalars(
            select(Term.code).where(policy.where(actor, queries.EDIT_SYNONYMS, Term))
        )
        rows = db.session.scalars(select(Term)).all()
        may = {one.code for one in rows if policy.allows(actor, queries.EDIT_SYNONYMS, one)}
        assert set(held) == may
    service.save_group(province, "黄茶甲", told | {"aliases": "黄芽乙"})
    assert queries.group("黄茶甲").region.code == HERE, "stays the county's"
    service.end_group(county, "黄茶甲")
    assert not any("黄茶甲" in group for group in words())


def test_a_firm_touches_no_synonyms(app):
    with pytest.raises(Denied):
        service.save_group(
            people.actor(("owner", people.organisation())),
            None,
            {"label": "黄茶甲", "aliases": "黄芽甲"},
        )
