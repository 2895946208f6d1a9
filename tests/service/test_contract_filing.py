"""Filing of contracts: cells and values, files, service points, the check, many by a file."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from market.catalogue.imports import jobs
from market.catalogue.imports import service as imports
from market.catalogue.imports.models import ImportJob
from market.contracts import content, examining, filing, flat, queries
from market.contracts.filing_pages import (
    attachments,
    authorising,
    layout,
    prechecks,
    service,
)
from market.contracts.filing_pages import queries as lists
from market.contracts.models import Contract, ContractVersion
from market.contracts.schemas import ContentSchema
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.models import WorkItem
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.notices import service as notices
from market.service_points.models import POINT, Admission
from tests import people
from tests.service.clerk import load
from tests.service.test_contracts import FIELDS, with_text

SELLER = "12360982DEM9000043"
BUYER = "91511402DEM9000128"
PDF = b"%PDF-1.4\n%%EOF\n"


@pytest.fixture
def prepared_demo(prepared_quiet):
    return prepared_quiet


@pytest.fixture
def seller(demo):
    return people.organisation("食品研究所", kind="institute", code="360982", uscc=SELLER)


@pytest.fixture
def buyer(demo):
    return people.organisation("调味品厂", code="511402", uscc=BUYER)


@pytest.fixture
def filer(seller):
    return people.actor(("owner", seller), name="李四")


@pytest.fixture
def point(demo):
    """The service point of the seller's county."""
    rows = db.session.scalars(select(Admission).where(Admission.kind == POINT))
    return next(one for one in rows if one.region.code.startswith("360982"))


@pytest.fixture
def helper(point):
    return people.actor(("point_staff", point.organisation_id), name="钱一")


def values(**more):
    sellers = [{**FIELDS["sellers"][0], "uscc": SELLER}]
    buyers = [{**FIELDS["buyers"][0], "uscc": BUYER}]
    return ContentSchema().load({**FIELDS, "sellers": sellers, "buyers": buyers, **more})


@pytest.fixture
def draft(filer, seller, buyer):
    return with_text(filing.begin(filer, seller, values()))


def contract(no):
    db.session.rollback()
    return db.session.scalars(select(Contract).where(Contract.no == no)).one()


def test_cells_and_values_turn_into_each_other(demo):
    plan = [{"what": "首付", "amount_fen": "10万"}, {"when": "2026-09-01", "amount_fen": "18万"}]
    packed = content.pack(values(plan=plan, royalty_bp="2.5", is_foreign="否"))
    typed = flat.write(content.unpack(packed))
    assert typed["total_fen"] == "280000"
    assert typed["royalty_bp"] == "2.5"
    assert typed["sellers-1-region_code"].endswith("樟树市")
    again = flat.read(typed)
    assert not again.errors
    assert content.digest(content.pack(again.values)) == content.digest(packed)
    far = flat.read(
        {"buyers-1-name": "县", "buyers-1-region_code": "四川省阿坝藏族羌族自治州红原县"}
    )
    assert far.values["buyers"][0]["region_code"] == "513233", "longer than a code may be"


def test_what_cannot_be_read_is_kept_beside_what_can(demo, draft, filer):
    typed = flat.write(queries.get(filer, draft).content)
    typed |= {"total_fen": "二十八万多", "buyers-2-uscc": BUYER, "buyers-2-region_code": "乌有县"}
    read = flat.read(typed)
    assert set(read.errors) == {"total_fen", "buyers-2-name", "buyers-2-region_code"}
    assert [one["name"] for one in read.values["buyers"]] == ["调味品厂"]
    filing.save(filer, draft, read.values, unread=read.unread)
    case = queries.get(filer, draft)
    assert "二十八万多" not in str(case.version.unread), "sealed: it may be a telephone"
    shown = flat.write(case.content, content.unread_of(case.version.unread))
    assert typed.items() <= shown.items()
    assert case.content["title"] == FIELDS["title"]
    with pytest.raises(Invalid) as wrong:
        filing.submit(filer, draft)
    assert {"total_fen", "buyers"} <= set(wrong.value.fields)
    filing.save(filer, draft, values())
    assert queries.get(filer, draft).version.unread is None


def test_a_service_point_sees_one_case_until_a_day_and_does_what_its_powers_name(
    draft, filer, seller, buyer, point, helper, monkeypatch
):
    other = filing.begin(filer, seller, values(title="另一份"))
    until = clock.today() + timedelta(days=30)
    paper = attachments.take_in("授权书.pdf", PDF + b"% paper")
    with pytest.raises(NotFound):
        queries.find(helper, draft)
    with pytest.raises(Invalid) as wrong:
        authorising.authorise(filer, draft, point.no, until + timedelta(days=400), None)
    assert set(wrong.value.fields) == {"until", "paper"}
    with pytest.raises(NotFound):
        authorising.authorise(helper, draft, point.no, until, paper)
    authorising.authorise(filer, draft, point.no, until, paper)
    assert [one.no for one in lists.mine(helper, "helped").items] == [draft]
    filing.save(helper, draft, values(subject="服务点补写的指标"))
    with pytest.raises(NotFound):
        filing.save(helper, other, values())
    with pytest.raises(Denied):
        filing.withdraw(helper, draft, "discard")
    monkeypatch.setattr(clock, "today", lambda: until + timedelta(days=1))
    with pytest.raises(NotFound):
        queries.find(helper, draft)
    monkeypatch.undo()
    # A point without the power to hand in may write, not send.
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        held = db.session.get_one(Admission, point.id)
        held.powers = [one for one in held.powers if one.power == "help"]
    with pytest.raises(Denied):
        filing.submit(helper, draft)
    authorising.revoke(filer, draft)
    with pytest.raises(NotFound):
        queries.find(helper, draft)
    with pytest.raises(Conflict):
        authorising.revoke(filer, draft)


