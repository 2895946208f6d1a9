"""The fields of an organisation."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError
from stdnum.cn import uscc as uscc_rule
from stdnum.exceptions import InvalidChecksum
from stdnum.exceptions import ValidationError as NotValid

from market.accounts.models import KINDS
from market.core.fields import Choice, Line, LongText, as_text

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


def read_uscc(text: str) -> str:
    """A unified social credit code in its compact form (GB 32100-2015).

    Raises:
        ValidationError: wrong length, letters that the standard leaves out, or check digit.
    """
    compact = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).upper()
    if len(compact) != 18:
        raise ValidationError(f"统一社会信用代码应为 18 位，现为 {len(compact)} 位。")
    try:
        return str(uscc_rule.validate(compact))
    except InvalidChecksum as error:
        raise ValidationError(
            f"统一社会信用代码「{compact}」校验位不对，请对照执照核对每一位。"
        ) from error
    except NotValid as error:
        raise ValidationError(
            f"统一社会信用代码「{compact}」格式不对：不含字母 I、O、S、V、Z。"
        ) from error


class Uscc(Line):
    """A unified social credit code; the value is 18 characters in upper case."""

    def __init__(self, **more: Any) -> None:
        super().__init__(longest=60, **more)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str | None:
        return read_uscc(as_text(value))


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
