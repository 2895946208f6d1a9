"""接口令牌: tokens of the organisations one is an owner of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, session
from werkzeug.wrappers import Response as AnyResponse

from market.accounts.people import tokens
from market.accounts.people.schemas import TOKEN_ROLES, NothingSchema, TokenSchema
from market.accounts.people.tokens import CREATE, READ, REVOKE
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import requires
from market.core.secrets import seal, unseal
from market.core.submitting import Trouble, show, submit

blueprint = Blueprint("account_tokens", __name__, url_prefix="/account/tokens")
_SHOWN = "token.shown"


@blueprint.get("")
@requires(READ)
def listed() -> Response:
    """The tokens and the form for another."""
    return show(_page)


@blueprint.post("")
@requires(CREATE)
def create() -> AnyResponse:
    """A new token; it is shown once, on the next page."""

    def act(values: Mapping[str, Any]) -> str:
        asked = {**values, "scopes": request.form.getlist("scopes")}
        word = tokens.create(current_actor(), values["organisation"], asked)
        # It travels sealed in the form cookie.
        session["token"] = seal(word, _SHOWN)
        return "/account/tokens/new"

    return submit(TokenSchema(), act, _page, twice=True)


@blueprint.get("/new")
@requires(CREATE)
def made() -> AnyResponse:
    """The new token, shown once."""
    word = unseal(session.pop("token", ""), _SHOWN)
    if not word:
        return redirect("/account/tokens", 303)

    def page(_form: Form, _trouble: Trouble) -> str:
        return render_template("people/token_made.html", word=word)

    return show(page)


@blueprint.post("/<int:token_id>/revoke")
@requires(REVOKE)
def revoke(token_id: int) -> AnyResponse:
    """Revoke a token."""

    def act(_values: Mapping[str, Any]) -> str:
        tokens.revoke(current_actor(), token_id)
        return "/account/tokens"

    return submit(NothingSchema(), act, _page)


def _page(form: Form, trouble: Trouble) -> str:
    actor = current_actor()
    return render_template(
        "people/tokens.html",
        tokens=tokens.listed(actor),
        organisations=tokens.own_organisations(actor),
        scopes=list(tokens.offered().items()),
        chosen=request.form.getlist("scopes"),
        roles=list(TOKEN_ROLES.items()),
        form=form,
        trouble=trouble,
    )
