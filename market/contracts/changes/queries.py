"""Reading changes of contracts: one with all that its page shows, those of a contract, versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from market.contracts import content as fields
from market.contracts import locking as contracts
from market.contracts import queries as whole_contracts
from market.contracts.changes import shown
from market.contracts.changes.locking import FILES, in_the_way
from market.contracts.changes.models import OPEN, ContractChange
from market.contracts.changes.shown import Line
from market.contracts.changes.touching import Touch, mark, touches
from market.contracts.changes.workflow import ASK, CHANGE, DESK, READ
from market.contracts.models import Contract, ContractVersion
from market.core import files
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import NotFound
from market.core.models import CaseEvent, StoredFile
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.core.workflow import Transition

_JOINED = (
    joinedload(ContractChange.contract).joinedload(Contract.body),
    joinedload(ContractChange.asker),
    joinedload(ContractChange.office_region),
)


@dataclass(frozen=True)
class Case:
    """A change with all that its page shows. seen: mark of the touches, for who decides."""

    change: ContractChange
    lines: Sequence[Line]
    touches: Sequence[Touch]
    files: Sequence[StoredFile]
    events: Sequence[CaseEvent]
    actions: Sequence[Transition]

    @property
    def seen(self) -> str:
        return mark(self.touches)

    @property
    def may(self) -> set[str]:
        return {one.action for one in self.actions}


def find(actor: Actor, no: str, permission: str = READ) -> ContractChange:
    """A change that the actor may read. Raises NotFound."""
    query = select(ContractChange).where(
        ContractChange.no == no, policy.where(actor, permission, ContractChange)
    )
    found = db.session.scalar(query.options(*_JOINED))
    if found is None:
        raise NotFound(f"没有编号为 {no} 的变更。")
    return found


def get(actor: Actor, no: str) -> Case:
    """A change with all that its page shows. Raises NotFound."""
    change = find(actor, no)
    decided = change.state not in OPEN
    return Case(
        change=change,
        lines=_lines(change),
        touches=change.touches if decided else touches(change, change.findings),
        files=papers(change),
        events=flow.timeline(CHANGE.name, change.id),
        actions=CHANGE.actions(actor, change),
    )


def papers(change: ContractChange) -> Sequence[StoredFile]:
    """What is attached to a change."""
    return files.files_of(FILES, change.id)


def _lines(change: ContractChange) -> list[Line]:
    if change.version is None or change.base_version is None:
        return []
    old = contracts.version_of(change.contract, change.base_version)
    new = contracts.version_of(change.contract, change.version)
    return shown.changed(fields.as_assessed(old.content, old.findings), new.content)


# What the list of bodies and offices shows: tab → states; what an office began is there as a draft.
TABS = {
    "open": ("submitted", "examined"),
    "returned": ("returned", "draft"),
    "closed": ("done", "refused", "withdrawn"),
}


def at_desk(
    actor: Actor, tab: str = "open", page: int = 1, per_page: int = ROWS_PER_PAGE
) -> PageOf[ContractChange]:
    """Changes that the actor's body or office handles: open ones by how long they wait."""
    wanted = policy.where(actor, DESK, ContractChange) & ContractChange.state.in_(TABS[tab])
    counted = select(ContractChange.id).where(wanted).limit(EXACT_UP_TO + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(counted)) or 0
    waits = ContractChange.updated_at
    order = waits.desc() if tab == "closed" else waits.asc()
    query = select(ContractChange).where(wanted).options(*_JOINED)
    query = query.order_by(order, ContractChange.id).limit(per_page).offset((page - 1) * per_page)
    total_is = "exact" if total <= EXACT_UP_TO else "at_least"
    rows = db.session.scalars(query).all()
    return PageOf(rows, min(total, EXACT_UP_TO), page, per_page, total_is)


@dataclass(frozen=True)
class Beside:
    """What the page of a contract shows of its changes.

    asks: kinds that the reader may ask for now; versions: what was ever registered.
    """

    contract: Contract
    changes: Sequence[ContractChange]
    asks: Sequence[str]
    versions: Sequence[ContractVersion]


def part(actor: Actor, case: Any) -> tuple[str, Beside]:
    """The same as a part of the page: a template, and its values as `shown`."""
    return "contracts/changes.html", beside(actor, case.contract)


def of_contract(actor: Actor, contract: Contract) -> Sequence[ContractChange]:
    """The changes of a contract that the actor may read, the latest first."""
    query = select(ContractChange).where(
        ContractChange.contract_id == contract.id, policy.where(actor, READ, ContractChange)
    )
    return db.session.scalars(query.order_by(ContractChange.id.desc()).limit(100)).all()


def beside(actor: Actor, contract: Contract) -> Beside:
    """What the page of a contract shows of its changes."""
    changes = of_contract(actor, contract)
    return Beside(contract, changes, asks(actor, contract), registered_versions(contract))


def asks(actor: Actor, contract: Contract) -> list[str]:
    """The kinds of changes that the actor may ask for now: by the state, none being in the way."""
    fitting = {
        "registered": ("amend", "cancel", "review", "annul"),
        "refused": ("review",),
        "annulled": ("review",),
    }.get(contract.state, ())
    return [
        kind
        for kind in fitting
        if policy.allows(actor, ASK[kind], contract) and in_the_way(contract, kind) is None
    ]


def registered_versions(contract: Contract) -> Sequence[ContractVersion]:
    """What was ever registered of a contract, the latest first."""
    query = select(ContractVersion).where(
        ContractVersion.contract_id == contract.id, ContractVersion.registered_on.is_not(None)
    )
    return db.session.scalars(query.order_by(ContractVersion.version.desc())).all()


def version(actor: Actor, no: str, number: int) -> tuple[Contract, ContractVersion]:
    """A version that was registered, for whoever may read the contract. Raises NotFound."""
    contract = whole_contracts.find(actor, no)
    for one in registered_versions(contract):
        if one.version == number:
            return contract, one
    raise NotFound(f"合同 {no} 没有登记过第 {number} 版。")


def counted_values(row: ContractVersion) -> Mapping[str, Any]:
    """Class and amounts as they were found, where they differ from what was filed."""
    return {
        name: row.findings[name]
        for name in fields.ASSESSED
        if row.findings.get(name) is not None and row.findings[name] != row.content.get(name)
    }


def may_have(actor: Actor, row: StoredFile) -> bool:
    """Whether somebody may have a paper of a change: who may read the change."""
    found = db.session.get(ContractChange, row.object_id)
    return found is not None and policy.allows(actor, READ, found)
