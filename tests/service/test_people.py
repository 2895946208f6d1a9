"""Accounts: registering, signing in, codes, one's own data, closing, unmasking, suspending."""

from __future__ import annotations

import json
import threading

import pytest
import time_machine
from sqlalchemy import func, select

from market.accounts.people import (
    codes,
    passwords,
    person_values,
    queries,
    registering,
    rules,
    service,
    sessions,
    signing_in,
)
from market.accounts.people.models import LoginSession, OneTimeCode, Person, RoleGrant
from market.core import clock, masking
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound, TooMany
from market.core.models import AuditEntry, OutboxRow
from market.core.permissions import PUBLIC, SYSTEM, Actor
from market.core.secrets import unseal
from market.core.unit_of_work import unit_of_work
from tests import people
from tests.messages import values_of

PASSWORD = "清风 明月 七十二峰"
OTHER = "another long phrase 9"


@pytest.fixture(scope="module")
def kept_hash():
    from pwdlib import PasswordHash

    return PasswordHash.recommended().hash(PASSWORD)


@pytest.fixture
def asked(app):
    with app.test_request_context(headers={"User-Agent": "Firefox/140 Linux"}):
        yield


@pytest.fixture
def someone(asked, kept_hash):
    return people.person(password_hash=kept_hash)


def mobile_of(person):
    return unseal(person.mobile, "person.mobile")


def signed_in(person):
    """The person as an actor with a session."""
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        word = sessions.open_session(work, db.session.get_one(Person, person.id))
    key = db.session.scalar(
        select(LoginSession.id).where(LoginSession.token_hash == sessions.hashed(word))
    )
    return Actor("person", "张三", person.id, sessions.grants_of(person.id), session_id=key)


def open_sessions(person_id):
    db.session.rollback()
    mine = (LoginSession.person_id == person_id) & LoginSession.ended_at.is_(None)
    return db.session.scalar(select(func.count()).select_from(LoginSession).where(mine))


def messages(kind=None):
    db.session.rollback()
    rows = db.session.scalars(select(OutboxRow).where(OutboxRow.consumer == "notify"))
    return [row for row in rows if kind is None or row.kind == kind]


def last_code():
    return values_of(messages("person.code")[-1])["code"]


def wrong(code):
    return f"{(int(code) + 1) % 10**6:06d}"


def entries(action=None):
    db.session.rollback()
    query = select(AuditEntry).where(AuditEntry.object_kind == "person").order_by(AuditEntry.id)
    return [one for one in db.session.scalars(query) if action is None or one.action == action]


def register(contact="13800001234", name="李四"):
    values = {"name": name, "contact": rules.read_contact(contact), "password": PASSWORD}
    return registering.begin(values, network="198.51.100.7")


# Rules


@pytest.mark.parametrize(
    ("typed", "kind", "value"),
    [
        ("138 0000 1234", "mobile", "13800001234"),
        ("+86-13800001234", "mobile", "13800001234"),
        ("１３８００００１２３４", "mobile", "13800001234"),
        (" Anna@Example.CN ", "email", "anna@example.cn"),
    ],
)
def test_contacts_are_read_as_people_type_them(typed, kind, value):
    assert rules.read_contact(typed) == rules.Contact(kind, value)


@pytest.mark.parametrize("typed", ["", "028-38160000", "12345678901", "a@b", "a b@c.cn", "@x.cn"])
def test_what_is_no_contact_is_refused(typed):
    assert rules.read_contact(typed) is None


@pytest.mark.parametrize(
    "typed", ["Password-123", "1234567890", "abababababab", "23456789ab"[:8] * 2]
)
def test_common_passwords_are_known(typed):
    known = {"Password-123", "1234567890", "abababababab"}
    assert rules.is_common(typed) is (typed in known)


def test_a_password_may_not_hold_the_account():
    assert rules.holds_account("x13800001234y", "13800001234")
    assert rules.holds_account("wang.Li-2026!", "wangli@x.cn")
    assert not rules.holds_account(PASSWORD, "13800001234", "李四")


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/a\nb",
        "/\tevil",
        "evil",
        "",
        "/login",
        "/en/logout",
    ],
)
def test_only_paths_of_this_site_are_gone_to(address):
    assert rules.safe_next(address) is None


