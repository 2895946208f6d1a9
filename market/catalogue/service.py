"""Changing listings one at a time: a new version, a withdrawal, what readers report about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import ColumnElement, and_, func, or_, select, update

from market.accounts.roles import EDITORS, OFFICES
from market.catalogue import problems, terms
from market.catalogue.content import KEYS, TERM_FIELDS, content_of, file_row, revision_values
from market.catalogue.models import Listing, NameConsent, ProblemReport, Revision
from market.catalogue.queries import READ
from market.catalogue.report_cases import WORKFLOW
from market.catalogue.rules import content_hash
from market.catalogue.schemas import SCHEMAS
from market.core import clock, outbox
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound, TooMany
from market.core.languages import translate as _
from market.core.permissions import SYSTEM, Actor, Always, InArea, Own, policy
from market.core.secrets import seal, unseal
from market.core.unit_of_work import unit_of_work
from market.core.workflow import begin

# To begin an edit, which then goes the way of all edits (`catalogue.publishing`).
EDIT = policy.declare(
    "catalogue:listing:edit",
    **dict.fromkeys(EDITORS, Own()),
    **dict.fromkeys(OFFICES, InArea()),
)
WITHDRAW = policy.declare(
    "catalogue:listing:withdraw", **dict.fromkeys((*EDITORS, *OFFICES), Own())
)
# Past sign-off and review: programs of the site alone.
REVISE = policy.declare("catalogue:listing:revise")
REPORT = policy.declare("catalogue:report:create", public=Always())
UNMASK = policy.declare("catalogue:report:unmask", **dict.fromkeys(OFFICES, InArea()))
FORGET = policy.declare("catalogue:report:forget")


def _find(no: str) -> Listing:
    listing = db.session.scalar(select(Listing).where(Listing.no == no))
    if listing is None or listing.current_id is None:
        raise NotFound(f"没有编号为 {no} 的记录。")
    return listing


def revise(actor: Actor, no: str, changes: Mapping[str, Any]) -> int:
    """Write a new version of a listing with some fields changed; returns its number.

    Args:
        no: the public number.
        changes: field → value as typed in a form or a file; an empty value clears a field.

    Raises:
        NotFound: no such listing.
        Invalid: values that break the rules, by field.
        Conflict: somebody else wrote a version meanwhile.
    """
    listing = _find(no)
    content = _merged(listing, changes)
    kind, listing_id, current_id = listing.kind, listing.id, listing.current_id
    with unit_of_work(actor) as work:
        work.require(REVISE, db.session.get(Listing, listing_id))
        before = db.session.get_one(Revision, current_id)
        if before.content_hash == content_hash(content):
            return before.version
        revision = next_version(listing_id, kind, content, actor)
        moved = db.session.execute(
            update(Listing)
            .where(Listing.id == listing_id, Listing.current_id == current_id)
            .values(
                current_id=revision.id,
                region_id=revision.region_id,
                folded_title=revision.folded_title,
            )
        )
        if not moved.rowcount:  # type: ignore[attr-defined]
            raise Conflict("这条信息刚被他人修改，请打开最新内容后再改。")
        work.announce("listing", listing_id)
        work.record("listing.revised", "listing", listing_id, no=no, after=dict(changes))
        return revision.version


def _merged(listing: Listing, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The present content with the changes, validated by the schema."""
    assert listing.current is not None
    current = content_of(listing.current)
    row = file_row(listing.kind, current) | dict(changes)
    try:
        loaded = dict(SCHEMAS[listing.kind].load(row))
    except ValidationError as error:
        raise Invalid(error.normalized_messages()) from error
    for key, scheme in TERM_FIELDS.items():
        if loaded.get(key):
            loaded[key], _ = terms.resolve(scheme, loaded[key])
    content = {key: value for key, value in loaded.items() if key not in KEYS}
    return content | {"region_id": current["region_id"]}


def next_version(listing_id: int, kind: str, content: Mapping[str, Any], actor: Actor) -> Revision:
    """Write the next version of a listing's content. Inside a unit of work."""
    last = select(func.max(Revision.version)).where(Revision.listing_id == listing_id)
    values = revision_values(kind, content, by=actor.label, at=clock.now())
    version = (db.session.scalar(last) or 0) + 1
    revision = Revision(listing_id=listing_id, version=version, **values)
    db.session.add(revision)
    db.session.flush()
    return revision


def withdraw(actor: Actor, no: str, reason: str) -> None:
    """Take a listing out of the public market; its address says so from then on.

    Raises:
        NotFound: no such listing.
        Conflict: it is not published.
    """
    listing_id = _find(no).id
    with unit_of_work(actor) as work:
        work.require(WITHDRAW, db.session.get(Listing, listing_id))
        gone = db.session.execute(
            update(Listing)
            .where(Listing.id == listing_id, Listing.state == "published")
            .values(state="withdrawn")
        )
        if not gone.rowcount:  # type: ignore[attr-defined]
            raise Conflict("这条信息没有在公开，不能撤回。")
        work.announce("listing", listing_id)
        work.record("listing.withdrawn", "listing", listing_id, no=no, after={"reason": reason})


