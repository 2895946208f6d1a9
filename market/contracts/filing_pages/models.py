"""What an import of contracts left: the drafts it made or wrote into."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from market.core.db import Base, Document


class ContractTrace(Base):
    """A draft that an import made, or wrote into: then `before` holds what it said.

    `version` is the draft's counter after the import; another one says that somebody went on.
    """

    __tablename__ = "contract_trace"
    __table_args__ = (Index("ix_contract_trace_contract", "contract_id"),)
    run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"), primary_key=True)
    version: Mapped[int]
    before: Mapped[dict[str, Any] | None] = mapped_column(Document)
