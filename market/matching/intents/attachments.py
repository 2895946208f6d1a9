"""Files of offers: sent with one by a form, or ahead of it by a program."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update

from market.core import files
from market.core.db import db
from market.core.errors import Invalid
from market.core.models import StoredFile
from market.core.permissions import Actor, policy
from market.core.unit_of_work import unit_of_work
from market.matching.intents.locking import locked, party_of
from market.matching.intents.models import Intent, Offer
from market.matching.intents.workflow import OFFER, TERMS

FILES = "intent_offer"  # the kind of their objects
AHEAD = "intent_upload"  # of those that wait for their offer; nobody may have them before


def send_ahead(actor: Actor, no: str, name: str, data: bytes) -> str:
    """Take in a file for an offer that is to follow; gives its number.

    Raises:
        NotFound: no such intent, or not for this actor. Denied: not a party.
        Invalid: empty, too large, not what is welcome, or too many wait already.
    """
    upload = files.take_in(name, data)
    with unit_of_work(actor) as work:
        intent = locked(actor, no)
        work.require(OFFER, intent)
        side = party_of(actor, intent)
        return files.attach(work, upload, AHEAD, intent.id, purpose=side).no


def take(intent_id: int, side: str, offer_id: int, numbers: Sequence[str]) -> None:
    """Attach files that one side sent ahead to its offer. Inside a unit of work.

    Raises:
        Invalid: one of them is not there.
    """
    if not numbers:
        return
    theirs = (
        StoredFile.kind == AHEAD,
        StoredFile.object_id == intent_id,
        StoredFile.purpose == side,
        StoredFile.no.in_(numbers),
        StoredFile.removed_at.is_(None),
    )
    ids = list(db.session.scalars(select(StoredFile.id).where(*theirs)))
    if len(ids) != len(set(numbers)):
        raise Invalid({"files": ["没有这个文件，或已用在另一版方案里；请先上传。"]})
    db.session.execute(
        update(StoredFile)
        .where(StoredFile.id.in_(ids))
        .values(kind=FILES, object_id=offer_id, purpose="file")
        .execution_options(synchronize_session=False)
    )


def may_have(actor: Actor, row: StoredFile) -> bool:
    """Whether somebody may have a file of an offer: who may read the terms of its intent."""
    query = select(Intent).join(Offer, Offer.intent_id == Intent.id)
    intent = db.session.scalar(query.where(Offer.id == row.object_id))
    return intent is not None and policy.allows(actor, TERMS, intent)
