"""Small helpers for templates: the present address with changes, amounts, dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, request

from market.core import clock, csrf, once
from market.core.http import current_actor
from market.core.languages import is_english, translate, url
from market.core.money import price, show_yuan
from market.core.settings import Settings
from market.core.static_files import static_url
from market.core.text import clean_line


def query_url(**changes: Any) -> str:
    """The present address with parameters changed; None or [] removes, the page starts anew."""
    kept = {name: request.args.getlist(name) for name in request.args if name != "page"}
    for name, value in changes.items():
        kept[name] = value if isinstance(value, list) else [] if value is None else [value]
    pairs = [(name, value) for name, values in kept.items() for value in values if value != ""]
    return url(request.path) + (f"?{urlencode(pairs)}" if pairs else "")


def absolute(address: str) -> str:
    """An address of this site with its host, for what is read elsewhere."""
    return str(current_app.extensions["market"].settings.base_url) + address


def printed_url() -> str:
    """The present address as it stands on paper."""
    return absolute(url(clean_line(request.full_path.removesuffix("?"))))


def day(value: date | datetime | None) -> str:
    """A date as 2026-08-21, on the calendar of China."""
    if value is None:
        return ""
    return (clock.local(value).date() if isinstance(value, datetime) else value).isoformat()


def moment(value: datetime | None) -> str:
    """A moment as 2026-08-21 09:30, on the clock of China."""
    return "" if value is None else clock.local(value).strftime("%Y-%m-%d %H:%M")


@dataclass(frozen=True)
class Operator:
    """Who runs the site, for the footer; what is not set is empty.

    `filings`: number and address of each register that the site must name. 非经营性互联网信息服务
    备案管理办法 art. 13 asks for the number and a link to the register; 计算机信息网络国际联网安全
    保护管理办法 for the filing with the police, whose register finds it by its digits.
    """

    host: str
    operating: str
    telephone: str
    filings: Sequence[tuple[str, str]]


def _operator(settings: Settings) -> Operator:
    digits = "".join(re.findall(r"\d", settings.police_number))
    filings = [
        (settings.icp_number, "https://beian.miit.gov.cn/"),
        (settings.police_number, f"https://beian.mps.gov.cn/#/query/webSearch?code={digits}"),
    ]
    return Operator(
        settings.host_organisation,
        settings.operating_organisation,
        settings.telephone,
        [(number, address) for number, address in filings if number],
    )


def _reader() -> dict[str, Any]:
    """Who reads the page: `actor`, and `badges` with the figures for its head."""
    actor = current_actor()
    badges: dict[str, int | str] = {}
    if actor.signed_in:
        for room in current_app.extensions["market"].rooms:
            badges |= {name: read(actor) for name, read in room.badges.items()}
    return {"actor": actor, "badges": badges}


def init_views(app: Flask, settings: Settings) -> None:
    """Offer the helpers to all templates."""

    def site_title() -> str:
        """The site's name in the language of the page."""
        return (is_english() and settings.site_name_en) or translate(settings.site_name)

    app.context_processor(_reader)
    app.jinja_env.globals.update(
        static_url=static_url,
        query_url=query_url,
        printed_url=printed_url,
        absolute=absolute,
        price=price,
        yuan=show_yuan,
        day=day,
        moment=moment,
        site_name=settings.site_name,
        site_title=site_title,
        operator=_operator(settings),
        demo=settings.demo,
        reader=current_actor,
        csrf_token=csrf.token,
        once_word=once.new_word,
    )
