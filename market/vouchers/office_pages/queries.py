"""Reading for the desk of vouchers: its tabs, an application, a claim, a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true
from sqlalchemy.orm import joinedload, selectinload

from market.accounts.models import Organisation
from market.core import clock
from market.core.db import db
from market.core.errors import NotFound
from market.core.models import CaseEvent
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.core.workflow import Transition, timeline
from market.notices import queries as notices
from market.vouchers import funds, noticed, ordering, top_ups
from market.vouchers.claim_models import (
    BATCH_STATES,
    CLAIM_STATES,
    Bar,
    Batch,
    Claim,
    Payment,
    Review,
)
from market.vouchers.facts import Firm
from market.vouchers.knowing import firm_of
from market.vouchers.ledger.posting import Pot
from market.vouchers.ledger.queries import balances
from market.vouchers.locking import today
from market.vouchers.models import (
    APPLICATION_STATES,
    ORDER_STATES,
    Application,
    Order,
    Scheme,
    Voucher,
)
from market.vouchers.office_pages.forms import TABS
from market.vouchers.workflow import (
    APPLICATION,
    BAR,
    BATCH,
    CLAIM,
    END_ORDER,
    GRANT,
    READ_APPLICATION,
    READ_BATCH,
    READ_CLAIM,
    READ_ORDER,
    READ_VOUCHER,
    UNMASK,
    VOUCHER,
)

HERE = "/desk/vouchers"
RECENT = timedelta(days=365)  # of what is closed the desk shows a year
TO_PAY = ("batched", "bounced")
CLOSED = ("paid", "recovered", "refused", "withdrawn")


@dataclass(frozen=True)
class Line:
    """A row of the desk, whatever kind of case it is."""

    no: str
    url: str
    who: str
    scheme: str
    words: str
    state: str
    fen: int | None
    at: datetime
    demo: bool
    grantable: bool = False


@dataclass(frozen=True)
class Desk:
    """A page of the desk and how many there are in each tab."""

    page: PageOf[Line]
    counts: Mapping[str, int]


def _model(tab: str) -> Any:
    if tab == "applications":
        return Application
    if tab == "orders":
        return Order
    return Batch if tab in {"notice", "countersign", "pay"} else Claim


_UNCHECKED = and_(
    Claim.state.in_(("notice", "payable")), Claim.drawn.is_(True), Claim.checked_on.is_(None)
)
_IN: Mapping[str, ColumnElement[bool]] = {
    "applications": Application.state == "submitted",
    "claims": Claim.state == "submitted",
    "returned": Claim.state == "returned",
    "reviewed": Claim.state == "reviewed",
    "checks": _UNCHECKED,
    "bounced": Claim.state == "bounced",
    "orders": and_(ordering.unclaimed(), Order.voucher_fen > 0),
    "notice": and_(Batch.state == "open", Batch.meeting_no.is_(None)),
    "countersign": and_(Batch.state == "open", Batch.meeting_no.is_not(None)),
    "pay": Batch.state.in_(("countersigned", "sent")),
}
# What an office may read as an office: its own firm's cases an officer reads on the firm's pages.
_READ = {
    Application: (READ_APPLICATION, GRANT),
    Claim: (READ_CLAIM, UNMASK),
    Batch: (READ_BATCH,),
    Order: (READ_ORDER, END_ORDER),
}


def seen_by(actor: Actor, model: Any) -> ColumnElement[bool]:
    """SQL: applications, claims, orders or batches that the actor may read for his office."""
    return and_(*(policy.where(actor, one, model) for one in _READ[model]))


def _wanted(actor: Actor, tab: str, q: str) -> list[ColumnElement[bool]]:
    model = _model(tab)
    found = [seen_by(actor, model)]
    if tab == "closed":
        found += [Claim.state.in_(CLOSED), Claim.updated_at >= clock.now() - RECENT]
    else:
        found.append(_IN[tab])
    return [*found, *_says(model, q)]


def _says(model: Any, q: str) -> list[ColumnElement[bool]]:
    if not q:
        return []
    schemes = select(Scheme.id).where(Scheme.title.contains(q, autoescape=True))
    said = [model.no == q.upper(), model.scheme_id.in_(schemes)]
    if model is Batch:
        said.append(Batch.title.contains(q, autoescape=True))
    else:
        named = select(Organisation.id).where(Organisation.name.contains(q, autoescape=True))
        said.append(model.organisation_id.in_(named))
    return [or_(*said)]


def _bounded(model: Any, wanted: Sequence[ColumnElement[bool]]) -> int:
    inner = select(model.id).where(*wanted).limit(EXACT_UP_TO + 1).subquery()
    return db.session.scalar(select(func.count()).select_from(inner)) or 0


def counts(actor: Actor) -> dict[str, int]:
    """How many there are in each tab: a statement for each kind of case, and one for what is closed."""
    found: dict[str, int] = {}
    for model in (Application, Claim, Batch, Order):
        tabs = [tab for tab in TABS if tab != "closed" and _model(tab) is model]
        columns = [func.sum(case((_IN[tab], 1), else_=0)) for tab in tabs]
        query = select(*columns).where(seen_by(actor, model), or_(*(_IN[tab] for tab in tabs)))
        row = db.session.execute(query).one()
        found |= {tab: int(number or 0) for tab, number in zip(tabs, row, strict=True)}
    found["closed"] = _bounded(Claim, _wanted(actor, "closed", ""))
    return found


def desk(actor: Actor, tab: str, q: str = "", page: int = 1) -> Desk:
    """What the actor's office has to handle: the oldest first; of closed claims the newest."""
    counted, model = counts(actor), _model(tab)
    wanted = _wanted(actor, tab, q)
    total = _bounded(model, wanted) if q else counted[tab]
    order = (model.updated_at.desc(), model.id.desc()) if tab == "closed" else (model.id,)
    query = select(model).where(*wanted).order_by(*order).options(*_joined(model))
    query = query.limit(ROWS_PER_PAGE).offset((page - 1) * ROWS_PER_PAGE)
    rows = db.session.scalars(query).all() if total else []
    exact = "exact" if total <= EXACT_UP_TO else "at_least"
    lines = [_line(actor, one) for one in rows]
    return Desk(PageOf(lines, min(total, EXACT_UP_TO), page, ROWS_PER_PAGE, exact), counted)


