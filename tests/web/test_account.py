"""我的账号: own data, contacts, password, sessions, second factor, tokens, closing."""

from __future__ import annotations

import re

import pyotp
import pytest
import time_machine
from sqlalchemy import func, select

from market.accounts.people import registering, rules, sessions
from market.accounts.people.models import LoginSession, Person, RoleGrant
from market.core import clock
from market.core.db import db
from market.core.models import OutboxRow
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from tests import people
from tests.messages import values_of
from tests.people import token_of
from tests.web.conftest import check_html

PASSWORD = "清风 明月 七十二峰"
MOBILE = "13800001234"
PAGES = [
    "/account",
    "/account/contact/mobile",
    "/account/contact/email",
    "/account/contact-code",
    "/account/password",
    "/account/sessions",
    "/account/second-factor",
    "/account/close",
    "/account/tokens",
]
FORMS = [
    "/account",
    "/account/contact/mobile",
    "/account/contact-code",
    "/account/password",
    "/account/sessions",
    "/account/second-factor",
    "/account/second-factor/codes",
    "/account/second-factor/confirm",
    "/account/second-factor/off",
    "/account/close",
    "/account/tokens",
]


@pytest.fixture(scope="module")
def kept_hash():
    from pwdlib import PasswordHash

    return PasswordHash.recommended().hash(PASSWORD)


@pytest.fixture
def own(app):
    return people.organisation("甲单位")


@pytest.fixture
def someone(app, own, kept_hash):
    """The owner of an organisation."""
    with app.test_request_context(), unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        person = registering.add_person("李四", rules.Contact("mobile", MOBILE), kept_hash)
        grant(person.id, "owner", own)
    return db.session.get(Person, person.id)


def grant(person_id, role, organisation_id=None, region_id=None):
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.add(
            RoleGrant(
                person_id=person_id,
                role=role,
                organisation_id=organisation_id,
                region_id=region_id,
                valid_from=clock.today(),
                granted_at=clock.now(),
                granted_by="测试",
            )
        )


@pytest.fixture
def mine(client, someone):
    """The browser of that person, without the second factor."""
    return signed_in(client, someone)


def signed_in(client, person):
    headers = {"User-Agent": "Firefox/140 Linux"}
    with client.application.test_request_context(headers=headers), unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        word = sessions.open_session(work, db.session.get(Person, person.id))
    client.set_cookie(sessions.COOKIE, word)
    return client


def send(client, page, address="", **typed):
    typed = {"csrf_token": token_of(client.get(page)), **typed}
    return client.post(address or page, data=typed)


def value_of(page, name):
    return check_html(page.text).find(f".//*[@name='{name}']").get("value")


def code():
    db.session.rollback()
    rows = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "person.code"))
    return values_of(list(rows)[-1])["code"]


def again(person):
    db.session.rollback()
    return db.session.get(Person, person.id)


@pytest.mark.parametrize("address", PAGES)
def test_pages_are_for_who_is_signed_in_and_kept_by_no_cache(mine, app, address):
    answer = mine.get(address)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    stranger = app.test_client().get(address)
    assert stranger.status_code == 303
    assert stranger.headers["Location"].startswith("/login?next=")


@pytest.mark.parametrize("address", FORMS)
def test_forms_without_a_token_do_nothing(mine, someone, address):
    answer = mine.post(address, data={"name": "王五", "language": "zh", "password": PASSWORD})
    assert answer.status_code == 400
    person = again(someone)
    assert (person.name, person.state, person.totp_at) == ("李四", "active", None)


def test_a_token_of_strange_letters_brings_the_form_back(mine):
    page = mine.post("/account", data={"csrf_token": "é令牌", "name": "王五"})
    assert page.status_code == 400
    assert 'value="王五"' in page.text


def test_a_token_of_another_session_is_not_taken(mine, app, someone):
    other = signed_in(app.test_client(), someone)
    typed = {"csrf_token": token_of(other.get("/account")), "name": "王五", "language": "zh"}
    assert mine.post("/account", data=typed).status_code == 400
    assert again(someone).name == "李四"


def test_name_and_language(mine, someone):
    answer = send(mine, "/account", name="王五", language="en")
    assert "已保存" in mine.get(answer.headers["Location"]).text
    assert (again(someone).name, again(someone).language) == ("王五", "en")
    wrong = send(mine, "/account", name="王", language="xx")
    assert wrong.status_code == 422
    assert value_of(wrong, "name") == "王"


