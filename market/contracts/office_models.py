"""What bodies and offices keep: rule sets, opinions of experts, formats and counters of numbers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.core.db import Base, Document, RowId, UtcDateTime
from market.core.languages import N_
from market.regions.models import InRegion, Region

CLOCK_UNITS = {"natural": N_("自然日"), "working": N_("工作日")}
THRESHOLD_BASES = {
    "technical_value": N_("技术交易额"),
    "total_value": N_("合同成交额"),
    "subject_value": N_("标的额"),
}
# What happens to a contract that reaches a threshold.
EFFECTS = {
    "expert": N_("专家评审"),
    "upper": N_("送上级机构"),
    "list_only": N_("只影响登记清单"),
}
# What an expert thinks of what was filed.
VERDICTS = {"agree": N_("同意认定"), "partly": N_("部分同意"), "against": N_("不同意认定")}


class RuleSet(InRegion, Base):
    """The rules of a place from a day on: clocks and thresholds, with their source.

    A region's set counts for all below it until a nearer one is in force. `clock_days` is empty
    where no clock is known: then days elapsed are shown and nothing is overdue. `enabled` is false
    for texts that are not confirmed: they are in force nowhere until an office enables them.
    `thresholds`: rows of {"base", "from_fen", "classes", "effect", "source"}.
    """

    __tablename__ = "contract_rule_set"
    __table_args__ = (
        CheckConstraint(f"clock_unit IN {tuple(CLOCK_UNITS)}", name="clock_unit"),
        CheckConstraint("(clock_days IS NULL) = (clock_unit IS NULL)", name="clock_whole"),
        CheckConstraint("clock_days BETWEEN 1 AND 365", name="clock_days"),
        CheckConstraint("large_days BETWEEN 1 AND 365", name="large_days"),
        CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name="period"),
        UniqueConstraint("code", "region_id", "valid_from"),
        Index("ix_contract_rule_set_region", "region_id", "enabled", "valid_from"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    code: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(500))
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    clock_days: Mapped[int | None]
    clock_unit: Mapped[str | None] = mapped_column(String(10))
    # For contracts that reach an "expert" threshold, where the rules give them longer.
    large_days: Mapped[int | None]
    # Whether the clock begins anew when the missing papers came.
    restarts: Mapped[bool] = mapped_column(default=False)
    thresholds: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    confirmed: Mapped[bool] = mapped_column(default=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    enabled_by: Mapped[str | None] = mapped_column(String(200))
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    region: Mapped[Region | None] = relationship()


class ContractOpinion(Base):
    """What an expert said about a contract; the office and the body alone read it."""

    __tablename__ = "contract_opinion"
    __table_args__ = (
        CheckConstraint(f"verdict IN {tuple(VERDICTS)}", name="verdict"),
        Index("ix_contract_opinion_contract", "contract_id", "id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    expert: Mapped[str] = mapped_column(String(60))
    unit: Mapped[str | None] = mapped_column(String(200))
    verdict: Mapped[str] = mapped_column(String(10))
    words: Mapped[str] = mapped_column(String(2000))
    said_on: Mapped[date]
    author: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class NumberFormat(Base):
    """How a body that keeps its register here writes its numbers, from a year on.

    `pattern` holds {year}, {yy}, {region}, {body} and one {serial:0N}; the serial counts from 1 per
    body and year.
    """

    __tablename__ = "contract_number_format"
    __table_args__ = (UniqueConstraint("body_id", "from_year"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    body_id: Mapped[int] = mapped_column(ForeignKey("admission.id"))
    from_year: Mapped[int]
    pattern: Mapped[str] = mapped_column(String(60))
    body_code: Mapped[str | None] = mapped_column(String(12))
    author: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class NumberCounter(Base):
    """The last serial that a body gave in a year; moved only with the contract it numbers."""

    __tablename__ = "contract_number_counter"
    __table_args__ = (CheckConstraint("last >= 0", name="last"),)
    body_id: Mapped[int] = mapped_column(ForeignKey("admission.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)