def _joined(model: Any) -> list[Any]:
    found = [joinedload(model.scheme).joinedload(Scheme.region), joinedload(model.region)]
    if model is Claim:
        found.append(joinedload(Claim.firm))
    return found if model is Batch else [*found, joinedload(model.owner)]


def _line(actor: Actor, one: Any) -> Line:
    base = {
        "no": one.no, "scheme": one.scheme.title, "demo": one.demo, "at": one.created_at,
    }  # fmt: skip
    if isinstance(one, Application):
        return Line(
            **base, url=f"{HERE}/applications/{one.no}", who=one.owner.name,
            words=one.purpose or "", state=APPLICATION_STATES[one.state], fen=one.asked_fen,
            grantable=policy.allows(actor, GRANT, one.scheme),
        )  # fmt: skip
    if isinstance(one, Batch):
        return Line(
            **base, url=f"{HERE}/batches/{one.no}", who=one.title, words="",
            state=BATCH_STATES[one.state], fen=None,
        )  # fmt: skip
    if isinstance(one, Order):
        return Line(
            **base, url=f"/vouchers/orders/{one.no}", who=one.owner.name, words=one.title,
            state=ORDER_STATES[one.state], fen=one.voucher_fen,
        )  # fmt: skip
    words = "" if one.claimant_id == one.organisation_id else f"由 {one.owner.name} 申请兑付"
    fen = one.asked_fen if one.amount_fen is None else one.amount_fen
    return Line(
        **base, url=f"{HERE}/claims/{one.no}", who=one.firm.name, words=words,
        state=CLAIM_STATES[one.state], fen=fen,
    )  # fmt: skip