def test_a_path_of_this_site_is_gone_to():
    assert rules.safe_next("/my/listings?page=2") == "/my/listings?page=2"


def test_masks():
    assert masking.mask_name("张三") == "张*"
    assert masking.mask_telephone("13812341234") == "138****1234"
    assert masking.mask_email("anna@x.cn") == "a***@x.cn"
    assert masking.mask_id("51010219800101123X") == "510***********123X"
    assert masking.mask_account("6222020200112233445") == "****3445"
    assert masking.mask_contact("13812341234") == "138****1234"


# Registering


def test_registering_takes_a_code_and_ends_signed_in(asked):
    step = register()
    assert registering.pending(step) == registering.Pending("李四", "13800001234")
    word = registering.finish(step, last_code())
    person = db.session.scalars(select(Person)).one()
    assert (person.name, mobile_of(person), person.state) == ("李四", "13800001234", "active")
    session = db.session.scalars(select(LoginSession)).one()
    assert session.token_hash == sessions.hashed(word)
    [entry] = entries()
    assert "13800001234" not in json.dumps([entry.before, entry.after])
    assert person_values.read_for(person, entry.after)["mobile"] == "13800001234"


def test_nothing_of_the_password_or_contact_stands_in_the_tables_of_codes(asked):
    step = register()
    row = db.session.get(OneTimeCode, step)
    said = json.dumps(row.subject) + row.who + row.code_hash
    assert PASSWORD not in said
    assert "13800001234" not in said
    assert last_code() not in said


def test_a_code_is_good_once_and_for_five_tries(asked):
    step = register()
    code = last_code()
    for left in (4, 3, 2, 1):
        with pytest.raises(Invalid) as refused:
            registering.finish(step, wrong(code))
        assert f"还可以试 {left} 次" in refused.value.fields["code"][0]
    with pytest.raises(Invalid):
        registering.finish(step, wrong(code))
    with pytest.raises(Invalid) as refused:
        registering.finish(step, code)
    assert "失效" in refused.value.fields["code"][0]
    assert db.session.scalar(select(func.count()).select_from(Person)) == 0


def test_a_code_lasts_ten_minutes(asked):
    with time_machine.travel("2026-11-20T01:00:00Z", tick=False) as now:
        step = register()
        code = last_code()
        now.shift(601)
        with pytest.raises(Invalid):
            registering.finish(step, code)


def test_codes_are_limited_for_each_contact_and_network(asked):
    with time_machine.travel("2026-11-20T01:00:00Z", tick=False) as now:
        register()
        with pytest.raises(TooMany) as refused:
            register()
        assert refused.value.retry_after == 60
        for _number in range(4):
            now.shift(61)
            register()
        now.shift(61)
        with pytest.raises(TooMany, match="5 次"):
            register()
        for number in range(15):
            register(f"1390000{number:04d}")
        with pytest.raises(TooMany, match="这个网络"):
            register("13700001111")


def test_another_code_takes_the_place_of_the_first(asked):
    with time_machine.travel("2026-11-20T01:00:00Z", tick=False) as now:
        step = register()
        first = last_code()
        now.shift(61)
        again = registering.send_again(step, "register", network="198.51.100.7")
        assert again != step
        with pytest.raises(Invalid):
            registering.finish(step, first)
        assert registering.finish(again, last_code())


def test_a_known_contact_behaves_alike_and_is_told_so(someone):
    step = register(mobile_of(someone))
    assert registering.pending(step) is not None
    assert [row.kind for row in messages()] == ["person.known"]
    assert messages()[0].payload["values"] == {}
    with pytest.raises(Invalid) as refused:
        registering.finish(step, "123456")
    assert "还可以试 4 次" in refused.value.fields["code"][0]


def test_of_two_registrations_of_one_contact_one_wins(asked):
    with time_machine.travel("2026-11-20T01:00:00Z", tick=False) as now:
        first = register()
        code = last_code()
        now.shift(61)
        second = register()
        registering.finish(second, last_code())
        with pytest.raises(Conflict):
            registering.finish(first, code)


