"""Trying a version before it is in force: on examples and on past cases, beside the one that holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from market.core.db import db
from market.core.permissions import Actor, policy
from market.vouchers import preview
from market.vouchers.claim_models import Claim
from market.vouchers.claiming import facts_of
from market.vouchers.models import Scheme
from market.vouchers.preview import Case, Tried
from market.vouchers.workflow import READ_CLAIM

MOST = 20  # past claims that a version is tried on
STANDING = (
    "reviewed",
    "notice",
    "payable",
    "batched",
    "paid",
    "bounced",
)  # approved, not taken back


def past_cases(actor: Actor, scheme: Scheme) -> list[Case]:
    """Approved claims of a scheme, newest first, as facts: with the caps as they stood then.

    Neither the budget nor what was reserved counts: both have moved on.
    """
    query = select(Claim).where(Claim.scheme_id == scheme.id, Claim.state.in_(STANDING))
    readable = query.where(policy.where(actor, READ_CLAIM, Claim))
    claims = db.session.scalars(readable.order_by(Claim.id.desc()).limit(MOST)).all()
    before = _approved_before(scheme, claims)
    return [
        Case(
            f"{claim.no} {claim.firm.name}",
            replace(
                facts_of(claim, related=False),
                reserved_fen=None,
                budget_left_fen=None,
                used_year_fen=sum(fen for year, fen in before[claim.id] if year == claim.year),
                used_total_fen=sum(fen for _year, fen in before[claim.id]),
            ),
            claim.amount_fen,
        )
        for claim in claims
    ]


def _approved_before(scheme: Scheme, claims: Sequence[Claim]) -> dict[int, list[tuple[int, int]]]:
    """For each claim, year and amount of those of the same firm that were made before it."""
    query = select(Claim.id, Claim.organisation_id, Claim.year, Claim.amount_fen).where(
        Claim.scheme_id == scheme.id,
        Claim.state.in_(STANDING),
        Claim.organisation_id.in_({one.organisation_id for one in claims}),
    )
    rows = list(db.session.execute(query))
    return {
        one.id: [
            (year, fen or 0)
            for key, firm, year, fen in rows
            if firm == one.organisation_id and key < one.id and fen is not None
        ]
        for one in claims
    }


@dataclass(frozen=True)
class Beside:
    """A case by the version in force and by the one that is written."""

    label: str
    paid_fen: int | None
    now: Tried | None
    new: Tried

    @property
    def differs(self) -> bool:
        """Whether it would get something else than now, or than it got."""
        if self.paid_fen is not None:
            return self.new.differs
        return self.now is not None and self.now.words != self.new.words


def beside(
    live: Mapping[str, Any] | None, written: Mapping[str, Any], cases: Sequence[Case]
) -> list[Beside]:
    """Each case by both versions."""
    new = preview.preview(written, cases)
    now: Sequence[Tried | None] = preview.preview(live, cases) if live else [None] * len(new)
    return [
        Beside(one.case.label, one.case.paid_fen, before, one)
        for before, one in zip(now, new, strict=True)
    ]
