"""Claims with their invoices, reviews and payments; batches; bars; declared parties."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation, OwnedBy
from market.core.db import Base, Document, RowId, UtcDateTime
from market.core.languages import N_
from market.regions.models import InRegion, Region
from market.vouchers.models import Order, Scheme, SchemeVersion, Voucher

CLAIM_STATES = {
    "draft": N_("草稿"),
    "submitted": N_("审核中"),
    "returned": N_("待补正"),
    "reviewed": N_("审核通过，待公示"),
    "notice": N_("公示中"),
    "payable": N_("待拨付"),
    "batched": N_("已列入拨付批次"),
    "paid": N_("已拨付"),
    "bounced": N_("退票"),
    "refused": N_("不通过"),
    "withdrawn": N_("已撤回"),
    "recovered": N_("已追回"),
}
BANK = "voucher.bank"  # under which an account is sealed
OPEN = ("submitted", "returned", "reviewed", "notice", "payable", "batched", "bounced")
COUNTED = (*OPEN, "paid")
USED = (*COUNTED, "recovered")  # what was paid for an order is spent, also when it came back
BATCH_STATES = {
    "open": N_("编制中"),
    "countersigned": N_("财政已会签"),
    "sent": N_("已送拨付"),
    "closed": N_("已办结"),
    "discarded": N_("已作废"),
}
CHECK_RESULTS = {
    "valid": N_("正常"),
    "red": N_("已红冲"),
    "void": N_("已作废"),
    "unknown": N_("查无此票"),
}
CLAIM_KINDS = {"claim": N_("兑付"), "award": N_("服务机构奖励")}
DECISIONS = {"pass": N_("通过"), "return": N_("退回补正"), "refuse": N_("不通过")}
PAYMENT_STATES = {"paid": N_("已拨付"), "bounced": N_("退票"), "recovered": N_("已追回")}
PARTY_KINDS = (
    "legal_person",
    "controller",
    "shareholder",
    "telephone",
    "address",
    "account",
    "branch",
    "co_built",
)


class Batch(InRegion, Base):
    """A payment batch (拨付批次): meeting, fund document, the finance office's countersign."""

    __tablename__ = "voucher_batch"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(BATCH_STATES)}", name="state"),
        CheckConstraint(
            "state NOT IN ('countersigned', 'sent', 'closed') OR (meeting_no IS NOT NULL"
            " AND meeting_on IS NOT NULL AND fund_no IS NOT NULL AND fund_on IS NOT NULL)",
            name="decided",
        ),
        Index("ix_voucher_batch_region", "region_id", "state"),
        Index("ix_voucher_batch_scheme", "scheme_id", "id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    scheme_id: Mapped[int] = mapped_column(ForeignKey("voucher_scheme.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    title: Mapped[str] = mapped_column(String(200))
    meeting_no: Mapped[str | None] = mapped_column(String(60))
    meeting_on: Mapped[date | None]
    fund_no: Mapped[str | None] = mapped_column(String(60))
    fund_on: Mapped[date | None]
    state: Mapped[str] = mapped_column(String(14), default="open")
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    region: Mapped[Region] = relationship()
    scheme: Mapped[Scheme] = relationship()


class Claim(OwnedBy, InRegion, Base):
    """A claim (兑付) of `claimant_id`, the firm or the provider, with or without a voucher.

    `items`: what was bought; `outcome`: amount and trace by the rules; `amount_fen`: what was
    approved. `findings`: what the checks found, with the evidence; `bank` is sealed.
    `kind`: an award is what a provider gets beside the price; then `items` hold its volume.
    `level`: how many levels of the review chain are done. `round`: 1 after it was returned once.
    """

    __tablename__ = "voucher_claim"
    OWNER = "claimant_id"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(CLAIM_STATES)}", name="state"),
        CheckConstraint(f"kind IN {tuple(CLAIM_KINDS)}", name="kind"),
        CheckConstraint("asked_fen > 0", name="asked"),
        CheckConstraint("amount_fen IS NULL OR amount_fen > 0", name="amount"),
        CheckConstraint(
            "state NOT IN ('reviewed', 'notice', 'payable', 'batched', 'paid', 'bounced',"
            " 'recovered') OR amount_fen IS NOT NULL",
            name="approved",
        ),
        CheckConstraint("state <> 'batched' OR batch_id IS NOT NULL", name="batched"),
        CheckConstraint("voucher_fen >= 0", name="voucher"),
        CheckConstraint("top_up_fen >= 0", name="top_up"),
        Index("ix_voucher_claim_scheme", "scheme_id", "state", "id"),
        Index("ix_voucher_claim_claimant", "claimant_id", "id"),
        Index("ix_voucher_claim_firm", "organisation_id", "year"),
        Index("ix_voucher_claim_provider", "provider_id", "year"),
        Index("ix_voucher_claim_region", "region_id", "state"),
        Index("ix_voucher_claim_batch", "batch_id"),
        Index("ix_voucher_claim_voucher", "voucher_id"),
        Index("ix_voucher_claim_contract", "contract_key"),
        Index("ix_voucher_claim_bank", "bank_key"),
        Index(
            "uq_voucher_claim_order",
            "order_id",
            unique=True,
            sqlite_where=text(f"state IN {COUNTED}"),
            postgresql_where=text(f"state IN {COUNTED}"),
        ),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    scheme_id: Mapped[int] = mapped_column(ForeignKey("voucher_scheme.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("voucher_scheme_version.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    claimant_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str] = mapped_column(String(10), default="claim")
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("voucher_order.id"))
    voucher_id: Mapped[int | None] = mapped_column(ForeignKey("voucher.id"))
    year: Mapped[int]
    items: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    evidence: Mapped[list[str]] = mapped_column(Document)
    facts: Mapped[dict[str, Any]] = mapped_column(Document)
    decided: Mapped[dict[str, Any]] = mapped_column(Document)
    outcome: Mapped[dict[str, Any] | None] = mapped_column(Document)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    asked_fen: Mapped[int] = mapped_column(BigInteger)
    amount_fen: Mapped[int | None] = mapped_column(BigInteger)
    # What others add to it and is paid with it; no cap counts it.
    top_up_fen: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    # What it holds of its voucher, or of its cap where there is none.
    voucher_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    contract_no: Mapped[str | None] = mapped_column(String(100))
    contract_key: Mapped[str | None] = mapped_column(String(100))
    service_from: Mapped[date | None]
    service_to: Mapped[date | None]
    bank: Mapped[str | None] = mapped_column(Text)
    bank_key: Mapped[str | None] = mapped_column(String(32))
    bank_shown: Mapped[str | None] = mapped_column(String(200))
    level: Mapped[int] = mapped_column(default=0)
    round: Mapped[int] = mapped_column(default=0)
    entered_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    # None: not drawn yet; true: drawn, and until `checked_on` it cannot be paid.
    drawn: Mapped[bool | None]
    checked_on: Mapped[date | None]
    check_words: Mapped[str | None] = mapped_column(String(1000))
    notice_no: Mapped[str | None] = mapped_column(String(20))
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("voucher_batch.id"))
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(12), default="draft")
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    owner: Mapped[Organisation] = relationship(foreign_keys=[claimant_id])
    firm: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])
    provider: Mapped[Organisation | None] = relationship(foreign_keys=[provider_id])
    region: Mapped[Region] = relationship()
    scheme: Mapped[Scheme] = relationship()
    version: Mapped[SchemeVersion] = relationship()
    order: Mapped[Order | None] = relationship()
    voucher: Mapped[Voucher | None] = relationship()
    batch: Mapped[Batch | None] = relationship()
    invoices: Mapped[list[Invoice]] = relationship(order_by="Invoice.id")

    @property
    def total_fen(self) -> int:
        """What is paid of it: what was approved, and what others add."""
        return (self.amount_fen or 0) + self.top_up_fen


