"""Which claims wait for a batch, and which batches for the treasury."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from market.core.db import db
from market.core.permissions import Actor, policy
from market.vouchers.claim_models import BATCH_STATES, Batch, Claim
from market.vouchers.models import Scheme
from market.vouchers.office_pages.queries import TO_PAY, seen_by
from market.vouchers.workflow import MAKE_BATCH, PAY


@dataclass(frozen=True)
class ToBePaid:
    """A batch and its claims that the treasury has not paid yet."""

    row: Batch
    claims: Sequence[Claim]

    @property
    def total_fen(self) -> int:
        return sum(one.total_fen for one in self.claims)

    @property
    def state(self) -> str:
        return BATCH_STATES[self.row.state]


def to_be_paid(actor: Actor) -> list[ToBePaid]:
    """What waits for the treasury in batches that the actor may pay, the oldest batch first."""
    query = (
        select(Claim)
        .join(Batch, Batch.id == Claim.batch_id)
        .where(policy.where(actor, PAY, Batch), Claim.state.in_(TO_PAY))
        .order_by(Batch.id, Claim.id)
        .limit(5_000)
        .options(contains_eager(Claim.batch).joinedload(Batch.scheme))
    )
    found: dict[int, list[Claim]] = {}
    for one in db.session.scalars(query):
        found.setdefault(one.batch_id or 0, []).append(one)
    return [ToBePaid(claims[0].batch, claims) for claims in found.values() if claims[0].batch]


@dataclass(frozen=True)
class Ready:
    """Approved claims of a scheme that stand in no batch."""

    scheme: Scheme
    claims: Sequence[Claim]


def ready(actor: Actor) -> list[Ready]:
    """What may be put into batches by the actor, by scheme."""
    query = (
        select(Claim)
        .where(seen_by(actor, Claim), Claim.state == "reviewed")
        .order_by(Claim.scheme_id, Claim.id)
        .limit(500)
        .options(joinedload(Claim.scheme).joinedload(Scheme.region), joinedload(Claim.owner),
                 joinedload(Claim.firm), joinedload(Claim.version))
    )  # fmt: skip
    found: dict[int, Ready] = {}
    for one in db.session.scalars(query):
        if policy.allows(actor, MAKE_BATCH, one.scheme):
            entry = found.setdefault(one.scheme_id, Ready(one.scheme, []))
            found[one.scheme_id] = Ready(entry.scheme, [*entry.claims, one])
    return list(found.values())