def test_a_draft_that_was_given_up_concerns_nobody_else(draft, filer, buyer):
    other_side = people.actor(("owner", buyer))
    office = people.actor(("county", None, "360982"))
    filing.withdraw(filer, draft, "discard")
    assert contract(draft).state == "withdrawn"
    for one in (other_side, office):
        with pytest.raises(NotFound):
            queries.find(one, draft)
    filing.withdraw(filer, draft, "resume")
    item = select(WorkItem.region_path).where(WorkItem.no == draft)
    assert db.session.scalar(item) is None, "no desk names a draft"
    filing.submit(filer, draft)
    assert db.session.scalar(item) == contract(draft).office_region.path
    filing.withdraw(filer, draft)
    assert queries.find(other_side, draft).state == "withdrawn"


def test_each_side_says_what_the_public_may_see_of_it(draft, filer, buyer):
    filing.submit(filer, draft)
    other_side = people.actor(("owner", buyer))
    service.show(filer, draft, {"title": True, "seller": False})
    with pytest.raises(Denied):
        service.show(filer, draft, {"buyer": True})
    service.show(other_side, draft, {"buyer": True})
    assert contract(draft).shows == {"title": True, "seller": False, "buyer": True}


def test_what_was_asked_for_is_answered_one_by_one_and_goes_back_to_the_same_body(
    draft, filer, demo
):
    own = db.session.scalars(select(Admission).where(Admission.mode == "own")).first()
    first = people.actor(("first_examiner", own.organisation_id))
    filing.submit(filer, draft, own.no)
    examining.send_back(first, draft, [{"code": "seal"}, {"code": "annex", "words": "缺附件二"}])
    asked = [one.id for one in queries.get(filer, draft).deficiencies]
    service.answer(filer, draft, {asked[0]: "已换章"})
    found = prechecks.check(filer, draft)
    assert any("还有 1 项补正" in one.words for one in found.warnings)
    with pytest.raises(Conflict):
        service.answer(filer, draft, {asked[0]: "又改", 10**6: "没有这一项"})
    service.answer(filer, draft, {asked[1]: "已补附件二"})
    filing.submit(filer, draft)
    assert (contract(draft).body_id, contract(draft).state) == (own.id, "submitted")


def test_what_was_refused_is_begun_anew_and_not_taken_unchanged(draft, filer, demo):
    own = db.session.scalars(select(Admission).where(Admission.mode == "own")).first()
    both = [
        people.actor((role, own.organisation_id)) for role in ("first_examiner", "second_examiner")
    ]
    with pytest.raises(Conflict):
        service.copy(filer, draft)
    filing.submit(filer, draft, own.no)
    examining.accept(both[0], draft)
    examining.examine(both[0], draft, {"proposal": "refuse", "refusal": "not_technology"})
    examining.refuse(both[1], draft, "not_technology", "单纯设备买卖")
    again = service.copy(filer, draft)
    assert [one.purpose for one in queries.get(filer, again).files] == ["contract"]
    with pytest.raises(Conflict):
        filing.submit(filer, again, own.no)
    filing.save(filer, again, values(subject="改为调试和达标服务，设备另购。"))
    filing.submit(filer, again, own.no)
    assert contract(again).state == "submitted"


def test_a_price_notice_is_asked_about_and_tax_is_only_hinted(draft, filer, seller):
    more = {"contract_class": "licence", "subclass": "patent_licence", "licence_kind": "ordinary"}
    filing.save(filer, draft, values(**more))

    def asked():
        found = prechecks.check(filer, draft)
        return [one.words for one in found.warnings if one.code == "price_notice"]

    assert "应在本单位公示" in asked()[0]
    no = notices.draft(filer, {"kind": "price", "title": "许可价格公示"})
    filing.save(filer, draft, values(**more, price_notice=no))
    assert "还是草稿" in asked()[0]
    filing.save(filer, draft, values(**more, price_notice="GS2020999999"))
    assert "没有编号为 GS2020999999" in asked()[0]
    attachments.add(filer, draft, attachments.take_in("公示.pdf", PDF + b"1"), "price_notice")
    assert asked() == []
    # 樟树: 500,000 of commissioned development → 80 % count, as a hint.
    hints = prechecks.hints(
        {"contract_class": "development", "subclass": "commissioned", "technical_fen": 500_000_00}
    )
    assert any("40 万元" in one.words and "一般" in one.words for one in hints)


