"""Fields of a contract in words, as pages about versions show them; personal values are masked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from market.contracts import content as fields
from market.contracts.codes import IP_KINDS, NATURES
from market.contracts.schemas import LABELS, PARTY_LISTS, PERSONAL, ContentSchema, Rate
from market.core.fields import Choice, YesNo, Yuan
from market.core.masking import mask_name, mask_telephone
from market.core.money import show_yuan
from market.regions import queries as regions

_FIELDS = ContentSchema().fields


@dataclass(frozen=True)
class Line:
    """A field of one or two versions in words. hidden: only masked personal values differ."""

    name: str
    label: str
    old: str
    new: str
    hidden: bool = False

    @property
    def differs(self) -> bool:
        return self.hidden or self.old != self.new


def in_words(name: str, value: Any) -> str:
    """A field's value as a page shows it; empty where there is none."""
    if value is None or value == [] or value == "":
        return ""
    if name in PARTY_LISTS:
        return "\n".join(map(_party, value))
    if name == "rights":
        return "\n".join(map(_right, value))
    if name == "plan":
        return "\n".join(map(_instalment, value))
    field = _FIELDS[name]
    if isinstance(field, Yuan):
        return show_yuan(value)
    if isinstance(field, Choice):
        return field.choices.get(value, str(value))
    if isinstance(field, Rate):
        return f"{value / 100:g} %"
    if isinstance(field, YesNo):
        return "是" if value else "否"
    return str(value)


def masked(row: Mapping[str, Any]) -> dict[str, Any]:
    """A party with its personal values masked."""
    hide: dict[str, Callable[[str], str]] = {
        "legal_person": mask_name,
        "contact": mask_name,
        "telephone": mask_telephone,
    }
    return {key: hide[key](value) if key in PERSONAL else value for key, value in row.items()}


def _party(row: Mapping[str, Any]) -> str:
    one = masked(row)
    code = f"（{one['uscc']}）" if one.get("uscc") else ""
    rest = [
        ("" if one.get("country", "CHN") == "CHN" else f"国别 {one['country']}"),
        f"行政区划 {_place(one['region_code'])}" if one.get("region_code") else "",
        NATURES.get(one.get("nature", ""), ""),
        f"法定代表人 {one['legal_person']}" if one.get("legal_person") else "",
        f"经办人 {one['contact']}" if one.get("contact") else "",
        f"电话 {one['telephone']}" if one.get("telephone") else "",
        one.get("address", ""),
    ]
    return "，".join([f"{one.get('name', '')}{code}", *filter(None, rest)])


def _place(code: str) -> str:
    found = regions.by_codes({code})
    return found[0].full_name if found else code


def _right(row: Mapping[str, Any]) -> str:
    rest = [row.get("number", ""), row.get("holder", "")]
    rest += [f"有效期止 {row['ends']}"] if row.get("ends") else []
    return "，".join([IP_KINDS.get(row["kind"], row["kind"]), *filter(None, rest)])


def _instalment(row: Mapping[str, Any]) -> str:
    said = [row.get("when", ""), row.get("what", ""), show_yuan(row["amount_fen"])]
    return "，".join(filter(None, said))


def whole(content: Mapping[str, Any]) -> list[Line]:
    """All filled fields of a version, in the order of the form."""
    readable = fields.unpack(content)
    shown = [(name, in_words(name, readable.get(name))) for name in LABELS]
    return [Line(name, LABELS[name], words, words) for name, words in shown if words]


def compared(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Line]:
    """All fields that one of two versions has, old beside new."""
    changed = {name for name, _, _ in fields.differences(old, new)}
    one, other = fields.unpack(old), fields.unpack(new)
    found = []
    for name, label in LABELS.items():
        before, after = in_words(name, one.get(name)), in_words(name, other.get(name))
        if before or after:
            found.append(Line(name, label, before, after, name in changed and before == after))
    return found


def changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Line]:
    """The fields in which two versions differ, old beside new."""
    return [line for line in compared(old, new) if line.differs]


def for_programs(content: Mapping[str, Any]) -> dict[str, Any]:
    """A version as programs are told it: codes and whole fen, personal values masked."""
    found = fields.unpack(content)
    for name in PARTY_LISTS:
        if name in found:
            rows: Sequence[Mapping[str, Any]] = found[name]
            found[name] = [masked(row) for row in rows]
    return found
