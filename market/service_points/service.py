"""Changing admissions: recording, editing, renewing, suspending, ending, and who works there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import delete, update

from market.accounts.models import Organisation
from market.core import clock, numbers
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.permissions import Actor
from market.core.text import fold
from market.core.unit_of_work import unit_of_work
from market.core.workflow import add_event, begin, fire
from market.service_points import checks, messages, rules
from market.service_points.finding import words_of
from market.service_points.models import (
    BODY,
    POWERS,
    Admission,
    AdmissionArea,
    AdmissionPower,
    AdmissionTopic,
    AdmissionUnit,
)
from market.service_points.queries import load, refuse_ended
from market.service_points.workflow import ADMISSION, DESCRIBE, EDIT, OVERSEE, RECORD

SERIES = "FW"
STALE = "刚才有同事改过，请对照现在的内容再保存一次。"
_PLAIN = (
    "name",
    "valid_from",
    "valid_to",
    "source",
    "authority",
    "address",
    "hours",
    "telephone",
    "latitude",
    "longitude",
    "note",
    "amount_base",
    "amount_meaning",
)
# What an organisation may say of itself, with the words for it.
FACTS = {
    "address": "地址",
    "hours": "办公时间",
    "telephone": "电话",
    "latitude": "纬度",
    "longitude": "经度",
    "note": "说明",
}


def record(actor: Actor, values: Mapping[str, Any], *, demo: bool = False) -> str:
    """Record that an organisation was admitted; returns its number.

    Args:
        values: of `AdmissionSchema`, with what they name found by `finding.Finder.resolve`.
        demo: loaded with the demonstration data: nobody is told.

    Raises:
        Invalid: something does not fit, at its field. Denied: outside the officer's area.
    """
    now = clock.now()
    with unit_of_work(actor) as work:
        checks.check(values, None)
        checks.check_reach(work.actor, values, None)
        owner: Organisation = values["organisation"]
        year = clock.today().year
        row = Admission(
            no=f"{SERIES}{year}{numbers.take(f'{SERIES}{year}')[0]:06d}",
            organisation_id=owner.id,
            kind=values["kind"],
            demo=demo or owner.demo,
            created_at=now,
            updated_at=now,
            **_columns(values),
        )
        db.session.add(row)
        db.session.flush()
        work.require(RECORD, row)
        _fill(row, values, values["kind"])
        db.session.flush()
        begin(work, ADMISSION, row, note=f"依据：{row.source}")
        if not demo:
            messages.tell_staff(messages.GRANTED, row, "granted")
        return row.no


def edit(actor: Actor, no: str, version: int, values: Mapping[str, Any]) -> int:
    """Change an admission; returns the new version.

    Args:
        version: the `lock_version` that was looked at.
        values: what is said now, ids in the place of names; organisation and kind never change.

    Raises:
        NotFound; Conflict: somebody changed it meanwhile, or it has ended; Invalid.
    """
    admission_id = load(actor, EDIT, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Admission, admission_id)
        work.require(EDIT, row)
        refuse_ended(row)
        whole = {**values, "kind": row.kind, "organisation": row.owner}
        checks.check(whole, row)
        checks.check_reach(work.actor, whole, row)
        before = _told(row)
        _move(row, version, **_columns(whole))
        _fill(row, whole, row.kind)
        db.session.flush()
        work.require(EDIT, row)  # it may not be moved out of one's area
        after = _told(row)
        changed = [key for key in after if after[key] != before[key]]
        work.record(
            "admission.edited",
            ADMISSION.name,
            row.id,
            no=row.no,
            before={key: before[key] for key in changed},
            after={key: after[key] for key in changed},
        )
        if changed:
            add_event(work, ADMISSION.name, row.id, "edit")
        return version + 1


def renew(actor: Actor, no: str, version: int, valid_to: date | None, source: str) -> None:
    """Let an admission be valid longer, by a document. Raises as `edit`."""
    admission_id = load(actor, EDIT, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Admission, admission_id)
        work.require(EDIT, row)
        refuse_ended(row)
        old = row.valid_to
        if old is None or (valid_to is not None and valid_to <= old):
            until = old.isoformat() if old else "长期"
            raise Invalid({"valid_to": [f"现在的有效期止是{until}，续期应晚于它。"]})
        checks.refuse_twice(
            row.organisation_id, row.kind, row.region, row.valid_from, valid_to, row.id
        )
        _move(row, version, valid_to=valid_to, source=source)
        told = {"valid_to": valid_to.isoformat() if valid_to else None, "source": source}
        work.record(
            "admission.renewed",
            ADMISSION.name,
            row.id,
            no=row.no,
            before={"valid_to": old.isoformat()},
            after=told,
        )
        until = valid_to.isoformat() if valid_to else "长期"
        add_event(work, ADMISSION.name, row.id, "renew", note=f"有效期至 {until}；依据：{source}")
        messages.tell_staff(messages.RENEWED, row, until)


def describe(actor: Actor, no: str, version: int, values: Mapping[str, Any]) -> int:
    """Let an organisation change the plain facts of its entry; returns the new version.

    They apply at once, and its office is told. What the office decided never changes here.

    Args:
        version: the `lock_version` that was looked at.
        values: of `FACTS`; what is left out stays, None empties.

    Raises:
        NotFound; Conflict: somebody changed it meanwhile, or it has ended; Invalid.
    """
    admission_id = load(actor, DESCRIBE, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Admission, admission_id)
        work.require(DESCRIBE, row)
        refuse_ended(row)
        before = {key: getattr(row, key) for key in FACTS}
        after = {key: values.get(key, before[key]) for key in FACTS}
        if sentence := rules.location_trouble(after["latitude"], after["longitude"]):
            raise Invalid({"latitude": [sentence]})
        changed = [key for key in FACTS if after[key] != before[key]]
        _move(row, version, **after, folded=_folded(row.name, after["address"]))
        if not changed:
            return version + 1
        work.record(
            "admission.described",
            ADMISSION.name,
            row.id,
            no=row.no,
            before={key: before[key] for key in changed},
            after={key: after[key] for key in changed},
        )
        words = "、".join(FACTS[key] for key in changed)
        event = add_event(work, ADMISSION.name, row.id, "describe", note=words)
        messages.tell_office(row, words, str(event.id))
        return version + 1


def do(actor: Actor, no: str, action: str, reason: str | None) -> None:
    """Suspend, resume or end an admission.

    Raises:
        NotFound; Conflict: its state does not lead there, or points still belong to the body;
        Invalid: no reason was given.
    """
    admission_id = load(actor, OVERSEE, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Admission, admission_id)
        if action == "end" and (hanging := checks.below(row)):
            names = "、".join(one.title for one in hanging[:3])
            raise Conflict(
                f"还有 {len(hanging)} 家归它管（{names}）：请先终止它们，或改到别的登记机构。"
            )
        words = (reason or "").strip() or None
        fired = fire(
            work,
            ADMISSION,
            row,
            action,
            reason=words,
            values={
                "reason": None if action == "resume" else words,
                "lock_version": row.lock_version + 1,
                "updated_at": clock.now(),
            },
        )
        messages.tell_staff(messages.OF_ACTS[action], row, str(fired.event.id), words)


def unrecord(actor: Actor, row: Admission) -> None:
    """Say that an admission goes again, since the import that made it is taken back.

    Call inside a unit of work, before the row is deleted. Its number is not used again.
    """
    with unit_of_work(actor) as work:
        work.require(RECORD, row)
        work.record("admission.unrecorded", ADMISSION.name, row.id, no=row.no, before=_told(row))
        messages.tell_staff(messages.UNRECORDED, row, "unrecorded")


# -- writing


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the row itself."""
    parent: Admission | None = values.get("parent")
    body = values["kind"] == BODY
    return {key: values.get(key) for key in _PLAIN} | {
        "region_id": values["region"],
        "parent_id": parent.id if parent else None,
        "mode": (values.get("mode") or "external") if body else None,
        "amount_fen": values.get("amount"),
        "folded": _folded(values.get("name"), values.get("address")),
    }