class Invoice(Base):
    """An invoice of a claim. `key`: twenty digits alone, else code and number; once in force."""

    __tablename__ = "voucher_invoice"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint(f"result IN {tuple(CHECK_RESULTS)}", name="result"),
        CheckConstraint(f"again IN {tuple(CHECK_RESULTS)}", name="again"),
        CheckConstraint(f"own_result IN {tuple(CHECK_RESULTS)}", name="own_result"),
        Index("ix_voucher_invoice_claim", "claim_id"),
        Index("ix_voucher_invoice_key", "key"),
        Index(
            "uq_voucher_invoice_active",
            "key",
            unique=True,
            sqlite_where=text("active"),
            postgresql_where=text("active"),
        ),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("voucher_claim.id"))
    key: Mapped[str] = mapped_column(String(60))
    code: Mapped[str] = mapped_column(String(20), default="")
    number: Mapped[str] = mapped_column(String(30))
    day: Mapped[date]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3), default="CNY")
    # Whether its claim is sent in and not refused: then no other claim anywhere may use it.
    active: Mapped[bool] = mapped_column(default=False, server_default=false())
    # What the claimant found when it checked the invoice itself; the office checks anyway.
    own_result: Mapped[str | None] = mapped_column(String(10))
    own_on: Mapped[date | None]
    # The check (查验) typed at review, and the second one before payment.
    result: Mapped[str | None] = mapped_column(String(10))
    checked_on: Mapped[date | None]
    again: Mapped[str | None] = mapped_column(String(10))
    again_on: Mapped[date | None]


