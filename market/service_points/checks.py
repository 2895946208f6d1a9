"""What must hold of an admission beside the directory: its parent, its places, once at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from market.accounts.models import Organisation
from market.accounts.roles import OFFICES
from market.core import clock
from market.core.db import db
from market.core.errors import Invalid
from market.core.permissions import Actor
from market.regions.models import Region
from market.service_points import rules
from market.service_points.models import BODY, PLACES, POINT, POWERS, Admission
from market.service_points.rules import Above

Note = Callable[[str, str | None], None]


@dataclass(frozen=True)
class Coming:
    """A parent that stands in the same file: in which row, and as what it will be there.

    existing_id: the admission that the row changes; None when the row is new.
    """

    number: int
    above: Above
    existing_id: int | None = None


def check(values: Mapping[str, Any], row: Admission | None) -> None:
    """Everything that must hold of an admission. Raises Invalid with all mistakes at once."""
    wrong = plain_mistakes(values)
    if values["kind"] == POINT and values.get("parent") is None:
        words = "请填它归哪家登记机构：服务点只帮助和递交，登记由上级登记机构办。"
        wrong.setdefault("parent", []).append(words)
    if not wrong:
        _check_places(values, row, _noting(wrong))
    if wrong:
        raise Invalid(wrong)


def plain_mistakes(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is wrong with the values themselves, whatever the directory holds."""
    kind = values["kind"]
    wrong: dict[str, list[str]] = {}
    note = _noting(wrong)
    note("valid_to", rules.period_trouble(values["valid_from"], values.get("valid_to")))
    note("powers", rules.powers_trouble(kind, values.get("powers") or ()))
    for key in ("parent", "units", "mode", "amount", "amount_base", "amount_meaning"):
        if values.get(key):
            note(key, rules.belongs_to_body_trouble(kind, key))
    if values.get("amount") and not values.get("amount_base"):
        note("amount_base", "请选限额口径；文件没有写明就选「口径未定」。")
    if values.get("amount_base") and not values.get("amount"):
        note("amount", "选了口径就请填限额；没有限额就把口径清空。")
    note("latitude", rules.location_trouble(values.get("latitude"), values.get("longitude")))
    return wrong


def _noting(wrong: dict[str, list[str]]) -> Note:
    def note(key: str, sentence: str | None) -> None:
        if sentence:
            wrong.setdefault(key, []).append(sentence)

    return note


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


def below(row: Admission) -> list[Admission]:
    """What still hangs on a body."""
    query = select(Admission).where(Admission.parent_id == row.id, Admission.state != "ended")
    return list(db.session.scalars(query.order_by(Admission.id)))


def above_of(row: Admission) -> Above:
    """What a body lets those below it."""
    return Above(
        row.title,
        tuple(area.region.path for area in row.areas),
        row.valid_from,
        row.valid_to,
        row.amount_fen,
        row.amount_base,
    )


def planned(values: Mapping[str, Any], title: str) -> Above:
    """The same of a body that is not written yet."""
    areas = _regions(values.get("areas") or [values["region"]])
    return Above(
        title,
        tuple(one.path for one in areas),
        values["valid_from"],
        values.get("valid_to"),
        values.get("amount"),
        values.get("amount_base"),
    )


def refuse_twice(
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
    for other in db.session.scalars(query.order_by(Admission.id)):
        if rules.overlaps(begins, ends, other.valid_from, other.valid_to):
            raise Invalid({"valid_to": [rules.twice_trouble(kind, other.no, region.full_name)]})


def _check_places(values: Mapping[str, Any], row: Admission | None, note: Note) -> None:
    kind, region_id = values["kind"], values["region"]
    region = db.session.get_one(Region, region_id)
    areas = _regions(values.get("areas") or [region_id])
    parent: Admission | Coming | None = values.get("parent")
    if parent is not None:
        _check_parent(parent, values, row, areas, note)
    if row is not None and kind == BODY:
        _check_below(values, row, areas, note)
    owner: Organisation = values["organisation"]
    try:
        refuse_twice(
            owner.id,
            kind,
            region,
            values["valid_from"],
            values.get("valid_to"),
            row.id if row else None,
        )
    except Invalid as error:
        note("organisation", " ".join(error.fields["valid_to"]))


def _check_parent(
    parent: Admission | Coming,
    values: Mapping[str, Any],
    row: Admission | None,
    areas: list[Region],
    note: Note,
) -> None:
    above = parent.above if isinstance(parent, Coming) else above_of(parent)
    held = row is not None and row.parent_id is not None and row.parent_id == _id_of(parent)
    if isinstance(parent, Admission):
        note("parent", _parent_trouble(parent, row))
    if not held:  # what hangs on a parent whose time has run out may still be mended
        note("parent", rules.over_trouble(above, values["valid_from"], clock.today()))
    if far := rules.outside([one.path for one in areas], above.areas):
        names = [one.full_name for one in areas if one.path in far]
        note("areas", rules.area_trouble(names, above.title))
    if values["kind"] == BODY:
        own = values.get("amount"), values.get("amount_base")
        note("amount", rules.amount_trouble(*own, above))


def _check_below(
    values: Mapping[str, Any], row: Admission, areas: list[Region], note: Note
) -> None:
    paths = [one.path for one in areas]
    amount, base = values.get("amount"), values.get("amount_base")
    own = Above(row.title, tuple(paths), row.valid_from, None, amount, base)
    for one in below(row):
        if rules.outside([area.region.path for area in one.areas], paths):
            note("areas", f"归它管的「{one.title}」会落在服务范围之外，请先改那一家。")
        if rules.amount_trouble(one.amount_fen, one.amount_base, own):
            note("amount", f"归它管的「{one.title}」的登记限额会超过它，请先改那一家。")


def _id_of(parent: Admission | Coming) -> int | None:
    return parent.existing_id if isinstance(parent, Coming) else parent.id


def _parent_trouble(parent: Admission, row: Admission | None) -> str | None:
    if parent.kind != BODY:
        return "上级须是登记机构，不能是服务点或别的机构。"
    if parent.state == "ended":
        return rules.ended_trouble(parent.title, parent.no)
    above: Admission | None = parent
    while row is not None and above is not None:
        if above.id == row.id:
            return "它自己或归它管的机构不能作它的上级：上下级会连成一圈。"
        above = above.parent
    return None


def _regions(ids: Iterable[int]) -> list[Region]:
    query = select(Region).where(Region.id.in_(set(ids)))
    return list(db.session.scalars(query.order_by(Region.id)))
