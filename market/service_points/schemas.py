"""What is written about admissions: the same declaration for forms and files."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError

from market.core.fields import (
    Choice,
    Choices,
    Day,
    Line,
    LongText,
    Whole,
    Words,
    YesNo,
    Yuan,
    read_date,
)
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE
from market.core.reading import Reading, as_text
from market.service_points.models import (
    AB_ROLES,
    AMOUNT_BASES,
    BODY_POWERS,
    KINDS,
    MODES,
    POINT_POWERS,
    STATES,
)

ALSO_KINDS = {
    "登记机构": "registration_body",
    "服务点": "service_point",
    "登记服务点": "service_point",
    "技术转移机构": "transfer_institution",
    "技术转移示范机构": "transfer_institution",
    "创新券服务机构": "voucher_provider",
    "生产力中心": "productivity_centre",
    "工作站": "station",
    "服务站": "station",
    "科技特派员服务站": "station",
}


class FirstDay(Day):
    """The day on which something begins; a month alone means its first day."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> date | None:
        year, month, day = read_date(value)
        return date(year, month, day or 1)


class Degrees(Reading):
    """A latitude or longitude (WGS 84) in decimal degrees."""

    def __init__(self, most: int, **more: Any) -> None:
        self.most = most
        super().__init__(**more)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> float:
        text = unicodedata.normalize("NFKC", as_text(value)).strip().rstrip("°")
        try:
            found = float(text)
        except ValueError:
            found = float("nan")
        if not -self.most <= found <= self.most:
            raise ValidationError(f"应为 -{self.most} 到 {self.most} 的小数，如 30.0482。")
        return round(found, 6)

    def _serialize(self, value: Any, attr: Any, obj: Any, **more: Any) -> str | None:
        return None if value is None else f"{value:.6f}".rstrip("0").rstrip(".")


class AdmissionSchema(Schema):
    """An admission as forms and files say it; `service_points.finding` finds what it names."""

    class Meta:
        unknown = EXCLUDE

    no = Line(20, metadata={"label": "编号", "note": "新增请留空"})
    organisation = Line(
        200,
        required=True,
        metadata={"label": "单位", "note": "统一社会信用代码、本站单位编号，或单位全称"},
    )
    kind = Choice(KINDS, ALSO_KINDS, required=True, metadata={"label": "类别"})
    name = Line(
        200, metadata={"label": "对外名称", "note": "与单位名称不同时填，如 ××镇技术合同登记服务点"}
    )
    parent = Line(
        200,
        metadata={"label": "上级登记机构", "note": "上级的编号（FW…）或名称；服务点必填"},
    )
    region = Line(
        60,
        required=True,
        metadata={"label": "所在地区", "note": "县（市、区）或乡镇（街道）的代码或全称"},
    )
    areas = Words(
        100,
        60,
        metadata={"label": "服务范围", "note": "地区代码或全称，用；隔开；空着就是所在地区"},
    )
    units = Words(
        200,
        200,
        metadata={
            "label": "点名服务的单位",
            "note": "登记机构可填：范围以外由它登记的单位，信用代码，用；隔开",
        },
    )
    powers = Choices(
        {**BODY_POWERS, **POINT_POWERS},
        metadata={"label": "办理事项", "note": "空着就是这一类的全部事项"},
    )
    mode = Choice(MODES, metadata={"label": "登记方式", "note": "空着就是全国系统登记"})
    amount = Yuan(
        metadata={
            "label": "登记限额（元）",
            "note": "只登记不超过这一金额的合同；空着就是不限或未知",
        }
    )
    amount_base = Choice(AMOUNT_BASES, metadata={"label": "限额口径"})
    amount_meaning = Line(
        200, metadata={"label": "限额说明", "note": "超过的由谁登记，以文件的话为准"}
    )
    fields = Words(  # type: ignore[assignment]
        11, 60, metadata={"label": "技术领域", "note": "用；隔开"}
    )
    industries = Words(10, 30, metadata={"label": "主导产业", "note": "如 川茶；用；隔开"})
    valid_from = FirstDay(required=True, metadata={"label": "有效期起", "note": "如 2025-03-01"})
    valid_to = Day(metadata={"label": "有效期止", "note": "空着就是长期"})
    source = Line(
        200,
        shortest=2,
        required=True,
        metadata={"label": "依据", "note": "设立或公布它的文件名称和文号"},
    )
    authority = Line(200, metadata={"label": "批准或公布单位"})
    address = Line(300, metadata={"label": "地址"})
    hours = Line(100, metadata={"label": "办公时间", "note": "如 工作日 9:00–12:00，13:30–17:00"})
    telephone = Line(60, metadata={"label": "电话", "note": "公开的办公电话"})
    latitude = Degrees(90, metadata={"label": "纬度", "note": "WGS84，如 30.0482"})
    longitude = Degrees(180, metadata={"label": "经度", "note": "WGS84，如 103.8310"})
    note = LongText(2000, metadata={"label": "说明"})


class SavedSchema(AdmissionSchema):
    """The form of an admission that is there: which version was looked at."""

    version = Whole(1, 1_000_000_000, required=True)


class FactsSchema(AdmissionSchema):
    """What an organisation may say of its own entry, and which version it looked at."""

    class Meta:
        unknown = EXCLUDE
        fields = ("address", "hours", "telephone", "latitude", "longitude", "note", "version")

    version = Whole(1, 1_000_000_000, required=True)


class ShownSchema(Schema):
    """Whether somebody agreed that his name is shown whole."""

    listed = YesNo()


class StaffSchema(Schema):
    """Somebody who works there: a member of the organisation, or a name."""

    person = Whole(1, 2_000_000_000, metadata={"label": "本单位成员"})
    name = Line(60, metadata={"label": "姓名"})
    duty = Line(100, required=True, metadata={"label": "岗位"})
    certificate = Line(100, metadata={"label": "培训证书号"})
    trained_on = Day(metadata={"label": "培训日期"})
    ab_role = Choice(AB_ROLES, metadata={"label": "A/B 角"})
    listed = YesNo(metadata={"label": "本人同意公开姓名"})


class ReasonSchema(Schema):
    """Why something is done."""

    reason = LongText(1000)


class RenewSchema(Schema):
    """A longer validity and the document that says so."""

    version = Whole(1, 1_000_000_000, required=True)
    valid_to = Day(metadata={"label": "新的有效期止"})
    source = Line(200, shortest=2, required=True, metadata={"label": "依据"})


class DirectoryForm(Schema):
    """What the public directory may be asked for; whatever makes no sense is left out."""

    q = Line(60)
    kind = Choice(KINDS)
    region = Line(60)
    field = Line(30)
    industry = Line(60)
    page = Whole(1, EXACT_UP_TO // ROWS_PER_PAGE)


class DeskForm(Schema):
    """What an office may ask for."""

    q = Line(60)
    kind = Choice(KINDS)
    state = Choice({**STATES, "soon": "60 天内到期", "expired": "已到期"})
    page = Whole(1, EXACT_UP_TO // ROWS_PER_PAGE)
