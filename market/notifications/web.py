"""The inbox, the switches of the account, and the door out of mails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request
from marshmallow import Schema
from werkzeug.wrappers import Response

from market.core.errors import NotFound
from market.core.forms import Form, read_form
from market.core.http import current_actor, opens_by_address
from market.core.languages import translate as _
from market.core.languages import url
from market.core.permissions import requires
from market.core.submitting import Trouble, show, submit
from market.core.views import query_url
from market.notifications import queries, service
from market.notifications.letters import ALL, read_unsubscribe
from market.notifications.queries import READ
from market.notifications.schemas import HOW_OFTEN, ChoicesForm, PageForm
from market.notifications.service import CHOOSE, MARK, UNSUBSCRIBE

blueprint = Blueprint("notifications", __name__)
_PAGE, _CHOICES, _BUTTON = PageForm(), ChoicesForm(), Schema()
INBOX = "/my/messages"


@blueprint.get(INBOX)
@requires(READ)
def inbox() -> Response:
    """消息: the unread first."""
    asked = read_form(_PAGE, request.args).values.get("page", 1)
    page = queries.inbox(current_actor(), asked)
    if page.page > page.pages:
        return redirect(query_url())
    return show(lambda _form, trouble: _inbox_page(page, trouble))


def _inbox_page(page: Any, trouble: Trouble) -> str:
    return render_template("notifications/inbox.html", page=page, trouble=trouble)


def _press(act: Any) -> Response:
    """Do what a button of the inbox asks; where the form is not taken, the inbox says why."""
    return submit(
        _BUTTON,
        act,
        lambda _form, trouble: _inbox_page(queries.inbox(current_actor()), trouble),
        twice=True,
    )


@blueprint.post(f"{INBOX}/<int:key>/open")
@requires(MARK)
def open_message(key: int) -> Response:
    """Mark a message as read and go where it leads."""
    return _press(lambda _values: service.mark_read(current_actor(), key) or INBOX)


@blueprint.post(f"{INBOX}/<int:key>/read")
@requires(MARK)
def read(key: int) -> Response:
    """Mark a message as read and stay."""

    def act(_values: Mapping[str, Any]) -> str:
        service.mark_read(current_actor(), key)
        return INBOX

    return _press(act)


@blueprint.post(f"{INBOX}/read")
@requires(MARK)
def read_all() -> Response:
    """Mark all as read."""

    def act(_values: Mapping[str, Any]) -> str:
        service.mark_all_read(current_actor())
        return INBOX

    return _press(act)


@blueprint.get("/account/messages")
@requires(CHOOSE)
def choices() -> Response:
    """消息设置: a switch for each kind and way."""
    return show(_choices_page)


@blueprint.post("/account/messages")
@requires(CHOOSE)
def choose() -> Response:
    """Keep the switches."""

    def act(values: Mapping[str, Any]) -> str:
        service.choose(
            current_actor(),
            sms=values.get("sms", ()),
            mail=values.get("mail", ()),
            daily=values["often"] == "daily",
        )
        return "/account/messages?saved=1"

    return submit(_CHOICES, act, _choices_page)


def _choices_page(form: Form, trouble: Trouble) -> str:
    found = queries.choices(current_actor())
    ticked = {
        channel: {
            one.name
            for one in found.switches
            if (one.name in request.form.getlist(channel) if trouble else getattr(one, channel))
        }
        for channel in ("sms", "mail")
    }
    return render_template(
        "notifications/choices.html",
        choices=found,
        ticked=ticked,
        often=(form.typed.get("often") if trouble else "") or ("daily" if found.daily else "now"),
        how_often=list(HOW_OFTEN.items()),
        trouble=trouble,
        saved=bool(request.args.get("saved")) and not trouble,
    )


@blueprint.get("/unsubscribe/<string:token>")
@requires(UNSUBSCRIBE)
@opens_by_address
def unsubscribe(token: str) -> Response:
    """One button; nothing is changed by looking, since mail scanners follow links."""
    return _unsubscribe_page(token, done=False)


@blueprint.post("/unsubscribe/<string:token>")
@requires(UNSUBSCRIBE)
@opens_by_address
def stop(token: str) -> Response:
    """Stop the mails. The signed address stands for the token of a form (RFC 8058)."""
    person_id, kinds = _asked(token)
    service.stop(person_id, kinds)
    return _unsubscribe_page(token, done=True)


def _asked(token: str) -> tuple[int, list[str]]:
    """Person and kinds of a signed address.

    Raises:
        NotFound: nobody signed it.
    """
    signed = read_unsubscribe(token)
    if signed is None:
        raise NotFound(_("这个退订地址不完整，请从邮件里重新打开，或登录后在「消息设置」里关闭。"))
    person_id, kind = signed
    return person_id, list(queries.kinds()) if kind == ALL else [kind]


def _unsubscribe_page(token: str, *, done: bool) -> Response:
    _person, kinds = _asked(token)
    known = [queries.kinds()[name] for name in kinds if name in queries.kinds()]
    page = render_template(
        "notifications/unsubscribe.html",
        stopped=known[0] if len(kinds) == 1 and known else None,
        action=url(f"/unsubscribe/{token}"),
        done=done,
    )
    return Response(page, headers={"Cache-Control": "no-store"}, mimetype="text/html")
