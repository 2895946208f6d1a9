"""Technology contracts: the case, its versions, parties and what was missing."""

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
    or_,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation
from market.contracts.codes import CLASSES, REFUSALS, SUBCLASSES
from market.contracts.office_models import CLOCK_UNITS as CLOCK_UNITS
from market.contracts.office_models import EFFECTS as EFFECTS
from market.contracts.office_models import THRESHOLD_BASES as THRESHOLD_BASES
from market.contracts.office_models import NumberCounter as NumberCounter
from market.contracts.office_models import NumberFormat as NumberFormat
from market.contracts.office_models import RuleSet as RuleSet
from market.core.db import Base, Document, RowId, UtcDateTime
from market.core.languages import N_
from market.regions.models import Region
from market.service_points.models import Admission

# Who numbers and stamps: the national system, a body's register here, or it was done elsewhere.
MODES = {
    "external": N_("全国系统登记"),
    "own": N_("本站登记"),
    "elsewhere": N_("外地登记（补录）"),
}
STATES = {
    "draft": N_("草稿"),
    "submitted": N_("待受理"),
    "returned": N_("待补正"),
    "accepted": N_("已受理"),
    "expert": N_("专家评审"),
    "examined": N_("待复审"),
    "cleared": N_("待录入登记结果"),
    "registered": N_("已登记"),
    "refused": N_("不予登记"),
    "withdrawn": N_("已撤回"),
    "cancelled": N_("已注销"),
    "annulled": N_("已撤销"),
}
OPEN = ("draft", "submitted", "returned", "accepted", "expert", "examined", "cleared")
VOID = ("cancelled", "annulled")
DECIDED = ("registered", "refused", *VOID)
SIDES = {"seller": N_("卖方"), "buyer": N_("买方"), "third": N_("中介方")}
VERSION_STATES = {
    "working": "办理中",
    "registered": "登记的内容",
    "superseded": "已被变更",
    "dropped": "未登记",
}
# SQL, word for word as the partial index has it: registered here, without a certificate of what is
# in force. SQLite takes such an index only for the very same words.
UNCERTIFIED = (
    "mode = 'own' AND state = 'registered' AND (certified IS NULL OR certified <> effective)"
)


