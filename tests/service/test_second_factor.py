"""The second factor: codes of the app, recovery codes, and the roles that wait for it."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest
import time_machine
from sqlalchemy import select

from market.accounts.people import second_factor, sessions, signing_in
from market.accounts.people.models import LoginSession, Person, RecoveryCode
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, TooMany
from market.core.permissions import SYSTEM, Actor
from market.core.secrets import unseal
from market.core.unit_of_work import unit_of_work
from tests import people

PASSWORD = "清风 明月 七十二峰"
NETWORK = "198.51.100.7"


@pytest.fixture(scope="module")
def kept_hash():
    from pwdlib import PasswordHash

    return PasswordHash.recommended().hash(PASSWORD)


@pytest.fixture
def now(app):
    with (
        time_machine.travel("2026-11-20T01:00:00Z", tick=False) as moment,
        app.test_request_context(),
    ):
        yield moment


@pytest.fixture
def someone(now, kept_hash):
    return people.person(password_hash=kept_hash)


def mobile_of(person):
    return unseal(db.session.get(Person, person.id).mobile, "person.mobile")


def actor_with(word):
    """Whom a session's word makes."""
    key = db.session.scalars(
        select(LoginSession).where(LoginSession.token_hash == sessions.hashed(word))
    ).one()
    return Actor(
        "person", "张三", key.person_id, sessions.grants_of(key.person_id), session_id=key.id
    )


def without(person):
    """An actor whose session came without the second factor."""
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        word = sessions.open_session(work, db.session.get(Person, person.id))
    return actor_with(word)


def turned_on(person):
    """The actor, secret and recovery codes of a person who set it up."""
    actor = without(person)
    made = second_factor.set_up(actor, "市场")
    code = pyotp.TOTP(made.secret).at(clock.now())
    return actor, made.secret, second_factor.turn_on(actor, made.sealed, code, PASSWORD)


def begin(person):
    outcome = signing_in.sign_in(mobile_of(person), PASSWORD, network=NETWORK)
    assert outcome.word == ""
    return outcome.waiting


def shown(secret):
    return pyotp.TOTP(secret).at(clock.now())


def test_setting_up_needs_password_and_a_right_code(someone):
    actor = without(someone)
    made = second_factor.set_up(actor, "县域技术市场")
    assert "issuer=" in made.address
    with pytest.raises(Invalid) as refused:
        second_factor.turn_on(actor, made.sealed, shown(made.secret), "wrong password")
    assert "password" in refused.value.fields
    with pytest.raises(Invalid) as refused:
        second_factor.turn_on(actor, made.sealed, "000000", PASSWORD)
    assert "code" in refused.value.fields
    again = second_factor.set_up(actor, "县域技术市场", made.sealed)
    assert again.secret == made.secret
    codes = second_factor.turn_on(actor, again.sealed, shown(made.secret), PASSWORD)
    assert len(set(codes)) == second_factor.CODES
    with pytest.raises(Conflict):
        second_factor.turn_on(actor, again.sealed, shown(made.secret), PASSWORD)


def test_the_secret_of_somebody_elses_form_is_not_taken(someone, kept_hash):
    other = without(people.person(password_hash=kept_hash))
    made = second_factor.set_up(without(someone), "市场")
    with pytest.raises(Invalid):
        second_factor.turn_on(other, made.sealed, shown(made.secret), PASSWORD)


def test_setting_up_ends_other_sessions_and_marks_this_one(someone):
    there = without(someone)
    here, _secret, _codes = turned_on(someone)
    db.session.expire_all()
    assert db.session.get(LoginSession, there.session_id).ended_at is not None
    assert db.session.get(LoginSession, here.session_id).second_factor_at is not None


def test_secret_and_recovery_codes_are_not_kept_readable(someone):
    _actor, secret, codes = turned_on(someone)
    person = db.session.get(Person, someone.id)
    assert secret not in person.totp
    hashes = set(db.session.scalars(select(RecoveryCode.code_hash)))
    assert len(hashes) == 10
    assert not hashes & {code.replace("-", "") for code in codes}


def test_signing_in_asks_for_it_and_opens_no_session_before(someone, now):
    _actor, secret, _codes = turned_on(someone)
    now.shift(60)
    step = begin(someone)
    before = len(db.session.scalars(select(LoginSession)).all())
    with pytest.raises(Invalid):
        signing_in.second_step(step, "000000")
    assert len(db.session.scalars(select(LoginSession)).all()) == before
    actor = actor_with(signing_in.second_step(step, shown(secret)))
    assert db.session.get(LoginSession, actor.session_id).second_factor_at is not None
    now.shift(60)
    with pytest.raises(Conflict):
        signing_in.second_step(step, shown(secret))


