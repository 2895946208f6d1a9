"""Drafts: begun, typed into by several hands, given up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from market.accounts.models import Organisation
from market.accounts.roles import OFFICES
from market.catalogue.content import content_of, file_row
from market.catalogue.importer import SERIES
from market.catalogue.models import KINDS, Listing
from market.catalogue.publishing import policies, rules
from market.catalogue.publishing.models import IN_HAND, OPEN, SOURCES, Submission
from market.catalogue.publishing.workflow import SUBMISSION
from market.catalogue.service import EDIT as EDIT_LISTING
from market.core import clock, numbers
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.permissions import Actor, policy
from market.core.reading import as_text
from market.core.text import title_key
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.core.workflow import add_event, begin, show_on_desks
from market.regions.models import Region
from market.regions.queries import Resolver

CASE_SERIES = "FB"  # those of earlier releases begin with TJ, as dispatches do, and keep it
_CLEARANCE = ("cleared", "cleared_no", "cleared_by")


class Stale(Conflict):
    """Somebody else saved this draft meanwhile; nothing of either version is lost."""

    def __init__(self, lock_version: int) -> None:
        super().__init__("这份草稿刚在别处改过：两个版本都在下面，请核对后再保存。")
        self.lock_version = lock_version


def find(actor: Actor, no: str, permission: str = policies.READ) -> Submission:
    """The submission with this number, of those the actor has the permission for.

    Raises:
        NotFound: there is none that he may know of.
    """
    seen = (Submission.no == no, policy.where(actor, permission, Submission))
    row = db.session.scalar(select(Submission).where(*seen))
    if row is None:
        raise NotFound(f"没有编号为 {no} 的提交。")
    return row


def create_draft(
    actor: Actor,
    kind: str,
    owner_id: int,
    values: Mapping[str, Any],
    *,
    region_id: int,
    source: str = "web",
) -> str:
    """Begin a new achievement or demand, as unfinished as it may be; returns the submission's no.

    Args:
        kind: "achievement" or "demand".
        owner_id: the organisation whose it will be.
        values: texts as typed, by field; `source_id` for what came by a file.
        region_id: where it lies; an officer may only enter for callers of his own area.
        source: how it came; one of `models.SOURCES`.

    Raises:
        Denied: the actor neither edits for the owner nor, for a caller, looks after the place.
        Invalid: more text than a draft may hold, or an unknown kind.
        NotFound: no such organisation or region.
    """
    if kind not in KINDS:
        raise Invalid({"kind": ["请选科技成果或技术需求。"]})
    _known_source(source)
    typed = rules.tidy(kind, values)
    place = db.session.get(Region, region_id)
    owner = db.session.get(Organisation, owner_id)
    if place is None or owner is None:
        raise NotFound("没有这个单位或地区。")
    _may_speak_for(actor, owner)
    typed.setdefault("region", place.full_name)
    source_id = as_text(values.get("source_id") or "")[:100] or None
    with unit_of_work(actor) as work:
        listing = _new_listing(kind, owner_id, region_id, typed, source_id)
        return _new_submission(work, listing, typed, values, region_id, source).no


def _may_speak_for(actor: Actor, owner: Organisation) -> None:
    """An officer enters for firms of his own area, not for those of others nor for other offices.

    Raises:
        Invalid: the organisation lies elsewhere, or is an office.
    """
    if actor.kind == "system" or owner.id in actor.organisations():
        return
    near = any((owner.area_path or "").startswith(area) for area in actor.areas(*OFFICES))
    if actor.areas(*OFFICES) and (not near or owner.kind == "office"):
        sentence = "这家单位登记在别的地区，或是别的部门：请它自己发布，或由它所在地代录。"
        raise Invalid({"uscc": [sentence]})


def _known_source(source: str) -> None:
    if source not in SOURCES:
        raise Invalid({"source": ["请选这条内容是怎样来的。"]})


def _new_listing(
    kind: str, owner_id: int, region_id: int, typed: Mapping[str, str], source_id: str | None
) -> Listing:
    series = f"{SERIES[kind]}{clock.today().year}"
    listing = Listing(
        no=f"{series}{numbers.take(series)[0]:06d}",
        kind=kind,
        owner_id=owner_id,
        region_id=region_id,
        folded_title=title_key(rules.title_of(typed)),
        source_id=source_id,
        state="draft",
        demo=db.session.get_one(Organisation, owner_id).demo,
        created_at=clock.now(),
    )
    db.session.add(listing)
    db.session.flush()
    return listing


def _new_submission(
    work: UnitOfWork,
    listing: Listing,
    typed: dict[str, str],
    values: Mapping[str, Any],
    region_id: int,
    source: str,
) -> Submission:
    actor, now = work.actor, clock.now()
    series = f"{CASE_SERIES}{clock.today().year}"
    row = Submission(
        no=f"{series}{numbers.take(series)[0]:06d}",
        listing_id=listing.id,
        organisation_id=listing.owner_id,
        region_id=region_id,
        state="draft",
        title=rules.title_of(typed),
        content=typed,
        base_revision_id=listing.current_id,
        source=source,
        person_id=actor.id if actor.kind == "person" else None,
        created_by=actor.label,
        authors=_with_author([], actor),
        notes=[],
        created_at=now,
        updated_at=now,
        **clearance_of(values),
    )
    db.session.add(row)
    db.session.flush()
    work.require(policies.CREATE, row)
    begin(work, SUBMISSION, row)
    return row


def _with_author(authors: list[int], actor: Actor) -> list[int]:
    if actor.kind != "person" or actor.id is None or actor.id in authors:
        return authors
    return [*authors, actor.id]


def clearance_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Tick, number and name of the confidentiality review, as far as they were given."""
    given: dict[str, Any] = {}
    if "cleared" in values:
        given["cleared"] = values["cleared"] in {True, "1", "true", "是"}
    if "cleared_no" in values:
        given["cleared_no"] = as_text(values["cleared_no"] or "").strip()[:100] or None
    if "cleared_by" in values:
        given["cleared_by"] = as_text(values["cleared_by"] or "").strip()[:60] or None
    return given


