"""Reading contracts: one with all that its page shows, lists of parties, desks and registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload

from market.contracts import content as fields
from market.contracts import rules
from market.contracts.counting import Counted, Sums, counted
from market.contracts.locking import FILES, version_of
from market.contracts.models import (
    OPEN,
    Contract,
    ContractTerm,
    ContractVersion,
    Deficiency,
)
from market.contracts.rules import Finding
from market.contracts.terms import of as terms_of
from market.contracts.workflow import CONTRACT, DESK, READ
from market.core import clock, files
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import NotFound
from market.core.models import CaseEvent, StoredFile
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.core.workflow import Transition

__all__ = ["Counted", "Sums", "counted"]  # what the sums of a place are, beside the rest
_JOINED = (
    joinedload(Contract.filer),
    joinedload(Contract.body),
    joinedload(Contract.office_region),
    joinedload(Contract.seller_region),
    joinedload(Contract.buyer_region),
)


@dataclass(frozen=True)
class Case:
    """A contract with all that its page shows, for one reader.

    content: by the fields of the form, personal values readable: pages mask them; findings: what
    the checks say now; missing: needed fields that are empty, name → label.
    """

    contract: Contract
    version: ContractVersion
    content: Mapping[str, Any]
    findings: Sequence[Finding]
    related: Sequence[str]
    missing: Mapping[str, str]
    deficiencies: Sequence[Deficiency]
    files: Sequence[StoredFile]
    versions: Sequence[ContractVersion]
    events: Sequence[CaseEvent]
    actions: Sequence[Transition]

    @property
    def days_elapsed(self) -> int | None:
        """Natural days since acceptance: shown where no clock is known."""
        begun = self.contract.accepted_on
        return (clock.today() - begun).days if begun is not None else None


def find(actor: Actor, no: str, permission: str = READ) -> Contract:
    """A contract that the actor may read. Raises NotFound."""
    query = select(Contract).where(Contract.no == no, policy.where(actor, permission, Contract))
    found = db.session.scalar(query.options(*_JOINED))
    if found is None:
        raise NotFound(f"没有编号为 {no} 的技术合同。")
    return found


def get(actor: Actor, no: str) -> Case:
    """A contract with all that its page shows. Raises NotFound."""
    contract = find(actor, no)
    version = version_of(contract)
    attached = list(files.files_of(FILES, contract.id))
    facts = fields.facts(version.content, [one.purpose for one in attached])
    return Case(
        contract=contract,
        version=version,
        content=fields.unpack(version.content),
        findings=rules.check(facts, clock.today()),
        related=rules.related(facts),
        missing=fields.missing(version.content),
        deficiencies=_deficiencies(contract.id),
        files=attached,
        versions=db.session.scalars(
            select(ContractVersion)
            .where(ContractVersion.contract_id == contract.id)
            .order_by(ContractVersion.version)
        ).all(),
        events=flow.timeline(CONTRACT.name, contract.id),
        actions=CONTRACT.actions(actor, contract),
    )


def _deficiencies(contract_id: int) -> Sequence[Deficiency]:
    """What was asked for in the latest round."""
    latest = select(func.max(Deficiency.round)).where(Deficiency.contract_id == contract_id)
    query = select(Deficiency).where(
        Deficiency.contract_id == contract_id, Deficiency.round == latest.scalar_subquery()
    )
    return db.session.scalars(query.order_by(Deficiency.id)).all()


def mine(actor: Actor, page: int = 1, state: str = "") -> PageOf[Contract]:
    """Contracts that the actor's organisations file or are a party to, newest change first."""
    own = actor.organisations()
    condition = Contract.of_party(own[0]) if own else Contract.id.is_(None)
    for one in own[1:]:
        condition = condition | Contract.of_party(one)
    wanted = [condition, policy.where(actor, READ, Contract)]
    if state:
        wanted.append(Contract.state == state)
    return _page(wanted, page, Contract.updated_at.desc())


def at_desk(actor: Actor, page: int = 1, states: Sequence[str] = OPEN) -> PageOf[Contract]:
    """What examiners and offices have to handle: those with the nearest day first."""
    wanted = [policy.where(actor, DESK, Contract), Contract.state.in_(states)]
    return _page(wanted, page, Contract.due.asc().nulls_last())


def registered(actor: Actor, words: str = "", page: int = 1) -> PageOf[Contract]:
    """The register that the actor may read, newest first; `words` of title, parties and numbers."""
    wanted = [policy.where(actor, READ, Contract), Contract.registered_on.is_not(None)]
    wanted += [Contract.id.in_(one) for one in _with_words(words)]
    return _page(wanted, page, Contract.registered_on.desc())


def _with_words(words: str) -> list[Any]:
    """A subquery of contract ids for each word: those that hold all its neighbouring characters."""
    found = []
    for word in words.split()[:8]:
        terms = terms_of(word[:40])
        if terms:
            query = select(ContractTerm.contract_id).where(ContractTerm.term.in_(terms))
            grouped = query.group_by(ContractTerm.contract_id)
            found.append(grouped.having(func.count() == len(terms)))
    return found


def _page(wanted: Sequence[ColumnElement[bool]], page: int, order: Any) -> PageOf[Contract]:
    counted = select(Contract.id).where(*wanted).limit(EXACT_UP_TO + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(counted)) or 0
    query = select(Contract).where(*wanted).options(*_JOINED).order_by(order, Contract.id.desc())
    rows = db.session.scalars(query.limit(ROWS_PER_PAGE).offset((page - 1) * ROWS_PER_PAGE)).all()
    return PageOf(
        rows,
        min(total, EXACT_UP_TO),
        page,
        ROWS_PER_PAGE,
        "at_least" if total > EXACT_UP_TO else "exact",
    )


def industry(code: str | None) -> str:
    """An industry (GB/T 4754) as people read it: its code and its name."""
    if not code:
        return ""
    name = current_app.extensions["market"].terms("industry").get(code, "")
    return f"{code} {name}".strip()
