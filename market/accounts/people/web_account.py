"""我的账号: one's own data, contacts, password, sessions, export, closing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from flask import Blueprint, Response, abort, current_app, jsonify, render_template, session
from werkzeug.wrappers import Response as AnyResponse

from market.accounts.people import queries, service
from market.accounts.people.proving import SELF
from market.accounts.people.schemas import (
    LANGUAGES,
    ChangePasswordSchema,
    CodeSchema,
    EmailSchema,
    MobileSchema,
    NothingSchema,
    OwnPasswordSchema,
    ProfileSchema,
)
from market.accounts.people.service import END_SESSION
from market.accounts.people.sessions import set_cookie
from market.core import clock
from market.core.forms import Form
from market.core.http import client_address, current_actor
from market.core.masking import mask_contact
from market.core.permissions import requires
from market.core.ports import Market
from market.core.submitting import EMPTY, Trouble, show, submit

blueprint = Blueprint("account", __name__, url_prefix="/account")
_CONTACTS = {"mobile": ("手机号", MobileSchema), "email": ("邮箱", EmailSchema)}


@blueprint.get("")
@requires(SELF)
def account() -> Response:
    """我的账号."""
    return show(_account)


@blueprint.post("")
@requires(SELF)
def change_profile() -> AnyResponse:
    """Name and language."""

    def act(values: Mapping[str, Any]) -> str:
        service.change_profile(current_actor(), values)
        return "/account?saved=1"

    return submit(ProfileSchema(), act, _account)


def _account(form: Form, trouble: Trouble) -> str:
    own = queries.account(current_actor())
    typed = form.typed if form is not EMPTY else {"name": own.name, "language": own.language}
    return render_template(
        "people/account.html",
        account=own,
        typed=typed,
        trouble=trouble,
        languages=list(LANGUAGES.items()),
    )


@blueprint.get("/contact/<string:kind>")
@requires(SELF)
def contact(kind: str) -> Response:
    """更换手机号, 更换邮箱."""
    if kind not in _CONTACTS:
        abort(404)
    return show(_contact_page(kind))


@blueprint.post("/contact/<string:kind>")
@requires(SELF)
def change_contact(kind: str) -> AnyResponse:
    """Send a code to the new contact."""
    if kind not in _CONTACTS:
        abort(404)

    def act(values: Mapping[str, Any]) -> str:
        session["contact"] = service.begin_contact(
            current_actor(), values["contact"], values["password"], network=client_address()
        )
        return "/account/contact-code"

    return submit(_CONTACTS[kind][1](), act, _contact_page(kind), twice=True)


def _contact_page(kind: str) -> Any:
    def page(form: Form, trouble: Trouble) -> str:
        return render_template(
            "people/contact.html",
            kind=kind,
            label=_CONTACTS[kind][0],
            account=queries.account(current_actor()),
            form=form,
            trouble=trouble,
        )

    return page


@blueprint.get("/contact-code")
@requires(SELF)
def contact_code() -> Response:
    """The code that the new contact got."""
    return show(_contact_code)


@blueprint.post("/contact-code")
@requires(SELF)
def confirm_contact() -> AnyResponse:
    """The code: from now on the new contact counts."""

    def act(values: Mapping[str, Any]) -> str:
        service.finish_contact(current_actor(), session.get("contact"), values["code"])
        session.pop("contact", None)
        return "/account?saved=1"

    return submit(CodeSchema(), act, _contact_code, twice=True)


def _contact_code(form: Form, trouble: Trouble) -> str:
    waiting = service.contact_waiting(current_actor(), session.get("contact"))
    return render_template(
        "people/contact_code.html",
        form=form,
        trouble=trouble,
        contact=mask_contact(waiting.value) if waiting else "",
    )


@blueprint.get("/password")
@requires(SELF)
def password() -> Response:
    """更改密码."""
    return show(_password)


@blueprint.post("/password")
@requires(SELF)
def change_password() -> AnyResponse:
    """Another password; sessions elsewhere end."""

    def act(values: Mapping[str, Any]) -> str:
        service.change_password(current_actor(), values["password"], values["new_password"])
        return "/account?saved=1"

    return submit(ChangePasswordSchema(), act, _password, twice=True)


def _password(_form: Form, trouble: Trouble) -> str:
    own = queries.account(current_actor())
    return render_template("people/change_password.html", trouble=trouble, account=own)


@blueprint.get("/sessions")
@requires(SELF)
def sessions() -> Response:
    """登录记录: where one is signed in."""
    return show(_sessions)


@blueprint.post("/sessions/<int:session_id>/end")
@requires(END_SESSION)
def end_session(session_id: int) -> AnyResponse:
    """Sign out there."""

    def act(_values: Mapping[str, Any]) -> str:
        service.end_session(current_actor(), session_id)
        return "/account/sessions"

    return submit(NothingSchema(), act, _sessions)


@blueprint.post("/sessions")
@requires(SELF)
def end_other_sessions() -> AnyResponse:
    """Sign out everywhere but here."""

    def act(_values: Mapping[str, Any]) -> str:
        service.end_other_sessions(current_actor())
        return "/account/sessions"

    return submit(NothingSchema(), act, _sessions)


def _sessions(_form: Form, trouble: Trouble) -> str:
    found = queries.sessions(current_actor())
    return render_template("people/sessions.html", sessions=found, trouble=trouble)


@blueprint.get("/export")
@requires(SELF)
def export() -> Response:
    """导出我的数据: one JSON file."""
    actor = current_actor()
    own = queries.export(actor)
    market: Market = current_app.extensions["market"]
    response = jsonify(own | (market.of_person(actor.id) if actor.id is not None else {}))
    name = f"account-{clock.today().isoformat()}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.get("/close")
@requires(SELF)
def closing() -> Response:
    """注销账号: what it means."""
    return show(_close)


@blueprint.post("/close")
@requires(SELF)
def close() -> AnyResponse:
    """Close the account; back to the home page, signed out."""
    done: list[bool] = []

    def act(values: Mapping[str, Any]) -> str:
        service.close(current_actor(), values["password"])
        done.append(True)
        return "/"

    response = submit(OwnPasswordSchema(), act, _close, twice=True)
    if done:
        session.clear()
        set_cookie(cast(Response, response), "")
    return response


def _close(_form: Form, trouble: Trouble) -> str:
    own = queries.account(current_actor())
    return render_template("people/close.html", trouble=trouble, account=own)
