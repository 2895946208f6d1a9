"""The directory: what must hold of admissions, who serves whom, specialists and their consent."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from market.accounts import queries as accounts
from market.accounts.members import merging
from market.accounts.models import Organisation
from market.accounts.people import sessions
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.importing import Options, run_import
from market.core.models import AuditEntry
from market.core.permissions import PUBLIC, SYSTEM
from market.core.sheets import write_table
from market.core.unit_of_work import unit_of_work
from market.regions import queries as regions
from market.service_points import files, queries, service, staff
from market.service_points.finding import Finder, words_of
from market.service_points.models import Admission, AdmissionPower, Specialist
from market.service_points.pages import place_of
from market.service_points.queries import Asked
from market.service_points.schemas import AdmissionSchema, StaffSchema
from market.service_points.specialists import importer as people_files
from market.service_points.specialists import queries as specialist_queries
from market.service_points.specialists import service as specialists
from market.service_points.specialists.schemas import SpecialistSchema
from market.service_points.workflow import IMPORT
from tests import people
from tests.service.clerk import CODE, OTHER


def said(**more):
    """What a form says of a point in 太和镇, of the body of 东坡区 in the demonstration."""
    plain = {
        "organisation": "91511402DEM000487E",
        "kind": "service_point",
        "parent": "东坡区技术合同登记处（演示）",
        "region": "四川省眉山市东坡区太和镇",
        "valid_from": "2026-01-01",
        "source": "批复〔2026〕1号",
    }
    return Finder().resolve(AdmissionSchema().load({**plain, **more}))


def titled(name):
    return db.session.scalars(select(Admission).where(Admission.name == name)).one()


def wrong(clerk, **more):
    with pytest.raises(Invalid) as caught:
        service.record(clerk, said(**more))
    return caught.value.fields


@pytest.fixture
def clerk(demo):
    return people.actor(("county", None, "511402"))


def test_a_point_helps_and_never_certifies(clerk):
    no = service.record(clerk, said())
    row = queries.find(PUBLIC, no)
    assert queries.powers_of(row) == {"help", "pre_check", "collect", "hand_in"}
    assert [area.region.code for area in row.areas] == ["511402102"]
    fields = wrong(clerk, powers=["help", "certify"], region="511402001")
    assert "服务点不能「出具登记证明」" in fields["powers"][0]
    assert "上级登记机构" in wrong(clerk, parent=None, region="511402001")["parent"][0]
    # Not even who writes the table past the service.
    with pytest.raises(IntegrityError), unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.add(AdmissionPower(admission_id=row.id, kind="service_point", power="certify"))
    with pytest.raises(IntegrityError), unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.add(
            AdmissionPower(admission_id=row.id, kind="registration_body", power="certify")
        )


def test_an_area_lies_inside_its_parents(clerk):
    sentence = wrong(clerk, areas=["511402", "四川省雅安市名山区"])["areas"][0]
    assert sentence.startswith(
        "「四川省雅安市名山区」不在上级「东坡区技术合同登记处（演示）」的服务范围内"
    )
    # A body may not shrink under what hangs on it.
    body = titled("东坡区技术合同登记处（演示）")
    less = Finder().resolve({**_held(body), "areas": ["511402001"]})
    with pytest.raises(Invalid) as caught:
        service.edit(clerk, body.no, body.lock_version, less)
    assert "太和镇技术合同登记服务点（演示）" in caught.value.fields["areas"][0]
    with pytest.raises(Conflict, match="还有 1 家归它管"):
        service.do(clerk, body.no, "end", "撤销")


def _held(row):
    return {key: value for key, value in words_of(row).items() if value}


def test_what_else_a_form_is_told(clerk):
    assert "早于有效期起" in wrong(clerk, valid_to="2025-12-31")["valid_to"][0]
    assert "只有登记机构才填" in wrong(clerk, mode="own")["mode"][0]
    with pytest.raises(Invalid) as caught:
        said(organisation="91511402DEM000007X")
    assert "organisation" in caught.value.fields
    with pytest.raises(Invalid) as caught:
        said(parent="FW2026999999")
    assert "请先录入它" in caught.value.fields["parent"][0]
    body = {"kind": "registration_body", "parent": None, "region": "511402"}
    assert "口径" in wrong(clerk, **body, amount="500万")["amount_base"][0]


def test_the_same_organisation_is_admitted_once_at_a_time(clerk):
    no = service.record(clerk, said(valid_to="2026-12-31"))
    assert no in wrong(clerk, valid_from="2026-06-01")["organisation"][0]
    service.record(clerk, said(valid_from="2027-01-01"))  # the time after
    service.record(clerk, said(region="511402001"))  # another place
    row = queries.find(PUBLIC, no)
    with pytest.raises(Invalid) as caught:
        service.renew(clerk, no, row.lock_version, date(2027, 6, 1), "续期")
    assert "同一时间" in caught.value.fields["valid_to"][0]


def test_offices_write_in_their_area_alone(clerk):
    stranger = people.actor(("county", None, "511803"))
    with pytest.raises(Denied):
        service.record(stranger, said())
    no = service.record(clerk, said())
    with pytest.raises(NotFound):
        service.do(stranger, no, "suspend", "试试")
    moved = said(region="511803", areas=["511402102"])
    with pytest.raises(Denied):  # out of one's own hands
        service.edit(clerk, no, 1, moved)
    with pytest.raises(Denied):
        service.record(people.actor(("system_admin",)), said(region="511402001"))


def test_a_county_lets_nobody_register_for_another(clerk):
    body = {
        "organisation": "91511402DEM000487E",
        "kind": "registration_body",
        "parent": "四川省技术合同认定登记总站（演示）",
        "region": "511402",
    }
    fields = wrong(clerk, **body, areas=["511402", "511803"], units=["12511803DEM0003480"])
    assert "「四川省雅安市名山区」不在您负责的地区" in fields["areas"][0]
    assert "「蒙山茶业科学研究所（演示）」不在您负责的地区" in fields["units"][0]
    province = people.actor(("province", None, "510000"))
    no = service.record(province, said(**body, areas=["511402", "511803"]))
    row = queries.find(PUBLIC, no)
    held = Finder().resolve(_held(row) | {"hours": "周末"})
    assert service.edit(clerk, no, row.lock_version, held) == 2  # what is there may stay


def test_states_and_renewal(clerk):
    no = service.record(clerk, said(valid_to="2026-12-31"))
    with pytest.raises(Invalid):
        service.do(clerk, no, "suspend", " ")
    service.do(clerk, no, "suspend", "人员培训")
    row = queries.find(PUBLIC, no)
    assert (row.state, row.reason) == ("suspended", "人员培训")
    assert queries.powers_of(row) == frozenset()
    service.do(clerk, no, "resume", None)
    version = queries.find(PUBLIC, no).lock_version
    with pytest.raises(Conflict, match="刚才有同事改过"):
        service.renew(clerk, no, version - 1, date(2028, 1, 1), "续期批复")
    with pytest.raises(Invalid):
        service.renew(clerk, no, version, date(2026, 1, 1), "续期批复")
    service.renew(clerk, no, version, date(2028, 1, 1), "续期批复")
    service.do(clerk, no, "end", "撤点")
    with pytest.raises(Conflict, match="已终止"):
        service.edit(clerk, no, version + 2, said())


def test_staff_is_masked_until_it_agrees(clerk):
    no = service.record(clerk, said())
    staff.add(clerk, no, StaffSchema().load({"name": "王小明", "duty": "受理"}))
    staff.add(clerk, no, StaffSchema().load({"name": "李大方", "duty": "材料", "listed": "1"}))
    assert [one.name for one in queries.get(PUBLIC, no).staff] == ["王**", "李大方"]
    with pytest.raises(Invalid):
        staff.add(clerk, no, StaffSchema().load({"duty": "受理"}))
    with pytest.raises(Invalid) as caught:
        staff.add(clerk, no, {"person": 999_999, "duty": "受理"})
    assert "不是这家单位的成员" in caught.value.fields["person"][0]


def _named(bodies):
    return [body.name for body in bodies]


def test_bodies_for_a_seller(demo):
    today = clock.today()
    firm = accounts.by_code("91511402DEM000487E")
    above = "四川省技术合同认定登记总站（演示）"
    assert _named(queries.bodies_for(firm, today)) == ["东坡区技术合同登记处（演示）", above]
    # A unit that a body names comes first, wherever it lies.
    tea = accounts.by_code("12511803DEM0003480")
    assert _named(queries.bodies_for(tea, today)) == ["成都市技术合同认定登记处（演示）", above]
    assert queries.bodies_for(firm, date(2024, 2, 29)) == []
    jiangxi = accounts.by_code("91360982DEM000612K")
    assert _named(queries.bodies_for(jiangxi, date(2027, 3, 1))) == []


def test_finding_institutions_and_specialists(demo):
    dongpo, mingshan = regions.get("511402"), regions.get("511803")
    serving = queries.institutions_in(dongpo, "泡菜")
    assert [row.owner.name for row in serving] == ["锦江食品与发酵研究院（演示）"]
    assert queries.institutions_in(dongpo, "枳壳") == []
    found = queries.specialists(region=mingshan, industry="川茶")
    assert [one.name for one in found] == ["高转化（演示）", "茅杀青（演示）"]
    assert queries.specialists(region=regions.get("632822")) == []  # did not agree
    near = queries.near(PUBLIC, Asked(kind="registration_body", region=mingshan))
    assert [(one.title, one.how) for one in near] == [
        ("四川省技术合同认定登记总站（演示）", "服务本地")
    ]


def test_search_and_counts_agree(demo):
    for asked in (
        Asked(),
        Asked(region=regions.get("510000")),
        Asked(q="太和"),
        Asked(industry="川茶"),
        Asked(field="agriculture", region=regions.get("371600")),
    ):
        counts = queries.counts(PUBLIC, asked)
        assert sum(counts.values()) == queries.search(PUBLIC, asked).total > 0
        for kind, count in counts.items():
            one = Asked(asked.q, kind, asked.region, asked.field, asked.industry)
            assert queries.search(PUBLIC, one).total == count
    states = db.session.execute(select(Admission.state, func.count()).group_by(Admission.state))
    assert {state for state, _ in states} == {"active", "suspended", "ended"}
    titles = [one.title for one in queries.search(PUBLIC, Asked(), per_page=100).items]
    assert "塔山镇技术合同登记服务点（演示）" not in titles  # suspended
    assert "鲁南机械检测技术服务中心（演示）" not in titles  # its validity has ended


def test_merging_organisations(app):
    clerk = people.actor(("county", None, "511402"))
    kept = people.organisation("甲公司", uscc=CODE)
    gone = people.organisation("甲公司（重复）", uscc=OTHER)
    values = {"kind": "transfer_institution", "parent": None}
    numbers = [service.record(clerk, said(organisation=code, **values)) for code in (CODE, OTHER)]
    merging.merge(clerk, *(db.session.get(Organisation, key).no for key in (gone, kept)))
    db.session.expire_all()
    first, second = (queries.find(PUBLIC, no) for no in numbers)
    assert (first.state, second.state) == ("active", "ended")
    assert {first.organisation_id, second.organisation_id} == {kept}


# -- specialists


def person(**more):
    plain = {"kind": "broker", "name": "王引线", "region": "511402", "contact": "13800001111"}
    return Finder().resolve(SpecialistSchema().load({**plain, **more}))


def test_without_consent_only_the_office_of_its_area_knows(clerk):
    no = specialists.record(clerk, person(certificate="JJR-2026-99"))
    with pytest.raises(NotFound):
        specialist_queries.get(PUBLIC, no)
    with pytest.raises(NotFound):
        specialist_queries.get(people.actor(("county", None, "511803")), no)
    assert specialist_queries.get(clerk, no).certificate == "****6-99"
    assert "王引线" not in {one.name for one in specialist_queries.search(in_dongpo()).items}
    specialists.consent(clerk, no, clock.today(), "签字表")
    assert specialist_queries.get(PUBLIC, no).name == "王引线"
    specialists.withdraw(clerk, no, "来电要求")
    with pytest.raises(NotFound):
        specialist_queries.get(PUBLIC, no)
    with pytest.raises(Invalid):
        specialists.consent(clerk, no, clock.today() + timedelta(days=1), "签字表")


def in_dongpo():
    return specialist_queries.Asked(region=regions.get("511402"))


def test_contact_and_certificate_are_sealed_and_reading_is_audited(clerk):
    no = specialists.record(clerk, person(certificate="JJR-2026-98"))
    row = db.session.scalars(select(Specialist).where(Specialist.no == no)).one()
    raw = db.session.execute(
        text("SELECT contact, certificate FROM specialist WHERE no = :no"), {"no": no}
    ).one()
    assert "13800001111" not in raw[0]
    assert "JJR" not in raw[1]
    assert specialist_queries.masked_contact(row) == "138****1111"
    with pytest.raises(Invalid):
        specialists.read_contact(clerk, no, "")
    assert specialists.read_contact(clerk, no, "约他看样") == "13800001111"
    entry = db.session.scalar(
        select(AuditEntry).where(AuditEntry.action == "specialist.contact_read")
    )
    assert entry.after == {"reason": "约他看样"}
    told = db.session.scalars(select(AuditEntry).where(AuditEntry.object_kind == "specialist"))
    assert not any("13800001111" in repr((one.before, one.after)) for one in told)
    with pytest.raises(Invalid) as caught:
        specialists.record(clerk, person(name="另一人", certificate="JJR-2026-98"))
    assert no in caught.value.fields["certificate"][0]
    specialists.remove(clerk, no, "调离")
    with pytest.raises(NotFound):
        specialist_queries.find(clerk, "service_points:specialist:oversee", no)
    gone = db.session.execute(
        text("SELECT contact, certificate FROM specialist WHERE no = :no"), {"no": no}
    ).one()
    assert tuple(gone) == (None, None)


def test_a_person_withdraws_his_own_consent(clerk):
    firm = accounts.by_code("91511402DEM000487E").id
    somebody = people.person(("viewer", firm))
    agreed = {"consented_on": "2026-01-01", "consent_how": "签字表"}
    no = specialists.record(clerk, person(organisation="91511402DEM000487E", **agreed))
    with pytest.raises(Invalid):
        specialists.link(clerk, no, people.person().id)
    specialists.link(clerk, no, somebody.id)
    himself = sessions.actor_of(somebody)
    with pytest.raises(NotFound):
        specialists.withdraw(people.actor(), no)
    specialists.withdraw(himself, no)
    with pytest.raises(NotFound):
        specialist_queries.get(PUBLIC, no)
    assert specialist_queries.get(himself, no).public is False


# -- files


@pytest.mark.parametrize(
    "kind", [*files.KINDS_OF_FILES, people_files.BROKERS, people_files.EXPERTS]
)
def test_what_goes_out_comes_in_unchanged(demo, kind, tmp_path):
    path = tmp_path / "out.xlsx"
    count = write_table(path, kind.columns(), kind.rows())
    result = run_import(kind, path, Options(), SYSTEM)
    assert (result.problems, result.unchanged, result.updated) == ([], count, 0)
    assert count > 0


def test_a_file_is_told_its_mistakes_at_their_cells(demo, tmp_path):
    path = tmp_path / "points.csv"
    good = "91511402DEM000487E,东坡区技术合同登记处（演示）,511402102,,2026-01-01,,批复1号"
    path.write_text(
        "单位,上级登记机构,所在地区,服务范围,有效期起,有效期止,依据\n"
        f"{good}\n{good}\n"
        "91511402DEM000487E,东坡区技术合同登记处（演示）,511402001,511803,2026-01-01,,批复2号\n"
        "91511402DEM000487E,东坡区技术合同登记处（演示）,511402003,,2026-01-01,2025-01-01,批复3号\n"
        "没有这家单位,东坡区技术合同登记处（演示）,511402102,,2026-01-01,,批复4号\n",
        encoding="utf-8",
    )
    result = run_import(files.POINTS, path, Options(), SYSTEM)
    assert result.refused
    assert result.rejected == 4
    sentences = " ".join(str(problem) for problem in result.problems)
    for words in ("与第 2 行", "不在上级", "早于有效期起", "没有这家单位"):
        assert words in sentences
    assert db.session.scalar(select(Admission.id).where(Admission.source == "批复1号")) is None


def test_a_file_brings_nothing_back_that_ended(clerk, tmp_path):
    path = tmp_path / "points.xlsx"
    write_table(path, files.POINTS.columns(), files.POINTS.rows())
    service.do(clerk, titled("太和镇技术合同登记服务点（演示）").no, "end", "撤点")
    result = run_import(files.POINTS, path, Options(), SYSTEM)
    assert (result.imported, result.updated, result.rejected) == (0, 0, 0)
    assert "已终止，不再改" in str(result.problems[0])


def test_an_office_imports_rows_of_its_area(clerk, tmp_path):
    path = tmp_path / "points.csv"
    row = "91511402DEM000487E,{parent},{region},2026-01-01,批复1号\n"
    heads = "单位,上级登记机构,所在地区,有效期起,依据\n"
    own = row.format(parent="东坡区技术合同登记处（演示）", region="511402102")
    foreign = row.format(parent="四川省技术合同认定登记总站（演示）", region="511803101")
    area = regions.get("511402").path

    def load(text):
        path.write_text(heads + text, encoding="utf-8")
        return run_import(files.POINTS, path, Options(only_area=area), clerk, permission=IMPORT)

    refused = load(own + foreign)
    assert (refused.rejected, refused.imported) == (1, 0)
    assert "不在您负责的地区" in str(refused.problems[0])
    assert load(own).imported == 1
    made = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()))
    begun = next(one for one in made if one.action == "admission.begin")
    assert begun.actor_label == clerk.label  # not the system


def test_a_township_is_meant_by_name_alone_or_behind_its_county(demo):
    several, choices = place_of("太和镇")
    assert several is None
    assert "四川省眉山市东坡区太和镇" in {one.full_name for one in choices}
    assert place_of("东坡区太和镇")[0].full_name == "四川省眉山市东坡区太和镇"
    assert place_of("万胜镇")[0].full_name == "四川省眉山市东坡区万胜镇"
    assert isinstance(Finder().region("万胜镇"), int)
    assert isinstance(Finder().region("太和镇"), str)
    assert place_of("没有这个地方") == (None, [])
