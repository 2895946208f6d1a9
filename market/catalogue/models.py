"""Listings: achievements and demands. Content lives in revisions, a listing points at one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation, OwnedBy
from market.core.db import Base, Document, RowId, UtcDateTime
from market.core.languages import N_
from market.core.models import ImportRun
from market.regions.models import InRegion, Region

KINDS = {"achievement": N_("科技成果"), "demand": N_("技术需求")}
# Six steps of practice in the five words readers know; the last covers 产业化 and 已推广.
STAGES = {
    "lab": N_("实验室"),
    "small_trial": N_("小试"),
    "pilot": N_("中试"),
    "production": N_("可批量生产"),
    "adopted": N_("已推广"),
}
PRICE_MODES = {
    "negotiable": N_("面议"),
    "fixed": N_("定价"),
    "range": N_("区间"),
    "entry_royalty": N_("入门费+提成"),
}

# Bands of prices and budgets: label, lowest fen, first fen that is too much (None: no end).
# A range of prices belongs to every band it touches; 面议 names no amount.
PRICE_BANDS: dict[str, tuple[str, int, int | None]] = {
    "under5": (N_("5 万元以下"), 0, 5_000_000),
    "5to20": (N_("5–20 万元"), 5_000_000, 20_000_000),
    "20to50": (N_("20–50 万元"), 20_000_000, 50_000_000),
    "50to100": (N_("50–100 万元"), 50_000_000, 100_000_000),
    "over100": (N_("100 万元以上"), 100_000_000, None),
}

# Promotion law art. 16 names more; these four are what readers filter by.
TRANSFER_MODES = {
    "joint": N_("合作开发"),
    "assignment": N_("转让"),
    "licence": N_("许可"),
    "equity": N_("作价投资"),
}
COOPERATION_MODES = TRANSFER_MODES | {"consulting": N_("技术咨询"), "service": N_("技术服务")}
MOST_PINS = 12  # listings that a county may put first on its page


# The life of a listing. `staged` belongs to imports, a `draft` was never published.
LISTING_STATES = {
    "staged": N_("导入中"),
    "draft": N_("草稿"),
    "published": N_("已发布"),
    "withdrawn": N_("已撤回"),
    "taken_down": N_("已下架"),
    "closed": N_("已结束"),
}
# How a demand ended.
CALLS = {"open": N_("揭榜中")}
OUTCOMES = {"solved": N_("已解决"), "unsolved": N_("未解决"), "elsewhere": N_("站外解决")}


class ReviewTarget(Base):
    """The working days within which a county's office means to review what is sent (its own target).

    A county without a row has the platform's; 0: the office sets itself none.
    """

    __tablename__ = "review_target"
    __table_args__ = (CheckConstraint("days BETWEEN 0 AND 60", name="days"),)
    region_id: Mapped[int] = mapped_column(
        ForeignKey("region.id"), primary_key=True, autoincrement=False
    )
    days: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_by: Mapped[str] = mapped_column(String(200))


class Term(Base):
    """An entry of a code list: fields, industries, disciplines; editable by import."""

    __tablename__ = "term"
    __table_args__ = (Index("ix_term_label", "scheme", "label"),)
    scheme: Mapped[str] = mapped_column(String(30), primary_key=True)
    code: Mapped[str] = mapped_column(String(30), primary_key=True)
    label: Mapped[str] = mapped_column(String(100))
    label_en: Mapped[str | None] = mapped_column(String(200))
    parent_code: Mapped[str | None] = mapped_column(String(30))
    position: Mapped[int] = mapped_column(default=0)
    # Other names under which people write the same thing, separated by "|".
    aliases: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str | None] = mapped_column(String(200))
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    # Of synonyms: the region of the office that wrote them; none for what came with a file.
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    region: Mapped[Region | None] = relationship()


class Listing(OwnedBy, InRegion, Base):
    """What has a public number and an address. What it says is in its current revision."""

    __tablename__ = "listing"
    OWNER = "owner_id"
    __table_args__ = (
        CheckConstraint(f"kind IN {tuple(KINDS)}", name="kind"),
        CheckConstraint(f"state IN {tuple(LISTING_STATES)}", name="state"),
        CheckConstraint("(state IN ('staged', 'draft')) = (current_id IS NULL)", name="current"),
        CheckConstraint(f"outcome IN {tuple(OUTCOMES)}", name="outcome"),
        CheckConstraint("(state = 'closed') = (outcome IS NOT NULL)", name="closed"),
        CheckConstraint("outcome_fen >= 0", name="outcome_fen"),
        Index("ix_listing_owner", "owner_id", "state", "id"),
        Index("ix_listing_key", "owner_id", "kind", "folded_title"),
        Index("ix_listing_source", "owner_id", "kind", "source_id"),
        Index("ix_listing_import", "import_id"),
        Index("ix_listing_state", "state", "kind", "id"),
        Index("ix_listing_published", "state", "published_at"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    owner_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    folded_title: Mapped[str] = mapped_column(String(300))
    source_id: Mapped[str | None] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(20))
    # Without a foreign key: the two tables would each need the other first.
    current_id: Mapped[int | None] = mapped_column(BigInteger)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The last day for answers while a demand is out as a call; the room that keeps calls writes it.
    call_until: Mapped[date | None]
    # How a demand ended, with whom, and for how much.
    outcome: Mapped[str | None] = mapped_column(String(20))
    outcome_with: Mapped[str | None] = mapped_column(String(200))
    outcome_fen: Mapped[int | None] = mapped_column(BigInteger)
    # Of which end of validity its owner was told last, e.g. "2026-12-01:soon".
    reminded: Mapped[str | None] = mapped_column(String(20))

    owner: Mapped[Organisation] = relationship()
    region: Mapped[Region] = relationship()
    current: Mapped[Revision | None] = relationship(
        primaryjoin="foreign(Listing.current_id) == Revision.id", viewonly=True
    )


class Revision(Base):
    """One version of a listing's content; never changed after it was written."""

    __tablename__ = "listing_revision"
    __table_args__ = (
        UniqueConstraint("listing_id", "version"),
        Index("ix_listing_revision_import", "import_id"),
        Index("ix_listing_revision_valid_until", "valid_until"),
        CheckConstraint("price_min_fen >= 0", name="price_min"),
        CheckConstraint("price_max_fen >= price_min_fen", name="price_range"),
        CheckConstraint("trl BETWEEN 1 AND 9", name="trl"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    version: Mapped[int]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200))
    content_hash: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(300))
    folded_title: Mapped[str] = mapped_column(String(300))
    summary: Mapped[str] = mapped_column(Text)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    stage: Mapped[str | None] = mapped_column(String(20))
    trl: Mapped[int | None]
    price_mode: Mapped[str | None] = mapped_column(String(20))
    price_min_fen: Mapped[int | None] = mapped_column(BigInteger)
    price_max_fen: Mapped[int | None] = mapped_column(BigInteger)
    valid_until: Mapped[date | None]
    completeness: Mapped[int]
    # All other fields of the kind's schema, as JSON values.
    details: Mapped[dict[str, Any]] = mapped_column(Document)

    listing: Mapped[Listing] = relationship()
    import_run: Mapped[ImportRun | None] = relationship()


