"""The list of an office: what lies in its area, in every state."""

from __future__ import annotations

from sqlalchemy import case

from market.core import clock
from market.core.pagination import ROWS_PER_PAGE, PageOf
from market.core.permissions import Actor, policy
from market.service_points import rules
from market.service_points.models import Admission
from market.service_points.queries import Entry, page_of, says, whole_rows
from market.service_points.workflow import OVERSEE


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
