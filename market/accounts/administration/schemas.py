"""The forms of administrators."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError

from market.accounts.people.rules import Contact, read_contact
from market.accounts.roles import ROLES
from market.core.fields import Choice, Day, Line
from market.core.reading import as_text


class _ContactField(Line):
    """An exact mobile number or e-mail address."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> Contact:  # type: ignore[override]
        found = read_contact(as_text(value))
        if found is None:
            raise ValidationError("请填完整的 11 位手机号或邮箱。")
        return found

    def _remember(self, text: str, found: Any) -> None:
        """Nothing: contacts stay out of memory."""


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE


class FindSchema(_Form):
    """Whom an administrator looks for."""

    contact = _ContactField(254, required=True, metadata={"label": "手机号或邮箱"})


class ReasonSchema(_Form):
    """Why."""

    reason = Line(200, 2, required=True, metadata={"label": "理由"})


class GrantSchema(_Form):
    """A role for a person."""

    role = Choice(
        {code: role.label for code, role in ROLES.items()},
        required=True,
        metadata={"label": "角色"},
    )
    organisation = Line(60)
    region = Line(60)
    valid_from = Day()
    valid_to = Day()
    reason = Line(200, 2, required=True, metadata={"label": "理由"})


FORMATS = {"xlsx": "XLSX", "csv": "CSV", "jsonl": "JSONL"}


class AuditSchema(_Form):
    """What of the audit is looked for."""

    since = Day()
    until = Day()
    actor = Line(100)
    kind = Line(40)
    no = Line(40)
    action = Line(60)


class ExportSchema(AuditSchema):
    """What of the audit is exported, and as what."""

    format = Choice(FORMATS, required=True)