def find(model: Any, actor: Actor, no: str) -> Any:
    """A row by its number with what its page shows. Raises NotFound."""
    query = select(model).where(model.no == no, seen_by(actor, model))
    found = db.session.scalar(query.options(*_joined(model)))
    if found is None:
        raise NotFound(f"没有编号为 {no} 的记录。")
    return found


@dataclass(frozen=True)
class ApplicationCase:
    """An application with what its examiner needs beside it."""

    row: Application
    firm: Firm
    vouchers: Sequence[Voucher]
    acts: Mapping[str, Sequence[Transition]]
    budget: Mapping[str, int]
    events: Sequence[CaseEvent]
    may: frozenset[str]


def application(actor: Actor, no: str) -> ApplicationCase:
    """An application as the office sees it: what is known of the firm, its vouchers of the year."""
    row = find(Application, actor, no)
    day = today()
    query = select(Voucher).where(
        Voucher.organisation_id == row.organisation_id,
        or_(Voucher.application_id == row.id,
            and_(Voucher.scheme_id == row.scheme_id, Voucher.year == day.year)),
        policy.where(actor, READ_VOUCHER, Voucher),
    )  # fmt: skip
    vouchers = db.session.scalars(query.order_by(Voucher.id).limit(100)).all()
    may = {one.action for one in APPLICATION.actions(actor, row)}
    if not policy.allows(actor, GRANT, row.scheme):
        may = set()
    return ApplicationCase(
        row=row,
        firm=firm_of(row.owner, row.scheme, day, row.facts),
        vouchers=vouchers,
        acts={one.no: VOUCHER.actions(actor, one) for one in vouchers},
        budget=balances(Pot(row.scheme_id, day.year, row.scheme.region_id)),
        events=timeline("voucher_application", row.id),
        may=frozenset(may),
    )


def voucher(actor: Actor, no: str) -> Voucher:
    """A voucher by its number. Raises NotFound."""
    query = select(Voucher).where(Voucher.no == no, policy.where(actor, READ_VOUCHER, Voucher))
    found = db.session.scalar(query)
    if found is None:
        raise NotFound(f"没有编号为 {no} 的创新券。")
    return found


def application_of(voucher: Voucher) -> str:
    """The number of the application that a voucher came of."""
    return db.session.scalars(
        select(Application.no).where(Application.id == voucher.application_id)
    ).one()


@dataclass(frozen=True)
class ClaimCase:
    """A claim with its reviews, its payments and its history."""

    row: Claim
    reviews: Sequence[Review]
    payments: Sequence[Payment]
    events: Sequence[CaseEvent]
    may: frozenset[str]


def claim(actor: Actor, no: str) -> ClaimCase:
    """A claim as offices see it. Raises NotFound."""
    row = find(Claim, actor, no)
    reviews = select(Review).where(Review.claim_id == row.id).order_by(Review.id)
    payments = select(Payment).where(Payment.claim_id == row.id).order_by(Payment.id)
    return ClaimCase(
        row=row,
        reviews=db.session.scalars(reviews).all(),
        payments=db.session.scalars(payments).all(),
        events=timeline("voucher_claim", row.id),
        may=frozenset(one.action for one in CLAIM.actions(actor, row)),
    )


