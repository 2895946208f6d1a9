"""When a batch has nothing left to pay it ends by itself."""

from __future__ import annotations

from sqlalchemy import select

from market.core import workflow as flow
from market.core.db import db
from market.core.unit_of_work import UnitOfWork
from market.vouchers.claim_models import Batch, Claim
from market.vouchers.locking import moved
from market.vouchers.workflow import BATCH

UNPAID = ("notice", "payable", "batched", "bounced")


def end_if_done(work: UnitOfWork, batch_id: int | None) -> None:
    """End a batch that lost its last unpaid claim: closed if it paid anything, else discarded.

    Called where a claim leaves a batch otherwise than by being paid.
    """
    query = select(Batch).where(Batch.id == batch_id)
    held = query.with_for_update(of=Batch).execution_options(populate_existing=True)
    row = db.session.scalar(held)
    if row is None or row.state not in {"open", "countersigned", "sent"}:
        return
    states = db.session.scalars(select(Claim.state).where(Claim.batch_id == row.id)).all()
    if any(one in UNPAID for one in states):
        return
    # Without a paid claim no office ever has to look for the money of this batch.
    flow.fire(work, BATCH, row, "settle" if states else "discard", values=moved(Batch))
