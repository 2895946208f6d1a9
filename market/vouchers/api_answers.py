"""What programs get of a calculation, whoever asks; money in whole fen."""

from __future__ import annotations

from marshmallow import fields

from market.core.api_schemas import Answer


class VoucherLineSchema(Answer):
    """A line of the trace."""

    label = fields.String()
    formula = fields.String()
    amount_fen = fields.Integer(allow_none=True)
    most = fields.Boolean(metadata={"description": "最高，不是拨付金额"})


class VoucherReasonSchema(Answer):
    """Why something is refused, open or to be looked at."""

    code = fields.String()
    weight = fields.String(metadata={"enum": ["refuse", "open", "warn"]})
    words = fields.String()
    source = fields.String()


class VoucherAlternativeSchema(Answer):
    """What a reading of the sheet gives."""

    label = fields.String()
    amount_fen = fields.Integer(allow_none=True)
    ceiling_fen = fields.Integer(allow_none=True)
    trace = fields.List(fields.Nested(VoucherLineSchema))


class VoucherOutcomeSchema(Answer):
    """What a scheme gives, with the way there."""

    words = fields.String(metadata={"description": "结果", "example": "最高 1.2 万元"})
    eligible = fields.Boolean()
    amount_fen = fields.Integer(allow_none=True, metadata={"description": "确切金额"})
    ceiling_fen = fields.Integer(allow_none=True, metadata={"description": "最高金额"})
    alternatives = fields.List(fields.Nested(VoucherAlternativeSchema))
    reasons = fields.List(fields.Nested(VoucherReasonSchema))
    trace = fields.List(fields.Nested(VoucherLineSchema))
