"""Handing in and deciding verifications; the sealed profile of an organisation."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from market.accounts.models import Organisation
from market.accounts.queries import by_code, find
from market.accounts.roles import MEMBERS, OFFICES
from market.accounts.verification.models import OPEN, Profile, Verification
from market.accounts.verification.queries import LICENCE, latest_licence, load
from market.accounts.verification.schemas import FIELDS, RETURNED
from market.accounts.verification.workflow import (
    DECIDE,
    SUBMIT,
    UNMASK,
    VERIFICATION,
    mark_verified,
    tell_office,
)
from market.core import calendar, clock, files, holidays, numbers
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid
from market.core.permissions import Actor, InArea, policy
from market.core.secrets import seal, unseal
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.core.workflow import begin, fire

VERIFY = policy.declare("accounts:organisation:verify", **dict.fromkeys(OFFICES, InArea()))
SERIES = "HY"
TARGET = 3  # working days; the offices' own target, no rule names a term
LICENCE_TYPES = ("pdf", "jpg", "png")
SEEN = "见执照原件"
NO_CODE = "这家单位没有填统一社会信用代码：请先补代码；确实没有的（如个体农户），写明原因。"
_NEEDED = {
    "licence": "请上传营业执照或其他登记证书（PDF、JPG、PNG）。",
    "legal_representative": "请填写法定代表人。",
    "registered_address": "请填写注册地址。",
}


def keep_licence(actor: Actor, no: str, name: str, data: bytes) -> None:
    """Keep an uploaded licence for the next submission; the same once more is kept once.

    Raises:
        NotFound: the organisation is not one that the actor may hand in for.
        Invalid: the file is not a PDF, JPG or PNG, or is too large; at `licence`.
    """
    organisation_id = find(actor, SUBMIT, no).id
    try:
        upload = files.take_in(name, data, only=LICENCE_TYPES)
    except Invalid as error:
        raise Invalid({"licence": error.fields["file"]}) from error
    with unit_of_work(actor) as work:
        work.require(SUBMIT, db.session.get_one(Organisation, organisation_id))
        before = latest_licence(organisation_id)
        if before is not None and before.hash == upload.hash:
            return
        if before is not None and not _handed_in(before.no):
            files.remove(work, before)  # replaced before anybody looked at it
        files.attach(work, upload, LICENCE, organisation_id, purpose="licence")


def _handed_in(licence_no: str) -> bool:
    used = select(Verification.id).where(Verification.licence_no == licence_no)
    return db.session.scalar(used.limit(1)) is not None


def submit(actor: Actor, no: str, values: Mapping[str, Any]) -> str:
    """Hand in the papers of an organisation, for the first time or again; returns the case's number.

    Args:
        no: of the organisation.
        values: of `schemas.FIELDS`, what is not named stays as it was declared before; and `uscc`,
            which an organisation without a credit code gets by it.

    Raises:
        NotFound: the organisation is not one that the actor may hand in for.
        Invalid: something needed is missing, by field.
        Conflict: papers are being looked at already.
    """
    organisation_id = find(actor, SUBMIT, no).id
    sealed = {key: seal(_plain(values[key]), _purpose(key)) for key in FIELDS if values.get(key)}
    try:
        with unit_of_work(actor) as work:
            # Held, so that its name does not change while the papers that bear it are handed in.
            organisation = db.session.get_one(Organisation, organisation_id, with_for_update=True)
            work.require(SUBMIT, organisation)
            _take_code(work, organisation, values.get("uscc"))
            profile = _declare(work, organisation_id, sealed)
            licence = latest_licence(organisation_id)
            lacking = _lacking(profile, licence is not None)
            if lacking or licence is None:
                raise Invalid(lacking)
            return _hand_in(work, organisation, licence.no)
    except IntegrityError as error:
        raise Conflict(_WAITING) from error


def lacking(actor: Actor, no: str, given: Collection[str]) -> dict[str, list[str]]:
    """What would still be missing when these fields come with what was declared before.

    Raises:
        NotFound: the organisation is not one that the actor may hand in for.
    """
    organisation_id = find(actor, SUBMIT, no).id
    profile = db.session.get(Profile, organisation_id)
    licence = latest_licence(organisation_id) is not None or "licence" in given
    return {key: words for key, words in _lacking(profile, licence).items() if key not in given}


def _lacking(profile: Profile | None, licence: bool) -> dict[str, list[str]]:
    have = {key for key in FIELDS if profile is not None and getattr(profile, key)}
    have |= {"licence"} if licence else set()
    return {key: [words] for key, words in _NEEDED.items() if key not in have}


def _take_code(work: UnitOfWork, organisation: Organisation, uscc: str | None) -> None:
    """Give an organisation that has none its credit code. Raises Invalid when another bears it."""
    if not uscc or organisation.uscc is not None:
        return
    other = by_code(uscc)
    if other is not None:
        raise Invalid(
            {
                "uscc": [
                    f"这个代码已由「{other.name}」（{other.no}）登记：请申请加入那一家，或请县里合并。"
                ]
            }
        )
    organisation.uscc = uscc
    organisation.updated_at = clock.now()
    organisation.lock_version += 1
    db.session.flush()
    work.record("organisation.coded", "organisation", organisation.id, after={"uscc": uscc})
    work.announce("organisation", organisation.id)


_WAITING = "材料已经提交，正在等候核验，不用再交。"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _purpose(key: str) -> str:
    return f"organisation.{key}"


def _declare(work: UnitOfWork, organisation_id: int, sealed: Mapping[str, str]) -> Profile:
    profile = db.session.get(Profile, organisation_id)
    if profile is None:
        profile = Profile(organisation_id=organisation_id)
        db.session.add(profile)
    for key, token in sealed.items():
        setattr(profile, key, token)
    profile.updated_at, profile.updated_by = clock.now(), work.actor.label
    db.session.flush()
    if sealed:
        after = {"fields": sorted(sealed)}
        work.record("organisation.declared", "organisation", organisation_id, after=after)
    return profile


def _hand_in(work: UnitOfWork, organisation: Organisation, licence_no: str) -> str:
    today = clock.today()
    off = holidays.overrides(today, today + timedelta(days=60))
    due = calendar.add_working_days(today, TARGET, off)
    times = {"due": due.day, "provisional": due.provisional, "updated_at": clock.now()}
    open_case = select(Verification).where(
        Verification.organisation_id == organisation.id, Verification.state.in_(OPEN)
    )
    case = db.session.scalar(open_case)
    if case is not None and case.state == "submitted":
        raise Conflict(_WAITING)
    if case is not None:
        clean = {"returned_field": None, "returned_rule": None, "licence_no": licence_no}
        fire(work, VERIFICATION, case, "submit", values=times | clean)
        return case.no
    case = _new_case(organisation, "submitted", licence_no=licence_no, **times)
    begin(work, VERIFICATION, case)
    tell_office(case)
    return case.no


def _new_case(organisation: Organisation, state: str, **more: Any) -> Verification:
    now = clock.now()
    series = f"{SERIES}{clock.today().year}"
    case = Verification(
        no=f"{series}{numbers.take(series)[0]:06d}",
        organisation_id=organisation.id,
        state=state,
        created_at=now,
        **{"updated_at": now, **more},
    )
    db.session.add(case)
    db.session.flush()
    return case


def decide(actor: Actor, no: str, action: str, values: Mapping[str, Any]) -> None:
    """Verify, return or reject.

    Args:
        no: of the case; action: "verify", "return" or "reject".
        values: `reason`; for a return also `field` (of `schemas.RETURNED`) and `rule`.

    Raises:
        NotFound: there is no such case in the actor's area.
        Denied: the actor handed it in himself.
        Conflict: it was decided meanwhile.
        Invalid: a reason, the field or the rule is missing.
    """
    case_id = load(actor, no, DECIDE).id
    changes: dict[str, Any] = {"due": None, "provisional": False, "updated_at": clock.now()}
    note = None
    if action == "return":
        field, rule = values.get("field"), values.get("rule")
        lacking = {} if field else {"field": ["请选哪一项要改。"]}
        lacking |= {} if rule else {"rule": ["请写依据：按哪条要求。"]}
        lacking |= {} if values.get("reason") else {"reason": ["请写明原因，对方会看到。"]}
        if lacking or field is None:
            raise Invalid(lacking)
        changes |= {"returned_field": field, "returned_rule": rule}
        note = f"要改的是：{RETURNED[field]}；依据：{rule}"
    with unit_of_work(actor) as work:
        case = db.session.get_one(Verification, case_id)
        if action == "verify":
            _require_code(case.owner, values.get("reason"))
        _refuse_own(actor, case.organisation_id)
        reason = values.get("reason")
        fire(work, VERIFICATION, case, action, reason=reason, note=note, values=changes)


def _require_code(organisation: Organisation, reason: str | None) -> None:
    """Without a credit code only who has none by nature is verified: the clerk says why.

    Raises:
        Invalid: no code and no reason; at `reason`.
    """
    if organisation.uscc is None and len((reason or "").strip()) < 2:
        raise Invalid({"reason": [NO_CODE]})


def _refuse_own(actor: Actor, organisation_id: int) -> None:
    """Nobody verifies an organisation that he himself belongs to. Raises Denied."""
    if organisation_id in actor.organisations(*MEMBERS):
        raise Denied("这是您自己所在的单位，须由另一位同事办理。")


def verify_directly(actor: Actor, organisation_id: int, reason: str = SEEN) -> str:
    """Verify an organisation whose licence a clerk saw himself; returns the case's number.

    Raises:
        Denied: it lies outside the clerk's area.
        Conflict: it is verified, or papers of it are being looked at.
        Invalid: no reason.
    """
    if not reason.strip():
        raise Invalid({"reason": ["请写明凭什么核验，如：见执照原件。"]})
    with unit_of_work(actor) as work:
        organisation = db.session.get_one(Organisation, organisation_id)
        work.require(VERIFY, organisation)
        _refuse_own(actor, organisation_id)
        if organisation.verified_at is not None:
            raise Conflict("这家单位已经核验过。")
        waiting = select(Verification.no).where(
            Verification.organisation_id == organisation_id, Verification.state.in_(OPEN)
        )
        if (no := db.session.scalar(waiting)) is not None:
            raise Conflict(f"这家单位提交的材料（{no}）还没有办结，请在那一件里办理。")
        _require_code(organisation, reason if reason.strip() != SEEN else "")
        case = _new_case(organisation, "verified")
        begin(work, VERIFICATION, case, note=reason.strip()[:1000])
        mark_verified(work, organisation)
        return case.no


def unmask(actor: Actor, no: str, reason: str) -> dict[str, Any]:
    """All that an organisation declared, in full; the reading is recorded with its reason.

    Args:
        no: of the organisation.

    Raises:
        NotFound: the actor may not read it.
        Invalid: no reason.
    """
    organisation_id = find(actor, UNMASK, no).id
    if len(reason.strip()) < 2:
        raise Invalid({"unmask_reason": ["请写明查看的理由。"]})
    with unit_of_work(actor) as work:
        work.require(UNMASK, db.session.get_one(Organisation, organisation_id))
        profile = db.session.get(Profile, organisation_id)
        after = {"reason": reason.strip()[:300]}
        work.record("organisation.unmasked", "organisation", organisation_id, no=no, after=after)
        shown: dict[str, Any] = {}
        for key in FIELDS:
            token = getattr(profile, key) if profile else None
            shown[key] = unseal(token, _purpose(key)) if token else None
        if shown["shareholders"]:
            shown["shareholders"] = json.loads(shown["shareholders"])
        return shown


def move(source_id: int, target_id: int) -> None:
    """Give an organisation's cases and papers to the one it becomes part of. In a unit of work.

    Raises:
        Conflict: both have papers that are being looked at.
    """
    both = select(Verification.no).where(
        Verification.organisation_id.in_([source_id, target_id]), Verification.state.in_(OPEN)
    )
    if len(waiting := list(db.session.scalars(both))) > 1:
        raise Conflict(f"两家单位都有没办结的核验（{'、'.join(waiting)}），请先办结其中一件。")
    _set(Verification, source_id, target_id)
    files.move(LICENCE, source_id, target_id)
    if db.session.get(Profile, target_id) is None:
        _set(Profile, source_id, target_id)


def _set(model: Any, source_id: int, target_id: int) -> None:
    change = update(model).where(model.organisation_id == source_id)
    db.session.execute(
        change.values(organisation_id=target_id).execution_options(synchronize_session=False)
    )
