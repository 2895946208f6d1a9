"""Reading submissions: where one stands, what was returned, what its reader may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from market.catalogue.models import KINDS, OUTCOMES, ReviewTarget
from market.catalogue.publishing import policies, rules
from market.catalogue.publishing.attachments import files_of_edit
from market.catalogue.publishing.drafts import find
from market.catalogue.publishing.hints import Hint, hints
from market.catalogue.publishing.models import (
    FOR_OTHERS,
    IN_HAND,
    OPEN,
    SOURCES,
    SUBMISSION_STATES,
    Submission,
)
from market.catalogue.publishing.workflow import SUBMISSION, UNTITLED
from market.catalogue.queries import PATHS
from market.core import clock
from market.core.db import db
from market.core.models import CaseEvent, StoredFile
from market.core.money import format_yuan
from market.core.permissions import Actor, policy
from market.core.workflow import Transition, timeline
from market.regions.models import path_ids

MOST_EXPORTED = 1_000  # the newest


@dataclass(frozen=True)
class NoteView:
    """One thing that was sent back."""

    field: str
    label: str
    reason: str
    rule: str


@dataclass(frozen=True)
class SubmissionView:
    """A submission with all that its reader may see and do.

    typed: texts by field, as typed. base_moved: what is published changed since the edit began.
    """

    id: int
    no: str
    kind: str
    title: str
    state: str
    source: str
    typed: Mapping[str, str]
    owner_no: str
    owner_name: str
    others: bool
    region_name: str
    listing_no: str
    listing_state: str
    created_by: str
    cleared: bool
    cleared_no: str | None
    cleared_by: str | None
    notes: Sequence[NoteView]
    lock_version: int
    created: datetime
    updated: datetime
    submitted: datetime | None
    due: date | None
    provisional: bool
    next_step: str
    editable: bool
    signs_inside: bool
    alone: bool
    base_moved: bool
    actions: Sequence[Transition]
    events: Sequence[CaseEvent]
    files: Sequence[StoredFile]

    @property
    def url(self) -> str:
        return f"/submissions/{self.no}"

    @property
    def for_others(self) -> bool:
        """Whether an officer typed it for a caller: whoever sends it has not done the review."""
        return self.source in FOR_OTHERS

    @property
    def clearance(self) -> str:
        """What is ticked before it goes."""
        return rules.CLEARED_FOR_OTHERS if self.for_others else rules.CLEARED_BY_OWNER

    @property
    def hints(self) -> Sequence[Hint]:
        """What writer and reviewer should look at again, while it is not out."""
        return hints(self.kind, self.typed) if self.state in OPEN else ()

    @property
    def kind_label(self) -> str:
        return KINDS[self.kind]

    @property
    def state_label(self) -> str:
        if self.state == "published" and self.listing_state == "taken_down":
            return "已通过，仍在下架"
        return SUBMISSION_STATES[self.state]

    @property
    def source_label(self) -> str:
        return SOURCES[self.source]

    @property
    def listing_url(self) -> str:
        return f"/{PATHS[self.kind]}/{self.listing_no}"

    @property
    def was_published(self) -> bool:
        return self.listing_state != "draft"

    @property
    def waited(self) -> str:
        """How long a review without a due date has waited, in words; empty where that is nothing to say."""
        if self.state != "submitted" or self.due is not None or self.submitted is None:
            return ""
        days = (clock.today() - clock.local(self.submitted).date()).days
        return f"没有设审核目标，提交后已过 {days} 天"

    @property
    def late(self) -> bool:
        return self.due is not None and self.due < clock.today()


def submission(actor: Actor, no: str) -> SubmissionView:
    """A submission by its number, with its timeline and what the actor may do.

    Raises:
        NotFound: there is none that he may know of.
    """
    row = find(actor, no)
    item = SUBMISSION.item(row)
    listing = row.listing
    return SubmissionView(
        id=row.id,
        no=row.no,
        kind=listing.kind,
        title=row.title or UNTITLED,
        state=row.state,
        source=row.source,
        typed=row.content,
        owner_no=row.owner.no,
        owner_name=row.owner.name,
        others=row.organisation_id not in actor.organisations(),
        region_name=row.region.full_name,
        listing_no=listing.no,
        listing_state=listing.state,
        created_by=row.created_by,
        cleared=row.cleared,
        cleared_no=row.cleared_no,
        cleared_by=row.cleared_by,
        notes=_notes(listing.kind, row.notes),
        lock_version=row.lock_version,
        created=row.created_at,
        updated=row.updated_at,
        submitted=row.submitted_at,
        due=row.due if row.state == "submitted" else None,
        provisional=row.provisional,
        next_step=item.next_step if item else "",
        editable=row.state in IN_HAND and policy.allows(actor, policies.EDIT, row),
        signs_inside=row.owner.signs_inside,
        alone=row.state == "signing" and row.authors == [actor.id],
        base_moved=row.state in OPEN and listing.current_id != row.base_revision_id,
        actions=SUBMISSION.actions(actor, row),
        events=timeline(SUBMISSION.name, row.id),
        files=files_of_edit(row),
    )


def _notes(kind: str, notes: Sequence[Mapping[str, Any]]) -> list[NoteView]:
    labels = rules.labels_of(kind)
    return [
        NoteView(one["field"], labels.get(one["field"], "全文"), one["reason"], one["rule"])
        for one in notes
    ]


def review_days(path: str) -> int:
    """The working days that the nearest office with a target of its own set itself; 0: none.

    Args:
        path: of the region in which the case lies.
    """
    depth = {key: number for number, key in enumerate(path_ids(path))}
    query = select(ReviewTarget.region_id, ReviewTarget.days).where(
        ReviewTarget.region_id.in_(depth)
    )
    found = {depth[key]: days for key, days in db.session.execute(query)}
    return found[max(found)] if found else rules.REVIEW_DAYS


def of_person(person_id: int) -> dict[str, list[dict[str, Any]]]:
    """What a person began to fill in, as it stands, for the export of his own data."""
    query = select(Submission).where(Submission.person_id == person_id)
    return {
        "填写的成果与需求": [
            {
                "编号": one.no,
                "名称": one.title,
                "单位": one.owner.name,
                "来源": SOURCES[one.source],
                "状态": SUBMISSION_STATES[one.state],
                "内容": one.content,
                "保密审查人": one.cleared_by,
                **_ended(one),
                "时间": one.created_at.isoformat(),
            }
            for one in db.session.scalars(query.order_by(Submission.id.desc()).limit(MOST_EXPORTED))
        ]
    }


def _ended(one: Submission) -> dict[str, Any]:
    """How a demand ended: an amount that nobody told is empty."""
    listing = one.listing
    if listing is None or listing.outcome is None:
        return {}
    fen = listing.outcome_fen
    return {
        "结果": OUTCOMES[listing.outcome],
        "与哪家单位": listing.outcome_with,
        "金额（元）": None if fen is None else format_yuan(fen),
    }