class Contract(Base):
    """A technology contract and where it stands.

    `filer_id` is the organisation whose case it is, the seller as a rule; a contract recorded by an
    office has none. `office_region_id` is where the office or body that handles it lies. `version`
    is the one at work, `effective` the registered one that counts. Title, class, field and amounts
    repeat what that version says, for lists, searches and sums.
    """

    __tablename__ = "contract"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(STATES)}", name="state"),
        CheckConstraint(f"mode IN {tuple(MODES)}", name="mode"),
        CheckConstraint(f"contract_class IN {tuple(CLASSES)}", name="contract_class"),
        CheckConstraint(f"subclass IN {tuple(SUBCLASSES)}", name="subclass"),
        CheckConstraint(f"refusal IN {tuple(REFUSALS)}", name="refusal"),
        CheckConstraint("state <> 'refused' OR refusal IS NOT NULL", name="refused_with_reason"),
        CheckConstraint("technical_fen >= 0", name="technical"),
        CheckConstraint("total_fen >= technical_fen", name="technical_within_total"),
        CheckConstraint(
            f"state NOT IN ('registered', {', '.join(map(repr, VOID))})"
            " OR (registration_no IS NOT NULL AND registered_on IS NOT NULL"
            " AND registered_by IS NOT NULL AND effective IS NOT NULL"
            " AND total_fen IS NOT NULL AND technical_fen IS NOT NULL)",
            name="registered_whole",
        ),
        CheckConstraint(
            f"(state IN ({', '.join(map(repr, VOID))})) = (void_on IS NOT NULL)", name="void"
        ),
        CheckConstraint("mode = 'elsewhere' OR filer_id IS NOT NULL", name="filed_by"),
        CheckConstraint("mode <> 'own' OR body_id IS NOT NULL", name="own_body"),
        CheckConstraint("(point_id IS NULL) = (point_until IS NULL)", name="authorised"),
        # A number lives once, whoever typed it; a draft of it is no claim.
        Index("uq_contract_registration_no", "registration_no", unique=True),
        Index("ix_contract_filer", "filer_id", "state", "updated_at"),
        Index("ix_contract_seller", "seller_id", "state"),
        Index("ix_contract_buyer", "buyer_id", "state"),
        Index(
            "ix_contract_office",
            "office_region_id",
            "state",
            "updated_at",
            "submitted_at",
            "filer_id",
        ),
        # The desk reads these alone: what stands in the order of the desk, and who may see it.
        Index(
            "ix_contract_office_desk",
            "office_region_id",
            "state",
            "due",
            "submitted_at",
            "filer_id",
        ),
        Index("ix_contract_body_desk", "body_id", "state", "due", "submitted_at"),
        Index("ix_contract_body_moved", "body_id", "state", "updated_at", "submitted_at"),
        Index("ix_contract_moved", "updated_at", "id"),
        Index("ix_contract_body", "body_id", "state", "registered_on"),
        Index("ix_contract_seller_region", "seller_region_id", "state", "registered_on"),
        Index("ix_contract_buyer_region", "buyer_region_id", "state", "registered_on"),
        Index("ix_contract_point", "point_id", "state"),
        Index("ix_contract_registered", "registered_on", "id"),
        Index("ix_contract_intent", "intent_no"),
        Index(
            "ix_contract_uncertified",
            "id",
            sqlite_where=text(UNCERTIFIED),
            postgresql_where=text(UNCERTIFIED),
        ),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    mode: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(12), default="draft")
    filer_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    body_id: Mapped[int | None] = mapped_column(ForeignKey("admission.id"))
    # The service point that the filer authorised in writing to help, and the last day of that.
    point_id: Mapped[int | None] = mapped_column(ForeignKey("admission.id"))
    point_until: Mapped[date | None]
    office_region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    # What it grew from.
    intent_no: Mapped[str | None] = mapped_column(String(20))
    listing_no: Mapped[str | None] = mapped_column(String(20))

    version: Mapped[int] = mapped_column(default=1)
    effective: Mapped[int | None]
    # The version of which a certificate was issued, or tried in vain, in a register kept here.
    certified: Mapped[int | None]
    title: Mapped[str] = mapped_column(String(300), default="")
    contract_class: Mapped[str | None] = mapped_column(String(20))
    subclass: Mapped[str | None] = mapped_column(String(30))
    field: Mapped[str | None] = mapped_column(String(20))
    signed_on: Mapped[date | None]
    total_fen: Mapped[int | None] = mapped_column(BigInteger)
    technical_fen: Mapped[int | None] = mapped_column(BigInteger)
    seller_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    buyer_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    seller_name: Mapped[str] = mapped_column(String(200), default="")
    buyer_name: Mapped[str] = mapped_column(String(200), default="")
    seller_region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    buyer_region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))

    rule_set_id: Mapped[int | None] = mapped_column(ForeignKey("contract_rule_set.id"))
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted_on: Mapped[date | None]
    due: Mapped[date | None]
    due_provisional: Mapped[bool] = mapped_column(default=False)
    first_examiner: Mapped[str | None] = mapped_column(String(200))
    second_examiner: Mapped[str | None] = mapped_column(String(200))
    refusal: Mapped[str | None] = mapped_column(String(20))
    # Of the content that was refused: the same once more is told so.
    refused_hash: Mapped[str | None] = mapped_column(String(64))

    registration_no: Mapped[str | None] = mapped_column(String(40))
    registered_on: Mapped[date | None]
    # The name of the body, also of one that is not in the directory.
    registered_by: Mapped[str | None] = mapped_column(String(200))
    check_code: Mapped[str | None] = mapped_column(String(12))
    void_on: Mapped[date | None]
    # What the public may see, by consent: {"title", "seller", "buyer"} → bool.
    shows: Mapped[dict[str, Any]] = mapped_column(Document)
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    filer: Mapped[Organisation | None] = relationship(foreign_keys=[filer_id])
    seller: Mapped[Organisation | None] = relationship(foreign_keys=[seller_id])
    buyer: Mapped[Organisation | None] = relationship(foreign_keys=[buyer_id])
    body: Mapped[Admission | None] = relationship(foreign_keys=[body_id])
    point: Mapped[Admission | None] = relationship(foreign_keys=[point_id])
    office_region: Mapped[Region] = relationship(foreign_keys=[office_region_id])
    seller_region: Mapped[Region | None] = relationship(foreign_keys=[seller_region_id])
    buyer_region: Mapped[Region | None] = relationship(foreign_keys=[buyer_region_id])
    rule_set: Mapped[RuleSet | None] = relationship()

    @property
    def party_ids(self) -> set[int]:
        """Organisations that are a party or file it."""
        return {one for one in (self.filer_id, self.seller_id, self.buyer_id) if one is not None}

    @classmethod
    def of_party(cls, organisation_id: int) -> ColumnElement[bool]:
        """SQL: contracts that this organisation files or is a party to."""
        return or_(
            cls.filer_id == organisation_id,
            cls.seller_id == organisation_id,
            cls.buyer_id == organisation_id,
        )


