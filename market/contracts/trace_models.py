"""What imports of contracts left: what they made, or wrote into."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from market.core.db import Base, Document


class ContractTrace(Base):
    """A draft or a record that an import made, or a contract that it wrote into.

    Of the latter `before` holds what it said: a draft's content, or what had been found of a case
    to which the import gave its result. `version` is the contract's counter after the import;
    another one says that somebody went on.
    """

    __tablename__ = "contract_trace"
    __table_args__ = (Index("ix_contract_trace_contract", "contract_id"),)
    run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"), primary_key=True)
    version: Mapped[int]
    before: Mapped[dict[str, Any] | None] = mapped_column(Document)
