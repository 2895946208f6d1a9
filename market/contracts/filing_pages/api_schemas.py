"""What programs send and get about contracts that they file: the fields of the form, typed."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from market.contracts.codes import PURPOSES
from market.contracts.filing_pages.rules import HELPED, LONGEST_ANSWER, OFFERED, TABS
from market.contracts.models import MODES, STATES, VERSION_STATES
from market.contracts.rules import REFUSE, WARN
from market.contracts.schemas import (
    ContentSchema,
    InstalmentSchema,
    PartySchema,
    Rate,
    RightSchema,
)
from market.core.api_schemas import Answer, Input, ListAnswer, Query, Text, page_number, per_page
from market.core.fields import Choice, Day, Line, LongText, Whole, YesNo, Yuan
from market.core.file_api import AttachedFileInput, AttachedFileSchema
from market.core.money import HIGHEST_FEN
from market.core.pagination import ROWS_PER_PAGE


def _sent(one: fields.Field[Any]) -> fields.Field[Any]:
    """A field of the form as programs send it: money in fen, rates in basis points, codes."""
    label = one.metadata.get("label", "")
    told: dict[str, Any] = {"required": one.required, "allow_none": not one.required}
    if isinstance(one, Yuan):
        limits = validate.Range(0, HIGHEST_FEN, error="应为不小于 0 的整数，单位分。")
        about = {"description": f"{label}，单位分"}
        return fields.Integer(strict=True, validate=limits, metadata=about, **told)
    if isinstance(one, Rate):
        limits = validate.Range(1, 10_000, error="应为 1 到 10000 的整数，万分之几。")
        about = {"description": f"{label}，万分之几：200 是 2 %"}
        return fields.Integer(strict=True, validate=limits, metadata=about, **told)
    about = {"description": label}
    if isinstance(one, Choice):
        known = validate.OneOf(list(one.choices), error=f"应为 {'、'.join(one.choices)} 之一。")
        return fields.String(validate=known, metadata=about, **told)
    if isinstance(one, YesNo):
        return fields.Boolean(metadata=about, **told)
    if isinstance(one, Day):
        return fields.Date(metadata=about, **told)
    if isinstance(one, Whole):
        between = validate.Range(
            one.lowest, one.highest, error=f"应为 {one.lowest} 到 {one.highest} 的整数。"
        )
        return fields.Integer(strict=True, validate=between, metadata=about, **told)
    kind = LongText if isinstance(one, LongText) else Line
    longest = one.longest if isinstance(one, Line) else 200
    return kind(longest, metadata=about, **told)


def _got(one: fields.Field[Any]) -> fields.Field[Any]:
    """The same as programs get it; what is not filled in is null."""
    about = {"description": one.metadata.get("label", "")}
    if isinstance(one, (Yuan, Rate, Whole)):
        return fields.Integer(allow_none=True, metadata=about)
    if isinstance(one, YesNo):
        return fields.Boolean(allow_none=True, metadata=about)
    return fields.String(allow_none=True, metadata=about)


def _row(schema: type[Schema], base: type[Schema], make: Any, name: str) -> type[Schema]:
    found: type[Schema] = base.from_dict(
        {key: make(one) for key, one in schema().fields.items()}, name=name
    )
    return found


_ROWS = {
    "sellers": PartySchema,
    "buyers": PartySchema,
    "thirds": PartySchema,
    "rights": RightSchema,
    "plan": InstalmentSchema,
}
_IN = {
    PartySchema: _row(PartySchema, Input, _sent, "ContractPartyInput"),
    RightSchema: _row(RightSchema, Input, _sent, "ContractRightInput"),
    InstalmentSchema: _row(InstalmentSchema, Input, _sent, "ContractInstalmentInput"),
}
_OUT = {
    PartySchema: _row(PartySchema, Answer, _got, "ContractPartySchema"),
    RightSchema: _row(RightSchema, Answer, _got, "ContractRightSchema"),
    InstalmentSchema: _row(InstalmentSchema, Answer, _got, "ContractInstalmentSchema"),
}


def _content(make: Any, rows: dict[Any, type[Schema]]) -> dict[str, fields.Field[Any]]:
    found: dict[str, fields.Field[Any]] = {}
    for name, one in ContentSchema().fields.items():
        if name in _ROWS:
            about = {"description": one.metadata["label"]}
            found[name] = fields.List(fields.Nested(rows[_ROWS[name]]), metadata=about)
        else:
            found[name] = make(one)
    return found


ContractFields: type[Schema] = Input.from_dict(_content(_sent, _IN), name="ContractFields")
ContractTextSchema: type[Schema] = Answer.from_dict(_content(_got, _OUT), name="ContractTextSchema")


def told(content: dict[str, Any]) -> dict[str, Any]:
    """A contract's fields with nothing left out: null and empty lists for what is not there."""
    found: dict[str, Any] = {}
    for name in ContentSchema().fields:
        if name in _ROWS:
            keys = _ROWS[name]().fields
            found[name] = [{key: row.get(key) for key in keys} for row in content.get(name) or []]
        else:
            found[name] = content.get(name)
    return found