def test_another_mobile_number_by_code(mine, someone):
    page = "/account/contact/mobile"
    refused = send(mine, page, contact="13500005555", password="wrong password")
    assert refused.status_code == 422
    assert value_of(refused, "contact") == "13500005555"
    assert send(mine, page, contact="a@b.cn", password=PASSWORD).status_code == 422
    answer = send(mine, page, contact="13500005555", password=PASSWORD)
    page = answer.headers["Location"]
    assert "135****5555" in mine.get(page).text
    assert send(mine, page, code=code()).headers["Location"] == "/account?saved=1"
    assert "13500005555" in mine.get("/account").text


def test_no_other_kind_of_contact(mine):
    assert mine.get("/account/contact/fax").status_code == 404
    assert mine.post("/account/contact/fax").status_code == 404


def test_another_password(mine, app, someone):
    there = signed_in(app.test_client(), someone)
    page = "/account/password"
    assert (
        send(mine, page, password="wrong password", new_password="phrase 77 yes").status_code == 422
    )
    assert send(mine, page, password=PASSWORD, new_password=f"x{MOBILE}").status_code == 422
    assert send(mine, page, password=PASSWORD, new_password="phrase 77 yes").status_code == 303
    assert mine.get("/account").status_code == 200
    assert there.get("/account").status_code == 303


def test_sessions_are_listed_and_ended(mine, app, someone):
    there = signed_in(app.test_client(), someone)
    stranger = signed_in(app.test_client(), people.person())
    page = mine.get("/account/sessions")
    assert page.text.count("Firefox · Linux") == 3  # two rows, and the words of a button
    ends = re.findall(r'action="(/account/sessions/\d+/end)"', page.text)
    assert len(ends) == 1
    assert send(stranger, "/account/sessions", ends[0]).status_code == 404
    assert send(mine, "/account/sessions", ends[0]).status_code == 303
    assert there.get("/account").status_code == 303
    assert mine.get("/account").status_code == 200


def test_signing_out_everywhere_but_here(mine, app, someone):
    others = [signed_in(app.test_client(), someone) for _number in range(2)]
    assert send(mine, "/account/sessions", "/account/sessions").status_code == 303
    assert [one.get("/account").status_code for one in others] == [303, 303]
    assert mine.get("/account").status_code == 200


def test_export_is_a_file_of_ones_own_data(mine):
    answer = mine.get("/account/export")
    assert answer.mimetype == "application/json"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.json["账号"]["手机号"] == MOBILE
    assert answer.json["角色"][0]["单位"] == "甲单位"
    assert {"发出的咨询", "填写的成果与需求", "来电与代录", "批量导入", "消息"} <= set(answer.json)


def set_up(client):
    page = client.get("/account/second-factor")
    secret = re.search(r'class="secret">([^<]+)<', page.text)[1].replace(" ", "")
    typed = {"secret": value_of(page, "secret"), "code": pyotp.TOTP(secret).at(clock.now())}
    answer = client.post(
        "/account/second-factor",
        data={"csrf_token": token_of(page), "password": PASSWORD, **typed},
    )
    return secret, answer


def test_the_second_factor_is_set_up_and_its_codes_shown_once(mine):
    page = mine.get("/account/second-factor")
    assert 'src="data:image/svg+xml' in page.text
    secret, answer = set_up(mine)
    assert answer.headers["Location"] == "/account/second-factor/codes"
    shown = mine.get("/account/second-factor/codes").text
    codes = re.findall(r"<code>([0-9A-Z]{5}-[0-9A-Z]{5})</code>", shown)
    assert len(set(codes)) == 10
    assert secret not in shown
    assert mine.get("/account/second-factor/codes").status_code == 303
    assert "还有 10 个恢复码" in mine.get("/account/second-factor").text


def test_a_wrong_code_keeps_the_same_secret(mine):
    page = mine.get("/account/second-factor")
    secret = re.search(r'class="secret">([^<]+)<', page.text)[1]
    typed = {"csrf_token": token_of(page), "secret": value_of(page, "secret")}
    refused = mine.post(
        "/account/second-factor", data={**typed, "code": "000000", "password": PASSWORD}
    )
    assert refused.status_code == 422
    assert secret in refused.text
    assert value_of(refused, "code") == "000000"


def test_the_second_factor_can_be_turned_off(mine, someone):
    set_up(mine)
    page, off = "/account/second-factor", "/account/second-factor/off"
    assert send(mine, page, off, password="wrong password").status_code == 422
    assert send(mine, page, off, password=PASSWORD).status_code == 303
    assert again(someone).totp_at is None