def begin_edit(actor: Actor, listing_no: str, *, source: str = "web") -> str:
    """Begin an edit of a listing, or go on with the open one; returns the submission's no.

    The published version stays as it is until the edit is published.

    Args:
        source: how the change came; an officer edits others' listings for callers only.

    Raises:
        NotFound: no such listing that the actor may edit.
        Conflict: it is closed, or somebody whom the actor may not see edits it.
    """
    _known_source(source)
    mine = (Listing.no == listing_no, policy.where(actor, EDIT_LISTING, Listing))
    listing = db.session.scalar(select(Listing).where(*mine))
    if listing is None:
        raise NotFound(f"没有编号为 {listing_no} 的记录。")
    if listing.state in {"staged", "closed"}:
        raise Conflict("这条信息已结束，不能修改；请先恢复公开。")
    typed = typed_of(listing)
    with unit_of_work(actor) as work:
        # Locked, so that two who begin at the same moment get the same draft.
        listing = db.session.get_one(Listing, listing.id, with_for_update=True)
        work.require(EDIT_LISTING, listing)
        open_one = select(Submission).where(
            Submission.listing_id == listing.id, Submission.state.in_(OPEN)
        )
        row = db.session.scalar(open_one)
        if row is None:
            return _new_submission(work, listing, typed, {}, listing.region_id, source).no
        if not policy.allows(actor, policies.READ, row):
            raise Conflict("发布单位正在修改这条信息。")
        return row.no


def typed_of(listing: Listing) -> dict[str, str]:
    """What is published, as one would type it into the form."""
    if listing.current is None:
        return {}
    row = file_row(listing.kind, content_of(listing.current))
    row["region"] = listing.region.full_name
    known = rules.fields_of(listing.kind)
    return {key: as_text(value) for key, value in row.items() if key in known and value is not None}