class ContractQuery(Query):
    """Which contracts."""

    tab = Text(
        12,
        load_default="open",
        metadata={"description": "办理中、已登记、其他、受托帮办", "enum": [*TABS, HELPED]},
    )
    page = page_number()
    per_page = per_page(ROWS_PER_PAGE)


class ContractSchema(Answer):
    """A contract in a list."""

    no = fields.String(metadata={"example": "HT2026000001"})
    state = fields.String(metadata={"enum": list(STATES)})
    state_label = fields.String(metadata={"example": "待受理"})
    mode = fields.String(metadata={"enum": list(MODES)})
    title = fields.String()
    contract_class = fields.String(allow_none=True)
    subclass = fields.String(allow_none=True)
    seller = fields.String(metadata={"description": "卖方名称"})
    buyer = fields.String(metadata={"description": "买方名称"})
    total_fen = fields.Integer(allow_none=True)
    technical_fen = fields.Integer(allow_none=True)
    signed_on = fields.Date(allow_none=True)
    intent_no = fields.String(allow_none=True, metadata={"description": "来自哪件对接意向"})
    submitted_at = fields.DateTime(allow_none=True)
    accepted_on = fields.Date(allow_none=True)
    due = fields.Date(allow_none=True, metadata={"description": "办理时限；没有已知时限时为 null"})
    registration_no = fields.String(allow_none=True)
    registered_on = fields.Date(allow_none=True)
    registered_by = fields.String(allow_none=True)
    next_side = fields.String(metadata={"description": "轮到谁", "enum": ["owner", "office", ""]})
    next_step = fields.String(metadata={"description": "下一步"})
    updated_at = fields.DateTime()
    url = fields.String(metadata={"description": "本站页面"})


class ContractListSchema(ListAnswer):
    """Contracts found."""

    items = fields.List(fields.Nested(ContractSchema))


class ContractDeficiencySchema(Answer):
    """Something that was asked for in the latest round."""

    id = fields.Integer()
    round = fields.Integer()
    code = fields.String()
    field = fields.String(allow_none=True)
    words = fields.String()
    answered = fields.String(allow_none=True, metadata={"description": "怎样改的"})


class ContractVersionSchema(Answer):
    """A version of a contract."""

    version = fields.Integer()
    state = fields.String(metadata={"enum": list(VERSION_STATES)})
    registered_on = fields.Date(allow_none=True)


class ContractPointSchema(Answer):
    """The service point that helps."""

    no = fields.String()
    title = fields.String()
    until = fields.Date()


class ContractActionSchema(Answer):
    """What may be done now."""

    action = fields.String(metadata={"example": "submit"})
    label = fields.String()
    needs_reason = fields.Boolean()


