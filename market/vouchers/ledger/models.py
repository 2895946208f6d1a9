"""Accounts of voucher money and the entries that move it. Entries and lines are never changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.core.db import Base, RowId, UtcDateTime

KINDS = {
    "funding": "预算来源",
    "available": "可用额度",
    "reserved": "已占用额度",
    "approved": "已审定待拨付",
    "paid": "已拨付",
    "recovered": "已追回",
}
ENTRY_KINDS = {
    "budget": "下达预算",
    "cut": "核减预算",
    "reserve": "占用额度",
    "release": "退回额度",
    "approve": "审定",
    "pay": "拨付",
    "bounce": "退票",
    "recover": "追回",
    "reverse": "冲正",
}


class LedgerAccount(Base):
    """Money of one scheme, year and payer's region, of one kind.

    `balance_fen` repeats the sum of its lines; only `posting.post` moves it.
    """

    __tablename__ = "ledger_account"
    __table_args__ = (
        CheckConstraint(f"kind IN {tuple(KINDS)}", name="kind"),
        CheckConstraint("kind = 'funding' OR balance_fen >= 0", name="balance"),
        UniqueConstraint("scheme_id", "year", "region_id", "kind"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    scheme_id: Mapped[int] = mapped_column(ForeignKey("voucher_scheme.id"))
    year: Mapped[int]
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    balance_fen: Mapped[int] = mapped_column(BigInteger, default=0)


class LedgerEntry(Base):
    """One movement of money. `key` makes it safe to repeat; `reverses_id`: what it takes back."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        CheckConstraint(f"kind IN {tuple(ENTRY_KINDS)}", name="kind"),
        CheckConstraint("(kind = 'reverse') = (reverses_id IS NOT NULL)", name="reverses"),
        UniqueConstraint("key"),
        UniqueConstraint("reverses_id"),
        Index("ix_ledger_entry_subject", "subject_kind", "subject_id", "id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    key: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(10))
    subject_kind: Mapped[str] = mapped_column(String(30))
    subject_id: Mapped[int] = mapped_column(BigInteger)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.id"))
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_label: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    lines: Mapped[list[LedgerLine]] = relationship(order_by="LedgerLine.account_id")


class LedgerLine(Base):
    """What an entry adds to an account (or takes, below zero). The lines of an entry sum to zero."""

    __tablename__ = "ledger_line"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", name="amount"),
        UniqueConstraint("entry_id", "account_id"),
        Index("ix_ledger_line_account", "account_id", "entry_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entry.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"))
    amount_fen: Mapped[int] = mapped_column(BigInteger)

    account: Mapped[LedgerAccount] = relationship()
