"""The caller takes over: a code sent to his telephone makes him the owner of his organisation."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from market.accounts.members.grants import give
from market.accounts.models import Organisation
from market.accounts.people import sessions
from market.accounts.people.models import OneTimeCode, Person, RoleGrant
from market.accounts.people.passwords import hash_password
from market.accounts.people.registering import add_person
from market.accounts.people.rules import Contact, password_fault
from market.accounts.roles import OFFICES
from market.catalogue.intake import telephones
from market.catalogue.intake.models import Intake
from market.catalogue.intake.queries import CONTACT, TELEPHONE, find, unsealed
from market.catalogue.intake.workflow import CLAIM, CLAIM_CODE, HANDLE, INTAKE
from market.catalogue.problems import sender_on
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.languages import translate as _
from market.core.limits import Limit, take
from market.core.masking import mask_telephone
from market.core.messages import tell
from market.core.permissions import Actor
from market.core.secrets import pseudonym, seal
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.core.views import absolute
from market.core.workflow import add_event

PURPOSE = "claim"
LIFE = timedelta(hours=24)
MOST_TRIES = 5
SENT = Limit("intake.claim_sent", 5, timedelta(days=1))
_OFFICE = "科技管理部门的账号由网站管理员开通，不能凭认领码认领。"
TRIED = Limit("intake.claim_tried", 20, timedelta(hours=1))


class SignInFirst(Conflict):
    """There is an account with this telephone: its person claims, signed in."""


@dataclass(frozen=True)
class Claimed:
    """What came of a claim. word: for the cookie of a session that was opened."""

    organisation: str
    word: str | None


def has_owner(organisation_id: int) -> bool:
    """Whether somebody administers the organisation today."""
    query = select(RoleGrant.id).where(
        RoleGrant.organisation_id == organisation_id,
        RoleGrant.role == "owner",
        sessions.in_force(),
    )
    return db.session.scalar(query.limit(1)) is not None


def send_code(actor: Actor, no: str, mobile: str | None = None) -> None:
    """Send the caller of a completed case a code; earlier ones are void.

    Args:
        mobile: where to, for a caller who gave a landline.

    Raises:
        NotFound: no such case in the area.
        Conflict: it is not completed, or its organisation has an owner.
        Invalid: no number that receives short messages. TooMany: five were sent today.
    """
    with unit_of_work(actor) as work:
        row = find(actor, no)
        work.require(HANDLE, row)
        if row.state != "completed" or row.organisation is None:
            raise Conflict("先完成代录，才能发送认领码。")
        if has_owner(row.organisation.id):
            raise Conflict("这家单位已有管理员，不用再认领。")
        _require_claimable(actor, row.organisation)
        number = _mobile_of(row, mobile)
        who = pseudonym(number, "person.mobile")
        take(SENT, number, "这个号码今天已发过 5 次认领码，请明天再发。")
        _void(who, row.organisation.id)
        code = f"{secrets.randbelow(10**6):06d}"
        now = clock.now()
        sent = OneTimeCode(
            purpose=PURPOSE,
            who=who,
            code_hash=_code_hash(who, code),
            subject={"organisation_id": row.organisation.id, "intake_id": row.id},
            created_at=now,
            expires_at=now + LIFE,
        )
        db.session.add(sent)
        tell(
            CLAIM_CODE,
            about=(INTAKE.name, row.id),
            url="/claim",
            values={"code": code, "firm": row.organisation.name, "address": absolute("/claim")},
            contact=seal(number, "message.contact"),
        )
        to = mask_telephone(number)
        add_event(work, INTAKE.name, row.id, "code", note=f"发往 {to}，24 小时内有效")
        work.record("intake.code", INTAKE.name, row.id, no=row.no, after={"to": to})


def _require_claimable(actor: Actor, organisation: Organisation) -> None:
    """Refuse to hand out what the officer does not look after: an office, or one that lies elsewhere.

    Whoever owns an office appoints its officers, so that no code makes an owner of it.

    Raises:
        Conflict: it is such an organisation.
    """
    if organisation.kind == "office":
        raise Conflict(_OFFICE)
    if not any((organisation.area_path or "").startswith(area) for area in actor.areas(*OFFICES)):
        raise Conflict("这家单位登记在别的地区，请由它所在地的科技管理部门发送认领码。")


def _mobile_of(row: Intake, mobile: str | None) -> str:
    number = mobile or unsealed(row.telephone, TELEPHONE) or ""
    if not telephones.is_mobile(number):
        raise Invalid({"mobile": ["来电人留的是座机，收不到短信：请问到手机号填在这里。"]})
    return number


def _void(who: str, organisation_id: int) -> None:
    """Earlier codes for the same organisation or the same telephone open nothing any more."""
    waiting = select(OneTimeCode).where(
        OneTimeCode.purpose == PURPOSE,
        OneTimeCode.used_at.is_(None),
        OneTimeCode.expires_at > clock.now(),
    )
    for one in db.session.scalars(waiting):
        if one.who == who or (one.subject or {}).get("organisation_id") == organisation_id:
            one.used_at = clock.now()


def _code_hash(who: str, code: str) -> str:
    return pseudonym(f"{PURPOSE}:{who}:{code}", "code")


def claim(
    actor: Actor, telephone: str, code: str, *, password: str = "", address: str = ""
) -> Claimed:
    """Become the owner of the organisation that a code stands for.

    Args:
        actor: a visitor, who gets an account with this telephone and password, or who is signed in.
        address: the network address it comes from.

    Raises:
        Invalid: code or telephone are wrong, or the password is too short.
        SignInFirst: this telephone has an account, and the actor is not signed in with it.
        Conflict: the organisation has an owner by now. TooMany: from this network.
    """
    found = _redeemable(actor, telephone, code, address)
    if not actor.signed_in:
        if (sentence := password_fault(password)) is not None:
            raise Invalid({"password": [sentence]})
        hashed = hash_password(password)
    else:
        hashed = ""
    try:
        with unit_of_work(actor) as work:
            work.require(CLAIM)
            return _take_over(work, found, telephone, hashed)
    except IntegrityError as error:  # the account was made at the same moment
        raise _known() from error


def _redeemable(actor: Actor, telephone: str, code: str, address: str) -> int:
    """The id of the code's row. A wrong try counts, and is kept whatever follows.

    Raises:
        Invalid: no such code. SignInFirst: the account that is there must claim.
    """
    who = pseudonym(telephone, "person.mobile")
    right = None
    with unit_of_work(actor) as work:
        work.require(CLAIM)
        sentence = _("这个网络一小时内试得太多，请过一小时再试。")
        take(TRIED, sender_on(address, clock.now()), sentence)
        for one in _waiting(who):
            if hmac.compare_digest(one.code_hash, _code_hash(who, code)):
                right = one.id
            else:
                one.tries += 1
    if right is None:
        sentence = _("手机号或认领码不对，或已过期。可以请科技管理部门再发一次。")
        raise Invalid({"code": [sentence]})
    holder = _holder(who)
    if holder is not None and holder != (actor.id if actor.signed_in else None):
        raise _known()
    return right


def _waiting(who: str) -> Sequence[OneTimeCode]:
    query = select(OneTimeCode).where(
        OneTimeCode.purpose == PURPOSE,
        OneTimeCode.who == who,
        OneTimeCode.used_at.is_(None),
        OneTimeCode.expires_at > clock.now(),
        OneTimeCode.tries < MOST_TRIES,
    )
    return db.session.scalars(query).all()


def _holder(who: str) -> int | None:
    """The id of the person whose telephone it is."""
    return db.session.scalar(select(Person.id).where(Person.mobile_key == who))


def _known() -> SignInFirst:
    return SignInFirst(_("这个手机号已有账号。请先用它登录，再回到本页填认领码。"))


def _take_over(work: UnitOfWork, code_id: int, telephone: str, password_hash: str) -> Claimed:
    now = clock.now()
    used = db.session.execute(
        update(OneTimeCode)
        .where(OneTimeCode.id == code_id, OneTimeCode.used_at.is_(None))
        .values(used_at=now)
    )
    if not used.rowcount:  # type: ignore[attr-defined]
        raise Conflict(_("这个认领码刚被用过。"))
    subject = db.session.get_one(OneTimeCode, code_id).subject or {}
    row = db.session.get_one(Intake, subject["intake_id"])
    organisation = _standing(subject["organisation_id"])
    if organisation is None or has_owner(organisation.id):
        raise Conflict(_("这家单位已有管理员，请向他申请加入。"))
    if organisation.kind == "office":  # merged into one since the code was sent
        raise Conflict(_OFFICE)
    word = None
    if work.actor.signed_in and work.actor.id is not None:
        person = db.session.get_one(Person, work.actor.id)
    else:
        name = (unsealed(row.contact, CONTACT) or _("联系人"))[:60]
        person = add_person(name, Contact("mobile", telephone), password_hash)
        word = sessions.open_session(work, person)
    give(work, person.id, "owner", organisation)
    add_event(work, INTAKE.name, row.id, "claimed", note=f"{organisation.name} 已由来电人认领")
    after = {"person": person.id, "role": "owner", "intake": row.no}
    work.record(
        "organisation.claimed", "organisation", organisation.id, no=organisation.no, after=after
    )
    return Claimed(organisation.name, word)


def _standing(organisation_id: int) -> Organisation | None:
    """The organisation, or the one it was merged into; None when it was closed."""
    met = db.session.get(Organisation, organisation_id)
    while met is not None and met.merged_into_id is not None:
        met = db.session.get(Organisation, met.merged_into_id)
    return met if met is not None and met.state == "active" else None
