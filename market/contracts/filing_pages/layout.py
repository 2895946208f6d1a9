"""The form in groups, in the order of the registration form (技术合同登记表), as pages draw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from marshmallow import fields

from market.contracts import flat
from market.contracts.codes import party_names, subclass_options
from market.contracts.schemas import LABELS, NEEDED, PARTY_LISTS, ContentSchema
from market.core.fields import Choice, LongText, YesNo
from market.core.masking import mask_name, mask_telephone
from market.core.money import NotMoney, parse_yuan, show_yuan

ORIGINS = {
    "intent": "来自对接意向",
    "listing": "来自成果或需求",
    "organisation": "来自单位信息",
    "import": "来自导入的文件",
    "copy": "照以前的一份",
}


@dataclass(frozen=True)
class Cell:
    """A field as the page draws it. shape: "line", "long", "choice", "short"."""

    name: str
    label: str
    shape: str
    value: str
    hint: str = ""
    error: str = ""
    options: Sequence[tuple[str, str]] = ()
    stored: str | None = None


@dataclass(frozen=True)
class Table:
    """A list of the form: its rows, each with its cells."""

    name: str
    label: str
    hint: str
    rows: Sequence[tuple[int, Sequence[Cell]]]
    origin: str
    needed: bool
    more: str
    stored: Sequence[str]


@dataclass(frozen=True)
class Group:
    """A part of the form: `parts` are single cells (with their origin and need) and tables."""

    key: str
    title: str
    parts: Sequence[Part]
    note: str = ""


@dataclass(frozen=True)
class Part:
    """One line of a group: a cell or a table."""

    cell: Cell | None = None
    table: Table | None = None
    origin: str = ""
    needed: bool = False


_GROUPS: Sequence[tuple[str, str, Sequence[str]]] = (
    ("head", "项目与合同", (
        "title", "contract_class", "subclass", "licence_kind", "signed_on", "signed_at",
        "effective_on", "valid_from", "valid_to", "term_months", "is_foreign", "is_related",
        "secrecy",
    )),
    ("sellers", "卖方", ("sellers",)),
    ("buyers", "买方", ("buyers",)),
    ("helpers", "中介方与技术经理人", ("thirds", "broker")),
    ("classing", "分类与知识产权", (
        "field", "aim", "industry", "plan_source", "rights", "price_notice",
    )),
    ("money", "金额与支付", (
        "total_fen", "technical_fen", "non_technical_fen", "non_technical_words", "payment",
        "entry_fen", "royalty_bp", "royalty_base", "plan", "currency", "exchange",
        "new_input_fen", "new_output_fen",
    )),
    ("content", "标的、成果与违约", ("subject", "ownership", "acceptance", "dispute")),
)  # fmt: skip
_HINTS = {
    "title": "与合同上的项目名称一致",
    "subclass": "属于所选合同类别的一种",
    "licence_kind": "只有技术许可填",
    "signed_on": "如 2026-03-01；一方盖章晚的，填最后一方",
    "effective_on": "与签订日期不同的填",
    "valid_to": "没有写明的，填履行完毕的日期",
    "is_related": "双方有控制、投资或同一法定代表人等关系的选「是」",
    "secrecy": "项目名称本身保密的也写在这里；保密的内容不公开",
    "industry": "按买方（用技术的一方）所在行业",
    "plan_source": "没有列入政府计划的选「计划外」",
    "price_notice": "高校院所协议定价的转让、许可、作价入股填，如 GS2026000001；在别处公示的，上传公示记录",
    "total_fen": "单位元，可写 28万；约定提成的填签订时能确定的金额（入门费等）",
    "technical_fen": "成交额减去设备、仪器、零部件、原材料等非技术性费用；合理数量的资料、样品不用减",
    "non_technical_words": "如：设备 22 万元",
    "entry_fen": "与提成一起约定的入门费",
    "royalty_bp": "如 2 或 2.5，单位 %",
    "currency": "外币合同填三个字母，如 USD；金额一律折成人民币",
    "exchange": "如 1 美元 = 7.1 元（2026-03-01）",
    "new_input_fen": "转让、许可合同填",
    "new_output_fen": "转让、许可合同填",
    "subject": "解决什么问题、达到什么指标、交付什么；这是认定的主要依据",
    "acceptance": "怎样算做成了：指标、批次、谁来验",
    "thirds": "请了中介或服务机构的填",
    "rights": "没有涉及的，类别选「未涉及知识产权」",
    "plan": "一行一笔；合计应等于成交额（提成除外），不等只提醒",
}
_INNER_HINTS = {
    "uscc": "18 位；个人和境外一方不填",
    "country": "境外填三个字母，如 USA；国内不填",
    "region_code": "如 四川眉山东坡区，或六位代码",
    "ends": "如 2036-05-31",
    "when": "如 2026-03-01",
    "amount_fen": "元，可写 10万",
}
_SHORT = {"uscc", "country", "ends", "when", "amount_fen", "contact", "telephone", "legal_person"}
_SHORT |= {"signed_on", "effective_on", "valid_from", "valid_to", "term_months", "currency"}
_SHORT |= {name for name in LABELS if name.endswith(("_fen", "_bp"))}
_HOME = "CHN"  # a country that need not be said
_BLANK = {"sellers": 1, "buyers": 1, "thirds": 1, "rights": 1, "plan": 2}
_PLAIN_FIELDS = ContentSchema().fields


def groups(
    typed: Mapping[str, str],
    *,
    errors: Mapping[str, str] | None = None,
    stored: Mapping[str, str] | None = None,
    origins: Mapping[str, str] | None = None,
    more: str = "",
) -> list[Group]:
    """The form's groups, filled in.

    Args:
        typed: by cell. errors: by cell. stored: of a version that another saved meanwhile.
        origins: field → where it came from. more: the list that is to have another empty row.
    """
    drawn = _Drawn(typed, errors or {}, stored, origins or {}, more)
    names = party_names(typed.get("contract_class", ""), typed.get("subclass", ""))
    titles = {}
    if names.seller != "卖方":  # a class is chosen
        titles = {"sellers": f"卖方：{names.seller}", "buyers": f"买方：{names.buyer}"}
    return [
        Group(key, titles.get(key, title), [drawn.part(name) for name in inside])
        for key, title, inside in _GROUPS
    ]


class _Drawn:
    def __init__(
        self,
        typed: Mapping[str, str],
        errors: Mapping[str, str],
        stored: Mapping[str, str] | None,
        origins: Mapping[str, str],
        more: str,
    ) -> None:
        self.typed, self.errors, self.stored = typed, errors, stored
        self.origins, self.more = origins, more

    def part(self, name: str) -> Part:
        origin = ORIGINS.get(self.origins.get(name, ""), "")
        if name in flat.LISTS:
            return Part(table=self._table(name, origin), origin=origin, needed=name in NEEDED)
        cell = self._cell(name, LABELS[name], _PLAIN_FIELDS[name], _HINTS.get(name, ""))
        return Part(cell=cell, origin=origin, needed=name in NEEDED)

    def _cell(self, name: str, label: str, one: fields.Field[Any], hint: str) -> Cell:
        value = self.typed.get(name, "")
        other = None
        if self.stored is not None and self.stored.get(name, "") != value:
            other = self._in_words(name, one, self.stored.get(name, ""))
        inner = name.rpartition("-")[2]
        options = _options(inner, one, value)
        shape = "choice" if options else "long" if isinstance(one, LongText) else "line"
        if shape == "line" and inner in _SHORT:
            shape = "short"
        return Cell(name, label, shape, value, hint, self.errors.get(name, ""), options, other)

    def _in_words(self, name: str, one: fields.Field[Any], value: str) -> str:
        options = dict(_options(name.rpartition("-")[2], one, value))
        return options.get(value, value) or "（空）"

    def _table(self, name: str, origin: str) -> Table:
        rows = flat.LISTS[name]
        filled = flat.numbers_of(name, self.typed)
        last = max(filled, default=0)
        blank = max(0, _BLANK[name] - len(filled)) + (1 if self.more == name else 0)
        shown = [*filled, *range(last + 1, last + 1 + blank)][: rows.most]
        labels = {inner: one.metadata["label"] for inner, one in rows.schema.fields.items()}
        return Table(
            name=name,
            label=LABELS[name],
            hint=_HINTS.get(name, ""),
            rows=[
                (
                    number,
                    [
                        self._cell(
                            flat.key(name, number, inner),
                            labels[inner],
                            one,
                            _INNER_HINTS.get(inner, "") if number == shown[0] else "",
                        )
                        for inner, one in rows.schema.fields.items()
                    ],
                )
                for number in shown
            ],
            origin=origin,
            needed=name in NEEDED,
            more=name if len(shown) < rows.most else "",
            stored=self._other_rows(name, shown),
        )

    def _other_rows(self, name: str, shown: Sequence[int]) -> list[str]:
        """Rows that another saved and that have no place among those shown."""
        if self.stored is None:
            return []
        numbers = [one for one in flat.numbers_of(name, self.stored) if one not in shown]
        return [
            "，".join(self.stored[cell] for cell in flat.cells_of(name, self.stored)
                      if cell.startswith(f"{name}-{number}-"))
            for number in numbers
        ]  # fmt: skip


def _options(inner: str, one: fields.Field[Any], value: str) -> list[tuple[str, str]]:
    """What may be chosen; a value that is none of it stays choosable, so that it is not lost."""
    if inner == "industry":
        known = current_app.extensions["market"].terms("industry")
        found = list(known.items())
    elif inner == "subclass":
        found = subclass_options()
    elif isinstance(one, (Choice, YesNo)):
        found = list(one.choices.items())
    else:
        return []
    if value and value not in dict(found):
        found.append((value, value))
    return found


def shown_content(content: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """A contract's fields in words, group by group, empty ones left out; for summaries.

    content: with personal values masked already.
    """
    typed = flat.write(content)
    found = []
    for group in groups(typed):
        lines: list[tuple[str, str]] = []
        for part in group.parts:
            if part.cell is not None and part.cell.value:
                lines.append((part.cell.label, _said(part.cell)))
            elif part.table is not None:
                lines += _said_rows(part.table)
        if lines:
            found.append((group.title, lines))
    return found


def _said(cell: Cell) -> str:
    text = dict(cell.options).get(cell.value, cell.value)
    if cell.name.endswith("_fen"):
        try:
            return show_yuan(parse_yuan(text))
        except NotMoney:  # typed, and not to be read yet
            return text
    return f"{text} %" if cell.name.endswith("_bp") else text


def _said_rows(table: Table) -> list[tuple[str, str]]:
    lines = []
    for number, cells in table.rows:
        told = [f"{one.label} {_said(one)}" if at else _said(one)
                for at, one in enumerate(one for one in cells if one.value and one.value != _HOME)]  # fmt: skip
        if told:
            lines.append((f"{table.label} {number}", "；".join(told)))
    return lines


def masked(content: Mapping[str, Any]) -> dict[str, Any]:
    """A contract's fields with the values about people masked."""
    found = dict(content)
    for name in PARTY_LISTS:
        if name in found:
            found[name] = [
                {inner: _MASKS[inner](value) if inner in _MASKS else value
                 for inner, value in row.items()}
                for row in found[name]
            ]  # fmt: skip
    return found


_MASKS = {"legal_person": mask_name, "contact": mask_name, "telephone": mask_telephone}
