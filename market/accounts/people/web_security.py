"""两步验证: setting it up, doing it in this session, recovery codes, turning it off."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, session
from werkzeug.wrappers import Response as AnyResponse

from market.accounts.people import queries, second_factor
from market.accounts.people.proving import SELF
from market.accounts.people.schemas import OwnPasswordSchema, SecondCodeSchema, SetUpSchema
from market.core.forms import Form
from market.core.http import current_actor
from market.core.languages import translate
from market.core.permissions import requires
from market.core.secrets import seal, unseal
from market.core.settings import Settings
from market.core.submitting import Trouble, show, submit

blueprint = Blueprint("second_factor", __name__, url_prefix="/account/second-factor")
_CODES = "recovery.codes"
_BACK = "/account/second-factor"


def _settings() -> Settings:
    found: Settings = current_app.extensions["market"].settings
    return found


@blueprint.get("")
@requires(SELF)
def overview() -> Response:
    """Set it up, do it now, or see that it is on; whichever is next."""
    own = queries.account(current_actor())
    if own.second_factor_at is None:
        return show(_set_up)
    return show(_on if queries.second_factor_done(current_actor()) else _confirm)


@blueprint.post("")
@requires(SELF)
def turn_on() -> AnyResponse:
    """The app shows the right code: from now on it is asked for."""

    def act(values: Mapping[str, Any]) -> str:
        codes = second_factor.turn_on(
            current_actor(), values["secret"], values["code"], values["password"]
        )
        return _to_codes(codes)

    return submit(SetUpSchema(), act, _set_up, twice=True)


def _to_codes(codes: list[str]) -> str:
    """Lead to the page that shows the codes once: they travel sealed in the form cookie."""
    session["recovery"] = seal(json.dumps(codes), _CODES)
    return f"{_BACK}/codes"


def _set_up(form: Form, trouble: Trouble) -> str:
    import segno

    made = second_factor.set_up(
        current_actor(), translate(_settings().site_name), form.typed.get("secret", "")
    )
    picture = segno.make(made.address, error="m", micro=False)
    return render_template(
        "people/second_factor.html",
        form=form,
        trouble=trouble,
        sealed=made.sealed,
        secret=" ".join(made.secret[at : at + 4] for at in range(0, len(made.secret), 4)),
        picture=picture.svg_data_uri(scale=5, light="#fff", xmldecl=False),
        address=made.address,
        account=queries.account(current_actor()),
    )


@blueprint.get("/codes")
@requires(SELF)
def codes() -> AnyResponse:
    """The recovery codes, shown once."""
    found = unseal(session.pop("recovery", ""), _CODES)
    if not found:
        return redirect(_BACK, 303)

    def page(_form: Form, _trouble: Trouble) -> str:
        return render_template("people/recovery_codes.html", codes=json.loads(found))

    return show(page)


@blueprint.post("/codes")
@requires(SELF)
def renew_codes() -> AnyResponse:
    """Ten new recovery codes."""

    def act(values: Mapping[str, Any]) -> str:
        return _to_codes(second_factor.renew_codes(current_actor(), values["password"]))

    return submit(OwnPasswordSchema(), act, _on, twice=True)


@blueprint.post("/confirm")
@requires(SELF)
def confirm() -> AnyResponse:
    """The second factor in a session that came without it."""

    def act(values: Mapping[str, Any]) -> str:
        second_factor.confirm(current_actor(), values["code"])
        return _BACK

    return submit(SecondCodeSchema(), act, _confirm, twice=True)


def _confirm(form: Form, trouble: Trouble) -> str:
    return render_template("people/second_factor_confirm.html", form=form, trouble=trouble)


@blueprint.post("/off")
@requires(SELF)
def turn_off() -> AnyResponse:
    """Stop asking for it."""

    def act(values: Mapping[str, Any]) -> str:
        second_factor.turn_off(current_actor(), values["password"], demo=_settings().demo)
        return _BACK

    return submit(OwnPasswordSchema(), act, _on, twice=True)


def _on(_form: Form, trouble: Trouble) -> str:
    own = queries.account(current_actor())
    return render_template(
        "people/second_factor_on.html",
        trouble=trouble,
        account=own,
        left=second_factor.codes_left(own.id),
        needed=second_factor.needed(own.id) and not _settings().demo,
    )