def test_roles_that_need_it_wait_and_then_count(mine, app, someone):
    grant(someone.id, "county", None, people.region("511402").id)
    page = mine.get("/account")
    assert "两步验证后生效" in page.text
    assert "现在完成两步验证" in page.text
    with time_machine.travel("2026-11-27T01:00:00Z", tick=False) as now:
        signed_in(mine, someone)
        secret, _answer = set_up(mine)
        assert "两步验证后生效" not in mine.get("/account").text
        page = "/account/second-factor"
        assert "不能关闭" in mine.get(page).text
        refused = send(mine, page, "/account/second-factor/off", password=PASSWORD)
        assert refused.status_code == 409
        now.shift(60)
        later = signed_in(app.test_client(), someone)
        assert "两步验证后生效" in later.get("/account").text
        confirm = "/account/second-factor/confirm"
        assert send(later, page, confirm, code="000000").status_code == 422
        right = pyotp.TOTP(secret).at(clock.now())
        assert send(later, page, confirm, code=right).status_code == 303
        assert "两步验证后生效" not in later.get("/account").text


def test_a_token_is_made_shown_once_and_revoked(mine, own):
    asked = {"organisation": own, "label": "成果同步", "role": "viewer", "days": "30"}
    refused = send(mine, "/account/tokens", **asked)
    assert refused.status_code == 422
    assert value_of(refused, "label") == "成果同步"
    answer = send(mine, "/account/tokens", **asked, scopes="accounts:token")
    assert answer.headers["Location"] == "/account/tokens/new"
    word = re.search(r'class="secret">([\w-]{43})<', mine.get("/account/tokens/new").text)[1]
    assert mine.get("/account/tokens/new").status_code == 303
    page = mine.get("/account/tokens")
    assert word not in page.text
    bearer = {"Authorization": f"Bearer {word}"}
    api = mine.application.test_client()
    assert api.get("/api/v1/me", headers=bearer).json["organisation"] == "甲单位"
    revoke = re.search(r'action="(/account/tokens/\d+/revoke)"', page.text)[1]
    assert send(mine, "/account/tokens", revoke).status_code == 303
    assert api.get("/api/v1/me", headers=bearer).status_code == 401
    assert "已撤销" in mine.get("/account/tokens").text


def test_wrong_tokens_keep_what_was_chosen(mine, own):
    typed = {"organisation": own, "label": "同步", "role": "viewer", "days": "400"}
    refused = send(mine, "/account/tokens", **typed, scopes="accounts:token")
    assert refused.status_code == 422
    assert value_of(refused, "days") == "400"
    checked = [
        one.get("value")
        for one in check_html(refused.text).iter("input")
        if one.get("checked") is not None
    ]
    assert sorted(checked) == ["accounts:token", "viewer"]


def test_a_token_for_a_foreign_organisation_is_refused(mine):
    other = people.organisation("乙单位")
    typed = {"organisation": other, "label": "同步", "role": "viewer", "days": "30"}
    assert send(mine, "/account/tokens", **typed, scopes="accounts:token").status_code == 403


def test_who_is_no_member_has_no_tokens_page(app, client):
    people.sign_in(client, people.person())
    assert client.get("/account/tokens").status_code == 403


def test_closing_the_account(mine, someone, own):
    page = "/account/close"
    assert send(mine, page, password="wrong password").status_code == 422
    colleague = people.person(("viewer", own))
    refused = send(mine, page, password=PASSWORD)
    assert refused.status_code == 409
    assert "甲单位" in refused.text
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.get(Person, colleague.id).state = "suspended"
    answer = send(mine, page, password=PASSWORD)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert mine.get("/account").status_code == 303
    assert again(someone).state == "closed"
    db.session.rollback()
    open_ones = (LoginSession.person_id == someone.id) & LoginSession.ended_at.is_(None)
    assert db.session.scalar(select(func.count()).where(open_ones)) == 0


def test_names_are_shown_as_text(mine):
    answer = send(mine, "/account", name="<script>alert(1)</script>", language="zh")
    assert "<script>alert" not in mine.get(answer.headers["Location"]).text


def test_reading_pages_writes_nothing(mine):
    from sqlalchemy import event

    seen = []

    def note(_connection, _cursor, statement, *_more):
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        for address in PAGES:
            seen.clear()
            mine.get(address)
            writes = [one for one in seen if one.startswith(("INSERT", "UPDATE", "DELETE"))]
            assert writes == []
            assert len(seen) < 20, (address, seen)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
