"""Pages of drafts, review and the published life of listings, as browsers send them."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from sqlalchemy import select

from market.catalogue.publishing import life
from market.catalogue.publishing.models import Submission
from market.core.db import db
from market.core.models import StoredFile
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from tests import people
from tests.people import sign_in, token_of

HERE = "511402"
NASTY = '<script>alert(1)</script> \u202e倒\u200b写 & "引"'


@pytest.fixture
def firm(app):
    return people.organisation("甲蛋品厂")


@pytest.fixture
def editor(client, firm):
    return sign_in(client, people.person(("editor", firm), name="编辑"))


@pytest.fixture
def officer(app):
    from tests.web.conftest import ParsingClient

    app.test_client_class = ParsingClient
    return sign_in(app.test_client(), people.person(("county", None, HERE), name="经办"))


def _submission(no=None):
    db.session.rollback()
    query = select(Submission).order_by(Submission.id.desc())
    return db.session.scalars(query if no is None else query.where(Submission.no == no)).first()


def _begin(editor, title="咸鸭蛋破损怎么检测", region=HERE):
    page = editor.get("/my/listings/new?kind=demand")
    sent = {"csrf_token": token_of(page), "kind": "demand", "title": title, "region": region}
    answer = editor.post("/my/listings/new", data=sent)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].removesuffix("/edit")


def _save(editor, address, **typed):
    page = editor.get(f"{address}/edit")
    seen = re.search(r'name="lock_version" value="(\d+)"', page.text)[1]
    sent = {"csrf_token": token_of(page), "lock_version": seen, "region": HERE, **typed}
    return editor.post(f"{address}/save", data=sent)


def _send(editor, address, action="submit", **more):
    page = editor.get(f"{address}/check")
    sent = {"csrf_token": token_of(page), "action": action, "cleared": "1", **more}
    return editor.post(f"{address}/send", data=sent)


def _press(who, address, action, **more):
    page = who.get(address)
    return who.post(f"{address}/{action}", data={"csrf_token": token_of(page), **more})


def _published(editor, officer, **typed):
    address = _begin(editor)
    typed = {"title": "咸鸭蛋破损怎么检测", "summary": "人工看灯，慢且漏检。"} | typed
    assert _save(editor, address, **typed).status_code == 303
    assert _send(editor, address).status_code == 303
    assert _press(officer, address, "publish").status_code == 303
    return address, _submission().listing


def test_nobody_publishes_or_sends_what_changed_since_he_looked(editor, officer):
    address = _begin(editor)
    title = "咸鸭蛋破损怎么检测"
    _save(editor, address, title=title, summary="人工看灯，慢且漏检。")
    before = _seen(editor.get(f"{address}/check"))
    _save(editor, address, title=title, summary="人工看灯，又慢又漏检。")
    assert _send(editor, address, seen=before).status_code == 409
    assert _send(editor, address).status_code == 303
    looked = _seen(officer.get(address))
    assert _press(editor, address, "take_back").status_code == 303
    _save(editor, address, title=title, summary="加微信发财，稳赚不赔。")
    assert _send(editor, address).status_code == 303
    refused = _press(officer, address, "publish", seen=looked)
    assert refused.status_code == 409
    assert "又有修改" in refused.text
    assert _submission().state == "submitted"
    assert _press(officer, address, "publish", seen=_seen(refused)).status_code == 303


def test_who_reviews_sees_that_it_ran_out_meanwhile(editor, officer):
    address = _begin(editor)
    _save(editor, address, title="检测", summary="简介", deadline="2020-01-01")
    assert "完成时限 2020-01-01 已经过去" in editor.get(f"{address}/check").text
    _send(editor, address)
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        row = db.session.scalars(select(Submission)).one()
        row.content = row.content | {"valid_until": "2020-01-01"}
    assert "完成时限 2020-01-01 已经过去" in officer.get(address).text
    refused = _press(officer, address, "publish")
    assert refused.status_code == 422
    assert "有效期至：2020-01-01 已经过去" in refused.text


def test_personal_data_and_big_words_are_pointed_at_before_and_in_review(editor, officer):
    address = _begin(editor)
    text = "张三，身份证51140219800101123x，电话１３８ 0013 8000，国家级技术。压力 13812345678.5 Pa"
    more = {"summary": text, "contact_phone": "13800138000"}
    _save(editor, address, title="检测", **more)
    check = editor.get(f"{address}/check").text
    case = _send(editor, address) and officer.get(address).text
    for page in (check, case):
        assert "「511402…」像身份证号码" in page
        assert "「138…8000」像手机号码" in page
        assert "「国家级」是绝对化用语" in page
        assert page.count("像手机号码") == 1
    assert '<option value="files">图片与附件</option>' in case
    notes = {"note_field": "files", "note_reason": "照片看不清", "note_rule": "unclear"}
    assert _press(officer, address, "return", **notes).status_code == 303
    assert "照片看不清" in editor.get(f"{address}/edit").text
    assert "图片与附件：照片看不清" in editor.get(address).text


def test_who_comes_too_late_keeps_what_he_wrote(editor, officer):
    address = _begin(editor)
    _save(editor, address, title="名称", summary="简介")
    _send(editor, address)
    looked = officer.get(address)
    assert _press(officer, address, "publish").status_code == 303  # a colleague
    note = {"note_field": ["summary"], "note_reason": ["写明 <b>一天</b> 多少枚"]}
    sent = {"csrf_token": token_of(looked), "seen": _seen(looked), "reason": "还差一点"}
    late = officer.post(f"{address}/return", data=sent | note | {"note_rule": ["unclear"]})
    assert late.status_code == 409
    assert "写明 &lt;b&gt;一天&lt;/b&gt; 多少枚" in late.text
    assert "还差一点" in late.text
    assert '<a href="/desk" aria-current="page">' in late.text
    assert "没有送出" not in officer.get(address).text


def _seen(page):
    return re.search(r'name="seen" value="(\d+)"', page.text)[1]


def test_from_the_first_word_to_the_public_page(editor, officer, client, app):
    address = _begin(editor)
    form = editor.get(f"{address}/edit")
    assert "只有名称、简介和所在地区必填" in form.text
    assert 'data-autosave="' in form.text
    answer = _save(editor, address, title="改好的名称", summary="人工看灯。", next="check")
    assert answer.headers["Location"].endswith("/check")
    check = editor.get(f"{address}/check")
    assert "完整度 +" in check.text
    refused = _send(editor, address, cleared="")
    assert refused.status_code == 422
    assert "保密审查" in refused.text
    assert _submission().state == "draft"
    assert _send(editor, address).status_code == 303
    case = editor.get(address)
    assert "待审核" in case.text
    assert "办理时限" in case.text
    assert _press(officer, address, "publish").status_code == 303
    public = app.test_client().get(f"/demands/{_submission().listing.no}")
    assert "改好的名称" in public.text
    assert "编辑</a>" not in public.text
    assert "编辑</a>" in editor.get(f"/demands/{_submission().listing.no}").text


def test_mistakes_stand_beside_their_fields_and_nothing_is_lost(editor):
    address = _begin(editor)
    _save(editor, address, title="名称", summary="简介", budget="二十来万吧", deadline="明年")
    form = editor.get(f"{address}/edit")
    assert 'value="二十来万吧"' in form.text
    check = editor.get(f"{address}/check")
    assert "二十来万吧" in check.text
    assert "回去改正" in check.text
    assert _send(editor, address).status_code == 422
    assert _submission().state == "draft"


@pytest.mark.parametrize("action", ["edit", "check", ""])
def test_what_people_type_is_text(editor, action):
    address = _begin(editor)
    _save(editor, address, title=NASTY, summary=NASTY + "字" * 50_000, targets="a；b")
    page = editor.get(f"{address}/{action}".rstrip("/"))
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text


def test_the_script_saves_and_is_told_of_others(editor):
    address = _begin(editor)
    page = editor.get(f"{address}/edit")
    sent = {"csrf_token": token_of(page), "lock_version": "1", "title": "甲", "region": HERE}
    quiet = {"Accept": "application/json"}
    answer = editor.post(f"{address}/save", data=sent, headers=quiet)
    assert answer.json["lock_version"] == 2
    assert re.fullmatch(r"\d\d:\d\d", answer.json["saved"])
    stale = editor.post(f"{address}/save", data=sent | {"title": "乙"}, headers=quiet)
    assert stale.status_code == 409
    assert "别处" in stale.json["message"]
    forged = editor.post(f"{address}/save", data=sent | {"csrf_token": "x"}, headers=quiet)
    assert forged.status_code == 400


def test_a_stale_edit_shows_both_versions(editor):
    address = _begin(editor)
    page = editor.get(f"{address}/edit")
    assert _save(editor, address, title="甲写的", problem="甲的难题").status_code == 303
    sent = {
        "csrf_token": token_of(page),
        "lock_version": "1",
        "title": "乙写的",
        "region": HERE,
        "summary": "乙的简介",
    }
    stale = editor.post(f"{address}/save", data=sent)
    assert stale.status_code == 409
    assert all(words in stale.text for words in ("甲写的", "乙写的", "甲的难题", "乙的简介"))
    assert _submission().title == "甲写的"
    seen = re.search(r'name="lock_version" value="(\d+)"', stale.text)[1]
    again = editor.post(f"{address}/save", data=sent | {"lock_version": seen})
    assert again.status_code == 303
    assert _submission().title == "乙写的"


def test_a_return_names_field_reason_and_rule(editor, officer):
    address = _begin(editor)
    _save(editor, address, title="名称", summary="简介")
    _send(editor, address)
    rows = {
        "note_field": ["summary", ""],
        "note_reason": ["写明一天多少枚", ""],
        "note_rule": ["unclear", "unclear"],
    }
    empty = _press(officer, address, "return")
    assert empty.status_code == 422
    bad = _press(officer, address, "return", **(rows | {"note_field": ["nothing", ""]}))
    assert bad.status_code == 422
    assert "写明一天多少枚" in bad.text
    assert _press(officer, address, "return", **rows).status_code == 303
    case = editor.get(address)
    assert all(words in case.text for words in ("待修改", "写明一天多少枚", "外行能看懂"))
    assert "写明一天多少枚" in editor.get(f"{address}/edit").text


def test_drafts_of_others_do_not_exist(editor, officer, app):
    address = _begin(editor)
    other = sign_in(app.test_client(), people.person(("owner", people.organisation("乙"))))
    for who in (other, officer):
        for page in ("", "/edit", "/check", "/versions"):
            assert who.get(f"{address}{page}").status_code == 404
        form = token_of(who.get("/my/listings/new")) if who is other else ""
        assert who.post(f"{address}/discard", data={"csrf_token": form}).status_code == 404
    assert app.test_client().get(address).status_code == 303  # to the sign-in page


def test_versions_are_compared_and_the_public_sees_dates(editor, officer, app):
    _, listing = _published(editor, officer)
    no = listing.no
    answer = _press(editor, f"/my/listings/{no}", "edit")
    again = answer.headers["Location"].removesuffix("/edit")
    _save(editor, again, title="咸鸭蛋裂纹怎么检测", summary="人工看灯，慢且漏检。")
    page = editor.get(f"{again}/versions")
    assert "<del>破损</del><ins>裂纹</ins>" in page.text
    assert "破损" in app.test_client().get(f"/demands/{no}").text  # stays while the edit waits
    _send(editor, again)
    _press(officer, again, "publish")
    history = app.test_client().get(f"/demands/{no}/versions")
    assert "名称" in history.text
    assert "破损" not in history.text
    assert app.test_client().get(f"/en/demands/{no}/versions").status_code == 200
    compared = editor.get(f"{again}/versions?a=1&b=2")
    assert "<del>破损</del><ins>裂纹</ins>" in compared.text
    assert editor.get(f"{again}/versions?a=9&b=x").status_code == 200


def test_what_is_gone_says_so(editor, officer, app):
    _, listing = _published(editor, officer)
    no, manage = listing.no, f"/my/listings/{listing.no}"
    refused = _press(editor, manage, "withdraw")
    assert refused.status_code == 422
    assert 'href="#act-withdraw"' in refused.text
    assert 'aria-describedby="act-withdraw-error"' in refused.text
    assert _press(editor, manage, "withdraw", reason="已签约").status_code == 303
    gone = app.test_client().get(f"/demands/{no}")
    assert (gone.status_code, "已撤回" in gone.text) == (410, True)
    assert _press(editor, manage, "restore").status_code == 303
    assert "下架</a>" in officer.get(f"/demands/{no}").text
    assert no in officer.get("/desk/listings").text
    assert _press(officer, manage, "take_down", reason="不实").status_code == 303
    assert "再请求恢复公开" in editor.get(manage).text
    assert _press(editor, manage, "ask_back", reason="已改实").status_code == 303
    assert "发布单位请求恢复公开" in officer.get(manage).text
    assert "已经请求过" in editor.get(manage).text
    gone = app.test_client().get(f"/demands/{no}")
    assert (gone.status_code, "下架" in gone.text) == (410, True)
    assert no in officer.get("/desk/listings?state=taken_down").text
    assert _press(officer, manage, "restore").status_code == 303
    wrong = _press(editor, manage, "close", outcome="", outcome_yuan="一点点")
    assert wrong.status_code == 422
    assert 'value="一点点"' in wrong.text
    closing = {"outcome": "solved", "outcome_with": "乙研究院", "outcome_yuan": "12万"}
    assert _press(editor, manage, "close", **closing).status_code == 303
    closed = app.test_client().get(f"/demands/{no}")
    assert (closed.status_code, "已解决" in closed.text) == (200, True)
    assert f"/demands/{no}/inquire" not in closed.text
    asked = app.test_client().get(f"/demands/{no}/inquire")
    assert (asked.status_code, "已结束" in asked.text, "<textarea" in asked.text) == (
        410,
        True,
        False,
    )
    assert "12 万元" in editor.get(manage).text


def test_an_officer_changes_what_a_caller_asks_for(editor, officer):
    _, listing = _published(editor, officer)
    manage = f"/my/listings/{listing.no}"
    assert "代为修改" in officer.get(manage).text
    assert "代为修改" not in editor.get(manage).text
    assert _press(officer, manage, "edit").status_code == 403  # for nobody
    assert _press(officer, manage, "edit", source="pigeon").status_code == 422
    answer = _press(officer, manage, "edit", source="telephone")
    address = answer.headers["Location"].removesuffix("/edit")
    _save(officer, address, title="电话里改的名称", summary="简介")
    check = officer.get(f"{address}/check").text
    assert "发布单位已确认：按其规定做过保密审查" in check
    assert "按本单位的规定" not in check
    assert _send(officer, address, "publish").status_code == 303
    assert "电话里改的名称" in editor.get(manage).text


def test_one_tap_renews_without_signing_in(editor, officer, app):
    _, listing = _published(editor, officer, valid_until="2026-12-10")
    visitor = app.test_client()
    token = life.link_of(listing.no, listing.current.valid_until)
    page = visitor.get(f"/renew/{token}")
    assert "确认仍有效" in page.text
    answer = visitor.post(f"/renew/{token}", data={"csrf_token": token_of(page)})
    assert answer.status_code == 303
    assert "2027-12-10" in visitor.get(f"/demands/{listing.no}").text
    assert visitor.get(f"/renew/{token}").status_code == 410
    assert visitor.get(f"/renew/{token[:-1]}x").status_code in {404, 410}
    assert visitor.get("/renew/XQ2026999999-abc").status_code == 404


def _png():
    out = io.BytesIO()
    Image.new("RGB", (900, 600), "teal").save(out, "PNG")
    return out.getvalue()


def test_pictures_wait_with_the_edit(editor, officer, app):
    address = _begin(editor)
    page = editor.get(f"{address}/edit")
    sent = {
        "csrf_token": token_of(page),
        "lock_version": "1",
        "title": "名称",
        "summary": "简介",
        "region": HERE,
        "file": [(io.BytesIO(_png()), "../x.png"), (io.BytesIO(b"%PDF-1.4 x"), "说明.pdf")],
    }
    answer = editor.post(f"{address}/save", data=sent, content_type="multipart/form-data")
    assert answer.status_code == 303
    db.session.rollback()
    files = db.session.scalars(select(StoredFile).order_by(StoredFile.id)).all()
    words = {f"caption-{files[0].no}": "裂纹 <照片>"}
    assert _save(editor, address, title="名称", summary="简介", **words).status_code == 303
    picture = f"/files/{files[0].no}?w=320"
    visitor = app.test_client()
    assert visitor.get(picture).status_code == 404
    assert officer.get(picture).status_code == 404
    assert editor.get(picture).status_code == 200
    _send(editor, address)
    _press(officer, address, "publish")
    assert visitor.get(picture).status_code == 200
    public = visitor.get(f"/demands/{_submission().listing.no}").text
    assert "1600w" in public
    assert "裂纹 &lt;照片&gt;" in public
    assert ">说明.pdf</a>" in public
    bad = dict(sent, file=[(io.BytesIO(b"MZ..."), "x.png")], csrf_token=sent["csrf_token"])
    again = _press(editor, f"/my/listings/{_submission().listing.no}", "edit")
    again = again.headers["Location"].removesuffix("/edit")
    refused = editor.post(f"{again}/save", data=bad, content_type="multipart/form-data")
    assert refused.status_code == 422
    assert 'id="file-error"' in refused.text
    dropping = _save(editor, again, title="名称", summary="简介", drop=files[0].no)
    assert dropping.status_code == 303
    assert visitor.get(picture).status_code == 200  # the published page keeps it meanwhile
    _send(editor, again)
    _press(officer, again, "publish")
    assert visitor.get(picture).status_code == 404


def test_of_several_files_the_bad_one_is_named_and_the_good_ones_are_kept_once(editor):
    address = _begin(editor)

    def choose(*files):
        page = editor.get(f"{address}/edit")
        seen = re.search(r'name="lock_version" value="(\d+)"', page.text)[1]
        sent = {"csrf_token": token_of(page), "lock_version": seen, "region": HERE}
        sent["file"] = [(io.BytesIO(data), name) for name, data in files]
        return editor.post(f"{address}/save", data=sent, content_type="multipart/form-data")

    good, last = ("甲.pdf", b"%PDF-1.4 x"), ("丙.pdf", b"%PDF-1.4 y")
    refused = choose(good, ("乙.exe", b"MZ..."), last)
    assert refused.status_code == 422
    assert "「乙.exe」没有存：" in refused.text
    assert "「甲.pdf」「丙.pdf」已存，不用再选。" in refused.text
    assert choose(good, last).status_code == 303
    db.session.rollback()
    names = db.session.scalars(select(StoredFile.name).order_by(StoredFile.id)).all()
    assert names == ["甲.pdf", "丙.pdf"]
    assert "「丙.pdf」的说明" in editor.get(f"{address}/edit").text


def test_own_listings_stand_under_their_tabs(editor, officer):
    _published(editor, officer)
    draft = _begin(editor, "还在写的")
    page = editor.get("/my/listings")
    assert "还在写的" in page.text
    assert "咸鸭蛋破损怎么检测" in page.text
    drafts = editor.get("/my/listings?tab=drafts").text
    assert "还在写的" in drafts
    assert "咸鸭蛋破损怎么检测" not in drafts
    for tab in ("waiting", "returned", "published", "expired", "nonsense"):
        assert editor.get(f"/my/listings?tab={tab}&page=2").status_code == 200
    assert _press(editor, draft, "discard").status_code == 303
    assert "还在写的" not in editor.get("/my/listings").text


def test_somebody_without_an_organisation_is_shown_the_way(client):
    nobody = sign_in(client, people.person())
    assert "/my/organisation" in nobody.get("/my/listings").text
    assert "/my/organisation" in nobody.get("/my/listings/new").text
    assert nobody.get("/desk/listings").status_code == 403


def test_an_owner_asks_for_a_sign_off(client, firm):
    owner = sign_in(client, people.person(("owner", firm)))
    page = owner.get("/my/listings")
    sent = {"csrf_token": token_of(page), "wanted": "1"}
    alone = owner.post(f"/my/listings/signing/{firm}", data=sent)
    assert (alone.status_code, "只有一位" in alone.text) == (409, True)
    people.person(("certifier", firm))
    assert owner.post(f"/my/listings/signing/{firm}", data=sent).status_code == 303
    address = _begin(owner)
    _save(owner, address, title="名称", summary="简介")
    assert "送本单位审核" in owner.get(f"{address}/check").text
    _send(owner, address, "send_inside")
    assert "由您一人填写" in owner.get(address).text
    other = people.organisation("乙")
    assert owner.post(f"/my/listings/signing/{other}", data=sent).status_code == 403


def test_every_field_of_a_kind_stands_in_its_form():
    from market.catalogue.publishing import layout, rules

    for kind, parts in layout.SECTIONS.items():
        keys = [key for _, keys in parts for key in keys]
        assert sorted(keys) == sorted(rules.fields_of(kind))


def test_a_long_list_costs_no_more_statements(visitor, statements):
    firm = people.organisation("戊蛋品厂（演示）")
    editor = sign_in(visitor, people.person(("editor", firm)))
    _begin(editor, "第一个")
    counts = []
    for codes in ((), ("511403", "511421", "511423", "511424")):
        for code in codes:
            _begin(editor, f"又一个 {code}", code)
        statements.clear()
        assert editor.get("/my/listings").status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]


# The API


def _program(client, organisation_id, role="editor"):
    """Headers of a program of an organisation."""
    import secrets
    from datetime import timedelta

    from market.accounts.people import sessions
    from market.accounts.people.models import ApiToken
    from market.core import clock
    from market.core.permissions import SYSTEM
    from market.core.unit_of_work import unit_of_work

    word = secrets.token_urlsafe(32)
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.add(
            ApiToken(
                token_hash=sessions.hashed(word),
                organisation_id=organisation_id,
                role=role,
                label="测试",
                hint="",
                scopes=["catalogue:submission", "catalogue:listing"],
                created_at=clock.now(),
                created_by="测试",
                expires_at=clock.now() + timedelta(days=1),
            )
        )
    return {"Authorization": f"Bearer {word}"}


@pytest.mark.parametrize("text", ["\\ud83d", "\\u0000", "\\uDE00x"])
def test_a_program_is_told_of_half_characters(client, app, text):
    program = _program(client, people.organisation("乙研究院", kind="institute"))
    body = f'{{"kind": "demand", "organisation": "{text}", "region": "511402"}}'
    kept = {"content_type": "application/json", "headers": program}
    assert client.post("/api/v1/submissions", data=body, **kept).status_code == 400
    assert client.post("/api/v1/submissions", data="[" * 50_000, **kept).status_code == 400
    # A backslash as typed, a whole character:
    plain = body.replace(text, "\\\\u0000 \\ud83d\\ude00")
    assert client.post("/api/v1/submissions", data=plain, **kept).status_code == 404


def test_a_program_does_what_pages_do(client, app):
    institute = people.organisation("乙研究院", kind="institute")
    owner_no = db.session.get(people.Organisation, institute).no
    program = _program(client, institute)
    api = "/api/v1/submissions"
    body = {
        "kind": "achievement",
        "organisation": owner_no,
        "region": HERE,
        "values": {"title": "咸鸭蛋裂纹检测", "keywords": ["咸鸭蛋", "检测"], "stage": "中试"},
    }
    once = program | {"Idempotency-Key": "a-1"}
    made = client.post(api, json=body, headers=once)
    assert made.status_code == 201, made.text
    assert client.post(api, json=body, headers=once).json == made.json
    no = made.json["no"]
    read = client.get(f"{api}/{no}", headers=program)
    assert read.headers["ETag"] == '"v1"'
    assert {one["action"] for one in read.json["actions"]} == {"publish", "discard"}
    changes = {"values": {"summary": "声学检测。"}, "cleared": True}
    assert client.patch(f"{api}/{no}", json=changes, headers=program).status_code == 428
    match = program | {"If-Match": '"v1"'}
    assert client.patch(f"{api}/{no}", json=changes, headers=match).status_code == 200
    assert client.patch(f"{api}/{no}", json=changes, headers=match).status_code == 412
    bad = {"values": {"nothing": "x"}}
    assert (
        client.patch(f"{api}/{no}", json=bad, headers=program | {"If-Match": "*"}).status_code
        == 422
    )
    whatever = program | {"If-Match": "*"}
    assert client.post(f"{api}/{no}/actions/submit", json={}, headers=whatever).status_code == 403
    publish = f"{api}/{no}/actions/publish"
    assert client.post(publish, json={}, headers=program).status_code == 428
    assert client.post(publish, json={}, headers=match).status_code == 412
    match = program | {"If-Match": client.get(f"{api}/{no}", headers=program).headers["ETag"]}
    done = client.post(publish, json={}, headers=match)
    assert (done.status_code, done.json["state"]) == (200, "published")
    assert client.post(publish, json={}, headers=whatever).status_code == 409
    listing = f"/api/v1/listings/{done.json['listing_no']}"
    assert client.post(f"{listing}/actions/renew", json={}, headers=program).status_code == 428
    match = program | {"If-Match": client.get(listing, headers=program).headers["ETag"]}
    renewed = client.post(f"{listing}/actions/renew", json={}, headers=match)
    assert renewed.json["version"] == 2
    assert client.post(f"{listing}/actions/renew", json={}, headers=match).status_code == 412
    again = client.post(f"{listing}/submissions", headers=program)
    assert again.status_code == 201
    assert client.get(api, headers=program).json["items"][0]["submission_no"] == again.json["no"]
    gone = client.post(f"{listing}/actions/withdraw", json={"reason": "停"}, headers=whatever)
    assert gone.json["state"] == "withdrawn"
    stranger = _program(client, people.organisation("丙"))
    for path in (f"{api}/{no}", listing):
        assert client.get(path, headers=stranger).status_code == 404
    assert client.get(f"{api}/{no}").status_code == 401
