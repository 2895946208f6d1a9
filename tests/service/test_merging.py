"""Two organisations become one, a new credit code, the supervising body."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from market.accounts import queries as accounts
from market.accounts.members import desk, merging, renaming, service, staff
from market.accounts.members.grants import held
from market.accounts.members.models import Joining
from market.accounts.models import Organisation
from market.accounts.people.models import Invitation
from market.accounts.rosters import queries as rosters
from market.accounts.verification import service as verifications
from market.accounts.verification.models import Verification
from market.catalogue.models import Listing
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.models import AuditEntry, Node, OutboxRow, WorkItem
from market.core.permissions import PUBLIC, SYSTEM
from market.core.text import fold
from market.core.unit_of_work import unit_of_work
from tests import people
from tests.service.clerk import CODE, OTHER, achievement, lines, load

DECLARED = {"legal_representative": "李四", "registered_address": "东坡区某街 1 号"}


@pytest.fixture
def clerk(app):
    return people.actor(("county", None, "511402"))


@pytest.fixture
def pair(app):
    """A firm entered twice: with the code and listings, and without."""
    return people.organisation("甲公司", uscc=CODE), people.organisation(
        "甲公司（重复）", uscc=OTHER
    )


def row(key):
    return db.session.get(Organisation, key)


def merge(clerk, source, target):
    return merging.merge(clerk, row(source).no, row(target).no)


def test_everything_moves_and_numbers_stay(clerk, pair, tmp_path):
    source, target = pair
    result = load("achievements", lines(tmp_path / "a.jsonl", achievement()))
    assert result.imported == 1
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.add(Node(name="n1", heartbeat=clock.now()))
    load(
        "rosters",
        lines(tmp_path / "r.jsonl", {"kind": "高企", "uscc": CODE, "name": "甲公司", "year": 2026}),
    )
    both, one = people.actor(("editor", source)), people.actor(("owner", source))
    people.person(("owner", target))
    staff.invite(one, row(source).no, "13900001111", "viewer")
    verifications.keep_licence(one, row(source).no, "a.pdf", b"%PDF-1.4")
    case = verifications.submit(one, row(source).no, DECLARED)
    source_no, target_no = row(source).no, row(target).no
    number = db.session.scalar(select(Listing.no))
    moves = dict(merging.preview(clerk, source_no, OTHER).moves)
    assert moves == {
        "成果与需求": 1,
        "成员": 2,
        "未用的邀请": 1,
        "核验": 1,
        "名单记录": 1,
        "推荐对接": 0,
        "办件": 1,
        "对接咨询": 0,
        "对接意向": 0,
        "机构与服务点名录": 0,
        "公示": 0,
        "揭榜与应答": 0,
        "技术合同": 0,
        "创新券兑付": 0,
    }

    assert merging.merge(clerk, source_no, OTHER) == target_no
    listing = db.session.scalars(select(Listing)).one()
    assert (listing.no, listing.owner_id) == (number, target)
    waiting = select(OutboxRow.kind, OutboxRow.object_id).where(OutboxRow.consumer == "index:n1")
    assert ("listing", listing.id) in [tuple(one) for one in db.session.execute(waiting)]
    assert {(one.person_id, one.role) for one in held(target)} >= {
        (both.id, "editor"),
        (one.id, "owner"),
    }
    assert held(source) == []
    assert db.session.scalars(select(Invitation.organisation_id)).all() == [target]
    assert db.session.scalars(select(Verification.organisation_id)).all() == [target]
    item = db.session.scalars(select(WorkItem)).one()
    assert (item.organisation_id, item.title) == (target, "单位核验：甲公司（重复）")
    verifications.decide(clerk, case, "verify", {})
    assert (row(source).state, row(source).uscc, row(source).merged_into_id) == (
        "merged",
        None,
        target,
    )
    assert accounts.merged_into(source_no) == target_no
    assert accounts.by_code(CODE).id == target
    assert rosters.on_roster(OTHER, "high_tech", clock.today().replace(year=2026))
    with pytest.raises(NotFound):
        accounts.get(PUBLIC, source_no)
    actions = set(db.session.scalars(select(AuditEntry.action)))
    assert {"organisation.merged", "organisation.took_over"} <= actions


def test_an_import_with_the_old_code_means_the_one_that_stays(clerk, pair, tmp_path):
    source, target = pair
    merge(clerk, source, target)
    firm = {"name": "甲公司", "uscc": CODE, "kind": "企业", "region": "511402"}
    result = load("organisations", lines(tmp_path / "o.jsonl", firm))
    assert result.rejected == 1
    assert f"曾用代码，现用 {OTHER}" in str(result.problems[0])
    found = load("achievements", lines(tmp_path / "a.jsonl", achievement()))
    assert found.imported == 1
    assert db.session.scalar(select(Listing.owner_id)) == target


def test_a_target_without_code_takes_it(clerk, pair):
    bare = people.organisation("无码", verified=False, telephone="028-1")
    merge(clerk, pair[0], bare)
    assert (row(bare).uscc, row(bare).telephone) == (CODE, "028-1")
    assert row(bare).verified_at is not None
    assert accounts.by_code(CODE).id == bare


def test_another_code_is_not_verified_by_a_merger(clerk, pair):
    other = people.organisation("没核验", verified=False, uscc="915114025557512344")
    merge(clerk, pair[0], other)
    assert row(other).verified_at is None


def test_a_chain_of_mergers_leads_to_the_end(clerk, pair):
    third = people.organisation("丙")
    first_no = row(pair[0]).no
    merge(clerk, pair[0], pair[1])
    merge(clerk, pair[1], third)
    assert accounts.merged_into(first_no) == row(third).no
    assert {accounts.by_code(code).id for code in (CODE, OTHER)} == {third}
    assert row(third).uscc == OTHER


def test_into_itself_and_other_mistakes(clerk, pair):
    no = row(pair[0]).no
    office = people.organisation("科技局", kind="office")
    far = people.organisation("外县", code="511403")
    for target, words in (
        (no, "不能并入自己"),
        (CODE, "不能并入自己"),
        (row(office).no, "科技管理部门"),
        (row(far).no, "本地区没有"),
        ("", "本地区没有"),
    ):
        for act in (merging.preview, merging.merge):
            with pytest.raises(Invalid) as told:
                act(clerk, no, target)
            assert words in told.value.fields["target"][0]
    for stranger in (people.actor(("county", None, "511403")), people.actor(("owner", pair[0]))):
        with pytest.raises(NotFound):
            merging.merge(stranger, no, row(pair[1]).no)
    assert row(pair[0]).state == "active"


def test_officers_do_not_come_into_another_region(app):
    city = people.actor(("prefecture", None, "511400"))
    one = people.organisation("东坡科技局", kind="office")
    other = people.organisation("彭山科技局", kind="office", code="511403")
    same = people.organisation("东坡经信局", kind="office")
    officer = people.actor(("county", one, "511402"))
    with pytest.raises(Invalid) as told:
        merging.merge(city, row(one).no, row(other).no)
    assert "同一地区" in told.value.fields["target"][0]
    merging.merge(city, row(one).no, row(same).no)
    [grant] = held(same)
    assert (grant.person_id, grant.role, grant.region_id) == (
        officer.id,
        "county",
        people.region("511402").id,
    )


def test_not_with_two_cases_that_wait(clerk, pair):
    for key in pair:
        owner = people.actor(("owner", key))
        verifications.keep_licence(owner, row(key).no, "a.pdf", b"%PDF-1.4")
        verifications.submit(owner, row(key).no, DECLARED)
    with pytest.raises(Conflict, match="先办结"):
        merge(clerk, *pair)
    assert row(pair[0]).state == "active"


def test_one_request_to_both_stays_one(clerk, pair):
    new = people.actor()
    for code in (CODE, OTHER):
        service.ask_to_join(new, code)
    only = service.ask_to_join(people.actor(), CODE)
    merge(clerk, *pair)
    found = db.session.execute(
        select(Joining.organisation_id, Joining.state).order_by(Joining.id)
    ).all()
    assert [tuple(one) for one in found] == [
        (pair[1], "withdrawn"),
        (pair[1], "requested"),
        (pair[1], "requested"),
    ]
    service.answer(clerk, only, "accept", {})


def test_a_new_code_and_back_again(clerk, pair):
    key, no = pair[0], row(pair[0]).no
    new = "915114025557512344"
    merging.recode(clerk, no, " 91511402-5557512344 ", "换发执照")
    assert row(key).uscc == new
    assert {accounts.by_code(code).id for code in (CODE, new)} == {key}
    assert desk.get(clerk, no).former_codes == [CODE]
    assert [one.organisation.no for one in desk.page(clerk, q=CODE).items] == [no]
    with pytest.raises(Conflict, match="合并"):
        merging.recode(clerk, no, OTHER, "错")
    with pytest.raises(Conflict):
        service.found(
            people.actor(), {"uscc": CODE, "name": "冒名", "kind": "enterprise", "county": "dpq"}
        )
    with pytest.raises(Conflict):
        merging.recode(clerk, row(pair[1]).no, CODE, "拿别人的旧码")
    for code, reason, field in ((new, "x", "uscc"), ("12", "x", "uscc"), (CODE, " ", "reason")):
        with pytest.raises(Invalid) as told:
            merging.recode(clerk, no, code, reason)
        assert list(told.value.fields) == [field]
    merging.recode(clerk, no, CODE, "弄错了")
    assert desk.get(clerk, no).former_codes == [new]


def test_a_new_name_keeps_the_old_one(clerk, pair):
    source, target = pair
    no, before = row(source).no, row(source).name
    owner = people.actor(("owner", source))
    for who, name, reason, error in (
        (owner, "新名称公司", "换照", NotFound),
        (people.actor(("county", None, "510104")), "新名称公司", "换照", NotFound),
        (clerk, "新名称公司", " ", Invalid),
        (clerk, before, "换照", Invalid),
        (clerk, "　", "换照", Invalid),
    ):
        with pytest.raises(error):
            renaming.rename(who, no, name, reason)
    with pytest.raises(Conflict):
        renaming.rename(clerk, no, "新名称公司", "换照", "早先的名称")
    renaming.rename(clerk, no, "新名称公司", "名称变更登记", before)
    assert (row(source).name, row(source).folded_name) == ("新名称公司", fold("新名称公司"))
    assert accounts.former_names(source) == [before]
    found = accounts.page(clerk, q=before[:6]).items
    assert [one.name for one in found if one.no == no] == ["新名称公司"]
    entry = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "organisation.renamed")
    ).one()
    assert (entry.before, entry.after["reason"]) == ({"name": before}, "名称变更登记")
    sent = db.session.scalars(select(OutboxRow.kind).where(OutboxRow.object_id == source)).all()
    assert "organisation.renamed" in sent
    # It moves with a merger, so that the old name leads to the one that stays.
    merging.merge(clerk, no, row(target).no)
    assert accounts.former_names(target) == [before]


def test_a_supervising_body_is_no_circle(clerk, pair):
    first, second = pair
    merging.supervise(clerk, row(first).no, row(second).no)
    assert row(first).supervisor_id == second
    for key, body in ((second, row(first).no), (first, CODE)):
        with pytest.raises(Invalid):
            merging.supervise(clerk, row(key).no, body)
    merging.supervise(clerk, row(first).no, "")
    assert row(first).supervisor_id is None


def test_the_desk_filters(clerk, pair):
    people.person(("owner", pair[0]))
    bare = people.organisation("无人", verified=False)
    people.organisation("外县", code="511403")

    def names(**asked):
        return {one.organisation.name for one in desk.page(clerk, **asked).items}

    assert names() == {"甲公司", "甲公司（重复）", "无人"}
    assert names(only="unverified") == {"无人"}
    assert names(only="verified") == {"甲公司", "甲公司（重复）"}
    assert names(only="unstaffed") == {"甲公司（重复）", "无人"}
    assert names(only="waiting") == set()
    assert names(q="重复") == {"甲公司（重复）"}
    assert names(q=row(bare).no) == {"无人"}
