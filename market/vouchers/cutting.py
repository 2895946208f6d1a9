"""Cutting claims in proportion (按比例核减) where the budget does not suffice for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.permissions import Actor
from market.core.unit_of_work import unit_of_work
from market.vouchers import funds
from market.vouchers.calculating import WHOLE_BP
from market.vouchers.claim_models import Claim
from market.vouchers.claiming import CUT, outcome_of
from market.vouchers.facts import as_json
from market.vouchers.ledger.posting import Pot
from market.vouchers.ledger.queries import balances
from market.vouchers.locking import locked
from market.vouchers.models import Scheme
from market.vouchers.schemes import sheet_of
from market.vouchers.workflow import MANAGE, READ_CLAIM, REVIEW


def cut(actor: Actor, scheme_no: str, claim_nos: Sequence[str]) -> int:
    """Decide for claims under review which share of each is paid: the same for all, whole if it can be.

    The share is rounded down to a hundredth of a per cent, so that all of them together never
    take more than there is.

    Returns:
        The share in basis points.

    Raises:
        Conflict: the sheet does not say that money is shared, a claim is not under review, or its
            amount is open.
    """
    with unit_of_work(actor) as work:
        scheme = locked(Scheme, actor, MANAGE, scheme_no)
        work.require(REVIEW, scheme)
        claims = [locked(Claim, actor, READ_CLAIM, no) for no in sorted(set(claim_nos))]
        if not claims or any(one.scheme_id != scheme.id for one in claims):
            raise Invalid({"claims": ["请选择本办法下审核中的申请。"]})
        if len({one.year for one in claims}) > 1:
            raise Invalid({"claims": ["不同年度的申请用不同年度的预算，请分开核减。"]})
        asked = [_asked(one) for one in claims]
        left = balances(Pot(scheme.id, claims[0].year, scheme.region_id)).get("available", 0)
        budget = left + sum(funds.held(("claim", one.id)) for one in claims)
        share = min(WHOLE_BP, budget * WHOLE_BP // sum(asked))
        for row in claims:
            row.decided = {**row.decided, CUT: share}
            db.session.flush()
            row.outcome = as_json(outcome_of(row))
            row.lock_version, row.updated_at = row.lock_version + 1, clock.now()
            after = {"share_bp": share, "claims": [one.no for one in claims]}
            work.record("voucher_claim.cut", "voucher_claim", row.id, no=row.no, after=after)
        return share


def _asked(row: Claim) -> int:
    """What a claim would get uncut."""
    if sheet_of(row.version).exhaustion != "pro_rata":
        raise Conflict("办法没有规定预算不足时按比例核减。")
    if row.state != "submitted" or row.kind != "claim":
        raise Conflict(f"{row.no} 不在审核中，不能核减。")
    row.decided = {**row.decided, CUT: WHOLE_BP}
    db.session.flush()
    outcome = outcome_of(row)
    if not outcome.amount_fen:
        raise Conflict(f"{row.no} 的金额还没有确定，请先审定比例或读法。")
    return min(outcome.amount_fen, row.asked_fen)
