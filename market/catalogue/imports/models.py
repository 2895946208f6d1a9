"""A file that somebody brought to be imported, and how far it has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation, OwnedBy
from market.catalogue.publishing.models import OWN_SIGN_OFF
from market.core.db import Base, Document, RowId, UtcDateTime
from market.regions.models import InRegion, Region

IMPORT_STATES = {
    "waiting": "等待检查",
    "checking": "正在检查",
    "checked": "检查通过",
    "refused": "未通过检查",
    "importing": "正在导入",
    "done": "已导入",
    "undone": "已撤销",
    "failed": "已中断",
    "discarded": "已放弃",
}
# The worker has it in hand, or will have.
UNDERWAY = ("waiting", "checking", "importing")
MODES = {"publish": "直接公开", "drafts": "存为草稿"}


class ImportJob(OwnedBy, InRegion, Base):
    """One file to import, for one organisation or for the area of an office.

    The file lies in a folder of its own under a name that tells nothing (`stored`). `holder` is
    the word of the worker that has it; `run_id` the import that showed its rows.
    """

    __tablename__ = "import_job"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(IMPORT_STATES)}", name="state"),
        CheckConstraint(f"mode IN {tuple(MODES)}", name="mode"),
        CheckConstraint("(organisation_id IS NULL) <> (region_id IS NULL)", name="owner"),
        CheckConstraint(
            "state NOT IN ('importing', 'done', 'undone') OR mode IS NOT NULL", name="decided"
        ),
        Index("ix_import_job_state", "state", "id"),
        Index("ix_import_job_organisation", "organisation_id", "id"),
        Index("ix_import_job_region", "region_id", "id"),
        Index("ix_import_job_finished", "finished_at"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    kind: Mapped[str] = mapped_column(String(30))
    state: Mapped[str] = mapped_column(String(20), default="waiting")
    mode: Mapped[str | None] = mapped_column(String(10))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    token_id: Mapped[int | None] = mapped_column(ForeignKey("api_token.id"))
    actor_label: Mapped[str] = mapped_column(String(200))
    file_name: Mapped[str] = mapped_column(String(200))
    size: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
    stored: Mapped[str | None] = mapped_column(String(60))
    rows_seen: Mapped[int] = mapped_column(default=0)
    rows_total: Mapped[int | None]
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    warned: Mapped[int] = mapped_column(default=0)
    problem_count: Mapped[int] = mapped_column(default=0)
    # Why the file as a whole could not be taken.
    fault: Mapped[str | None] = mapped_column(Text)
    sheet: Mapped[str] = mapped_column(String(100), default="")
    problems: Mapped[list[dict[str, Any]]] = mapped_column(Document, deferred=True)
    preview: Mapped[list[dict[str, Any]]] = mapped_column(Document, deferred=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))
    holder: Mapped[str | None] = mapped_column(String(40))
    heartbeat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    owner: Mapped[Organisation | None] = relationship()
    region: Mapped[Region | None] = relationship()

    @property
    def publishes(self) -> bool:
        """Whether its rows may be shown at once, or become drafts for the office to look at."""
        return self.owner is None or publishes(self.owner)

    @property
    def fresh(self) -> int:
        """How many rows would change something."""
        return self.added + self.changed

    @property
    def url(self) -> str:
        """Its page."""
        return f"/imports/{self.no}"


def publishes(owner: Organisation) -> bool:
    """Whether an organisation publishes on its own word."""
    return owner.kind in OWN_SIGN_OFF and owner.verified_at is not None


class ImportDraft(Base):
    """A draft that an import made, or wrote into: then `before` holds what was typed there.

    `version` is the draft's after the import; another one says that somebody went on with it.
    """

    __tablename__ = "import_draft"
    run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    submission_id: Mapped[int] = mapped_column(
        ForeignKey("listing_submission.id"), primary_key=True
    )
    version: Mapped[int]
    before: Mapped[dict[str, Any] | None] = mapped_column(Document)
