"""登记簿: registered contracts by words, class, field, party, dates and amounts; a table to take away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import joinedload

from market.accounts.roles import OFFICES
from market.contracts import codes
from market.contracts.models import MODES, STATES, Contract, ContractParty, ContractTerm
from market.contracts.schemas import SUBCLASS_LABELS
from market.contracts.terms import of as terms_of
from market.contracts.workflow import EXAMINERS, READ
from market.core.db import db, under
from market.core.money import yuan_number
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.core.sheets import Column
from market.core.text import fold
from market.regions.models import Region
from market.service_points.models import Admission

MOST = 20_000  # rows of a table
_MOST_WORDS = 8
FEW = 1_000  # found ones that are rather sorted than walked to
REGISTERED = ("registered", "cancelled", "annulled")
COLUMNS = (
    Column("registration_no", "合同登记编号"),
    Column("no", "本站编号"),
    Column("title", "项目名称"),
    Column("contract_class", "合同类别"),
    Column("subclass", "二级类别"),
    Column("field", "技术领域"),
    Column("seller", "卖方"),
    Column("seller_region", "卖方所在地"),
    Column("buyer", "买方"),
    Column("buyer_region", "买方所在地"),
    Column("signed_on", "签订日期"),
    Column("total", "合同成交额（元）"),
    Column("technical", "技术交易额（元）"),
    Column("registered_on", "登记日期"),
    Column("registered_by", "登记机构"),
    Column("mode", "登记方式"),
    Column("state", "状态"),
    Column("void_on", "注销或撤销日期"),
)


def search(actor: Actor, asked: Mapping[str, Any], page: int = 1) -> PageOf[Contract]:
    """A page of the register as the actor may read it, newest registration first."""
    wanted = _wanted(actor, asked)
    inner = select(Contract.id).where(*wanted).limit(EXACT_UP_TO + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(inner)) or 0
    if total > FEW:
        wanted = [Contract.registered_on.is_not(None), from_the_newest(wanted)]
    query = select(Contract.id).where(*wanted).order_by(*_NEWEST).limit(ROWS_PER_PAGE)
    ids = db.session.scalars(query.offset((page - 1) * ROWS_PER_PAGE)).all()
    rows = select(Contract).where(Contract.id.in_(ids)).options(*_PLACES).order_by(*_NEWEST)
    return PageOf(
        db.session.scalars(rows).all(),
        min(total, EXACT_UP_TO),
        page,
        ROWS_PER_PAGE,
        "exact" if total <= EXACT_UP_TO else "at_least",
    )


def from_the_newest(wanted: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    """The conditions as one value, which offers no index.

    So the database walks in the order that is asked for and stops after a page, where it would
    sort all that the reader may see.
    """
    return case((and_(*wanted), 1), else_=0) == 1


_PLACES = (joinedload(Contract.seller_region), joinedload(Contract.buyer_region))
_NEWEST = (Contract.registered_on.desc(), Contract.id.desc())


def _wanted(actor: Actor, asked: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        policy.where(actor, READ, Contract),
        Contract.state.in_(REGISTERED),
        *_with_words(asked.get("q") or ""),
    ]
    for name in ("contract_class", "field"):
        if asked.get(name):
            found.append(getattr(Contract, name) == asked[name])
    if asked.get("party"):
        found.append(Contract.id.in_(_of_party(asked["party"])))
    if asked.get("since"):
        found.append(Contract.registered_on >= asked["since"])
    if asked.get("until"):
        found.append(Contract.registered_on <= asked["until"])
    if asked.get("at_least") is not None:
        found.append(Contract.technical_fen >= asked["at_least"])
    if asked.get("at_most") is not None:
        found.append(Contract.technical_fen <= asked["at_most"])
    if asked.get("side"):
        found.append(_side(actor, asked["side"]))
    return found


def _with_words(words: str) -> Iterator[ColumnElement[bool]]:
    """For each word: contracts that hold all its pairs of neighbouring characters."""
    for word in words.split()[:_MOST_WORDS]:
        terms = terms_of(word[:40])
        if not terms:
            continue
        query = select(ContractTerm.contract_id).where(ContractTerm.term.in_(terms))
        grouped = query.group_by(ContractTerm.contract_id)
        yield Contract.id.in_(grouped.having(func.count() == len(terms)))


def _of_party(text: str) -> Any:
    """Contracts of a party: by its credit code, else by the beginning of its name."""
    query = select(ContractParty.contract_id)
    if len(text) == 18 and text.isascii():
        return query.where(ContractParty.uscc == text.upper())
    return query.where(ContractParty.folded_name.startswith(fold(text), autoescape=True))


def _side(actor: Actor, side: str) -> ColumnElement[bool]:
    """输出: a seller of the own area, 吸纳: a buyer of it; a body's area is where it stands."""
    column = Contract.seller_region_id if side == "output" else Contract.buyer_region_id
    areas = actor.areas(*OFFICES) or places_of_bodies(actor)
    found: ColumnElement[bool] = Contract.id.is_(None)
    for path in areas:
        found = found | column.in_(select(Region.id).where(under(Region.path, path)))
    return found


def places_of_bodies(actor: Actor) -> Sequence[str]:
    """Paths of the regions where the bodies stand for which the actor examines."""
    own = actor.organisations(*EXAMINERS)
    query = select(Region.path).join(Admission, Admission.region_id == Region.id)
    return db.session.scalars(query.where(Admission.organisation_id.in_(own)).distinct()).all()


def rows(actor: Actor, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The same as rows of a table, up to 20,000: what the actor may read anyway."""
    query = select(Contract).where(*_wanted(actor, asked)).options(*_PLACES)
    found = db.session.scalars(query.order_by(*_NEWEST).limit(MOST))
    for row in found.yield_per(500):
        yield in_words(row)


def in_words(row: Contract) -> dict[str, Any]:
    """A registered contract by the columns of the table."""
    return {
        "registration_no": row.registration_no,
        "no": row.no,
        "title": row.title,
        "contract_class": codes.CLASSES.get(row.contract_class or "", ""),
        "subclass": SUBCLASS_LABELS.get(row.subclass or "", ""),
        "field": codes.FIELDS.get(row.field or "", ""),
        "seller": row.seller_name,
        "seller_region": row.seller_region.full_name if row.seller_region else "",
        "buyer": row.buyer_name,
        "buyer_region": row.buyer_region.full_name if row.buyer_region else "",
        "signed_on": row.signed_on.isoformat() if row.signed_on else "",
        "total": yuan_number(row.total_fen or 0),
        "technical": yuan_number(row.technical_fen or 0),
        "registered_on": row.registered_on.isoformat() if row.registered_on else "",
        "registered_by": row.registered_by or "",
        "mode": MODES[row.mode],
        "state": STATES[row.state],
        "void_on": row.void_on.isoformat() if row.void_on else "",
    }
