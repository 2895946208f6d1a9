"""Reading for the desk: its tabs, and a case with what an examiner needs beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import joinedload

from market.contracts import limits
from market.contracts import queries as contracts
from market.contracts.desk import evidence
from market.contracts.desk.evidence import Evidence
from market.contracts.desk.opinions import OPINION, opinions
from market.contracts.desk.register import FEW, from_the_newest
from market.contracts.desk.schemas import TABS
from market.contracts.models import DECIDED, Contract
from market.contracts.office_models import ContractOpinion
from market.contracts.queries import Case
from market.contracts.rule_sets import Reached
from market.contracts.workflow import DESK
from market.core import clock, files
from market.core.db import db
from market.core.models import StoredFile
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy

_STATES: Mapping[str, tuple[str, ...]] = {
    "accepted": ("accepted", "expert"),
    "closed": (*DECIDED, "withdrawn"),
}
_OPEN = ("submitted", "accepted", "expert", "returned", "examined", "cleared")
RECENT = timedelta(days=365)  # of what is closed the desk shows a year; the register has it all


@dataclass(frozen=True)
class Line:
    """A case as the desk shows it. late: its day is over; days: since it came, where no day is known."""

    contract: Contract
    due: date | None
    late: bool
    days: int | None


@dataclass(frozen=True)
class Desk:
    """A page of the desk and how many there are in each tab."""

    page: PageOf[Line]
    counts: Mapping[str, int]


def states_of(tab: str) -> tuple[str, ...]:
    """The states of a tab."""
    return _STATES.get(tab, (tab,))


def desk(actor: Actor, tab: str = "submitted", q: str = "", page: int = 1) -> Desk:
    """What the actor's body or office has to handle: what is due first at the top, then the oldest."""
    allowed = policy.where(actor, DESK, Contract)
    counts = _counts(allowed)
    wanted = [allowed, *_in_tab(tab), *_says(q)]
    total = _bounded(wanted) if q else counts[tab]
    ids = _ids(wanted, tab, total, page) if total else []
    exact = "exact" if total <= EXACT_UP_TO else "at_least"
    found = PageOf(_lines(ids), min(total, EXACT_UP_TO), page, ROWS_PER_PAGE, exact)
    return Desk(found, counts)


def _in_tab(tab: str) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Contract.state.in_(states_of(tab))]
    if tab == "closed":
        found.append(Contract.updated_at >= clock.now() - RECENT)
    return found


def _says(q: str) -> list[ColumnElement[bool]]:
    if not q:
        return []
    same = (Contract.no == q.upper()) | (Contract.registration_no == q)
    parts = [
        column.contains(q, autoescape=True)
        for column in (Contract.title, Contract.seller_name, Contract.buyer_name)
    ]
    return [or_(same, *parts)]


def _counts(allowed: ColumnElement[bool]) -> dict[str, int]:
    """How many in each tab; of closed ones no more than can be reached by page number."""
    query = select(Contract.state, func.count()).where(allowed, Contract.state.in_(_OPEN))
    by_state = {row[0]: row[1] for row in db.session.execute(query.group_by(Contract.state))}
    found = {tab: sum(by_state.get(state, 0) for state in states_of(tab)) for tab in TABS}
    found["closed"] = _bounded([allowed, *_in_tab("closed")])
    return found


def _bounded(wanted: Sequence[ColumnElement[bool]]) -> int:
    inner = select(Contract.id).where(*wanted).limit(EXACT_UP_TO + 1).subquery()
    return db.session.scalar(select(func.count()).select_from(inner)) or 0


def _ids(wanted: Sequence[ColumnElement[bool]], tab: str, total: int, page: int) -> Sequence[int]:
    """The ids of a page in its order; rows are read afterwards, so that indexes alone are sorted."""
    order: list[Any] = [Contract.due.is_(None), Contract.due, Contract.submitted_at, Contract.id]
    if tab == "closed":
        order = [Contract.updated_at.desc(), Contract.id.desc()]
        if total > FEW:
            wanted = [from_the_newest(wanted)]
    query = select(Contract.id).where(*wanted).order_by(*order).limit(ROWS_PER_PAGE)
    return db.session.scalars(query.offset((page - 1) * ROWS_PER_PAGE)).all()


def _lines(ids: Sequence[int]) -> list[Line]:
    joined = (joinedload(Contract.body), joinedload(Contract.office_region))
    rows = db.session.scalars(select(Contract).where(Contract.id.in_(ids)).options(*joined))
    by_id = {row.id: row for row in rows}
    return [line_of(by_id[key]) for key in ids if key in by_id]


def line_of(row: Contract) -> Line:
    """A case with its day, or the days since it was accepted (sent in) where no clock is known."""
    today = clock.today()
    begun = row.accepted_on or (row.submitted_at.date() if row.submitted_at else None)
    is_open = row.state in _OPEN
    return Line(
        contract=row,
        due=row.due if is_open else None,
        late=is_open and row.due is not None and row.due < today,
        days=(today - begun).days if is_open and begun is not None and row.due is None else None,
    )


@dataclass(frozen=True)
class Examined:
    """A case with what an examiner needs beside it.

    beyond: what exceeds the body's limit; above: what it would be sent to; papers: files of the
    opinions, by opinion.
    """

    case: Case
    line: Line
    evidence: Sequence[Evidence]
    thresholds: Sequence[Reached]
    beyond: Sequence[str]
    above: str
    opinions: Sequence[ContractOpinion]
    papers: Mapping[int, Sequence[StoredFile]]

    @property
    def may(self) -> frozenset[str]:
        """Names of the steps that the reader may take now."""
        return frozenset(one.action for one in self.case.actions)


def get(actor: Actor, no: str) -> Examined:
    """A case as its examiner sees it. Raises NotFound."""
    contracts.find(actor, no, DESK)
    case = contracts.get(actor, no)
    contract = case.contract
    heard = opinions(contract)
    return Examined(
        case=case,
        line=line_of(contract),
        evidence=evidence.of(actor, contract),
        thresholds=limits.reached(contract, limits.as_it_stands(contract)),
        beyond=limits.beyond(contract),
        above=_above(contract),
        opinions=heard,
        papers={one.id: files.files_of(OPINION, one.id) for one in heard},
    )


def _above(contract: Contract) -> str:
    """What it could be sent up to, in words; empty where there is nothing, or not now."""
    if contract.state not in limits.MOVABLE:
        return ""
    if contract.body is not None:
        above = limits.upper_body(contract)
        return above.title if above is not None else ""
    return "上一级科技管理部门" if contract.office_region.parent_id else ""


def sheet_values(found: Examined) -> Mapping[str, Any]:
    """What the examination sheet begins with: what was found before, else what was filed."""
    contract, findings = found.case.contract, found.case.version.findings
    names = ("contract_class", "subclass", "total_fen", "technical_fen")
    return {name: findings.get(name) or getattr(contract, name) for name in names} | {
        name: findings.get(name, "") for name in ("opinion", "proposal", "refusal", "no_expert")
    }
