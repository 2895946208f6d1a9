"""The language of a page follows from its address: below /en English, elsewhere Chinese.

Readers have no cookie and pages may be kept by caches, so nothing but the address may decide. The
Chinese text is the key of its translation; outside a request, and below /api/, all is Chinese.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import flask_babel
from flask import Flask, Response, has_request_context, request
from markupsafe import Markup, escape

from market.paths import TRANSLATIONS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/en"
_KEY = "market.language"
# These answer in one language only, and have one address only.
_ONE_LANGUAGE = re.compile(
    r"/(?:api|static|templates|files|start|my|desk|account|submissions|renew|inquiries|"
    r"intents|dispatches|verifications|calls|answers|intakes(?!/receipt)|imports|"
    r"contracts/[^/]+|vouchers/(?:applications|orders|claims))(?:/|$)|"
    r"/(?:healthz|readyz|metrics|favicon\.ico|robots\.txt|feed\.atom|search\.(?:xlsx|csv)|"
    r"notices\.(?:csv|atom)|(?:service-points|specialists)\.(?:csv|json|xlsx)|"
    r"sitemap[^/]*\.xml)$"
)
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_CHINESE = Markup(' lang="zh-CN"')


class LanguageOfAddress:
    """WSGI middleware: takes a leading /en off the path, so that every route answers below it."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        rest = path.removeprefix(PREFIX)
        if path.startswith(f"{PREFIX}/") and not _ONE_LANGUAGE.match(rest):
            environ = {**environ, "PATH_INFO": rest, _KEY: "en"}
        return self.app(environ, start_response)


@cache
def _english() -> gettext.NullTranslations:
    """The English words; asked directly, since a page asks hundreds of times."""
    return gettext.translation("messages", TRANSLATIONS, ["en"])


def is_english() -> bool:
    """Whether the page being made is an English one."""
    return has_request_context() and _KEY in request.environ


def translate(text: str, /, **values: Any) -> str:
    """A text in the language of the page: `_("共 %(n)s 项", n=n)`.

    Args:
        text: the Chinese words; what has no translation (a label from a table) stays as it is.
        values: for the names in the text; without any a percent sign stands for itself.
    """
    text = in_language(text, "en" if is_english() else "zh")
    return text % values if values else text


def in_language(text: str, language: str) -> str:
    """A Chinese text in a language, "zh" or "en", for what is read elsewhere; values not put in."""
    return _english().gettext(text) if text and language == "en" else text


def _in_template(text: str, /, **values: Any) -> str:
    """The same for templates: words and values are escaped, but Markup is put in as it is."""
    return escape(translate(text)) % values if values else translate(text)


def translate_plural(one: str, many: str, num: int, **values: Any) -> str:
    """The same for a text with a number in it, `%(num)s`; Chinese has one form for all."""
    text = _english().ngettext(one, many, num) if is_english() else many
    return text % {"num": f"{num:,}", **values}


def N_(text: str) -> str:
    """Mark a constant for translation where it is shown."""
    return text


def chinese(*texts: object) -> Markup | str:
    """The attribute that tells a screen reader: this is Chinese, on an English page.

    Args:
        texts: what the element says; text without Chinese characters needs no mark.
    """
    if is_english() and any(_HAN.search(str(text)) for text in texts):
        return _CHINESE
    return ""


def url(address: str) -> str:
    """An address of this site in the language of this page; others stay as they are."""
    return url_in(address, "en" if is_english() else "zh")


def url_in(address: str, language: str) -> str:
    """An address of this site in a language, "zh" or "en"; others stay as they are."""
    if language != "en" or not address.startswith("/") or address.startswith("//"):
        return address
    path = re.split("[?#]", address, maxsplit=1)[0]
    if _ONE_LANGUAGE.match(path) or path == PREFIX or path.startswith(f"{PREFIX}/"):
        return address
    return PREFIX + address


def page_in(language: str) -> str:
    """The address of the present page in Chinese ("zh") or English ("en")."""
    asked = urlencode(
        [(name, value) for name in request.args for value in request.args.getlist(name)]
    )
    path = (PREFIX if language == "en" else "") + quote(request.path)
    return f"{path}?{asked}" if asked else path


def _stay(response: Response) -> Response:
    """A redirect from an English page leads to an English page."""
    if response.location and is_english():
        parts = urlsplit(response.location)
        if not parts.netloc or parts.netloc == request.host:
            response.location = parts._replace(path=url(parts.path)).geturl()
    return response


def _locale() -> str:
    return "en" if is_english() else "zh_Hans_CN"


def init_languages(app: Flask) -> None:
    """Choose the language of each request and offer the helpers to all templates."""
    flask_babel.Babel(app, locale_selector=_locale, configure_jinja=False)
    app.wsgi_app = LanguageOfAddress(app.wsgi_app)  # type: ignore[method-assign]
    # An application context may outlive a request; the language may not.
    app.before_request(flask_babel.refresh)
    app.after_request(_stay)
    helpers: dict[str, Callable[..., Any]] = {
        "_": _in_template,
        "ngettext": translate_plural,
        "url": url,
        "page_in": page_in,
        "is_english": is_english,
        "zh": chinese,
    }
    app.jinja_env.globals.update(helpers)
    app.jinja_env.filters["translated"] = translate
