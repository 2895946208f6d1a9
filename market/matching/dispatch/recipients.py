"""Who may get a demand: organisations of the register, and specialists of the directory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import joinedload

from market.accounts import queries as accounts
from market.accounts.models import KINDS, Organisation
from market.accounts.people.models import RoleGrant
from market.accounts.people.sessions import in_force
from market.accounts.roles import EDITORS
from market.core.db import db
from market.core.permissions import Actor, policy
from market.core.text import fold
from market.service_points.models import SPECIALIST_KINDS, Specialist
from market.service_points.workflow import READ_SPECIALIST

_MOST_FOUND = 10


@dataclass(frozen=True)
class Recipient:
    """An organisation or a specialist; one of the two ids is there.

    person_id: a specialist's account. reachable: somebody can answer on this site; else the clerk
    rings and writes the answer down.
    """

    no: str
    name: str
    kind_label: str
    place: str
    path: str
    url: str
    organisation_id: int | None = None
    specialist_id: int | None = None
    person_id: int | None = None
    reachable: bool = False


def visible(actor: Actor) -> ColumnElement[bool]:
    """SQL: specialists to whom the actor may send: public ones, and those of his own area."""
    return policy.where(actor, READ_SPECIALIST, Specialist) & Specialist.removed_at.is_(None)


def of_organisation(row: Organisation, reachable: bool) -> Recipient:
    """An organisation as a recipient; needs its region."""
    return Recipient(
        row.no,
        row.name,
        KINDS[row.kind],
        row.region.full_name,
        row.region.path,
        f"/organisations/{row.no}",
        organisation_id=row.id,
        reachable=reachable,
    )


def of_specialist(row: Specialist) -> Recipient:
    """A specialist as a recipient; needs region and organisation."""
    of = f" · {row.organisation.name}" if row.organisation else ""
    return Recipient(
        row.no,
        f"{row.name}{of}"[:200],
        SPECIALIST_KINDS[row.kind],
        row.region.full_name,
        row.region.path,
        f"/specialists/{row.no}",
        specialist_id=row.id,
        person_id=row.person_id,
        reachable=row.person_id is not None,
    )


_PLACED = joinedload(Organisation.region)
_OF = (joinedload(Specialist.region), joinedload(Specialist.organisation))


def by_numbers(actor: Actor, numbers: Sequence[str]) -> dict[str, Recipient]:
    """The recipients with these numbers that there are for the actor."""
    named = select(Organisation).where(Organisation.no.in_(numbers), Organisation.state == "active")
    return _made(named, select(Specialist).where(Specialist.no.in_(numbers), visible(actor)))


def find(actor: Actor, text: str) -> list[Recipient]:
    """Recipients whose name holds these words, or that have this number or credit code."""
    folded, code = fold(text), text.strip().upper()
    named = select(Organisation).where(
        Organisation.state == "active",
        Organisation.kind != "office",
        or_(
            Organisation.folded_name.contains(folded, autoescape=True),
            Organisation.no == code,
            accounts.with_code(code),
        ),
    )
    people = select(Specialist).where(
        or_(Specialist.folded_name.contains(folded, autoescape=True), Specialist.no == code),
        visible(actor),
    )
    return list(
        _made(
            named.order_by(Organisation.folded_name, Organisation.id).limit(_MOST_FOUND),
            people.order_by(Specialist.folded_name, Specialist.id).limit(_MOST_FOUND),
        ).values()
    )


def _made(organisations: Select[Any], people: Select[Any]) -> dict[str, Recipient]:
    rows = db.session.scalars(organisations.options(_PLACED)).all()
    reachable = with_account(row.id for row in rows)
    found = [of_organisation(row, row.id in reachable) for row in rows]
    found += map(of_specialist, db.session.scalars(people.options(*_OF)))
    return {one.no: one for one in found}


def with_account(organisations: Iterable[int]) -> set[int]:
    """Which of these organisations have somebody who can answer on this site."""
    query = select(RoleGrant.organisation_id).where(
        RoleGrant.organisation_id.in_(list(organisations)),
        RoleGrant.role.in_(EDITORS),
        in_force(),
    )
    return {key for key in db.session.scalars(query.distinct()) if key is not None}