def save_draft(actor: Actor, no: str, values: Mapping[str, Any], lock_version: int) -> int:
    """Keep what was typed; fields that are not given stay. Returns the new lock version.

    Args:
        values: texts by field, and `cleared`, `cleared_no`, `cleared_by`.
        lock_version: of the version that the writer saw.

    Raises:
        NotFound: no such submission. Denied: it is out of his hands.
        Stale: somebody else saved it meanwhile.
        Invalid: more text than a draft may hold.
    """
    row = find(actor, no)
    kind, row_id = row.kind, row.id
    given = rules.tidy(kind, values)
    rules.tidy(kind, row.content | given)
    moved = given.get("region", row.content.get("region")) != row.content.get("region")
    place = region_of(given)[0] if moved else None
    with unit_of_work(actor) as work:
        row = db.session.get_one(Submission, row_id)
        work.require(policies.EDIT, row)
        if row.lock_version != lock_version:
            raise Stale(row.lock_version)
        before = row.content
        typed = before | given
        changes = {"content": typed, "title": rules.title_of(typed), **clearance_of(values)}
        if all(getattr(row, name) == value for name, value in changes.items()):
            return lock_version
        _write(row, lock_version, changes | ({"region_id": place} if place else {}), actor)
        # An officer may not type it out of his area.
        work.require(policies.EDIT, row)
        _follow_title(row)
        touched = [key for key, text in typed.items() if before.get(key) != text]
        work.record("submission.save", "submission", row.id, no=no, after={"fields": touched})
        show_on_desks(SUBMISSION, row)
        return row.lock_version


def region_of(typed: Mapping[str, str]) -> tuple[int | None, str]:
    """The region that is typed, or a sentence that says what is wrong with it."""
    text = typed.get("region", "").strip()
    if not text:
        return None, "请填所在地区。"
    exact = select(Region.id).where(Region.full_name == text, Region.valid_to.is_(None))
    found = db.session.scalar(exact.limit(1)) or Resolver().find(text)
    return (found, "") if isinstance(found, int) else (None, found)


def _write(row: Submission, seen: int, changes: Mapping[str, Any], actor: Actor) -> None:
    """Change a draft that is still as it was seen; whoever comes second is told."""
    moved = db.session.execute(
        update(Submission)
        .where(
            Submission.id == row.id,
            Submission.lock_version == seen,
            Submission.state.in_(IN_HAND),
        )
        .values(
            **changes,
            authors=_with_author(list(row.authors), actor),
            lock_version=seen + 1,
            updated_at=clock.now(),
        )
        .execution_options(synchronize_session=False)
    )
    if not moved.rowcount:  # type: ignore[attr-defined]
        raise Stale(row.lock_version)
    db.session.refresh(row)


def _follow_title(row: Submission) -> None:
    """A listing that was never published lies and is called as its draft says."""
    db.session.execute(
        update(Listing)
        .where(Listing.id == row.listing_id, Listing.state == "draft")
        .values(region_id=row.region_id, folded_title=title_key(row.title))
    )


def rebase(actor: Actor, no: str) -> None:
    """Note that the writer compared his edit with what was published meanwhile, and goes on.

    Raises:
        NotFound: no such submission. Denied: it is out of his hands.
    """
    row_id = find(actor, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Submission, row_id)
        work.require(policies.EDIT, row)
        row.base_revision_id = row.listing.current_id
        row.lock_version += 1
        row.updated_at = clock.now()
        add_event(work, SUBMISSION.name, row.id, "rebase", before=row.state, after=row.state)
        work.record("submission.rebase", "submission", row.id, no=no)


def set_signing(actor: Actor, organisation_id: int, wanted: bool) -> None:
    """Say whether an organisation wants a sign-off by another of its people before sending.

    Raises:
        NotFound: there is no such organisation. Denied: not its owner.
        Conflict: a sign-off is wanted, and nobody but one person could write and sign.
    """
    with unit_of_work(actor) as work:
        row = db.session.get(Organisation, organisation_id)
        if row is None:
            raise NotFound("没有这个单位。")
        work.require(policies.SETTINGS, row)
        if row.signs_inside == wanted:
            return
        if wanted and not policies.somebody_else_signs(organisation_id):
            raise Conflict(
                "签发须由另一位同事办理，而本单位现在只有一位能签发、能编辑的人。"
                "请先邀请一位签发人或单位管理员。"
            )
        row.signs_inside = wanted
        after = {"signs_inside": wanted}
        work.record("organisation.signing", "organisation", row.id, no=row.no, after=after)


def move(source_id: int, target_id: int) -> None:
    """Give the edits of an organisation to the one that it becomes part of. Inside a unit of work."""
    db.session.execute(
        update(Submission)
        .where(Submission.organisation_id == source_id)
        .values(organisation_id=target_id)
        .execution_options(synchronize_session=False)
    )
