"""What firms and providers read: schemes of their region, vouchers, orders, claims, bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import joinedload

from market.accounts.models import Organisation
from market.accounts.roles import EDITORS
from market.core import clock
from market.core.db import db
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.core.text import clean_line, fold
from market.service_points.models import Admission
from market.vouchers import related
from market.vouchers.claim_models import OPEN, Bar, Claim, Payment
from market.vouchers.models import Application, Order, Scheme, Voucher
from market.vouchers.schemes import live_version, sheet_of
from market.vouchers.sheet import Sheet
from market.vouchers.workflow import (
    CLAIM_MONEY,
    GRANT,
    OWN_BARS,
    READ_APPLICATION,
    READ_CLAIM,
    READ_ORDER,
    READ_VOUCHER,
    UNMASK,
    VIEW,
)

Row = TypeVar("Row")
MOST_CHOICES = 200  # providers and schemes that a page offers
USABLE = ("issued", "used")
RUNNING = ("placed", "confirmed", "delivered")


def firms(actor: Actor) -> list[Organisation]:
    """For which organisations the actor may apply, order and claim."""
    ids = actor.organisations(*EDITORS)
    query = select(Organisation).where(Organisation.id.in_(ids), Organisation.state == "active")
    return list(db.session.scalars(query.order_by(Organisation.folded_name))) if ids else []


def firm_for(actor: Actor, wanted: int | None) -> Organisation | None:
    """The organisation that is asked for, or the only one; None: it is not clear."""
    found = firms(actor)
    if wanted is not None:
        return next((one for one in found if one.id == wanted), None)
    return found[0] if len(found) == 1 else None


def schemes_for(actor: Actor, firm: Organisation) -> list[Scheme]:
    """Schemes in force where an organisation is: its county's, city's and province's."""
    query = select(Scheme).where(
        Scheme.state == "live",
        Scheme.region_id.in_(firm.region.path_ids),
        policy.where(actor, VIEW, Scheme),
    )
    return list(db.session.scalars(query.order_by(Scheme.id.desc()).limit(MOST_CHOICES)))


def live_sheet(scheme: Scheme) -> Sheet:
    """What the version in force says."""
    return sheet_of(live_version(scheme))


_LISTS: Mapping[str, tuple[Any, str]] = {
    "applications": (Application, READ_APPLICATION),
    "vouchers": (Voucher, READ_VOUCHER),
    "orders": (Order, READ_ORDER),
    "claims": (Claim, READ_CLAIM),
}


def _own(kind: str, ids: Sequence[int]) -> ColumnElement[bool]:
    if kind == "orders":
        return or_(Order.organisation_id.in_(ids), Order.provider_id.in_(ids))
    column = Claim.claimant_id if kind == "claims" else _LISTS[kind][0].organisation_id
    found: ColumnElement[bool] = column.in_(ids)
    return found


def mine(
    actor: Actor, kind: str, page: int = 1, per_page: int = ROWS_PER_PAGE
) -> PageOf[Any]:  # fmt: skip
    """What the actor's organisations have of a kind, the newest first.

    Args:
        kind: applications, vouchers, orders (of either side) or claims.
    """
    model, permission = _LISTS[kind]
    wanted = [_own(kind, actor.organisations()), policy.where(actor, permission, model)]
    counted = select(model.id).where(*wanted).limit(EXACT_UP_TO + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(counted)) or 0
    query = select(model).where(*wanted).options(joinedload(model.scheme))
    rows = db.session.scalars(
        query.order_by(model.id.desc()).limit(per_page).offset((page - 1) * per_page)
    ).all()
    exact = "exact" if total <= EXACT_UP_TO else "at_least"
    return PageOf(rows, min(total, EXACT_UP_TO), page, per_page, exact)


def counts(actor: Actor) -> dict[str, int]:
    """How much of each waits for something: usable vouchers, open orders and claims."""
    found = {}
    for kind, states in (
        ("applications", ("submitted",)),
        ("vouchers", USABLE),
        ("orders", RUNNING),
        ("claims", ("draft", *OPEN)),
    ):
        model, permission = _LISTS[kind]
        found[kind] = (
            db.session.scalar(
                select(func.count(model.id)).where(
                    _own(kind, actor.organisations()),
                    model.state.in_(states),
                    policy.where(actor, permission, model),
                )
            )
            or 0
        )
    return found


def bars(actor: Actor) -> Sequence[Bar]:
    """Bars in force against the actor's organisations."""
    query = select(Bar).where(
        policy.where(actor, OWN_BARS, Bar), Bar.lifted_at.is_(None), Bar.ends_on >= clock.today()
    )
    return db.session.scalars(query.order_by(Bar.ends_on.desc(), Bar.id)).all()


def names(ids: Sequence[int]) -> dict[int, str]:
    """Names of organisations."""
    query = select(Organisation).where(Organisation.id.in_(ids))
    return {one.id: one.name for one in db.session.scalars(query)} if ids else {}


