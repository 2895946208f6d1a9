"""What the pages of this part share: tab and page of the address, and one person in full."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Response, request

from market.core import csrf
from market.core.errors import Invalid
from market.core.forms import Form
from market.core.submitting import EMPTY, Trouble, show
from market.matching.dispatch.contacts import Person


def page_number() -> int:
    """The page of the address; what makes no sense counts as the first."""
    number = request.args.get("page", "1")
    asked = int(number) if number.isascii() and number.isdecimal() and len(number) < 6 else 1
    return max(1, asked)


def tab_of(tabs: Mapping[str, str]) -> str:
    """The tab of the address, else the first."""
    asked = request.args.get("tab", "")
    return asked if asked in tabs else next(iter(tabs))


def unmasked(
    form: Form,
    page: Callable[[str, Person | None], Callable[[Form, Trouble], str]],
    read: Callable[[str | None, int | None], Person],
) -> Response:
    """A page with one person in full, or with why he is not shown."""
    line = form.values.get("line")
    tried = f"contact-{line or 0}"
    if not csrf.sent_by_our_form():
        return show(page(tried, None), form, Trouble(csrf.STALE, status=400))
    try:
        found = read(form.values.get("reason"), line)
    except Invalid as error:
        errors = {name: " ".join(words) for name, words in error.fields.items()}
        return show(page(tried, None), form, Trouble(errors=errors, status=422))
    return show(page("", found), EMPTY)
