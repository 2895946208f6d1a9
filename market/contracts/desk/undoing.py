"""Taking back an import of registrations: records go, cases wait for their result again.

All or nothing: where somebody went on with one of them it is named, and the import stays. What was
counted of a case is taken off again; of a record that goes nothing is left but the audit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, delete, exists, or_, select

from market.contracts import counting, messages
from market.contracts.entry_models import ContractEntry
from market.contracts.locking import FILES, columns_of, moved, version_of
from market.contracts.models import Contract, ContractParty, ContractTerm, ContractVersion
from market.contracts.trace_models import ContractTrace
from market.contracts.workflow import CONTRACT
from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.models import CaseEvent, StoredFile, WorkItem
from market.core.unit_of_work import UnitOfWork

_OWN: tuple[type[Any], ...] = (
    ContractParty, ContractVersion, ContractTerm, ContractEntry, ContractTrace
)  # fmt: skip


def note(run_id: int, contract: Contract, before: dict[str, Any] | None) -> None:
    """Remember what an import made (before: None), or wrote into. Inside a unit of work."""
    row = ContractTrace(
        run_id=run_id, contract_id=contract.id, version=contract.lock_version, before=before
    )
    db.session.add(row)
    db.session.flush()


def since(run_id: int) -> Sequence[str]:
    """A sentence on what people went on with after an import."""
    attached = exists().where(StoredFile.kind == FILES, StoredFile.object_id == Contract.id)
    made = ContractTrace.before.is_(None)
    query = (
        select(Contract.no)
        .join(ContractTrace, ContractTrace.contract_id == Contract.id)
        .where(
            ContractTrace.run_id == run_id,
            or_(
                Contract.lock_version != ContractTrace.version,
                Contract.state != "registered",
                made & attached,
                *(exists().where(column == Contract.id) for column in _referring()),
            ),
        )
        .order_by(Contract.id)
    )
    touched = db.session.scalars(query).all()
    if not touched:
        return []
    names = "、".join(touched[:5]) + ("等" if len(touched) > 5 else "")
    return [f"{len(touched)} 份合同后来又办过（变更、到账、附件或公开）：{names}。"]


def _referring() -> list[Any]:
    """Columns of what may hang on a registered contract: changes, receipts, whatever comes."""
    own = {one.__tablename__ for one in _OWN}
    # What a case had before its result stays with it.
    before = {"contract_deficiency", "contract_opinion", "contract_paper"}
    tables: list[Table] = db.metadata.sorted_tables
    return [
        key.parent
        for table in tables
        if table.name not in own | before
        for key in table.foreign_keys
        if key.column is Contract.__table__.c.id
    ]


def take_back(work: UnitOfWork, run_id: int) -> None:
    """Take back what an import wrote, which nobody touched since. Inside a unit of work."""
    query = select(ContractTrace).where(ContractTrace.run_id == run_id)
    for trace in db.session.scalars(query.order_by(ContractTrace.contract_id)).all():
        contract = db.session.get_one(Contract, trace.contract_id)
        if trace.before is None:
            _remove(contract.id)
        else:
            _wait_again(work, contract, trace.before, run_id)
    _run(delete(ContractTrace).where(ContractTrace.run_id == run_id))


def _wait_again(work: UnitOfWork, contract: Contract, before: dict[str, Any], run_id: int) -> None:
    row, day = version_of(contract), contract.registered_on
    assert day is not None
    counting.take_off(contract, "corrected", day)
    flow.fire(
        work, CONTRACT, contract, "unrecord", reason=f"导入 {run_id} 已撤销",
        values=moved(
            registration_no=None, registered_on=None, registered_by=None, effective=None,
            check_code=None, **columns_of(row.content),
        ),
    )  # fmt: skip
    row.state, row.registered_on, row.updated_at = "working", None, clock.now()
    row.findings = before["findings"]
    _run(delete(ContractTerm).where(ContractTerm.contract_id == contract.id))
    messages.tell_filer(messages.MOVED, contract)


def _remove(contract_id: int) -> None:
    """Remove a record that nobody but its import touched; the audit keeps that it was there."""
    for model in _OWN:
        _run(delete(model).where(model.contract_id == contract_id))
    for kept in (CaseEvent, WorkItem):
        _run(delete(kept).where(kept.kind == CONTRACT.name, kept.object_id == contract_id))
    _run(delete(Contract).where(Contract.id == contract_id))


def _run(statement: Any) -> None:
    db.session.execute(statement.execution_options(synchronize_session=False))
