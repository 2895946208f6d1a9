"""登记前自查: everything that is found in a contract before it is sent in, and hints beside it.

What refuses must be mended; what warns may be explained. Tax matters are hints, never advice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from market.contracts import queries
from market.contracts.content import unread_of
from market.contracts.desk import evidence
from market.contracts.models import Contract
from market.contracts.queries import Case
from market.contracts.rules import REFUSE, WARN, Finding
from market.core.money import show_yuan
from market.core.permissions import Actor
from market.notices import queries as notices
from market.notices.queries import Standing

# More that other parts find, by the contract: duplicates, the same file elsewhere.
More = Callable[[Actor, Contract], Sequence[Finding]]
MORE: list[More] = [evidence.for_filer]
_PRICED = {"assignment", "licence"}
_LAW = "促进科技成果转化法第十八条"
_STANDING = {
    "running": "价格公示（%s）还没有结束：公示期满、异议处理完再签订和提交。",
    "objection_open": "价格公示（%s）还有异议没有答复：请先处理。",
    "upheld": "价格公示（%s）的异议成立：请按处理结果重新定价或另行公示。",
    "draft": "价格公示（%s）还是草稿，没有开始。",
    "gone": "没有编号为 %s 的公示，或已撤回：请核对公示编号。",
}
_HELP = (
    "高校院所协议定价的转让、许可和作价入股，应在本单位公示成果名称和拟交易价格；"
    "请填公示编号，或上传公示记录。"
)


@dataclass(frozen=True)
class Hint:
    """A sentence about tax, and where it comes from."""

    words: str
    source: str


@dataclass(frozen=True)
class Checked:
    """What the page of the check shows.

    missing: names of needed fields → labels; unread: cells that cannot be read.
    """

    case: Case
    missing: dict[str, str]
    refusals: Sequence[Finding]
    warnings: Sequence[Finding]
    hints: Sequence[Hint]
    unread: Sequence[str]
    has_text: bool

    @property
    def ready(self) -> bool:
        """Whether it can be sent in."""
        return not (self.missing or self.refusals or self.unread) and self.has_text


def check(actor: Actor, no: str) -> Checked:
    """Look over a contract before it is sent in. Raises NotFound."""
    case = queries.get(actor, no)
    found = [*case.findings, *_price_notice(actor, case), *_unanswered(case), *_related(case)]
    for more in MORE:
        found += more(actor, case.contract)
    return Checked(
        case=case,
        missing=dict(case.missing),
        refusals=[one for one in found if one.weight == REFUSE],
        warnings=[one for one in found if one.weight == WARN],
        hints=hints(case.content),
        unread=list(unread_of(case.version.unread)),
        has_text=any(one.purpose == "contract" for one in case.files),
    )


def _related(case: Case) -> list[Finding]:
    """What both sides share: it may be a deal between related parties, and the form should say so."""
    if not case.related or case.content.get("is_related"):
        return []
    words = "；".join(case.related) + "。双方有关联关系的，请在「关联交易」选「是」。"
    return [Finding("related", WARN, "is_related", words)]


def _unanswered(case: Case) -> list[Finding]:
    if case.contract.state != "returned":
        return []
    open_ones = [one for one in case.deficiencies if not one.answered]
    if not open_ones:
        return []
    words = f"还有 {len(open_ones)} 项补正没有写明怎样改的，登记机构要逐项核对。"
    return [Finding("unanswered", WARN, "deficiencies", words)]


def _price_notice(actor: Actor, case: Case) -> list[Finding]:
    """The price notice of public institutes: asked about, never refused."""
    known = case.content
    equity = known.get("subclass") == "equity"
    if known.get("contract_class") not in _PRICED and not equity:
        return []
    if not _public_institute(case):
        return []
    if any(one.purpose == "price_notice" for one in case.files):
        return []
    named = (known.get("price_notice") or "").upper()
    standing = _standing(actor, case.contract, named)
    if standing.code == "none":
        return [Finding("price_notice", WARN, "price_notice", _HELP, _LAW)]
    if standing.code == "other":
        words = f"公示 {named} 不是卖方的价格公示，请核对公示编号。"
        return [Finding("price_notice", WARN, "price_notice", words, _LAW)]
    if standing.code in _STANDING:
        words = _STANDING[standing.code] % standing.no
        return [Finding("price_notice", WARN, "price_notice", words, _LAW)]
    return []


def _public_institute(case: Case) -> bool:
    """Whether a seller is a public institute: by its kind in the register, else by its nature."""
    seller = case.contract.seller
    if seller is not None:
        return seller.kind == "institute"
    natures = {row.get("nature") or "" for row in case.content.get("sellers", [])}
    return any(one.startswith("02") for one in natures)


def _standing(actor: Actor, contract: Contract, named: str) -> Standing:
    """How the notice stands that is named, or that is about this contract or its intent."""
    if named:
        found = notices.standing_of(named)
        if found.code in {"gone", "draft"}:
            return found
        return found if _is_sellers(actor, contract, named) else Standing("other", named)
    return notices.standing("contract", contract.id, "price")


def _is_sellers(actor: Actor, contract: Contract, no: str) -> bool:
    notice = notices.public(actor, no).notice
    own = {one for one in (contract.seller_id, contract.filer_id) if one is not None}
    return notice.kind == "price" and notice.owner_id in own


def hints(content: Mapping[str, Any]) -> list[Hint]:
    """Tax hints by class, worded as hints; the figures are those of the law texts named."""
    kind, found = content.get("contract_class"), []
    if kind in {"development", "assignment", "licence"}:
        found.append(
            Hint(
                "技术转让、技术开发，以及与之直接相关的技术咨询、技术服务，可能免征增值税（开普通发票）。"
                "增值税法自 2026-01-01 施行，是否继续适用请向税务机关核实。",
                "财税〔2016〕36号",
            )
        )
    if kind in _PRICED:
        found.append(
            Hint(
                "居民企业一年的技术转让所得，500 万元以内的部分可能免征企业所得税，超过部分可能减半；"
                "只限列举的知识产权，须有所有权或五年以上许可权，并由省级以上科技部门认定；"
                "本站的打印件不能代替认定。",
                "国税函〔2009〕212号、税务总局公告2015年第82号",
            )
        )
    if kind == "development" and content.get("subclass") == "commissioned":
        total = content.get("technical_fen") or content.get("total_fen")
        amount = f"（本合同约 {show_yuan(total * 80 // 100)}）" if total else ""
        found.append(
            Hint(
                f"委托方加计扣除研发费用时，委托研发费一般按 80 % 计入{amount}；受托方不能重复扣除。",
                "财税〔2018〕64号等",
            )
        )
    return found
