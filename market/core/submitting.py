"""What every form does: read, act once, and come back as it was filled in when it cannot be taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response, make_response, redirect, request
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from market.core import csrf, once
from market.core.errors import Busy, Conflict, Denied, Invalid, TooMany
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.languages import translate
from market.core.unit_of_work import unit_of_work

EMPTY = Form({}, {}, {})


@dataclass(frozen=True)
class Trouble:
    """Why a form was not taken: a sentence for the top, messages by field; both may be empty.

    labels: what a field is called on the page, for the summary at its top, where 必填 alone would
    not say of what.
    """

    sentence: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    labels: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.sentence or self.errors)


Page = Callable[[Form, Trouble], str]


def show(page: Page, form: Form = EMPTY, trouble: Trouble | None = None) -> Response:
    """A page with a form: never stored by caches, since it carries a token."""
    trouble = trouble or Trouble()
    response = make_response(page(form, trouble), trouble.status)
    response.headers["Cache-Control"] = "no-store"
    return response


def submit(
    schema: Schema,
    act: Callable[[Mapping[str, Any]], str],
    page: Page,
    *,
    twice: bool = False,
    wrong: Mapping[str, list[str]] | None = None,
) -> AnyResponse:
    """Do what a form asks, then go to the address that `act` returns.

    With a hidden field `once` (`{{ once_word() }}`) in the form, sending it twice acts once.

    Args:
        act: gets the schema's values, calls a service, returns where to go.
        page: renders the form again, with what was typed and what is wrong.
        twice: the act may not share a transaction (it hashes a password, writes a file): it is not
            guarded against being sent twice.
        wrong: faults that were found before (of a file, of a place), so that all are told at once.
    """
    form = read_form(schema, request.form)
    if not csrf.sent_by_our_form():
        return show(page, form, Trouble(translate(csrf.STALE), status=400))
    if faults := {**(wrong or {}), **form.errors}:
        return show(page, form, _wrong(faults, schema))
    try:
        target = act(form.values) if twice else _once(form, act)
    except Invalid as error:
        return show(page, form, _wrong(error.fields, schema))
    except (Busy, TooMany) as error:
        response = show(page, form, Trouble(error.message, status=error.status))
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    except (Conflict, Denied) as error:
        return show(page, form, Trouble(error.message, status=error.status))
    return redirect(target, 303)


def _wrong(errors: Mapping[str, list[str]], schema: Schema) -> Trouble:
    words = {name: " ".join(messages) for name, messages in errors.items()}
    labels = {
        one.data_key or name: one.metadata["label"]
        for name, one in schema.fields.items()
        if "label" in one.metadata
    }
    return Trouble(errors=words, status=422, labels=labels)


def _once(form: Form, act: Callable[[Mapping[str, Any]], str]) -> str:
    word = request.form.get(once.FIELD, "")
    if not word:
        return act(form.values)
    actor = current_actor()
    content = repr(sorted(request.form.lists())).encode()
    # A form that was changed and sent again from the same page is another act, and acts again.
    key = once.key_of(actor, request.path, word + once.digest(content))
    with unit_of_work(actor) as work:
        if (answer := once.earlier_answer(key, content)) is not None:
            work.require(once.REPEAT)
            return answer
        target = act(form.values)
        once.keep_answer(key, target)
        return target
