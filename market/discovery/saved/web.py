"""订阅搜索: one's saved searches, what was new in each, and the door out of their mails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.core.forms import Form
from market.core.http import current_actor, opens_by_address
from market.core.languages import url
from market.core.pagination import EXACT_UP_TO, LISTINGS_PER_PAGE
from market.core.permissions import requires
from market.core.submitting import EMPTY, Page, Trouble, show, submit
from market.discovery import forms
from market.discovery.saved import queries, rules, service
from market.discovery.saved.fresh import places_for
from market.discovery.saved.models import LANGUAGES, RHYTHMS
from market.discovery.saved.queries import READ
from market.discovery.saved.schemas import EditSchema, PlainSchema, SaveSchema
from market.discovery.saved.service import STOP, WRITE

blueprint = Blueprint("saved", __name__)
LIST = "/my/searches"
_ACTS = {"pause": service.pause, "resume": service.resume, "delete": service.remove}
_CHOICES = {"rhythms": list(RHYTHMS.items()), "languages": list(LANGUAGES.items())}


@blueprint.get(LIST)
@requires(READ)
def listed() -> Response:
    """订阅搜索: all of one's own."""
    return show(_list_page)


def _list_page(_form: Form, trouble: Trouble) -> str:
    rows = queries.mine(current_actor())
    return render_template(
        "saved/list.html",
        rows=rows,
        counts=queries.counts([row.id for row in rows]),
        most=rules.MOST_SEARCHES,
        saved=request.args.get("saved", ""),
        trouble=trouble,
    )


@blueprint.get(f"{LIST}/new")
@requires(WRITE)
def new() -> Response:
    """Keep the search in the address, which is that of the search page."""
    form = forms.read(request.args)
    typed = {
        "query": rules.kept_query(form),
        "name": _first_name(rules.kept_form(form)),
        "rhythm": "daily",
        "language": "en" if request.args.get("language") == "en" else "zh",
    }
    return show(_new_page, Form({}, {}, typed))


def _first_name(form: forms.SearchForm) -> str:
    """A name to begin with: the words, else the filters."""
    return (form.q or queries.said(form))[:60]


@blueprint.post(LIST)
@requires(WRITE)
def save() -> AnyResponse:
    """Keep a search."""

    def act(values: Mapping[str, Any]) -> str:
        return f"{LIST}?saved={service.save(current_actor(), values)}"

    return submit(SaveSchema(), act, _new_page)


def _new_page(form: Form, trouble: Trouble) -> str:
    asked = rules.form_of(form.typed.get("query", ""))
    places = places_for(asked)
    return render_template(
        "saved/new.html",
        form=form,
        trouble=trouble,
        said=queries.said(asked, places),
        found=queries.found_now(asked),
        notes=asked.notes,
        search_url="/search?" + form.typed.get("query", ""),
        **_CHOICES,
    )


def _page_number() -> int:
    text = request.args.get("page", "1")
    fits = text.isascii() and text.isdecimal() and len(text) < 6
    return min(max(int(text), 1), EXACT_UP_TO // LISTINGS_PER_PAGE) if fits else 1


@blueprint.get(f"{LIST}/<int:key>")
@requires(READ)
def news(key: int) -> AnyResponse:
    """What was new."""
    actor, number = current_actor(), _page_number()
    page = queries.news(actor, key, number)
    if number > page.pages:
        return redirect(f"{LIST}/{key}")
    row = queries.get(actor, key)
    return show(
        lambda _form, trouble: render_template(
            "saved/news.html", row=row, page=page, trouble=trouble
        )
    )


@blueprint.get(f"{LIST}/<int:key>/edit")
@requires(WRITE)
def edit(key: int) -> Response:
    """Name, rhythm, language; pause and delete."""
    return show(_edit_page(key))


@blueprint.post(f"{LIST}/<int:key>/edit")
@requires(WRITE)
def change(key: int) -> AnyResponse:
    """Keep what was changed."""

    def act(values: Mapping[str, Any]) -> str:
        service.change(current_actor(), key, values)
        return f"{LIST}?saved={key}"

    return submit(EditSchema(), act, _edit_page(key))


def _edit_page(key: int) -> Page:
    row = queries.get(current_actor(), key, WRITE)
    now = {"name": row.name, "rhythm": row.rhythm, "language": row.language}

    def page(form: Form, trouble: Trouble) -> str:
        found = queries.get(current_actor(), key, WRITE)
        return render_template(
            "saved/edit.html",
            row=found,
            typed=form.typed if form is not EMPTY else now,
            seen=found.lock_version,
            trouble=trouble,
            **_CHOICES,
        )

    return page


@blueprint.post(f"{LIST}/<int:key>/<any(pause, resume, delete):action>")
@requires(WRITE)
def act(key: int, action: str) -> AnyResponse:
    """Pause, resume, delete."""
    queries.get(current_actor(), key, WRITE)

    def do(_values: Mapping[str, Any]) -> str:
        _ACTS[action](current_actor(), key)
        return LIST

    return submit(PlainSchema(), do, _list_page)


@blueprint.get("/searches/stop/<string:word>")
@requires(STOP)
@opens_by_address
def stopping(word: str) -> Response:
    """One button; looking changes nothing, since mail scanners follow links."""
    return _stop_page(word)


@blueprint.post("/searches/stop/<string:word>")
@requires(STOP)
@opens_by_address
def stop(word: str) -> Response:
    """Stop it. The address stands for the token of a form (RFC 8058)."""
    service.stop(word)
    return _stop_page(word)


def _stop_page(word: str) -> Response:
    _key, name, active = queries.by_stop_word(word)
    page = render_template(
        "saved/stop.html", name=name, done=not active, action=url(f"/searches/stop/{word}")
    )
    return Response(page, headers={"Cache-Control": "no-store"}, mimetype="text/html")
