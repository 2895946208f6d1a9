"""When two organisations become one, so do their vouchers, claims, bars and counted caps."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, or_, select, update

from market.core.db import db
from market.core.errors import Conflict
from market.core.models import WorkItem
from market.vouchers import caps
from market.vouchers.claim_models import Bar, Claim, Party
from market.vouchers.models import Application, CapUse, Order, Voucher
from market.vouchers.workflow import WORKFLOWS

_COLUMNS = (
    (Application, Application.organisation_id),
    (Voucher, Voucher.organisation_id),
    (Order, Order.organisation_id),
    (Order, Order.provider_id),
    (Claim, Claim.organisation_id),
    (Claim, Claim.provider_id),
    (Claim, Claim.claimant_id),
    (Bar, Bar.organisation_id),
    (Party, Party.organisation_id),
)


def move(source_id: int, target_id: int) -> None:
    """Give what belongs to the one that ends to the one that stays. Inside a unit of work.

    Raises:
        Conflict: one of them sold to the other.
    """
    if dealt := db.session.scalar(_between(source_id, target_id)):
        raise Conflict(f"两家单位之间有服务订单 {dealt}，一家是企业、一家是服务机构，不能合并。")
    known = select(Party.kind + Party.key).where(Party.organisation_id == target_id)
    twice = Party.organisation_id == source_id, (Party.kind + Party.key).in_(known)
    _write(delete(Party).where(*twice))
    for model, column in _COLUMNS:
        _write(update(model).where(column == source_id).values({column.key: target_id}))
    for one in db.session.scalars(select(CapUse).where(CapUse.organisation_id == source_id)).all():
        for name in ("held_fen", "issued_fen", "claimed_fen"):
            caps.count(one.scope, target_id, one.year, name, getattr(one, name), None, "上限")
    _write(delete(CapUse).where(CapUse.organisation_id == source_id))
    theirs = (
        WorkItem.kind.in_([one.name for one in WORKFLOWS]),
        WorkItem.organisation_id == source_id,
    )
    _write(update(WorkItem).where(*theirs).values(organisation_id=target_id))


def _between(source_id: int, target_id: int) -> Any:
    sides = ((source_id, target_id), (target_id, source_id))
    pairs = [
        (Order.organisation_id == firm) & (Order.provider_id == other) for firm, other in sides
    ]
    return select(Order.no).where(or_(*pairs)).order_by(Order.id).limit(1)


def _write(statement: Any) -> None:
    db.session.execute(statement.execution_options(synchronize_session=False))


def would_move(source_id: int) -> tuple[str, int]:
    """What a merger would move, and how many."""
    theirs = or_(Claim.organisation_id == source_id, Claim.claimant_id == source_id)
    count = db.session.scalar(select(func.count()).select_from(Claim).where(theirs))
    return "创新券兑付", count or 0