class Pin(Base):
    """A listing that a county puts first on its page (本县推荐); `position` is one of twelve places."""

    __tablename__ = "pin"
    __table_args__ = (
        UniqueConstraint("region_id", "position"),
        UniqueConstraint("region_id", "listing_id"),
        CheckConstraint(f"position BETWEEN 1 AND {MOST_PINS}", name="position"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    position: Mapped[int]
    note: Mapped[str | None] = mapped_column(String(200))
    pinned_at: Mapped[datetime] = mapped_column(UtcDateTime)

    listing: Mapped[Listing] = relationship()


# How a firm told an office that somebody may know its name; "site": it did so itself.
CONSENT_MEANS = {
    "site": N_("在本站"),
    "telephone": N_("电话"),
    "paper": N_("书面"),
    "wechat": N_("微信"),
}


class NameConsent(Base):
    """A firm that keeps its name back lets one receiver know it; never deleted.

    Who receives it is an organisation, a person, or (`case_no`) the visitor who has the address of
    this inquiry. `case_kind` and `given_in` name the case in which it was given.
    """

    __tablename__ = "name_consent"
    __table_args__ = (
        CheckConstraint(
            "(CASE WHEN organisation_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN person_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN case_no IS NULL THEN 0 ELSE 1 END) = 1",
            name="receiver",
        ),
        CheckConstraint(f"means IN {tuple(CONSENT_MEANS)}", name="means"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name="withdrawn"),
        Index("ix_name_consent_listing", "listing_id", "id"),
        Index("ix_name_consent_organisation", "organisation_id"),
        Index("ix_name_consent_person", "person_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    case_no: Mapped[str | None] = mapped_column(String(20))
    case_kind: Mapped[str] = mapped_column(String(20))
    given_in: Mapped[str] = mapped_column(String(20))
    # Who it is, as the giver was shown it.
    receiver: Mapped[str] = mapped_column(String(200))
    means: Mapped[str] = mapped_column(String(10))
    given_by: Mapped[str] = mapped_column(String(200))
    given_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_by: Mapped[str | None] = mapped_column(String(200))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    listing: Mapped[Listing] = relationship()


# What a reader may find wrong with a listing. Short words: they stand beside radio buttons.
REPORT_REASONS = {
    "unreachable": N_("联系不上"),
    "wrong": N_("内容有误"),
    "outdated": N_("已经失效"),
    "fraud": N_("涉嫌虚假"),
    "infringement": N_("侵权"),
    "other": N_("其他"),
}
REPORT_STATES = {"new": N_("待处理"), "handled": N_("已处理"), "dismissed": N_("无须处理")}


class ProblemReport(Base):
    """What a reader reports about a listing, for the office of its place.

    `no` cannot be guessed: whoever has it may see how the report stands. `contact` is sealed
    (`core.secrets`). `sender` stands for the network address on one day, to limit how many one
    sends; the address itself is not kept.
    """

    __tablename__ = "problem_report"
    __table_args__ = (
        CheckConstraint(f"reason IN {tuple(REPORT_REASONS)}", name="reason"),
        CheckConstraint(f"state IN {tuple(REPORT_STATES)}", name="state"),
        Index("ix_problem_report_listing", "listing_id", "created_at"),
        Index("ix_problem_report_sender", "sender", "created_at"),
        Index("ix_problem_report_state", "state", "id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    reason: Mapped[str] = mapped_column(String(20))
    text: Mapped[str | None] = mapped_column(Text)
    contact: Mapped[str | None] = mapped_column(Text)
    sender: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(20), default="new")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    listing: Mapped[Listing] = relationship()

    @property
    def area_path(self) -> str | None:
        """Where the listing lies, for the policy."""
        return self.listing.area_path

    @classmethod
    def within(cls, path: str) -> ColumnElement[bool]:
        """SQL: reports about listings that lie at or below a region."""
        return cls.listing_id.in_(select(Listing.id).where(Listing.within(path)))
