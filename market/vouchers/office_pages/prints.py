"""Papers of voucher money: what each says, set by typst with room for seals; tables to take away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import select

from market.accounts import queries as accounts
from market.accounts.roles import OFFICES
from market.contracts.papers.queries import Printed
from market.contracts.papers.sheets import day, local_day, numbered, yuan
from market.contracts.papers.typesetting import typeset
from market.core import clock
from market.core.db import db
from market.core.errors import NotFound
from market.core.money import yuan_number
from market.core.permissions import Actor
from market.core.settings import Settings
from market.core.sheets import Column
from market.regions.models import Region
from market.vouchers import funds, top_ups
from market.vouchers.claim_models import CLAIM_STATES, DECISIONS, Batch, Claim, Review
from market.vouchers.claiming import service_labels
from market.vouchers.codes import REVIEW_LEVELS
from market.vouchers.models import Scheme
from market.vouchers.office_pages import queries
from market.vouchers.office_pages.forms import FIELDS
from market.vouchers.reviewing import chain_of

COLUMNS = (
    Column("number", "序号"),
    Column("no", "兑付编号"),
    Column("payee", "收款单位"),
    Column("uscc", "统一社会信用代码"),
    Column("firm", "企业"),
    Column("provider", "服务机构"),
    Column("account", "收款账户"),
    Column("fen", "审定金额（元）"),
    Column("top_up", "另行配套（元）"),
    Column("total", "拨付金额（元）"),
    Column("state", "状态"),
    Column("treasury_no", "国库凭证号"),
    Column("paid_on", "拨付日期"),
)
FULL_COLUMNS = (
    *COLUMNS[:6],
    Column("holder", "户名"),
    Column("bank", "开户银行"),
    Column("account", "账号"),
    *COLUMNS[7:],
)


@dataclass(frozen=True)
class Kind:
    """A kind of paper: what it is called, when there is one, what it says."""

    label: str
    there: Callable[[Any], bool]
    says: Callable[[Any], dict[str, Any]]


def plain(fen: int) -> str:
    """An amount in a column of a paper: 9,900.00."""
    return f"{fen // 100:,}.{fen % 100:02d}"


def _issuer(region: Region) -> str:
    return accounts.office_name(region.path_ids) or f"{region.full_name}科技管理部门"


def _paper(no: str, region: Region, demo: bool, title: str, **more: Any) -> dict[str, Any]:
    """What the template reads; whatever is not given is empty."""
    settings: Settings = current_app.extensions["market"].settings
    made = clock.local(clock.now()).strftime("%Y-%m-%d %H:%M")
    return {
        "no": no, "issuer": _issuer(region), "marks": ["演示数据"] if demo else [],
        "footer": f"{settings.site_name} · {no} · 制作于 {made}",
        "title": title, "subtitle": f"编号 {no}", "to": None, "paragraphs": [], "missing": [],
        "rows": [], "tables": [], "closing": "", "seals": [], "day": day(clock.today()),
    } | more  # fmt: skip


def _table(
    title: str, head: Sequence[str], lines: Sequence[Sequence[str]], widths: Sequence[int]
) -> dict[str, Any]:
    return {
        "title": title, "head": list(head), "lines": [list(one) for one in lines],
        "widths": list(widths),
    }  # fmt: skip


def _payees(claims: Sequence[Claim]) -> dict[str, Any]:
    both = any(one.top_up_fen for one in claims)
    lines = numbered(
        [
            [one.no, one.owner.name, one.owner.uscc or "", one.bank_shown or "", *_fen(one, both)]
            for one in claims
        ]
    )
    sums = _fen(None, both, claims)
    lines.append(["合计", f"{len(claims)} 份", "", "", "", *sums])
    head = ("序号", "兑付编号", "收款单位", "统一社会信用代码", "收款账户")
    money = ("补助（元）", "配套（元）", "合计（元）") if both else ("金额（元）",)
    return _table("", (*head, *money), lines, (3, 9, 8, 9, 8, *(6 for _ in money)))


def _fen(claim: Claim | None, both: bool, claims: Sequence[Claim] = ()) -> list[str]:
    """What is paid of a claim, or of all; both: what others add stands apart."""
    rows = claims if claim is None else [claim]
    total = plain(sum(one.total_fen for one in rows))
    if not both:
        return [total]
    own, added = (sum(one.amount_fen or 0 for one in rows), sum(one.top_up_fen for one in rows))
    return [plain(own), plain(added), total]


def _payers(claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """Who bears how much, where several do."""
    found = top_ups.by_payer(funds.approved_by_region([one.id for one in claims]))
    if len(found) < 2:
        return []
    lines = [[name, plain(fen)] for name, fen in found]
    return [_table("出资", ("出资方", "金额（元）"), lines, (8, 4))]


def _finance(batch: Batch) -> str:
    return f"{batch.region.full_name}财政部门"


def _decided(batch: Batch) -> list[list[str]]:
    return [
        ["创新券办法", batch.scheme.title],
        ["批次", batch.title],
        ["会议纪要", f"{batch.meeting_no or ''} {day(batch.meeting_on)}".strip()],
        ["资金文件", f"{batch.fund_no or ''} {day(batch.fund_on)}".strip()],
    ]


def _demo(batch: Batch, claims: Iterable[Claim]) -> bool:
    return batch.demo or any(one.demo for one in claims)


def _summary(batch: Batch) -> dict[str, Any]:
    claims = queries.claims_of(batch)
    return _paper(
        batch.no, batch.region, _demo(batch, claims), "拨付汇总表", rows=_decided(batch),
        tables=[_payees(claims), *_payers(claims)],
        seals=[[_issuer(batch.region), "经办：　　　　复核："], [_finance(batch), "经办：　　　　复核："]],
    )  # fmt: skip


def _application(batch: Batch) -> dict[str, Any]:
    claims = queries.claims_of(batch)
    total = sum(one.total_fen for one in claims)
    words = (
        f"根据《{batch.scheme.title}》，{batch.title}共 {len(claims)} 份兑付申请，已经审核"
        f"{'、公示' if any(one.notice_no for one in claims) else ''}，并经会议审定"
        f"（{batch.meeting_no}，{day(batch.meeting_on)}），资金文件为{batch.fund_no}"
        f"（{day(batch.fund_on)}）。现申请拨付 {yuan(total)}，请予审核会签。收款单位、账户和金额见拨付汇总表。"
    )
    return _paper(
        batch.no, batch.region, _demo(batch, claims), "拨付申请", to=_finance(batch), paragraphs=[words],
        tables=_payers(claims), seals=[[_issuer(batch.region), ""]],
    )  # fmt: skip


BATCH_KINDS: Mapping[str, Kind] = {
    "summary": Kind("拨付汇总表", lambda one: True, _summary),
    "application": Kind("拨付申请", lambda one: one.meeting_no is not None, _application),
}


def _reviews(claim: Claim) -> Sequence[Review]:
    query = select(Review).where(Review.claim_id == claim.id).order_by(Review.id)
    return db.session.scalars(query).all()


def _returned(claim: Claim) -> bool:
    return claim.round > 0


def _said(review: Review) -> str:
    return "；".join(f"{FIELDS.get(name, name)}：{words}" for name, words in review.reasons.items())


def level_label(claim: Claim, level: int) -> str:
    """What a level of the chain is called."""
    chain = chain_of(claim)
    if level >= len(chain):
        return f"第 {level + 1} 级"
    return chain[level].label or REVIEW_LEVELS[chain[level].level]


def _amount(line: Mapping[str, Any]) -> str:
    if line["amount_fen"] is None:
        return "待定"
    return f"{'最高 ' if line['most'] else ''}{plain(line['amount_fen'])}"


def _approval(claim: Claim) -> dict[str, Any]:
    labels = service_labels(claim)
    outcome = claim.outcome or {}
    items = [
        [labels.get(one["service"], one["service"]), plain(one["cost_fen"]),
         str(one.get("units") or "")]
        for one in claim.items
    ]  # fmt: skip
    invoices = [
        [one.number, one.day.isoformat(), plain(one.amount_fen),
         one.checked_on.isoformat() if one.checked_on else ""]
        for one in claim.invoices
    ]  # fmt: skip
    trace = [[one["label"], one["formula"], _amount(one)] for one in outcome.get("trace", ())]
    reviews = [
        [level_label(claim, one.level), DECISIONS[one.decision], _said(one), one.by,
         local_day(one.at)]
        for one in _reviews(claim)
    ]  # fmt: skip
    levels = [[f"{label}审核意见", ""] for label in _levels(claim)] or [["审核意见", ""]]
    return _paper(
        claim.no, claim.scheme.region, claim.demo, "科技创新券兑付审批表",
        rows=[
            ["创新券办法", f"{claim.scheme.title}（第 {claim.version.version} 版）"],
            ["企业", claim.firm.name],
            ["服务机构", claim.provider.name if claim.provider else ""],
            ["申请兑付的单位", claim.owner.name],
            ["合同编号", claim.contract_no or ""],
            ["收款账户", claim.bank_shown or ""],
            ["申请兑付金额", yuan(claim.asked_fen)],
            ["审核金额", yuan(claim.amount_fen)],
            *([["另行配套", yuan(claim.top_up_fen)]] if claim.top_up_fen else []),
        ],
        tables=[
            _table("服务项目", ("服务", "费用（元）", "数量"), items, (3, 2, 1)),
            _table("发票", ("发票号码", "开票日期", "价税合计（元）", "查验日期"), invoices, (4, 2, 2, 2)),
            _table("计算明细", ("步骤", "算法", "金额（元）"), trace, (3, 5, 2)),
            _table("审核", ("层级", "意见", "原因", "经办", "日期"), reviews, (2, 2, 5, 2, 3)),
        ],
        seals=levels,
    )  # fmt: skip


def _levels(claim: Claim) -> list[str]:
    return [level_label(claim, level) for level in range(len(chain_of(claim)))]


def _deficiency(claim: Claim) -> dict[str, Any]:
    last = [one for one in _reviews(claim) if one.decision == "return"][-1]
    words = (
        f"你单位的科技创新券兑付申请（{claim.no}，{claim.scheme.title}）收悉。"
        "经审核，下列材料或内容需要补正，现一次性告知，请补齐后通过原申请重新提交："
    )
    missing = [f"{FIELDS.get(name, name)}：{said}" for name, said in last.reasons.items()]
    return _paper(
        claim.no, claim.scheme.region, claim.demo, "补正告知书", to=claim.owner.name,
        paragraphs=[words], missing=missing, seals=[[_issuer(claim.region), ""]],
        day=local_day(last.at),
    )  # fmt: skip


CLAIM_KINDS: Mapping[str, Kind] = {
    "approval": Kind("审批表", lambda one: one.submitted_at is not None, _approval),
    "deficiency": Kind("补正告知书", _returned, _deficiency),
}


def kinds_for(row: Batch | Claim) -> dict[str, str]:
    """The papers that a batch or a claim has now: kind → what it is called."""
    kinds = BATCH_KINDS if isinstance(row, Batch) else CLAIM_KINDS
    return {code: one.label for code, one in kinds.items() if one.there(row)}


def printed(row: Batch | Claim, kind: str) -> Printed:
    """A paper as a file. Raises NotFound: there is none of this kind now."""
    if kind not in kinds_for(row):
        raise NotFound("现在没有这份文书。")
    one = (BATCH_KINDS if isinstance(row, Batch) else CLAIM_KINDS)[kind]
    return Printed(f"{one.label}-{row.no}.pdf", typeset("voucher", one.says(row), clock.now()))


def recommends(actor: Actor, claim: Claim) -> bool:
    """Whether the actor's level passed a claim that the level above has to review."""
    if claim.state != "submitted" or not 0 < claim.level < len(chain_of(claim)):
        return False
    passed, waits = chain_of(claim)[claim.level - 1].level, chain_of(claim)[claim.level].level
    role = {"township": "county"}.get(passed, passed)
    return passed != waits and actor.has(role)


