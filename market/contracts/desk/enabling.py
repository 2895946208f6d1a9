"""Rules of an area: what is in force, enabling unconfirmed ones by a document, ending that again.

A row once in force is never rewritten: enabling makes a row of the area's own from a day on, ending
gives it a last day. Contracts keep the rules they were accepted under.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import or_, select

from market.accounts.roles import OFFICES
from market.contracts import rule_sets
from market.contracts.codes import CLASSES
from market.contracts.desk import register
from market.contracts.desk.workflow import ENABLE
from market.contracts.models import RuleSet
from market.contracts.office_models import CLOCK_UNITS, EFFECTS, THRESHOLD_BASES
from market.core import clock, files
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.files import Upload
from market.core.money import show_yuan
from market.core.permissions import Actor
from market.core.unit_of_work import unit_of_work
from market.regions.models import Region, path_ids

DOCUMENT = "contract_rule_set"  # the kind of object that the document is attached to
_SAME = ("code", "label", "clock_days", "clock_unit", "large_days", "restarts", "thresholds")


@dataclass(frozen=True)
class Area:
    """A region that the actor looks after, and the rules in force there."""

    region: Region
    in_force: RuleSet | None
    own: Sequence[RuleSet]


def places(actor: Actor) -> Sequence[str]:
    """Areas of the actor's offices; of examiners, where their bodies stand."""
    return actor.areas(*OFFICES) or register.places_of_bodies(actor)


def areas(actor: Actor, paths: Sequence[str] = ()) -> list[Area]:
    """The rules of the actor's areas. paths: instead of those of his offices (a body's place)."""
    today = clock.today()
    found = []
    for path in paths or actor.areas(*OFFICES):
        region = db.session.get_one(Region, path_ids(path)[-1])
        own = select(RuleSet).where(RuleSet.region_id == region.id)
        found.append(
            Area(
                region,
                rule_sets.in_force(path, today),
                db.session.scalars(own.order_by(RuleSet.valid_from.desc(), RuleSet.id)).all(),
            )
        )
    return found


def to_enable(path: str) -> Sequence[RuleSet]:
    """Texts that are in force nowhere until an office enables them, of this region or above it."""
    query = select(RuleSet).where(
        RuleSet.enabled.is_(False),
        or_(RuleSet.region_id.is_(None), RuleSet.region_id.in_(path_ids(path))),
    )
    return db.session.scalars(query.order_by(RuleSet.id)).all()


def find(rule_set_id: int) -> RuleSet:
    """A rule set. Raises NotFound."""
    found = db.session.get(RuleSet, rule_set_id)
    if found is None:
        raise NotFound("没有这套登记规则。")
    return found


def enable(
    actor: Actor,
    rule_set_id: int,
    area: str,
    values: Mapping[str, Any],
    paper: Upload | None = None,
) -> int:
    """Put an unconfirmed text in force in one's own area from a day on; gives the new row's id.

    Args:
        area: code of the region. values: valid_from, document (its name and number).
        paper: a scan of the document.

    Raises:
        Conflict: it is in force already. Invalid: the day lies before today.
        Denied: another's area.
    """
    begins: date = values["valid_from"]
    if begins < clock.today():
        raise Invalid({"valid_from": ["施行日期不能早于今天：已受理和已决定的合同不受影响。"]})
    with unit_of_work(actor) as work:
        draft = find(rule_set_id)
        region = db.session.scalars(select(Region).where(Region.code == area)).first()
        if region is None:
            raise Invalid({"area": ["没有这个地区。"]})
        if draft.enabled:
            raise Conflict("这套规则已经施行，不用再启用。")
        now = clock.now()
        row = RuleSet(
            **{name: getattr(draft, name) for name in _SAME},
            source=f"{draft.source}；本地区依据：{values['document']}"[:500],
            region_id=region.id,
            region=region,
            valid_from=begins,
            confirmed=draft.confirmed,
            enabled=True,
            enabled_by=actor.label,
            created_at=now,
            updated_at=now,
        )
        work.require(ENABLE, row)
        _refuse_twice(row)
        db.session.add(row)
        db.session.flush()
        if paper is not None:
            files.attach(work, paper, DOCUMENT, row.id, purpose="document")
        work.record(
            "rule_set.enabled",
            "contract_rule_set",
            row.id,
            after={"code": row.code, "region": region.code, "document": values["document"]},
        )
        return row.id


def _refuse_twice(row: RuleSet) -> None:
    """Refuse what the area has enabled already and not ended before. Raises Conflict."""
    query = select(RuleSet).where(
        RuleSet.code == row.code,
        RuleSet.region_id == row.region_id,
        or_(RuleSet.valid_to.is_(None), RuleSet.valid_to >= row.valid_from),
    )
    with db.session.no_autoflush:
        there = db.session.scalars(query.limit(1)).first()
    if there is not None:
        raise Conflict(f"本地区已启用这套规则，从 {there.valid_from} 起施行。")


def end(
    actor: Actor, rule_set_id: int, values: Mapping[str, Any], version: int | None = None
) -> None:
    """Give what an office enabled its last day.

    Args:
        values: valid_to, document.

    Raises:
        Conflict: it was changed meanwhile, or is not one of an office. Invalid: the day is past.
    """
    last: date = values["valid_to"]
    with unit_of_work(actor) as work:
        row = db.session.scalars(
            select(RuleSet).where(RuleSet.id == rule_set_id).with_for_update(of=RuleSet)
        ).first()
        if row is None:
            raise NotFound("没有这套登记规则。")
        work.require(ENABLE, row)
        if row.enabled_by is None:
            raise Conflict("随本系统提供的规则不在这里停用。")
        if version is not None and version != row.lock_version:
            raise Conflict("这套规则刚有改动，请先看新内容。")
        if last < max(clock.today(), row.valid_from):
            raise Invalid({"valid_to": ["最后一天不能早于今天，也不能早于施行日期。"]})
        before = row.valid_to
        row.valid_to, row.updated_at = last, clock.now()
        row.lock_version += 1
        work.record(
            "rule_set.ended",
            "contract_rule_set",
            row.id,
            before={"valid_to": before.isoformat() if before else None},
            after={"valid_to": last.isoformat(), "document": values["document"]},
        )


def clock_words(row: RuleSet) -> str:
    """The clock in words; where none is known that is said."""
    if row.clock_days is None:
        return "没有已知的办理时限，只显示已办天数"
    unit = CLOCK_UNITS[row.clock_unit or "natural"]
    longer = f"，须专家评审的 {row.large_days} 个{unit}" if row.large_days else ""
    again = "；补正后重新起算" if row.restarts else ""
    return f"受理之日起 {row.clock_days} 个{unit}{longer}{again}"


def threshold_words(row: RuleSet) -> list[str]:
    """The thresholds in words, each with its source."""
    found = []
    for one in row.thresholds:
        kinds = (
            "、".join(CLASSES[code] for code in one["classes"]) if one["classes"] else "各类合同"
        )
        base, effect = THRESHOLD_BASES[one["base"]], EFFECTS[one["effect"]]
        found.append(
            f"{kinds}：{base}达到 {show_yuan(one['from_fen'])}，{effect}（{one['source']}）"
        )
    return found
