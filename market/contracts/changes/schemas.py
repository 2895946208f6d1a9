"""Forms of changes and of money received."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema

from market.contracts.changes.models import ASKERS, OUTCOMES, RECEIPT_KINDS
from market.contracts.codes import ANNULMENTS, CANCELLATIONS, CLASSES
from market.contracts.schemas import SUBCLASS_LABELS
from market.core.fields import Choice, Day, Line, LongText, Whole, Yuan

GROUNDS = {"cancel": CANCELLATIONS, "annul": ANNULMENTS}
# Whose objection an office may record.
OBJECTORS = {code: label for code, label in ASKERS.items() if code != "party"}
LONGEST = 1000  # characters of a reason


class AskSchema(Schema):
    """What is asked and why; a draft may be half done. version: of the case as its writer saw it."""

    class Meta:
        unknown = EXCLUDE

    ground = Choice({**CANCELLATIONS, **ANNULMENTS}, metadata={"label": "理由"})
    reason = LongText(LONGEST, metadata={"label": "说明"})
    happened_on = Day(metadata={"label": "发生日期"})
    hearing = LongText(LONGEST, metadata={"label": "当事人的陈述和申辩"})
    asked_by = Choice(OBJECTORS, metadata={"label": "谁提出的"})
    asked_name = Line(200, metadata={"label": "提出的部门和文号"})
    base = Whole(1, 10**6)
    version = Whole(1, 10**9)


class SeenSchema(Schema):
    """Which version of the case a button was pressed on."""

    class Meta:
        unknown = EXCLUDE

    version = Whole(1, 10**9)


class DecideSchema(Schema):
    """What an office finds and does. seen: mark of what it was shown to touch."""

    class Meta:
        unknown = EXCLUDE

    contract_class = Choice(CLASSES, metadata={"label": "合同类别"})
    subclass = Choice(SUBCLASS_LABELS, metadata={"label": "二级类别"})
    total_fen = Yuan(metadata={"label": "合同成交额"})
    technical_fen = Yuan(metadata={"label": "技术交易额"})
    outcome = Choice(OUTCOMES, metadata={"label": "复查结论"})
    decided_on = Day(metadata={"label": "办理日期"})
    answer = LongText(LONGEST, metadata={"label": "办理意见"})
    reason = LongText(LONGEST, metadata={"label": "原因"})
    version = Whole(1, 10**9)
    seen = Line(64)


class ReceiptSchema(Schema):
    """Money that came in."""

    class Meta:
        unknown = EXCLUDE

    kind = Choice(RECEIPT_KINDS, required=True, metadata={"label": "款项"})
    received_on = Day(required=True, metadata={"label": "到账日期"})
    amount_fen = Yuan(required=True, metadata={"label": "到账金额"})
    cost_fen = Yuan(metadata={"label": "为此支出的成本"})
    year = Whole(1980, 2200, metadata={"label": "提成所属年度"})
    base_fen = Yuan(metadata={"label": "提成基数金额"})
    what = Line(200, metadata={"label": "说明"})


class ReverseSchema(Schema):
    """Why a row is reversed."""

    class Meta:
        unknown = EXCLUDE

    reason = Line(200, required=True, metadata={"label": "冲销原因"})
