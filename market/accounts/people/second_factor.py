"""The second factor: a code that an app shows (TOTP, RFC 6238), or a recovery code from paper."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

import pyotp
from sqlalchemy import delete, func, or_, select, update

from market.accounts.people.messages import SECOND_FACTOR_RESET
from market.accounts.people.models import LoginSession, Person, RecoveryCode
from market.accounts.people.proving import SELF, confirm_password, myself
from market.accounts.people.sessions import end_sessions, grants_of
from market.accounts.roles import ROLES
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, TooMany
from market.core.languages import translate as _
from market.core.limits import Limit, alone, count, forget, used
from market.core.messages import tell
from market.core.permissions import Actor
from market.core.secrets import pseudonym, seal, unseal
from market.core.unit_of_work import UnitOfWork, unit_of_work

STEP = 30  # seconds for which an app shows a code
CODES = 10
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # without those that are mistaken for others
_LENGTH = 10  # letters of a recovery code: 49 bits
_SECRET, _SETUP = "person.totp", "person.totp.setup"
_WRONG = Limit("second_factor", 10, timedelta(hours=1))


@dataclass(frozen=True)
class SetUp:
    """A secret that is being set up: sealed for the form, and as the app reads it."""

    sealed: str
    secret: str
    address: str


def set_up(actor: Actor, site_name: str, sealed: str = "") -> SetUp:
    """A new secret for oneself, or the one of a form that comes back."""
    person = myself(actor)
    secret = _unsealed(person, sealed) or pyotp.random_base32()
    address = pyotp.TOTP(secret).provisioning_uri(name=person.name, issuer_name=site_name)
    return SetUp(seal(f"{person.id}:{secret}", _SETUP), secret, address)


def _unsealed(person: Person, sealed: str) -> str:
    owner, _colon, secret = (unseal(sealed, _SETUP) or "" if sealed else "").partition(":")
    return secret if owner == str(person.id) else ""


def turn_on(actor: Actor, sealed: str, code: str, password: str) -> list[str]:
    """Begin to ask for the second factor; returns the recovery codes. Other sessions end.

    Raises:
        Invalid: wrong password or code. Conflict: it is on already.
    """
    confirm_password(actor, password)
    with unit_of_work(actor) as work:
        person = myself(actor)
        work.require(SELF, person)
        if person.totp_at is not None:
            raise Conflict("两步验证已经开启。")
        secret = _unsealed(person, sealed)
        step = _step_of(secret, code) if secret else None
        if step is None:
            raise Invalid({"code": ["验证码不对：请填验证器现在显示的 6 位数字。"]})
        now = clock.now()
        person.totp, person.totp_at = seal(secret, _SECRET), now
        person.totp_last_step = step
        codes = _new_codes(person.id)
        others = (LoginSession.person_id == person.id) & (LoginSession.id != actor.session_id)
        end_sessions(work, others)
        _mark(actor)
        work.record("person.second_factor_on", "person", person.id)
        return codes


def turn_off(actor: Actor, password: str, *, demo: bool) -> None:
    """Stop asking for the second factor.

    Raises:
        Invalid: wrong password. Denied: this session came without the second factor.
        Conflict: a role of this person needs it.
    """
    confirm_password(actor, password)
    with unit_of_work(actor) as work:
        person = myself(actor)
        work.require(SELF, person)
        _refuse_without(actor)
        if needed(person.id) and not demo:
            raise Conflict("您的管理权限要求两步验证，不能关闭。")
        person.totp = person.totp_at = person.totp_last_step = None
        db.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
        work.record("person.second_factor_off", "person", person.id)


def reset(work: UnitOfWork, person: Person) -> None:
    """Take away a second factor that its owner cannot do any more; all sessions end, he is told.

    Inside a unit of work; the caller has asked the policy and says why in the audit.
    """
    person.totp = person.totp_at = person.totp_last_step = None
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    forget(_WRONG, str(person.id))
    end_sessions(work, LoginSession.person_id == person.id)
    tell(
        SECOND_FACTOR_RESET,
        about=("person", person.id),
        url="/account",
        values={"at": f"{clock.local(clock.now()):%Y-%m-%d %H:%M}"},
        people=[person.id],
    )


def renew_codes(actor: Actor, password: str) -> list[str]:
    """New recovery codes; the old ones open nothing any more.

    Raises:
        Invalid: wrong password. Denied: this session came without the second factor.
    """
    confirm_password(actor, password)
    with unit_of_work(actor) as work:
        person = myself(actor)
        work.require(SELF, person)
        _refuse_without(actor)
        codes = _new_codes(person.id)
        work.record("person.recovery_codes", "person", person.id)
        return codes


def _refuse_without(actor: Actor) -> None:
    """Raises Denied when the second factor is not set up or not done in this session."""
    session = db.session.get(LoginSession, actor.session_id) if actor.session_id else None
    if session is None or session.second_factor_at is None:
        raise Denied("请先完成两步验证，再做这一步。")


def confirm(actor: Actor, typed: str) -> None:
    """Do the second factor in a session that came without it, so that all roles count.

    Raises:
        Invalid: the code is wrong. TooMany: too many wrong ones.
    """
    with unit_of_work(actor) as work:
        person = myself(actor)
        work.require(SELF, person)
        refused = check(work, person, typed)
        if refused is None:
            _mark(actor)
            work.record("person.second_factor", "person", person.id)
    if refused is not None:
        raise refused


def _mark(actor: Actor) -> None:
    own = LoginSession.id == actor.session_id
    db.session.execute(update(LoginSession).where(own).values(second_factor_at=clock.now()))


def check(work: UnitOfWork, person: Person, typed: str) -> Invalid | TooMany | None:
    """Try a code of the app or a recovery code; each is good once. In a unit of work that is kept.

    Returns:
        None when it is right, else what to raise after the commit.
    """
    key = str(person.id)
    alone(_WRONG, key)
    if used(_WRONG, key) >= _WRONG.most:
        return TooMany(_("验证码错了太多次，请一小时后再试。"))
    if passes(person, typed):
        forget(_WRONG, key)
        return None
    count(_WRONG, key)
    work.record("person.second_factor_failed", "person", person.id)
    return Invalid({"code": [_("验证码不对，或已经用过：请填验证器现在显示的数字。")]})


def passes(person: Person, typed: str) -> bool:
    """Whether the code is right, and was not used before. In a unit of work."""
    if len(typed) == _LENGTH:
        unused = (RecoveryCode.person_id == person.id) & RecoveryCode.used_at.is_(None)
        unused &= RecoveryCode.code_hash == _hash(person.id, typed)
        taken = update(RecoveryCode).where(unused).values(used_at=clock.now())
        return bool(db.session.execute(taken).rowcount)  # type: ignore[attr-defined]
    secret = unseal(person.totp, _SECRET) if person.totp else None
    step = _step_of(secret, typed) if secret else None
    if step is None:
        return False
    last = Person.totp_last_step
    later = (Person.id == person.id) & or_(last.is_(None), last < step)
    taken = update(Person).where(later).values(totp_last_step=step)
    return bool(db.session.execute(taken).rowcount)  # type: ignore[attr-defined]


def _step_of(secret: str, code: str) -> int | None:
    """The time step whose code this is: the present one, or one beside it for clocks that differ."""
    totp = pyotp.TOTP(secret, interval=STEP)
    now = int(clock.now().timestamp()) // STEP
    right = [
        step
        for step in (now, now - 1, now + 1)
        if secrets.compare_digest(totp.generate_otp(step), code)
    ]
    return right[0] if right else None


def _new_codes(person_id: int) -> list[str]:
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    codes = ["".join(secrets.choice(_LETTERS) for _place in range(_LENGTH)) for _no in range(CODES)]
    for code in codes:
        db.session.add(RecoveryCode(person_id=person_id, code_hash=_hash(person_id, code)))
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _hash(person_id: int, code: str) -> str:
    return pseudonym(f"{person_id}:{code}", "person.recovery")


def needed(person_id: int) -> bool:
    """Whether a role of this person counts only after the second factor."""
    return any(ROLES[grant.role].second_factor for grant in grants_of(person_id))


def codes_left(person_id: int) -> int:
    """How many recovery codes are unused."""
    query = select(func.count()).select_from(RecoveryCode)
    mine = (RecoveryCode.person_id == person_id) & RecoveryCode.used_at.is_(None)
    return db.session.scalar(query.where(mine)) or 0
