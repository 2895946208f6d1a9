"""Which rules a contract is decided under: seeds, the nearest set in force, clocks, thresholds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select

from market.contracts.models import RuleSet
from market.core import calendar, clock, holidays
from market.core.calendar import DueDate
from market.core.db import db
from market.core.models import ReferenceData
from market.core.permissions import SYSTEM, policy
from market.core.unit_of_work import unit_of_work
from market.regions import queries as regions
from market.regions.models import path_ids

DATA = Path(__file__).parent / "data" / "rule_sets.json"
LOAD = policy.declare("contracts:rule_set:load")
_DATES = ("valid_from", "valid_to")


def seed() -> None:
    """Bring the shipped rule sets into the database; what an office changed since stays as it is."""
    data = DATA.read_bytes()
    version = hashlib.sha256(data).hexdigest()
    held = db.session.get(ReferenceData, "contract_rule_sets")
    if held is not None and held.version == version:
        return
    records = json.loads(data)
    codes = {record["region"] for record in records if record["region"]}
    ids = {one.code: one.id for one in regions.by_codes(codes)}
    with unit_of_work(SYSTEM) as work:
        work.require(LOAD)
        rows = db.session.execute(select(RuleSet.code, RuleSet.region_id))
        known = {(code, region_id) for code, region_id in rows}
        for record in records:
            if (record["code"], region_id := ids.get(record["region"])) in known:
                continue
            db.session.add(_row(record, region_id))
        db.session.merge(ReferenceData(name="contract_rule_sets", version=version))
        work.record("rule_sets.loaded", "contract_rule_set", 0, after={"version": version})


def _row(record: Mapping[str, Any], region_id: int | None) -> RuleSet:
    now = clock.now()
    values = {key: value for key, value in record.items() if key not in {"region", *_DATES}}
    days = {key: date.fromisoformat(record[key]) if record[key] else None for key in _DATES}
    return RuleSet(region_id=region_id, created_at=now, updated_at=now, **values, **days)


def in_force(region_path: str, day: date) -> RuleSet | None:
    """The nearest enabled rule set of a region on a day; the later one where two are as near.

    Args:
        region_path: of the body's or office's region.
    """
    ids = path_ids(region_path)
    nearest = {region_id: depth for depth, region_id in enumerate(ids, start=1)}
    query = select(RuleSet).where(
        RuleSet.enabled,
        RuleSet.valid_from <= day,
        or_(RuleSet.valid_to.is_(None), RuleSet.valid_to >= day),
        or_(RuleSet.region_id.is_(None), RuleSet.region_id.in_(ids)),
    )
    found = db.session.scalars(query).all()
    if not found:
        return None
    return max(found, key=lambda one: (nearest.get(one.region_id or 0, 0), one.valid_from, one.id))


@dataclass(frozen=True)
class Amounts:
    """What thresholds compare, in fen. subject: the 标的额, where it is told apart."""

    total_fen: int | None
    technical_fen: int | None
    subject_fen: int | None = None


@dataclass(frozen=True)
class Reached:
    """A threshold that a contract reaches: what follows, and why in words."""

    effect: str
    base: str
    from_fen: int
    source: str


_BASES = {
    "technical_value": "technical_fen",
    "total_value": "total_fen",
    "subject_value": "subject_fen",
}


def reached(
    thresholds: Sequence[Mapping[str, Any]], contract_class: str, amounts: Amounts
) -> list[Reached]:
    """The thresholds that a contract reaches; the 标的额 counts as the total where none is told."""
    found = []
    for one in thresholds:
        if one["classes"] and contract_class not in one["classes"]:
            continue
        value = getattr(amounts, _BASES[one["base"]])
        if value is None and one["base"] == "subject_value":
            value = amounts.total_fen
        if value is not None and value >= one["from_fen"]:
            found.append(Reached(one["effect"], one["base"], one["from_fen"], one["source"]))
    return found


def due(rule_set: RuleSet | None, accepted_on: date, large: bool = False) -> DueDate | None:
    """The last day for the decision; None where no clock is known.

    Args:
        large: whether an "expert" threshold is reached, for which some rules give longer.
    """
    if rule_set is None or rule_set.clock_days is None:
        return None
    days = rule_set.large_days if large and rule_set.large_days else rule_set.clock_days
    if rule_set.clock_unit == "natural":
        return calendar.add_natural_days(accepted_on, days)
    known = holidays.overrides(accepted_on, accepted_on + timedelta(days=2 * days + 30))
    return calendar.add_working_days(accepted_on, days, known)


def days_elapsed(accepted_on: date, today: date) -> int:
    """Natural days since acceptance: what is shown where no clock is known."""
    return (today - accepted_on).days
