"""What others add on top of a claim (另行配套): from whose budget, how much, or why nothing.

Each comes whole from the budget of its payer's region in the scheme, or not at all; a claim never
waits for it. Money is held from the claim on, whenever the scheme reserves its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, select

from market.core.db import db
from market.core.unit_of_work import UnitOfWork
from market.regions.models import Region
from market.vouchers import funds
from market.vouchers.claim_models import Claim
from market.vouchers.codes import PAYERS
from market.vouchers.facts import Line, Outcome
from market.vouchers.ledger.models import LedgerAccount
from market.vouchers.ledger.posting import Move, Pot, Subject, between, post
from market.vouchers.ledger.queries import balances
from market.vouchers.schemes import sheet_of
from market.vouchers.sheet import TopUp


@dataclass(frozen=True)
class Added:
    """A top-up of a claim. words: why it is not paid, in a sentence; empty: it is."""

    label: str
    fen: int | None
    region: Region | None = None
    words: str = ""

    @property
    def paid_fen(self) -> int:
        """What of it is paid."""
        return 0 if self.words else self.fen or 0


def of(claim: Claim, fen: int) -> list[Added]:
    """The top-ups of a claim that gets an amount, as the budgets stand; none for an award."""
    if claim.kind != "claim":
        return []
    rows = [_placed(claim, one, fen) for one in sheet_of(claim.version).top_ups]
    held = funds.held_by_region(_holder(claim))
    there: dict[int, int] = {}
    found = []
    for one in rows:
        if one.region is not None and not one.words:
            region = one.region.id
            if region not in there:
                pot = Pot(claim.scheme_id, claim.year, region)
                there[region] = held.get(region, 0) + balances(pot).get("available", 0)
            if there[region] < (one.fen or 0):
                words = f"{one.region.full_name}的可用额度不足，这部分不拨付"
                one = replace(one, words=words)
            else:
                there[region] -= one.fen or 0
        found.append(one)
    return found


def _placed(claim: Claim, one: TopUp, fen: int) -> Added:
    label = one.label or PAYERS.get(one.payer) or _name(one.payer)
    if one.ratio is None:
        return Added(label, None, words="办法没有写比例（待定），这部分不拨付")
    amount = fen * one.ratio.numerator // one.ratio.denominator
    region = _payer(claim, one.payer)
    if region is None:
        words = f"出资方没有下达本办法 {claim.year} 年的预算，这部分不拨付"
        return Added(label, amount, words=words)
    return Added(label, amount, region)


def _name(code: str) -> str:
    found = db.session.scalar(select(Region.full_name).where(Region.code == code))
    return found or code


def _payer(claim: Claim, payer: str) -> Region | None:
    """The region that pays; of a firm's or a provider's own place the nearest that has a budget."""
    side = {"buyer_region": claim.firm, "provider_region": claim.provider}
    if payer in side:
        organisation = side[payer]
        if organisation is None:
            return None
        # The scheme's owner pays the claim itself: it tops up only its own firms.
        ids = [one for one in organisation.region.path_ids if one != claim.scheme.region_id]
        ids += [organisation.region_id] if organisation.region_id not in ids else []
        wanted: ColumnElement[bool] = Region.id.in_(ids)
    else:
        wanted = Region.code == payer
    funded = select(LedgerAccount.region_id).where(
        LedgerAccount.scheme_id == claim.scheme_id, LedgerAccount.year == claim.year,
        LedgerAccount.kind == "available",
    )  # fmt: skip
    query = select(Region).where(wanted, Region.id.in_(funded)).order_by(Region.path.desc())
    return db.session.scalar(query.limit(1))


def lines(added: Sequence[Added]) -> list[Line]:
    """What the trace of a claim says of them."""
    return [
        Line(
            f"配套：{one.label}",
            one.words or f"另由{one.region.full_name if one.region else ''}的预算拨付",
            one.paid_fen,
        )
        for one in added
    ]


def told(claim: Claim, outcome: Outcome) -> Outcome:
    """An outcome whose trace also says from where each top-up comes, or why it does not."""
    fen = outcome.ceiling_fen if outcome.amount_fen is None else outcome.amount_fen
    if not fen or not outcome.eligible:
        return outcome
    added = lines(of(claim, min(fen, claim.asked_fen)))
    if outcome.amount_fen is None:
        added = [replace(one, most=bool(one.amount_fen)) for one in added]
    return replace(outcome, trace=[*outcome.trace, *added])


def _holder(claim: Claim) -> funds.Holder:
    return "top_up", claim.id


def _by_region(added: Sequence[Added]) -> dict[int, int]:
    found: dict[int, int] = {}
    for one in added:
        if one.region is not None and one.paid_fen:
            found[one.region.id] = found.get(one.region.id, 0) + one.paid_fen
    return found


def reserve(work: UnitOfWork, claim: Claim, fen: int) -> None:
    """Hold what the payers have for a claim that is sent in; what they do not have it does without."""
    if parts := _by_region(of(claim, fen)):
        key = f"claim:{claim.id}:top_up"
        funds.reserve(work, _holder(claim), claim.scheme, claim.year, parts, key)


def release(work: UnitOfWork, claim: Claim, key: str) -> None:
    """Give back what is held for a claim's top-ups."""
    funds.release(work, _holder(claim), f"claim:{claim.id}:top_up:{key}")


def approve(work: UnitOfWork, claim: Claim, fen: int) -> list[Added]:
    """Bring to approved what is added to an approved amount; what was held beyond it goes back."""
    added = of(claim, fen)
    moves: list[Move] = []
    for region, part in sorted(_by_region(added).items()):
        pot = Pot(claim.scheme_id, claim.year, region)
        held = funds.take(_holder(claim), region, part)
        for source, amount in (("reserved", held), ("available", part - held)):
            if amount:
                moves += between(pot, source, "approved", amount)
    if moves:
        post(work, f"claim:{claim.id}:{funds.TOP_UP}", "approve", moves, Subject("claim", claim.id))
    release(work, claim, "rest")
    return added


def total(added: Sequence[Added]) -> int:
    """What is paid on top, in fen."""
    return sum(one.paid_fen for one in added)


def by_payer(parts: Mapping[int, int]) -> list[tuple[str, int]]:
    """Names of regions with amounts, in order of place."""
    query = select(Region).where(Region.id.in_(parts)).order_by(Region.path)
    return [(one.full_name, parts[one.id]) for one in db.session.scalars(query)]
