"""Changing specialists: recording, editing, consent and its withdrawal, removing, reading the contact."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import delete, select, update

from market.accounts.members import queries as members
from market.accounts.models import Organisation
from market.core import clock, numbers
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.permissions import Actor
from market.core.secrets import pseudonym, seal, unseal
from market.core.text import fold
from market.core.unit_of_work import unit_of_work
from market.service_points import traces
from market.service_points.finding import topics_of
from market.service_points.models import Specialist, SpecialistTopic
from market.service_points.specialists import queries
from market.service_points.specialists.queries import CERTIFICATE
from market.service_points.specialists.queries import CONTACT as SEALED
from market.service_points.workflow import (
    AGREE,
    CONSENT,
    CONTACT,
    DESCRIBE_SELF,
    EDIT_SPECIALIST,
    READ_SPECIALIST,
    RECORD_SPECIALIST,
    WITHDRAW,
)

SERIES = "ZJ"
KIND = "specialist"
STALE = "刚才有同事改过，请对照现在的内容再保存一次。"
_PLAIN = ("grade", "rank", "issuer", "valid_to", "intro", "consented_on", "consent_how")


def record(actor: Actor, values: Mapping[str, Any], *, demo: bool = False) -> str:
    """Record a specialist; returns the number.

    Args:
        values: of `SpecialistSchema`, with what they name found by `finding.Finder.resolve`.

    Raises:
        Invalid: something does not fit, at its field. Denied: outside the officer's area.
    """
    now = clock.now()
    with unit_of_work(actor) as work:
        check(values, None)
        year = clock.today().year
        row = Specialist(
            no=f"{SERIES}{year}{numbers.take(f'{SERIES}{year}')[0]:06d}",
            kind=values["kind"],
            demo=demo,
            created_at=now,
            updated_at=now,
            **_columns(values),
            **_sealed(values),
        )
        db.session.add(row)
        db.session.flush()
        work.require(RECORD_SPECIALIST, row)
        _fill(row, values)
        work.record("specialist.recorded", KIND, row.id, no=row.no, after=_told(row))
        return row.no


def edit(actor: Actor, no: str, version: int, values: Mapping[str, Any]) -> int:
    """Change a specialist; returns the new version.

    Args:
        values: what is said now; certificate and contact left empty stay as they are.

    Raises:
        NotFound; Conflict: somebody changed it meanwhile; Invalid.
    """
    specialist_id = queries.find(actor, EDIT_SPECIALIST, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Specialist, specialist_id)
        work.require(EDIT_SPECIALIST, row)
        whole = {**values, "kind": row.kind}
        check(whole, row)
        before = _told(row)
        _move(row, version, **_columns(whole), **_sealed(whole))
        _fill(row, whole)
        work.require(EDIT_SPECIALIST, row)
        after = _told(row)
        changed = [key for key in after if after[key] != before[key]]
        work.record(
            "specialist.edited",
            KIND,
            row.id,
            no=row.no,
            before={key: before[key] for key in changed},
            after={key: after[key] for key in changed}
            | {key: "改" for key in ("certificate", "contact") if whole.get(key)},
        )
        return version + 1


def link(actor: Actor, no: str, person_id: int | None) -> None:
    """Tie a specialist to his account, so that he himself can take his consent back; None unties.

    Raises:
        NotFound; Invalid: he is no member of the organisation named.
    """
    specialist_id = queries.find(actor, EDIT_SPECIALIST, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Specialist, specialist_id)
        work.require(EDIT_SPECIALIST, row)
        staff = members.staff(row.organisation_id) if row.organisation_id else []
        if person_id is not None and person_id not in {one.person_id for one in staff}:
            raise Invalid({"person": ["请从所在单位的成员中选；不在其中的，先请他加入单位。"]})
        _move(row, row.lock_version, person_id=person_id)
        after = {"person_id": person_id}
        work.record("specialist.linked", KIND, row.id, no=no, after=after)


def consent(actor: Actor, no: str, day: date, how: str) -> None:
    """Note that somebody agreed to be listed. Raises NotFound; Invalid: a day to come."""
    specialist_id = queries.find(actor, CONSENT, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Specialist, specialist_id)
        work.require(CONSENT, row)
        _refuse_future(day)
        _move(row, row.lock_version, consented_on=day, consent_how=how)
        told = {"consented_on": day.isoformat(), "consent_how": how}
        work.record("specialist.consented", KIND, row.id, no=no, after=told)


def withdraw(actor: Actor, no: str, reason: str | None = None) -> None:
    """Take the consent back: by himself or, when he says so, by his office. Raises NotFound."""
    specialist_id = queries.find(actor, WITHDRAW, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Specialist, specialist_id)
        work.require(WITHDRAW, row)
        if row.consented_on is None:
            return
        before = {"consented_on": row.consented_on.isoformat(), "consent_how": row.consent_how}
        _move(row, row.lock_version, consented_on=None, consent_how=None)
        after = {"reason": reason} if reason else None
        work.record("specialist.withdrawn", KIND, row.id, no=no, before=before, after=after)


def remove(actor: Actor, no: str, reason: str | None) -> None:
    """Remove a specialist; contact and certificate are forgotten. Raises NotFound, Invalid."""
    specialist_id = queries.find(actor, EDIT_SPECIALIST, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Specialist, specialist_id)
        work.require(EDIT_SPECIALIST, row)
        if not reason:
            raise Invalid({"reason": ["请写明为什么移除。"]})
        nothing = {"certificate": None, "certificate_key": None, "contact": None}
        _move(
            row,
            row.lock_version,
            removed_at=clock.now(),
            consented_on=None,
            consent_how=None,
            **nothing,
        )
        traces.forget(KIND, row.id)
        work.record("specialist.removed", KIND, row.id, no=no, after={"reason": reason})


def read_contact(actor: Actor, no: str, reason: str | None) -> str:
    """How to reach a specialist, in full; each reading is audited. Raises NotFound, Invalid."""
    specialist_id = queries.find(actor, READ_SPECIALIST, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Specialist, specialist_id)
        work.require(CONTACT, row)
        if not reason:
            raise Invalid({"reason": ["请写明为什么要看，会记入操作记录。"]})
        after = {"reason": reason}
        work.record("specialist.contact_read", KIND, row.id, no=no, after=after)
        return (unseal(row.contact, SEALED) if row.contact else None) or ""


def describe(actor: Actor, no: str, version: int, values: Mapping[str, Any]) -> int:
    """Let somebody say himself what he knows and does; returns the new version.

    Args:
        values: `fields`, `industries` and `intro`; what is left out stays.

    Raises:
        NotFound; Conflict: somebody changed it meanwhile.
    """
    specialist_id = queries.find(actor, DESCRIBE_SELF, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Specialist, specialist_id)
        work.require(DESCRIBE_SELF, row)
        before = _described(row)
        after = {key: values.get(key, before[key]) for key in before}
        changed = [key for key in before if (after[key] or None) != (before[key] or None)]
        _move(row, version, intro=after["intro"])
        _fill(row, after)
        # What he wrote is his own; that he wrote is enough for the audit.
        work.record("specialist.described", KIND, row.id, no=no, after={"changed": changed})
        return version + 1


def agree(actor: Actor, no: str) -> None:
    """Agree oneself to be listed. Raises NotFound."""
    specialist_id = queries.find(actor, AGREE, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Specialist, specialist_id)
        work.require(AGREE, row)
        if row.consented_on is not None:
            return
        today, how = clock.today(), "本人登录后同意"
        _move(row, row.lock_version, consented_on=today, consent_how=how)
        after = {"consented_on": today.isoformat(), "consent_how": how}
        work.record("specialist.agreed", KIND, row.id, no=no, after=after)


def _described(row: Specialist) -> dict[str, Any]:
    return {
        "fields": topics_of(row.topics, "field"),
        "industries": topics_of(row.topics, "industry"),
        "intro": row.intro,
    }


# -- taking an import back


def held_of(row: Specialist) -> dict[str, Any]:
    """What somebody's entry says, as it is kept for taking an import back; seals stay closed."""
    same = (*_PLAIN, "name", "region_id", "organisation_id", "certificate", "certificate_key")
    held = {key: getattr(row, key) for key in (*same, "contact")} | _described(row)
    return {key: v.isoformat() if isinstance(v, date) else v for key, v in held.items()}


