"""Cutting claims in proportion (按比例核减) where the budget does not suffice for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.permissions import Actor, policy
from market.core.unit_of_work import unit_of_work
from market.vouchers import funds
from market.vouchers.calculating import WHOLE_BP
from market.vouchers.claim_models import Claim
from market.vouchers.claiming import CUT, facts_of, outcome_of, read_as
from market.vouchers.eligible import show_bp
from market.vouchers.facts import as_json
from market.vouchers.ledger.posting import Pot
from market.vouchers.ledger.queries import balances
from market.vouchers.locking import locked, seen
from market.vouchers.models import Scheme
from market.vouchers.rules import compute
from market.vouchers.schemes import sheet_of
from market.vouchers.workflow import CLAIM, MANAGE, READ_CLAIM, REVIEW


@dataclass(frozen=True)
class Line:
    """A claim under review. whole_fen: what it gets uncut; None with the words why it cannot be cut."""

    claim: Claim
    whole_fen: int | None
    words: str = ""
    share_bp: int | None = None

    @property
    def cut_fen(self) -> int | None:
        """What it gets of the share that is fixed or would be, before rounding by the sheet."""
        if self.whole_fen is None or self.share_bp is None:
            return None
        return self.whole_fen * self.share_bp // WHOLE_BP


@dataclass(frozen=True)
class Plan:
    """What a cut would be: nothing is fixed yet. share_bp: None where no claim was chosen."""

    lines: Sequence[Line]
    share_bp: int | None
    whole_fen: int
    budget_fen: int


def under_review(actor: Actor, scheme: Scheme) -> list[Claim]:
    """Claims of a scheme that may have to share what is left of a budget, oldest first."""
    query = select(Claim).where(
        policy.where(actor, READ_CLAIM, Claim), Claim.scheme_id == scheme.id,
        Claim.state == "submitted", Claim.kind == "claim",
    )  # fmt: skip
    rows = db.session.scalars(query.order_by(Claim.id)).all()
    return [one for one in rows if sheet_of(one.version).exhaustion == "pro_rata"]


def plan(actor: Actor, scheme_no: str, year: int, chosen: Sequence[str] | None = None) -> Plan:
    """What each claim of a year would get if those that are chosen shared what there is.

    Args:
        chosen: numbers; None: all whose amount is known.
    """
    scheme = seen(Scheme, actor, MANAGE, scheme_no)
    rows = [_line(one) for one in under_review(actor, scheme) if one.year == year]
    taken = [
        one for one in rows
        if one.whole_fen is not None and (chosen is None or one.claim.no in chosen)
    ]  # fmt: skip
    share, budget = _share(scheme, taken) if taken else (None, 0)
    numbers = {one.claim.no for one in taken}
    lines = [replace(one, share_bp=share) if one.claim.no in numbers else one for one in rows]
    return Plan(lines, share, sum(one.whole_fen or 0 for one in taken), budget)


def cut(
    actor: Actor, scheme_no: str, claim_nos: Sequence[str], reason: str = "",
    share_seen: int | None = None,
) -> int:  # fmt: skip
    """Decide for claims under review which share of each is paid: the same for all, whole if it can be.

    The share is rounded down to a hundredth of a per cent, so that all of them together never
    take more than there is.

    Args:
        reason: stands in the timeline of each claim. share_seen: the share that the actor was
            shown before; None: not asked.

    Returns:
        The share in basis points.

    Raises:
        Conflict: the sheet does not say that money is shared, a claim is not under review, its
            amount is open, or the share is another than was seen.
    """
    with unit_of_work(actor) as work:
        scheme = locked(Scheme, actor, MANAGE, scheme_no)
        work.require(REVIEW, scheme)
        claims = [locked(Claim, actor, READ_CLAIM, no) for no in sorted(set(claim_nos))]
        if not claims or any(one.scheme_id != scheme.id for one in claims):
            raise Invalid({"claims": ["请选择本办法下审核中的申请。"]})
        if len({one.year for one in claims}) > 1:
            raise Invalid({"claims": ["不同年度的申请用不同年度的预算，请分开核减。"]})
        lines = [_line(one) for one in claims]
        if wrong := [one.words for one in lines if one.words]:
            raise Conflict("".join(wrong))
        share, _budget = _share(scheme, lines)
        if share_seen is not None and share != share_seen:
            words = f"可用额度或申请刚有变动，现在的比例是 {show_bp(share)}；请核对后再点一次。"
            raise Conflict(words)
        for row in claims:
            row.decided = {**row.decided, CUT: share}
            db.session.flush()
            row.outcome = as_json(outcome_of(row))
            row.lock_version, row.updated_at = row.lock_version + 1, clock.now()
            note = f"按 {show_bp(share)} 拨付。{reason}".strip()
            flow.add_event(work, CLAIM.name, row.id, "cut", note=note)
            after = {"share_bp": share, "claims": [one.no for one in claims], "reason": reason}
            work.record("voucher_claim.cut", "voucher_claim", row.id, no=row.no, after=after)
        return share


def _line(row: Claim) -> Line:
    """A claim with what it would get uncut, or why it cannot be cut."""
    if row.state != "submitted" or row.kind != "claim":
        return Line(row, None, f"{row.no} 不在审核中，不能核减。")
    sheet = read_as(row)
    if sheet.exhaustion != "pro_rata":
        return Line(row, None, "办法没有规定预算不足时按比例核减。")
    # What the budget has left is what is shared: it bounds nobody before.
    facts = replace(facts_of(row), cut_bp=WHOLE_BP, asked_fen=row.asked_fen, budget_left_fen=None)
    outcome = compute(sheet, facts)
    if not outcome.amount_fen:
        return Line(row, None, f"{row.no} 的金额还没有确定，请先审定比例或读法。")
    share = row.decided.get(CUT)
    return Line(row, outcome.amount_fen, share_bp=share)


def _share(scheme: Scheme, lines: Sequence[Line]) -> tuple[int, int]:
    """The share that all payers can bear, and what they have together, in fen."""
    wanted: dict[int, int] = {}
    there: dict[int, int] = {}
    for one in lines:
        sheet = sheet_of(one.claim.version)
        for region, fen in funds.parts_for(sheet, one.claim, one.whole_fen or 0).items():
            wanted[region] = wanted.get(region, 0) + fen
        for region, fen in funds.held_for(sheet, one.claim, one.whole_fen or 0).items():
            there[region] = there.get(region, 0) + fen
    for region in wanted:
        pot = Pot(scheme.id, lines[0].claim.year, region)
        there[region] = there.get(region, 0) + balances(pot).get("available", 0)
    share = min(there[region] * WHOLE_BP // fen for region, fen in wanted.items())
    return min(WHOLE_BP, share), sum(there[region] for region in wanted)