class ContractCaseSchema(ContractSchema):
    """A contract with all that belongs to it."""

    lock_version = fields.Integer(metadata={"description": "第几次改动，同 ETag"})
    version = fields.Integer(metadata={"description": "第几版内容"})
    content = fields.Nested(ContractTextSchema)
    origins = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "自动填的各项来自哪里：intent、listing、organisation、import"},
    )
    missing = fields.List(fields.String(), metadata={"description": "提交前还要填的"})
    deficiencies = fields.List(fields.Nested(ContractDeficiencySchema))
    versions = fields.List(fields.Nested(ContractVersionSchema))
    body = fields.String(allow_none=True, metadata={"description": "登记机构在名录中的编号"})
    point = fields.Nested(ContractPointSchema, allow_none=True)
    shows = fields.Dict(
        keys=fields.String(),
        values=fields.Boolean(),
        metadata={"description": "同意公开的名称：title、seller、buyer"},
    )
    actions = fields.List(fields.Nested(ContractActionSchema))


class NewContract(Input):
    """A new contract: from an agreed intent, or with fields."""

    organisation = fields.Integer(
        strict=True, metadata={"description": "以哪家单位的名义；令牌只有一家时不用写"}
    )
    intent = fields.String(
        metadata={"description": "已达成的对接意向的编号；写了它，content 不用写"}
    )
    copy_of = fields.String(metadata={"description": "照哪一份（不予登记、已注销、已撤销）另填"})
    content = fields.Nested(ContractFields)


class ContractAct(Input):
    """One of the acts of the filer."""

    action = fields.String(
        required=True,
        validate=validate.OneOf(
            ["submit", "withdraw", "discard", "resume"],
            error="应为 submit、withdraw、discard、resume 之一。",
        ),
    )
    body = fields.String(
        allow_none=True,
        metadata={"description": "submit：登记机构在名录中的编号；不写由当地科技管理部门预审"},
    )


class ContractUploadQuery(Query):
    """The name of a file whose content is the body, and what it is."""

    name = Line(200, required=True, metadata={"description": "文件名"})
    purpose = fields.String(
        required=True,
        validate=validate.OneOf(list(OFFERED), error=f"应为 {'、'.join(OFFERED)} 之一。"),
        metadata={"description": "这个文件是什么"},
    )


class ContractFileSchema(AttachedFileSchema):
    """A file of a contract, with what it is for."""

    purpose = fields.String(metadata={"enum": list(PURPOSES)})
    caption = fields.String(allow_none=True)


class ContractFileListSchema(ListAnswer):
    """The files of a contract."""

    items = fields.List(fields.Nested(ContractFileSchema))


class ContractAnswer(Input):
    """How one thing was mended."""

    id = fields.Integer(strict=True, required=True)
    words = LongText(LONGEST_ANSWER, required=True)


class ContractAnswers(Input):
    """How things were mended that were asked for."""

    answers = fields.List(fields.Nested(ContractAnswer), required=True)


class ContractAuthorisation(Input):
    """Which service point may help, until when, by which paper."""

    point = fields.String(required=True, metadata={"description": "服务点在名录中的编号"})
    until = fields.Date(required=True, metadata={"description": "到哪一天为止，最长一年"})
    paper = fields.Nested(
        AttachedFileInput,
        allow_none=True,
        metadata={"description": "盖章的授权书；同一家延长时可不写"},
    )


class ContractShown(Input):
    """What the public may see once it is registered; what is not named stays."""

    title = fields.Boolean()
    seller = fields.Boolean()
    buyer = fields.Boolean()


class ContractFindingSchema(Answer):
    """What the check found."""

    code = fields.String()
    weight = fields.String(
        metadata={"description": "refuse：须改好；warn：请核对", "enum": [REFUSE, WARN]}
    )
    field = fields.String()
    words = fields.String()
    source = fields.String(metadata={"description": "依据"})


class ContractHintSchema(Answer):
    """A tax hint: no advice."""

    words = fields.String()
    source = fields.String()


class ContractChoiceSchema(Answer):
    """A body that registers for the seller."""

    no = fields.String()
    title = fields.String()
    own_register = fields.Boolean()


class ContractCheckSchema(Answer):
    """登记前自查."""

    ready = fields.Boolean(metadata={"description": "能否提交"})
    missing = fields.List(fields.String(), metadata={"description": "还要填的"})
    has_text = fields.Boolean(metadata={"description": "有没有合同文本"})
    findings = fields.List(fields.Nested(ContractFindingSchema))
    hints = fields.List(fields.Nested(ContractHintSchema))
    bodies = fields.List(fields.Nested(ContractChoiceSchema))
