"""What every step of a change begins and ends with: holding contract and change, comparing versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, func, select, update

from market.contracts import content as fields
from market.contracts.changes.models import OPEN, UNSENT, ContractChange
from market.contracts.changes.workflow import READ
from market.contracts.models import Contract, ContractVersion
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, NotFound
from market.core.permissions import Actor, policy

FILES = "contract_change"  # the kind of object that the papers of a change are attached to


def locked(actor: Actor, no: str, version: int | None = None) -> ContractChange:
    """The change and its contract, held until the commit; the contract first, as everywhere.

    Args:
        version: `lock_version` of the change as the actor saw it; None: not asked.

    Raises:
        NotFound: no such change, or not for this actor. Conflict: it moved since it was seen.
    """
    mine = ContractChange.no == no, policy.where(actor, READ, ContractChange)
    contract_id = db.session.scalar(select(ContractChange.contract_id).where(*mine))
    if contract_id is None:
        raise NotFound(f"没有编号为 {no} 的变更。")
    held = select(Contract).where(Contract.id == contract_id).with_for_update(of=Contract)
    db.session.scalars(held.execution_options(populate_existing=True)).one()
    query = select(ContractChange).where(*mine).with_for_update(of=ContractChange)
    found = db.session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound(f"没有编号为 {no} 的变更。")
    if version is not None and version != found.lock_version:
        raise Conflict("这件变更刚有新的改动，请先看新内容；您写的还在，仍要提交请再点一次。")
    return found


def moved(**values: Any) -> dict[str, Any]:
    """Columns that change with every step."""
    return {"updated_at": clock.now(), "lock_version": ContractChange.lock_version + 1, **values}


def touch(change: ContractChange, **values: Any) -> None:
    """Change columns without moving the state."""
    db.session.execute(
        update(ContractChange)
        .where(ContractChange.id == change.id)
        .values(moved(**values))
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(change)


def in_the_way(contract: Contract, kind: str) -> ContractChange | None:
    """The open change of a contract that another one has to wait for.

    An office that annuls does not wait for what a party began and has not sent, or not sent again.
    """
    query = select(ContractChange).where(
        ContractChange.contract_id == contract.id, ContractChange.state.in_(OPEN)
    )
    if kind == "annul":
        query = query.where(~_unsent())
    return db.session.scalar(query)


def unsent(contract: Contract) -> ContractChange | None:
    """The open change of a contract that a party has not sent, or not sent again."""
    query = select(ContractChange).where(ContractChange.contract_id == contract.id, _unsent())
    return db.session.scalar(query)


def _unsent() -> ColumnElement[bool]:
    return ContractChange.state.in_(UNSENT) & ContractChange.asker_id.is_not(None)


def add_version(
    actor: Actor, contract: Contract, packed: Mapping[str, Any], findings: Mapping[str, Any]
) -> ContractVersion:
    """A new version of a contract, at work beside the registered one."""
    last = select(func.max(ContractVersion.version)).where(
        ContractVersion.contract_id == contract.id
    )
    now = clock.now()
    row = ContractVersion(
        contract_id=contract.id,
        version=(db.session.scalar(last) or 0) + 1,
        content=dict(packed),
        hash=fields.digest(packed),
        origins={},
        findings=dict(findings),
        author=actor.label,
        created_at=now,
        updated_at=now,
    )
    db.session.add(row)
    db.session.flush()
    return row
