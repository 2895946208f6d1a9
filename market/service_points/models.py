"""Admissions of organisations, who works there, and specialists (brokers and experts)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    and_,
    or_,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from market.accounts.models import Organisation, OwnedBy
from market.accounts.people.models import Person
from market.core.db import Base, Document, RowId, UtcDateTime
from market.core.languages import N_
from market.regions.models import InRegion, Region

KINDS = {
    "registration_body": N_("技术合同登记机构"),
    "service_point": N_("技术合同登记服务点"),
    "transfer_institution": N_("技术转移服务机构"),
    "voucher_provider": N_("创新券服务机构"),
    "productivity_centre": N_("生产力促进中心"),
    "expert_yard": N_("专家大院"),
    "station": N_("科技特派员工作站"),
    "demonstration_site": N_("示范基地"),
}
BODY, POINT = "registration_body", "service_point"
# Those that are places: one organisation may run several, each in a region of its own.
PLACES = (POINT, "expert_yard", "station", "demonstration_site")
STATES = {"active": N_("正常办理"), "suspended": N_("暂停办理"), "ended": N_("已终止")}
# What a body may do and what a point may do are two lists: a point never examines or certifies.
BODY_POWERS = {
    "accept": N_("受理登记申请"),
    "examine": N_("审查认定"),
    "register": N_("准予登记"),
    "certify": N_("出具登记证明"),
}
POINT_POWERS = {
    "help": N_("帮助填写"),
    "pre_check": N_("登记前自查"),
    "collect": N_("收集扫描材料"),
    "hand_in": N_("代为递交"),
}
POWERS = {BODY: BODY_POWERS, POINT: POINT_POWERS}
AMOUNT_BASES = {
    "total_value": N_("合同成交额"),
    "technical_value": N_("技术交易额"),
    "unknown": N_("口径未定"),
}
# Whether a body registers in the national system or, on this site, in a register of its own.
MODES = {"external": N_("全国系统登记"), "own": N_("本站登记")}
AB_ROLES = {"a": N_("A 角"), "b": N_("B 角")}
SORTS = ("field", "industry")
SPECIALIST_KINDS = {"broker": N_("技术经理人"), "expert": N_("专家")}
GRADES = {
    "junior": N_("初级技术经纪人"),
    "middle": N_("中级技术经纪人"),
    "senior": N_("高级技术经理人"),
}


class Admission(OwnedBy, InRegion, Base):
    """That an organisation was admitted as something, where, for how long and by which document.

    `region_id` is where it stands, perhaps a township; where it serves is in `areas` and `units`.
    `reason` says why it is suspended or ended.
    """

    __tablename__ = "admission"
    __table_args__ = (
        CheckConstraint(f"kind IN {tuple(KINDS)}", name="kind"),
        CheckConstraint(f"state IN {tuple(STATES)}", name="state"),
        CheckConstraint("(state = 'active') = (reason IS NULL)", name="reason"),
        CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name="period"),
        CheckConstraint(
            f"parent_id IS NULL OR kind IN ('{BODY}', '{POINT}')", name="parent_of_registering"
        ),
        CheckConstraint(f"kind <> '{POINT}' OR parent_id IS NOT NULL", name="point_has_parent"),
        CheckConstraint(f"mode IN {tuple(MODES)}", name="mode"),
        CheckConstraint(f"(kind = '{BODY}') = (mode IS NOT NULL)", name="mode_of_body"),
        CheckConstraint(f"amount_base IN {tuple(AMOUNT_BASES)}", name="amount_base"),
        CheckConstraint(
            f"amount_fen IS NULL OR (kind = '{BODY}' AND amount_fen > 0)", name="amount_of_body"
        ),
        CheckConstraint("(amount_fen IS NULL) = (amount_base IS NULL)", name="amount_whole"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="location_whole"),
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
        # What rows of powers point at, so that a power always fits the kind.
        UniqueConstraint("id", "kind"),
        Index(
            "uq_admission_once",
            "organisation_id",
            "kind",
            "region_id",
            "valid_from",
            unique=True,
            sqlite_where=text("state <> 'ended'"),
            postgresql_where=text("state <> 'ended'"),
        ),
        Index("ix_admission_region", "region_id", "kind", "state"),
        Index("ix_admission_kind", "kind", "state", "id"),
        Index("ix_admission_parent", "parent_id"),
        Index("ix_admission_ends", "valid_to", "state"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str] = mapped_column(String(30))
    # What it is called where that is not its organisation's name: a yard, a counter in a township.
    name: Mapped[str | None] = mapped_column(String(200))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("admission.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    source: Mapped[str] = mapped_column(String(200))
    authority: Mapped[str | None] = mapped_column(String(200))
    address: Mapped[str | None] = mapped_column(String(300))
    hours: Mapped[str | None] = mapped_column(String(100))
    telephone: Mapped[str | None] = mapped_column(String(60))
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    note: Mapped[str | None] = mapped_column(Text)
    mode: Mapped[str | None] = mapped_column(String(10))
    amount_base: Mapped[str | None] = mapped_column(String(20))
    amount_fen: Mapped[int | None] = mapped_column(BigInteger)
    amount_meaning: Mapped[str | None] = mapped_column(String(200))
    # Its own name and its address folded, for searching; the organisation's name is in its row.
    folded: Mapped[str] = mapped_column(String(600))
    state: Mapped[str] = mapped_column(String(10), default="active")
    reason: Mapped[str | None] = mapped_column(String(1000))
    # The end of validity of which the organisation was told.
    reminded: Mapped[date | None]
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    owner: Mapped[Organisation] = relationship()
    region: Mapped[Region] = relationship()
    parent: Mapped[Admission | None] = relationship(remote_side=[id])
    powers: Mapped[list[AdmissionPower]] = relationship(cascade="all, delete-orphan")
    areas: Mapped[list[AdmissionArea]] = relationship(cascade="all, delete-orphan")
    units: Mapped[list[AdmissionUnit]] = relationship(cascade="all, delete-orphan")
    topics: Mapped[list[AdmissionTopic]] = relationship(
        cascade="all, delete-orphan", order_by="AdmissionTopic.value"
    )
    staff: Mapped[list[AdmissionStaff]] = relationship(
        cascade="all, delete-orphan", order_by="AdmissionStaff.id"
    )

    @property
    def title(self) -> str:
        """What it is called."""
        return self.name or self.owner.name

    def runs_on(self, day: date) -> bool:
        """Whether it is in force on a day: not suspended or ended, and within its validity."""
        begun = self.state == "active" and self.valid_from <= day
        return begun and (self.valid_to is None or day <= self.valid_to)

    @classmethod
    def running(cls, day: date) -> ColumnElement[bool]:
        """SQL: those in force on a day."""
        until = or_(cls.valid_to.is_(None), cls.valid_to >= day)
        return and_(cls.state == "active", cls.valid_from <= day, until)


class AdmissionPower(Base):
    """One thing that a body or a point may do; the table itself keeps the two lists apart."""

    __tablename__ = "admission_power"
    __table_args__ = (
        ForeignKeyConstraint(["admission_id", "kind"], ["admission.id", "admission.kind"]),
        CheckConstraint(
            f"(kind = '{BODY}' AND power IN {tuple(BODY_POWERS)})"
            f" OR (kind = '{POINT}' AND power IN {tuple(POINT_POWERS)})",
            name="power",
        ),
    )
    admission_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    power: Mapped[str] = mapped_column(String(20), primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))


class AdmissionArea(Base):
    """A region that an admission serves, with all that lies below it."""

    __tablename__ = "admission_area"
    admission_id: Mapped[int] = mapped_column(ForeignKey("admission.id"), primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), primary_key=True, index=True)

    region: Mapped[Region] = relationship()


class AdmissionUnit(Base):
    """An organisation that a body serves by name, wherever it lies."""

    __tablename__ = "admission_unit"
    admission_id: Mapped[int] = mapped_column(ForeignKey("admission.id"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True, index=True
    )

    organisation: Mapped[Organisation] = relationship()


class AdmissionTopic(Base):
    """A field (code) or a leading industry (its name) that an admission works for."""

    __tablename__ = "admission_topic"
    __table_args__ = (
        CheckConstraint(f"sort IN {SORTS}", name="sort"),
        Index("ix_admission_topic_value", "sort", "value"),
    )
    admission_id: Mapped[int] = mapped_column(ForeignKey("admission.id"), primary_key=True)
    sort: Mapped[str] = mapped_column(String(10), primary_key=True)
    value: Mapped[str] = mapped_column(String(60), primary_key=True)


class AdmissionStaff(Base):
    """Somebody who works there, with or without an account; `listed`: his name may be shown whole."""

    __tablename__ = "admission_staff"
    __table_args__ = (
        CheckConstraint(f"ab_role IN {tuple(AB_ROLES)}", name="ab_role"),
        CheckConstraint("name IS NOT NULL OR person_id IS NOT NULL", name="named"),
        Index("ix_admission_staff_admission", "admission_id"),
        Index("ix_admission_staff_person", "person_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    admission_id: Mapped[int] = mapped_column(ForeignKey("admission.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str | None] = mapped_column(String(60))
    duty: Mapped[str] = mapped_column(String(100))
    certificate: Mapped[str | None] = mapped_column(String(100))
    trained_on: Mapped[date | None]
    ab_role: Mapped[str | None] = mapped_column(String(1))
    listed: Mapped[bool] = mapped_column(default=False)

    person: Mapped[Person | None] = relationship()


class Specialist(InRegion, Base):
    """A broker (技术经理人) or an expert. Without consent nobody sees it but the offices of its area.

    Contact and certificate number are sealed; `certificate_key` finds a number again. An entry that
    was removed keeps its number and nothing else is shown of it.
    """

    __tablename__ = "specialist"
    __table_args__ = (
        CheckConstraint(f"kind IN {tuple(SPECIALIST_KINDS)}", name="kind"),
        CheckConstraint(f"grade IN {tuple(GRADES)}", name="grade"),
        CheckConstraint("kind = 'broker' OR grade IS NULL", name="grade_of_broker"),
        CheckConstraint("(consented_on IS NULL) = (consent_how IS NULL)", name="consent"),
        Index("ix_specialist_region", "region_id", "kind"),
        Index("ix_specialist_organisation", "organisation_id"),
        Index("ix_specialist_person", "person_id"),
        Index("ix_specialist_name", "folded_name", "kind"),
        Index(
            "uq_specialist_certificate",
            "certificate_key",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    no: Mapped[str] = mapped_column(String(20), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str] = mapped_column(String(60))
    folded_name: Mapped[str] = mapped_column(String(60))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    grade: Mapped[str | None] = mapped_column(String(10))
    # 职称 or duty of an expert, as the source says it.
    rank: Mapped[str | None] = mapped_column(String(100))
    certificate: Mapped[str | None] = mapped_column(Text)
    certificate_key: Mapped[str | None] = mapped_column(String(32))
    issuer: Mapped[str | None] = mapped_column(String(200))
    valid_to: Mapped[date | None]
    contact: Mapped[str | None] = mapped_column(Text)
    intro: Mapped[str | None] = mapped_column(Text)
    consented_on: Mapped[date | None]
    consent_how: Mapped[str | None] = mapped_column(String(200))
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    demo: Mapped[bool] = mapped_column(default=False)
    lock_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    organisation: Mapped[Organisation | None] = relationship()
    region: Mapped[Region] = relationship()
    topics: Mapped[list[SpecialistTopic]] = relationship(
        cascade="all, delete-orphan", order_by="SpecialistTopic.value"
    )

    @property
    def public(self) -> bool:
        """Whether everybody may see it: consent was given, and it was not removed."""
        return self.consented_on is not None and self.removed_at is None

    @classmethod
    def listed(cls) -> ColumnElement[bool]:
        """SQL: those that everybody may see."""
        return and_(cls.consented_on.is_not(None), cls.removed_at.is_(None))


class SpecialistTopic(Base):
    """A field (code) or a leading industry (its name) that a specialist knows."""

    __tablename__ = "specialist_topic"
    __table_args__ = (
        CheckConstraint(f"sort IN {SORTS}", name="sort"),
        Index("ix_specialist_topic_value", "sort", "value"),
    )
    specialist_id: Mapped[int] = mapped_column(ForeignKey("specialist.id"), primary_key=True)
    sort: Mapped[str] = mapped_column(String(10), primary_key=True)
    value: Mapped[str] = mapped_column(String(60), primary_key=True)


class DirectoryTrace(Base):
    """What an import did to one entry: how to take it back.

    `before` is what the entry said, None of one that the import made; `version` is the counter
    that the import left, by which a later change is seen.
    """

    __tablename__ = "directory_trace"
    __table_args__ = (
        CheckConstraint("kind IN ('admission', 'specialist')", name="kind"),
        Index("ix_directory_trace_run", "run_id"),
        Index("ix_directory_trace_object", "kind", "object_id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"))
    kind: Mapped[str] = mapped_column(String(10))
    object_id: Mapped[int] = mapped_column(RowId)
    version: Mapped[int]
    before: Mapped[dict[str, Any] | None] = mapped_column(Document)
