"""Taking back an import of listings, also when some were changed since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import aliased

from market.catalogue.models import Listing, Revision
from market.core.db import db
from market.core.models import ImportRun


@dataclass(frozen=True)
class Since:
    """Numbers of what was changed after an import that is to be undone.

    added: new in it, so withdrawn with it. changed: others, which keep their present content.
    """

    added: Sequence[str]
    changed: Sequence[str]

    @property
    def sentences(self) -> list[str]:
        """What a person is told of it."""
        found = []
        if self.added:
            names = _named(self.added)
            found.append(f"新增的有 {len(self.added)} 条后来又改过，也已撤回：{names}。")
        if self.changed:
            names = _named(self.changed)
            found.append(f"更新的有 {len(self.changed)} 条后来又改过，保持现在的内容：{names}。")
        return found


def _named(numbers: Sequence[str], most: int = 5) -> str:
    rest = " 等" if len(numbers) > most else ""
    return "、".join(numbers[:most]) + rest


def changed_since(run_id: int) -> Since:
    """What of an import was changed after it, by an edit or another import."""
    of_import = select(Revision.id).where(Revision.import_id == run_id)
    query = (
        select(Listing.no, Listing.import_id)
        .join(Revision, Revision.listing_id == Listing.id)
        .where(
            Revision.import_id == run_id,
            Listing.state == "published",
            Listing.current_id > Revision.id,
            Listing.current_id.not_in(of_import),
        )
        .order_by(Listing.id)
    )
    rows = [(no, first == run_id) for no, first in db.session.execute(query)]
    return Since([no for no, new in rows if new], [no for no, new in rows if not new])


def take_back(run_id: int) -> None:
    """Withdraw new listings; point changed ones at the version before. In a unit of work."""
    db.session.execute(
        update(Listing)
        .where(Listing.import_id == run_id, Listing.state == "published")
        .values(state="withdrawn")
    )
    # The version before is not one that an import brought and its undoing took away.
    undone = select(ImportRun.id).where(ImportRun.state == "undone")
    older = aliased(Revision)
    last = (
        select(func.max(older.id))
        .where(
            older.listing_id == Listing.id,
            older.id < Listing.current_id,
            or_(older.import_id.is_(None), older.import_id.not_in(undone)),
        )
        .correlate(Listing)
        .scalar_subquery()
    )
    of_import = select(Revision.id).where(Revision.import_id == run_id)
    db.session.execute(
        update(Listing)
        .where(
            Listing.current_id.in_(of_import),
            Listing.import_id.is_distinct_from(run_id),
            Revision.listing_id == Listing.id,
            Revision.id == last,
        )
        .values(
            current_id=Revision.id,
            region_id=Revision.region_id,
            folded_title=Revision.folded_title,
        )
        .execution_options(synchronize_session=False)
    )
