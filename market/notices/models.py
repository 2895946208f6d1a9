"""Notices, objections against them, and announcements."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation, OwnedBy
from market.core.db import Base, Document, RowId, UtcDateTime
from market.core.languages import N_
from market.regions.models import InRegion, Region

KINDS = {
    "price": N_("价格公示"),
    "reward": N_("奖励公示"),
    "challenge_list": N_("榜单公示"),
    "challenge_result": N_("揭榜结果公示"),
    "voucher": N_("创新券公示"),
    "other": N_("其他公示"),
}
# Lists and money of an office are put up by offices alone.
KINDS_OF_OFFICES = ("challenge_list", "voucher")
STATES = {
    "draft": N_("草稿"),
    "running": N_("公示中"),
    "ended": N_("已结束"),
    "concluded": N_("结果已公布"),
    "withdrawn": N_("已撤回"),
    "discarded": N_("已作废"),
}
PUBLIC_STATES = ("running", "ended", "concluded", "withdrawn")
OVER = ("ended", "concluded", "withdrawn")
MOST_DAYS = 365
UNITS = {"natural": N_("自然日"), "working": N_("工作日")}
COUNTED = ("civil_code", "first_day_counts")  # codes of `rules.RULE_SETS`
HELD = {"here": N_("在本站公示"), "elsewhere": N_("已在别处公示，上传记录")}
OUTCOMES = {
    "none": N_("无异议"),
    "dismissed": N_("异议不成立"),
    "upheld": N_("异议成立"),
}
CHANNELS = {"own": N_("本单位"), "site": N_("本站"), "other": N_("其他地方")}
OBJECTION_STATES = {"received": N_("待答复"), "answered": N_("已答复")}
FINDINGS = {"upheld": N_("异议成立"), "not_upheld": N_("异议不成立")}
ANNOUNCEMENT_STATES = {
    "draft": N_("草稿"),
    "published": N_("已发布"),
    "withdrawn": N_("已撤回"),
}
ANNOUNCED = ("published", "withdrawn")
_NEVER_STARTED = "state IN ('draft', 'discarded')"


class Notice(OwnedBy, InRegion, Base):
    """What is put up for everybody to see and to object to, for a number of days.

    The subject is known only as kind, id and number: it lives in a room above. `content` is a list
    of (label, text) in order; `hash` is the fingerprint of all that was frozen when it started.
    `channels`: (code of `CHANNELS`, where). `rule`: code of the rule set its days are counted by.
    `ends_at` is 24:00 of `end_on` in China. A provisional end rests on holidays that are not
    announced; it may move later, never earlier.
    """

    __tablename__ = "notice"
    OWNER = "owner_id"
    __table_args__ = (
        CheckConstraint(f"kind IN {tuple(KINDS)}", name="kind"),
        CheckConstraint(f"state IN {tuple(STATES)}", name="state"),
        CheckConstraint(f"held IN {tuple(HELD)}", name="held"),
        CheckConstraint(f"unit IN {tuple(UNITS)}", name="unit"),
        CheckConstraint(f"rule IN {COUNTED}", name="rule"),
        CheckConstraint(f"days BETWEEN 1 AND {MOST_DAYS}", name="days"),
        CheckConstraint(f"outcome IN {tuple(OUTCOMES)}", name="outcome"),
        CheckConstraint("(subject_kind IS NULL) = (subject_id IS NULL)", name="subject"),
        CheckConstraint(
            f"{_NEVER_STARTED} OR (hash IS NOT NULL AND days IS NOT NULL AND unit IS NOT NULL "
            "AND rule IS NOT NULL AND start_on IS NOT NULL AND first_on IS NOT NULL "
            "AND end_on IS NOT NULL AND ends_at IS NOT NULL AND started_at IS NOT NULL)",
            name="started",
        ),
        CheckConstraint(f"hash IS NULL OR NOT ({_NEVER_STARTED})", name="frozen"),
        CheckConstraint("state <> 'concluded' OR outcome IS NOT NULL", name="concluded"),
        CheckConstraint("outcome IS NULL OR state IN ('concluded', 'withdrawn')", name="ended"),
        CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_reason IS NOT NULL)", name="withdrawn_reason"
        ),
        Index("ix_notice_state", "state", "ends_at"),
        Index("ix_notice_region", "region_id", "state", "ends_at"),
        Index("ix_notice_owner", "owner_id", "state", "updated_at"),
        Index("ix_notice_subject", "subject_kind", "subject_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(200))
    subject_kind: Mapped[str | None] = mapped_column(String(30))
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    subject_no: Mapped[str | None] = mapped_column(String(40))
    owner_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    # Put up by an officer for his office, not by an organisation for itself.
    by_office: Mapped[bool]
    content: Mapped[list[list[str]]] = mapped_column(Document)
    hash: Mapped[str | None] = mapped_column(String(64))
    held: Mapped[str] = mapped_column(String(10), default="here")
    place: Mapped[str | None] = mapped_column(String(300))
    days: Mapped[int | None]
    unit: Mapped[str | None] = mapped_column(String(10))
    rule: Mapped[str | None] = mapped_column(String(20))
    start_on: Mapped[date | None]
    first_on: Mapped[date | None]
    end_on: Mapped[date | None]
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    provisional: Mapped[bool] = mapped_column(default=False)
    channels: Mapped[list[list[str]]] = mapped_column(Document)
    contact_name: Mapped[str | None] = mapped_column(String(60))
    contact_telephone: Mapped[str | None] = mapped_column(String(60))
    contact_address: Mapped[str | None] = mapped_column(String(300))
    anonymous_ok: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(10), default="draft")
    outcome: Mapped[str | None] = mapped_column(String(10))
    outcome_text: Mapped[str | None] = mapped_column(Text)
    withdrawn_reason: Mapped[str | None] = mapped_column(Text)
    # Who wrote last: where an organisation signs inside, another of its people starts the notice.
    edited_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    owner: Mapped[Organisation] = relationship()
    region: Mapped[Region] = relationship()


class Objection(OwnedBy, InRegion, Base):
    """What somebody has against a notice, and the owner's answer.

    Name and telephone are sealed in `contact` and forgotten in time; `label` shows the name masked.
    Owner and region are the notice's. `published` is what the owner shows of it to everybody.
    """

    __tablename__ = "objection"
    OWNER = "owner_id"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(OBJECTION_STATES)}", name="state"),
        CheckConstraint(f"finding IN {tuple(FINDINGS)}", name="finding"),
        CheckConstraint("(state = 'answered') = (finding IS NOT NULL)", name="answered"),
        CheckConstraint("(finding IS NULL) = (answer IS NULL)", name="answer"),
        CheckConstraint("language IN ('zh', 'en')", name="language"),
        Index("ix_objection_notice", "notice_id", "state"),
        Index("ix_objection_owner", "owner_id", "state"),
        Index("ix_objection_region", "region_id", "state"),
        Index("ix_objection_person", "person_id"),
        Index("ix_objection_answered", "answered_at"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"))
    owner_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    anonymous: Mapped[bool]
    label: Mapped[str] = mapped_column(String(200))
    contact: Mapped[str | None] = mapped_column(Text)
    contact_shown: Mapped[str | None] = mapped_column(String(100))
    language: Mapped[str] = mapped_column(String(2), default="zh")
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), default="received")
    finding: Mapped[str | None] = mapped_column(String(12))
    answer: Mapped[str | None] = mapped_column(Text)
    published: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)

    notice: Mapped[Notice] = relationship()
    owner: Mapped[Organisation] = relationship()
    region: Mapped[Region] = relationship()


class Announcement(OwnedBy, InRegion, Base):
    """公告: what an office lets everybody know. Nobody objects to it, nothing waits for it."""

    __tablename__ = "announcement"
    OWNER = "owner_id"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(ANNOUNCEMENT_STATES)}", name="state"),
        CheckConstraint("(state = 'draft') = (published_at IS NULL)", name="published"),
        CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_reason IS NOT NULL)", name="withdrawn_reason"
        ),
        Index("ix_announcement_state", "state", "published_at"),
        Index("ix_announcement_region", "region_id", "state", "published_at"),
        Index("ix_announcement_owner", "owner_id", "state"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), default="draft")
    withdrawn_reason: Mapped[str | None] = mapped_column(Text)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    owner: Mapped[Organisation] = relationship()
    region: Mapped[Region] = relationship()
