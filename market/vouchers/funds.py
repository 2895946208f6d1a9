"""Budget money held, approved, paid and brought back: from acts to entries of the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select

from market.accounts.models import Organisation
from market.core.db import db
from market.core.errors import Conflict
from market.core.unit_of_work import UnitOfWork
from market.regions.models import Region
from market.vouchers.claim_models import Claim
from market.vouchers.ledger.models import LedgerAccount, LedgerEntry, LedgerLine
from market.vouchers.ledger.posting import Move, Overdrawn, Pot, Subject, between, post, reverse
from market.vouchers.ledger.queries import entries_of
from market.vouchers.models import Hold, Scheme
from market.vouchers.rules import split
from market.vouchers.sheet import Sheet

Holder = tuple[str, int]  # kind and id of what money is held for
TOP_UP = "approve:top_up"  # end of the key of the entry that approves what is added to a claim


def parts_of(
    sheet: Sheet, scheme: Scheme, firm: Organisation, provider: Organisation | None, fen: int
) -> dict[int, int]:
    """Region that pays → what it bears; all from the scheme's own where the sheet says no more."""
    parts = split(sheet, fen)
    if not parts or any(one.amount_fen is None for one in parts):
        return {scheme.region_id: fen}
    found: dict[int, int] = {}
    for one in parts:
        region = _payer(one.payer, firm, provider)
        found[region] = found.get(region, 0) + (one.amount_fen or 0)
    return {region: amount for region, amount in found.items() if amount}


def parts_for(sheet: Sheet, claim: Claim, fen: int) -> dict[int, int]:
    """Region that pays → what it bears of a claim; awards are the scheme's own."""
    if claim.kind == "award":
        return {claim.scheme.region_id: fen}
    return parts_of(sheet, claim.scheme, claim.firm, claim.provider, fen)


def _payer(payer: str, firm: Organisation, provider: Organisation | None) -> int:
    if payer == "buyer_region":
        return firm.region_id
    if payer == "provider_region":
        if provider is None:
            raise Conflict("由服务机构所在地分担，请先选定服务机构。")
        return provider.region_id
    region = db.session.scalar(select(Region.id).where(Region.code == payer))
    if region is None:
        raise Conflict(f"出资方 {payer} 不是已知的行政区划。")
    return region


def _holds(holder: Holder) -> Sequence[Hold]:
    query = select(Hold).where(Hold.kind == holder[0], Hold.object_id == holder[1])
    ordered = query.order_by(Hold.region_id).with_for_update(of=Hold)
    return db.session.scalars(ordered.execution_options(populate_existing=True)).all()


def held(holder: Holder) -> int:
    """What is held for a voucher, an order or a claim."""
    return sum(held_by_region(holder).values())


def held_by_region(holder: Holder) -> dict[int, int]:
    """The same by the region that pays."""
    return {one.region_id: one.fen for one in _holds(holder)}


def take(holder: Holder, region: int, most: int) -> int:
    """Let go of what a region holds for something, as far as it does; the caller moves the money."""
    fen = 0
    for row in _holds(holder):
        if row.region_id == region:
            fen = min(row.fen, most)
            row.fen -= fen
    db.session.flush()
    return fen


def _subject(holder: Holder) -> Subject:
    kind, number = holder
    return Subject("claim" if kind == "top_up" else kind, number)


def held_for(sheet: Sheet, claim: Claim, fen: int) -> dict[int, int]:
    """Region → what is held that a claim of an amount can be paid from; of a voucher no more than that."""
    holder = holder_of(sheet, claim)
    if holder is None:
        return {}
    rows = held_by_region(holder)
    if holder[0] != "voucher":
        return rows
    parts = parts_for(sheet, claim, fen)
    return {region: min(there, parts.get(region, 0)) for region, there in rows.items()}


def reserve(
    work: UnitOfWork, holder: Holder, scheme: Scheme, year: int, parts: Mapping[int, int], key: str
) -> None:
    """Take from what is available and hold it.

    Raises:
        Overdrawn: the budget does not suffice.
    """
    moves: list[Move] = []
    for region, fen in sorted(parts.items()):
        moves += between(Pot(scheme.id, year, region), "available", "reserved", fen)
        row = db.session.get(Hold, (holder[0], holder[1], region))
        if row is None:
            row = Hold(
                kind=holder[0], object_id=holder[1], region_id=region, scheme_id=scheme.id,
                year=year, fen=0,
            )  # fmt: skip
            db.session.add(row)
        row.fen += fen
    post(work, key, "reserve", moves, _subject(holder))
    db.session.flush()


def release(work: UnitOfWork, holder: Holder, key: str) -> int:
    """Give back all that is still held for something; what that was."""
    rows = [one for one in _holds(holder) if one.fen]
    moves = [
        move
        for one in rows
        for move in between(
            Pot(one.scheme_id, one.year, one.region_id), "reserved", "available", one.fen
        )
    ]
    total = sum(one.fen for one in rows)
    if moves:
        post(work, key, "release", moves, _subject(holder))
    for one in rows:
        one.fen = 0
    db.session.flush()
    return total


def holder_of(sheet: Sheet, claim: Claim) -> Holder | None:
    """For what the money of a claim is held; None: nothing is held before it is approved."""
    if sheet.reserve_at == "issue" and claim.voucher_id is not None:
        return "voucher", claim.voucher_id
    if sheet.reserve_at == "order" and claim.order_id is not None:
        return "order", claim.order_id
    if sheet.reserve_at == "approval":
        return None
    return "claim", claim.id


