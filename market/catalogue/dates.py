"""Days that have passed: what may not be offered any more, what is to be asked about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from market.core import clock
from market.core.importing import Options
from market.core.sheets import Row


def past_validity(until: date | None) -> str:
    """Why an end of validity cannot be taken; empty where it can."""
    if until is None or until >= clock.today():
        return ""
    return f"{until.isoformat()} 已经过去：请填今天或以后的日期，长期有效可不填。"


def past_deadline(deadline: date | None) -> str:
    """What to ask about a day by which a demand wants to be solved; empty where nothing."""
    if deadline is None or deadline >= clock.today():
        return ""
    return f"完成时限 {deadline.isoformat()} 已经过去，请核对。"


def judge_row(row: Row, content: Mapping[str, Any], options: Options, *, new: bool) -> None:
    """Report days of an imported row that have passed.

    Whoever runs the market may bring in what it had before; people bring what they offer now.
    """
    if late := past_deadline(content.get("deadline")):
        row.report("deadline", late, warning=True)
    if over := past_validity(content.get("valid_until")):
        row.report("valid_until", over, warning=not (options.by_people and new))
