"""Before a claim is sent: the amount step by step, what is missing, and every reason there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from market.core.errors import Conflict, Invalid
from market.core.permissions import Actor
from market.vouchers import checking, claiming, evidence
from market.vouchers.claim_models import Claim
from market.vouchers.codes import EVIDENCE
from market.vouchers.facts import Outcome, Reason
from market.vouchers.firm_pages import queries
from market.vouchers.rules import compute
from market.vouchers.schemes import sheet_of


@dataclass(frozen=True)
class Paper:
    """One line of the check list of evidence. how: by what it is there; empty: it is missing."""

    code: str
    label: str
    how: str


@dataclass(frozen=True)
class Checked:
    """What is found. missing: must be mended first; look: to be looked at; papers: the check list.

    outcome: the amount with its steps, as if nothing were missing; `refused` gives nothing at all.
    """

    outcome: Outcome
    missing: Sequence[str]
    refusals: Sequence[Reason]
    look: Sequence[str]
    papers: Sequence[Paper]
    related: Sequence[Reason]

    @property
    def ready(self) -> bool:
        return not self.missing and not self.refusals


def check(actor: Actor, claim: Claim) -> Checked:
    """Look at a claim as `claiming.submit` will; the promise is given when it is sent."""
    facts = claiming.facts_of(claim, related=False)
    proved = (facts.evidence or frozenset()) | {"promise"}
    whole = compute(claim.version.content, replace(facts, evidence=proved))
    # The steps of the calculation are worth seeing while papers are still missing.
    shown = compute(claim.version.content, replace(facts, evidence=None, invoices=None))
    refusals = [one for one in whole.reasons if one.weight == "refuse" and one.code != "evidence"]
    papers = papers_of(claim)
    bound = shown.ceiling_fen if shown.amount_fen is None else shown.amount_fen
    missing = [f"佐证材料：{one.label}" for one in papers if not one.how]
    return Checked(
        outcome=shown,
        missing=[*_missing(claim), *missing, *_above(claim, bound)],
        refusals=refusals,
        look=[*_look(actor, claim), *(r.words for r in whole.reasons if r.weight == "open")],
        papers=papers,
        related=_related(claim),
    )


def papers_of(claim: Claim) -> list[Paper]:
    """The scheme's list of evidence, each with what is there of it."""
    files, online = evidence.attached(claim), evidence.online(claim)
    found = []
    for code in sheet_of(claim.version).evidence or ():
        how = ""
        if code in files:
            how = "已上传"
        elif code in online:
            how = "在本站填写，不用另传" if code == "claim_form" else "服务机构已在线确认"
        elif code == "promise":
            how = "已在线承诺" if code in claim.evidence else "提交时在线承诺"
        elif code in claim.evidence:
            how = "已登记"
        found.append(Paper(code, EVIDENCE.get(code, code), how))
    return found


def _missing(claim: Claim) -> list[str]:
    found = []
    if claim.bank is None:
        found.append("收款账户：户名、开户银行、账号")
    if not claim.invoices:
        found.append("发票")
    if claim.order is not None and claim.order.state != "accepted":
        found.append(f"服务订单 {claim.order.no} 的验收")
    found += checking.wrong_invoices(claim)
    try:
        checking.refuse_used_invoices(claim)
    except Invalid as error:
        found += error.fields["invoices"]
    except Conflict as error:
        found.append(error.message)
    return found


def _above(claim: Claim, bound: int | None) -> list[str]:
    """The amount that is asked, against what the rules give."""
    if bound == 0:
        return ["按办法没有可兑付的金额，见计算明细"]
    if bound is not None and claim.asked_fen > bound and claim.state != "returned":
        return ["申请兑付的金额高于按办法算出的金额：请留空，或填得低一些"]
    return []


def _look(actor: Actor, claim: Claim) -> list[str]:
    """What is told to the office as well; numbers of others' claims are not."""
    found = [
        f"{one['words']}，部门审核时会核对" for one in checking.findings_of(claim)
        if not one["code"].startswith(("related:", "withdrawn:"))
    ]  # fmt: skip
    by_provider = sheet_of(claim.version).payer_model == "provider"
    for number, one in enumerate(claim.items, start=1):
        paid, due = one.get("paid_fen"), one["cost_fen"]
        due -= claim.order.voucher_fen if by_provider and claim.order is not None else 0
        if paid is None:
            found.append(f"第 {number} 项服务没有填已付金额")
        elif paid < due:
            found.append(f"第 {number} 项服务的已付金额少于应付的金额")
    if not queries.has_declared(actor, claim.claimant_id):
        found.append("本单位还没有申报法定代表人和股东，部门要据此核对关联方")
    return found


def _related(claim: Claim) -> list[Reason]:
    """Whether firm and provider are related: refused or looked at, as the scheme says."""
    outcome = claiming.outcome_of(claim)
    return [one for one in outcome.reasons if one.code == "related"]
