"""What is written about a specialist: the same declaration for forms and files."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema

from market.core.fields import Choice, Day, Line, LongText, Whole, Words
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE
from market.service_points.models import GRADES, SPECIALIST_KINDS

ALSO_GRADES = {
    "初级": "junior",
    "中级": "middle",
    "高级": "senior",
    "初级技术经理人": "junior",
    "中级技术经理人": "middle",
}


class SpecialistSchema(Schema):
    """A specialist as forms and files say it; what it names is found by `finding.Finder`."""

    class Meta:
        unknown = EXCLUDE

    no = Line(20, metadata={"label": "编号", "note": "新增请留空"})
    kind = Choice(SPECIALIST_KINDS, required=True, metadata={"label": "类别"})
    name = Line(60, shortest=2, required=True, metadata={"label": "姓名"})
    organisation = Line(
        200, metadata={"label": "所在单位", "note": "统一社会信用代码、本站单位编号，或单位全称"}
    )
    region = Line(
        60, required=True, metadata={"label": "所在地区", "note": "县（市、区）的代码或全称"}
    )
    grade = Choice(GRADES, ALSO_GRADES, metadata={"label": "等级", "note": "技术经理人填"})
    rank = Line(100, metadata={"label": "职称或职务", "note": "以证书或文件的话为准"})
    fields = Words(  # type: ignore[assignment]
        11, 60, metadata={"label": "技术领域", "note": "用；隔开"}
    )
    industries = Words(10, 30, metadata={"label": "主导产业", "note": "如 川茶；用；隔开"})
    certificate = Line(100, metadata={"label": "证书号", "note": "加密保存，页面只显示后几位"})
    issuer = Line(200, metadata={"label": "发证单位"})
    valid_to = Day(metadata={"label": "证书有效期止", "note": "空着就是长期"})
    contact = Line(100, metadata={"label": "联系方式", "note": "手机或邮箱；加密保存，不公开"})
    intro = LongText(2000, metadata={"label": "简介", "note": "擅长什么，做过什么"})
    consented_on = Day(
        metadata={"label": "同意公开日期", "note": "本人同意公开的日期；空着就不公开"}
    )
    consent_how = Line(
        200, metadata={"label": "同意方式", "note": "如 签字表、短信确认；与日期一起填"}
    )


class SavedSchema(SpecialistSchema):
    """The form of a specialist that is there: which version was looked at."""

    version = Whole(1, 1_000_000_000, required=True)


class OwnSchema(SpecialistSchema):
    """What somebody says of himself, and which version he looked at."""

    class Meta:
        unknown = EXCLUDE
        fields = ("fields", "industries", "intro", "version")

    version = Whole(1, 1_000_000_000, required=True)


class ConsentSchema(Schema):
    """When and how somebody agreed to be listed."""

    consented_on = Day(required=True)
    consent_how = Line(200, shortest=2, required=True)


class LinkSchema(Schema):
    """Whose account it is."""

    person = Whole(1, 2_000_000_000)


class ReasonSchema(Schema):
    """Why something is done."""

    reason = LongText(500)


class SpecialistForm(Schema):
    """What the list of specialists may be asked for; whatever makes no sense is left out."""

    q = Line(60)
    kind = Choice(SPECIALIST_KINDS)
    region = Line(60)
    field = Line(30)
    industry = Line(60)
    page = Whole(1, EXACT_UP_TO // ROWS_PER_PAGE)