@dataclass(frozen=True)
class BatchCase:
    """A batch with its claims, what was paid, and how its notice stands.

    notices: number → standing; said: the lines that the notice froze; unsaid: claims of which it
    says something else; short: number → how it was too short.
    """

    row: Batch
    claims: Sequence[Claim]
    payments: Mapping[int, Sequence[Payment]]
    notices: Mapping[str, notices.Standing]
    said: Mapping[str, Sequence[str]]
    unsaid: Sequence[str]
    short: Mapping[str, str]
    events: Sequence[CaseEvent]
    may: frozenset[str]

    @property
    def total_fen(self) -> int:
        return sum(one.total_fen for one in self.claims)

    @property
    def payers(self) -> list[tuple[str, int]]:
        """Who bears how much, where several do."""
        found = top_ups.by_payer(funds.approved_by_region([one.id for one in self.claims]))
        return found if len(found) > 1 else []

    @property
    def paid_fen(self) -> int:
        return sum(one.total_fen for one in self.claims if one.state == "paid")

    @property
    def to_pay(self) -> dict[str, int]:
        """Claims that the treasury has not paid yet: number → fen."""
        return {one.no: one.total_fen for one in self.waiting}

    @property
    def waiting(self) -> list[Claim]:
        """Claims that the treasury has not paid yet."""
        return [one for one in self.claims if one.state in TO_PAY]


def batch(actor: Actor, no: str) -> BatchCase:
    """A batch as offices and the finance office see it. Raises NotFound."""
    row = find(Batch, actor, no)
    claims = claims_of(row)
    paid: dict[int, list[Payment]] = {}
    query = select(Payment).where(Payment.batch_id == row.id).order_by(Payment.id)
    for one in db.session.scalars(query):
        paid.setdefault(one.claim_id, []).append(one)
    numbers = sorted({one.notice_no for one in claims if one.notice_no})
    said = {one: noticed.said_by(one) for one in numbers}
    return BatchCase(
        row=row,
        claims=claims,
        payments=paid,
        notices={one: notices.standing_of(one) for one in numbers},
        said=said,
        unsaid=[
            one.no for one in claims
            if one.notice_no and noticed.line(one) not in said[one.notice_no]
        ],
        short={one: noticed.short(one, claims) for one in numbers},
        events=timeline("voucher_batch", row.id),
        may=frozenset(one.action for one in BATCH.actions(actor, row)),
    )  # fmt: skip


def claims_of(row: Batch) -> Sequence[Claim]:
    """The claims of a batch with what its page and prints show."""
    joined = (
        joinedload(Claim.owner), joinedload(Claim.firm), joinedload(Claim.provider),
        joinedload(Claim.scheme), joinedload(Claim.version), joinedload(Claim.region),
        selectinload(Claim.invoices),
    )  # fmt: skip
    query = select(Claim).where(Claim.batch_id == row.id).order_by(Claim.id).options(*joined)
    return db.session.scalars(query).all()


def bars(actor: Actor, bar_id: int | None = None) -> Sequence[tuple[Bar, Organisation]]:
    """The bars of the actor's area (or one of them), those in force first, then the newest."""
    day = today()
    over = or_(Bar.lifted_at.is_not(None), Bar.ends_on < day)
    query = (
        select(Bar, Organisation)
        .join(Organisation, Organisation.id == Bar.organisation_id)
        .where(policy.where(actor, BAR, Bar), true() if bar_id is None else Bar.id == bar_id)
        .order_by(over, Bar.id.desc())
        .limit(200)
        .options(joinedload(Bar.region))
    )
    return [(one, organisation) for one, organisation in db.session.execute(query).all()]


def schemes(actor: Actor) -> Sequence[Scheme]:
    """Schemes of the actor's area that he may stop organisations in."""
    query = select(Scheme).where(policy.where(actor, BAR, Scheme), Scheme.state != "draft")
    return db.session.scalars(query.order_by(Scheme.id)).all()


def organisation_of(text: str) -> Organisation:
    """An organisation by number, credit code or whole name. Raises NotFound."""
    query = select(Organisation).where(
        or_(Organisation.no == text.upper(), Organisation.uscc == text.upper(),
            Organisation.name == text),
        Organisation.state == "active",
    )  # fmt: skip
    found = db.session.scalars(query.order_by(Organisation.id).limit(2)).all()
    if len(found) != 1:
        raise NotFound(f"没有找到「{text}」这个单位，请写单位编号、统一社会信用代码或全称。")
    return found[0]
