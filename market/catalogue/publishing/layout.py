"""The form of an achievement or a demand: its sections, and each field with what was typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from market.catalogue.publishing import rules
from market.core.fields import Choice, Choices, Day, Line, LongText, Month, Words, YesNo

# What it solves first; then what decides whether somebody calls; the rest may wait.
SECTIONS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "achievement": (
        ("做什么、解决什么问题", ("title", "problem", "summary", "region")),
        ("结果与阶段", ("result", "advantage", "stage", "trl", "level", "adoption")),
        (
            "价格与合作",
            ("transfer_modes", "price_mode", "price", "royalty", "trial", "terms"),
        ),
        ("联系与有效期", ("contact", "contact_phone", "valid_until", "source")),
        (
            "用起来要什么",
            ("investment", "payback", "throughput", "equipment", "site", "licences"),
        ),
        ("分类与关键词", ("keywords", "fields", "industries", "disciplines")),
        (
            "知识产权与评价",
            (
                "ip",
                "registration_no",
                "evaluation_method",
                "evaluation_by",
                "evaluation_date",
                "evaluation_no",
                "attribute",
                "form",
            ),
        ),
        (
            "品种",
            (
                "variety_approval_no",
                "variety_right_no",
                "suitable_region",
                "suitable_altitude",
                "suitable_salinity",
                "accumulated_temperature",
            ),
        ),
        ("完成情况", ("completing_units", "started", "finished")),
    ),
    "demand": (
        ("要解决什么问题", ("title", "problem", "summary", "region")),
        ("要达到的指标与现状", ("targets", "background", "existing", "limits")),
        (
            "投入与合作",
            (
                "budget_mode",
                "budget",
                "deadline",
                "demand_type",
                "cooperation_modes",
                "ip_ownership",
                "solver_requirements",
            ),
        ),
        (
            "联系与有效期",
            ("name_hidden", "contact", "contact_phone", "valid_until", "source"),
        ),
        ("分类与关键词", ("keywords", "fields", "industries", "disciplines")),
    ),
}
NEEDED = ("title", "summary", "region")
_OPEN = 4  # sections that stand open from the start
_REGION_HINT = "县（市、区）的全称或 6 位代码"  # the file's note speaks of empty cells
_YES_NO = {"是": "是", "否": "否"}


@dataclass(frozen=True)
class FieldView:
    """One field of the form.

    shape: how it is asked: line, long, choice, choices. other: what was typed beside the options.
    stored: the text that somebody else saved meanwhile, where it differs.
    """

    key: str
    label: str
    hint: str
    shape: str
    value: str
    options: Sequence[tuple[str, str]] = ()
    chosen: Sequence[str] = ()
    other: str = ""
    needed: bool = False
    error: str = ""
    stored: str = ""
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A section of the form; `open`: it stands open."""

    title: str
    fields: Sequence[FieldView] = field(default_factory=tuple)
    open: bool = True


def sections(
    kind: str,
    typed: Mapping[str, str],
    *,
    errors: Mapping[str, str] | None = None,
    stored: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
) -> list[Section]:
    """The whole form, filled in.

    Args:
        errors: sentences by field. notes: what an office wrote about a field.
        stored: texts by field that were saved by somebody else since the page was opened.
    """
    known = rules.fields_of(kind)
    errors, notes = errors or {}, notes or {}
    found = []
    for number, (title, keys) in enumerate(SECTIONS[kind]):
        views = [
            _view(
                key,
                known[key],
                typed.get(key, ""),
                errors.get(key, ""),
                _other_version(key, typed, stored),
                notes.get(key, ""),
            )
            for key in keys
        ]
        filled = any(view.value or view.error or view.stored or view.note for view in views)
        found.append(Section(title, views, number < _OPEN or filled))
    return found


def _other_version(key: str, typed: Mapping[str, str], stored: Mapping[str, str] | None) -> str:
    if stored is None or stored.get(key, "") == typed.get(key, ""):
        return ""
    return stored.get(key, "") or "（空）"


def _view(key: str, one: Any, value: str, error: str, stored: str, note: str) -> FieldView:
    shape, options, chosen, other = _asked(one, value)
    return FieldView(
        key=key,
        label=one.metadata["label"],
        hint=_REGION_HINT if key == "region" else _hint(one),
        shape=shape,
        value=value,
        options=options,
        chosen=chosen,
        other=other,
        needed=key in NEEDED,
        error=error,
        stored=stored,
        note=note,
    )


def _asked(one: Any, value: str) -> tuple[str, list[tuple[str, str]], list[str], str]:
    """How a field is asked, its options, the chosen ones, and words that are none of them."""
    if isinstance(one, Choices):
        codes: list[str] = []
        words: list[str] = []
        for part in one.split(value) if value else []:
            code = one.code_of(part)
            (codes if code else words).append(code or part)
        return "choices", list(one.choices.items()), codes, "；".join(words)
    if isinstance(one, Choice | YesNo):
        options = _YES_NO if isinstance(one, YesNo) else one.choices
        code = one.code_of(value) if isinstance(one, Choice) and value else value
        if value and code not in options:  # kept as typed, to be put right
            return "choice", [(value, value), *options.items()], [value], ""
        return "choice", list(options.items()), [code] if code else [], ""
    return ("long" if isinstance(one, LongText) else "line"), [], [], ""


def _hint(one: Any) -> str:
    """How to fill it in, and how much it takes."""
    words = [one.metadata.get("note") or ""]
    if isinstance(one, Choices):
        pass
    elif isinstance(one, Words):
        if "用；隔开" not in words[0]:
            words.append("多项用；隔开")
        words.append(f"最多 {one.most} 项，每项 {one.longest} 字")
    elif isinstance(one, Line):
        words.append(f"最多 {one.longest} 字")
    elif isinstance(one, Day):
        words.append("如 2026-12-31")
    elif isinstance(one, Month) and not words[0]:
        words.append("如 2026-03")
    return "；".join(word for word in words if word)