class ContractVersion(Base):
    """What a contract says, whole, as it was filed or registered; once registered never changed.

    `content` holds the fields of `schemas.CONTENT` as JSON values, parties among them; personal
    values in it are sealed. `hash` is over the canonical JSON.
    """

    __tablename__ = "contract_version"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(VERSION_STATES)}", name="state"),
        CheckConstraint(
            "(state IN ('registered', 'superseded')) = (registered_on IS NOT NULL)",
            name="registered",
        ),
        UniqueConstraint("contract_id", "version"),
        Index(
            "uq_contract_version_registered",
            "contract_id",
            unique=True,
            sqlite_where=text("state = 'registered'"),
            postgresql_where=text("state = 'registered'"),
        ),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    version: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), default="working")
    content: Mapped[dict[str, Any]] = mapped_column(Document)
    hash: Mapped[str] = mapped_column(String(64))
    # Where each prefilled field came from: name → "intent", "listing", "organisation", "import".
    origins: Mapped[dict[str, Any]] = mapped_column(Document)
    # What was typed and cannot be read yet, sealed JSON: the form shows it again, nothing is lost.
    unread: Mapped[str | None] = mapped_column(Text)
    # What the examiners set: class, subclass, total and technical value, reasons for a difference.
    findings: Mapped[dict[str, Any]] = mapped_column(Document)
    registered_on: Mapped[date | None]
    author: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ContractParty(Base):
    """A party of the version at work or in force, for lists, duplicates and related parties.

    Telephone and legal representative are kept as keyed hashes only: equal ones are found, none is
    read from here.
    """

    __tablename__ = "contract_party"
    __table_args__ = (
        CheckConstraint(f"side IN {tuple(SIDES)}", name="side"),
        UniqueConstraint("contract_id", "side", "position"),
        Index("ix_contract_party_uscc", "uscc"),
        Index("ix_contract_party_organisation", "organisation_id"),
        Index("ix_contract_party_name", "folded_name"),
        Index("ix_contract_party_telephone", "telephone_key"),
        Index("ix_contract_party_legal", "legal_key"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    side: Mapped[str] = mapped_column(String(10))
    position: Mapped[int] = mapped_column(default=0)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str] = mapped_column(String(200))
    folded_name: Mapped[str] = mapped_column(String(200))
    uscc: Mapped[str | None] = mapped_column(String(18))
    country: Mapped[str] = mapped_column(String(3), default="CHN")
    nature: Mapped[str | None] = mapped_column(String(3))
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    telephone_key: Mapped[str | None] = mapped_column(String(64))
    legal_key: Mapped[str | None] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(String(300))


class ContractTerm(Base):
    """Two neighbouring characters of a registered contract's title, parties and numbers."""

    __tablename__ = "contract_term"
    __table_args__ = (Index("ix_contract_term_contract", "contract_id"),)
    term: Mapped[str] = mapped_column(String(4), primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"), primary_key=True)


class Deficiency(Base):
    """Something missing that the filer was told of, all at once (一次性告知)."""

    __tablename__ = "contract_deficiency"
    __table_args__ = (
        CheckConstraint("round BETWEEN 1 AND 50", name="round"),
        Index("ix_contract_deficiency_contract", "contract_id", "round", "id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    round: Mapped[int]
    code: Mapped[str] = mapped_column(String(20))
    field: Mapped[str | None] = mapped_column(String(40))
    words: Mapped[str] = mapped_column(String(500))
    answered: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
