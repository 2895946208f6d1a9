"""An import whose rows become drafts: for those who do not publish on their own word.

Drafts show to their organisation at once and to nobody else. What the import made or overwrote is
noted row by row, so that it can be taken back as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, insert, literal, select, update

from market.catalogue.importer import ListingImporter
from market.catalogue.imports.models import ImportDraft
from market.catalogue.models import Listing
from market.catalogue.publishing import rules, service
from market.catalogue.publishing.models import IN_HAND, OPEN, SUBMISSION_STATES, Submission
from market.catalogue.publishing.workflow import SUBMISSION
from market.core import clock
from market.core.db import db
from market.core.importing import Checked, Options
from market.core.models import CaseEvent, WorkItem
from market.core.permissions import SYSTEM, Actor
from market.core.reading import as_text
from market.core.sheets import Row
from market.core.text import clean_text, title_key


class DraftImporter(ListingImporter):
    """Imports one file of listings as drafts; one object per import."""

    def __init__(self, kind: str, options: Options, actor: Actor) -> None:
        super().__init__(kind, options)
        self._actor = actor

    # -- checking

    def check(self, rows: Sequence[Row]) -> list[Checked]:
        """As for publishing, and with the drafts that are there."""
        checked = super().check(rows)
        fresh = [one for one in checked if one.action == "new"]
        edited = [one.existing_id for one in checked if one.action == "changed"]
        drafts = _Drafts(self.kind, fresh, [key for key in edited if key is not None])
        judged = [self._judge(one, drafts) for one in checked]
        return [one for one in judged if one is not None]

    def _judge(self, checked: Checked, drafts: _Drafts) -> Checked | None:
        if checked.action == "unchanged":
            return checked
        typed = self._typed(checked.row)
        held = drafts.of(checked)
        content = dict(checked.content) | {"typed": typed}
        if held is None:
            return replace(checked, content=content)
        if held.state not in IN_HAND:
            words = SUBMISSION_STATES[held.state]
            checked.row.report(
                "title", f"草稿 {held.no} 现在「{words}」，先取回修改，再导入这一行。"
            )
            return None
        same = rules.tidy(self.kind, typed).items() <= held.content.items()
        action = "unchanged" if same else "changed"
        return replace(checked, action=action, content=content | {"draft": held.no})

    def _typed(self, row: Row) -> dict[str, str]:
        """The row as one would type it: a form takes markup for text, so it becomes plain here."""
        typed = {
            key: as_text(value) for key, value in row.values.items() if value not in ("", None)
        }
        return {key: clean_text(text) if key in self._long else text for key, text in typed.items()}

    # -- writing

    def stage(self, run_id: int, rows: Sequence[Checked]) -> None:
        """Write the drafts. Inside a unit of work."""
        wanted = [one.existing_id for one in rows if one.existing_id is not None]
        query = select(Listing.id, Listing.no).where(Listing.id.in_(wanted))
        numbers: dict[int, str] = {key: no for key, no in db.session.execute(query)}  # noqa: C416
        for checked in rows:
            before, no = self._open(checked, numbers)
            values = checked.content["typed"]
            if no is None:
                no = service.create_draft(
                    self._actor,
                    self.kind,
                    checked.content["owner_id"],
                    values,
                    region_id=checked.content["plain"]["region_id"],
                    source="import",
                )
            else:
                version = service.find(self._actor, no).lock_version
                service.save_draft(self._actor, no, values, version)
            draft = service.find(self._actor, no)
            db.session.add(
                ImportDraft(
                    run_id=run_id,
                    submission_id=draft.id,
                    version=draft.lock_version,
                    before=before,
                )
            )

    def _open(
        self, checked: Checked, numbers: Mapping[int, str]
    ) -> tuple[dict[str, Any] | None, str | None]:
        """The draft that a row goes into, and what it holds; None and None for a new one."""
        if (no := checked.content.get("draft")) is not None:
            return dict(service.find(self._actor, no).content), no
        if checked.existing_id is None:
            return None, None
        return None, service.begin_edit(self._actor, numbers[checked.existing_id], source="import")

    def publish(self, run_id: int) -> None:
        """Nothing: drafts show to their own people only, and do so already."""

    def discard(self, run_id: int) -> bool:
        """Take back what an import that did not come to its end had written."""
        _take_back(run_id)
        return False

    def undo(self, run_id: int) -> Sequence[str]:
        """Take back all drafts, unless somebody went on with one; then name these."""
        query = (
            select(Submission.no)
            .join(ImportDraft, ImportDraft.submission_id == Submission.id)
            .where(ImportDraft.run_id == run_id)
            .where(
                (Submission.lock_version != ImportDraft.version) | Submission.state.not_in(IN_HAND)
            )
        )
        if touched := list(db.session.scalars(query.order_by(Submission.id))):
            names = "、".join(touched[:5]) + ("等" if len(touched) > 5 else "")
            return [f"{len(touched)} 份草稿已被改过或送出：{names}。"]
        _take_back(run_id)
        return []


class _Drafts:
    """The open drafts that rows may mean: of listings never published, and edits of others."""

    def __init__(self, kind: str, fresh: Sequence[Checked], edited: Sequence[int]) -> None:
        owners = {one.content["owner_id"] for one in fresh}
        never = select(Submission, Listing.source_id, Listing.folded_title)
        never = never.join(Listing, Listing.id == Submission.listing_id).where(
            Listing.kind == kind, Listing.state == "draft", Listing.owner_id.in_(owners)
        )
        self._sources: dict[tuple[int, str], Submission] = {}
        self._titles: dict[tuple[int, str], Submission] = {}
        for draft, source, title in db.session.execute(never.where(Submission.state.in_(OPEN))):
            if source:
                self._sources[draft.organisation_id, source] = draft
            else:
                self._titles[draft.organisation_id, title] = draft
        edits = select(Submission).where(
            Submission.listing_id.in_(edited), Submission.state.in_(OPEN)
        )
        self._edits = {draft.listing_id: draft for draft in db.session.scalars(edits)}

    def of(self, checked: Checked) -> Submission | None:
        """The open draft that a row means."""
        if checked.existing_id is not None:
            return self._edits.get(checked.existing_id)
        owner, source = checked.content["owner_id"], checked.content.get("source_id")
        if source:
            return self._sources.get((owner, source))
        return self._titles.get((owner, title_key(checked.content["plain"]["title"])))


def _take_back(run_id: int) -> None:
    """Discard the drafts an import began, restore those it wrote into, in a few statements.

    Beside `fire`, since two thousand drafts go in one transaction that must stay short.
    """
    own = ImportDraft.run_id == run_id
    begun = select(ImportDraft.submission_id).where(own, ImportDraft.before.is_(None))
    now = clock.now()
    events = select(
        literal(SUBMISSION.name),
        Submission.id,
        literal("discard"),
        Submission.state,
        literal("discarded"),
        literal("撤销批量导入"),
        literal(SYSTEM.kind),
        literal(SYSTEM.label),
        literal(now, CaseEvent.at.type),
    ).where(Submission.id.in_(begun), Submission.state.in_(IN_HAND))
    columns = [
        "kind", "object_id", "action", "before", "after", "note", "actor_kind", "actor_label", "at",
    ]  # fmt: skip
    db.session.execute(insert(CaseEvent).from_select(columns, events))
    db.session.execute(
        delete(WorkItem).where(WorkItem.kind == SUBMISSION.name, WorkItem.object_id.in_(begun))
    )
    gone = {"state": "discarded", "updated_at": now}
    still = (Submission.id.in_(begun), Submission.state.in_(IN_HAND))
    _bulk(update(Submission).where(*still).values(gone))
    wrote = select(ImportDraft.submission_id, ImportDraft.before).where(
        own, ImportDraft.before.is_not(None)
    )
    for key, before in db.session.execute(wrote).all():
        _bulk(
            update(Submission)
            .where(Submission.id == key, Submission.state.in_(IN_HAND))
            .values(
                content=before,
                title=rules.title_of(before),
                lock_version=Submission.lock_version + 1,
                updated_at=now,
            )
        )
    db.session.execute(delete(ImportDraft).where(own))


def _bulk(statement: Any) -> None:
    db.session.execute(statement.execution_options(synchronize_session=False))