def report_problem(
    actor: Actor, kind: str, no: str, values: Mapping[str, Any], *, address: str
) -> str:
    """Keep what a reader reports about a listing; returns the report's number.

    The same once more within minutes (a button pressed twice) is the same report.

    Args:
        kind, no: of the listing.
        values: what `problems.ReportSchema` loaded.
        address: network address of the sender; not kept, it only limits how many one sends.

    Raises:
        NotFound: there is no such listing in public.
        TooMany: of this sender or about this listing, for now.
    """
    listing = db.session.scalar(select(Listing).where(Listing.no == no, Listing.kind == kind))
    if listing is None or not policy.allows(actor, READ, listing):
        raise NotFound(_("没有编号为 %(no)s 的记录。", no=no))
    listing_id, now = listing.id, clock.now()
    contact = values.get("contact")
    sealed = seal(contact, problems.CONTACT) if contact else None
    with unit_of_work(actor) as work:
        work.require(REPORT)
        if again := _sent_before(listing_id, values, address, now):
            return again
        _limit_reports(listing_id, address, now)
        report = ProblemReport(
            no=problems.new_number(),
            listing_id=listing_id,
            reason=values["reason"],
            text=values.get("text"),
            contact=sealed,
            sender=problems.sender_on(address, now),
            state="new",
            created_at=now,
        )
        db.session.add(report)
        db.session.flush()
        begin(work, WORKFLOW, report)
        after = {"report": report.no, "reason": report.reason}
        work.record("listing.reported", "listing", listing_id, no=no, after=after)
        return report.no


def _sent_before(
    listing_id: int, values: Mapping[str, Any], address: str, now: datetime
) -> str | None:
    """The number of a report with exactly this content that the sender made just now."""
    since = now - problems.AGAIN_SPAN
    found = select(ProblemReport).where(
        ProblemReport.listing_id == listing_id,
        ProblemReport.sender.in_(_senders(address, since, now)),
        ProblemReport.created_at > since,
        ProblemReport.reason == values["reason"],
    )
    said = (values.get("text"), values.get("contact"))
    for one in db.session.scalars(found):
        if said == (one.text, unseal(one.contact, problems.CONTACT) if one.contact else None):
            return one.no
    return None


def _senders(address: str, since: datetime, now: datetime) -> set[str]:
    return {problems.sender_on(address, moment) for moment in (since, now)}


def _limit_reports(listing_id: int, address: str, now: datetime) -> None:
    since = now - problems.SENDER_SPAN
    senders = _senders(address, since, now)
    of_sender = _reports(ProblemReport.sender.in_(senders), ProblemReport.created_at > since)
    if of_sender >= problems.MOST_OF_SENDER:
        raise TooMany(
            _("您这里一小时内已报告 %(n)s 次，请过一小时再提交，或直接打电话。", n=of_sender)
        )
    about = _reports(
        ProblemReport.listing_id == listing_id,
        ProblemReport.created_at > now - problems.LISTING_SPAN,
    )
    if about >= problems.MOST_OF_LISTING:
        raise TooMany(_("这条信息今天已收到很多报告，科技管理部门会核实；急事请打电话。"))


def _reports(*conditions: ColumnElement[bool]) -> int:
    rows = select(func.count()).select_from(ProblemReport).where(*conditions)
    return db.session.scalar(rows) or 0


def unmask_contacts(
    actor: Actor, ids: Sequence[int], *, reason: str | None = None
) -> dict[int, str | None]:
    """How to reach who sent these reports, by id; each reading is audited, with its reason.

    None stands for one that cannot be read any more since the site's secret key was changed.
    """
    with unit_of_work(actor) as work:
        work.require(UNMASK)
        why = {"reason": reason} if reason else None
        found = select(ProblemReport).where(
            ProblemReport.id.in_(ids), ProblemReport.contact.is_not(None)
        )
        contacts = {}
        for report in db.session.scalars(found):
            work.require(UNMASK, report)
            contacts[report.id] = unseal(report.contact or "", problems.CONTACT)
            work.record("report.contact_read", "problem_report", report.id, no=report.no, after=why)
        return contacts


def forget_reporters() -> bool:
    """Erase from old reports what tells of their senders; one look is enough."""
    now = clock.now()
    old_senders = ProblemReport.created_at < now - problems.SENDER_KEPT, ProblemReport.sender != ""
    old_contacts = (
        ProblemReport.created_at < now - problems.CONTACT_KEPT,
        ProblemReport.contact.is_not(None),
    )
    if not _reports(or_(and_(*old_senders), and_(*old_contacts))):
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(FORGET)
        db.session.execute(update(ProblemReport).where(*old_senders).values(sender=""))
        erased = db.session.execute(update(ProblemReport).where(*old_contacts).values(contact=None))
        count = erased.rowcount  # type: ignore[attr-defined]
        work.record("report.senders_forgotten", "problem_report", 0, after={"contacts": count})
    return False


def would_move(owner_id: int) -> tuple[str, int]:
    """How many listings an organisation has, for the page before it becomes part of another."""
    mine = select(func.count()).select_from(Listing).where(Listing.owner_id == owner_id)
    return "成果与需求", db.session.scalar(mine) or 0


def move_listings(source_id: int, target_id: int) -> None:
    """Give all listings of an organisation to the one that it becomes part of. In a unit of work."""
    ids = list(db.session.scalars(select(Listing.id).where(Listing.owner_id == source_id)))
    db.session.execute(
        update(Listing)
        .where(Listing.owner_id == source_id)
        .values(owner_id=target_id)
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(NameConsent)
        .where(NameConsent.organisation_id == source_id)
        .values(organisation_id=target_id)
        .execution_options(synchronize_session=False)
    )
    for key in ids:
        outbox.announce("listing", key)
