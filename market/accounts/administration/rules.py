"""What administrators may do to whom. No database in here.

GB/T 22239-2019 (and 三员分立 as offices practise it): the administration of the system, of rights
and of the audit lies with three people, none of whom may hold a second role.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from market.accounts.roles import ROLES, Role

MOST_EXPORTED = 100_000


@dataclass(frozen=True)
class Wanted:
    """A grant that somebody is to be given; `level` is that of the region."""

    role: str
    has_organisation: bool
    has_region: bool
    level: str
    valid_from: date
    valid_to: date | None


def faults(wanted: Wanted, held: Sequence[str], today: date) -> dict[str, list[str]]:
    """What is wrong with a grant: field → sentences.

    Args:
        held: the roles that the person has now or will have.
    """
    found: dict[str, list[str]] = {}
    role = ROLES.get(wanted.role)
    if role is None:
        return {"role": ["请选择角色。"]}
    if (sentence := together(role, held)) is not None:
        found["role"] = [sentence]
    found |= _place(role, wanted)
    if wanted.valid_from < today:
        found["valid_from"] = ["不能早于今天。"]
    if wanted.valid_to is not None and wanted.valid_to < wanted.valid_from:
        found["valid_to"] = ["不能早于开始日期。"]
    return found


def together(role: Role, held: Sequence[str]) -> str | None:
    """Why a person with these roles cannot have this one too."""
    if role.alone and held:
        words = "、".join(ROLES[one].label for one in dict.fromkeys(held))
        return f"「{role.label}」不能兼任其他角色；此人现为：{words}。"
    alone = next((ROLES[one] for one in held if ROLES[one].alone), None)
    return f"此人是「{alone.label}」，不能兼任其他角色。" if alone is not None else None


_LEVELS = {"county": "县（市、区）", "prefecture": "市（州）", "province": "省"}


def _place(role: Role, wanted: Wanted) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if role.scope == "organisation":
        if not wanted.has_organisation:
            found["organisation"] = ["请填这个角色所在的单位。"]
        if wanted.has_region:
            found["region"] = ["这个角色按单位授予，地区请留空。"]
    elif role.scope == "region":
        if not wanted.has_region:
            found["region"] = ["请填负责的地区。"]
        elif role.level and wanted.level != role.level:
            found["region"] = [f"「{role.label}」只能负责一个{_LEVELS[role.level]}。"]
        elif not role.level and wanted.level not in _LEVELS:
            found["region"] = ["请填县（市、区）以上的地区。"]
    else:
        if wanted.has_organisation:
            found["organisation"] = ["这个角色不属于单位，请留空。"]
        if wanted.has_region:
            found["region"] = ["这个角色不分地区，请留空。"]
    return found