def recommendation(actor: Actor, scheme_no: str) -> Printed:
    """推荐函 with its table, from the office of a level to the one above.

    Raises:
        NotFound: the actor's level passed nothing that waits above.
    """
    scheme = db.session.scalar(select(Scheme).where(Scheme.no == scheme_no))
    query = select(Claim).where(
        queries.seen_by(actor, Claim), Claim.state == "submitted", Claim.level > 0,
        Claim.scheme_id == (scheme.id if scheme else 0),
    )  # fmt: skip
    rows = db.session.scalars(query.order_by(Claim.id).limit(500)).all()
    claims = [one for one in rows if recommends(actor, one)]
    if scheme is None or not claims:
        raise NotFound("没有已由本级审核、等上级审核的申请。")
    data = _recommendation(scheme, claims, _own_region(actor, claims[0]))
    return Printed(f"推荐函-{scheme.no}.pdf", typeset("voucher", data, clock.now()))


def _own_region(actor: Actor, claim: Claim) -> Region:
    """The region of the actor's office that the claim lies in."""
    areas = [one for one in actor.areas(*OFFICES) if (claim.area_path or "").startswith(one)]
    found = db.session.scalar(select(Region).where(Region.path.in_(areas)).order_by(Region.path))
    return found or claim.region


def _recommendation(scheme: Scheme, claims: Sequence[Claim], region: Region) -> dict[str, Any]:
    above = chain_of(claims[0])[claims[0].level]
    total = sum(one.asked_fen for one in claims)
    words = (
        f"根据《{scheme.title}》，下列 {len(claims)} 份兑付申请经我部门审核，符合办法的规定，"
        f"申请兑付合计 {yuan(total)}，现予推荐，请审核。"
    )
    lines = numbered([[one.no, one.firm.name, plain(one.asked_fen)] for one in claims])
    head = ("序号", "兑付编号", "企业", "申请兑付（元）")
    return _paper(
        scheme.no, region, scheme.demo, "推荐函",
        to=f"{above.label or REVIEW_LEVELS[above.level]}科技管理部门", paragraphs=[words],
        tables=[_table("推荐汇总表", head, lines, (1, 3, 5, 3))], seals=[[_issuer(region), ""]],
    )  # fmt: skip


