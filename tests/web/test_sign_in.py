"""Registering, signing in and out, a new password and kept forms, as a browser without scripts."""

from __future__ import annotations

import re

import pyotp
import pytest
import time_machine
from sqlalchemy import func, select

from market.accounts.people import registering, rules, second_factor, sessions
from market.accounts.people.models import LoginSession, Person
from market.app import create_app
from market.core import clock
from market.core.db import db
from market.core.models import OutboxRow
from market.core.permissions import SYSTEM, Actor
from market.core.unit_of_work import unit_of_work
from tests import people
from tests.conftest import let_go
from tests.messages import values_of
from tests.people import token_of
from tests.web.conftest import ParsingClient, check_html

PASSWORD = "清风 明月 七十二峰"
MOBILE = "13800001234"


@pytest.fixture(scope="module")
def kept_hash():
    from pwdlib import PasswordHash

    return PasswordHash.recommended().hash(PASSWORD)


@pytest.fixture
def someone(app, kept_hash):
    """A person who signs in with MOBILE and PASSWORD."""
    with app.test_request_context(), unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        person = registering.add_person("李四", rules.Contact("mobile", MOBILE), kept_hash)
    return db.session.get(Person, person.id)


def send(client, address, **typed):
    return client.post(address, data={"csrf_token": token_of(client.get(address)), **typed})


def sign_in(client, address="/login", account=MOBILE, password=PASSWORD, **more):
    return send(client, address, account=account, password=password, **more)


def code():
    db.session.rollback()
    rows = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "person.code"))
    return values_of(list(rows)[-1])["code"]


def value_of(page, name):
    return check_html(page.text).find(f".//*[@name='{name}']").get("value")


def cookie_of(response, name=sessions.COOKIE):
    found = [one for one in response.headers.getlist("Set-Cookie") if one.startswith(f"{name}=")]
    return found[-1] if found else ""


def is_signed_in(client):
    db.session.rollback()
    return client.get("/account").status_code == 200


# Registering


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_registering_in_two_steps_ends_signed_in(client, prefix):
    address = f"{prefix}/register"
    typed = {"name": "李四", "contact": "138 0000 1234", "password": PASSWORD}
    answer = send(client, address, **typed)
    assert answer.headers["Location"] == address
    page = client.get(address)
    assert "138****1234" in page.text
    assert MOBILE not in page.text
    answer = send(client, address, step="code", code=code())
    assert answer.headers["Location"] == "/my/organisation"
    assert is_signed_in(client)
    assert db.session.scalars(select(Person)).one().language == ("en" if prefix else "zh")


def test_mistakes_keep_what_was_typed_but_the_password(client):
    answer = send(client, "/register", name="李", contact="1380000", password="short")
    assert answer.status_code == 422
    assert (value_of(answer, "name"), value_of(answer, "contact")) == ("李", "1380000")
    assert value_of(answer, "password") == ""
    tree = check_html(answer.text)
    links = {one.get("href") for one in tree.find(".//div[@class='error-summary']").iter("a")}
    assert links == {"#name", "#contact", "#password"}


def test_going_back_from_the_code_keeps_name_and_contact(client):
    send(client, "/register", name="李四", contact=MOBILE, password=PASSWORD)
    page = client.get("/register?again=1")
    assert (value_of(page, "name"), value_of(page, "contact")) == ("李四", MOBILE)


def test_a_wrong_code_stays_in_the_field(client):
    send(client, "/register", name="李四", contact=MOBILE, password=PASSWORD)
    bad = f"{(int(code()) + 1) % 10**6:06d}"
    answer = send(client, "/register", step="code", code=bad)
    assert answer.status_code == 422
    assert value_of(answer, "code") == bad
    assert "还可以试 4 次" in answer.text
    assert send(client, "/register", step="code", code=code()).status_code == 303


