"""How a body that keeps its register here writes its numbers: formats by year, the next number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from market.contracts import serials
from market.contracts.desk.workflow import NUMBERS
from market.contracts.models import NumberFormat
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.permissions import Actor, policy
from market.core.unit_of_work import unit_of_work
from market.service_points.models import BODY, Admission

LAST_YEAR = 2200


@dataclass(frozen=True)
class Numbering:
    """A body's numbers. upcoming: what the next one would be; trouble: why there is none."""

    body: Admission
    formats: Sequence[NumberFormat]
    pattern: str
    body_code: str
    given: int
    upcoming: str
    trouble: str = ""


def bodies(actor: Actor) -> Sequence[Admission]:
    """Bodies that keep their own register and whose numbers the actor sets."""
    query = select(Admission).where(
        Admission.kind == BODY, Admission.mode == "own", Admission.state != "ended"
    )
    own = policy.where(actor, NUMBERS, Admission)
    return db.session.scalars(query.where(own).order_by(Admission.id)).all()


def of(body: Admission) -> Numbering:
    """The numbers of a body as they are written today."""
    today = clock.today()
    pattern, code = serials.format_of(body.id, today.year)
    given = serials.given(body.id, today.year)
    formats = select(NumberFormat).where(NumberFormat.body_id == body.id)
    trouble = serials.pattern_trouble(pattern) or ""
    return Numbering(
        body=body,
        formats=db.session.scalars(formats.order_by(NumberFormat.from_year.desc())).all(),
        pattern=pattern,
        body_code=code,
        given=given,
        upcoming=""
        if trouble
        else serials.written(pattern, today, body.region.code, code, given + 1),
        trouble=trouble,
    )


def find(actor: Actor, no: str) -> Admission:
    """A body whose numbers the actor sets. Raises NotFound."""
    query = select(Admission).where(
        Admission.no == no, Admission.mode == "own", policy.where(actor, NUMBERS, Admission)
    )
    found = db.session.scalars(query).first()
    if found is None:
        raise NotFound(f"没有编号为 {no} 的在本站登记的机构。")
    return found


def set_format(actor: Actor, no: str, values: Mapping[str, Any]) -> None:
    """Say how numbers are written from a year on; numbers given stay as they are.

    Args:
        values: from_year, pattern, body_code.

    Raises:
        Invalid: the pattern is wrong, a year is past, or another body writes the same numbers.
        Conflict: numbers of that year were given already.
    """
    year, pattern, code = values["from_year"], values["pattern"], values.get("body_code") or ""
    if (trouble := serials.pattern_trouble(pattern)) is not None:
        raise Invalid({"pattern": [trouble]})
    if "{body}" in pattern and not code:
        raise Invalid({"body_code": ["编号格式里用了 {body}，请填写机构代码。"]})
    if not clock.today().year <= year <= LAST_YEAR:
        raise Invalid({"from_year": ["只能从今年或以后的年份起改。"]})
    with unit_of_work(actor) as work:
        body = find(actor, no)
        work.require(NUMBERS, body)
        if given := serials.given(body.id, year):
            raise Conflict(f"{year} 年已按现行格式编了 {given} 个号，请从 {year + 1} 年起改。")
        _refuse_shared(body, year, pattern, code)
        row = db.session.scalars(
            select(NumberFormat).where(
                NumberFormat.body_id == body.id, NumberFormat.from_year == year
            )
        ).first()
        before = row.pattern if row is not None else None
        if row is None:
            row = NumberFormat(body_id=body.id, from_year=year, created_at=clock.now())
            db.session.add(row)
        row.pattern, row.body_code, row.author = pattern, code or None, actor.label
        work.record(
            "number_format.set",
            "admission",
            body.id,
            no=body.no,
            before={"pattern": before},
            after={"from_year": year, "pattern": pattern, "body_code": code},
        )


def _refuse_shared(body: Admission, year: int, pattern: str, code: str) -> None:
    """Refuse a format by which two bodies would give the same number. Raises Invalid."""
    day = clock.today().replace(year=year, month=1, day=1)
    first = serials.written(pattern, day, body.region.code, code, 1)
    others = select(Admission).where(
        Admission.kind == BODY,
        Admission.mode == "own",
        Admission.id != body.id,
        Admission.state != "ended",
    )
    for other in db.session.scalars(others):
        theirs, their_code = serials.format_of(other.id, year)
        if serials.written(theirs, day, other.region.code, their_code, 1) == first:
            words = (
                f"{other.title}的第 1 号也是 {first}，两家会编出同样的号：请加上机构代码 {{body}}。"
            )
            raise Invalid({"pattern": [words]})
