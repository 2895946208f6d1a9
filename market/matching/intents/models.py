"""Intents, the offers made in them, who was invited, what was said, and what became of them."""

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
    and_,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation, OwnedBy
from market.catalogue.models import PRICE_MODES, TRANSFER_MODES, Listing
from market.core.db import Base, Document, RowId, UtcDateTime, under
from market.core.languages import N_
from market.regions.models import Region

STATES = {
    "proposed": N_("待对方接受"),
    "talking": N_("洽谈中"),
    "agreed": N_("已达成意向"),
    "ended": N_("已终止"),
    "withdrawn": N_("已撤回"),
}
OPEN = ("proposed", "talking")
LIVE = ("proposed", "talking", "agreed")
PARTIES = {"buyer": "买方", "seller": "卖方"}
SIDES = {**PARTIES, "helper": "受邀方", "office": "科技管理部门"}
# What an intent can grow from. Rows of parts that come later are named by number alone.
SOURCES = {"inquiry": "对接咨询", "dispatch": "推荐对接", "answer": "揭榜应答"}
# The five kinds of technology contracts of the Civil Code, art. 843.
CLASSES = {
    "development": "技术开发",
    "assignment": "技术转让",
    "licence": "技术许可",
    "consulting": "技术咨询",
    "service": "技术服务",
}
MODES = TRANSFER_MODES | {
    "consulting": "技术咨询",
    "service": "技术服务",
    "other": "其他协商方式",
}
# What a royalty is counted from (Civil Code art. 846).
BASES = {
    "sales": "销售额",
    "price": "产品价格",
    "output": "新增产值",
    "profit": "利润",
}
OWNERSHIP = {
    "buyer": "归买方",
    "seller": "归卖方",
    "shared": "双方共有",
    "negotiable": "协商确定",
}
ENDINGS = {
    "price": "价格没有谈拢",
    "unfit": "技术不合适",
    "money": "资金没有落实",
    "silent": "对方没有答复",
    "elsewhere": "已与别家合作",
    "plans": "项目或计划有变",
    "declined": "暂无合作打算",
    "other": "其他",
}
ROLES = {"broker": "技术经理人", "point": "服务点"}
INVITED = {
    "proposed": N_("待对方同意"),
    "invited": N_("待受邀方答复"),
    "joined": N_("已参与"),
    "refused": N_("未参与"),
    "removed": N_("已请出"),
}
OUTCOMES = {
    "signed": "已签合同",
    "talking": "还在谈",
    "failed": "没有谈成",
    "elsewhere": "另行解决",
}
ASKED = {"open": N_("待填写"), "answered": N_("已填写"), "dropped": N_("不再需要")}
WHY_ASKED = {"agreed": "达成意向", "silent": "没有新的往来"}