def test_the_same_code_is_not_taken_twice(someone, now):
    _actor, secret, _codes = turned_on(someone)
    with pytest.raises(Invalid):  # the one that set it up
        signing_in.second_step(begin(someone), shown(secret))
    now.shift(60)
    code = shown(secret)
    assert signing_in.second_step(begin(someone), code)
    with pytest.raises(Invalid):
        signing_in.second_step(begin(someone), code)
    now.shift(30)
    assert signing_in.second_step(begin(someone), shown(secret))


def test_clocks_may_differ_by_half_a_minute_not_more(someone, now):
    _actor, secret, _codes = turned_on(someone)
    now.shift(600)
    early = pyotp.TOTP(secret).at(clock.now() + timedelta(seconds=30 * 3))
    late = pyotp.TOTP(secret).at(clock.now() + timedelta(seconds=30 * -3))
    for code in (early, late):
        with pytest.raises(Invalid):
            signing_in.second_step(begin(someone), code)
    assert signing_in.second_step(
        begin(someone), pyotp.TOTP(secret).at(clock.now() + timedelta(seconds=30 * -1))
    )


def test_a_recovery_code_is_good_once(someone, now):
    _actor, _secret, codes = turned_on(someone)
    compact = codes[0].replace("-", "")
    assert signing_in.second_step(begin(someone), compact)
    with pytest.raises(Invalid):
        signing_in.second_step(begin(someone), compact)
    assert second_factor.codes_left(someone.id) == 9


def test_new_recovery_codes_take_the_place_of_the_old(someone):
    actor, _secret, codes = turned_on(someone)
    fresh = second_factor.renew_codes(actor, PASSWORD)
    with pytest.raises(Invalid):
        signing_in.second_step(begin(someone), codes[0].replace("-", ""))
    assert signing_in.second_step(begin(someone), fresh[0].replace("-", ""))


def test_recovery_codes_are_ones_own(someone, kept_hash):
    other = people.person(password_hash=kept_hash)
    _actor, _secret, codes = turned_on(someone)
    turned_on(other)
    with pytest.raises(Invalid):
        signing_in.second_step(begin(other), codes[0].replace("-", ""))


def test_guessing_is_stopped_even_with_the_password(someone, now):
    _actor, secret, _codes = turned_on(someone)
    now.shift(60)
    step = begin(someone)
    for _number in range(5):
        with pytest.raises(Invalid):
            signing_in.second_step(step, "000000")
    with pytest.raises(Conflict):
        signing_in.second_step(step, "000000")
    step = begin(someone)
    for _number in range(5):
        with pytest.raises(Invalid):
            signing_in.second_step(step, "000000")
    with pytest.raises(TooMany):
        signing_in.second_step(begin(someone), shown(secret))
    now.shift(3700)
    assert signing_in.second_step(begin(someone), shown(secret))


def test_turning_off_needs_password_and_a_session_with_it(someone, now):
    actor, _secret, _codes = turned_on(someone)
    with pytest.raises(Denied):
        second_factor.turn_off(without(someone), PASSWORD, demo=False)
    with pytest.raises(Invalid):
        second_factor.turn_off(actor, "wrong password", demo=False)
    second_factor.turn_off(actor, PASSWORD, demo=False)
    assert signing_in.sign_in(mobile_of(someone), PASSWORD, network=NETWORK).word


@pytest.mark.parametrize("demo", [False, True])
def test_whose_role_needs_it_may_not_turn_it_off_but_on_a_demo_site(now, kept_hash, demo):
    officer = people.person(("county", None, "511402"), password_hash=kept_hash)
    actor, _secret, _codes = turned_on(officer)
    if demo:
        second_factor.turn_off(actor, PASSWORD, demo=True)
        return
    with pytest.raises(Conflict, match="不能关闭"):
        second_factor.turn_off(actor, PASSWORD, demo=False)


def test_confirming_later_makes_the_roles_count(now, kept_hash):
    officer = people.person(("county", None, "511402"), password_hash=kept_hash)
    _actor, secret, _codes = turned_on(officer)
    now.shift(60)
    later = without(officer)
    with pytest.raises(Invalid):
        second_factor.confirm(later, "000000")
    second_factor.confirm(later, shown(secret))
    db.session.expire_all()
    assert db.session.get(LoginSession, later.session_id).second_factor_at is not None
