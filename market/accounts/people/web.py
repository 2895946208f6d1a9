"""Public pages of accounts: registering, signing in and out, a new password, a kept form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request, session
from werkzeug.wrappers import Response as AnyResponse

from market.accounts.people import registering, signing_in
from market.accounts.people.registering import REGISTER, RESET
from market.accounts.people.rules import safe_next
from market.accounts.people.schemas import (
    CodeSchema,
    ForgottenSchema,
    LoginSchema,
    NothingSchema,
    RegisterSchema,
    ResetSchema,
    SecondCodeSchema,
)
from market.accounts.people.sessions import set_cookie
from market.accounts.people.signing_in import SIGN_IN, SIGN_OUT
from market.core import csrf, kept_forms
from market.core.errors import Conflict, Denied
from market.core.forms import Form
from market.core.http import client_address, current_actor, opens_by_address
from market.core.languages import translate as _
from market.core.languages import url
from market.core.masking import mask_contact
from market.core.permissions import Always, policy, requires
from market.core.submitting import Page, Trouble, show, submit

blueprint = Blueprint("people", __name__)
TAKE_BACK = policy.declare("accounts:form:take", person=Always())
HOME, AFTER_REGISTERING = "/start", "/my/organisation"


def where_to() -> dict[str, str]:
    """Where this sign-in leads: `next`, a path of this site, or `kept`, the key of a form."""
    found = {}
    if address := safe_next(request.values.get("next")):
        found["next"] = address
    if key := request.values.get("kept", ""):
        found["kept"] = key[:100]
    return found


def _with_goal(path: str) -> str:
    goal = where_to()
    return path + (f"?{urlencode(goal)}" if goal else "")


def _goal() -> str:
    goal = where_to()
    return f"/kept/{goal['kept']}" if "kept" in goal else goal.get("next", HOME)


def _step(name: str) -> int | None:
    """The row of a step that this browser began; the cookie that names it is signed."""
    found = session.get(name)
    return found if isinstance(found, int) else None


# Registering


@blueprint.get("/register")
@requires(REGISTER)
def register() -> Response:
    """注册账号: the form, or the code that is waited for."""
    step = registering.pending(_step("register"))
    if step is not None and "again" not in request.args:
        return show(_register_code)
    typed = {"name": step.name, "contact": step.contact} if step else {}
    return show(_register, Form({}, {}, typed))


@blueprint.post("/register")
@requires(REGISTER)
def send_register() -> AnyResponse:
    """The form, its code, or another code; all have one address, so that reloading works."""
    steps = {"code": _confirm_register, "again": _another_register_code}
    return steps.get(request.form.get("step", ""), _begin_register)()


def _begin_register() -> AnyResponse:

    def act(values: Mapping[str, Any]) -> str:
        session["register"] = registering.begin(values, network=client_address())
        return _with_goal("/register")

    return submit(RegisterSchema(), act, _register, twice=True)


def _confirm_register() -> AnyResponse:
    words = []

    def act(values: Mapping[str, Any]) -> str:
        own = current_actor().session_id
        words.append(registering.finish(_step("register"), values["code"], session_id=own))
        goal = where_to()
        return _goal() if goal else AFTER_REGISTERING

    return _signed_in(submit(CodeSchema(), act, _register_code, twice=True), words)


def _another_register_code() -> AnyResponse:
    return _another("register", _with_goal("/register"), _register_code)


def _another(purpose: str, target: str, page: Page) -> AnyResponse:
    """Another code in place of one that did not arrive."""

    def act(_values: Mapping[str, Any]) -> str:
        step = registering.send_again(_step(purpose), purpose, network=client_address())
        session[purpose] = step
        return target

    return submit(NothingSchema(), act, page, twice=True)


def _register(form: Form, trouble: Trouble) -> str:
    return render_template(
        "people/register.html", form=form, trouble=trouble, goal=where_to(), step="form"
    )


def _register_code(form: Form, trouble: Trouble) -> str:
    step = registering.pending(_step("register"))
    return render_template(
        "people/register.html",
        form=form,
        trouble=trouble,
        goal=where_to(),
        step="code",
        contact=mask_contact(step.contact) if step else "",
    )


# Signing in and out


@blueprint.get("/login")
@requires(SIGN_IN)
def login() -> Response:
    """登录: account and password, then the second factor where it is set up."""
    if "again" in request.args or not signing_in.waits_for_code(_step("login")):
        return show(_login)
    return show(_second)


@blueprint.post("/login")
@requires(SIGN_IN)
def send_login() -> AnyResponse:
    """Account and password, or the second factor."""
    return _send_second() if request.form.get("step") == "code" else _send_password()


def _send_password() -> AnyResponse:
    words = []

    def act(values: Mapping[str, Any]) -> str:
        outcome = signing_in.sign_in(
            values["account"],
            values["password"],
            network=client_address(),
            session_id=current_actor().session_id,
        )
        if outcome.waiting is not None:
            session["login"] = outcome.waiting
            return _with_goal("/login")
        words.append(outcome.word)
        return _goal()

    return _signed_in(submit(LoginSchema(), act, _login, twice=True), words)


def _send_second() -> AnyResponse:
    words = []

    def act(values: Mapping[str, Any]) -> str:
        own = current_actor().session_id
        words.append(signing_in.second_step(_step("login"), values["code"], session_id=own))
        return _goal()

    return _signed_in(submit(SecondCodeSchema(), act, _second, twice=True), words)


def _signed_in(response: AnyResponse, words: list[str]) -> AnyResponse:
    """Hand the session's word to the browser; what it began before is forgotten."""
    if words:
        session.clear()
        set_cookie(cast(Response, response), words[0])
    return response


