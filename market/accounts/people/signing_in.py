"""Signing in and out: slowed, logged, and telling nobody which accounts there are.

What is done and said is the same whether or not an account is there: the same limits count, a
password is verified (against nobody's hash), and one sentence says that it did not fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog

from market.accounts.people import codes, second_factor
from market.accounts.people.models import LoginSession, Person
from market.accounts.people.passwords import verify
from market.accounts.people.proving import person_at
from market.accounts.people.rules import account_key, read_contact, wait_after
from market.accounts.people.sessions import actor_of, end_sessions, open_session
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, TooMany
from market.core.languages import translate as _
from market.core.limits import Limit, alone, count, forget, forget_one, latest, used
from market.core.permissions import PUBLIC, Actor, Always, policy
from market.core.secrets import pseudonym
from market.core.unit_of_work import UnitOfWork, unit_of_work

SIGN_IN = policy.declare("accounts:session:open", public=Always())
SIGN_OUT = policy.declare("accounts:session:close", public=Always())
SPAN = timedelta(hours=1)
ACCOUNT = Limit("sign_in_account", 10, SPAN)
NETWORK = Limit("sign_in_network", 100, SPAN)
STEP = "second_factor"  # the purpose of a sign-in that waits for the second factor
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What a right password leads to: a session's word, or a step that waits for a code."""

    word: str = ""
    waiting: int | None = None


def sign_in(account: str, password: str, *, network: str, session_id: int | None = None) -> Outcome:
    """Sign in with a mobile number or e-mail address and a password.

    Args:
        network: the address of who asks.
        session_id: the session this browser had; it ends.

    Raises:
        Invalid: they do not fit, or there is no such account. TooMany: after too many failures.
        Denied: the account is suspended.
    """
    key = account_key(account)
    hit = _take_attempt(key, network)
    contact = read_contact(account)
    person = person_at(contact) if contact else None
    person_id, kept = (person.id, person.password_hash) if person else (0, None)
    fits, newer = verify(password, kept)
    person = db.session.get(Person, person_id) if person_id else None
    if not fits or person is None:
        _note_failure(person_id, key, network, "wrong")
        raise Invalid({"password": [_("账号或密码不对。请核对手机号或邮箱，再填一次密码。")]})
    if person.state != "active":
        _note_failure(person_id, key, network, person.state)
        raise Denied(_("这个账号已停用，请联系网站管理员。"))
    with unit_of_work(actor_of(person)) as work:
        work.require(SIGN_IN)
        person = db.session.get_one(Person, person_id, populate_existing=True)
        if person.state != "active" or person.password_hash != kept:
            raise Denied(_("这个账号刚刚有变动，请再登录一次。"))
        forget(ACCOUNT, key)
        forget_one(hit)
        if newer:
            person.password_hash = newer
        if person.totp_at is not None:
            return Outcome(
                waiting=codes.wait_for(work, STEP, str(person.id), {"person": person.id})
            )
        return Outcome(word=begin_session(work, person, session_id))


def begin_session(
    work: UnitOfWork, person: Person, session_id: int | None = None, *, second: bool = False
) -> str:
    """A new session for a person who proved who he is; the browser's earlier one ends."""
    if session_id is not None:
        end_sessions(work, LoginSession.id == session_id)
    word = open_session(work, person, second_factor=second)
    work.record("person.signed_in", "person", person.id, after={"second_factor": second})
    return word


def _take_attempt(key: str, network: str) -> int:
    """Count an attempt before anything is looked at, so that many at the same moment count too."""
    with unit_of_work(PUBLIC) as work:
        work.require(SIGN_IN)
        alone(ACCOUNT, key)
        alone(NETWORK, network)
        refuse_if_slowed(key, network)
        count(ACCOUNT, key)
        return count(NETWORK, network)


def refuse_if_slowed(key: str, network: str) -> None:
    """Refuse an attempt that comes too soon after failed ones.

    Raises:
        TooMany: says how long to wait.
    """
    for limit, who in ((ACCOUNT, key), (NETWORK, network)):
        wait = wait_after(used(limit, who), of_network=limit is NETWORK)
        last = latest(limit, who) if wait else None
        left = (last + wait - clock.now()).total_seconds() if last else 0
        if left > 0:
            log.warning("sign-in slowed", limit=limit.kind, wait=round(left))
            refused = TooMany(_wait_sentence(left))
            refused.retry_after = int(left) + 1
            raise refused


def _wait_sentence(seconds: float) -> str:
    if seconds > 600:
        return _(
            "登录失败太多次，已暂时锁定，请 %(minutes)s 分钟后再试；也可以点「忘记密码」马上重设。",
            minutes=int(seconds // 60) + 1,
        )
    return _(
        "登录失败了几次，请等 %(seconds)s 秒再试；也可以点「忘记密码」重设。",
        seconds=int(seconds) + 1,
    )


def _note_failure(person_id: int, key: str, network: str, reason: str) -> None:
    """An audit row without the password; who was meant is a pseudonym."""
    after = {
        "reason": reason,
        "account": pseudonym(key, "sign_in.account"),
        "network": pseudonym(network, "sign_in.network"),
    }
    with unit_of_work(PUBLIC) as work:
        work.require(SIGN_IN)
        work.record("person.sign_in_failed", "person", person_id, after=after)


def second_step(row_id: int | None, typed: str, *, session_id: int | None = None) -> str:
    """The second factor after a right password; returns the session's word.

    Raises:
        Invalid: the code is wrong. TooMany: too many wrong ones. Conflict: it took too long.
    """
    person = _waiting_person(row_id)
    if person is None:
        raise Conflict(_("登录等得太久，请重新填写密码。"))
    person_id, word = person.id, ""
    with unit_of_work(actor_of(person)) as work:
        work.require(SIGN_IN)
        row = codes.take_try(work, row_id, STEP)
        person = db.session.get_one(Person, person_id, populate_existing=True)
        if row is None or person.state != "active":
            raise Conflict(_("登录等得太久，请重新填写密码。"))
        refused = second_factor.check(work, person, typed)
        if refused is None and codes.use_up(work, row):
            word = begin_session(work, person, session_id, second=True)
    if refused is not None:
        raise refused
    return word


def _waiting_person(row_id: int | None) -> Person | None:
    row = codes.waiting(row_id, STEP)
    return db.session.get(Person, row.subject["person"]) if row and row.subject else None


def waits_for_code(row_id: int | None) -> bool:
    """Whether a sign-in of this browser waits for the second factor."""
    return codes.waiting(row_id, STEP) is not None


def sign_out(actor: Actor) -> None:
    """End the session by which somebody is signed in."""
    if actor.session_id is None:
        return
    with unit_of_work(actor) as work:
        work.require(SIGN_OUT)
        if end_sessions(work, LoginSession.id == actor.session_id):
            work.record("person.signed_out", "person", actor.id or 0)


def forget_failures(*accounts: str) -> None:
    """Lift the waiting for these accounts, e.g. after a new password. In a unit of work."""
    for account in accounts:
        forget(ACCOUNT, account)