def _folded(name: str | None, address: str | None) -> str:
    return fold(f"{name or ''} {address or ''}")[:600]


def _move(row: Admission, version: int, **values: Any) -> None:
    """The guarded update: nobody saved since this version was looked at. Raises Conflict."""
    moved = db.session.execute(
        update(Admission)
        .where(Admission.id == row.id, Admission.lock_version == version)
        .values(lock_version=version + 1, updated_at=clock.now(), **values)
        .execution_options(synchronize_session=False)
    )
    if not moved.rowcount:  # type: ignore[attr-defined]
        raise Conflict(STALE)
    db.session.refresh(row)


def _fill(row: Admission, values: Mapping[str, Any], kind: str) -> None:
    """Write powers, areas, units and topics anew."""
    for model in (AdmissionPower, AdmissionArea, AdmissionUnit, AdmissionTopic):
        db.session.execute(delete(model).where(model.admission_id == row.id))
    powers = values.get("powers") or list(POWERS.get(kind, ()))
    areas = values.get("areas") or ([row.region_id] if kind in POWERS else [])
    units = list(dict.fromkeys(one.id for one in values.get("units") or ()))
    topics = [("field", one) for one in values.get("fields") or ()]
    topics += [("industry", one) for one in values.get("industries") or ()]
    key = {"admission_id": row.id}
    db.session.add_all(AdmissionPower(power=one, kind=kind, **key) for one in powers)
    db.session.add_all(AdmissionArea(region_id=one, **key) for one in areas)
    db.session.add_all(AdmissionUnit(organisation_id=one, **key) for one in units)
    db.session.add_all(AdmissionTopic(sort=sort, value=one, **key) for sort, one in topics)
    db.session.flush()
    db.session.expire(row)


def _told(row: Admission) -> dict[str, Any]:
    """What the audit keeps of an admission."""
    return {
        key: value.isoformat() if isinstance(value, date) else value
        for key, value in words_of(row).items()
    }
