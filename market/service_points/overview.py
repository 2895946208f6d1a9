"""The list of an office: what lies in its area; and of an organisation: what it was admitted as."""

from __future__ import annotations

from sqlalchemy import case

from market.core import clock
from market.core.db import db
from market.core.pagination import ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.service_points import rules
from market.service_points.models import Admission
from market.service_points.queries import Entry, entry_of, page_of, says, whole_rows
from market.service_points.workflow import OVERSEE, OWN


def desk(
    actor: Actor, *, q: str = "", kind: str = "", state: str = "", page: int = 1
) -> PageOf[Entry]:
    """What lies in the office's area, in every state; what ends first comes first."""
    today = clock.today()
    query = whole_rows().where(policy.where(actor, OVERSEE, Admission), *says(q))
    if kind:
        query = query.where(Admission.kind == kind)
    if state == "soon":
        query = query.where(
            Admission.running(today), Admission.valid_to.between(today, today + rules.SOON)
        )
    elif state == "expired":
        query = query.where(Admission.state != "ended", Admission.valid_to < today)
    elif state:
        query = query.where(Admission.state == state)
    ended = case((Admission.state == "ended", 1), else_=0)
    unknown = case((Admission.valid_to.is_(None), 1), else_=0)
    order = (ended, unknown, Admission.valid_to, Admission.id)
    return page_of(query.order_by(*order), page, ROWS_PER_PAGE)


MOST_OWN = 200


def own(actor: Actor) -> list[Entry]:
    """What the actor's organisations were admitted as, in every state; what ended comes last."""
    query = whole_rows().where(policy.where(actor, OWN, Admission))
    ended = case((Admission.state == "ended", 1), else_=0)
    rows = db.session.scalars(query.order_by(ended, Admission.id).limit(MOST_OWN))
    return [entry_of(row) for row in rows]
