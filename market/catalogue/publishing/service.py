"""What becomes of a draft: sent, signed off, reviewed, returned, published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, update

from market.catalogue.models import Listing
from market.catalogue.publishing import messages, queries, rules
from market.catalogue.publishing.attachments import move_to_listing
from market.catalogue.publishing.checking import require_complete
from market.catalogue.publishing.drafts import (
    Stale,
    begin_edit,
    create_draft,
    find,
    rebase,
    save_draft,
    set_signing,
)
from market.catalogue.publishing.models import Submission
from market.catalogue.publishing.workflow import LISTING, PUBLISHING, SENDING, SUBMISSION
from market.catalogue.rules import content_hash
from market.catalogue.service import next_version
from market.core import clock, holidays
from market.core.calendar import DueDate, add_working_days
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.messages import MessageKind, tell
from market.core.permissions import Actor
from market.core.text import clean_line, tidy_text
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.core.workflow import LONGEST_REASON, Fired, add_event, fire
from market.regions.models import Region

__all__ = [
    "Stale",
    "act",
    "begin_edit",
    "create_draft",
    "rebase",
    "save_draft",
    "set_signing",
]
MOST_NOTES = 30
CHANGED = "草稿刚刚又有修改，请打开最新内容核对后再办。"
ENDED = "这条信息已结束，不能发布修改；请先恢复公开，或放弃这次修改。"
BASE_MOVED = "公开的版本在您修改期间有了更新：请先对照两个版本，再继续送出。"


def act(
    actor: Actor,
    no: str,
    action: str,
    reason: str | None = None,
    notes: Sequence[Mapping[str, Any]] = (),
    seen: int | None = None,
) -> None:
    """Move a submission by one action of its workflow.

    Args:
        seen: the lock version that the actor looked at; None: not asked.
        notes: what is sent back: `{"field", "reason", "rule"}` each; `rule` is a key of
            `rules.RETURN_RULES` or words.

    Raises:
        NotFound: no such submission that the actor may know of.
        Denied: not his to do. Conflict: it was moved or changed meanwhile.
        Invalid: it is not complete, or a reason is missing; by field.
    """
    row = find(actor, no)
    row_id, seen = row.id, row.lock_version if seen is None else seen
    known = SUBMISSION.find(row.state, action)
    content = require_complete(row) if known and action in SENDING else {}
    returned = _notes(row.kind, notes) if action == "return" else []
    if returned and not (reason or "").strip():
        reason = _summary(row.kind, returned)
    with unit_of_work(actor) as work:
        # Locked, so that of several who act at once the second finds it moved already.
        row = db.session.get_one(Submission, row_id, with_for_update=True)
        if known is not None and row.state in known.sources:
            work.require(known.permission, row)
            if row.lock_version != seen:
                raise Conflict(CHANGED)
        # A step is a new version too: who asks for it twice learns that it was taken.
        moved = {"lock_version": Submission.lock_version + 1}
        values = moved | _values(work, row, action, content, returned)
        fired = fire(work, SUBMISSION, row, action, reason=reason, values=values)
        _tell(row, fired)


def _values(
    work: UnitOfWork,
    row: Submission,
    action: str,
    content: Mapping[str, Any],
    returned: list[dict[str, Any]],
) -> dict[str, Any]:
    """The columns that change with the state."""
    one = SUBMISSION.find(row.state, action)
    if one is None:
        return {}
    if action in PUBLISHING:
        return {"revision_id": _show(work, row, content), "notes": []}
    if one.target == "submitted":
        due = _due(row.region)
        told = {"due": due.day, "provisional": due.provisional} if due else _NO_TARGET
        return {**told, "submitted_at": clock.now(), "notes": []}
    if one.target == "returned":
        return {"notes": returned}
    return {}


_NO_TARGET = {"due": None, "provisional": False}


def _due(region: Region) -> DueDate | None:
    """The last day of the office's own target for a review; None where it has none."""
    days = queries.review_days(region.path)
    if not days:
        return None
    today = clock.today()
    entered = holidays.overrides(today, today + timedelta(days=4 * days + 30))
    return add_working_days(today, days, entered)


