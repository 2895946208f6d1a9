"""The versions of a listing: which there were, and how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from market.catalogue import display, terms
from market.catalogue.content import TERM_FIELDS, content_of
from market.catalogue.models import Listing, Revision
from market.catalogue.publishing import rules
from market.catalogue.publishing.comparing import Difference, differences, said
from market.catalogue.publishing.drafts import find
from market.catalogue.publishing.models import Submission
from market.catalogue.queries import READ, get
from market.catalogue.schemas import SCHEMAS
from market.core.db import db
from market.core.errors import NotFound
from market.core.models import ImportRun
from market.core.permissions import Actor, policy
from market.regions.models import Region

MOST = 100  # versions that a page lists
DRAFT = "draft"


@dataclass(frozen=True)
class Version:
    """A version: its number as text (`draft` for the edit in progress), by whom and when."""

    key: str
    label: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Compared:
    """Two versions of a listing and what differs."""

    versions: Sequence[Version]
    before: str
    after: str
    differences: Sequence[Difference]


@dataclass(frozen=True)
class Change:
    """A version as the public sees it: when it came, and the names of the fields it changed."""

    version: int
    at: datetime
    fields: Sequence[str]


def _labels(kind: str) -> dict[str, str]:
    named = {
        field.attribute or name: field.metadata["label"]
        for name, field in SCHEMAS[kind].fields.items()
    }
    keys = {"no", "source_id", "owner_uscc", "owner_name", "price_mode"}
    return {key: label for key, label in named.items() if key not in keys}


def _shown(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    place = db.session.get(Region, content["region_id"]) if content.get("region_id") else None
    texts: dict[str, Any] = dict(display.shown(kind, content))
    return texts | {"region": place.full_name if place else None}


def _revisions(listing: Listing) -> list[Revision]:
    """Versions that readers saw, newest first: not what an import staged or took back."""
    done = select(ImportRun.id).where(ImportRun.state == "done")
    query = (
        select(Revision)
        .where(
            Revision.listing_id == listing.id,
            Revision.id <= (listing.current_id or 0),
            or_(Revision.import_id.is_(None), Revision.import_id.in_(done)),
        )
        .order_by(Revision.version.desc())
        .limit(MOST)
    )
    return list(db.session.scalars(query))


def compare(actor: Actor, no: str, a: str = "", b: str = "") -> Compared:
    """Two versions of the listing of a submission, field by field.

    Args:
        a, b: version numbers, or "draft" for the edit itself; by default what the edit changes.

    Raises:
        NotFound: no such submission that the actor may know of.
    """
    row = find(actor, no)
    held = {str(one.version): one for one in _revisions(row.listing)}
    versions = [
        Version(key, f"第 {key} 版", one.created_by, one.created_at) for key, one in held.items()
    ]
    if row.state not in {"published", "discarded"}:
        versions.insert(0, Version(DRAFT, "正在修改的", row.created_by, row.updated_at))
    known = [one.key for one in versions]
    after = b if b in known else (known[0] if known else "")
    later = known[known.index(after) + 1 :] if after else []
    before = a if a in known else (later[0] if later else "")
    kind = row.kind
    texts = [_texts(kind, row, held, key) for key in (before, after)]
    return Compared(versions, before, after, differences(_labels(kind), *texts))


def changes(kind: str, listing_id: int, content: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What a content would change in what is public: label, text now, text then."""
    current = db.session.scalar(
        select(Revision)
        .join(Listing, Listing.current_id == Revision.id)
        .where(Listing.id == listing_id)
    )
    before = _shown(kind, content_of(current)) if current is not None else {}
    after = _shown(kind, content)
    found = [
        (label, said(before.get(key)), said(after.get(key))) for key, label in _labels(kind).items()
    ]
    return [one for one in found if one[1] != one[2]]


def _texts(kind: str, row: Submission, held: Mapping[str, Revision], key: str) -> dict[str, Any]:
    """What a version says; of a draft also the values that are not right yet, as typed."""
    if key in held:
        return _shown(kind, content_of(held[key]))
    if key != DRAFT:
        return {}
    content, errors = rules.load(kind, row.content)
    for name, scheme in TERM_FIELDS.items():
        if content.get(name):
            content[name], _ = terms.resolve(scheme, content[name])
    content["region_id"] = row.region_id
    found = _shown(kind, content)
    fields = rules.fields_of(kind)
    for name in errors.keys() & fields.keys():
        field = fields[name]
        found[field.attribute or field.name or name] = row.content.get(name, "")
    return found


def history(actor: Actor, kind: str, no: str) -> list[Change]:
    """When a public listing was changed and in which fields; older texts are not shown.

    What was taken out may have been taken out for a reason: only its owner and the offices see it.

    Raises:
        NotFound, Gone: as for the listing itself.
    """
    listing_id = get(actor, kind, no).id
    listing = db.session.scalar(
        select(Listing).where(Listing.id == listing_id, policy.where(actor, READ, Listing))
    )
    if listing is None:
        raise NotFound
    rows = _revisions(listing)
    labels = _labels(kind)
    texts = [_shown(kind, content_of(one)) for one in rows]
    found = []
    for number, one in enumerate(rows):
        earlier = texts[number + 1] if number + 1 < len(rows) else None
        changed = (
            [label for key, label in labels.items() if texts[number].get(key) != earlier.get(key)]
            if earlier is not None
            else []
        )
        found.append(Change(one.version, one.created_at, changed))
    return found
