"""What the directory keeps of a person, for the export of his own data."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from market.core.db import db
from market.service_points.models import (
    GRADES,
    SPECIALIST_KINDS,
    Admission,
    AdmissionStaff,
    Specialist,
)


def of_person(person_id: int) -> dict[str, list[dict[str, Any]]]:
    """Where a person is listed as staff, and what is kept of him as a broker or an expert."""
    staff = (
        select(AdmissionStaff, Admission.no)
        .join(Admission, Admission.id == AdmissionStaff.admission_id)
        .where(AdmissionStaff.person_id == person_id)
        .order_by(AdmissionStaff.id.desc())
    )
    listed = select(Specialist).where(
        Specialist.person_id == person_id, Specialist.removed_at.is_(None)
    )
    return {
        "任职的机构": [
            {
                "机构": no,
                "姓名": one.name,
                "职责": one.duty,
                "证书": one.certificate,
                "培训": one.trained_on.isoformat() if one.trained_on else None,
            }
            for one, no in db.session.execute(staff)
        ],
        "技术经理人与专家": [
            {
                "编号": one.no,
                "类别": SPECIALIST_KINDS[one.kind],
                "姓名": one.name,
                "等级": GRADES[one.grade] if one.grade else None,
                "职称或职务": one.rank,
                "发证单位": one.issuer,
                "简介": one.intro,
                "同意公开": one.consented_on.isoformat() if one.consented_on else None,
            }
            for one in db.session.scalars(listed.order_by(Specialist.id.desc()))
        ],
    }
