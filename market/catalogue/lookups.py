"""What a batch of rows may mean: owners by code or name, listings by their keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from market.accounts import queries as accounts
from market.accounts.queries import Owner
from market.accounts.schemas import read_uscc
from market.catalogue.models import Listing, Revision
from market.core.db import db
from market.core.sheets import Row
from market.core.text import fold


@dataclass(frozen=True)
class Existing:
    """A listing that a row may mean."""

    id: int
    no: str
    state: str
    content_hash: str | None
    last_version: int


class Owners:
    """The owners that a batch names."""

    def __init__(self, contents: Sequence[Mapping[str, Any]]) -> None:
        codes = [c["owner_uscc"] for c in contents if c.get("owner_uscc")]
        names = [c["owner_name"] for c in contents if c.get("owner_name")]
        self._codes: dict[str, str] = {}
        self._faults: dict[str, str] = {}
        for code in codes:
            try:
                self._codes[code] = read_uscc(code)
            except ValidationError as error:
                self._faults[code] = " ".join(str(message) for message in error.messages)
        self._by_code = accounts.owners_by_uscc(self._codes.values()) if self._codes else {}
        self._by_name = accounts.owners_by_name(names) if names else {}

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


class Held:
    """The listings in the database that a batch may mean."""

    def __init__(self, kind: str, contents: Sequence[Mapping[str, Any]]) -> None:
        owners = {content["owner_id"] for content in contents}
        nos = {content["no"] for content in contents if content.get("no")}
        sources = {content["source_id"] for content in contents if content.get("source_id")}
        titles = {fold(content["title"])[:300] for content in contents}
        versions = aliased(Revision)
        last = (
            select(func.max(versions.version))
            .where(versions.listing_id == Listing.id)
            .correlate(Listing)
            .scalar_subquery()
        )
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
                Revision.content_hash,
                last,
            )
            .outerjoin(Revision, Revision.id == Listing.current_id)
            .where(Listing.kind == kind, Listing.state != "staged")
            .where(or_(Listing.no.in_(nos), same_key) if nos else same_key)
        )
        self._by_no: dict[str, Existing] = {}
        self._by_source: dict[tuple[int, str], Existing] = {}
        self._by_title: dict[tuple[int, str], Existing] = {}
        for key, no, owner, source, title, state, digest, version in db.session.execute(query):
            existing = Existing(key, no, state, digest, version or 0)
            self._by_no[no] = existing
            if source:
                self._by_source[owner, source] = existing
            self._by_title[owner, title] = existing

    def find(self, content: Mapping[str, Any]) -> Existing | None:
        """The listing that a row means, by the first key it has."""
        if content.get("no"):
            return self._by_no.get(content["no"])
        if content.get("source_id"):
            return self._by_source.get((content["owner_id"], content["source_id"]))
        return self._by_title.get((content["owner_id"], fold(content["title"])[:300]))