def test_another_code_can_be_asked_for_after_a_minute(client):
    with time_machine.travel("2026-11-20T01:00:00Z", tick=False) as now:
        send(client, "/register", name="李四", contact=MOBILE, password=PASSWORD)
        early = send(client, "/register", step="again")
        assert early.status_code == 429
        assert int(early.headers["Retry-After"]) > 0
        now.shift(61)
        assert send(client, "/register", step="again").status_code == 303
        assert send(client, "/register", step="code", code=code()).status_code == 303


def test_a_code_of_another_browser_opens_nothing(client, app):
    send(client, "/register", name="李四", contact=MOBILE, password=PASSWORD)
    stranger = app.test_client()
    answer = send(stranger, "/register", name="王五", contact="13700001111", password=PASSWORD)
    own = code()
    assert answer.status_code == 303
    assert send(client, "/register", step="code", code=own).status_code == 422


def test_registering_does_not_tell_who_has_an_account(client, app, someone):
    pages = []
    for contact in (MOBILE, "13700001111"):
        browser = app.test_client()
        answer = send(browser, "/register", name="王五", contact=contact, password=PASSWORD)
        page = browser.get("/register")
        refused = send(browser, "/register", step="code", code="000000")
        said = "".join(one.text for one in (answer, page, refused))
        said = re.sub(r"1\d\d\*{4}\d{4}", "", said)
        said = re.sub(r'(name="(?:csrf_token|once)" value)="[^"]*"', r"\1", said)
        pages.append((answer.status_code, page.status_code, refused.status_code, said))
    assert pages[0] == pages[1]


# Signing in


def test_the_cookie_is_for_this_site_alone(client, someone):
    answer = sign_in(client)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/start"
    said = cookie_of(answer)
    assert "HttpOnly" in said
    assert "SameSite=Lax" in said
    assert "Path=/" in said
    assert "Secure" not in said  # on loopback without https
    assert is_signed_in(client)


def test_on_an_https_site_the_cookie_is_secure(store, prepared, tmp_path, kept_hash):
    settings = store.clone(
        prepared, tmp_path / "https", MARKET_BASE_URL="https://market.example.cn"
    )
    app = create_app(settings)
    with app.app_context():
        with app.test_request_context(), unit_of_work(SYSTEM) as work:
            work.require(people.MAKE)
            registering.add_person("李四", rules.Contact("mobile", MOBILE), kept_hash)
        client = app.test_client()
        base = "https://market.example.cn"
        form = client.get("/login", base_url=base)
        typed = {"csrf_token": token_of(form), "account": MOBILE, "password": PASSWORD}
        answer = client.post("/login", data=typed, base_url=base)
        assert "Secure" in cookie_of(answer)
        let_go(app)


def test_signing_in_gives_a_new_session_and_ends_the_old(client, someone):
    client.set_cookie(sessions.COOKIE, "a-word-that-somebody-planted-here")
    first = cookie_of(sign_in(client))
    assert "planted" not in first
    second = cookie_of(sign_in(client))
    assert first.split(";")[0] != second.split(";")[0]
    db.session.rollback()
    open_ones = (
        select(func.count()).select_from(LoginSession).where(LoginSession.ended_at.is_(None))
    )
    assert db.session.scalar(open_ones) == 1


@pytest.mark.parametrize(
    "typed", [{"password": "wrong password"}, {"account": "13700009999"}, {"account": "<b>x</b>"}]
)
def test_what_does_not_fit_says_the_same_and_keeps_the_account(client, someone, typed):
    answer = sign_in(client, **typed)
    assert answer.status_code == 422
    assert answer.text.count("账号或密码不对") == 2  # above and beside
    assert value_of(answer, "account") == typed.get("account", MOBILE)
    assert value_of(answer, "password") == ""
    assert not cookie_of(answer)


def test_too_many_attempts_are_told_how_long_to_wait(client, someone):
    for _number in range(3):
        assert sign_in(client, password="wrong password").status_code == 422
    answer = sign_in(client)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 6
    assert "秒再试" in answer.text
    assert value_of(answer, "account") == MOBILE


