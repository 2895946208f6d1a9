"""The papers of technology contracts: what they say, how they are made, signed, kept and checked."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from sqlalchemy import select

from market.contracts import examining, filing
from market.contracts import papers as offers
from market.contracts.papers import queries, service, signing, texts, verifying
from market.contracts.papers.models import ContractPaper
from market.core import clock, files, vault
from market.core.db import db
from market.core.errors import Conflict, NotFound, TooMany
from market.core.models import AuditEntry, StoredFile
from market.core.permissions import PUBLIC, SYSTEM
from market.core.unit_of_work import unit_of_work
from tests import papers, people
from tests.conftest import lacking
from tests.service import test_contracts as cases

prepared_demo, body, draft, filer = cases.prepared_demo, cases.body, cases.draft, cases.filer
seller, first, second = cases.seller, cases.first, cases.second
PDF = b"%PDF-1.4\n%%EOF\n"


@pytest.fixture
def number(draft, body, filer, first, second):
    """The number of a contract that was just registered here."""
    return papers.registered(draft, body, filer, first, second)


def get(actor, no, kind):
    """A paper's lines."""
    return papers.lines(queries.printed(actor, no, kind).data)


def with_watermarks(lines, contract):
    return lines[1:] if contract.demo else lines


def dated(day):
    return f"{day.year} 年 {day.month} 月 {day.day} 日"


def test_the_certificate_says_what_is_registered(draft, filer, number, body, demo):
    with pytest.raises(Conflict, match="正在出具"):
        queries.printed(filer, draft, "certificate")
    assert service.issue_due()
    assert not service.issue_due(), "one for each content"
    contract, today = cases.contract(draft), dated(clock.today())
    found = with_watermarks(get(filer, draft, "certificate"), contract)
    base = demo.extensions["market"].settings.base_url
    assert found[:-1] == [
        "技术合同登记证明",
        "第 1 版",
        "经审查，下列合同符合技术合同认定登记的规定，准予登记。",
        f"合同登记编号 {number}",
        "项目名称 复合调味包常温胀袋控制",
        "合同类别 技术开发 · 委托开发",
        "研究开发人 食品研究所",
        "委托人 调味品厂",
        "签订日期 2026 年 1 月 5 日",
        "有效期 2026 年 1 月 5 日至 2027 年 1 月 4 日",
        "合同成交额 280,000.00 元",
        "技术交易额（核定） 240,000.00 元",
        f"登记日期 {today}",
        f"登记机构 {body.title}",
        f"查验 扫码，或打开 {base}/verify",
        f"编号 {number} 查验码 {contract.check_code}",
        "是否有效、有没有变更或注销，以查验结果为准。",
        body.title,
        "（盖章）",
        today,
    ]
    assert found[-1].endswith("第 1 页，共 1 页")
    noted = select(AuditEntry.actor_label).where(AuditEntry.action == "contract.print")
    assert db.session.scalars(noted).all() == [filer.label]


def test_the_papers_of_a_filing(draft, body, filer, first):
    assert {one.label for one in offers.offered(filer, contract_of(draft))} == {
        "登记申请表",
        "合同文本（DOCX）",
    }
    filing.submit(filer, draft, body.no)
    examining.accept(first, draft)
    form = "".join(get(filer, draft, "application"))
    for said in (
        "李四",
        "13900000001",
        "13900000002",
        "280,000.00 元",
        "农业技术",
        "未涉及知识产权",
    ):
        assert said in form
    receipt = "".join(get(first, draft, "acceptance"))
    assert "合同.pdf" in receipt
    assert "现予受理" in receipt
    due = contract_of(draft).due
    assert (dated(due) in receipt) if due else ("没有确切的规定" in receipt)
    with pytest.raises(NotFound):
        queries.printed(first, draft, "deficiency")
    rows = [
        {"code": "seal", "words": "章与名称不符"},
        {"code": "other", "field": "subject", "words": "指标"},
    ]
    examining.send_back(first, draft, rows)
    letter = get(filer, draft, "deficiency")
    assert {"1. 章与名称不符", "2. 【标的内容与要求】指标"} <= set(letter)
    assert f"编号 {draft}-补 1" in letter
    listed = "".join(get(first, draft, "dossier"))
    assert listed.index("登记申请表") < listed.index("受理单") < listed.index("补正告知书")
    labels = {one.label for one in offers.offered(filer, contract_of(draft))}
    assert labels == {"登记申请表", "受理单", "补正告知书", "卷内目录", "合同文本（DOCX）"}


