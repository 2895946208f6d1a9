"""A firm lets somebody know its name, or no longer; or an office records that it said so."""

from __future__ import annotations

from sqlalchemy import select

from market.catalogue import naming
from market.catalogue.models import CONSENT_MEANS, Listing, NameConsent
from market.catalogue.naming import CONSENT
from market.catalogue.publishing.workflow import LISTING
from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.permissions import Actor
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.matching.names import messages, queries
from market.matching.names.queries import Source

ACTIONS = ("tell", "keep")


def act(actor: Actor, kind: str, no: str, action: str, means: str | None = None) -> None:
    """Tell the receiver of a case whose demand it is ("tell"), or no longer ("keep").

    Args:
        kind, no: of the case; means: how the firm told an office that it consents.

    Raises:
        NotFound: no such case for this actor. Denied: not his to decide.
        Invalid: an office does not say by what means. Conflict: it is so already.
    """
    with unit_of_work(actor) as work:
        found = queries.source(actor, kind, no)
        if found.receiver is None or action not in ACTIONS:
            raise NotFound
        # Of two who decide at once the second sees the first.
        held = select(Listing).where(Listing.id == found.listing.id)
        db.session.scalars(held.with_for_update(of=Listing)).one()
        work.require(CONSENT, found.listing)
        if action == "tell":
            _tell(work, found, _means(actor, found, means))
        else:
            _keep(work, found)


def _means(actor: Actor, found: Source, means: str | None) -> str:
    if found.listing.owner_id in actor.organisations():
        return "site"
    if means not in dict(queries.means_for(True)):
        raise Invalid({"means": ["请选单位是怎样同意的：电话、书面或微信。"]})
    return str(means)


def _tell(work: UnitOfWork, found: Source, means: str) -> None:
    receiver = found.receiver
    assert receiver is not None
    if not naming.hidden(found.listing):
        raise Conflict("这项需求的单位名称是公开的，不用再同意。")
    if queries.standing(found.listing, receiver) is not None:
        raise Conflict("已向对方公开过单位名称。")
    actor = work.actor
    row = NameConsent(
        listing_id=found.listing.id,
        organisation_id=receiver.organisation_id,
        person_id=receiver.person_id,
        case_no=receiver.case_no,
        case_kind=found.kind,
        given_in=found.no,
        receiver=found.label[:200],
        means=means,
        given_by=actor.label[:200],
        given_by_id=actor.id if actor.kind == "person" else None,
        given_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    note = f"向{found.label}公开"
    if means != "site":
        note = f"{note}；单位同意的方式：{CONSENT_MEANS[means]}"
    _log(work, found, "name_told", note, means=means)
    messages.tell_receiver(found.listing, row, found.url)


def _keep(work: UnitOfWork, found: Source) -> None:
    assert found.receiver is not None
    row = queries.standing(found.listing, found.receiver)
    if row is None:
        raise Conflict("现在没有向对方公开单位名称。")
    row.withdrawn_at, row.withdrawn_by = clock.now(), work.actor.label[:200]
    db.session.flush()
    _log(work, found, "name_kept", f"今后不再向{found.label}显示；对方已经知道的收不回来")


def _log(work: UnitOfWork, found: Source, action: str, note: str, **more: str) -> None:
    """Both timelines, of the case and of the demand, and the audit."""
    flow.add_event(work, found.workflow, found.object_id, action, note=note)
    flow.add_event(work, LISTING.name, found.listing.id, action, note=f"{note}（{found.no}）")
    work.record(
        f"listing.{action}",
        "listing",
        found.listing.id,
        no=found.listing.no,
        after={"receiver": found.label, "case": found.no, **more},
    )