def macro_docx():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"):
            archive.writestr(name, "<x/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("合同.pdf", b"%PDF-1.7\ntrailer << /Root 1 0 R /Encrypt 9 0 R >>\n%%EOF", "密码"),
        ("合同.docx", macro_docx(), "宏"),
        ("合同.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 600, "密码"),
        ("合同.xlsx", b"<html>", "DOCX"),
    ],
)
def test_files_that_examiners_could_not_open_are_refused_with_a_way_out(demo, name, data, said):
    with pytest.raises(Invalid) as wrong:
        attachments.take_in(name, data)
    assert said in wrong.value.fields["file"][0]


def test_three_hundred_scanned_pages_are_a_normal_paper(draft, filer):
    scan = PDF + b"%" + b"0" * (40 * 1024 * 1024)
    row = attachments.add(filer, draft, attachments.take_in("扫描.pdf", scan), "ip_certificate")
    assert attachments.may_have(filer, row)
    assert not attachments.may_have(people.actor(("owner", people.organisation("旁人"))), row)
    with pytest.raises(Conflict):
        attachments.add(filer, draft, attachments.take_in("再传.pdf", scan), "other")
    with pytest.raises(Invalid):
        attachments.add(filer, draft, attachments.take_in("x.pdf", PDF + b"2"), "point")
    filing.submit(filer, draft)
    with pytest.raises(Denied):
        attachments.remove(filer, draft, row.no)


def test_values_about_people_are_masked_in_words(draft, filer):
    known = queries.get(filer, draft).content
    said = str(layout.shown_content(layout.masked(known)))
    assert "13900000001" not in said
    assert "139****0001" in said


ROW = {
    "title": "粪污处理调试服务",
    "contract_class": "技术服务",
    "subclass": "一般技术服务",
    "signed_on": "2026-01-05",
    "buyers-1-name": "养殖一场",
    "buyers-1-region_code": "511402",
    "buyers-2-name": "养殖二场",
    "total_fen": "7.2万",
    "technical_fen": "5.1万",
    "rights-1-kind": "未涉及知识产权",
    "plan-1-amount_fen": "7.2万",
}


def jsonl(folder, *rows):
    path = folder / "合同.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def test_many_come_by_a_file_as_drafts_and_the_same_again_changes_nothing(tmp_path, seller, filer):
    path = jsonl(tmp_path, ROW, {**ROW, "buyers-1-name": "养殖三场"})
    result = load("contracts", path, organisation=SELLER)
    assert (result.imported, result.rejected) == (2, 0), result.problems
    assert load("contracts", path, organisation=SELLER).unchanged == 2
    rows = lists.mine(filer, "open").items
    assert {one.seller_name for one in rows} == {"食品研究所"}
    assert {one.state for one in rows} == {"draft"}
    case = queries.get(filer, rows[0].no)
    assert [one["name"] for one in case.content["buyers"]][1] == "养殖二场"
    assert case.version.origins["title"] == "import"
    changed = load("contracts", jsonl(tmp_path, {**ROW, "total_fen": "8万"}), organisation=SELLER)
    assert (changed.updated, changed.imported) == (1, 0)
    bad = jsonl(
        tmp_path,
        {**ROW, "title": "", "total_fen": "很多"},
        {**ROW, "title": "另一份", "technical_fen": "9万", "buyers-1-uscc": BUYER[:-1] + "9"},
    )
    refused = load("contracts", bad, organisation=SELLER)
    told = {(one.row, one.column) for one in refused.problems if not one.warning}
    assert refused.rejected == 2
    assert {label for _, label in told} >= {"合同成交额", "项目名称", "技术交易额"}
    assert "买方1统一社会信用代码" in {label for _, label in told}


def test_people_import_drafts_and_take_them_back_until_one_is_touched(tmp_path, seller, filer):
    data = jsonl(tmp_path, ROW, {**ROW, "title": "第二份"}).read_bytes()
    no = imports.upload(filer, "contracts", "", "合同.jsonl", data)
    while jobs.run_one():
        pass
    job = db.session.scalars(select(ImportJob).where(ImportJob.no == no)).one()
    assert job.state == "checked", (job.fault, job.problems)
    with pytest.raises(Conflict):
        imports.act(filer, no, "import", {"cleared": "1"})
    imports.act(filer, no, "draft")
    while jobs.run_one():
        pass
    made = lists.mine(filer, "open").items
    assert len(made) == 2
    filing.save(filer, made[0].no, values(title="有人接着改"))
    with pytest.raises(Conflict):
        imports.act(filer, no, "undo")
    before = db.session.scalar(select(func.count()).select_from(ContractVersion))
    other = imports.upload(
        filer, "contracts", "", "别的.jsonl", data.replace(b"\xe7\xac\xac", b"A")
    )
    while jobs.run_one():
        pass
    imports.act(filer, other, "draft")
    while jobs.run_one():
        pass
    imports.act(filer, other, "undo")
    assert db.session.scalar(select(func.count()).select_from(ContractVersion)) == before
