"""What a caller asks, until a clerk has made a demand of it. Nothing of it is public."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation
from market.core.db import Base, Document, RowId, UtcDateTime
from market.core.languages import N_
from market.regions.models import InRegion, Region

STATES = {
    "new": N_("待回访"),
    "doubtful": N_("待甄别"),
    "calling": N_("回访中"),
    "completed": N_("已代录"),
    "dropped": N_("不受理"),
    "duplicate": N_("重复"),
}
OPEN = ("new", "doubtful", "calling")
SOURCES = {
    "web": N_("网上填写"),
    "telephone": N_("电话"),
    "visit": N_("来访"),
    "wechat": N_("微信"),
    "paper": N_("纸质"),
}
# What makes a demand from the open form doubtful.
DOUBTS = {
    "link": "文字里有网址",
    "repeated": "同样的文字近期已报过",
    "foreign": "没有汉字",
    "many": "同一电话还有多件未办结",
    "trap": "填了看不见的栏目，像是程序填的",
    "fast": "填得太快，或没有打开过表单",
}


class Intake(InRegion, Base):
    """A first demand: from the open form, or typed by an office for a caller.

    Name and telephone of the caller are sealed; `telephone_key` is a keyed hash by which an office
    finds out whether he asked before. The receipt's address holds a word of which only the hash is
    kept. `network` stands for the network address, to limit how many come from one.
    """

    __tablename__ = "intake"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(STATES)}", name="state"),
        CheckConstraint(f"source IN {tuple(SOURCES)}", name="source"),
        CheckConstraint(
            "(state = 'completed') = (submission_no IS NOT NULL)", name="completed_with_a_draft"
        ),
        CheckConstraint("(state = 'duplicate') = (duplicate_of_id IS NOT NULL)", name="duplicate"),
        Index("ix_intake_state", "state", "due"),
        Index("ix_intake_region", "region_id", "state", "due"),
        Index("ix_intake_telephone", "telephone_key", "created_at"),
        Index("ix_intake_text", "text_key", "created_at"),
        Index("ix_intake_network", "network", "created_at"),
        Index("ix_intake_organisation", "organisation_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    receipt_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    receipt_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    source: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    problem: Mapped[str] = mapped_column(Text)
    product: Mapped[str] = mapped_column(String(100))
    target: Mapped[str | None] = mapped_column(String(200))
    firm: Mapped[str] = mapped_column(String(200))
    uscc: Mapped[str | None] = mapped_column(String(18))
    # The caller wants the demand published without the firm's name.
    name_hidden: Mapped[bool] = mapped_column(default=False, server_default=false())
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    # Sealed; erased some time after a case was not taken up.
    contact: Mapped[str | None] = mapped_column(Text)
    telephone: Mapped[str | None] = mapped_column(Text)
    telephone_key: Mapped[str | None] = mapped_column(String(32))
    text_key: Mapped[str] = mapped_column(String(64))
    doubts: Mapped[list[str]] = mapped_column(Document)
    # Separate consent (个人信息保护法 arts. 14, 17): when it was given.
    consent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    network: Mapped[str] = mapped_column(String(32), default="")
    sender: Mapped[str] = mapped_column(String(200))
    calls: Mapped[int] = mapped_column(default=0)
    # Until when somebody rings (again).
    due: Mapped[date]
    provisional: Mapped[bool] = mapped_column(default=False)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    submission_no: Mapped[str | None] = mapped_column(String(20))
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("intake.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    region: Mapped[Region] = relationship()
    organisation: Mapped[Organisation | None] = relationship()
    duplicate_of: Mapped[Intake | None] = relationship(remote_side=[id])
