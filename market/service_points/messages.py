"""What an organisation is told about its place in the directory, and its office about changes."""

from __future__ import annotations

from sqlalchemy import select

from market.accounts import queries as accounts
from market.core.db import db
from market.core.languages import N_
from market.core.messages import MessageKind, tell
from market.service_points.models import KINDS, Admission, AdmissionStaff

# Who of an organisation is told, beside those who are named as working there.
STAFF = ("owner", "editor", "point_staff", "first_examiner", "second_examiner")

GRANTED = MessageKind(
    "admission.granted",
    N_("本单位列入服务机构名录"),
    N_("已列入名录：%(title)s"),
    N_(
        "「%(title)s」（%(no)s）已作为%(kind)s列入名录，有效期 %(period)s，依据：%(source)s。"
        "请打开链接，核对地址、办公时间、电话和工作人员；不对的可以自己改。其他内容有疑问，请问%(office)s。"
    ),
)
RENEWED = MessageKind(
    "admission.renewed",
    N_("名录中的有效期已延长"),
    N_("已续期：%(title)s"),
    N_(
        "「%(title)s」（%(no)s）的有效期已改为 %(period)s，依据：%(source)s。有疑问，请问%(office)s。"
    ),
)
SUSPENDED = MessageKind(
    "admission.suspended",
    N_("被暂停办理"),
    N_("暂停办理：%(title)s"),
    N_(
        "「%(title)s」（%(no)s）被暂停办理：%(reason)s暂停期间请不要接新的办理，"
        "公开名录里暂不列出。改好以后，请联系%(office)s恢复。"
    ),
    sms=True,
    must=True,
)
RESUMED = MessageKind(
    "admission.resumed",
    N_("恢复办理"),
    N_("恢复办理：%(title)s"),
    N_(
        "「%(title)s」（%(no)s）已恢复办理，重新列入公开名录，有效期 %(period)s。"
        "请打开链接，核对地址、办公时间和电话。"
    ),
    sms=True,
)
ENDED = MessageKind(
    "admission.ended",
    N_("名录中的资格已终止"),
    N_("已终止：%(title)s"),
    N_(
        "「%(title)s」（%(no)s）已终止：%(reason)s公开名录里不再列出，请不要再以它的名义办理，"
        "手上没办完的请交给%(office)s。有不同意见，也请向它提出。"
    ),
    sms=True,
    must=True,
)
EXPIRING = MessageKind(
    "admission.expiring",
    N_("名录中的有效期快到"),
    N_("%(day)s 到期：%(title)s"),
    N_(
        "「%(title)s」（%(no)s）的有效期到 %(day)s。要继续办的，请在这之前把续期的文件交给%(office)s，"
        "由它延长；到期以后，公开名录里不再列出。"
    ),
    sms=True,
)
UNRECORDED = MessageKind(
    "admission.unrecorded",
    N_("名录中的录入已撤销"),
    N_("录入已撤销：%(title)s"),
    N_(
        "「%(title)s」（%(no)s）是批量导入时录入的，这次导入已经撤销，名录里不再有它。"
        "有疑问，请问%(office)s。"
    ),
)
DESCRIBED = MessageKind(
    "admission.described",
    N_("名录中的单位自行修改了信息"),
    N_("单位自行修改：%(title)s"),
    N_("%(owner)s修改了「%(title)s」（%(no)s）的%(fields)s，已经公开。请看一眼是否属实。"),
    mail=False,
)
KINDS_OF_MESSAGES = (
    GRANTED,
    RENEWED,
    SUSPENDED,
    RESUMED,
    ENDED,
    EXPIRING,
    UNRECORDED,
    DESCRIBED,
)
OF_ACTS = {"suspend": SUSPENDED, "resume": RESUMED, "end": ENDED}


def office_of(row: Admission) -> str:
    """Whom to ask about an admission: the office of its place, with its telephone."""
    found = accounts.contact_for(row.region.path_ids)
    if found is None:
        return "当地科技管理部门"
    return f"{found.name}（电话 {found.telephone}）"


def tell_staff(kind: MessageKind, row: Admission, event: str, reason: str | None = None) -> None:
    """Tell those of an organisation who look after an admission. Call inside a unit of work.

    Args:
        event: tells it from others of the kind, so that nobody is told twice.
    """
    until = row.valid_to.isoformat() if row.valid_to else "长期"
    ends = reason is not None and reason.endswith(("。", "！", "？", ".", "!", "?"))
    query = select(AdmissionStaff.person_id).where(AdmissionStaff.admission_id == row.id)
    people = db.session.scalars(query.order_by(AdmissionStaff.id))
    gone = kind is UNRECORDED
    tell(
        kind,
        about=("admission", row.id),
        url="/my/service-points" if gone else f"/my/service-points/{row.no}",
        values={
            "title": row.title,
            "no": row.no,
            "kind": KINDS[row.kind],
            "period": f"{row.valid_from.isoformat()} 至 {until}",
            "day": until,
            "source": row.source,
            "reason": f"{reason or ''}{'' if ends else '。'}",
            "office": office_of(row),
        },
        people=list(dict.fromkeys(one for one in people if one is not None)),
        organisation_id=row.organisation_id,
        roles=STAFF,
        # A number is never used again, an id may be after an import was undone.
        event=f"{row.no}:{event}",
    )


def tell_office(row: Admission, fields: str, event: str) -> None:
    """Tell the office of the place what an organisation changed by itself. In a unit of work."""
    tell(
        DESCRIBED,
        about=("admission", row.id),
        url=f"/desk/service-points/{row.no}",
        values={"title": row.title, "no": row.no, "owner": row.owner.name, "fields": fields},
        region_path=row.region.path,
        event=f"{row.no}:{event}",
    )