def contract_of(no):
    db.session.rollback()
    return cases.contract(no)


def test_a_refusal_says_why(draft, body, filer, first, second):
    filing.submit(filer, draft, body.no)
    examining.accept(first, draft)
    examining.examine(first, draft, {"proposal": "refuse", "refusal": "not_technology"})
    examining.refuse(second, draft, "not_technology", "属于一般承揽\n没有技术内容")
    said = get(filer, draft, "refusal")
    assert {"不属于技术合同。", "属于一般承揽", "没有技术内容"} <= set(said)
    assert any("申请异议复查" in line for line in said)


def test_who_may_have_what(draft, filer, number, body, first):
    service.issue_due()
    contract = contract_of(draft)
    other = people.actor(("owner", people.organisation("别家")), name="别人")
    away = people.actor(("county", None, "511402"), name="外地经办")  # where the buyer lies
    for stranger in (PUBLIC, other):
        assert offers.offered(stranger, contract) == []
        with pytest.raises(NotFound):
            queries.printed(stranger, draft, "certificate")
    assert {one.label for one in offers.offered(away, contract)} == {"技术合同登记证明"}
    for kind in ("application", "acceptance", "dossier"):
        with pytest.raises(NotFound):
            queries.printed(away, draft, kind)
        assert queries.printed(first, draft, kind).data.startswith(b"%PDF")
    with pytest.raises(NotFound):
        queries.printed(filer, draft, "information")  # it is registered here
    with pytest.raises(NotFound):
        queries.printed(filer, draft, "nothing")


def test_what_another_system_registered_is_no_certificate(draft, filer):
    office = people.actor(("county", None, "511402"), name="经办")
    moved_in = {"office_region_id": people.region("511402").id}
    filing.submit(filer, draft)
    papers.moved(cases.contract(draft), **moved_in)
    examining.accept(office, draft)
    examining.step(office, draft, "clear")
    examining.record(
        office,
        draft,
        {
            "registration_no": "2026360982000123",
            "registered_on": clock.today(),
            "registered_by": "外地登记机构",
            "total_fen": 280_000_00,
            "technical_fen": 200_000_00,
        },
    )
    assert not service.issue_due()
    said = "".join(get(filer, draft, "information"))
    assert "登记信息单" in said
    assert "不是技术合同登记证明" in said
    assert "外地登记机构" in said
    assert "200,000.00 元" in said
    assert "东坡区经济信息和科技局（演示）" in said, "the office by its own name"
    with pytest.raises(NotFound):
        queries.printed(filer, draft, "certificate")


def test_an_amendment_brings_the_next_edition_and_a_cancellation_ends_it(draft, filer, number):
    service.issue_due()
    papers.amended(cases.contract(draft), total_fen=300_000_00)
    with pytest.raises(Conflict):
        queries.printed(filer, draft, "certificate")  # of the old content none is handed out
    service.issue_due()
    said = get(filer, draft, "certificate")
    assert "第 2 版（变更登记后换发）" in said
    assert "合同成交额 300,000.00 元" in said
    rows = queries.issued(contract_of(draft).id)
    assert [(one.issue, one.version, one.edition) for one in rows] == [(1, 1, 1), (2, 2, 2)]
    papers.moved(cases.contract(draft), state="cancelled", void_on=clock.today())
    assert not service.issue_due()
    said = get(filer, draft, "certificate")
    assert "已注销" in said, "a mark behind the text"
    assert any("注销，此件为重印件" in line for line in said)


def test_what_cannot_be_set_says_so_and_is_issued_once_it_can(draft, filer, number, second):
    contract = cases.contract(draft)
    papers.amended(contract, title="智慧😀农业")
    service.issue_due()
    assert not service.issue_due(), "not tried again and again"
    with pytest.raises(Conflict, match="U\\+1F600"):
        queries.printed(filer, draft, "certificate")
    papers.amended(contract, title="智慧农业")
    service.issue_due()
    assert "项目名称 智慧农业" in get(filer, draft, "certificate")
    service.again(second, draft)
    service.issue_due()
    assert [one.issue for one in queries.issued(contract.id)] == [1, 2, 3]


