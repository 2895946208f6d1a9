"""What administrators may do to whom. No database in here.

GB/T 22239-2019 (and 三员分立 as offices practise it): the administration of the system, of rights
and of the audit lies with three people, none of whom may hold a second role.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from market.accounts.roles import ROLES, Role
from market.core.secrets import pseudonym

_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})")
_EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,63}")
_FILLING = re.compile(r"[\s()-]+")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
MOST_EXPORTED = 100_000


@dataclass(frozen=True)
class Contact:
    """A telephone or an e-mail address as it is kept. kind: mobile or email."""

    kind: str
    value: str

    @property
    def purpose(self) -> str:
        """What it is sealed for."""
        return f"person.{self.kind}"

    @property
    def key(self) -> str:
        """What it is looked up by."""
        return pseudonym(self.value, self.purpose)


def read_contact(text: str) -> Contact | None:
    """The mobile number or e-mail address that was typed; None when it is neither."""
    folded = unicodedata.normalize("NFKC", text).strip()
    if match := _MOBILE.fullmatch(_FILLING.sub("", folded)):
        return Contact("mobile", match[1])
    lower = folded.casefold()
    return Contact("email", lower) if len(lower) <= 254 and _EMAIL.fullmatch(lower) else None


def masked(contact: str) -> str:
    """138****1234, a***@x.cn."""
    if "@" in contact:
        name, _at, host = contact.partition("@")
        return f"{name[:1]}***@{host}"
    return f"{contact[:3]}****{contact[-4:]}" if len(contact) >= 11 else "****"


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


def weak(password: str) -> str | None:
    """Why a password is not taken."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return f"密码应为 {SHORTEST_PASSWORD} 到 {LONGEST_PASSWORD} 个字符。"
    return "密码太简单：请用多种字符。" if len(set(password)) < 5 else None
