"""Numbers of a body that keeps its register here: without gaps, per body and year.

The counter moves in the transaction that registers the contract: a rollback takes both back.
"""

from __future__ import annotations

import re
import string
from datetime import date

from sqlalchemy import select, text

from market.contracts.models import NumberCounter, NumberFormat
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.service_points.models import Admission

# What the national guides show: fourteen digits before, sixteen now.
NATIONAL = re.compile(r"\d{14}|\d{16}")
DEFAULT = "{year}{region}{serial:06d}"
_KNOWN = {"year", "yy", "region", "body", "serial"}
_TAKE = text(
    "INSERT INTO contract_number_counter (body_id, year, last) VALUES (:body, :year, 1) "
    "ON CONFLICT (body_id, year) DO UPDATE SET last = contract_number_counter.last + 1 "
    "RETURNING last"
)


def number_trouble(no: str) -> str | None:
    """What is wrong with a number of the national system, in a sentence; None when nothing is."""
    if NATIONAL.fullmatch(no):
        return None
    if no.isdigit():
        return f"合同登记编号应为 14 位或 16 位数字，您填的是 {len(no)} 位，请对照登记证明核对。"
    return "合同登记编号应为 14 位或 16 位数字，请对照登记证明核对。"


def pattern_trouble(pattern: str) -> str | None:
    """What is wrong with a format of numbers, in a sentence; None when nothing is."""
    try:
        parts = list(string.Formatter().parse(pattern))
    except ValueError:
        return "编号格式中的花括号不成对。"
    names = [name for _, name, _, _ in parts if name is not None]
    if set(names) - _KNOWN:
        return "编号格式只能用 {year}、{yy}、{region}、{body} 和 {serial:06d}。"
    specs = [spec for _, name, spec, _ in parts if name == "serial"]
    if len(specs) != 1 or not re.fullmatch(r"0[3-9]d", specs[0] or ""):
        return "编号格式须有且只有一个流水号，如 {serial:06d}。"
    if not {"year", "yy"} & set(names):
        return "编号格式须有年份 {year} 或 {yy}：流水号每年从 1 开始。"
    return None


def written(pattern: str, day: date, region: str, body: str, serial: int) -> str:
    """A number by a format. region: six digits of the body's region; body: its own code."""
    return pattern.format(
        year=f"{day.year:04d}",
        yy=f"{day.year % 100:02d}",
        region=region[:6],
        body=body,
        serial=serial,
    )


def format_of(body_id: int, year: int) -> tuple[str, str]:
    """The format of a body's numbers in a year, and the body's own code in them."""
    known = db.session.scalar(
        select(NumberFormat)
        .where(NumberFormat.body_id == body_id, NumberFormat.from_year <= year)
        .order_by(NumberFormat.from_year.desc())
        .limit(1)
    )
    return (known.pattern, known.body_code or "") if known else (DEFAULT, "")


def given(body_id: int, year: int) -> int:
    """How many numbers a body gave in a year."""
    counter = db.session.get(NumberCounter, (body_id, year))
    return counter.last if counter is not None else 0


def take(body: Admission, day: date) -> str:
    """The next number of a body; call inside the unit of work that registers the contract.

    Raises:
        Conflict: the format has no room for more numbers this year.
    """
    pattern, own = format_of(body.id, day.year)
    if (trouble := pattern_trouble(pattern)) is not None:
        raise Invalid({"pattern": [trouble]})
    serial = db.session.execute(_TAKE, {"body": body.id, "year": day.year}).scalar_one()
    found = written(pattern, day, body.region.code, own, serial)
    if len(found) != len(written(pattern, day, body.region.code, own, 1)):
        raise Conflict("今年的流水号已用完，请先改编号格式。")
    return found