def restore(actor: Actor, row: Specialist, held: Mapping[str, Any]) -> int:
    """Let an entry say again what it said before an import; returns the new version.

    Call inside a unit of work.
    """
    with unit_of_work(actor) as work:
        work.require(EDIT_SPECIALIST, row)
        found = {key: value for key, value in held.items() if key not in ("fields", "industries")}
        for key in ("valid_to", "consented_on"):
            found[key] = date.fromisoformat(held[key]) if held.get(key) else None
        owner = db.session.get(Organisation, held["organisation_id"] or 0)
        if owner is not None and owner.state != "active":  # it has become part of another
            found["organisation_id"] = row.organisation_id
        version = row.lock_version + 1
        _move(row, row.lock_version, folded_name=fold(held["name"])[:60], **found)
        _fill(row, held)
        work.record("specialist.restored", KIND, row.id, no=row.no, after=_told(row))
        return version


def unrecord(actor: Actor, row: Specialist) -> None:
    """Say that an entry goes again, since the import that made it is taken back.

    Call inside a unit of work, before the row is deleted. Its number is not used again.
    """
    with unit_of_work(actor) as work:
        work.require(RECORD_SPECIALIST, row)
        work.record("specialist.unrecorded", KIND, row.id, no=row.no)


# -- what must hold


