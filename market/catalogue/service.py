"""Changing listings one at a time: a new version, a withdrawal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import func, select, update

from market.catalogue import terms
from market.catalogue.content import KEYS, TERM_FIELDS, content_of, file_row, revision_values
from market.catalogue.models import Listing, Revision
from market.catalogue.rules import content_hash
from market.catalogue.schemas import SCHEMAS
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.permissions import Actor, policy
from market.core.unit_of_work import unit_of_work

EDIT = policy.declare("catalogue:listing:edit")
WITHDRAW = policy.declare("catalogue:listing:withdraw")


def _find(no: str) -> Listing:
    listing = db.session.scalar(select(Listing).where(Listing.no == no))
    if listing is None or listing.current_id is None:
        raise NotFound(f"没有编号为 {no} 的记录。")
    return listing


def revise(actor: Actor, no: str, changes: Mapping[str, Any]) -> int:
    """Write a new version of a listing with some fields changed; returns its number.

    Args:
        no: the public number.
        changes: field → value as typed in a form or a file; an empty value clears a field.

    Raises:
        NotFound: no such listing.
        Invalid: values that break the rules, by field.
        Conflict: somebody else wrote a version meanwhile.
    """
    listing = _find(no)
    content = _merged(listing, changes)
    kind, listing_id, current_id = listing.kind, listing.id, listing.current_id
    with unit_of_work(actor) as work:
        work.require(EDIT, db.session.get(Listing, listing_id))
        before = db.session.get_one(Revision, current_id)
        if before.content_hash == content_hash(content):
            return before.version
        revision = _next_version(listing_id, kind, content, actor)
        moved = db.session.execute(
            update(Listing)
            .where(Listing.id == listing_id, Listing.current_id == current_id)
            .values(
                current_id=revision.id,
                region_id=revision.region_id,
                folded_title=revision.folded_title,
            )
        )
        if not moved.rowcount:  # type: ignore[attr-defined]
            raise Conflict("这条信息刚被他人修改，请打开最新内容后再改。")
        work.announce("listing", listing_id)
        work.record("listing.revised", "listing", listing_id, no=no, after=dict(changes))
        return revision.version


def _merged(listing: Listing, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The present content with the changes, validated by the schema."""
    assert listing.current is not None
    current = content_of(listing.current)
    row = file_row(listing.kind, current) | dict(changes)
    try:
        loaded = dict(SCHEMAS[listing.kind].load(row))
    except ValidationError as error:
        raise Invalid(error.normalized_messages()) from error
    for key, scheme in TERM_FIELDS.items():
        if loaded.get(key):
            loaded[key], _ = terms.resolve(scheme, loaded[key])
    content = {key: value for key, value in loaded.items() if key not in KEYS}
    return content | {"region_id": current["region_id"]}


def _next_version(listing_id: int, kind: str, content: Mapping[str, Any], actor: Actor) -> Revision:
    last = select(func.max(Revision.version)).where(Revision.listing_id == listing_id)
    values = revision_values(kind, content, by=actor.label, at=clock.now())
    version = (db.session.scalar(last) or 0) + 1
    revision = Revision(listing_id=listing_id, version=version, **values)
    db.session.add(revision)
    db.session.flush()
    return revision


def withdraw(actor: Actor, no: str, reason: str) -> None:
    """Take a listing out of the public market; its address says so from then on.

    Raises:
        NotFound: no such listing.
        Conflict: it is not published.
    """
    listing_id = _find(no).id
    with unit_of_work(actor) as work:
        work.require(WITHDRAW, db.session.get(Listing, listing_id))
        gone = db.session.execute(
            update(Listing)
            .where(Listing.id == listing_id, Listing.state == "published")
            .values(state="withdrawn")
        )
        if not gone.rowcount:  # type: ignore[attr-defined]
            raise Conflict("这条信息没有在公开，不能撤回。")
        work.announce("listing", listing_id)
        work.record("listing.withdrawn", "listing", listing_id, no=no, after={"reason": reason})