def _login(form: Form, trouble: Trouble) -> str:
    return render_template(
        "people/login.html",
        form=form,
        trouble=trouble,
        goal=where_to(),
        reset="reset" in request.args,
    )


def _second(form: Form, trouble: Trouble) -> str:
    return render_template("people/login_code.html", form=form, trouble=trouble, goal=where_to())


@blueprint.post("/logout")
@requires(SIGN_OUT)
def logout() -> AnyResponse:
    """退出."""
    if not csrf.sent_by_our_form():
        raise Conflict(_("这一页打开得太久了：请刷新后再点一次「退出」。"))
    signing_in.sign_out(current_actor())
    session.clear()
    return set_cookie(cast(Response, redirect("/", 303)), "")


# A new password


@blueprint.get("/password")
@requires(RESET)
def password() -> Response:
    """忘记密码: where to send a code, then the code and the new password."""
    if "again" in request.args or registering.resetting(_step("reset")) is None:
        return show(_forgotten)
    return show(_reset)


@blueprint.post("/password")
@requires(RESET)
def send_password() -> AnyResponse:
    """Send a code, if there is such an account (the page does not tell); or take it."""
    steps = {"code": _confirm_reset, "again": _another_reset_code}
    return steps.get(request.form.get("step", ""), _begin_reset)()


def _begin_reset() -> AnyResponse:

    def act(values: Mapping[str, Any]) -> str:
        session["reset"] = registering.begin_reset(values["contact"], network=client_address())
        return "/password"

    return submit(ForgottenSchema(), act, _forgotten, twice=True)


def _another_reset_code() -> AnyResponse:
    return _another("reset", "/password", _reset)


def _confirm_reset() -> AnyResponse:

    def act(values: Mapping[str, Any]) -> str:
        registering.finish_reset(_step("reset"), values["code"], values["password"])
        session.pop("reset", None)
        return "/login?reset=1"

    return submit(ResetSchema(), act, _reset, twice=True)


def _forgotten(form: Form, trouble: Trouble) -> str:
    return render_template("people/password.html", form=form, trouble=trouble, step="form")


def _reset(form: Form, trouble: Trouble) -> str:
    contact = registering.resetting(_step("reset"))
    return render_template(
        "people/password.html",
        form=form,
        trouble=trouble,
        step="code",
        contact=mask_contact(contact) if contact else "",
    )


# A form that came after its session had ended


@blueprint.get("/kept/<string:key>")
@requires(TAKE_BACK)
@opens_by_address
def kept(key: str) -> Response:
    """What was kept, and one button that sends it to its form, which then shows itself filled in."""
    path, fields = kept_forms.take_back(key)
    if safe_next(path) is None:
        raise Denied
    page = render_template("people/kept.html", path=url(path), fields=fields)
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response
