"""How a claimant answers what a claim was returned for, field by field."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.permissions import Actor
from market.core.unit_of_work import unit_of_work
from market.vouchers.claim_models import Claim, Review
from market.vouchers.locking import locked
from market.vouchers.workflow import CLAIM_MONEY, READ_CLAIM

LONGEST = 500  # characters of an answer


def asked_of(claim: Claim) -> Review | None:
    """The review that returned a claim last; None: it never was."""
    query = select(Review).where(Review.claim_id == claim.id, Review.decision == "return")
    return db.session.scalar(query.order_by(Review.id.desc()).limit(1))


def answer(actor: Actor, no: str, answers: Mapping[str, str], version: int | None = None) -> None:
    """Write how each thing was mended; an empty answer takes it back.

    Args:
        answers: by the field of the reason.

    Raises:
        NotFound, Denied: not this actor's. Conflict: nothing is to be mended now, or it moved.
        Invalid: too long.
    """
    with unit_of_work(actor) as work:
        claim = locked(Claim, actor, READ_CLAIM, no, version)
        work.require(CLAIM_MONEY, claim)
        row = asked_of(claim)
        if claim.state != "returned" or row is None:
            raise Conflict("现在没有要补正的内容。")
        if set(answers) - set(row.reasons):
            raise Conflict("补正的内容刚有变化，请刷新后再写。")
        for name, words in answers.items():
            if len(words) > LONGEST:
                raise Invalid({f"answer-{name}": [f"最多 {LONGEST} 个字。"]})
        told = {**(row.answers or {}), **answers}
        row.answers = {name: words for name, words in told.items() if words}
        claim.lock_version, claim.updated_at = claim.lock_version + 1, clock.now()
        work.record(
            "voucher_claim.answer", "voucher_claim", claim.id, no=no,
            after={"answered": len(row.answers)},
        )  # fmt: skip
