"""What is known of a firm, read from the register: lists, region, bars, last year's vouchers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select

from market.accounts.models import Organisation
from market.accounts.queries import codes_of
from market.accounts.rosters.models import RosterEntry
from market.core.db import db
from market.core.errors import Conflict
from market.regions.models import Region
from market.vouchers.claim_models import COUNTED, Bar, Claim
from market.vouchers.facts import Firm
from market.vouchers.models import Scheme, Voucher

_KINDS = {
    "enterprise": "enterprise",
    "cooperative": "coop",
    "institute": "institute",
    "office": "public_body",
    "institution": "public_body",
}
DECLARED = ("size", "revenue_fen", "clean_record", "no_accident", "core_members", "incubated")


def firm_of(
    organisation: Organisation, scheme: Scheme, day: date, declared: Mapping[str, Any]
) -> Firm:
    """A firm as the rules ask for it.

    Args:
        declared: what it said of itself, by names of `DECLARED`; `kind` where it is a team.
    """
    ids = organisation.region.path_ids
    rows = db.session.execute(select(Region.id, Region.code).where(Region.id.in_(ids)))
    codes = dict(rows.all())
    kind = declared.get("kind") or _KINDS[organisation.kind]
    return Firm(
        kind=kind,
        name=organisation.name,
        rosters=_rosters(organisation.uscc),
        region_codes=[codes[one] for one in ids],
        barred_until=barred_until(organisation.id, scheme.region.path_ids, day),
        unused_bp=_unused(scheme.id, organisation.id, day.year - 1),
        **{name: declared[name] for name in DECLARED if declared.get(name) is not None},
    )


def _rosters(uscc: str | None) -> dict[str, frozenset[int]]:
    if not uscc:
        return {}
    query = select(RosterEntry.kind, RosterEntry.year).where(
        RosterEntry.state == "active", RosterEntry.uscc.in_(codes_of(uscc))
    )
    found: dict[str, set[int]] = {}
    for kind, year in db.session.execute(query):
        found.setdefault(kind, set()).add(year)
    return {kind: frozenset(years) for kind, years in found.items()}


def barred_until(organisation_id: int, region_ids: list[int], day: date) -> date | None:
    """The last day of a bar that a region or one above it set; None: not barred."""
    return db.session.scalar(
        select(func.max(Bar.ends_on)).where(
            Bar.organisation_id == organisation_id,
            Bar.region_id.in_(region_ids),
            Bar.begins_on <= day,
            Bar.ends_on >= day,
            Bar.lifted_at.is_(None),
        )
    )


def refuse_barred(scheme: Scheme, organisations: Iterable[Organisation], day: date) -> None:
    """Refuse money for who is barred on a day, also for what was asked for before the bar.

    Raises:
        Conflict: with the last day of the bar, and the two ways out of it.
    """
    for one in {one.id: one for one in organisations}.values():
        if until := barred_until(one.id, scheme.region.path_ids, day):
            raise Conflict(
                f"{one.name}已停止申领资格，到 {until} 为止，不能发放、审定和拨付。"
                "处理有误的先解除停止申领资格，否则写明原因不通过。"
            )


def _unused(scheme_id: int, organisation_id: int, year: int) -> int | None:
    """What share of a year's vouchers lapsed, in basis points; None: it had none."""
    face, lapsed = db.session.execute(
        select(
            func.sum(Voucher.face_fen),
            func.sum(Voucher.face_fen - Voucher.spent_fen).filter(Voucher.state == "expired"),
        ).where(
            Voucher.scheme_id == scheme_id,
            Voucher.organisation_id == organisation_id,
            Voucher.year == year,
        )
    ).one()
    return int(lapsed or 0) * 10_000 // int(face) if face else None


def claims_before(claim: Claim) -> tuple[int, int]:
    """How many other claims of the firm count in this scheme, and this year with this provider."""
    ours = select(func.count(Claim.id)).where(
        Claim.scheme_id == claim.scheme_id,
        Claim.organisation_id == claim.organisation_id,
        Claim.kind == "claim",
        Claim.state.in_(COUNTED),
        Claim.id != claim.id,
    )
    with_provider = ours.where(Claim.provider_id == claim.provider_id, Claim.year == claim.year)
    counted = db.session.scalar(with_provider) if claim.provider_id is not None else 0
    return db.session.scalar(ours) or 0, counted or 0


def provider_used(claim: Claim) -> int:
    """What other claims of the scheme and year take for services of the claim's provider, in fen."""
    if claim.provider_id is None:
        return 0
    taken = select(func.sum(func.coalesce(Claim.amount_fen, Claim.asked_fen))).where(
        Claim.scheme_id == claim.scheme_id,
        Claim.provider_id == claim.provider_id,
        Claim.year == claim.year,
        Claim.state.in_(COUNTED),
        Claim.id != claim.id,
    )
    return int(db.session.scalar(taken) or 0)


def award_volume(claim: Claim) -> int:
    """For how much of what a provider was paid for no award was asked so far, but by this claim."""
    return awarded_volume(claim.scheme_id, claim.claimant_id, claim.year, claim.id)


def awarded_volume(scheme_id: int, provider_id: int, year: int, but: int = 0) -> int:
    """For how much of what a provider was paid for in a year no award was asked so far, in fen.

    Args:
        but: id of the claim that asks now.
    """
    same_year = (Claim.scheme_id == scheme_id, Claim.year == year)
    paid = select(Claim.items).where(
        *same_year,
        Claim.provider_id == provider_id,
        Claim.kind == "claim",
        Claim.state == "paid",
    )
    asked = select(Claim.items).where(
        *same_year,
        Claim.claimant_id == provider_id,
        Claim.kind == "award",
        Claim.state.in_(COUNTED),
        Claim.id != but,
    )
    volumes = [
        sum(one["cost_fen"] for items in db.session.scalars(query) for one in items)
        for query in (paid, asked)
    ]
    return max(volumes[0] - volumes[1], 0)


def place_of(firm: Organisation, scheme: Scheme) -> int:
    """Where a firm's case lies: its own region below the scheme's, so that each level sees it."""
    inside = firm.region.path.startswith(scheme.region.path)
    return firm.region_id if inside else scheme.region_id