# Signing in


def test_signing_in_opens_a_session_and_is_in_the_audit(someone):
    outcome = signing_in.sign_in(mobile_of(someone), PASSWORD, network="198.51.100.7")
    assert outcome.word
    assert outcome.waiting is None
    assert open_sessions(someone.id) == 1
    [entry] = entries()
    assert (entry.action, entry.actor_id) == ("person.signed_in", someone.id)


def test_the_earlier_session_of_the_browser_ends(someone):
    actor = signed_in(someone)
    signing_in.sign_in(
        mobile_of(someone), PASSWORD, network="198.51.100.7", session_id=actor.session_id
    )
    assert open_sessions(someone.id) == 1
    assert db.session.get(LoginSession, actor.session_id).ended_at is not None


def attempt(account, password="wrong password"):
    try:
        signing_in.sign_in(account, password, network="198.51.100.7")
    except (Invalid, TooMany, Denied) as error:
        return type(error).__name__, error.message, getattr(error, "fields", None)
    return "signed in", "", None


def test_an_unknown_account_answers_and_works_alike(someone, monkeypatch):
    hashes = []
    real = passwords._hasher().verify_and_update

    def verify(password, kept):
        hashes.append(kept)
        return real(password, kept)

    monkeypatch.setattr(passwords._hasher(), "verify_and_update", verify)
    own = mobile_of(someone)
    with time_machine.travel("2026-11-20T01:00:00Z", tick=False):
        known = [attempt(own) for _number in range(5)]
        unknown = [attempt("13700009999") for _number in range(5)]
        nonsense = [attempt("nobody at all") for _number in range(5)]
    assert known == unknown == nonsense
    assert known[0][0] == "Invalid"
    assert known[4][0] == "TooMany"
    assert len(hashes) == 9  # three attempts each before they are slowed
    assert all(kept.startswith("$argon2") for kept in hashes)


def test_failures_are_in_the_audit_without_password_and_account(someone):
    attempt(mobile_of(someone))
    attempt("13700009999")
    found = entries("person.sign_in_failed")
    assert [entry.object_id for entry in found] == [someone.id, 0]
    said = json.dumps([entry.after for entry in found])
    assert "wrong password" not in said
    assert mobile_of(someone) not in said
    assert "13700009999" not in said


def test_a_thousand_attempts_are_slowed_then_locked(someone, monkeypatch):
    monkeypatch.setattr(signing_in, "verify", lambda _password, _kept: (False, None))
    own = mobile_of(someone)
    with time_machine.travel("2026-11-20T01:00:00Z", tick=False) as now:
        answers = []
        for _second in range(1000):
            answers.append(attempt(own)[0])
            now.shift(1)
        assert answers.count("Invalid") <= 10
        assert answers.count("TooMany") >= 990
        with pytest.raises(TooMany) as refused:
            signing_in.sign_in(own, PASSWORD, network="203.0.113.9")
        assert refused.value.retry_after > 600
        monkeypatch.undo()
        now.shift(3601)
        assert attempt(own, PASSWORD)[0] == "signed in"


def test_one_network_trying_many_accounts_is_slowed(asked, monkeypatch):
    monkeypatch.setattr(signing_in, "verify", lambda _password, _kept: (False, None))
    with time_machine.travel("2026-11-20T01:00:00Z", tick=False) as now:
        answers = []
        for number in range(1000):
            answers.append(attempt(f"1370000{number:04d}")[0])
            now.shift(1)
    assert 100 <= answers.count("Invalid") + 1 <= 140
    assert answers[-1] == "TooMany"


