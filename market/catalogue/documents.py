"""What is searchable of a listing, and the card a result list shows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from market.accounts.models import Organisation
from market.catalogue import queries, terms
from market.catalogue.content import content_of
from market.catalogue.importer import IMPORT_EVENT
from market.catalogue.models import Listing, Revision
from market.catalogue.terms import scheme
from market.core import clock
from market.core.db import db
from market.core.ports import Searchable
from market.regions import queries as regions
from search_index import Document, IndexSchema

# The order is that of reasons and highlights on a result.
PARTS = (
    "problem",
    "result",
    "summary",
    "keywords",
    "targets",
    "advantage",
    "background",
    "use",
    "adoption",
    "owner",
    "place",
    "terms",
)
SCHEMA = IndexSchema(
    filters=(
        "kind",
        "region",
        "field",
        "industry",
        "stage",
        "mode",
        "owner",
        "owner_kind",
        "discipline",
    ),
    numbers=("date", "price"),
    parts=PARTS,
)
BATCH = 500
# Fields whose text makes up a part.
_MERGED = {
    "use": (
        "equipment",
        "site",
        "throughput",
        "licences",
        "terms",
        "royalty",
        "suitable_region",
        "limits",
        "existing",
        "solver_requirements",
    ),
}


def load(ids: Sequence[int]) -> dict[int, Document]:
    """Documents of published listings."""
    query = (
        select(Listing)
        .where(Listing.id.in_(ids), Listing.state == "published")
        .options(joinedload(Listing.owner), joinedload(Listing.region), joinedload(Listing.current))
    )
    rows = db.session.scalars(query).all()
    names = regions.short_names(key for row in rows for key in row.region.path_ids)
    return {row.id: _document(row, names) for row in rows}


def _document(listing: Listing, names: Mapping[int, tuple[str, str]]) -> Document:
    revision, owner = listing.current, listing.owner
    assert revision is not None
    content = content_of(revision)
    shown = queries.shown(listing.kind, content)
    trail = [names[key][1] for key in listing.region.path_ids if key in names]
    return Document(
        key=f"listing:{listing.id}",
        version=version(revision.id, owner.lock_version),
        title=revision.title,
        parts=_parts(content, shown, owner.name, trail),
        names=(owner.name,),
        codes=_codes(listing, content, owner.uscc),
        phrases=tuple(content.get("keywords") or ()),
        filters=_filters(listing, content, owner.kind),
        numbers=_numbers(listing, content),
        stored=_card(listing, revision, shown, owner.name, trail),
    )


def version(revision_id: int, owner_version: int) -> str:
    """Changes whenever the document does."""
    return f"{revision_id}.{owner_version}"


def _joined(value: Any) -> str:
    return "；".join(value) if isinstance(value, list) else str(value)


def _parts(
    content: Mapping[str, Any], shown: Mapping[str, Any], owner: str, trail: Sequence[str]
) -> dict[str, str]:
    parts = {name: _joined(shown[name]) for name in PARTS if name in shown and name != "terms"}
    for name, keys in _MERGED.items():
        text = "。".join(_joined(shown[key]) for key in keys if key in shown)
        if text:
            parts[name] = text
    labels = [_joined(shown[k]) for k in ("fields", "industries", "disciplines") if k in shown]
    if labels:
        parts["terms"] = "；".join(labels)
    return parts | {"owner": owner, "place": " ".join(trail)}


def _codes(listing: Listing, content: Mapping[str, Any], uscc: str | None) -> tuple[str, ...]:
    found = [listing.no, uscc, listing.source_id]
    found += [item["number"] for item in content.get("ip") or ()]
    found += [
        content.get(key)
        for key in ("variety_approval_no", "variety_right_no", "registration_no", "evaluation_no")
    ]
    return tuple(code for code in found if code)


def _filters(
    listing: Listing, content: Mapping[str, Any], owner_kind: str
) -> dict[str, Sequence[str]]:
    known = scheme("industry")
    industries = [code for code in content.get("industries") or () if code in known.labels]
    return {
        "kind": [listing.kind],
        "region": [str(key) for key in listing.region.path_ids],
        "field": _coded("field", content.get("fields")),
        "industry": [*industries, *{code[0] for code in industries if len(code) > 1}],
        "stage": [content["stage"]] if content.get("stage") else [],
        "mode": content.get("transfer_modes") or content.get("cooperation_modes") or [],
        "owner": [str(listing.owner_id)],
        "owner_kind": [owner_kind],
        "discipline": _coded("discipline", content.get("disciplines")),
    }


def _coded(name: str, values: Sequence[str] | None) -> list[str]:
    """Only codes of the list filter; words kept as text do not."""
    known = terms.scheme(name).labels
    return [value for value in values or () if value in known]


def _numbers(listing: Listing, content: Mapping[str, Any]) -> dict[str, int]:
    published = listing.published_at or listing.created_at
    found = {"date": int(published.timestamp())}
    if content.get("price_min_fen") is not None:
        found["price"] = content["price_min_fen"]
    return found


def _card(
    listing: Listing,
    revision: Revision,
    shown: Mapping[str, Any],
    owner: str,
    trail: Sequence[str],
) -> dict[str, Any]:
    """What a result list shows, so that it needs no SQL."""
    best = shown.get("result") or (shown.get("targets") or [""])[0]
    return {
        "kind": listing.kind,
        "no": listing.no,
        "title": revision.title,
        "problem": _first(shown.get("problem") or revision.summary, 80),
        "best": _first(best, 80),
        "stage": revision.stage,
        "price": shown.get("price"),
        "modes": shown.get("transfer_modes") or shown.get("cooperation_modes") or [],
        "region": " · ".join(trail),
        "region_code": listing.region.code,
        "owner": owner,
        "date": clock.local(listing.published_at or listing.created_at).date().isoformat(),
        "deadline": shown.get("deadline"),
        "valid_until": shown.get("valid_until"),
        "trial": shown.get("trial") == "是",
        "demo": listing.demo,
    }


def _first(text: str, longest: int) -> str:
    line = text.split("\n", 1)[0]
    return line if len(line) <= longest else line[: longest - 1] + "…"


def batches() -> Iterator[Sequence[int]]:
    """Ids of all published listings, in batches in order of id."""
    yield from _ids(Listing.state == "published")


def of_import(run_id: int) -> Iterator[Sequence[int]]:
    """Ids of the listings that an import touched."""
    touched = select(Revision.listing_id).where(Revision.import_id == run_id)
    yield from _ids(Listing.id.in_(touched))


def of_organisation(organisation_id: int) -> Iterator[Sequence[int]]:
    """Ids of an owner's listings."""
    yield from _ids(Listing.owner_id == organisation_id)


def _ids(condition: Any) -> Iterator[Sequence[int]]:
    last = 0
    while True:
        query = select(Listing.id).where(condition, Listing.id > last)
        ids = list(db.session.scalars(query.order_by(Listing.id).limit(BATCH)))
        db.session.rollback()  # no reading transaction stays open while the engine works
        if not ids:
            return
        yield ids
        last = ids[-1]


def versions() -> Iterator[tuple[str, str]]:
    """Key and version of every document that there should be."""
    query = (
        select(Listing.id, Listing.current_id, Organisation.lock_version)
        .join(Listing.owner)
        .where(Listing.state == "published")
        .order_by(Listing.id)
    )
    for key, revision, owner in db.session.execute(query).yield_per(5000):
        yield f"listing:{key}", version(revision or 0, owner)


SEARCHABLE = Searchable(
    "listing",
    SCHEMA,
    load,
    batches,
    versions,
    {IMPORT_EVENT: of_import, "organisation": of_organisation},
)
