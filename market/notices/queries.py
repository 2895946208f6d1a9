"""Reading notices: public pages, one's own, an office's; and what depends on a notice asks here."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from market.accounts.models import Organisation
from market.accounts.roles import EDITORS, OFFICES
from market.core import clock, files, holidays
from market.core.db import db
from market.core.errors import NotFound
from market.core.languages import translate as _
from market.core.models import CaseEvent, StoredFile
from market.core.permissions import Actor, policy
from market.core.workflow import Transition, timeline
from market.notices import rules
from market.notices.messages import secret_of
from market.notices.models import (
    OUTCOMES,
    OVER,
    STATES,
    Announcement,
    Notice,
    Objection,
)
from market.notices.workflow import (
    ANNOUNCEMENT,
    NOTICE,
    READ,
    READ_ANNOUNCEMENT,
    READ_OBJECTION,
    VIEW,
    VIEW_ANNOUNCEMENT,
)

JOINED = (joinedload(Notice.owner), joinedload(Notice.region))
FILES, ANNOUNCEMENT_FILES = "notice", "announcement"  # kinds of `core.files`
_MOST_OBJECTIONS = 200  # of a notice that a page shows, the oldest


@dataclass(frozen=True)
class Standing:
    """How a subject stands by its notices, for what depends on them.

    Args:
        code: "none" (there is no notice that counts), "running", "objection_open",
            "upheld" (an objection was), or "clear"; of one notice (`standing_of`) also "draft", and
            "gone" (withdrawn, taken down or discarded).
        no: of the notice that decides; empty where there is none.
    """

    code: str
    no: str = ""

    @property
    def blocks(self) -> bool:
        """Whether what depends on the notice has to wait."""
        return self.code in {"running", "objection_open", "upheld"}


@dataclass(frozen=True)
class Counts:
    """Objections against a notice."""

    all: int
    open: int
    upheld: int


def is_over(notice: Notice, now: datetime | None = None) -> bool:
    """Whether its time is over (now), also where the worker has not noted it yet."""
    if notice.state == "running":
        return notice.ends_at is not None and (now or clock.now()) >= notice.ends_at
    return notice.state in OVER


def shown_state(notice: Notice) -> str:
    """The state as readers are told it."""
    return "ended" if notice.state == "running" and is_over(notice) else notice.state


@dataclass(frozen=True)
class View:
    """A notice as readers see it."""

    notice: Notice
    counts: Counts
    left: int  # days that remain after today, in its own unit

    @property
    def no(self) -> str:
        return self.notice.no

    @property
    def url(self) -> str:
        return f"/notices/{self.notice.no}"

    @property
    def state(self) -> str:
        return shown_state(self.notice)

    @property
    def state_label(self) -> str:
        """The state's word; of one whose outcome is known, the outcome's."""
        if self.state == "concluded" and self.notice.outcome:
            return OUTCOMES[self.notice.outcome]
        return STATES[self.state]

    @property
    def open(self) -> bool:
        """Whether somebody may object now."""
        return self.state == "running"


def overrides_for(notice_start: date, days: int) -> Mapping[date, bool]:
    """Entered days that the period of a notice may meet."""
    return holidays.overrides(notice_start, notice_start + rules.looks_ahead(days))


def counts_of(ids: Sequence[int]) -> dict[int, Counts]:
    """Objections by notice."""
    query = select(
        Objection.notice_id,
        func.count(),
        func.count().filter(Objection.state == "received"),
        func.count().filter(Objection.finding == "upheld"),
    )
    found = db.session.execute(
        query.where(Objection.notice_id.in_(ids)).group_by(Objection.notice_id)
    )
    return {key: Counts(*numbers) for key, *numbers in found}


def views(notices: Sequence[Notice]) -> list[View]:
    """Views of several notices; two statements for all."""
    counted = counts_of([one.id for one in notices]) if notices else {}
    today = clock.today()
    ends = [one.end_on for one in notices if one.state == "running" and one.end_on]
    entered = holidays.overrides(today, max(ends)) if ends and max(ends) > today else {}

    def left(one: Notice) -> int:
        if one.state != "running" or one.end_on is None or one.unit is None:
            return 0
        return rules.days_left(today, one.end_on, one.unit, entered)

    return [View(one, counted.get(one.id, Counts(0, 0, 0)), left(one)) for one in notices]


def public(actor: Actor, no: str) -> View:
    """A notice that the public may see. Raises NotFound."""
    found = db.session.scalar(
        select(Notice).where(Notice.no == no, policy.where(actor, VIEW, Notice)).options(*JOINED)
    )
    if found is None:
        raise NotFound(_("没有编号为 %(no)s 的公示。", no=no))
    return views([found])[0]


def find(actor: Actor, no: str) -> Notice:
    """A notice that the actor may look after or look into. Raises NotFound."""
    found = db.session.scalar(
        select(Notice).where(Notice.no == no, policy.where(actor, READ, Notice)).options(*JOINED)
    )
    if found is None:
        raise NotFound(f"没有编号为 {no} 的公示。")
    return found


def files_of(notice: Notice) -> Sequence[StoredFile]:
    """What is attached to a notice."""
    return files.files_of(FILES, notice.id)


def frozen_of(notice: Notice) -> dict[str, Any]:
    """All that a notice says and that cannot change once it runs; its fingerprint is of this."""
    return {
        "no": notice.no,
        "kind": notice.kind,
        "title": notice.title,
        "subject": [notice.subject_kind, notice.subject_id, notice.subject_no],
        "content": notice.content,
        "files": sorted([one.name, one.hash] for one in files_of(notice)),
        "held": notice.held,
        "place": notice.place,
        "days": notice.days,
        "unit": notice.unit,
        "rule": notice.rule,
        "start_on": notice.start_on.isoformat() if notice.start_on else None,
        "channels": notice.channels,
        "contact": [notice.contact_name, notice.contact_telephone, notice.contact_address],
        "anonymous_ok": notice.anonymous_ok,
    }


def is_intact(notice: Notice) -> bool:
    """Whether what a notice says is what it said when it started."""
    return notice.hash == rules.fingerprint(frozen_of(notice))


def answers_of(notice: Notice) -> list[Objection]:
    """Answered objections of which the owner published something."""
    query = select(Objection).where(
        Objection.notice_id == notice.id, Objection.published.is_not(None)
    )
    return list(db.session.scalars(query.order_by(Objection.id).limit(_MOST_OBJECTIONS)))


# One's own pages.


@dataclass(frozen=True)
class Case:
    """A notice with all that its owner or an office needs."""

    view: View
    objections: Sequence[Objection]
    events: Sequence[CaseEvent]
    actions: Sequence[Transition]
    files: Sequence[StoredFile]
    intact: bool


def case(actor: Actor, no: str) -> Case:
    """A notice with its objections and history. Raises NotFound."""
    notice = find(actor, no)
    query = select(Objection).where(
        Objection.notice_id == notice.id, policy.where(actor, READ_OBJECTION, Objection)
    )
    return Case(
        view=views([notice])[0],
        objections=db.session.scalars(query.order_by(Objection.id).limit(_MOST_OBJECTIONS)).all(),
        events=timeline(NOTICE.name, notice.id),
        actions=NOTICE.actions(actor, notice),
        files=files_of(notice),
        intact=notice.hash is None or is_intact(notice),
    )


def owners(actor: Actor) -> list[Organisation]:
    """For which organisations and offices the actor may put up a notice."""
    ids = actor.organisations(*EDITORS, *OFFICES)
    if not ids:
        return []
    query = select(Organisation).where(Organisation.id.in_(ids), Organisation.state == "active")
    return list(db.session.scalars(query.order_by(Organisation.folded_name)))


def receipt(word: str) -> Objection:
    """The objection whose address this is. Raises NotFound."""
    no, _dash, secret = word.partition("-")
    found = None
    if secret.isascii() and hmac.compare_digest(secret, secret_of(no)):
        query = select(Objection).where(Objection.no == no)
        found = db.session.scalar(query.options(joinedload(Objection.notice)))
    if found is None or found.received_at < clock.now() - rules.RECEIPT_OPENS:
        raise NotFound(_("没有这张回执，或已过了 180 天；请核对网址是否复制完整。"))
    return found


def announcement(actor: Actor, no: str, permission: str = VIEW_ANNOUNCEMENT) -> Announcement:
    """An announcement. Raises NotFound."""
    query = select(Announcement).where(
        Announcement.no == no, policy.where(actor, permission, Announcement)
    )
    joined = (joinedload(Announcement.owner), joinedload(Announcement.region))
    found = db.session.scalar(query.options(*joined))
    if found is None:
        raise NotFound(_("没有编号为 %(no)s 的公告。", no=no))
    return found


def announcement_acts(actor: Actor, row: Announcement) -> list[Transition]:
    """What the actor may do with an announcement now."""
    return ANNOUNCEMENT.actions(actor, row)


def may_have_file(actor: Actor, row: StoredFile) -> bool:
    """Whether an actor may download a notice's file: with the notice itself."""
    notice = db.session.get(Notice, row.object_id)
    if notice is None:
        return False
    seen = policy.allows(actor, VIEW, notice) and notice.state != "withdrawn"
    return seen or policy.allows(actor, READ, notice)


