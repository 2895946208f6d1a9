"""What the pages of filers read: lists, what to begin from, bodies and points to choose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import joinedload

from market.accounts import queries as accounts
from market.accounts.models import Organisation
from market.accounts.roles import EDITORS
from market.contracts import queries as contracts
from market.contracts.content import unpack
from market.contracts.filing_pages.rules import HELPED, TABS
from market.contracts.locking import version_of
from market.contracts.models import VOID, Contract
from market.contracts.workflow import READ
from market.core import clock
from market.core.db import db
from market.core.money import show_yuan
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.matching.intents.models import Intent
from market.regions import queries as regions
from market.regions.models import Region
from market.regions.queries import RegionView
from market.service_points import queries as directory
from market.service_points.models import AMOUNT_BASES, POINT, Admission
from market.service_points.queries import Asked, Entry

_MOST_CHOICES = 50


def mine(actor: Actor, tab: str, page: int = 1, per_page: int = ROWS_PER_PAGE) -> PageOf[Contract]:
    """The contracts that the actor's organisations file or are a party to, or help with."""
    if tab == HELPED:
        wanted: list[ColumnElement[bool]] = [_at_own_points(actor)]
        order: ColumnElement[Any] = Contract.point_until.asc()
    else:
        own = [Contract.of_party(one) for one in actor.organisations()]
        wanted = [or_(false(), *own), Contract.state.in_(TABS[tab][1])]
        order = Contract.updated_at.desc()
    wanted.append(policy.where(actor, READ, Contract))
    counted = select(Contract.id).where(*wanted).limit(EXACT_UP_TO + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(counted)) or 0
    query = (
        select(Contract)
        .where(*wanted)
        .options(
            joinedload(Contract.filer),
            joinedload(Contract.body),
            joinedload(Contract.office_region),
        )
        .order_by(order, Contract.id.desc())
    )
    rows = db.session.scalars(query.limit(per_page).offset((page - 1) * per_page)).all()
    exact = "exact" if total <= EXACT_UP_TO else "at_least"
    return PageOf(rows, min(total, EXACT_UP_TO), page, per_page, exact)


def _at_own_points(actor: Actor) -> ColumnElement[bool]:
    own = actor.organisations("point_staff")
    points = select(Admission.id).where(Admission.organisation_id.in_(own))
    return and_(Contract.point_id.in_(points), Contract.point_until >= clock.today())


def helps(actor: Actor) -> bool:
    """Whether the actor works at a service point."""
    return bool(actor.organisations("point_staff"))


def read(actor: Actor, no: str) -> Contract:
    """A contract that the actor may read. Raises NotFound."""
    return contracts.find(actor, no)


def filers(actor: Actor) -> list[Organisation]:
    """For which organisations the actor may file."""
    ids = actor.organisations(*EDITORS)
    query = select(Organisation).where(Organisation.id.in_(ids), Organisation.state == "active")
    return list(db.session.scalars(query.order_by(Organisation.folded_name))) if ids else []


def of_intent(actor: Actor, intent_no: str) -> Contract | None:
    """The contract that grew from an intent and is not over without result."""
    over = ("refused", "withdrawn", *VOID)
    query = select(Contract).where(
        Contract.intent_no == intent_no,
        Contract.state.not_in(over),
        policy.where(actor, READ, Contract),
    )
    return db.session.scalar(query.order_by(Contract.id).limit(1))


def agreed_intents(actor: Actor) -> list[Intent]:
    """Agreed intents that the actor's organisations sell by, and of which there is no contract."""
    own = actor.organisations(*EDITORS)
    filed = select(Contract.intent_no).where(
        Contract.intent_no.is_not(None), Contract.state.not_in(("refused", "withdrawn", *VOID))
    )
    query = select(Intent).where(
        Intent.state == "agreed", Intent.seller_id.in_(own), Intent.no.not_in(filed)
    )
    return list(db.session.scalars(query.order_by(Intent.agreed_at.desc()).limit(_MOST_CHOICES)))


@dataclass(frozen=True)
class Choice:
    """A body that may be chosen. mode: its label; amount: a limit it works under, in words."""

    no: str
    title: str
    region: str
    own_register: bool
    amount: str


def bodies(contract: Contract) -> list[Choice]:
    """The bodies that register for one of the sellers; those that name it first."""
    found: dict[int, Admission] = {}
    for seller in _sellers(contract):
        for row in directory.bodies_for(seller, clock.today()):
            if "accept" in directory.powers_of(row):
                found.setdefault(row.id, row)
    return [
        Choice(row.no, row.title, row.region.full_name, row.mode == "own", _limit(row))
        for row in found.values()
    ]


def _limit(row: Admission) -> str:
    """The amount up to which a body works, in words; empty where there is none."""
    if row.amount_fen is None:
        return ""
    base = AMOUNT_BASES[row.amount_base or "unknown"]
    words = f"登记限额 {show_yuan(row.amount_fen)}（{base}）"
    return f"{words}，{row.amount_meaning}" if row.amount_meaning else words


def _sellers(contract: Contract) -> Sequence[Organisation]:
    """The sellers that are in the register; else the filer."""
    rows = unpack(version_of(contract).content).get("sellers", [])
    codes = {row["uscc"] for row in rows if row.get("uscc")}
    ids = [one.id for one in accounts.owners_by_uscc(codes).values()] if codes else []
    ids = ids or ([contract.filer_id] if contract.filer_id else [])
    query = select(Organisation).where(Organisation.id.in_(ids)).order_by(Organisation.id)
    return db.session.scalars(query).all()


def office_of(contract: Contract) -> str:
    """The office that examines beforehand where no body is chosen, by name."""
    region = contract.filer.region if contract.filer else contract.office_region
    found = accounts.contact_for(region.path_ids)
    return found.name if found else f"{region.full_name}科技管理部门"


def points(actor: Actor, contract: Contract) -> list[Entry]:
    """Service points near the filer that help: those of its county first."""
    region = contract.filer.region if contract.filer else contract.office_region
    place = regions.view(region)
    asked = Asked(kind=POINT, region=_county(region.path_ids) or place)
    inside = list(directory.search(actor, asked).items)
    near = [one for one in directory.near(actor, asked) if one.kind == POINT]
    known = {one.no for one in inside}
    return [*inside, *(one for one in near if one.no not in known)]


def _county(ids: Sequence[int]) -> RegionView | None:
    query = select(Region).where(Region.id.in_(ids), Region.level == "county")
    found = db.session.scalar(query)
    return regions.view(found) if found is not None else None


def consents(actor: Actor, contract: Contract) -> list[str]:
    """What the actor may let the public see: the filer title and seller, the buyer its own name."""
    own = actor.organisations(*EDITORS)
    if actor.kind == "system":
        return ["title", "seller", "buyer"]
    found = ["title", "seller"] if contract.filer_id in own else []
    return found + (["buyer"] if contract.buyer_id in own else [])
