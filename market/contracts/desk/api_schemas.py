"""What programs send to the contract desk, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import fields, validate

from market.contracts.codes import CLASSES, DEFICIENCIES, FIELDS, REFUSALS
from market.contracts.desk.schemas import MOST_ROWS, SIDES, TABS
from market.contracts.models import MODES, STATES
from market.contracts.office_models import VERDICTS
from market.contracts.schemas import LABELS, SUBCLASS_LABELS
from market.core.api_schemas import Answer, Input, ListAnswer, Query, Text, page_number
from market.core.fields import Day, Line, LongText
from market.core.file_api import AttachedFileInput

ACTIONS = (
    "accept", "ask_experts", "experts_said", "send_back", "reopen", "register", "pass_up",
)  # fmt: skip
MOST_FEN = 10**15


def one_of(codes: Iterable[str], **more: Any) -> fields.String:
    """One of a code list."""
    known = list(codes)
    words = f"应为 {'、'.join(known)} 之一。"
    return fields.String(validate=validate.OneOf(known, error=words), **more)


def fen(words: str, **more: Any) -> fields.Integer:
    """An amount in whole fen."""
    return fields.Integer(
        strict=True,
        validate=validate.Range(0, MOST_FEN, error="应为 0 或更大的整数（分）。"),
        metadata={"description": f"{words}，以分为单位"},
        **more,
    )


class ContractLineSchema(Answer):
    """A contract as the desk and the register list it."""

    no = fields.String(metadata={"example": "HT2026000001"})
    title = fields.String()
    state = fields.String(metadata={"enum": list(STATES)})
    mode = fields.String(metadata={"enum": list(MODES)})
    contract_class = fields.String(allow_none=True, metadata={"enum": list(CLASSES)})
    subclass = fields.String(allow_none=True)
    field = fields.String(allow_none=True)
    seller = fields.String()
    buyer = fields.String()
    total_fen = fields.Integer(allow_none=True)
    technical_fen = fields.Integer(allow_none=True)
    body = fields.String(allow_none=True, metadata={"description": "登记机构"})
    accepted_on = fields.Date(allow_none=True)
    due = fields.Date(
        allow_none=True, metadata={"description": "办理时限；没有已知时限的为 null，不算逾期"}
    )
    late = fields.Boolean()
    days = fields.Integer(allow_none=True, metadata={"description": "没有已知时限时：已办几天"})
    registration_no = fields.String(allow_none=True)
    registered_on = fields.Date(allow_none=True)
    registered_by = fields.String(allow_none=True)


class ContractLineListSchema(ListAnswer):
    """Contracts of the desk or the register."""

    items = fields.List(fields.Nested(ContractLineSchema))


class EvidenceSchema(Answer):
    """A hint at a duplicate or at related parties."""

    kind = fields.String(metadata={"enum": ["duplicate", "file", "related"]})
    words = fields.String()
    other = fields.String(
        allow_none=True, metadata={"description": "另一份合同的编号；不在权限内的为 null"}
    )


class ToldSchema(Answer):
    """A field in words."""

    name = fields.String()
    label = fields.String()
    text = fields.String()


class ToldGroupSchema(Answer):
    """Fields that stand together on the national form."""

    title = fields.String()
    rows = fields.List(fields.Nested(ToldSchema))


class OpinionSchema(Answer):
    """What an expert said."""

    expert = fields.String()
    unit = fields.String(allow_none=True)
    verdict = fields.String(metadata={"enum": list(VERDICTS)})
    words = fields.String()
    said_on = fields.Date()


class ExaminationSchema(ContractLineSchema):
    """A case as its examiner sees it; personal values masked."""

    content = fields.List(fields.Nested(ToldGroupSchema))
    findings = fields.Dict(metadata={"description": "审查表：认定的类别、金额、理由"})
    checks = fields.List(fields.String(), metadata={"description": "自动核对的提示"})
    evidence = fields.List(fields.Nested(EvidenceSchema))
    beyond = fields.List(fields.String(), metadata={"description": "超过本机构权限之处"})
    opinions = fields.List(fields.Nested(OpinionSchema))
    actions = fields.List(fields.String())


class CopySheetSchema(Answer):
    """All fields in full, in the order of the national form."""

    groups = fields.List(fields.Nested(ToldGroupSchema))


class DeskQuery(Query):
    """Which cases."""

    tab = one_of(TABS, load_default="submitted", metadata={"description": "哪一栏"})
    q = Text(60, load_default="", metadata={"description": "编号、项目名称或当事人"})
    page = page_number()


class AcceptInput(Input):
    """Filings to accept."""

    items = fields.List(
        fields.String(),
        required=True,
        validate=validate.Length(1, MOST_ROWS, error=f"应为 1 到 {MOST_ROWS} 个编号。"),
        metadata={"description": "合同的编号"},
    )


class AcceptedOneSchema(Answer):
    """What became of one."""

    no = fields.String()
    trouble = fields.String(metadata={"description": "没有受理的原因；受理了的为空"})


class AcceptedSchema(Answer):
    """What became of each."""

    items = fields.List(fields.Nested(AcceptedOneSchema))


class ExaminationAct(Input):
    """A step."""

    action = one_of(ACTIONS, required=True)
    reason = LongText(1000, metadata={"description": "send_back、reopen 必填；pass_up 选填"})


class DeficiencyInput(Input):
    """Something that is missing."""

    code = one_of(DEFICIENCIES, required=True)
    words = Line(500, metadata={"description": "具体说明；code 为 other 时必填"})
    field = one_of(LABELS)


class DeficienciesInput(Input):
    """Everything that is missing, at once."""

    missing = fields.List(fields.Nested(DeficiencyInput), required=True)


class ReasonsInput(Input):
    """Why what was found differs from what was filed."""

    contract_class = Line(300)
    subclass = Line(300)
    total_fen = Line(300)
    technical_fen = Line(300)


class SheetInput(Input):
    """The examination sheet; what is left out is as it was filed."""

    is_technology = fields.Boolean(load_default=True)
    contract_class = one_of(CLASSES)
    subclass = one_of(SUBCLASS_LABELS)
    total_fen = fen("核定合同成交额")
    technical_fen = fen("核定技术交易额")
    reasons = fields.Nested(ReasonsInput, metadata={"description": "与填报不同的，逐项写明理由"})
    opinion = LongText(1000)
    proposal = one_of(("register", "refuse"))
    refusal = one_of(REFUSALS)
    no_expert = Line(300, metadata={"description": "达到专家评审标准而不送的理由"})


class RefusalInput(Input):
    """不予登记."""

    refusal = one_of(REFUSALS, required=True)
    words = LongText(800, load_default="")


class ResultInput(Input):
    """What the national system registered."""

    registration_no = Line(40, required=True, metadata={"description": "14 位或 16 位数字"})
    registered_on = Day(required=True)
    registered_by = Line(200)
    total_fen = fen("合同成交额", required=True)
    technical_fen = fen("核定技术交易额", required=True)
    file = fields.Nested(AttachedFileInput, metadata={"description": "登记证明的扫描件"})


class OpinionInput(Input):
    """What an expert said."""

    expert = Line(60, required=True)
    unit = Line(200)
    verdict = one_of(VERDICTS, required=True)
    words = LongText(2000, required=True)
    said_on = Day(required=True)
    file = fields.Nested(AttachedFileInput, metadata={"description": "签名的意见书"})


class CopyInput(Input):
    """Why somebody wants all in full."""

    reason = Line(200, shortest=2, required=True)


class RegisterQuery(Query):
    """Which registered contracts."""

    q = Text(60, load_default="", metadata={"description": "项目名称、当事人或编号"})
    contract_class = one_of(CLASSES, metadata={"description": "合同类别"})
    field = one_of(FIELDS, metadata={"description": "技术领域"})
    party = Text(60, load_default="", metadata={"description": "名称开头或信用代码"})
    since = fields.Date(metadata={"description": "登记日期从"})
    until = fields.Date(metadata={"description": "登记日期到"})
    at_least = fen("技术交易额不少于")
    at_most = fen("技术交易额不多于")
    side = one_of(SIDES, metadata={"description": "output 输出技术；input 吸纳技术"})
    page = page_number()


class PartyInput(Input):
    """A party of a contract that was registered elsewhere."""

    name = Line(200, required=True)
    uscc = Line(18)
    region = Line(60, required=True, metadata={"description": "县（市、区）名或六位代码"})
    nature = Line(3)


class ElsewhereInput(Input):
    """A contract that was registered elsewhere."""

    registration_no = Line(40, required=True)
    registered_by = Line(200, required=True)
    registered_on = Day(required=True)
    title = Line(300, required=True)
    contract_class = one_of(CLASSES, required=True)
    subclass = one_of(SUBCLASS_LABELS)
    field = one_of(FIELDS)
    signed_on = Day(required=True)
    total_fen = fen("合同成交额", required=True)
    technical_fen = fen("技术交易额", required=True)
    seller = fields.Nested(PartyInput, required=True)
    buyer = fields.Nested(PartyInput, required=True)
    file = fields.Nested(AttachedFileInput, metadata={"description": "登记证明的扫描件"})


class RuleSetSchema(Answer):
    """A rule set."""

    id = fields.Integer()
    code = fields.String()
    label = fields.String()
    source = fields.String()
    region = fields.String(allow_none=True, metadata={"description": "地区代码；全国的为 null"})
    valid_from = fields.Date()
    valid_to = fields.Date(allow_none=True)
    clock_days = fields.Integer(allow_none=True)
    clock_unit = fields.String(allow_none=True)
    confirmed = fields.Boolean()
    enabled = fields.Boolean()
    in_force = fields.Boolean(metadata={"description": "今天在您的地区施行"})


class RuleSetListSchema(ListAnswer):
    """Rule sets of the own areas and those that may be enabled."""

    items = fields.List(fields.Nested(RuleSetSchema))


class EnableInput(Input):
    """Enabling rules for an area."""

    area = Line(12, required=True, metadata={"description": "地区代码"})
    valid_from = Day(required=True)
    document = Line(300, required=True, shortest=4, metadata={"description": "文件名称和文号"})
    file = fields.Nested(AttachedFileInput, metadata={"description": "文件的扫描件"})


class EndInput(Input):
    """Ending what was enabled."""

    valid_to = Day(required=True)
    document = Line(300, required=True, shortest=4)


class NumbersSchema(Answer):
    """How a body writes its numbers."""

    body = fields.String()
    pattern = fields.String()
    body_code = fields.String()
    given = fields.Integer(metadata={"description": "今年已编几个"})
    upcoming = fields.String(metadata={"description": "下一个号"})


class NumbersInput(Input):
    """A format of numbers from a year on."""

    from_year = fields.Integer(required=True, strict=True)
    pattern = Line(60, required=True)
    body_code = Line(12)