class Review(Base):
    """What a level of the chain said, with reasons by field."""

    __tablename__ = "voucher_review"
    __table_args__ = (
        CheckConstraint(f"decision IN {tuple(DECISIONS)}", name="decision"),
        Index("ix_voucher_review_claim", "claim_id", "id"),
        Index("ix_voucher_review_person", "person_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("voucher_claim.id"))
    round: Mapped[int]
    level: Mapped[int]
    decision: Mapped[str] = mapped_column(String(10))
    reasons: Mapped[dict[str, str]] = mapped_column(Document)
    # How the claimant mended each thing, by the same fields.
    answers: Mapped[dict[str, str] | None] = mapped_column(Document)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Payment(Base):
    """A treasury payment for a claim; a number of the treasury stands for one payment."""

    __tablename__ = "voucher_payment"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(PAYMENT_STATES)}", name="state"),
        CheckConstraint("amount_fen > 0", name="amount"),
        UniqueConstraint("region_id", "treasury_no"),
        Index("ix_voucher_payment_batch", "batch_id"),
        Index(
            "uq_voucher_payment_paid",
            "claim_id",
            unique=True,
            sqlite_where=text("state <> 'bounced'"),
            postgresql_where=text("state <> 'bounced'"),
        ),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("voucher_claim.id"))
    batch_id: Mapped[int] = mapped_column(ForeignKey("voucher_batch.id"))
    # Whose treasury paid: each numbers its own.
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    treasury_no: Mapped[str] = mapped_column(String(60))
    paid_on: Mapped[date]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(10), default="paid")
    reason: Mapped[str | None] = mapped_column(String(1000))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Bar(InRegion, Base):
    """An organisation may not apply or claim in a region (停止申领资格)."""

    __tablename__ = "voucher_bar"
    __table_args__ = (
        CheckConstraint("begins_on <= ends_on", name="period"),
        Index("ix_voucher_bar_organisation", "organisation_id", "ends_on"),
        Index("ix_voucher_bar_region", "region_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    begins_on: Mapped[date]
    ends_on: Mapped[date]
    reason: Mapped[str] = mapped_column(String(1000))
    claim_id: Mapped[int | None] = mapped_column(ForeignKey("voucher_claim.id"), index=True)
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    region: Mapped[Region] = relationship()


class Party(Base):
    """A fact about an organisation by which related parties are found; `key` stands for it.

    `value` is sealed; `shown` is masked. Shareholders may be other organisations: then `key` is
    the pseudonym of their credit code.
    """

    __tablename__ = "voucher_party"
    __table_args__ = (
        CheckConstraint(f"kind IN {PARTY_KINDS}", name="kind"),
        UniqueConstraint("organisation_id", "kind", "key"),
        Index("ix_voucher_party_key", "key", "kind"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(String(32))
    value: Mapped[str] = mapped_column(Text)
    shown: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    # When it was withdrawn: it stays, so that nobody talks himself out of a relation.
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
