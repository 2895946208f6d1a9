"""The form of a scheme in groups, as pages draw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields
from werkzeug.datastructures import MultiDict

from market.core.fields import Choice, Choices, Day, LongText, Whole, YesNo, Yuan
from market.vouchers.content import OpenPoint, SchemeSchema
from market.vouchers.schemas import MonthDay, Percent, Share
from market.vouchers.scheme_pages.flat import EMPTY_MEANS_NONE, NONE, children

NOT_SAID = "办法没有写（待定）"


@dataclass(frozen=True)
class Cell:
    """A field as the page draws it. shape: "line", "short", "long", "choice", "checks", "hidden"."""

    name: str
    label: str
    shape: str
    values: Sequence[str]
    hint: str = ""
    error: str = ""
    options: Sequence[tuple[str, str]] = ()
    is_open: bool = False

    @property
    def value(self) -> str:
        """The text of a field that has one."""
        return self.values[0] if self.values else ""


@dataclass(frozen=True)
class Table:
    """A list of rows, which may hold lists. none: the cell that says that there is nothing."""

    name: str
    label: str
    rows: Sequence[tuple[int, Sequence[Part]]]
    hint: str = ""
    error: str = ""
    none: str = ""
    none_said: bool = False
    is_open: bool = False
    inner: bool = False


@dataclass(frozen=True)
class Part:
    """A cell, a list of rows, or fields that belong together below a heading."""

    cell: Cell | None = None
    table: Table | None = None
    name: str = ""
    label: str = ""
    cells: Sequence[Cell] = ()


@dataclass(frozen=True)
class Group:
    """A section of the form."""

    key: str
    title: str
    parts: Sequence[Part]


GROUPS: Sequence[tuple[str, str, Sequence[str]]] = (
    ("head", "办法", (
        "title", "document", "level", "effective_from", "effective_to", "currency",
    )),
    ("who", "谁可以申领", (
        "applicant_kinds", "applicant_regions", "applicant_sizes", "applicant_rosters",
        "roster_year", "revenue_max_fen", "clean_record", "no_accident", "team_min_core",
        "team_incubated", "conditions",
    )),
    ("services", "服务和补助", ("services", "exclusions", "related_tests")),
    ("caps", "上限", (
        "uncapped", "cap_apply_fen", "cap_claim_fen", "cap_held_fen", "cap_year_fen",
        "cap_year_by_size", "cap_year_by_kind", "cap_total_fen", "cap_provider_year_fen",
        "cap_scope", "lifetime_once", "once_per_provider_per_year",
    )),
    ("validity", "有效期", (
        "validity_length", "validity_unit", "validity_starts", "void_at_year_end", "auto_reclaim",
        "reapply", "apply_windows",
    )),
    ("money", "预算、占用和分担", (
        "reserve_at", "exhaustion", "budget_total_fen", "budget_by_year", "budget_public",
        "payers", "top_ups", "award", "rounding_unit", "rounding_mode",
    )),
    ("claims", "申请兑付", (
        "payer_model", "claims_without_voucher", "claim_windows", "invoice_from", "invoice_to",
        "invoice_year", "contract_done_by", "evidence",
    )),
    ("review", "审核和拨付", (
        "review_chain", "notice_days", "notice_unit", "random_check_bp", "rhythm",
    )),
    ("penalties", "作废、追回", (
        "unused_threshold_bp", "unused_effect", "bar_years", "recovery_interest", "credit_record",
    )),
    ("open", "读法、出处和待补充", ("readings", "sources", "gaps")),
)  # fmt: skip
_HINTS = {
    "title": "与印发的名称一致",
    "effective_from": "如 2026-01-01；发布时可以再改",
    "applicant_regions": "一行一个，如 四川省眉山市东坡区，或六位代码；不限地区的空着",
    "conditions": "系统不能自动核对的条件，审核时由经办人看",
    "services": "一行一项。比例确切的填「补助比例」，写“不超过”的填「最高比例」，分档的填分档",
    "bands": "按费用由低到高；「起」可以不填，最后一档不填「止」",
    "cap_held_fen": "未使用的券合计不超过",
    "cap_scope": "没有写的，只计本办法",
    "validity_length": "数字；单位和起算日在下面选",
    "reserve_at": "从哪一步起占用年度预算的额度",
    "payers": "写 企业所在地财政、服务机构所在地财政，或一个地方；份额合计为 1",
    "budget_by_year": "写明的年度预算；实际下达在「预算」里登记",
    "budget_public": "选「是」的，公众能看到可用额度",
    "invoice_year": "写明具体起止日期的不填这项",
    "contract_done_by": "每年的这一天以前，如 09-30",
    "review_chain": "依次各级；没有审核层级的勾选下面一项",
    "notice_days": "没有写的空着，不默认天数",
    "random_check_bp": "办法写“不低于 5 %”的填 5",
    "readings": "一句话能有两种算法的写在这里，选定以前两种金额并列显示",
    "sources": "每项数字出自哪里；要素一行一个，如 年度上限",
    "gaps": "一行一条：还不知道、要补的",
    "options": "至少两种；每种写明它使哪一项成为什么",
}
_NONE_LABELS = {"evidence": "不要佐证材料", "review_chain": "不设审核层级"}
_BLANK = {"services": 1, "bands": 2, "options": 2}
_SHORT = (Yuan, Percent, Share, MonthDay, Day, Whole)
_SCHEMA = SchemeSchema()


def groups(
    cells: MultiDict[str, str],
    errors: Mapping[str, str] | None = None,
    open_points: Sequence[OpenPoint] = (),
    more: str = "",
) -> list[Group]:
    """The form's groups, filled in.

    Args:
        cells: as typed, or as `flat.write` made them. errors: by cell.
        more: the list that is to have another empty row.
    """
    drawn = _Drawn(cells, errors or {}, {one.field for one in open_points}, more)
    return [
        Group(key, title, [drawn.part(_SCHEMA.fields[name], name) for name in inside])
        for key, title, inside in GROUPS
    ]


class _Drawn:
    def __init__(
        self, cells: MultiDict[str, str], errors: Mapping[str, str], is_open: set[str], more: str
    ) -> None:
        self.cells, self.errors, self.open, self.more = cells, errors, is_open, more

    def part(self, one: fields.Field[Any], cell: str) -> Part:
        """A field of the form, or a list."""
        inner = children(one)
        if inner is not None:
            return Part(table=self._table(one, inner, cell))
        if isinstance(one, fields.Nested):
            label = one.metadata["label"]
            rows = one.schema.fields.items()
            cells = [self._cell(field, f"{cell}-{name}") for name, field in rows]
            return Part(name=cell, label=label, cells=cells)
        return Part(cell=self._cell(one, cell))

    def _cell(self, one: fields.Field[Any], cell: str) -> Cell:
        name = cell.rpartition("-")[2]
        label = str(one.metadata["label"])
        hint = _HINTS.get(cell) or str(one.metadata.get("note", ""))
        options: list[tuple[str, str]] = []
        shape = "short" if isinstance(one, _SHORT) else "line"
        if name == "code":
            shape = "hidden"
        elif isinstance(one, Choices):
            shape, options = "checks", list(one.choices.items())
            if name in EMPTY_MEANS_NONE:
                options.append((NONE, _NONE_LABELS[name]))
        elif isinstance(one, (Choice, YesNo)):
            shape, options = "choice", list(one.choices.items())
        elif isinstance(one, (LongText, fields.List)):
            shape = "long"
        elif name == "chosen":
            shape, options = "choice", self._readings(cell)
        values = [text for text in self.cells.getlist(cell) if text]
        known = dict(options)
        if shape in {"choice", "checks"}:  # what is none of them stays, so that it is not lost
            options += [(value, value) for value in values if value not in known]
        error = self.errors.get(cell, "")
        return Cell(cell, label, shape, values, hint, error, options, cell in self.open)

    def _readings(self, cell: str) -> list[tuple[str, str]]:
        start = f"{cell.removesuffix('chosen')}options-"
        numbers = _numbers(self.cells, start.removesuffix("-"))
        pairs = [(self.cells.get(f"{start}{n}-code", ""), f"{start}{n}-label") for n in numbers]
        return [(code, self.cells.get(label, code)) for code, label in pairs if code]

    def _table(self, one: fields.Field[Any], inner: Schema, cell: str) -> Table:
        name = cell.rpartition("-")[2]
        filled = _numbers(self.cells, cell)
        blank = _BLANK.get(name, 1) if not filled else 1 if self.more == cell else 0
        last = max(filled, default=0)
        shown = [*filled, *range(last + 1, last + 1 + blank)]
        none = f"{cell}-{NONE}" if name in EMPTY_MEANS_NONE else ""
        rows = [
            (
                number,
                [
                    self.part(field, f"{cell}-{number}-{field.data_key or key}")
                    for key, field in inner.fields.items()
                ],
            )
            for number in shown
        ]
        return Table(
            cell,
            str(one.metadata["label"]),
            rows,
            hint=_HINTS.get(name, ""),
            error=self.errors.get(cell, ""),
            none=none,
            none_said=bool(none and self.cells.get(none)),
            is_open=cell in self.open,
            inner="-" in cell,
        )


def _numbers(cells: MultiDict[str, str], cell: str) -> list[int]:
    start = f"{cell}-"
    found = {
        name[len(start) :].partition("-")[0]
        for name in cells
        if name.startswith(start) and any(text.strip() for text in cells.getlist(name))
    }
    return sorted(int(one) for one in found if one.isascii() and one.isdecimal() and len(one) < 4)


def none_label(name: str) -> str:
    """What is ticked where a list is said to be empty."""
    return _NONE_LABELS.get(name, "没有")
