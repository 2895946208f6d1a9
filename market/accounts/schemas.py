"""The fields of an organisation."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema

from market.accounts.models import KINDS
from market.core.fields import Choice, Line, LongText
from market.core.identifiers import read_uscc

_KINDS_ALSO = {
    "公司": "enterprise",
    "高校": "institute",
    "大学": "institute",
    "科研院所": "institute",
    "科研机构": "institute",
    "农民专业合作社": "cooperative",
    "政府部门": "office",
    "机关": "office",
    "科技行政管理部门": "office",
    "其他": "institution",
    "服务机构": "institution",
}


class Uscc(Line):
    """A unified social credit code; the value is 18 characters in upper case."""

    knows_nothing = True

    def __init__(self, **more: Any) -> None:
        super().__init__(longest=60, **more)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str | None:
        text = super()._deserialize(value, attr, data, **more)
        return read_uscc(text) if text else None


class OrganisationSchema(Schema):
    """An owner of listings, as it stands in a file or a form."""

    class Meta:
        unknown = EXCLUDE

    no = Line(20, metadata={"label": "编号", "note": "本站编号；新增时留空"})
    source_id = Line(100, metadata={"label": "来源编号"})
    name = Line(200, shortest=2, required=True, metadata={"label": "单位名称"})
    uscc = Uscc(metadata={"label": "统一社会信用代码", "note": "18 位"})
    kind = Choice(KINDS, _KINDS_ALSO, required=True, metadata={"label": "单位类型"})
    region = Line(100, required=True, metadata={"label": "所在地区", "note": "6 位代码或全称"})
    supervising = Line(200, metadata={"label": "主管单位"})
    telephone = Line(60, metadata={"label": "电话", "note": "公开的办公电话"})
    contact = Line(100, metadata={"label": "联系部门"})
    address = Line(300, metadata={"label": "地址"})
    hours = Line(100, metadata={"label": "办公时间"})
    website = Line(300, metadata={"label": "网址"})
    intro = LongText(2000, metadata={"label": "单位简介"})