def approve(work: UnitOfWork, sheet: Sheet, claim: Claim, fen: int) -> None:
    """Bring a claim's money to what is approved; what an order or a claim held beyond it goes back."""
    subject, wanted = Subject("claim", claim.id), parts_for(sheet, claim, fen)
    holder = holder_of(sheet, claim)
    moves: list[Move] = []
    if holder is None:
        for region, part in wanted.items():
            pot = Pot(claim.scheme_id, claim.year, region)
            moves += between(pot, "available", "approved", part)
        post(work, f"claim:{claim.id}:approve", "approve", moves, subject)
        return
    rows = {one.region_id: one for one in _holds(holder)}
    for region, part in _fitted(wanted, {key: one.fen for key, one in rows.items()}).items():
        row = rows[region]
        row.fen -= part
        moves += between(Pot(row.scheme_id, row.year, region), "reserved", "approved", part)
    post(work, f"claim:{claim.id}:approve", "approve", moves, subject)
    db.session.flush()
    if holder[0] != "voucher":
        release(work, holder, f"claim:{claim.id}:rest")


def _fitted(wanted: Mapping[int, int], there: Mapping[int, int]) -> dict[int, int]:
    """What is wanted of each region as far as it is held there; the rest from the others."""
    found = {region: min(fen, there.get(region, 0)) for region, fen in wanted.items()}
    short = sum(wanted.values()) - sum(found.values())
    for region in sorted(there):
        more = min(short, there[region] - found.get(region, 0))
        found[region] = found.get(region, 0) + more
        short -= more
    if short:
        raise Overdrawn("已占用额度不足，没有办理。")
    return {region: fen for region, fen in found.items() if fen}


def _entry(claim: Claim, key: str) -> LedgerEntry:
    return db.session.scalars(
        select(LedgerEntry).where(LedgerEntry.key == f"claim:{claim.id}:{key}")
    ).one()


def take_back_approval(work: UnitOfWork, sheet: Sheet, claim: Claim) -> None:
    """Bring an approved claim's money back to where it came from."""
    _take_back_top_up(work, claim)
    entry = _entry(claim, "approve")
    reverse(work, entry, f"claim:{claim.id}:unapprove")
    holder = holder_of(sheet, claim)
    if holder is None:
        return
    rows = {one.region_id: one for one in _holds(holder)}
    for line in entry.lines:
        if line.account.kind == "reserved":
            rows[line.account.region_id].fen -= line.amount_fen
    db.session.flush()
    if holder[0] == "claim":  # an order can be claimed again
        release(work, holder, f"claim:{claim.id}:unhold")


def approved_by_region(claim_ids: Sequence[int]) -> dict[int, int]:
    """What each region bears of approved claims, with what is added to them, in fen."""
    keys = [f"claim:{one}:{end}" for one in claim_ids for end in ("approve", TOP_UP)]
    found: dict[int, int] = {}
    for begin in range(0, len(keys), 500):
        query = (
            select(LedgerAccount.region_id, func.sum(LedgerLine.amount_fen))
            .join(LedgerLine, LedgerLine.account_id == LedgerAccount.id)
            .join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
            .where(LedgerEntry.key.in_(keys[begin : begin + 500]), LedgerAccount.kind == "approved")
            .group_by(LedgerAccount.region_id)
        )
        for region, fen in db.session.execute(query):
            found[region] = found.get(region, 0) + int(fen)
    return found


def _top_up_entry(claim: Claim) -> LedgerEntry | None:
    query = select(LedgerEntry).where(LedgerEntry.key == f"claim:{claim.id}:{TOP_UP}")
    return db.session.scalar(query)


def _take_back_top_up(work: UnitOfWork, claim: Claim) -> None:
    """What was added to a claim is available again."""
    entry = _top_up_entry(claim)
    if entry is None:
        return
    reverse(work, entry, f"claim:{claim.id}:unapprove:top_up")
    for row in _holds(("top_up", claim.id)):
        for line in entry.lines:
            if line.account.kind == "reserved" and line.account.region_id == row.region_id:
                row.fen -= line.amount_fen
    db.session.flush()
    release(work, ("top_up", claim.id), f"claim:{claim.id}:unhold:top_up")


def shift(work: UnitOfWork, claim: Claim, source: str, target: str, kind: str, key: str) -> None:
    """Move an approved claim's whole money on: paid, back after 退票, recovered.

    The key names the entry before: what was taken back or bounced can be done again.
    """
    subject = Subject("claim", claim.id)
    last = entries_of("claim", claim.id)[-1].id
    moves: list[Move] = []
    added = _top_up_entry(claim)
    for line in [*_entry(claim, "approve").lines, *(added.lines if added else ())]:
        if line.account.kind == "approved":
            pot = Pot(claim.scheme_id, line.account.year, line.account.region_id)
            moves += between(pot, source, target, line.amount_fen)
    post(work, f"claim:{claim.id}:{key}:{last}", kind, moves, subject)


def unshift(work: UnitOfWork, claim: Claim, kind: str) -> None:
    """Take back the last movement of a kind of a claim's money, by the opposite one."""
    query = select(LedgerEntry).where(
        LedgerEntry.subject_kind == "claim", LedgerEntry.subject_id == claim.id,
        LedgerEntry.kind == kind,
    )  # fmt: skip
    entry = db.session.scalars(query.order_by(LedgerEntry.id.desc()).limit(1)).one()
    reverse(work, entry, f"claim:{claim.id}:un{kind}:{entry.id}")