def test_without_a_good_token_nobody_is_signed_in(client, someone):
    client.get("/login")
    for given in ("", "wrong"):
        typed = {"csrf_token": given, "account": MOBILE, "password": PASSWORD}
        answer = client.post("/login", data=typed)
        assert answer.status_code == 400
        assert not cookie_of(answer)
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        ("/my/listings?page=2", "/my/listings?page=2"),
        ("https://evil.example/", "/start"),
        ("//evil.example", "/start"),
        ("/\\evil.example", "/start"),
        ("javascript:alert(1)", "/start"),
    ],
)
def test_next_leads_only_within_this_site(client, someone, asked, target):
    page = client.get("/login", query_string={"next": asked})
    typed = {"csrf_token": token_of(page), "account": MOBILE, "password": PASSWORD, "next": asked}
    assert client.post("/login", data=typed).headers["Location"] == target


def test_a_suspended_account_is_told_so_only_with_the_right_password(client, someone):
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.get(Person, someone.id).state = "suspended"
    answer = sign_in(client)
    assert answer.status_code == 403
    assert "已停用" in answer.text
    assert "已停用" not in sign_in(client, password="wrong password").text


def test_signing_out_ends_the_session(client, someone):
    sign_in(client)
    assert client.post("/logout").status_code == 409
    assert is_signed_in(client)
    answer = client.post("/logout", data={"csrf_token": token_of(client.get("/account"))})
    assert answer.status_code == 303
    assert "Max-Age=0" in cookie_of(answer)
    assert not is_signed_in(client)
    db.session.rollback()
    assert db.session.scalars(select(LoginSession)).one().ended_at is not None


def test_a_stolen_cookie_opens_nothing_after_signing_out(client, app, someone):
    word = cookie_of(sign_in(client)).split(";")[0].partition("=")[2]
    thief = app.test_client()
    thief.set_cookie(sessions.COOKIE, word)
    assert is_signed_in(thief)
    client.post("/logout", data={"csrf_token": token_of(client.get("/account"))})
    assert not is_signed_in(thief)


# The second factor


@pytest.fixture
def secret(app, someone):
    """The second factor of the person, set up."""
    with app.test_request_context(), time_machine.travel("2026-11-20T00:00:00Z", tick=False):
        actor = Actor("person", "李四", someone.id)
        made = second_factor.set_up(actor, "市场")
        shown = pyotp.TOTP(made.secret).at(clock.now())
        second_factor.turn_on(actor, made.sealed, shown, PASSWORD)
    return made.secret


def test_the_second_step_carries_where_to_go(client, someone, secret):
    answer = sign_in(client, "/login?next=/my/listings", next="/my/listings")
    assert answer.headers["Location"] == "/login?next=%2Fmy%2Flistings"
    assert not cookie_of(answer)
    assert not is_signed_in(client)
    page = client.get(answer.headers["Location"])
    assert "两步验证" in page.text
    typed = {"csrf_token": token_of(page), "step": "code", "next": value_of(page, "next")}
    refused = client.post("/login", data={**typed, "code": "000000"})
    assert refused.status_code == 422
    typed["csrf_token"] = token_of(refused)
    answer = client.post("/login", data={**typed, "code": pyotp.TOTP(secret).now()})
    assert answer.headers["Location"] == "/my/listings"
    assert is_signed_in(client)


def test_the_second_step_belongs_to_the_browser_that_gave_the_password(client, app, secret):
    sign_in(client)
    stranger = app.test_client()
    typed = {"csrf_token": token_of(stranger.get("/login")), "step": "code"}
    answer = stranger.post("/login", data={**typed, "code": pyotp.TOTP(secret).now()})
    assert answer.status_code == 409
    assert not is_signed_in(stranger)


# A new password


