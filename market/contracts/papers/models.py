"""Papers that were issued and are kept as they were: certificates, by contract and issue."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.core.db import Base, RowId, UtcDateTime

ISSUED, FAILED = "issued", "failed"


class ContractPaper(Base):
    """A certificate (技术合同登记证明) as it was issued; the file itself is attached to this row.

    `issue` counts all that were issued of a contract; `edition` is the number printed on it, which
    moves only when what is registered changes. One that could not be made has `trouble` instead.
    """

    __tablename__ = "contract_paper"
    __table_args__ = (
        CheckConstraint(f"state IN ('{ISSUED}', '{FAILED}')", name="state"),
        CheckConstraint(f"(state = '{ISSUED}') = (hash IS NOT NULL)", name="issued_with_file"),
        CheckConstraint(
            f"(state = '{FAILED}') = (trouble IS NOT NULL)", name="failed_with_trouble"
        ),
        UniqueConstraint("contract_id", "issue"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    issue: Mapped[int]
    version: Mapped[int]
    edition: Mapped[int]
    state: Mapped[str] = mapped_column(String(10))
    trouble: Mapped[str | None] = mapped_column(String(500))
    hash: Mapped[str | None] = mapped_column(String(64))
    # Whose certificate signed it; empty where none is configured.
    signer: Mapped[str | None] = mapped_column(String(200))
    issued_on: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
