"""What the API takes and answers about papers."""

from __future__ import annotations

from marshmallow import fields

from market.contracts.codes import CLASSES
from market.contracts.papers.verifying import STATES
from market.core.api_schemas import Answer, ListAnswer, Query, Text


class PaperSchema(Answer):
    """A paper that can be had now."""

    kind = fields.String(metadata={"example": "certificate"})
    label = fields.String(metadata={"example": "技术合同登记证明"})
    url = fields.String(metadata={"description": "下载的地址，同样须带令牌"})


class PaperListSchema(ListAnswer):
    """The papers of a contract."""

    items = fields.List(fields.Nested(PaperSchema))


class VerifyQuery(Query):
    """A registration to look up."""

    no = Text(60, required=True, metadata={"description": "合同登记编号"})
    code = Text(60, load_default="", metadata={"description": "查验码；不给只答是否有效"})


class VerifiedSchema(Answer):
    """What is told of a registration. Without the right code only the first members are filled."""

    no = fields.String()
    state = fields.String(metadata={"enum": list(STATES)})
    state_label = fields.Function(lambda face: STATES[face.state], metadata={"type": "string"})
    is_valid = fields.Boolean()
    registered_by = fields.String(attribute="body", metadata={"description": "技术合同登记机构"})
    registered_on = fields.Date()
    void_on = fields.Date(allow_none=True, metadata={"description": "注销或撤销的日期"})
    code_matches = fields.Boolean(attribute="whole", metadata={"description": "查验码是否相符"})
    edition = fields.Integer(allow_none=True, metadata={"description": "现行版次"})
    amended_on = fields.Date(allow_none=True, metadata={"description": "变更登记日期"})
    contract_class = fields.String(
        allow_none=True, metadata={"description": "、".join(CLASSES.values())}
    )
    total_fen = fields.Integer(allow_none=True, metadata={"description": "合同成交额"})
    technical_fen = fields.Integer(allow_none=True, metadata={"description": "核定的技术交易额"})
    title = fields.String(allow_none=True, metadata={"description": "当事人同意公开的才有"})
    seller = fields.String(allow_none=True, metadata={"description": "当事人同意公开的才有"})
    buyer = fields.String(allow_none=True, metadata={"description": "当事人同意公开的才有"})
    demo = fields.Boolean(metadata={"description": "是否演示数据"})
