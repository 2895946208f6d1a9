"""What is searchable of a listing, and the card a result list shows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select

from market.accounts.models import Organisation
from market.catalogue import display, naming, rules, terms
from market.catalogue.content import TYPED, content_of
from market.catalogue.importer import IMPORT_EVENT
from market.catalogue.leading import Leading
from market.catalogue.leading import current as current_leading
from market.catalogue.models import Listing, Revision
from market.core import clock
from market.core.db import db
from market.core.ports import Searchable
from market.regions import queries as regions
from market.regions.models import Region, path_ids
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
        "call",
        "region",
        "field",
        "industry",
        "stage",
        "mode",
        "owner",
        "owner_kind",
        "discipline",
        "leading",
        "price_band",
        "published",
    ),
    numbers=("date", "price"),
    parts=PARTS,
)
BATCH = 500
# Fields in which the keywords of leading industries are looked for.
_OF_INDUSTRIES = ("title", "keywords", "problem", "summary")
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


_COLUMNS = (
    Listing.id,
    Listing.no,
    Listing.kind,
    Listing.source_id,
    Listing.owner_id,
    Listing.demo,
    Listing.created_at,
    Listing.published_at,
    Listing.call_until,
    Revision.id.label("revision_id"),
    Revision.details,
    *(getattr(Revision, name) for name in TYPED),
    Organisation.name.label("owner"),
    Organisation.uscc.label("owner_uscc"),
    Organisation.kind.label("owner_kind"),
    Organisation.lock_version.label("owner_version"),
    Region.code.label("region_code"),
    Region.path.label("region_path"),
    Region.full_name.label("region_full_name"),
)


def load(ids: Sequence[int]) -> dict[int, Document]:
    """Documents of published listings. Columns rather than objects: it is read by the thousand."""
    query = (
        select(*_COLUMNS)
        .join(Revision, Revision.id == Listing.current_id)
        .join(Organisation, Organisation.id == Listing.owner_id)
        .join(Region, Region.id == Listing.region_id)
        .where(Listing.id.in_(ids), Listing.state == "published")
    )
    rows = db.session.execute(query).all()
    paths = {row.region_path: path_ids(row.region_path) for row in rows}
    names = regions.short_names(key for path in paths.values() for key in path)
    leading = current_leading()
    return {row.id: _document(row, paths[row.region_path], names, leading) for row in rows}


def _document(
    row: Any,
    region_ids: Sequence[int],
    names: Mapping[int, tuple[str, str]],
    leading: Leading,
) -> Document:
    content = content_of(row)
    shown = display.shown(row.kind, content)
    trail = [names[key][1] for key in region_ids if key in names]
    owner, hidden = row.owner, naming.hides(content)
    if hidden:
        owner = naming.neutral_name(content, row.owner_kind, row.region_full_name)
        content, shown = naming.without_telling(content), naming.without_telling(shown)
    return Document(
        key=f"listing:{row.id}",
        version=version(row.revision_id, row.owner_version, row.call_until),
        title=row.title,
        parts=_parts(content, shown, owner, trail),
        names=() if hidden else (owner,),
        codes=_codes(row, content, hidden),
        phrases=tuple(content.get("keywords") or ()),
        filters=_filters(row, content, region_ids, leading, hidden),
        numbers=_numbers(row, content),
        stored=_card(row, shown, trail, owner),
    )


def version(revision_id: int, owner_version: int, call_until: date | None) -> str:
    """Changes whenever the document does."""
    called = f".{call_until:%Y%m%d}" if call_until else ""
    return f"{revision_id}.{owner_version}{called}"


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


def _codes(row: Any, content: Mapping[str, Any], hidden: bool) -> tuple[str, ...]:
    found = [row.no] if hidden else [row.no, row.owner_uscc, row.source_id]
    found += [item["number"] for item in content.get("ip") or ()]
    found += [
        content.get(key)
        for key in ("variety_approval_no", "variety_right_no", "registration_no", "evaluation_no")
    ]
    return tuple(code for code in found if code)


def _filters(
    row: Any,
    content: Mapping[str, Any],
    region_ids: Sequence[int],
    leading: Leading,
    hidden: bool,
) -> dict[str, Sequence[str]]:
    return {
        "kind": [row.kind],
        "call": ["open"] if row.call_until else [],
        # With a sign before it: the very place, as apart from all that lies around it.
        "region": [*(str(key) for key in region_ids), f"={region_ids[-1]}"],
        "field": _coded("field", content.get("fields")),
        "industry": _with_parents("industry", content.get("industries")),
        "stage": [content["stage"]] if content.get("stage") else [],
        "mode": content.get("transfer_modes") or content.get("cooperation_modes") or [],
        # Its owner's own page and counts must not give it away.
        "owner": [] if hidden else [str(row.owner_id)],
        "owner_kind": [row.owner_kind],
        "discipline": _coded("discipline", content.get("disciplines")),
        "leading": leading.values_of(
            [_joined(content[key]) for key in _OF_INDUSTRIES if content.get(key)]
        ),
        "price_band": rules.price_bands(
            row.price_mode, content.get("price_min_fen"), content.get("price_max_fen")
        ),
        "published": _calendar(clock.local(row.published_at or row.created_at).date()),
    }


def _calendar(day: date) -> list[str]:
    """Year, month and day, so that any span of time is a few exact values of this filter."""
    text = day.isoformat()
    return [text[:4], text[:7], text]


def _with_parents(name: str, values: Sequence[str] | None) -> list[str]:
    """Codes of the list with all that lie above them."""
    parents = terms.scheme(name).parents
    found: dict[str, None] = {}
    for value in _coded(name, values):
        code: str | None = value
        while code and code not in found:
            found[code] = None
            code = parents.get(code)
    return list(found)


def _coded(name: str, values: Sequence[str] | None) -> list[str]:
    """Only codes of the list filter; words kept as text do not."""
    known = terms.scheme(name).labels
    return [value for value in values or () if value in known]


def _numbers(row: Any, content: Mapping[str, Any]) -> dict[str, int]:
    published = row.published_at or row.created_at
    found = {"date": int(published.timestamp())}
    if content.get("price_min_fen") is not None:
        found["price"] = content["price_min_fen"]
    return found


def _card(row: Any, shown: Mapping[str, Any], trail: Sequence[str], owner: str) -> dict[str, Any]:
    """What a result list shows, so that it needs no SQL."""
    best = shown.get("result") or (shown.get("targets") or [""])[0]
    return {
        "kind": row.kind,
        "no": row.no,
        "title": row.title,
        "problem": _first(shown.get("problem") or row.summary, 80),
        "best": _first(best, 80),
        "stage": row.stage,
        "price": shown.get("price"),
        "modes": shown.get("transfer_modes") or shown.get("cooperation_modes") or [],
        "region": " · ".join(trail),
        "region_code": row.region_code,
        "owner": owner,
        "date": clock.local(row.published_at or row.created_at).date().isoformat(),
        "deadline": shown.get("deadline"),
        "call_until": row.call_until.isoformat() if row.call_until else None,
        "valid_until": shown.get("valid_until"),
        "trial": shown.get("trial") == "是",
        "demo": row.demo,
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


def count() -> int:
    """How many documents there should be."""
    query = select(func.count()).select_from(Listing).where(Listing.state == "published")
    return db.session.scalar(query) or 0


def versions() -> Iterator[tuple[str, str]]:
    """Key and version of every document that there should be."""
    query = (
        select(Listing.id, Listing.current_id, Organisation.lock_version, Listing.call_until)
        .join(Listing.owner)
        .where(Listing.state == "published")
        .order_by(Listing.id)
    )
    for key, revision, owner, called in db.session.execute(query).yield_per(5000):
        yield f"listing:{key}", version(revision or 0, owner, called)


SEARCHABLE = Searchable(
    "listing",
    SCHEMA,
    load,
    batches,
    versions,
    {IMPORT_EVENT: of_import, "organisation": of_organisation},
)