def may_have_announced_file(actor: Actor, row: StoredFile) -> bool:
    """Whether an actor may download an announcement's file: with the announcement itself."""
    found = db.session.get(Announcement, row.object_id)
    if found is None:
        return False
    seen = policy.allows(actor, VIEW_ANNOUNCEMENT, found) and found.state == "published"
    return seen or policy.allows(actor, READ_ANNOUNCEMENT, found)


# What depends on a notice.


def standing(subject_kind: str, subject_id: int, kind: str = "") -> Standing:
    """How a subject stands by its notices; the worst of them, where it has several kinds.

    Of one kind the last that was started decides; withdrawn ones do not count. Asks no policy: a
    room above calls it for a subject that it has looked up for somebody.

    Args:
        kind: of `KINDS`; empty for all.
    """
    query = select(Notice).where(
        Notice.subject_kind == subject_kind,
        Notice.subject_id == subject_id,
        Notice.state.in_(("running", "ended", "concluded")),
    )
    if kind:
        query = query.where(Notice.kind == kind)
    ordered = query.order_by(Notice.started_at, Notice.id)
    latest = {one.kind: one for one in db.session.scalars(ordered)}
    if not latest:
        return Standing("none")
    counted = counts_of([one.id for one in latest.values()])
    found = [
        Standing(_code(one, counted.get(one.id, Counts(0, 0, 0))), one.no)
        for one in latest.values()
    ]
    worst = ("running", "objection_open", "upheld", "clear")
    return min(found, key=lambda one: worst.index(one.code))


def standing_of(no: str, *, hold: bool = False) -> Standing:
    """How one notice stands, by its number, for the room above that began it.

    Args:
        hold: keep the notice until the commit, so that an objection of the last minute is either
            seen or comes too late. Inside a unit of work.
    """
    query = select(Notice).where(Notice.no == no)
    if hold:
        query = query.with_for_update(of=Notice).execution_options(populate_existing=True)
    notice = db.session.scalar(query)
    if notice is None or notice.state in {"withdrawn", "discarded"}:
        return Standing("gone", no)
    if notice.state == "draft":
        return Standing("draft", no)
    counted = counts_of([notice.id])
    return Standing(_code(notice, counted.get(notice.id, Counts(0, 0, 0))), no)


def _code(notice: Notice, counts: Counts) -> str:
    if not is_over(notice):
        return "running"
    if counts.open:
        return "objection_open"
    return "upheld" if counts.upheld or notice.outcome == "upheld" else "clear"


def blocks(subject_kind: str, subject_id: int, kind: str = "") -> bool:
    """Whether what depends on the subject's notices has to wait.

    It does while a notice runs, while an objection is open, and when one was upheld.
    """
    return standing(subject_kind, subject_id, kind).blocks
