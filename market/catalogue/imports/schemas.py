"""The form of an upload."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema

from market.core.fields import Line


class UploadSchema(Schema):
    """What is imported, and for whom; the file comes beside it."""

    class Meta:
        unknown = EXCLUDE

    kind = Line(30, required=True, metadata={"label": "导入什么"})
    scope = Line(30, metadata={"label": "为谁导入"})
