"""What the forms of filers send beside the fields of the contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema

from market.contracts.codes import CLASSES
from market.contracts.filing_pages.rules import LONGEST_ANSWER
from market.contracts.schemas import SUBCLASS_LABELS
from market.core.fields import Choice, Day, Line, LongText, Whole, YesNo
from market.core.reading import Reading


class PlainSchema(Schema):
    """Only which version was seen."""

    class Meta:
        unknown = EXCLUDE

    version = Whole(1, 10**9)
    seen = Whole(1, 10**9)


class BeginSchema(PlainSchema):
    """A new contract: whose, and what it is called."""

    owner = Whole(1, 10**9, metadata={"label": "单位"})
    title = Line(300, metadata={"label": "项目名称"})
    contract_class = Choice(CLASSES, metadata={"label": "合同类别"})
    subclass = Choice(SUBCLASS_LABELS, metadata={"label": "二级类别"})

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, _values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """A name, by which the list shows it."""
        if not sent.get("title"):
            raise ValidationError({"title": ["请填写项目名称，与合同上的一致。"]})


class SubmitSchema(PlainSchema):
    """To whom it goes: the number of a body, or `OFFICE`."""

    body = Line(20, metadata={"label": "登记机构"})


class AuthoriseSchema(PlainSchema):
    """Which service point, and until when."""

    point = Line(20, metadata={"label": "服务点"})
    until = Day(metadata={"label": "委托到"})

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needed(self, _values: Mapping[str, Any], sent: Mapping[str, Any], **_more: Any) -> None:
        """Both."""
        wrong = {}
        if not sent.get("point"):
            wrong["point"] = ["请选择服务点。"]
        if not sent.get("until"):
            wrong["until"] = ["请填写委托到哪一天。"]
        if wrong:
            raise ValidationError(wrong)


class ShownSchema(PlainSchema):
    """What the public may see."""

    title = YesNo()
    seller = YesNo()
    buyer = YesNo()


def answers_schema(numbers: Iterable[int]) -> Schema:
    """Answers to what was asked for, one field each: `answer-<id>`."""
    cells: dict[str, Reading] = {
        f"answer-{number}": LongText(LONGEST_ANSWER, metadata={"label": "怎样改的"})
        for number in numbers
    }
    made: type[Schema] = PlainSchema.from_dict(cells, name="AnswersSchema")  # type: ignore[arg-type]
    return made()
