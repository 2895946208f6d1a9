"""Changes asked of decided contracts, and money that sellers received."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation
from market.contracts.models import Contract
from market.core.db import Base, Document, RowId, UtcDateTime
from market.core.languages import N_
from market.regions.models import Region

KINDS = {
    "amend": N_("变更登记"),
    "cancel": N_("注销登记"),
    "annul": N_("撤销登记"),
    "review": N_("异议复查"),
}
STATES = {
    "draft": N_("草稿"),
    "submitted": N_("待办理"),
    "returned": N_("待补正"),
    "examined": N_("待复审"),
    "done": N_("已办结"),
    "refused": N_("未予办理"),
    "withdrawn": N_("已撤回"),
}
OPEN = ("draft", "submitted", "returned", "examined")
UNSENT = ("draft", "returned")
_OPEN = text(f"state IN {OPEN}")
# Who asks for it. Tax and finance offices have no account for this: an office records their letter.
ASKERS = {
    "party": N_("当事人"),
    "office": N_("登记机构或科技管理部门"),
    "finance": N_("财政部门"),
    "tax": N_("税务部门"),
}
# What became of a 异议复查.
OUTCOMES = {
    "confirmed": N_("维持原来的决定"),
    "corrected": N_("更正核定的金额或类别"),
    "reopened": N_("撤销原来的决定"),
}
RECEIPT_KINDS = {
    "price": N_("价款"),
    "entry": N_("入门费"),
    "royalty": N_("提成"),
    "other": N_("其他"),
}


class ContractChange(Base):
    """Something asked of a decided contract: amend, cancel, annul, look at it again.

    `version` is the content that is to take the place of the registered one; `base_version` the one
    that was registered when it was asked: a later one makes the change stale. `asker_id` is empty
    where an office asks. `findings` is what the office found: amounts and class as they count from
    now, the outcome of a 异议复查. `touches` lists what the change touches, as it was shown to the
    one who decided. One change of a contract is open at a time.
    """

    __tablename__ = "contract_change"
    __table_args__ = (
        CheckConstraint(f"kind IN {tuple(KINDS)}", name="kind"),
        CheckConstraint(f"state IN {tuple(STATES)}", name="state"),
        CheckConstraint(f"asked_by IN {tuple(ASKERS)}", name="asked_by"),
        CheckConstraint("(asked_by = 'party') = (asker_id IS NOT NULL)", name="asker"),
        CheckConstraint(f"outcome IN {tuple(OUTCOMES)}", name="outcome"),
        CheckConstraint(
            "(kind = 'review' AND state = 'done') = (outcome IS NOT NULL)", name="reviewed"
        ),
        CheckConstraint("state <> 'done' OR decided_on IS NOT NULL", name="decided"),
        CheckConstraint("kind <> 'amend' OR version IS NOT NULL", name="amended"),
        CheckConstraint(
            "state IN ('draft', 'withdrawn') OR submitted_at IS NOT NULL", name="submitted"
        ),
        Index(
            "uq_contract_change_open",
            "contract_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_contract_change_contract", "contract_id", "id"),
        Index("ix_contract_change_office", "office_region_id", "state", "updated_at"),
        Index("ix_contract_change_asker", "asker_id", "state"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(12), default="draft")
    asker_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    asked_by: Mapped[str] = mapped_column(String(10), default="party")
    # The tax or finance office that objects, and its letter.
    asked_name: Mapped[str | None] = mapped_column(String(200))
    office_region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    base_version: Mapped[int | None]
    version: Mapped[int | None]
    ground: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(1000))
    # When it was last sent in; what a party never sent concerns nobody else.
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # What the party said before an annulment, or that it said nothing in time.
    hearing: Mapped[str | None] = mapped_column(String(1000))
    happened_on: Mapped[date | None]
    findings: Mapped[dict[str, Any]] = mapped_column(Document)
    outcome: Mapped[str | None] = mapped_column(String(12))
    answer: Mapped[str | None] = mapped_column(String(1000))
    decided_on: Mapped[date | None]
    touches: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    contract: Mapped[Contract] = relationship()
    asker: Mapped[Organisation | None] = relationship()
    office_region: Mapped[Region] = relationship()

    @property
    def url(self) -> str:
        """Its page."""
        return f"/contracts/{self.contract.no}/changes/{self.no}"


class ContractReceipt(Base):
    """Money that the seller received (到账), royalties among others; reversed, never erased.

    Of a royalty: the year it is for and the base it was counted from (sales, output, profit).
    `cost_fen` is what was spent to earn it, where the seller tells it.
    """

    __tablename__ = "contract_receipt"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", name="amount"),
        CheckConstraint("(reverses_id IS NULL) = (amount_fen > 0)", name="reversal"),
        CheckConstraint(f"kind IN {tuple(RECEIPT_KINDS)}", name="kind"),
        CheckConstraint("base_fen > 0", name="base"),
        CheckConstraint("year BETWEEN 1980 AND 2200", name="year"),
        Index("ix_contract_receipt_contract", "contract_id", "received_on"),
        UniqueConstraint("reverses_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    kind: Mapped[str] = mapped_column(String(10), default="price")
    received_on: Mapped[date]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    cost_fen: Mapped[int | None] = mapped_column(BigInteger)
    year: Mapped[int | None]
    base_fen: Mapped[int | None] = mapped_column(BigInteger)
    what: Mapped[str] = mapped_column(String(200))
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("contract_receipt.id"))
    author: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    contract: Mapped[Contract] = relationship()
