"""合同文本: a document to go on writing, by class, filled from a draft or from an agreed intent."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from market.contracts import content as fields
from market.contracts import prefill
from market.contracts import queries as contracts
from market.contracts.codes import (
    CLASSES,
    IP_KINDS,
    LICENCE_KINDS,
    OWNERSHIP,
    PAYMENTS,
    ROYALTY_BASES,
    party_names,
)
from market.contracts.locking import version_of
from market.contracts.papers.access import FILE
from market.contracts.papers.clauses import CLAUSES
from market.contracts.papers.queries import TEXT, Printed, note
from market.contracts.papers.sheets import day, yuan
from market.core import clock, files
from market.core.errors import Conflict, NotFound
from market.core.money import show_yuan
from market.core.permissions import Actor

if TYPE_CHECKING:
    from docx.document import Document

BLANK = "＿＿＿＿＿＿＿＿"
_FONT = "宋体"
_NOTE = (
    "本文本由本站按民法典第八百四十五条所列的条款编写，供双方起草时参考，不是官方范本；"
    "划线处请填写，不适用的请删去，重要的约定请征求法律意见。"
)
_ORDINALS = "一二三四五六七八九十"


def blank(contract_class: str) -> Printed:
    """The text of a class with nothing filled in. Raises NotFound: no such class."""
    if contract_class not in CLAUSES:
        raise NotFound("没有这一类合同文本。")
    name = f"{CLASSES[contract_class]}合同（参考文本）.docx"
    return Printed(name, _blank(contract_class), files.TYPES["docx"])


@cache
def _blank(contract_class: str) -> bytes:
    """Made once a process: everybody gets the same file, which caches may keep."""
    return _document(contract_class, {})


def of_contract(actor: Actor, no: str) -> Printed:
    """The text filled from a contract's draft; who had it is noted.

    Raises:
        NotFound: none, or not for this actor. Conflict: its class is not chosen yet.
    """
    contract = contracts.find(actor, no, FILE)
    content = fields.unpack(version_of(contract).content)
    made = _printed(_class(content), content, f"合同文本-{contract.no}.docx")
    note(actor, contract, TEXT, FILE)
    return made


def of_intent(actor: Actor, no: str) -> Printed:
    """The text filled from an agreed intent.

    Raises:
        NotFound: no such intent, or not for this actor. Conflict: not agreed, or without a class.
    """
    found = prefill.from_intent(actor, no)
    return _printed(_class(found.values), found.values, f"合同文本-{found.intent_no}.docx")


def _class(content: Mapping[str, Any]) -> str:
    chosen = content.get("contract_class")
    if chosen not in CLAUSES:
        raise Conflict("请先选合同类别，再生成合同文本。")
    return str(chosen)


def _printed(contract_class: str, content: Mapping[str, Any], name: str) -> Printed:
    return Printed(name, _document(contract_class, content), files.TYPES["docx"])


def _document(contract_class: str, content: Mapping[str, Any]) -> bytes:
    """The whole document."""
    import docx

    document = docx.Document()
    _layout(document)
    titles = party_names(contract_class, content.get("subclass") or "")
    filled: dict[str, str] = defaultdict(lambda: BLANK, _values(content))
    document.add_heading(f"{CLASSES[contract_class]}合同", 0)
    document.add_paragraph(_NOTE).runs[0].italic = True
    document.add_paragraph(f"项目名称：{filled['title']}")
    _party(document, f"甲方（{titles.buyer}）", content.get("buyers") or [{}])
    _party(document, f"乙方（{titles.seller}）", content.get("sellers") or [{}])
    document.add_paragraph(f"签订地点：{filled['signed_at']}　　签订日期：{filled['signed_on']}")
    document.add_paragraph("双方依照《中华人民共和国民法典》，经协商一致，订立本合同。")
    for number, (heading, paragraphs) in enumerate(CLAUSES[contract_class], start=1):
        document.add_heading(f"第{_ordinal(number)}条　{heading}", 1)
        for words in paragraphs:
            for line in words.format_map(filled).split("\n"):
                if line.strip():
                    document.add_paragraph(line.strip())
    _signatures(document, titles.buyer, titles.seller)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _ordinal(number: int) -> str:
    return _ORDINALS[number - 1] if number <= 10 else f"十{_ORDINALS[number - 11]}"


def _layout(document: Document) -> None:
    """A4, one Chinese font, headings in black."""
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt, RGBColor

    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(26)
    for name, size in (("Normal", 11), ("Title", 20), ("Heading 1", 13)):
        style: Any = document.styles[name]
        style.font.name, style.font.size = _FONT, Pt(size)
        style.font.color.rgb = RGBColor(0, 0, 0)
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), _FONT)
    about = document.core_properties
    about.author, about.comments, about.language = "", "", "zh-CN"
    about.created = about.modified = clock.now().replace(tzinfo=None, microsecond=0)


def _party(document: Document, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        document.add_paragraph(f"{title}：{row.get('name') or BLANK}")
        document.add_paragraph(
            f"统一社会信用代码：{row.get('uscc') or BLANK}　　法定代表人：{row.get('legal_person') or BLANK}"
        )
        document.add_paragraph(
            f"地址：{row.get('address') or BLANK}　　联系人及电话："
            f"{row.get('contact') or BLANK} {row.get('telephone') or ''}".rstrip()
        )


def _signatures(document: Document, buyer: str, seller: str) -> None:
    table = document.add_table(rows=1, cols=2)
    for cell, title in zip(
        table.rows[0].cells, (f"甲方（{buyer}）", f"乙方（{seller}）"), strict=True
    ):
        cell.text = f"{title}（盖章）\n\n法定代表人或授权代理人（签字）\n\n　　　年　　月　　日"


def _values(content: Mapping[str, Any]) -> dict[str, str]:
    """What is known, by the names that clauses use."""
    found = {
        "title": content.get("title"),
        "subject": content.get("subject"),
        "secrecy": content.get("secrecy"),
        "acceptance": content.get("acceptance"),
        "dispute": content.get("dispute") or " ",
        "signed_at": content.get("signed_at"),
        "signed_on": _day(content.get("signed_on")),
        "total": _money(content.get("total_fen")),
        "technical": _money(content.get("technical_fen")),
        "other": _money(content.get("non_technical_fen")),
        "payment": PAYMENTS.get(content.get("payment") or ""),
        "royalty": _royalty(content),
        "plan": _plan(content.get("plan") or []),
        "ownership": OWNERSHIP.get(content.get("ownership") or ""),
        "licence_kind": LICENCE_KINDS.get(content.get("licence_kind") or ""),
        "rights": _rights(content.get("rights") or []),
        "valid": _term(content),
    }
    return {name: value for name, value in found.items() if value}


def _day(value: Any) -> str:
    return day(value) if value else ""


def _money(fen: int | None) -> str:
    return "" if fen is None else f"{yuan(fen)}（{show_yuan(fen)}）"


def _term(content: Mapping[str, Any]) -> str:
    begins, ends = _day(content.get("valid_from")), _day(content.get("valid_to"))
    return f"自{begins or BLANK}至{ends or BLANK}" if begins or ends else ""


def _royalty(content: Mapping[str, Any]) -> str:
    """The rate and its base; a blank alone (and nothing on paper) where none was agreed."""
    if content.get("royalty_bp") is None:
        return " "
    entry = f"入门费 {yuan(content['entry_fen'])}；" if content.get("entry_fen") else ""
    base = ROYALTY_BASES.get(content.get("royalty_base") or "", BLANK)
    return f"{entry}按{base}的 {content['royalty_bp'] / 100:g} % 提成，每年＿＿月＿＿日前结算上一年度。"


def _plan(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        f"（{number}）{_day(row.get('when')) or BLANK}，{row.get('what') or BLANK}：{yuan(row['amount_fen'])}"
        for number, row in enumerate(rows, start=1)
    ]
    return "\n".join(lines)


def _rights(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        f"{IP_KINDS.get(row['kind'], '')}，专利号或登记号 {row.get('number') or BLANK}，"
        f"权利人 {row.get('holder') or BLANK}，有效期至 {_day(row.get('ends')) or BLANK}"
        for row in rows
        if row["kind"] != "none"
    ]
    return "\n".join(lines)