def test_a_body_without_the_power_certifies_nothing(draft, filer, number, body):
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        body.powers = [one for one in body.powers if one.power != "certify"]
    assert not service.issue_due()


def test_a_signature_holds_until_a_byte_is_changed(draft, filer, number, demo, tmp_path):
    path, certificate = papers.key_file(tmp_path / "key.p12")
    papers.with_settings(demo, signing_key=str(path), signing_password="secret")
    assert signing.trouble() is None
    service.issue_due()
    made = queries.printed(filer, draft, "certificate").data
    found = papers.signature(made, certificate)
    assert (found.intact, found.valid, found.trusted) == (True, True, True)
    assert b"ETSI.CAdES.detached" in made, "PAdES"
    [row] = db.session.scalars(select(ContractPaper))
    assert row.signer == "甲县登记所（测试）"
    for place in (400, len(made) // 2, len(made) - 60):
        changed = bytearray(made)
        changed[place] ^= 1
        assert not is_whole(bytes(changed), certificate), place
    if shutil.which("pdfsig") is None:
        lacking("pdfsig", "install poppler-utils")
    (tmp_path / "signed.pdf").write_bytes(made)
    command = ["pdfsig", "-nocert", str(tmp_path / "signed.pdf")]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in said, said
    assert "Total document signed" in said, said


def is_whole(pdf, certificate):
    """Whether the signature holds; a file that cannot be read any more holds nothing."""
    try:
        return papers.signature(pdf, certificate).intact
    except Exception:
        return False


@pytest.mark.parametrize(
    ("password", "days", "sentence"),
    [("wrong", 365, "密码不对"), ("secret", -1, "到期")],
)
def test_a_key_that_cannot_sign_holds_certificates_back(
    draft, filer, number, demo, tmp_path, password, days, sentence
):
    path, _certificate = papers.key_file(tmp_path / "key.p12", days=days)
    papers.with_settings(demo, signing_key=str(path), signing_password=password)
    assert sentence in (signing.trouble() or "")
    with pytest.raises(RuntimeError, match=sentence):
        service.issue_due()
    with pytest.raises(Conflict, match=sentence):
        queries.printed(filer, draft, "certificate")
    papers.with_settings(demo, signing_key="")
    assert service.issue_due(), "nothing is lost meanwhile"


def test_every_paper_is_pdf_a_with_its_font(draft, filer, number, first, tmp_path):
    service.issue_due()
    made = {}
    for kind in ("application", "acceptance", "certificate", "dossier"):
        made[kind] = queries.printed(first, draft, kind).data
        assert b"<pdfaid:part>2</pdfaid:part>" in made[kind]
        assert b"<pdfaid:conformance>B</pdfaid:conformance>" in made[kind]
        embedded = papers.fonts_embedded(made[kind])
        assert embedded
        assert all(embedded)
    missing = [name for name in ("qpdf", "pdffonts") if shutil.which(name) is None]
    if missing:
        lacking("、".join(missing), "install qpdf poppler-utils poppler-data")
    for kind, data in made.items():
        path = tmp_path / f"{kind}.pdf"
        path.write_bytes(data)
        done = subprocess.run(
            ["qpdf", "--check", path], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        told = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout
        rows = told.splitlines()[2:]
        assert rows
        assert all(row.split()[-5] == "yes" for row in rows), told  # emb


def test_verifying(draft, filer, number):
    contract = cases.contract(draft)
    code = contract.check_code
    face = verifying.verify(f" {number[:4]} {number[4:]} ", code.lower(), "10.0.0.1").face
    assert (face.state, face.whole, face.edition) == ("valid", True, 1)
    assert (face.total_fen, face.technical_fen) == (280_000_00, 240_000_00)
    assert (face.title, face.seller, face.buyer) == (None, None, None), "nobody agreed"
    papers.moved(contract, shows={"title": True, "seller": True, "amounts": False})
    face = verifying.verify(number, code, "10.0.0.1").face
    assert (face.title, face.seller, face.buyer) == ("复合调味包常温胀袋控制", "食品研究所", None)
    assert face.total_fen is None
    bare = verifying.verify(number, "", "10.0.0.1")
    assert (bare.face.whole, bare.face.contract_class, bare.sentence) == (False, None, "")
    wrong = verifying.verify(number, "AAAAAAAA", "10.0.0.1")
    assert (wrong.face, bool(wrong.sentence)) == (bare.face, True)
    papers.amended(contract)
    assert verifying.verify(number, code, "10.0.0.1").face.state == "amended"
    assert verifying.verify(number, "", "10.0.0.1").face.state == "valid"
    papers.moved(contract, state="annulled", void_on=clock.today())
    found = verifying.verify(number, code, "10.0.0.1").face
    assert (found.state, found.is_valid, found.void_on) == ("annulled", False, clock.today())
    assert verifying.verify(number, "", "10.0.0.1").face.state == "annulled"
    assert verifying.verify(draft, code, "10.0.0.1").face is None, "the site's own number is none"


def test_guessing_is_limited_by_network(draft, number, monkeypatch):
    code = cases.contract(draft).check_code
    monkeypatch.setattr(
        verifying, "LIMIT", verifying.Limit("contract.verify", 2, verifying.LIMIT.span)
    )
    for _n in range(5):
        assert verifying.verify(number, code, "10.0.0.2").face.whole, "the right code costs nothing"
    verifying.verify("2026000000000001", "", "10.0.0.2")
    verifying.verify(number, "AAAAAAAA", "10.0.0.2")
    with pytest.raises(TooMany):
        verifying.verify(number, "", "10.0.0.2")
    assert verifying.verify(number, "", "10.0.0.3").face


def test_stored_files_are_encrypted_once_there_is_a_key(app):
    plain = files.take_in("旧.pdf", PDF + b"1")
    assert b"%PDF" in on_disk(plain)
    papers.with_settings(app, files_key="derived")
    locked = files.take_in("新.pdf", PDF + b"2")
    assert b"%PDF" not in on_disk(locked)
    assert files.content(row_of(plain)) == PDF + b"1"
    assert files.content(row_of(locked)) == PDF + b"2"
    assert files.lock_plain() == (1, 1)
    assert b"%PDF" not in on_disk(plain)
    papers.with_settings(app, files_key="k" * 40)
    assert files.content(row_of(locked)) == PDF + b"2", "the derived key goes on reading"
    other = files.take_in("另.pdf", PDF + b"3")
    papers.with_settings(app, files_key=",".join(["n" * 40, "k" * 40]))
    assert files.content(row_of(other)) == PDF + b"3", "an older key reads"
    papers.with_settings(app, files_key="n" * 40)
    with pytest.raises(vault.Locked, match="另一把密钥"):
        files.content(row_of(other))
    path = files._path(locked.hash)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(vault.Locked, match="改动"):
        files.content(row_of(locked))
    path.write_bytes(files._path(plain.hash).read_bytes())  # one file in the place of another
    with pytest.raises(vault.Locked, match="改动"):
        files.content(row_of(locked))


def on_disk(upload):
    return files._path(upload.hash).read_bytes()


def row_of(upload):
    return StoredFile(hash=upload.hash, derived=None)


def test_the_text_is_filled_from_the_draft(draft, filer):
    import docx

    made = texts.of_contract(filer, draft)
    with papers.in_memory(made.data) as file:
        document = docx.Document(file)
    said = "\n".join(one.text for one in document.paragraphs)
    for words in (
        "技术开发合同",
        "甲方（委托人）：调味品厂",
        "280,000.00 元（28 万元）",
        "李四",
        "风险责任",
    ):
        assert words in said
    assert said.count("第") >= 11
    with pytest.raises(NotFound):
        texts.of_contract(people.actor(("owner", people.organisation("别家"))), draft)


@pytest.mark.parametrize("kind", ["development", "assignment", "licence", "consulting", "service"])
def test_each_class_has_the_usual_clauses(kind):
    import docx

    with papers.in_memory(texts.blank(kind).data) as file:
        said = "\n".join(one.text for one in docx.Document(file).paragraphs)
    # Civil Code art. 845: what a technology contract as a rule holds.
    for words in ("内容、范围和要求", "计划、地点和方式", "保密", "归属和收益分配", "验收", "术语"):
        assert words in said
    assert "{" not in said