def usable(actor: Actor, firm_id: int) -> list[Voucher]:
    """Vouchers of a firm that are still worth something."""
    query = select(Voucher).where(
        Voucher.organisation_id == firm_id,
        Voucher.state.in_(USABLE),
        Voucher.face_fen > Voucher.held_fen + Voucher.spent_fen,
        or_(Voucher.ends_on.is_(None), Voucher.ends_on >= clock.today()),
        policy.where(actor, READ_VOUCHER, Voucher),
    )
    return list(db.session.scalars(query.order_by(Voucher.ends_on, Voucher.id)))


def claimable(actor: Actor) -> list[Order]:
    """Accepted orders that the actor's organisations may claim and have not."""
    taken = select(Claim.order_id).where(
        Claim.order_id.is_not(None), Claim.state.not_in(("withdrawn", "refused"))
    )
    query = select(Order).where(
        _own("orders", actor.organisations(*EDITORS)),
        Order.state == "accepted",
        Order.id.not_in(taken),
        policy.where(actor, READ_ORDER, Order),
    )
    own = set(actor.organisations(*EDITORS))
    return [one for one in db.session.scalars(query.order_by(Order.id)) if claims(one, own)]


def claims(order: Order, own: set[int]) -> bool:
    """Whether one of these organisations is the side that claims an order."""
    by_provider = sheet_of(order.version).payer_model == "provider"
    return (order.provider_id if by_provider else order.organisation_id) in own


def claim_of(order: Order) -> Claim | None:
    """The claim of an order that counts, for both sides of the order."""
    query = select(Claim).where(
        Claim.order_id == order.id, Claim.state.not_in(("withdrawn", "refused"))
    )
    return db.session.scalar(query.order_by(Claim.id.desc()).limit(1))


def uses_of(voucher: Voucher) -> tuple[Sequence[Order], Sequence[Claim]]:
    """Orders and claims that use a voucher."""
    orders = select(Order).where(Order.voucher_id == voucher.id).order_by(Order.id)
    found = select(Claim).where(Claim.voucher_id == voucher.id).order_by(Claim.id)
    return db.session.scalars(orders).all(), db.session.scalars(found).all()


def application_of(voucher: Voucher) -> Application:
    """The application that a voucher was issued for."""
    query = select(Application).where(Application.id == voucher.application_id)
    return db.session.scalars(query).one()


def vouchers_of(application: Application) -> Sequence[Voucher]:
    """Vouchers that were issued for an application."""
    query = select(Voucher).where(Voucher.application_id == application.id)
    return db.session.scalars(query.order_by(Voucher.id)).all()


def payments_of(claim: Claim) -> Sequence[Payment]:
    """Treasury payments of a claim, oldest first."""
    query = select(Payment).where(Payment.claim_id == claim.id).order_by(Payment.id)
    return db.session.scalars(query).all()


def providers() -> list[Organisation]:
    """Organisations that stand in the directory as providers for vouchers today."""
    listed = select(Admission.organisation_id).where(
        Admission.kind == "voucher_provider", Admission.running(clock.today())
    )
    query = select(Organisation).where(Organisation.id.in_(listed), Organisation.state == "active")
    return list(db.session.scalars(query.order_by(Organisation.folded_name).limit(MOST_CHOICES)))


def provider_named(text: str) -> Organisation | None:
    """The organisation that a name, credit code or number means; None: none, or several."""
    words = clean_line(text)
    query = select(Organisation).where(
        Organisation.state == "active",
        or_(
            Organisation.uscc == words.upper().replace(" ", ""),
            Organisation.no == words,
            Organisation.folded_name == fold(words),
        ),
    )
    found = db.session.scalars(query.limit(2)).all()
    return found[0] if len(found) == 1 else None


def last_facts(actor: Actor, firm_id: int) -> dict[str, Any]:
    """What a firm declared last when it applied or claimed, to begin with."""
    asked = select(Application.facts).where(
        Application.organisation_id == firm_id, policy.where(actor, READ_APPLICATION, Application)
    )
    found = db.session.scalar(asked.order_by(Application.id.desc()).limit(1))
    if not found:
        claimed = select(Claim.facts).where(
            Claim.organisation_id == firm_id, policy.where(actor, READ_CLAIM, Claim)
        )
        found = db.session.scalar(claimed.order_by(Claim.id.desc()).limit(1))
    return dict(found or {})


def has_declared(actor: Actor, organisation_id: int) -> bool:
    """Whether an organisation said who its legal representative is."""
    return bool(related.declared(actor, organisation_id).get("legal_person"))


def may_write(actor: Actor, claim: Claim) -> bool:
    """Whether a claim is the actor's to write now."""
    return claim.state in {"draft", "returned"} and policy.allows(actor, CLAIM_MONEY, claim)


def desk_address(actor: Actor, case: Application | Claim | None) -> str:
    """Where an office handles a case; empty for whoever does not see it there."""
    if isinstance(case, Application):
        permission, kind = GRANT, "applications"
    else:
        permission, kind = UNMASK, "claims"
    if case is None or case.state == "draft" or not policy.allows(actor, permission, case):
        return ""
    return f"/desk/vouchers/{kind}/{case.no}"
