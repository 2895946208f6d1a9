"""A scheme in words: each field with its source, what is open as 待定, and what a version changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import fields

from market.core.fields import Choices, Whole, Yuan
from market.core.languages import N_
from market.core.money import show_yuan
from market.vouchers.codes import (
    BAND_MODES,
    DAY_UNITS,
    LENGTHS,
    PAYERS,
    REVIEW_LEVELS,
    STARTS,
)
from market.vouchers.content import LABELS, SchemeSchema, open_points
from market.vouchers.eligible import show_bp
from market.vouchers.schemas import Code, Flag, MonthDay, Percent

OPEN_WORDS = "待定"
# Told by another field, or shown apart.
_WITH_ANOTHER = {"validity_unit", "validity_starts", "notice_unit", "rounding_mode"}
_APART = {"title", "readings", "sources", "gaps"}
Row = Mapping[str, Any]
_FIELDS = SchemeSchema().fields


@dataclass(frozen=True)
class Entry:
    """A field in words. is_open: the sheet does not say; source: where it comes from."""

    field: str
    label: str
    words: str
    source: str = ""
    is_open: bool = False


@dataclass(frozen=True)
class Change:
    """What a version says otherwise than the one before; empty where one of them says nothing."""

    label: str
    before: str
    after: str


def describe(content: Row) -> list[Entry]:
    """Every field that a scheme fills, and those that are to be decided, in the form's order."""
    to_decide = {one.field for one in open_points(content)}
    found = []
    for name in _FIELDS:
        if name in _WITH_ANOTHER | _APART:
            continue
        words = words_of(name, content)
        if words:
            found.append(Entry(name, _label(name), words, _source(name, content)))
        elif name in to_decide:
            found.append(Entry(name, _label(name), OPEN_WORDS, is_open=True))
    return found


def changes(before: Row, after: Row) -> list[Change]:
    """What differs between two versions, in words."""
    names = [name for name in _FIELDS if name not in _WITH_ANOTHER | {"sources"}]
    pairs = [(_label(name), words_of(name, before), words_of(name, after)) for name in names]
    return [Change(*one) for one in pairs if one[1] != one[2]]


# Labels without their unit, which the words carry.
_WITHOUT_UNIT = (N_("抽查比例"), N_("作废比例超过"), N_("停止申领资格"))


def _label(name: str) -> str:
    """The label without its unit, which the words carry."""
    return LABELS[name].removesuffix("（%）").removesuffix("（年）")


def _source(name: str, content: Row) -> str:
    return "；".join(
        row["words"] for row in content.get("sources", ()) if name in row.get("fields", ())
    )


def words_of(name: str, content: Row) -> str:
    """A field in words; empty where it is open."""
    value = content.get(name)
    if value is None:
        return ""
    if name in _SPECIAL:
        return _SPECIAL[name](value, content)
    return _plain(_FIELDS[name], value)


def _plain(field: fields.Field, value: Any) -> str:
    if isinstance(field, Yuan):
        return show_yuan(value)
    if isinstance(field, Percent):
        return show_bp(value)
    if isinstance(field, Code):
        return field.choices.get(value, value)
    if isinstance(field, Choices):
        return "、".join(field.choices.get(one, one) for one in value) or "无"
    if isinstance(field, Flag):
        return "是" if value else "否"
    if isinstance(field, MonthDay):
        return _month_day(value)
    if isinstance(field, Whole):
        return str(value)
    if isinstance(field, fields.Nested):
        labels = {key: one.metadata["label"] for key, one in field.schema.fields.items()}
        return "；".join(f"{labels[key]} {show_yuan(fen)}" for key, fen in value.items())
    return "、".join(value) if isinstance(value, list) else str(value)


def _month_day(text: str) -> str:
    month, day = text.split("-")
    return f"{int(month)} 月 {int(day)} 日"


def _rate(row: Row) -> str:
    if row.get("rate_bp") is not None:
        return show_bp(row["rate_bp"])
    if row.get("rate_max_bp") is not None:
        return f"最高 {show_bp(row['rate_max_bp'])}"
    return f"比例{OPEN_WORDS}"


def _bands(row: Row) -> str:
    low, parts = 0, []
    for band in row["bands"]:
        high = band.get("upto_fen")
        if high is None:
            span = f"{show_yuan(low)}以上" if low else "不论多少"
        else:
            span = f"{show_yuan(low)}至 {show_yuan(high)}" if low else f"{show_yuan(high)}以内"
        parts.append(f"{span} {_rate(band)}")
        low = high or low
    mode = BAND_MODES.get(row.get("band_mode") or "", f"算法{OPEN_WORDS}")
    return "，".join(parts) + (f"（{mode}）" if len(parts) > 1 else "")


