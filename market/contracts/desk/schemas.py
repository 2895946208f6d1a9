"""What the forms of the desk send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, pre_load

from market.contracts.codes import CLASSES, DEFICIENCIES, FIELDS, NATURES, REFUSALS
from market.contracts.office_models import VERDICTS
from market.contracts.schemas import LABELS, SUBCLASS_LABELS
from market.core.fields import Choice, Day, Line, LongText, Whole, Words, Yuan
from market.core.pagination import EXACT_UP_TO

REASONED = ("contract_class", "subclass", "total_fen", "technical_fen")
MOST_ROWS = 100  # cases that are accepted at once
TABS = {
    "submitted": "待受理",
    "accepted": "审查中",
    "returned": "待补正",
    "examined": "待复审",
    "cleared": "待录入结果",
    "closed": "已办结",
}
_YES = {"yes": "属于技术合同", "no": "不属于技术合同"}
PROPOSALS = {"register": "建议准予登记", "refuse": "建议不予登记"}
SIDES = {"output": "输出技术", "input": "吸纳技术"}


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE


class VersionForm(_Form):
    """A press of a button, and the version of the case that was looked at."""

    seen = Whole(1, 999_999_999)
    reason = LongText(1000, metadata={"label": "原因"})


class BulkForm(_Form):
    """The ticked rows."""

    item = Words(most=MOST_ROWS, longest=20, required=True, metadata={"label": "勾选的合同"})


class SheetForm(_Form):
    """The examination sheet (审查表): three results, a reason for each difference, an opinion."""

    version = Whole(1, 999_999_999)
    is_technology = Choice(_YES, required=True, metadata={"label": "是否技术合同"})
    contract_class = Choice(CLASSES, metadata={"label": "认定类别"})
    subclass = Choice(SUBCLASS_LABELS, metadata={"label": "二级类别"})
    total_fen = Yuan(metadata={"label": "核定合同成交额"})
    technical_fen = Yuan(metadata={"label": "核定技术交易额"})
    reason_contract_class = Line(300, metadata={"label": "类别不同的理由"})
    reason_subclass = Line(300, metadata={"label": "二级类别不同的理由"})
    reason_total_fen = Line(300, metadata={"label": "成交额不同的理由"})
    reason_technical_fen = Line(300, metadata={"label": "技术交易额不同的理由"})
    opinion = LongText(1000, metadata={"label": "审查意见"})
    proposal = Choice(PROPOSALS, metadata={"label": "建议"})
    refusal = Choice(REFUSALS, metadata={"label": "拟不予登记的原因"})
    no_expert = Line(300, metadata={"label": "不送专家评审的理由"})


def sheet_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """What `examining.examine` and `examining.clear` read, of what the form sent."""
    found = {key: value for key, value in values.items() if not key.startswith("reason_")}
    found["is_technology"] = values.get("is_technology") != "no"
    found["reasons"] = {
        name: values[f"reason_{name}"] for name in REASONED if values.get(f"reason_{name}")
    }
    return found


class _Deficiencies(_Form):
    """补正: the ticked standard deficiencies, each with words and the field it is about."""

    version = Whole(1, 999_999_999)
    rows = fields.List(fields.Dict())

    @pre_load
    def gather(self, data: Mapping[str, Any], **_more: Any) -> dict[str, Any]:
        """Rows of `lacks_<code>`, `words_<code>`, `field_<code>`."""
        ticked = [code for code in DEFICIENCIES if data.get(f"lacks_{code}")]
        rows = [
            {"code": code, "words": data.get(f"words_{code}"), "field": data.get(f"field_{code}")}
            for code in ticked
        ]
        return {**data, "rows": rows}


def _of_deficiency(code: str, words: str) -> dict[str, Any]:
    return {
        f"lacks_{code}": Line(1),
        f"words_{code}": Line(500, metadata={"label": words}),
        f"field_{code}": Choice(LABELS, metadata={"label": "填报项目"}),
    }


# A set of fields for each standard deficiency, so that what was typed comes back in its place.
DeficienciesForm = _Deficiencies.from_dict(
    {
        name: field
        for code, words in DEFICIENCIES.items()
        for name, field in _of_deficiency(code, words).items()
    },
    name="DeficienciesForm",
)


class RefusalForm(_Form):
    """不予登记: a standard reason and words."""

    version = Whole(1, 999_999_999)
    refusal = Choice(REFUSALS, required=True, metadata={"label": "原因"})
    words = LongText(800, metadata={"label": "说明"})


class ResultForm(_Form):
    """What the national system, or a body elsewhere, registered."""

    version = Whole(1, 999_999_999)
    registration_no = Line(40, required=True, metadata={"label": "合同登记编号"})
    registered_on = Day(required=True, metadata={"label": "登记日期"})
    registered_by = Line(200, metadata={"label": "登记机构"})
    total_fen = Yuan(required=True, metadata={"label": "合同成交额"})
    technical_fen = Yuan(required=True, metadata={"label": "核定技术交易额"})


class OpinionForm(_Form):
    """What an expert said."""

    expert = Line(60, required=True, metadata={"label": "专家"})
    unit = Line(200, metadata={"label": "单位"})
    verdict = Choice(VERDICTS, required=True, metadata={"label": "意见"})
    words = LongText(2000, required=True, metadata={"label": "意见内容"})
    said_on = Day(required=True, metadata={"label": "日期"})


class PassUpForm(_Form):
    """Why it goes to the body or office above."""

    version = Whole(1, 999_999_999)
    words = LongText(500, metadata={"label": "说明"})


class CopyForm(_Form):
    """Why somebody wants the parties' personal values in full."""

    reason = Line(200, required=True, shortest=2, metadata={"label": "理由"})