def test_many_attempts_at_the_same_moment_count_too(app, someone, monkeypatch):
    tried, answers, start = [], [], threading.Barrier(8)
    monkeypatch.setattr(signing_in, "verify", lambda *_both: (tried.append(1), (False, None))[1])
    own = mobile_of(someone)

    def guess():
        with app.test_request_context():
            start.wait()
            answers.append(attempt(own)[0])

    threads = [threading.Thread(target=guess) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["Invalid"] * 3 + ["TooMany"] * 5
    assert len(tried) == 3


def test_a_right_password_forgets_the_failures(someone):
    own = mobile_of(someone)
    for _round in range(3):
        assert [attempt(own)[0] for _number in range(2)] == ["Invalid"] * 2
        assert attempt(own, PASSWORD)[0] == "signed in"


def test_an_old_hash_is_renewed(asked, kept_hash):
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    old = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8192),)).hash(PASSWORD)
    person = people.person(password_hash=old)
    assert attempt(mobile_of(person), PASSWORD)[0] == "signed in"
    db.session.expire_all()
    renewed = db.session.get(Person, person.id).password_hash
    assert renewed != old
    assert "m=65536" in renewed


def test_no_password_is_hashed_inside_a_unit_of_work(app):
    with pytest.raises(RuntimeError, match="write lock"), unit_of_work(SYSTEM):
        passwords.hash_password(PASSWORD)


def test_a_suspended_person_is_out_at_once_and_cannot_return(someone):
    signed_in(someone)
    admin = people.actor(("system_admin",))
    with pytest.raises(Invalid):
        service.suspend(admin, someone.id, " ")
    service.suspend(admin, someone.id, "账号被盗用")
    assert open_sessions(someone.id) == 0
    assert attempt(mobile_of(someone), PASSWORD)[0] == "Denied"
    assert attempt(mobile_of(someone))[0] == "Invalid"
    with pytest.raises(Conflict):
        service.suspend(admin, someone.id, "账号被盗用")
    service.resume(admin, someone.id, "本人已确认")
    assert attempt(mobile_of(someone), PASSWORD)[0] == "signed in"


def test_only_the_system_administrator_suspends(someone):
    own = people.organisation()
    for other in (
        people.actor(("owner", own)),
        people.actor(("county", None, "511402")),
        people.actor(("security_admin",)),
        people.actor(("audit_admin",)),
        PUBLIC,
    ):
        with pytest.raises(Denied):
            service.suspend(other, someone.id, "没有理由")
    admin = people.actor(("system_admin",))
    with pytest.raises(Conflict):
        service.suspend(admin, admin.id, "停用自己")


# A new password


def test_a_reset_code_is_good_once_and_ends_all_sessions(someone):
    signed_in(someone)
    contact = rules.read_contact(mobile_of(someone))
    step = registering.begin_reset(contact, network="198.51.100.7")
    code = last_code()
    registering.finish_reset(step, code, OTHER)
    assert open_sessions(someone.id) == 0
    assert attempt(mobile_of(someone), OTHER)[0] == "signed in"
    assert attempt(mobile_of(someone), PASSWORD)[0] == "Invalid"
    with pytest.raises(Invalid):
        registering.finish_reset(step, code, "yet another phrase 1")
    assert attempt(mobile_of(someone), OTHER)[0] == "signed in"
    assert [row.kind for row in messages()] == ["person.code", "person.password"]


def test_resetting_tells_nothing_about_unknown_contacts(asked):
    step = registering.begin_reset(rules.Contact("email", "no@body.cn"), network="198.51.100.7")
    assert messages() == []
    assert registering.resetting(step) == "no@body.cn"
    with pytest.raises(Invalid) as refused:
        registering.finish_reset(step, "123456", OTHER)
    assert "还可以试 4 次" in refused.value.fields["code"][0]


def test_nothing_is_hashed_for_who_began_nothing(asked, monkeypatch):
    monkeypatch.setattr(registering, "hash_password", lambda _password: pytest.fail("hashed"))
    for step in (None, 999):
        with pytest.raises(Invalid):
            registering.finish_reset(step, "123456", OTHER)


def test_a_reset_lifts_the_lock(someone):
    own = mobile_of(someone)
    for _number in range(4):
        attempt(own)
    assert attempt(own, PASSWORD)[0] == "TooMany"
    step = registering.begin_reset(rules.read_contact(own), network="198.51.100.7")
    registering.finish_reset(step, last_code(), OTHER)
    assert attempt(own, OTHER)[0] == "signed in"


