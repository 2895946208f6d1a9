"""Limits of calls, when a deadline is over, and what ties two organisations together."""

from __future__ import annotations

import re
from datetime import date

from market.accounts.models import Organisation
from market.core import clock
from market.core.text import fold

LONGEST_OPEN = 366  # days from the present one to the deadline
LONGEST_CONDITIONS = 2000
LONGEST_APPROACH = 5000
LONGEST_TEAM = 2000
LONGEST_REASON = 1000
LONGEST_TYPED = 100_000  # characters of a field that a draft keeps; sending asks for less
LONGEST_MONTHS = 120
# What one does with a call, beside editing its draft.
ACTIONS = ("open", "extend", "choose", "fail", "confirm", "rechoose", "finish", "withdraw")
CALL_FILES, ANSWER_FILES = "call", "call_answer"
SHORTEST_NUMBER = 7  # digits below which a telephone number says nothing


def is_over(deadline: date) -> bool:
    """Whether a deadline passed: it lasts to the end of its day on the clock of China."""
    return clock.today() > deadline


def ties(owner: Organisation, answerer: Organisation) -> list[str]:
    """What the register shows of ties between the two, in sentences; a hint, not a judgement.

    Source: local rules for calls ask that the two are not related (宣城); what counts as related
    they do not say.
    """
    found = []
    if owner.supervisor_id is not None and owner.supervisor_id == answerer.supervisor_id:
        found.append("两家单位登记的隶属单位是同一家。")
    elif owner.supervising and fold(owner.supervising) == fold(answerer.supervising or ""):
        found.append(f"两家单位登记的隶属单位相同：{owner.supervising}。")
    if answerer.supervisor_id == owner.id:
        found.append("应答方隶属于需求方。")
    if owner.supervisor_id == answerer.id:
        found.append("需求方隶属于应答方。")
    shared = _numbers(owner.telephone) & _numbers(answerer.telephone)
    if shared:
        found.append(f"两家单位登记的电话相同：{'、'.join(sorted(shared))}。")
    return found


def _numbers(telephone: str | None) -> set[str]:
    parts = re.split(r"[,，;；、/ ]+", telephone or "")
    digits = (re.sub(r"\D", "", part) for part in parts)
    return {one for one in digits if len(one) >= SHORTEST_NUMBER}
