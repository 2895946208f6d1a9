"""What a batch of rows may mean: owners by code or name, listings by their keys."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import func, or_, select

from market.accounts import queries as accounts
from market.accounts.models import Organisation
from market.accounts.queries import Owner
from market.catalogue.content import KEYS
from market.catalogue.models import Listing, Revision
from market.catalogue.schemas import ListingSchema
from market.core.db import db
from market.core.identifiers import read_uscc
from market.core.sheets import Row
from market.core.text import fold, title_key

_UNSEEN = ("staged", "draft")  # never published: no row of a file means one of these


@dataclass(frozen=True)
class Existing:
    """A listing that a row may mean."""

    id: int
    no: str
    state: str
    content_hash: str | None
    current_id: int | None
    folded_title: str


class Owners:
    """The owners that a batch names."""

    def __init__(self, contents: Sequence[Mapping[str, Any]]) -> None:
        codes = {c["owner_uscc"] for c in contents if c.get("owner_uscc")}
        names = {c["owner_name"] for c in contents if c.get("owner_name")}
        self._codes: dict[str, str] = {}
        self._faults: dict[str, str] = {}
        for code in codes:
            try:
                self._codes[code] = read_uscc(code)
            except ValidationError as error:
                self._faults[code] = " ".join(str(message) for message in error.messages)
        self._by_code = accounts.owners_by_uscc(self._codes.values()) if self._codes else {}
        self._by_name = accounts.owners_by_name(names) if names else {}

    def named(self, row: Row, content: Mapping[str, Any], default: Owner | None) -> Owner | None:
        """The owner that a row names, else the default; reports what is wrong."""
        if content.get("owner_uscc"):
            owner = self.by_code(row, content["owner_uscc"])
            name = content.get("owner_name")
            if owner is not None and name and fold(name) != fold(owner.name):
                message = f"与代码不符，按代码归于「{owner.name}」。"
                row.report("owner_name", message, warning=True)
            return owner
        if content.get("owner_name"):
            return self.by_name(row, content["owner_name"])
        return default

    def by_code(self, row: Row, code: str) -> Owner | None:
        """The owner with this credit code; reports what is wrong otherwise."""
        if code in self._faults:
            row.report("owner_uscc", self._faults[code])
            return None
        owner = self._by_code.get(self._codes[code])
        if owner is None:
            row.report("owner_uscc", f"没有代码为 {self._codes[code]} 的单位，请先导入单位。")
        return owner

    def by_name(self, row: Row, name: str) -> Owner | None:
        """The one owner with this name; reports what is wrong otherwise."""
        found = self._by_name.get(fold(name), [])
        if len(found) == 1:
            return found[0]
        if found:
            row.report("owner_name", f"有 {len(found)} 家单位叫「{name[:30]}」，请填信用代码。")
        else:
            row.report("owner_name", f"没有名为「{name[:30]}」的单位，请先导入单位。")
        return None


class Numbered:
    """The owners of the listings that a batch names by public number."""

    def __init__(self, kind: str, contents: Sequence[Mapping[str, Any]]) -> None:
        self._owners: dict[str, Owner] = {}
        nos = {number_of(content) for content in contents if content.get("no")}
        if not nos:
            return
        query = (
            select(Listing.no, Listing.owner_id, Listing.region_id, Organisation.name)
            .join(Organisation, Organisation.id == Listing.owner_id)
            .where(Listing.kind == kind, Listing.state.not_in(_UNSEEN), Listing.no.in_(nos))
        )
        for no, owner_id, region_id, name in db.session.execute(query):
            self._owners[no] = Owner(owner_id, region_id, name, None)

    def owner(self, content: Mapping[str, Any]) -> Owner | None:
        """The owner of the listing with the row's number; its region is that of the listing."""
        return self._owners.get(number_of(content)) if content.get("no") else None


def number_of(content: Mapping[str, Any]) -> str:
    """A public number as the site writes it, however it was typed."""
    return unicodedata.normalize("NFKC", str(content["no"])).replace(" ", "").upper()


class Held:
    """The listings in the database that a batch may mean."""

    def __init__(self, kind: str, contents: Sequence[Mapping[str, Any]]) -> None:
        owners = {content["owner_id"] for content in contents}
        nos = {number_of(content) for content in contents if content.get("no")}
        sources = {content["source_id"] for content in contents if content.get("source_id")}
        titles = {_title(content) for content in contents}
        same_key = Listing.owner_id.in_(owners) & or_(
            Listing.source_id.in_(sources), Listing.folded_title.in_(titles)
        )
        query = (
            select(
                Listing.id,
                Listing.no,
                Listing.owner_id,
                Listing.source_id,
                Listing.folded_title,
                Listing.state,
                Listing.current_id,
                Revision.content_hash,
            )
            .outerjoin(Revision, Revision.id == Listing.current_id)
            .where(Listing.kind == kind, Listing.state.not_in(_UNSEEN))
            .where(or_(Listing.no.in_(nos), same_key) if nos else same_key)
            # Of several the published one is meant, else the newest: it comes last.
            .order_by(Listing.state == "published", Listing.id)
        )
        self._by_no: dict[str, Existing] = {}
        self._by_source: dict[tuple[int, str], Existing] = {}
        self._by_title: dict[tuple[int, str], Existing] = {}
        for key, no, owner, source, title, state, current, digest in db.session.execute(query):
            existing = Existing(key, no, state, digest, current, title)
            self._by_no[no] = existing
            if source:
                self._by_source[owner, source] = existing
            self._by_title[owner, title] = existing

    def find(self, content: Mapping[str, Any]) -> Existing | None:
        """The listing that a row means, by the first key it has."""
        if content.get("no"):
            return self._by_no.get(number_of(content))
        if content.get("source_id"):
            return self._by_source.get((content["owner_id"], content["source_id"]))
        return self.same_title(content)

    def same_title(self, content: Mapping[str, Any]) -> Existing | None:
        """A listing of the same owner with the same title."""
        return self._by_title.get((content["owner_id"], _title(content)))


def _title(content: Mapping[str, Any]) -> str:
    return title_key(content["title"])


def last_versions(ids: Sequence[int]) -> dict[int, int]:
    """The highest version of each of these listings, pending ones included."""
    query = select(Revision.listing_id, func.max(Revision.version))
    query = query.where(Revision.listing_id.in_(ids)).group_by(Revision.listing_id)
    return {row[0]: row[1] for row in db.session.execute(query)}


def keep_absent(
    schema: ListingSchema, plain: dict[str, Any], before: Mapping[str, Any], given: set[str]
) -> None:
    """Take over from the present content what the row has no column for.

    Args:
        plain: the row's content, changed in place.
        before: the present content.
        given: the columns that the row has, empty ones too.
    """
    names = {
        name: field.data_key or name for name, field in schema.fields.items() if name not in KEYS
    }
    # Mode and amounts of the price belong together.
    price = {names.pop("price"), names.pop("price_mode")}
    kept = {
        schema.fields[name].attribute or name for name, key in names.items() if key not in given
    }
    if not price & given:
        kept |= {"price_mode", "price_min_fen", "price_max_fen"}
    if "region" not in given:
        plain.pop("region_id")
        kept.add("region_id")
    for name in kept:
        if before.get(name) is not None:
            plain.setdefault(name, before[name])