def test_a_code_for_one_purpose_opens_no_other(someone):
    step = registering.begin_reset(rules.read_contact(mobile_of(someone)), network="")
    with pytest.raises(Invalid):
        registering.finish(step, last_code())


def test_of_eight_at_once_one_redeems_the_code(app, someone):
    step = registering.begin_reset(rules.read_contact(mobile_of(someone)), network="")
    code, won = last_code(), []
    start = threading.Barrier(5)

    def redeem():
        with app.app_context():
            start.wait()
            with unit_of_work(SYSTEM) as work:
                work.require(people.MAKE)
                row, _sentence = codes.redeem(work, step, "reset", code)
                won.append(row is not None)

    threads = [threading.Thread(target=redeem) for _number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 4 + [True]


def test_old_codes_are_forgotten(asked):
    with time_machine.travel("2026-11-20T01:00:00Z", tick=False) as now:
        register()
        now.shift(3600)
        codes.forget_old()
        assert db.session.scalar(select(func.count()).select_from(OneTimeCode)) == 1
        now.shift(26 * 3600)
        codes.forget_old()
        assert db.session.scalar(select(func.count()).select_from(OneTimeCode)) == 0


# One's own account


def test_name_and_language_change_with_sealed_values_in_the_audit(someone):
    actor = signed_in(someone)
    service.change_profile(actor, {"name": "王五", "language": "en"})
    person = db.session.get(Person, someone.id)
    assert (person.name, person.language) == ("王五", "en")
    [entry] = entries()
    assert "王五" not in json.dumps([entry.before, entry.after])
    assert person_values.read_for(person, entry.before) == {"name": "张三", "language": "zh"}


def test_changing_the_mobile_number_takes_password_and_code(someone):
    actor, old = signed_in(someone), mobile_of(someone)
    new = rules.Contact("mobile", "13500005555")
    with pytest.raises(Invalid):
        service.begin_contact(actor, new, "wrong password", network="198.51.100.7")
    step = service.begin_contact(actor, new, PASSWORD, network="198.51.100.7")
    with pytest.raises(Invalid):
        service.finish_contact(actor, step, wrong(last_code()))
    service.finish_contact(actor, step, last_code())
    assert attempt("13500005555", PASSWORD)[0] == "signed in"
    assert attempt(old, PASSWORD)[0] == "Invalid"
    told = messages("person.contact")[0]
    assert unseal(told.payload["contact"], "message.contact") == old


def test_a_step_of_somebody_else_changes_nothing(someone, kept_hash):
    actor, other = signed_in(someone), signed_in(people.person(password_hash=kept_hash))
    new = rules.Contact("mobile", "13500005555")
    step = service.begin_contact(actor, new, PASSWORD, network="198.51.100.7")
    with pytest.raises(Invalid):
        service.finish_contact(other, step, last_code())
    assert service.contact_waiting(other, step) is None


def test_the_contact_of_another_account_is_not_taken_nor_betrayed(someone, kept_hash):
    other = people.person(password_hash=kept_hash)
    contact = rules.read_contact(mobile_of(other))
    step = service.begin_contact(signed_in(someone), contact, PASSWORD, network="198.51.100.7")
    assert service.contact_waiting(signed_in(someone), step) == contact
    assert [row.kind for row in messages()] == ["person.known"]


def test_changing_the_password_ends_other_sessions(someone):
    here, there = signed_in(someone), signed_in(someone)
    with pytest.raises(Invalid):
        service.change_password(here, "wrong password", OTHER)
    service.change_password(here, PASSWORD, OTHER)
    assert db.session.get(LoginSession, here.session_id).ended_at is None
    assert db.session.get(LoginSession, there.session_id).ended_at is not None


def test_ones_own_password_cannot_be_guessed_through_an_open_session(someone):
    actor = signed_in(someone)
    for _number in range(10):
        with pytest.raises(Invalid):
            service.change_password(actor, "wrong password", OTHER)
    with pytest.raises(TooMany):
        service.change_password(actor, PASSWORD, OTHER)


def test_only_ones_own_sessions_end(someone):
    mine, other = signed_in(someone), signed_in(people.person())
    with pytest.raises(NotFound):
        service.end_session(mine, other.session_id)
    second = signed_in(someone)
    service.end_session(mine, second.session_id)
    with pytest.raises(NotFound):
        service.end_session(mine, second.session_id)
    signed_in(someone)
    assert service.end_other_sessions(mine) == 1
    assert open_sessions(someone.id) == 1
    assert open_sessions(other.id) == 1


def test_export_holds_ones_own_data_readable(someone):
    actor = signed_in(someone)
    service.change_profile(actor, {"name": "王五", "language": "zh"})
    said = queries.export(actor)
    assert said["账号"]["手机号"] == mobile_of(someone)
    assert said["账号记录"][0]["之后"] == {"name": "王五", "language": "zh"}
    assert "password" not in json.dumps(said)


# Closing


def test_closing_erases_and_makes_the_audit_unreadable(someone):
    own = people.organisation()
    actor = signed_in(someone)
    service.change_profile(actor, {"name": "王五", "language": "zh"})
    mobile = mobile_of(someone)
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.add(
            RoleGrant(
                person_id=someone.id,
                role="owner",
                organisation_id=own,
                valid_from=clock.today(),
                granted_at=clock.now(),
                granted_by="测试",
            )
        )
    with pytest.raises(Invalid):
        service.close(actor, "wrong password")
    service.close(actor, PASSWORD)
    db.session.rollback()
    person = db.session.get(Person, someone.id)
    assert (person.state, person.name) == ("closed", service.GONE)
    assert {person.mobile, person.mobile_key, person.password_hash, person.data_key} == {None}
    assert open_sessions(someone.id) == 0
    assert sessions.grants_of(someone.id) == ()
    [entry] = entries("person.changed")
    assert person_values.read_for(person, entry.after) is None
    assert attempt(mobile, PASSWORD)[0] == "Invalid"
    assert registering.finish(register(mobile), last_code())


def test_the_only_owner_with_colleagues_must_hand_over_first(asked, kept_hash):
    own = people.organisation("独木桥公司")
    owner = people.person(("owner", own), password_hash=kept_hash)
    colleague = people.person(("editor", own))
    actor = signed_in(owner)
    with pytest.raises(Conflict, match=r"独木桥公司.*交给一位同事"):
        service.close(actor, PASSWORD)
    assert db.session.get(Person, owner.id).state == "active"
    service.suspend(people.actor(("system_admin",)), colleague.id, "长期不在岗")
    assert service.left_alone(owner.id) == []
    service.resume(people.actor(("system_admin",)), colleague.id, "回来上班了")
    people.person(("owner", own))
    service.close(actor, PASSWORD)


# Unmasking


def test_offices_see_people_of_their_area_and_owners_their_own(asked):
    here, there = people.organisation(code="511402"), people.organisation("乙", code="511403")
    person = people.person(("editor", here), name="赵六")
    own = mobile_of(person)
    for actor in (
        people.actor(("county", None, "511402")),
        people.actor(("prefecture", None, "511400")),
        people.actor(("owner", here)),
    ):
        assert service.unmask(actor, person.id, "核对联系方式").mobile == own
    for actor in (
        people.actor(("county", None, "511403")),
        people.actor(("owner", there)),
        people.actor(("editor", here)),
        people.actor(("system_admin",)),
    ):
        with pytest.raises(NotFound):
            service.unmask(actor, person.id, "核对联系方式")


def test_unmasking_needs_a_reason_is_logged_and_limited(asked):
    here = people.organisation()
    person = people.person(("editor", here))
    owner = people.actor(("owner", here))
    with pytest.raises(Invalid):
        service.unmask(owner, person.id, "  ？ ")
    assert entries() == []
    for _number in range(30):
        service.unmask(owner, person.id, "核对联系方式")
    assert len(entries("person.unmasked")) == 30
    with pytest.raises(TooMany):
        service.unmask(owner, person.id, "核对联系方式")


def test_nobody_sees_a_person_without_organisation(asked):
    person = people.person()
    with pytest.raises(NotFound):
        service.unmask(people.actor(("province", None, "510000")), person.id, "核对联系方式")