class Intent(Base):
    """Two organisations negotiate about a listing.

    `turn` is the side that should act next. `latest` is the number of the latest offer, and
    `buyer_yes`, `seller_yes` the number of the offer that each side says yes to. `frozen` holds
    what was agreed, for the contract. `buyer_shows`, `seller_shows`: whether the offices of that
    side's area may read terms and messages.
    """

    __tablename__ = "intent"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(STATES)}", name="state"),
        CheckConstraint(f"source_kind IN {tuple(SOURCES)}", name="source_kind"),
        CheckConstraint(f"contract_class IN {tuple(CLASSES)}", name="contract_class"),
        CheckConstraint(f"begun_by IN {tuple(PARTIES)}", name="begun_by"),
        CheckConstraint(f"turn IN {tuple(PARTIES)}", name="turn"),
        CheckConstraint(f"ending IN {tuple(ENDINGS)}", name="ending"),
        CheckConstraint("(state = 'ended') = (ending IS NOT NULL)", name="ended_with_reason"),
        CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name="ended"),
        CheckConstraint("(state = 'agreed') = (frozen IS NOT NULL)", name="agreed_frozen"),
        CheckConstraint("(state = 'agreed') = (agreed_at IS NOT NULL)", name="agreed"),
        CheckConstraint(
            "state <> 'agreed' OR (latest > 0 AND buyer_yes = latest AND seller_yes = latest)",
            name="agreed_by_both",
        ),
        CheckConstraint(
            "state NOT IN ('talking', 'agreed') OR accepted_at IS NOT NULL", name="met"
        ),
        Index("ix_intent_buyer", "buyer_id", "state", "updated_at"),
        Index("ix_intent_seller", "seller_id", "state", "updated_at"),
        Index("ix_intent_buyer_region", "buyer_region_id", "state", "updated_at"),
        Index("ix_intent_seller_region", "seller_region_id", "state", "updated_at"),
        Index("ix_intent_listing", "listing_id"),
        Index("ix_intent_source", "source_kind", "source_id"),
        Index("ix_intent_agreed", "state", "agreed_at"),
        Index("ix_intent_silent", "state", "said_at"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    source_kind: Mapped[str] = mapped_column(String(20))
    source_id: Mapped[int] = mapped_column(BigInteger)
    source_no: Mapped[str] = mapped_column(String(20))
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    # As it was on the day of beginning: the case keeps its name when the listing changes.
    title: Mapped[str] = mapped_column(String(300))
    ip: Mapped[str | None] = mapped_column(String(500))
    field: Mapped[str | None] = mapped_column(String(200))
    contract_class: Mapped[str | None] = mapped_column(String(20))
    buyer_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    seller_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    buyer_region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    seller_region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    begun_by: Mapped[str] = mapped_column(String(10))
    turn: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10), default="proposed")
    latest: Mapped[int] = mapped_column(default=0)
    buyer_yes: Mapped[int] = mapped_column(default=0)
    seller_yes: Mapped[int] = mapped_column(default=0)
    buyer_shows: Mapped[bool] = mapped_column(default=False)
    seller_shows: Mapped[bool] = mapped_column(default=False)
    frozen: Mapped[dict[str, Any] | None] = mapped_column(Document)
    ending: Mapped[str | None] = mapped_column(String(20))
    # The last word of a party: how long the two have been silent.
    said_at: Mapped[datetime] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    agreed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    listing: Mapped[Listing] = relationship()
    buyer: Mapped[Organisation] = relationship(foreign_keys=[buyer_id])
    seller: Mapped[Organisation] = relationship(foreign_keys=[seller_id])
    buyer_region: Mapped[Region] = relationship(foreign_keys=[buyer_region_id])
    seller_region: Mapped[Region] = relationship(foreign_keys=[seller_region_id])
    invitations: Mapped[list[IntentInvitation]] = relationship(
        order_by="IntentInvitation.id", viewonly=True, back_populates="intent"
    )

    @property
    def parties(self) -> dict[str, int]:
        """Organisation ids by side."""
        return {"buyer": self.buyer_id, "seller": self.seller_id}

    @property
    def asked_id(self) -> int:
        """The organisation that is asked to accept the intent."""
        return self.seller_id if self.begun_by == "buyer" else self.buyer_id

    @property
    def begun_by_id(self) -> int:
        """The organisation that began it."""
        return self.parties[self.begun_by]

    @property
    def joined_ids(self) -> set[int]:
        """Organisations that take part by invitation."""
        return {one.organisation_id for one in self.invitations if one.state == "joined"}

    @classmethod
    def of_party(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: intents of which this organisation is a party."""
        return or_(cls.buyer_id == organisation_id, cls.seller_id == organisation_id)

    @classmethod
    def asked_of(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: intents that this organisation was asked to accept."""
        return or_(
            and_(cls.begun_by == "buyer", cls.seller_id == organisation_id),
            and_(cls.begun_by == "seller", cls.buyer_id == organisation_id),
        )

    @classmethod
    def begun_of(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: intents that this organisation began."""
        return or_(
            and_(cls.begun_by == "buyer", cls.buyer_id == organisation_id),
            and_(cls.begun_by == "seller", cls.seller_id == organisation_id),
        )

    @classmethod
    def helped_by(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: intents in which this organisation takes part by invitation."""
        joined = select(IntentInvitation.intent_id).where(
            IntentInvitation.organisation_id == organisation_id, IntentInvitation.state == "joined"
        )
        return cls.id.in_(joined)

    @classmethod
    def side_within(cls, side: str, path: str) -> ColumnElement[bool]:
        """SQL: intents whose buyer or seller sits at or below a region."""
        below = select(Region.id).where(under(Region.path, path))
        column = cls.buyer_region_id if side == "buyer" else cls.seller_region_id
        return column.in_(below)


class Offer(Base):
    """What one side proposes; a new one is a new version, none is ever changed."""

    __tablename__ = "intent_offer"
    __table_args__ = (
        CheckConstraint(f"side IN {tuple(PARTIES)}", name="side"),
        CheckConstraint(f"transfer_mode IN {tuple(MODES)}", name="transfer_mode"),
        CheckConstraint(f"price_mode IN {tuple(PRICE_MODES)}", name="price_mode"),
        CheckConstraint(f"royalty_base IN {tuple(BASES)}", name="royalty_base"),
        CheckConstraint(f"ownership IN {tuple(OWNERSHIP)}", name="ownership"),
        CheckConstraint("price_min_fen >= 0", name="price_min"),
        CheckConstraint("price_max_fen >= price_min_fen", name="price_range"),
        CheckConstraint("entry_fen >= 0", name="entry"),
        CheckConstraint("royalty_bp BETWEEN 1 AND 10000", name="royalty"),
        CheckConstraint("(royalty_bp IS NULL) = (royalty_base IS NULL)", name="royalty_base_of"),
        UniqueConstraint("intent_id", "version"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    intent_id: Mapped[int] = mapped_column(ForeignKey("intent.id"))
    version: Mapped[int]
    side: Mapped[str] = mapped_column(String(10))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    author: Mapped[str] = mapped_column(String(200))
    transfer_mode: Mapped[str] = mapped_column(String(20))
    price_mode: Mapped[str] = mapped_column(String(20))
    price_min_fen: Mapped[int | None] = mapped_column(BigInteger)
    price_max_fen: Mapped[int | None] = mapped_column(BigInteger)
    entry_fen: Mapped[int | None] = mapped_column(BigInteger)
    royalty_bp: Mapped[int | None]
    royalty_base: Mapped[str | None] = mapped_column(String(20))
    # Rows of {"when", "what", "fen"}.
    plan: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    delivery_on: Mapped[date | None]
    acceptance: Mapped[str | None] = mapped_column(Text)
    ownership: Mapped[str | None] = mapped_column(String(20))
    valid_until: Mapped[date | None]
    words: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class IntentMessage(Base):
    """What one side wrote; never changed."""

    __tablename__ = "intent_message"
    __table_args__ = (
        CheckConstraint(f"side IN {tuple(SIDES)}", name="side"),
        Index("ix_intent_message_intent", "intent_id", "id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    intent_id: Mapped[int] = mapped_column(ForeignKey("intent.id"))
    side: Mapped[str] = mapped_column(String(10))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    author: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class IntentInvitation(OwnedBy, Base):
    """A broker or service point is to help: one party proposes, the other agrees, it answers."""

    __tablename__ = "intent_invitation"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(INVITED)}", name="state"),
        CheckConstraint(f"role IN {tuple(ROLES)}", name="role"),
        CheckConstraint(f"by_side IN {tuple(PARTIES)}", name="by_side"),
        Index("ix_intent_invitation_intent", "intent_id", "organisation_id"),
        Index("ix_intent_invitation_organisation", "organisation_id", "state"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    intent_id: Mapped[int] = mapped_column(ForeignKey("intent.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    role: Mapped[str] = mapped_column(String(10))
    by_side: Mapped[str] = mapped_column(String(10))
    note: Mapped[str | None] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(10), default="proposed")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    intent: Mapped[Intent] = relationship(back_populates="invitations")
    owner: Mapped[Organisation] = relationship()

    @property
    def no(self) -> str:
        """Its number in records: that of its intent and its own."""
        return f"{self.intent.no}-{self.id}"

    @property
    def other_id(self) -> int:
        """The party that did not propose it."""
        return self.intent.seller_id if self.by_side == "buyer" else self.intent.buyer_id

    @classmethod
    def of_party(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: invitations into intents of which this organisation is a party."""
        return cls.intent_id.in_(select(Intent.id).where(Intent.of_party(organisation_id)))

    @classmethod
    def agreed_by(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: invitations that this organisation, as the other party, may agree to."""
        of_buyer = select(Intent.id).where(Intent.buyer_id == organisation_id)
        of_seller = select(Intent.id).where(Intent.seller_id == organisation_id)
        return or_(
            and_(cls.by_side == "buyer", cls.intent_id.in_(of_seller)),
            and_(cls.by_side == "seller", cls.intent_id.in_(of_buyer)),
        )


class Question(OwnedBy, Base):
    """One side is asked what became of an intent, 30 or 180 days on."""

    __tablename__ = "intent_question"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(ASKED)}", name="state"),
        CheckConstraint(f"side IN {tuple(PARTIES)}", name="side"),
        CheckConstraint(f"why IN {tuple(WHY_ASKED)}", name="why"),
        # Asked once: about this event, so many days on, this side.
        UniqueConstraint("intent_id", "side", "days", "since"),
        Index("ix_intent_question_organisation", "organisation_id", "state"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    intent_id: Mapped[int] = mapped_column(ForeignKey("intent.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    side: Mapped[str] = mapped_column(String(10))
    why: Mapped[str] = mapped_column(String(10))
    days: Mapped[int]
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    due: Mapped[date]
    state: Mapped[str] = mapped_column(String(10), default="open")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    intent: Mapped[Intent] = relationship()
    owner: Mapped[Organisation] = relationship()

    @property
    def no(self) -> str:
        """Its number in records: that of its intent, and after how many days."""
        return f"{self.intent.no}-{self.days}"

    @classmethod
    def of_party(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: questions about intents of which this organisation is a party."""
        return cls.intent_id.in_(select(Intent.id).where(Intent.of_party(organisation_id)))


class Outcome(Base):
    """What one side says became of an intent; a later word is a new row."""

    __tablename__ = "intent_outcome"
    __table_args__ = (
        CheckConstraint(f"outcome IN {tuple(OUTCOMES)}", name="outcome"),
        CheckConstraint(f"side IN {tuple(PARTIES)}", name="side"),
        CheckConstraint("amount_fen >= 0", name="amount"),
        CheckConstraint(
            "outcome = 'signed' OR (contract_no IS NULL AND signed_on IS NULL"
            " AND amount_fen IS NULL)",
            name="contract_of_signed",
        ),
        Index("ix_intent_outcome_intent", "intent_id", "id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    intent_id: Mapped[int] = mapped_column(ForeignKey("intent.id"))
    question_id: Mapped[int | None] = mapped_column(ForeignKey("intent_question.id"))
    side: Mapped[str] = mapped_column(String(10))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    author: Mapped[str] = mapped_column(String(200))
    outcome: Mapped[str] = mapped_column(String(10))
    contract_no: Mapped[str | None] = mapped_column(String(60))
    signed_on: Mapped[date | None]
    amount_fen: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
