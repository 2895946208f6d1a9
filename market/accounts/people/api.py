"""The API about the program's own token, and the tokens of its organisation."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from flask import Response
from marshmallow import fields

from market.accounts.people import tokens
from market.accounts.people.schemas import OFFICE, TOKEN_ROLES
from market.accounts.people.tokens import READ, REVOKE, TokenView
from market.accounts.roles import OFFICES
from market.core.api import ApiBlueprint
from market.core.api_schemas import Answer, ListAnswer
from market.core.errors import NotFound, SignInNeeded
from market.core.http import current_actor
from market.core.permissions import Always, policy, requires

blueprint = ApiBlueprint("tokens", __name__, "令牌：程序以哪个单位的名义、能做什么")
# Every program may ask who it is, whatever its scopes; who brings no token is told to.
WHO = policy.declare("accounts:me:read", public=Always())
_TOKEN: list[dict[str, list[str]]] = [{"token": []}]
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class TokenSchema(Answer):
    """A token, without the token itself."""

    id = fields.Integer()
    label = fields.String(metadata={"description": "用途", "example": "成果同步"})
    hint = fields.String(metadata={"description": "令牌的开头几位", "example": "Xy3k9A"})
    role = fields.String(
        metadata={"enum": [*(one for one in TOKEN_ROLES if one != OFFICE), *OFFICES]}
    )
    scopes = fields.List(fields.String(), metadata={"description": "范围", "example": ["a:b"]})
    created_at = fields.DateTime()
    expires_at = fields.DateTime()
    last_used_at = fields.DateTime(allow_none=True)
    revoked_at = fields.DateTime(allow_none=True)


class MeSchema(TokenSchema):
    """Who the program is."""

    organisation = fields.String(metadata={"description": "单位名称"})
    organisation_no = fields.String(metadata={"example": "DW2026000034"})


class TokenListSchema(ListAnswer):
    """Tokens of the organisation."""

    items = fields.List(fields.Nested(TokenSchema))


@blueprint.route("/me")
@blueprint.doc(operationId="getMe", summary="这个令牌是谁", security=_TOKEN)
@blueprint.response(200, MeSchema, description="单位、角色、范围和有效期")
@requires(WHO)
def me() -> TokenView:
    """The organisation, role, scopes and expiry of the token that is used."""
    token = tokens.of_program(current_actor())
    if token is None:
        raise SignInNeeded
    return token


@blueprint.route("/tokens")
@blueprint.doc(operationId="listTokens", summary="本单位的令牌", security=_TOKEN)
@blueprint.response(200, TokenListSchema, description="令牌，新的在前，最多 200 个")
@requires(READ)
def token_list() -> dict[str, Any]:
    """The tokens of one's organisation."""
    found = tokens.listed(current_actor())
    return {"total": len(found), "total_is": "exact", "next_after": None, "items": found}


@blueprint.route("/tokens/<string:number>", methods=["DELETE"])
@blueprint.doc(operationId="revokeToken", summary="撤销一个令牌", security=_TOKEN)
@blueprint.response(204, description="已撤销")
@blueprint.alt_response(409, HTTPStatus(409).name)
@requires(REVOKE)
def token_revoke(number: str) -> Response:
    """End a token at once; `number` is its id in the list."""
    if not _NUMBER.fullmatch(number):
        raise NotFound("没有这个令牌。")
    tokens.revoke(current_actor(), int(number))
    return Response(status=204)
