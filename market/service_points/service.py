"""Changing admissions: recording, editing, renewing, suspending, ending, and who works there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import delete, select, update

from market.accounts.models import Organisation
from market.accounts.roles import OFFICES
from market.core import clock, numbers
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.permissions import Actor
from market.core.text import fold
from market.core.unit_of_work import unit_of_work
from market.core.workflow import add_event, begin, fire
from market.regions.models import Region
from market.service_points import rules
from market.service_points.finding import words_of
from market.service_points.models import (
    BODY,
    PLACES,
    POINT,
    POWERS,
    Admission,
    AdmissionArea,
    AdmissionPower,
    AdmissionTopic,
    AdmissionUnit,
)
from market.service_points.queries import load, refuse_ended
from market.service_points.workflow import ADMISSION, EDIT, OVERSEE, RECORD

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


def record(actor: Actor, values: Mapping[str, Any], *, demo: bool = False) -> str:
    """Record that an organisation was admitted; returns its number.

    Args:
        values: of `AdmissionSchema`, with what they name found by `finding.Finder.resolve`.

    Raises:
        Invalid: something does not fit, at its field. Denied: outside the officer's area.
    """
    now = clock.now()
    with unit_of_work(actor) as work:
        check(values, None)
        check_reach(work.actor, values, None)
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
        check(whole, row)
        check_reach(work.actor, whole, row)
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
        _refuse_twice(row.organisation_id, row.kind, row.region, row.valid_from, valid_to, row.id)
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


def do(actor: Actor, no: str, action: str, reason: str | None) -> None:
    """Suspend, resume or end an admission.

    Raises:
        NotFound; Conflict: its state does not lead there, or points still belong to the body;
        Invalid: no reason was given.
    """
    admission_id = load(actor, OVERSEE, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Admission, admission_id)
        if action == "end" and (below := _below(row)):
            names = "、".join(one.title for one in below[:3])
            raise Conflict(
                f"还有 {len(below)} 家归它管（{names}）：请先终止它们，或改到别的登记机构。"
            )
        words = (reason or "").strip() or None
        fire(
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


# -- what must hold


def _below(row: Admission) -> list[Admission]:
    """What still hangs on a body."""
    query = select(Admission).where(Admission.parent_id == row.id, Admission.state != "ended")
    return list(db.session.scalars(query.order_by(Admission.id)))


def check(values: Mapping[str, Any], row: Admission | None) -> None:
    """Everything that must hold of an admission. Raises Invalid with all mistakes at once."""
    kind = values["kind"]
    wrong: dict[str, list[str]] = {}

    def note(key: str, sentence: str | None) -> None:
        if sentence:
            wrong.setdefault(key, []).append(sentence)

    note("valid_to", rules.period_trouble(values["valid_from"], values.get("valid_to")))
    note("powers", rules.powers_trouble(kind, values.get("powers") or ()))
    for key in ("parent", "units", "mode", "amount", "amount_base", "amount_meaning"):
        if values.get(key):
            note(key, rules.belongs_to_body_trouble(kind, key))
    if values.get("amount") and not values.get("amount_base"):
        note("amount_base", "请选限额口径；文件没有写明就选「口径未定」。")
    if values.get("amount_base") and not values.get("amount"):
        note("amount", "选了口径就请填限额；没有限额就把口径清空。")
    if (values.get("latitude") is None) != (values.get("longitude") is None):
        note("latitude", "经度和纬度要么都填，要么都空着。")
    if kind == POINT and values.get("parent") is None:
        note("parent", "请填它归哪家登记机构：服务点只帮助和递交，登记由上级登记机构办。")
    if not wrong:
        _check_places(values, row, note)
    if wrong:
        raise Invalid(wrong)


def check_reach(actor: Actor, values: Mapping[str, Any], row: Admission | None) -> None:
    """Refuse that an office lets a body or a point serve places that it does not look after.

    Who registers for a place follows from this, so only its own offices, or those above, may say so.

    Raises:
        Invalid: at the areas or units that are new and lie outside.
    """
    if values["kind"] not in POWERS or actor.kind == "system":
        return
    own = actor.areas(*OFFICES)
    held = {one.region_id for one in row.areas} if row else set()
    named = {one.organisation_id for one in row.units} if row else set()
    areas = [one for one in _regions(values.get("areas") or ()) if one.id not in held]
    units = [one for one in values.get("units") or () if one.id not in named]
    wrong = {}
    if far := rules.outside([one.path for one in areas], own):
        wrong["areas"] = [rules.reach_trouble([r.full_name for r in areas if r.path in far])]
    if far := rules.outside([one.region.path for one in units], own):
        wrong["units"] = [rules.reach_trouble([u.name for u in units if u.region.path in far])]
    if wrong:
        raise Invalid(wrong)


def _check_places(values: Mapping[str, Any], row: Admission | None, note: Any) -> None:
    kind, region_id = values["kind"], values["region"]
    region = db.session.get_one(Region, region_id)
    areas = _regions(values.get("areas") or [region_id])
    parent: Admission | None = values.get("parent")
    if parent is not None:
        note("parent", _parent_trouble(parent, row))
        above = [one.region.path for one in parent.areas]
        far = rules.outside([one.path for one in areas], above)
        if far:
            names = [one.full_name for one in areas if one.path in far]
            note("areas", rules.area_trouble(names, parent.title))
    if row is not None and kind == BODY:
        for one in _below(row):
            if rules.outside([area.region.path for area in one.areas], [a.path for a in areas]):
                note("areas", f"归它管的「{one.title}」会落在服务范围之外，请先改那一家。")
    owner: Organisation = values["organisation"]
    try:
        _refuse_twice(
            owner.id,
            kind,
            region,
            values["valid_from"],
            values.get("valid_to"),
            row.id if row else None,
        )
    except Invalid as error:
        note("organisation", " ".join(error.fields["valid_to"]))


def _parent_trouble(parent: Admission, row: Admission | None) -> str | None:
    if parent.kind != BODY or parent.state == "ended":
        return "上级须是在册的登记机构。"
    above: Admission | None = parent
    while row is not None and above is not None:
        if above.id == row.id:
            return "它自己或归它管的机构不能作它的上级。"
        above = above.parent
    return None


def _refuse_twice(
    organisation_id: int,
    kind: str,
    region: Region,
    begins: date,
    ends: date | None,
    own_id: int | None,
) -> None:
    """Refuse the same organisation in the same kind at the same time. Raises Invalid."""
    # Who records the same organisation at the same moment waits here.
    db.session.execute(
        select(Organisation.id).where(Organisation.id == organisation_id).with_for_update()
    )
    query = select(Admission).where(
        Admission.organisation_id == organisation_id,
        Admission.kind == kind,
        Admission.state != "ended",
        Admission.id != (own_id or 0),
    )
    if kind in PLACES:
        query = query.where(Admission.region_id == region.id)
    for other in db.session.scalars(query):
        if rules.overlaps(begins, ends, other.valid_from, other.valid_to):
            raise Invalid({"valid_to": [rules.twice_trouble(kind, other.no, region.full_name)]})


# -- writing


def _regions(ids: Iterable[int]) -> list[Region]:
    return list(db.session.scalars(select(Region).where(Region.id.in_(set(ids)))))


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the row itself."""
    parent: Admission | None = values.get("parent")
    body = values["kind"] == BODY
    return {key: values.get(key) for key in _PLAIN} | {
        "region_id": values["region"],
        "parent_id": parent.id if parent else None,
        "mode": (values.get("mode") or "external") if body else None,
        "amount_fen": values.get("amount"),
        "folded": fold(f"{values.get('name') or ''} {values.get('address') or ''}")[:600],
    }


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
