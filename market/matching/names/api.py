"""Telling a firm's name in the API."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate

from market.catalogue.models import CONSENT_MEANS
from market.catalogue.naming import CONSENT
from market.core.api import MISSING, ApiBlueprint
from market.core.api_schemas import Answer, Input
from market.core.api_writes import as_seen, edits, tagged
from market.core.http import current_actor
from market.core.permissions import requires
from market.matching.names import queries, service

blueprint = ApiBlueprint("names_api", __name__, "不公开的单位名称：向谁公开")


class NameConsentSchema(Answer):
    """A consent to one receiver."""

    receiver = fields.String(metadata={"description": "向谁公开"})
    case = fields.String(attribute="given_in", metadata={"description": "在哪一件里同意的"})
    means = fields.String(metadata={"enum": list(CONSENT_MEANS)})
    given_by = fields.String()
    given_at = fields.DateTime()
    withdrawn_by = fields.String(allow_none=True)
    withdrawn_at = fields.DateTime(allow_none=True)


class NameStateSchema(Answer):
    """Whether the receiver of a case knows the name."""

    kind = fields.String(attribute="source.kind", metadata={"enum": list(queries.SOURCES)})
    no = fields.String(attribute="source.no")
    listing_no = fields.String(attribute="source.listing.no")
    receiver = fields.String(attribute="source.label", metadata={"description": "对方"})
    told = fields.Boolean(metadata={"description": "现在是否向对方公开"})
    shown_as = fields.String(attribute="outside", metadata={"description": "未公开时显示的称呼"})
    consents = fields.List(
        fields.Nested(NameConsentSchema), metadata={"description": "这项需求的全部同意，新的在前"}
    )


class NameAct(Input):
    """To tell it, or no longer."""

    action = fields.String(
        required=True,
        validate=validate.OneOf(service.ACTIONS, error="应为 tell 或 keep。"),
        metadata={"description": "tell 向对方公开；keep 今后不再公开"},
    )
    means = fields.String(
        validate=validate.OneOf(
            ["telephone", "paper", "wechat"], error="应为 telephone、paper 或 wechat。"
        ),
        metadata={"description": "科技管理部门代为记录时必填：单位怎样同意的"},
    )


def _state(kind: str, no: str) -> dict[str, Any]:
    found = queries.decided(current_actor(), kind, no)
    whole: dict[str, Any] = NameStateSchema().dump(found)
    return whole | {"told": found.told is not None}


@blueprint.route("/name-consents/<string:kind>/<string:no>")
@blueprint.doc(
    operationId="getNameConsents",
    summary="单位名称向谁公开",
    description="kind：inquiry 咨询、answer 应答、dispatch 推荐对接、intent 对接意向；no 为它的编号。",
    security=[{"token": []}],
)
@blueprint.response(200, NameStateSchema, description="现在是否公开，和全部同意")
@blueprint.alt_response(404, MISSING)
@requires(CONSENT)
def state(kind: str, no: str) -> Response:
    """Whether the receiver of a case knows the name."""
    return tagged(_state(kind, no))


@blueprint.route("/name-consents/<string:kind>/<string:no>", methods=["POST"])
@blueprint.doc(
    operationId="actOnNameConsent",
    summary="向对方公开单位名称，或今后不再公开",
    description="撤回只对今后有效：对方已经知道的收不回来。须带 If-Match。",
    security=[{"token": []}],
)
@blueprint.arguments(NameAct)
@blueprint.response(200, NameStateSchema, description="办后的状态")
@blueprint.alt_response(404, MISSING)
@edits
@requires(CONSENT)
def act(values: dict[str, Any], kind: str, no: str) -> Response:
    """Tell the name, or no longer."""
    with as_seen(lambda: _state(kind, no)):
        service.act(current_actor(), kind, no, values["action"], values.get("means"))
    return tagged(_state(kind, no))