class DeskQuery(_Form):
    """Which cases the desk shows."""

    tab = Line(12)
    q = Line(60)
    page = Whole(1, EXACT_UP_TO)


class ElsewhereForm(_Form):
    """A contract that was registered elsewhere (补录)."""

    registration_no = Line(40, required=True, metadata={"label": "合同登记编号"})
    registered_by = Line(200, required=True, metadata={"label": "登记机构"})
    registered_on = Day(required=True, metadata={"label": "登记日期"})
    title = Line(300, required=True, metadata={"label": "项目名称"})
    contract_class = Choice(CLASSES, required=True, metadata={"label": "合同类别"})
    subclass = Choice(SUBCLASS_LABELS, metadata={"label": "二级类别"})
    field = Choice(FIELDS, metadata={"label": "技术领域"})
    signed_on = Day(required=True, metadata={"label": "签订日期"})
    total_fen = Yuan(required=True, metadata={"label": "合同成交额"})
    technical_fen = Yuan(required=True, metadata={"label": "技术交易额"})
    seller = Line(200, required=True, metadata={"label": "卖方名称"})
    seller_uscc = Line(18, metadata={"label": "卖方统一社会信用代码"})
    seller_region = Line(60, required=True, metadata={"label": "卖方行政区划"})
    seller_nature = Choice(NATURES, metadata={"label": "卖方性质"})
    buyer = Line(200, required=True, metadata={"label": "买方名称"})
    buyer_uscc = Line(18, metadata={"label": "买方统一社会信用代码"})
    buyer_region = Line(60, required=True, metadata={"label": "买方行政区划"})
    buyer_nature = Choice(NATURES, metadata={"label": "买方性质"})


class RegisterQuery(_Form):
    """Which registered contracts, as addresses say it; what makes no sense is passed over."""

    q = Line(60, metadata={"label": "项目名称、当事人或编号"})
    contract_class = Choice(CLASSES, metadata={"label": "合同类别"})
    field = Choice(FIELDS, metadata={"label": "技术领域"})
    party = Line(60, metadata={"label": "当事人"})
    since = Day(metadata={"label": "登记日期从"})
    until = Day(metadata={"label": "登记日期到"})
    at_least = Yuan(metadata={"label": "技术交易额不少于"})
    at_most = Yuan(metadata={"label": "技术交易额不多于"})
    side = Choice(SIDES, metadata={"label": "方向"})
    page = Whole(1, EXACT_UP_TO)


class EnableForm(_Form):
    """Enabling rules for one's own area, by a document."""

    area = Line(12, metadata={"label": "地区"})
    valid_from = Day(required=True, metadata={"label": "施行日期"})
    document = Line(300, required=True, shortest=4, metadata={"label": "文件名称和文号"})


class EndForm(_Form):
    """Ending what an office enabled."""

    version = Whole(1, 999_999_999)
    valid_to = Day(required=True, metadata={"label": "最后一天"})
    document = Line(300, required=True, shortest=4, metadata={"label": "依据"})


class FormatForm(_Form):
    """How a body writes its numbers, from a year on."""

    from_year = Whole(2000, 2200, required=True, metadata={"label": "从哪一年起"})
    pattern = Line(60, required=True, metadata={"label": "编号格式"})
    body_code = Line(12, metadata={"label": "机构代码"})