def _notes(kind: str, notes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is sent back, by field. Raises Invalid."""
    known = rules.fields_of(kind)
    found = []
    for number, note in enumerate(notes[:MOST_NOTES], 1):
        field, reason = str(note.get("field") or ""), tidy_text(str(note.get("reason") or ""))
        if not field and not reason:
            continue
        if field and field not in known and field not in rules.PARTS:
            raise Invalid({"notes": [f"第 {number} 条：没有「{field[:40]}」这一项。"]})
        if not reason:
            raise Invalid({"notes": [f"第 {number} 条：请写明怎么改，对方会看到。"]})
        if len(reason) > LONGEST_REASON:
            raise Invalid({"notes": [f"第 {number} 条：最多 {LONGEST_REASON} 个字。"]})
        rule = clean_line(str(note.get("rule") or ""))[:200]
        found.append({"field": field, "reason": reason, "rule": rules.RETURN_RULES.get(rule, rule)})
    return found


def _summary(kind: str, notes: Sequence[Mapping[str, Any]]) -> str:
    labels = rules.labels_of(kind)
    words = [
        f"{labels[note['field']]}：{note['reason']}" if note["field"] else note["reason"]
        for note in notes
    ]
    ended = [word.rstrip("。；") for word in words[:-1]]  # no full stop before the next one
    return "；".join([*ended, *words[-1:]])[:LONGEST_REASON]


def _show(work: UnitOfWork, row: Submission, content: Mapping[str, Any]) -> int:
    """Make the edit the version that readers see; returns the revision's id.

    What an office took down stays down until the office puts it back.
    """
    listing = db.session.get_one(Listing, row.listing_id, with_for_update=True)
    if listing.current_id != row.base_revision_id:
        raise Conflict(BASE_MOVED)
    if listing.state == "closed":  # ended while the edit waited
        raise Conflict(ENDED)
    current = listing.current
    if current is not None and current.content_hash == content_hash(content):
        revision = current
    else:
        revision = next_version(listing.id, listing.kind, content, work.actor)
    before = listing.state
    state = "taken_down" if before == "taken_down" else "published"
    db.session.execute(
        update(Listing)
        .where(Listing.id == listing.id)
        .values(
            current_id=revision.id,
            state=state,
            region_id=revision.region_id,
            folded_title=revision.folded_title,
            published_at=func.coalesce(Listing.published_at, clock.now()),
        )
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(listing)
    move_to_listing(work, row)
    note = f"第 {revision.version} 版"
    add_event(work, LISTING.name, listing.id, "publish", before=before, after=state, note=note)
    after = {"state": state, "version": revision.version, "submission": row.no}
    work.record(
        "listing.publish", "listing", listing.id, no=listing.no,
        before={"state": before}, after=after,
    )  # fmt: skip
    work.announce("listing", listing.id)
    return revision.id


def _tell(row: Submission, fired: Fired) -> None:
    """Tell those whose turn it is, or who wait for an answer."""
    values = {
        "title": row.title,
        "no": row.no,
        "by": fired.event.actor_label,
        "owner": row.owner.name,
        "due": row.due.isoformat() if row.due else "未设",
        "reason": fired.reason or "",
    }
    roles: tuple[str, ...] = ("owner", "editor")
    told: MessageKind | None = None
    url = f"/submissions/{row.no}"
    region_path: str | None = None
    organisation_id: int | None = row.organisation_id
    match fired.transition.target:
        case "signing":
            told, roles = messages.TO_SIGN, ("owner", "certifier")
        case "submitted":
            told, organisation_id, region_path = messages.TO_REVIEW, None, row.region.path
        case "returned":
            told = messages.RETURNED
        case "published":
            told = messages.PUBLISHED
            if row.listing.state == "taken_down":
                told, url = messages.KEPT_DOWN, f"/my/listings/{row.listing.no}"
    if told is not None:
        tell(
            told,
            about=(SUBMISSION.name, row.id),
            url=url,
            values=values,
            organisation_id=organisation_id,
            roles=roles if organisation_id else (),
            region_path=region_path,
            event=str(fired.event.id),
        )