def rows(found: queries.BatchCase) -> Iterator[dict[str, Any]]:
    """A batch as rows of a table, accounts masked."""
    for number, one in enumerate(found.claims, start=1):
        paid = [each for each in found.payments.get(one.id, ()) if each.state != "bounced"]
        yield {
            "number": number, "no": one.no, "payee": one.owner.name, "uscc": one.owner.uscc or "",
            "firm": one.firm.name, "provider": one.provider.name if one.provider else "",
            "account": one.bank_shown or "", "fen": yuan_number(one.amount_fen or 0),
            "top_up": yuan_number(one.top_up_fen), "total": yuan_number(one.total_fen),
            "state": CLAIM_STATES[one.state],
            "treasury_no": paid[-1].treasury_no if paid else "",
            "paid_on": paid[-1].paid_on.isoformat() if paid else "",
        }  # fmt: skip


def total(found: queries.BatchCase) -> dict[str, Any]:
    """The last row of such a table."""
    return {"payee": f"合计 {len(found.claims)} 份", "fen": yuan_number(found.total_fen)}


def to_fill_in(claims: Iterable[Claim]) -> Iterator[dict[str, Any]]:
    """The treasury's table for claims that wait for it, with all but its number and day."""
    for one in claims:
        yield {
            "claim_no": one.no, "treasury_no": "", "paid_on": "",
            "amount_fen": yuan_number(one.total_fen),
        }  # fmt: skip
