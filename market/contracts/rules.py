"""Checks of a contract's fields: what refuses a filing, and what only warns.

Pure functions over `Facts`; today and everything looked up come as arguments. Which of them warn
and which refuse follows practice: packages of rights and estimates are usual, so a patent's term,
a payment plan that does not add up and a missing proof are asked about, never refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from marshmallow import ValidationError

from market.contracts.codes import LICENCE_KINDS, PATENTS, ROYALTIES, SUBCLASSES
from market.core.identifiers import read_uscc
from market.core.money import show_yuan

REFUSE, WARN = "refuse", "warn"


@dataclass(frozen=True)
class Right:
    """An intellectual property right that the contract names. ends: its last day, when known."""

    kind: str
    number: str = ""
    holder: str = ""
    ends: date | None = None


@dataclass(frozen=True)
class Instalment:
    """A row of the payment plan."""

    amount_fen: int
    when: date | None = None
    what: str = ""


@dataclass(frozen=True)
class Side:
    """A party. uscc: its credit code, empty for people and foreign parties.

    country: three letters of ISO 3166 (CHN).
    """

    name: str
    uscc: str = ""
    country: str = "CHN"
    region_path: str = ""
    nature: str = ""
    legal_person: str = ""
    telephone: str = ""
    address: str = ""


@dataclass(frozen=True)
class Facts:
    """What a contract says, as the checks read it. Money in fen."""

    contract_class: str = ""
    subclass: str = ""
    licence_kind: str = ""
    sellers: Sequence[Side] = ()
    buyers: Sequence[Side] = ()
    signed_on: date | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    total_fen: int | None = None
    technical_fen: int | None = None
    non_technical_fen: int | None = None
    payment: str = ""
    entry_fen: int | None = None
    royalty_bp: int | None = None
    plan: Sequence[Instalment] = ()
    rights: Sequence[Right] = ()
    is_foreign: bool = False
    # Purposes of the attached files, e.g. "contract", "patent_transfer", "trade_permit".
    files: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Finding:
    """What a check found. weight: "refuse" or "warn"; field: whose name the sentence stands beside."""

    code: str
    weight: str
    field: str
    words: str
    source: str = ""


Check = Callable[[Facts, date], Iterator[Finding]]


def _dates(facts: Facts, today: date) -> Iterator[Finding]:
    signed, begins, ends = facts.signed_on, facts.valid_from, facts.valid_to
    if signed and signed > today:
        yield Finding(
            "signed_future", REFUSE, "signed_on", f"签订日期（{signed}）还没有到，请核对。"
        )
    if begins and ends and ends < begins:
        yield Finding(
            "term_order",
            REFUSE,
            "valid_to",
            f"有效期止（{ends}）早于有效期起（{begins}），请核对。",
        )
    if signed and ends and ends < signed:
        yield Finding(
            "term_before_signing",
            REFUSE,
            "valid_to",
            f"有效期止（{ends}）早于签订日期（{signed}），请核对。",
        )
    if ends and ends < today:
        yield Finding(
            "term_over",
            WARN,
            "valid_to",
            f"合同已在 {ends} 到期：一般在合同有效期内申请登记，请说明原因。",
            "工信部 2024-12-20 征求意见稿第十二条（未确认）",
        )


def _amounts(facts: Facts, _today: date) -> Iterator[Finding]:
    total, technical = facts.total_fen, facts.technical_fen
    if total is None or technical is None:
        return
    if technical > total:
        yield Finding(
            "technical_above_total",
            REFUSE,
            "technical_fen",
            f"技术交易额（{show_yuan(technical)}）大于合同成交额（{show_yuan(total)}）："
            "技术交易额 = 成交额 − 设备、仪器、零部件、原材料等非技术性费用。",
        )
    other = facts.non_technical_fen
    if other is not None and technical + other != total:
        yield Finding(
            "amounts_do_not_add_up",
            WARN,
            "non_technical_fen",
            f"技术交易额与非技术性费用合计 {show_yuan(technical + other)}，"
            f"与成交额 {show_yuan(total)} 不等；合理数量的载体可以不扣除，请核对。",
        )


def _payment(facts: Facts, _today: date) -> Iterator[Finding]:
    planned = sum(row.amount_fen for row in facts.plan)
    by_royalty = facts.payment in ROYALTIES
    if facts.plan and not by_royalty and facts.total_fen is not None and planned != facts.total_fen:
        yield Finding(
            "plan_sum",
            WARN,
            "plan",
            f"付款计划合计 {show_yuan(planned)}，与成交额 {show_yuan(facts.total_fen)} 不等，"
            "请核对。",
        )
    if facts.entry_fen and facts.payment != "entry_royalty":
        yield Finding(
            "entry_without_royalty",
            WARN,
            "entry_fen",
            "入门费与提成一起约定；这份合同不是「提成支付附加入门费」，请核对支付方式。",
            "民法典第八百四十六条",
        )
    if by_royalty and facts.royalty_bp is None:
        yield Finding(
            "royalty_rate", WARN, "royalty_bp", "约定了提成，请写明提成比例和计算基数。",
            "民法典第八百四十六条",
        )  # fmt: skip


def _parties(facts: Facts, _today: date) -> Iterator[Finding]:
    sellers = {side.uscc or side.name for side in facts.sellers}
    both = sellers & {side.uscc or side.name for side in facts.buyers}
    if both:
        yield Finding(
            "same_party", REFUSE, "buyers", "卖方和买方是同一家：合同须有两方当事人，请核对。"
        )
    abroad = [s for s in (*facts.sellers, *facts.buyers) if s.country != "CHN"]
    if abroad and not facts.is_foreign:
        yield Finding(
            "foreign_party", WARN, "is_foreign",
            f"「{abroad[0].name}」在境外，请确认是否涉外合同。",
        )  # fmt: skip
    if abroad and "trade_permit" not in facts.files:
        yield Finding(
            "trade_permit",
            WARN,
            "files",
            "有境外当事人：技术进出口合同须在商务主管部门登记或取得许可，请附上证明。",
            "技术进出口管理条例",
        )


def _codes(facts: Facts, _today: date) -> Iterator[Finding]:
    for name, sides in (("sellers", facts.sellers), ("buyers", facts.buyers)):
        for side in sides:
            if side.uscc and side.country == "CHN" and (trouble := _uscc_trouble(side.uscc)):
                yield Finding("uscc", WARN, name, f"「{side.name}」：{trouble}", "GB 32100-2015")


def _uscc_trouble(text: str) -> str:
    """What is wrong with a credit code, in a sentence."""
    try:
        read_uscc(text)
    except ValidationError as error:
        return str(error.messages[0])
    return ""


def _rights(facts: Facts, _today: date) -> Iterator[Finding]:
    kinds = {right.kind for right in facts.rights}
    if facts.contract_class in {"assignment", "licence"} and not kinds - {"none"}:
        yield Finding(
            "right_missing", WARN, "rights", "转让、许可合同要写明所涉及的知识产权。",
            "民法典第八百六十二、八百六十三条",
        )  # fmt: skip
    if facts.contract_class in {"consulting", "service"} and kinds - {"none", "secret"}:
        yield Finding(
            "class_and_right",
            WARN,
            "contract_class",
            "咨询、服务合同不转让知识产权；涉及转让或许可的，请改按转让或许可分类。",
            "民法典第八百七十八条",
        )
    for right in facts.rights:
        if right.kind in PATENTS and not right.number:
            yield Finding("patent_number", WARN, "rights", "请写明专利号、专利权人和有效期。",
                          "民法典第八百四十五条")  # fmt: skip
    last = min((r.ends for r in facts.rights if r.kind in PATENTS and r.ends), default=None)
    if facts.contract_class == "licence" and last and facts.valid_to and facts.valid_to > last:
        yield Finding(
            "licence_beyond_patent",
            WARN,
            "valid_to",
            f"许可期限到 {facts.valid_to}，专利只保护到 {last}：专利实施许可只在专利权有效期内有效，"
            "一并许可技术秘密的请写明。",
            "民法典第八百六十五条",
        )
    if facts.subclass == "patent_assignment" and "patent_transfer" not in facts.files:
        yield Finding(
            "patent_transfer", WARN, "files",
            "专利权转让自国家知识产权局登记之日起生效，请附上登记手续的证明。", "专利法第十条",
        )  # fmt: skip


def _classes(facts: Facts, _today: date) -> Iterator[Finding]:
    known = SUBCLASSES.get(facts.subclass)
    if known is not None and facts.contract_class and known[0] != facts.contract_class:
        yield Finding("subclass", REFUSE, "subclass", "二级类别不属于所选的合同类别，请重新选择。")
    if facts.contract_class == "licence" and facts.licence_kind not in LICENCE_KINDS:
        yield Finding(
            "licence_kind", WARN, "licence_kind", "请选择许可方式：独占、排他、普通或开放许可。"
        )


CHECKS: tuple[Check, ...] = (_dates, _amounts, _payment, _parties, _codes, _rights, _classes)


def check(facts: Facts, today: date) -> list[Finding]:
    """All that is found in a contract's fields, what refuses before what warns."""
    found = [finding for one in CHECKS for finding in one(facts, today)]
    return sorted(found, key=lambda finding: finding.weight == WARN)


def related(facts: Facts) -> list[str]:
    """What seller and buyer share, in words, as evidence that they may be related parties.

    Never refuses: the examiner looks. A shared legal representative, telephone or address.
    """
    shown = {"legal_person": "法定代表人", "telephone": "电话", "address": "地址"}
    return [
        f"{one.name}与{other.name}的{label}相同"
        for one in facts.sellers
        for other in facts.buyers
        for key, label in shown.items()
        if getattr(one, key) and getattr(one, key) == getattr(other, key)
    ]


def in_service_area(side: Side, areas: Sequence[str], named: Sequence[str]) -> bool:
    """Whether a body serves a seller: by the region it lies in, or by its credit code.

    areas: paths of the body's regions; named: credit codes of units it serves by name.
    """
    return side.uscc in named or any(side.region_path.startswith(path) for path in areas)