def _services(rows: Sequence[Row], _content: Row) -> str:
    lines = []
    for row in rows:
        words = f"{row['label']}：{_bands(row) if row.get('bands') else _rate(row)}"
        if row.get("cap_fen") is not None:
            words += f"，单项最高 {show_yuan(row['cap_fen'])}"
        if row.get("unit_cap_fen") is not None:
            words += f"，每{row['unit']}最高 {show_yuan(row['unit_cap_fen'])}"
        lines.append(words)
    return "\n".join(lines)


def _validity(length: int, content: Row) -> str:
    start = STARTS.get(content.get("validity_starts") or "", f"起算日{OPEN_WORDS}")
    words = f"{length} {LENGTHS[content['validity_unit']]}"
    return f"自{start}起 {words}" if content.get("validity_starts") else f"{words}（{start}）"


def _payers(rows: Sequence[Row], _content: Row) -> str:
    lines = []
    for row in rows:
        parts = [f"{row['share']}" if row.get("share") else f"份额{OPEN_WORDS}"]
        if row.get("share_max_bp") is not None:
            parts.append(f"不超过 {show_bp(row['share_max_bp'])}")
        if row.get("rate_max_bp") is not None:
            parts.append(f"不超过费用的 {show_bp(row['rate_max_bp'])}")
        if row.get("cap_year_fen") is not None:
            parts.append(f"每年最高 {show_yuan(row['cap_year_fen'])}")
        lines.append(f"{_payer(row)}：{'，'.join(parts)}")
    return "\n".join(lines)


def _payer(row: Row) -> str:
    return str(row.get("label") or PAYERS.get(row["payer"], row["payer"]))


def _award(row: Row, _content: Row) -> str:
    parts = [_rate(row)]
    if row.get("cap_year_fen") is not None:
        parts.append(f"每年最高 {show_yuan(row['cap_year_fen'])}")
    if row.get("words"):
        parts.append(row["words"])
    return "；".join(parts)


def _chain(rows: Sequence[Row], _content: Row) -> str:
    steps = []
    for row in rows:
        unit = DAY_UNITS.get(row.get("unit") or "")
        limit = f"{row.get('days')} 个{unit}" if unit else f"{row.get('days')} 日，单位{OPEN_WORDS}"
        days = f"（{limit}）" if row.get("days") else ""
        steps.append((row.get("label") or REVIEW_LEVELS[row["level"]]) + days)
    return " → ".join(steps) or "不设审核层级"


def _readings(rows: Sequence[Row], _content: Row) -> str:
    lines = []
    for row in rows:
        options = {one["code"]: one["label"] for one in row["options"]}
        chosen = options.get(row.get("chosen") or "", " / ".join(options.values()) + "，待定")
        lines.append(f"{row['question']} {chosen}")
    return "\n".join(lines)


def _windows(rows: Sequence[Row], _content: Row) -> str:
    return "、".join(
        f"每年 {_month_day(row['opens'])}至 {_month_day(row['closes'])}" for row in rows
    )


_SPECIAL: dict[str, Callable[[Any, Row], str]] = {
    "services": _services,
    "validity_length": _validity,
    "notice_days": lambda days, content: f"{days} 个{DAY_UNITS[content['notice_unit']]}",
    "rounding_unit": lambda unit, content: (
        _plain(_FIELDS["rounding_unit"], unit)
        + "，"
        + _plain(_FIELDS["rounding_mode"], content["rounding_mode"])
    ),
    "bar_years": lambda years, _content: f"{years} 年",
    "team_min_core": lambda people, _content: f"{people} 人",
    "payers": _payers,
    "top_ups": lambda rows, _content: "\n".join(
        f"{_payer(row)}：按 {row['ratio']} 配套" if row.get("ratio") else f"{_payer(row)}：待定"
        for row in rows
    ),
    "award": _award,
    "review_chain": _chain,
    "readings": _readings,
    "apply_windows": _windows,
    "claim_windows": _windows,
    "budget_by_year": lambda rows, _content: "；".join(
        f"{row['year']} 年 {show_yuan(row['amount_fen'])}" for row in rows
    ),
}
