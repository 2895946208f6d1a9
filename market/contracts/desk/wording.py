"""A contract's fields in words, in the order of the national form; for pages, sheets and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from market.contracts import codes, queries
from market.contracts.schemas import LABELS, PARTY_LISTS, PERSONAL, SUBCLASS_LABELS, PartySchema
from market.core.masking import mask_name, mask_telephone
from market.core.money import format_yuan, show_yuan
from market.regions import queries as regions

_CHOICES: Mapping[str, Mapping[str, str]] = {
    "contract_class": codes.CLASSES,
    "subclass": SUBCLASS_LABELS,
    "licence_kind": codes.LICENCE_KINDS,
    "plan_source": codes.PLANS,
    "field": codes.FIELDS,
    "aim": codes.AIMS,
    "payment": codes.PAYMENTS,
    "royalty_base": codes.ROYALTY_BASES,
    "ownership": codes.OWNERSHIP,
}
_PARTY_LABELS = {name: one.metadata["label"] for name, one in PartySchema().fields.items()}
_HOME = "CHN"
_SIDE_LABELS = {"sellers": "卖方", "buyers": "买方", "thirds": "中介方"}


@dataclass(frozen=True)
class Told:
    """A field in words. plain: as it is typed into a form; shown: as people read it."""

    name: str
    label: str
    plain: str
    shown: str


@dataclass(frozen=True)
class Group:
    """Fields that stand together on the form."""

    title: str
    rows: Sequence[Told]


_GROUPS: Mapping[str, tuple[str, ...]] = {
    "合同": (
        "title", "contract_class", "subclass", "licence_kind", "signed_on", "signed_at",
        "effective_on", "valid_from", "valid_to", "is_foreign", "is_related", "secrecy",
    ),
    "分类": ("plan_source", "field", "aim", "industry", "rights", "broker"),
    "金额": (
        "total_fen", "technical_fen", "non_technical_fen", "non_technical_words", "payment",
        "entry_fen", "royalty_bp", "royalty_base", "plan", "currency", "exchange",
        "new_input_fen", "new_output_fen",
    ),
    "内容": ("subject", "ownership", "acceptance", "dispute", "term_months"),
}  # fmt: skip


def groups(content: Mapping[str, Any], *, masked: bool = True) -> list[Group]:
    """What a contract says, filled fields only, in the order of the national form.

    Args:
        content: unpacked. masked: whether personal values are hidden.
    """
    places = _places(content)
    parties = [
        Group(
            f"{_SIDE_LABELS[name]}{number if len(content[name]) > 1 else ''}",
            _party(row, masked, places),
        )
        for name in PARTY_LISTS
        for number, row in enumerate(content.get(name, []), 1)
    ]
    told = [
        Group(title, [_told(name, content[name]) for name in names if _filled(content.get(name))])
        for title, names in _GROUPS.items()
    ]
    return [one for one in (told[0], *parties, *told[1:]) if one.rows]


def _filled(value: Any) -> bool:
    return value is not None and value != "" and value != []


def _told(name: str, value: Any) -> Told:
    return Told(name, LABELS[name], _plain(name, value), words(name, value))


def _plain(name: str, value: Any) -> str:
    """As it is typed elsewhere: amounts in yuan without unit."""
    return format_yuan(value) if name.endswith("_fen") else words(name, value)


def words(name: str, value: Any) -> str:
    """A field's value as people read it."""
    if value is None:
        return ""
    if name in _CHOICES:
        return str(_CHOICES[name].get(value, value))
    if name == "industry":
        return queries.industry(value)
    if name.endswith("_fen"):
        return show_yuan(value)
    if name == "royalty_bp":
        return f"{value / 100:g} %"
    if isinstance(value, bool):
        return "是" if value else "否"
    if name == "rights":
        return "；".join(_right(one) for one in value)
    if name == "plan":
        return "；".join(_instalment(one) for one in value)
    return str(value)


def _right(row: Mapping[str, Any]) -> str:
    parts = [codes.IP_KINDS[row["kind"]], row.get("number"), row.get("holder")]
    ends = f"有效期至 {row['ends']}" if row.get("ends") else None
    return "，".join(part for part in (*parts, ends) if part)


def _instalment(row: Mapping[str, Any]) -> str:
    parts = [row.get("when"), row.get("what"), show_yuan(row["amount_fen"])]
    return "，".join(part for part in parts if part)


def _places(content: Mapping[str, Any]) -> Mapping[str, str]:
    """Full names of the regions that parties name, by code."""
    rows = [row for name in PARTY_LISTS for row in content.get(name, [])]
    wanted = {row["region_code"] for row in rows if row.get("region_code")}
    return {one.code: one.full_name for one in regions.by_codes(wanted)} if wanted else {}


def _party(row: Mapping[str, Any], masked: bool, places: Mapping[str, str]) -> list[Told]:
    found = []
    for name, label in _PARTY_LABELS.items():
        value = row.get(name)
        if not value:
            continue
        plain = text = str(value)
        if name == "nature":
            plain = text = f"{value} {codes.NATURES[value]}"
        elif name == "country" and value == _HOME:
            plain = text = "中国"
        elif name == "region_code":
            text = f"{places.get(value, '')} {value}".strip()
        elif masked and name in PERSONAL:
            plain = text = mask_telephone(text) if name == "telephone" else mask_name(text)
        found.append(Told(name, label, plain, text))
    return found
