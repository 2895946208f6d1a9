"""When digests are due, and how a search is kept so that the same search is the same text."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from werkzeug.datastructures import MultiDict

from market.core.clock import SHANGHAI, local
from market.discovery import forms
from market.discovery.forms import FILTERS, SearchForm

MOST_SEARCHES = 50  # of one person
LONGEST_QUERY = 4000  # characters of a kept search
EDITION = time(7)  # digests tell what was visible up to then
# Whatever was published by then has been committed.
GRACE = timedelta(minutes=5)
_MONDAY = 0


def kept_form(form: SearchForm) -> SearchForm:
    """What is kept of a search: words and filters. Days and order mean nothing to what is new."""
    ordered: dict[str, Any] = {name: tuple(sorted(getattr(form, name))) for name in FILTERS}
    ordered |= {"date": (), "since": None, "until": None}
    return SearchForm(q=form.q, **ordered)


def kept_query(form: SearchForm) -> str:
    """The text under which a search is kept; the same for searches that ask the same."""
    return urlencode(kept_form(form).pairs())


def form_of(query: str) -> SearchForm:
    """The search of a kept text, or of what was typed behind `/search?`."""
    read = forms.read(MultiDict(parse_qsl(query)))
    return replace(kept_form(read), notes=read.notes)


def edition_before(rhythm: str, moment: datetime) -> datetime:
    """The newest edition at or before a moment: 7:00 of a day, for weekly ones of a Monday."""
    here = local(moment)
    found = datetime.combine(here.date(), EDITION, SHANGHAI)
    if found > here:
        found -= timedelta(days=1)
    if rhythm == "weekly":
        found -= timedelta(days=(found.weekday() - _MONDAY) % 7)
    return found


def edition_after(rhythm: str, moment: datetime) -> datetime:
    """The first edition after a moment."""
    return edition_before(rhythm, moment) + timedelta(days=7 if rhythm == "weekly" else 1)


def due_after(rhythm: str, moment: datetime) -> datetime:
    """When the first digest after a moment is due."""
    return edition_after(rhythm, moment) + GRACE


def whole_second(moment: datetime) -> datetime:
    """The moment as the index knows it."""
    return moment.replace(microsecond=0)
