"""Small helpers for templates: the present address with changes, amounts, dates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, request

from market.core import clock
from market.core.money import show_yuan
from market.core.static_files import static_url
from market.core.text import clean_line


def query_url(**changes: Any) -> str:
    """The present address with parameters changed; None or [] removes, the page starts anew."""
    kept = {name: request.args.getlist(name) for name in request.args if name != "page"}
    for name, value in changes.items():
        kept[name] = value if isinstance(value, list) else [] if value is None else [value]
    pairs = [(name, value) for name, values in kept.items() for value in values if value != ""]
    return request.path + (f"?{urlencode(pairs)}" if pairs else "")


def printed_url() -> str:
    """The present address as it stands on paper."""
    base = current_app.extensions["market"].settings.base_url
    return base + clean_line(request.full_path.removesuffix("?"))


def day(value: date | datetime | None) -> str:
    """A date as 2026-08-21, on the calendar of China."""
    if value is None:
        return ""
    return (clock.local(value).date() if isinstance(value, datetime) else value).isoformat()


def init_views(app: Flask, site_name: str, demo: bool) -> None:
    """Offer the helpers to all templates."""
    app.jinja_env.globals.update(
        static_url=static_url,
        query_url=query_url,
        printed_url=printed_url,
        yuan=show_yuan,
        day=day,
        site_name=site_name,
        demo=demo,
    )