def _refuse_future(day: date) -> None:
    if day > clock.today():
        raise Invalid({"consented_on": ["同意的日期不能晚于今天。"]})


def check(values: Mapping[str, Any], row: Specialist | None) -> None:
    """Everything that must hold of a specialist. Raises Invalid with all mistakes at once."""
    wrong: dict[str, list[str]] = {}
    if values["kind"] != "broker" and values.get("grade"):
        wrong["grade"] = ["只有技术经理人填等级；专家请写职称或职务。"]
    day, how = values.get("consented_on"), values.get("consent_how")
    if day and not how:
        wrong["consent_how"] = ["请写明本人怎样同意的，如 签字表。"]
    if how and not day:
        wrong["consented_on"] = ["请写明本人同意的日期。"]
    if number := values.get("certificate"):
        query = select(Specialist.no).where(
            Specialist.certificate_key == pseudonym(number, CERTIFICATE),
            Specialist.removed_at.is_(None),
            Specialist.id != (row.id if row else 0),
        )
        if (other := db.session.scalar(query)) is not None:
            wrong["certificate"] = [f"这个证书号已登记在 {other} 名下，请核对。"]
    if wrong:
        raise Invalid(wrong)
    if day:
        _refuse_future(day)


# -- writing


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    owner: Organisation | None = values.get("organisation")
    return {key: values.get(key) for key in _PLAIN} | {
        "name": values["name"],
        "folded_name": fold(values["name"])[:60],
        "region_id": values["region"],
        "organisation_id": owner.id if owner else None,
    }


def _sealed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The sealed columns that are given; empty ones stay as they are."""
    found: dict[str, Any] = {}
    if number := values.get("certificate"):
        found["certificate"] = seal(number, CERTIFICATE)
        found["certificate_key"] = pseudonym(number, CERTIFICATE)
    if contact := values.get("contact"):
        found["contact"] = seal(contact, SEALED)
    return found


def _move(row: Specialist, version: int, **values: Any) -> None:
    """The guarded update: nobody saved since this version was looked at. Raises Conflict."""
    moved = db.session.execute(
        update(Specialist)
        .where(Specialist.id == row.id, Specialist.lock_version == version)
        .values(lock_version=version + 1, updated_at=clock.now(), **values)
        .execution_options(synchronize_session=False)
    )
    if not moved.rowcount:  # type: ignore[attr-defined]
        raise Conflict(STALE)
    db.session.refresh(row)


def _fill(row: Specialist, values: Mapping[str, Any]) -> None:
    """Write the topics anew."""
    db.session.execute(delete(SpecialistTopic).where(SpecialistTopic.specialist_id == row.id))
    topics = [("field", one) for one in values.get("fields") or ()]
    topics += [("industry", one) for one in values.get("industries") or ()]
    db.session.add_all(
        SpecialistTopic(specialist_id=row.id, sort=sort, value=value) for sort, value in topics
    )
    db.session.flush()
    db.session.expire(row)


def _told(row: Specialist) -> dict[str, Any]:
    """What the audit keeps: nothing personal beyond what an office's list shows."""
    hidden = {"name", "intro", "certificate", "contact"}
    return {
        key: value.isoformat() if isinstance(value, date) else value
        for key, value in queries.words_of(row).items()
        if key not in hidden
    }