@pytest.mark.parametrize("contact", [MOBILE, "13700009999"])
def test_the_page_for_a_new_password_does_not_tell_who_has_an_account(client, someone, contact):
    answer = send(client, "/password", contact=contact)
    assert answer.headers["Location"] == "/password"
    page = client.get("/password")
    assert rules.read_contact(contact).value[-4:] in page.text
    assert "如果" in page.text


def test_a_new_password_by_code_once(client, someone):
    sign_in(client)
    browser = client.application.test_client()
    send(browser, "/password", contact=MOBILE)
    own = code()
    weak = send(browser, "/password", step="code", code=own, password="1234567890")
    assert weak.status_code == 422
    assert value_of(weak, "code") == own
    answer = send(browser, "/password", step="code", code=own, password="another phrase 77")
    assert answer.headers["Location"] == "/login?reset=1"
    assert "新密码已设好" in browser.get("/login?reset=1").text
    assert not is_signed_in(client)
    typed = {"csrf_token": token_of(browser.get("/password")), "step": "code"}
    again = browser.post("/password", data={**typed, "code": own, "password": "third phrase 888"})
    assert again.status_code == 422
    assert sign_in(browser, password="another phrase 77").status_code == 303


# A form that came after its session had ended


def test_a_form_sent_after_the_session_ended_comes_back_with_all_in_it(client, someone):
    sign_in(client)
    old = token_of(client.get("/account"))
    client.delete_cookie(sessions.COOKIE)
    typed = {"csrf_token": old, "name": '欧阳 "七"<b>', "language": "en"}
    refused = client.post("/account", data=typed)
    assert refused.status_code == 303
    address = refused.headers["Location"]
    assert address.startswith("/login?kept=")
    key = address.partition("kept=")[2]
    page = client.get(address)
    assert "登录后接着办" in page.text
    answer = sign_in(client, address, kept=key)
    assert answer.headers["Location"] == f"/kept/{key}"
    kept = check_html(client.get(f"/kept/{key}").text)
    form = next(one for one in kept.iter("form") if one.get("action") == "/account")
    fields = {one.get("name"): one.get("value") for one in form.iter("input")}
    assert fields == {"name": '欧阳 "七"<b>', "language": "en"}
    back = client.post("/account", data=fields)
    assert back.status_code == 400
    assert value_of(back, "name") == '欧阳 "七"<b>'
    db.session.rollback()
    assert db.session.get(Person, someone.id).name == "李四"
    sent = {**fields, "csrf_token": token_of(back)}
    assert client.post("/account", data=sent).headers["Location"] == "/account?saved=1"
    db.session.rollback()
    assert db.session.get(Person, someone.id).name == '欧阳 "七"<b>'


def test_a_kept_form_needs_its_key_and_a_session(client, someone):
    assert client.get("/kept/whatever").headers["Location"].startswith("/login")
    sign_in(client)
    assert client.get("/kept/whatever").status_code == 404


def test_passwords_are_not_kept(client, someone):
    sign_in(client)
    client.delete_cookie(sessions.COOKIE)
    typed = {"password": PASSWORD, "new_password": "another phrase 77"}
    answer = client.post("/account/password", data=typed)
    assert "kept=" not in answer.headers["Location"]


def test_the_demonstration_site_says_where_codes_lie(visitor):
    send(visitor, "/register", name="李四", contact=MOBILE, password=PASSWORD)
    assert "outbox 文件夹" in visitor.get("/register").text


@pytest.mark.parametrize(
    "typed",
    [
        {"account": "\x00", "password": "\x00\x01"},
        {"account": "a" * 100_000, "password": "b" * 100_000},
        {"account": ["a", "b"], "password": ["c", "d"]},
        {"step": "code", "code": "١٢٣٤٥٦"},
        {"step": "code"},
        {"step": "x"},
    ],
)
def test_anything_sent_gives_a_page(client, typed):
    client.application.test_client_class = ParsingClient
    for address in ("/login", "/register", "/password"):
        answer = send(client, address, **typed)
        assert answer.status_code in {303, 403, 409, 422}
