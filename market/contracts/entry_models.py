"""What the sums of registered contracts are counted from."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from market.contracts.codes import CLASSES
from market.core.db import Base, RowId, UtcDateTime

# What an entry of the sums stands for.
ENTRIES = ("registered", "amended", "corrected", "cancelled", "annulled")


class ContractEntry(Base):
    """What a day adds to, or takes from, the sums of registered contracts; appended, never changed.

    A registration adds one contract and its amounts on its day (登记日期); a change takes off what
    was counted and adds what counts now; an end takes it off. A year that was reported stays.
    """

    __tablename__ = "contract_entry"
    __table_args__ = (
        CheckConstraint("contracts IN (-1, 1)", name="contracts"),
        CheckConstraint(f"what IN {ENTRIES}", name="what"),
        CheckConstraint(f"contract_class IN {tuple(CLASSES)}", name="contract_class"),
        Index("ix_contract_entry_contract", "contract_id", "id"),
        Index("ix_contract_entry_seller", "seller_region_id", "day"),
        Index("ix_contract_entry_buyer", "buyer_region_id", "day"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    day: Mapped[date]
    what: Mapped[str] = mapped_column(String(12))
    contracts: Mapped[int]
    total_fen: Mapped[int] = mapped_column(BigInteger)
    technical_fen: Mapped[int] = mapped_column(BigInteger)
    contract_class: Mapped[str | None] = mapped_column(String(20))
    seller_region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    buyer_region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
