"""The JSON API below /api/v1: its blueprints, its OpenAPI document and the reference page.

Errors become problem+json in `core.error_pages`, which acts below /api/ only; flask-smorest's
own error handler would act on every page and is therefore not registered.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn

import flask_smorest
from flask import (
    Blueprint,
    Flask,
    Request,
    Response,
    abort,
    current_app,
    jsonify,
    render_template,
    request,
)
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser

from market.core.api_schemas import ProblemSchema
from market.core.api_writes import require_version_named, writes_of
from market.core.errors import Invalid, NotFound
from market.core.permissions import PUBLIC, Always, View, policy, requires
from market.core.static_files import YEAR

PREFIX = "/api/v1"
VERSION = "1.0.0"
PROBLEM = "application/problem+json"
READ = policy.declare("core:api:read", public=Always())

DESCRIPTION = """\
县域技术市场的数据接口：页面上能查到的，这里都能查到，条件和结果与页面相同。

- 读取公开信息不需要令牌；其余用单位的令牌：`Authorization: Bearer …`，由单位管理员在「账号」中申请。
- 新增时可带 `Idempotency-Key`，同一编号重发只办一次；修改和办理须带 `If-Match`（读取时回答中的 `ETag`），
  没带回答 428，已有改动回答 412。
- 列表一律返回 `total` 和 `items`；总数在 10,000 以内精确，超过时为 10,000 且 `total_is` 为
  `at_least`。往后翻用 `next_after` 给出的 `after`。
- 金额是以分为单位的整数，名称以 `_fen` 结尾；日期和时间按 ISO 8601。
- 代码的中文名称见 `taxonomies`（代码表）和 `regions`（行政区划）。
- 出错时返回 `application/problem+json`，`errors` 逐项说明改哪里、怎么改。
- 公开的信息都带 `ETag`，再次读取时带上 `If-None-Match`，没有变化就返回 304。
"""
_RESPONSES = {
    400: "请求不完整或格式不对",
    401: "请带上令牌：Authorization: Bearer …",
    403: "令牌没有这项权限",
    409: "已被他人改动，或现在的状态不能这样操作",
    412: "If-Match 与现在的版本不符，请重新读取",
    404: "没有这一条",
    410: "曾经公开，已经撤回",
    422: "输入有误，errors 逐项说明",
    428: "修改须带 If-Match",
    429: "太频繁，请按 Retry-After 稍后再试",
    503: "系统维护或检索索引正在建立，请按 Retry-After 稍后再试",
}
UNAVAILABLE = HTTPStatus(503).name
MISSING = HTTPStatus(404).name
WITHDRAWN = HTTPStatus(410).name


# How JSON writes what no text of ours holds: a NUL, half a character.
_ESCAPED = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class _Parser(FlaskParser):
    """Reads arguments; mistakes become the same error that services raise."""

    def load_json(self, req: Request, schema: Schema) -> Any:
        """The body; one that is not said to be JSON is refused, not taken for an empty one."""
        if not req.is_json and req.get_data():
            abort(415)
        return super().load_json(req, schema)

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> NoReturn:
        """Raise `Invalid` with a path for each message."""
        fields: dict[str, list[str]] = {}
        for path, message in _messages(error.messages):
            # The body is what pointers point into; other places are named.
            parts = path[1:] if path[:1] == ("json",) else path
            fields.setdefault("/".join(parts), []).append(message)
        raise Invalid(fields)


def _messages(found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Paths and messages of marshmallow's nested dictionaries and lists."""
    if isinstance(found, dict):
        for key, inner in found.items():
            # What concerns a whole object is told at the object itself.
            yield from _messages(inner, path if key == "_schema" else (*path, str(key)))
    elif isinstance(found, list):
        for inner in found:
            yield from _messages(inner, path)
    else:
        yield path, str(found)


class ApiBlueprint(flask_smorest.Blueprint):
    """A part of the API; its name is the tag of its operations in the reference."""

    ARGUMENTS_PARSER = _Parser()
    PAGINATION_HEADER_NAME = None  # lists tell their total in the body

    def __init__(self, name: str, import_name: str, description: str) -> None:
        super().__init__(name, import_name, url_prefix=PREFIX, description=description)
        self._prepare_doc_cbks.append(_with_headers)
        self.before_request(_refuse_strange)
        self.before_request(_refuse_unversioned)

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Register a view; what follows from its permission, address and marks is documented here."""
        register = super().route(rule, **options)

        def decorate(view: View) -> View:
            documented: View = register(self._with_refusals(rule, view))
            return documented

        return decorate

    def _with_refusals(self, rule: str, view: View) -> View:
        """Add the answers that every operation of this shape has, and the headers it takes."""
        info = getattr(view, "_apidoc", {})
        told = info.get("manual_doc", {})
        told_of = info.get("response", {}).get("responses", {})
        needs_token = not policy.allows(PUBLIC, view.permission)  # type: ignore[attr-defined]
        marks = writes_of(view)
        statuses: list[int] = [401, 403] if needs_token or told.get("security") else []
        statuses += [404] if "<" in rule else []
        statuses += [one for mark in sorted(marks) for one in _REFUSED[mark]]
        for status in dict.fromkeys(statuses):
            if status not in told_of:
                view = self.alt_response(status, HTTPStatus(status).name)(view)
        headers = [_HEADERS[mark] for mark in sorted(marks)]
        more: dict[str, Any] = {"security": _TOKEN} if needs_token else {}
        if "parameters" in told:  # they stand in place of all others
            more["parameters"] = [*told["parameters"], *headers]
        documented: View = self.doc(**more)(view)
        documented._apidoc["headers"] = headers  # type: ignore[attr-defined]
        return documented


_TOKEN: list[dict[str, list[str]]] = [{"token": []}]
_REFUSED = {"edits": (409, 412, 428), "creates": (409,)}
_HEADERS = {
    "edits": {
        "in": "header",
        "name": "If-Match",
        "required": True,
        "schema": {"type": "string"},
        "description": "读取这一条时回答中的 ETag",
    },
    "creates": {
        "in": "header",
        "name": "Idempotency-Key",
        "required": False,
        "schema": {"type": "string", "maxLength": 200},
        "description": "自定的编号：同一编号、同样内容重发，一天内只办一次",
    },
}


def _with_headers(doc: dict[str, Any], info: dict[str, Any], **_: Any) -> dict[str, Any]:
    """What a write takes beside its body."""
    if headers := info.get("headers"):
        doc["parameters"] = [*doc.get("parameters", ()), *headers]
    return doc


def _refuse_unversioned() -> None:
    """An edit says which version it means, whatever else is in it."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is not None and "edits" in writes_of(view):
        require_version_named()


def _refuse_strange() -> None:
    """No number, code or name holds a NUL or half a character, and no database takes them."""
    if "\x00" in request.path:
        raise NotFound
    if not request.is_json:
        return
    try:
        body = request.get_json(silent=True)
        strange = _ESCAPED.search(request.get_data()) and any(map(_is_strange, _texts(body)))
    except RecursionError:  # lists in lists in lists
        strange = True
    if strange:
        abort(400)


def _is_strange(text: str) -> bool:
    return "\x00" in text or any("\ud800" <= one <= "\udfff" for one in text)


def _texts(found: Any) -> Iterator[str]:
    """All texts of a body, names of members too."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        for key, inner in found.items():
            yield key
            yield from _texts(inner)
    elif isinstance(found, list):
        for inner in found:
            yield from _texts(inner)


class MarketApi(flask_smorest.Api):
    """The OpenAPI document and what it says of errors."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, *args: Any, **options: Any) -> None:
        self._undocumented: list[flask_smorest.Blueprint] = []
        self._writing = Lock()
        super().__init__(*args, **options)

    def register_blueprint(self, blp: flask_smorest.Blueprint, **options: Any) -> None:
        """Serve a blueprint; it is described when the document is first asked for.

        Describing takes longer than all the rest of a start, and few processes are asked.
        """
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp, **options)
        self._undocumented.append(blp)

    def document(self) -> dict[str, Any]:
        """The OpenAPI document of all that is registered."""
        with self._writing:
            for blp in self._undocumented:
                blp.register_views_in_doc(
                    self, self._app, self.spec, name=blp.name, parameters=None
                )
                self.spec.tag({"name": blp.name, "description": blp.description})
            self._undocumented.clear()
            return self.spec.to_dict()

    def _register_error_handlers(self) -> None:
        """None: `core.error_pages` answers."""

    def _register_responses(self) -> None:
        content = {PROBLEM: {"schema": ProblemSchema}}
        for status in HTTPStatus:
            text = _RESPONSES.get(status, status.phrase)
            response: dict[str, Any] = {"description": text}
            if status >= 400:
                response["content"] = dict(content)
            self.spec.components.response(status.name, response, lazy=True)
        other = {"description": "其他错误", "content": dict(content)}
        self.spec.components.response(self.DEFAULT_ERROR_RESPONSE_NAME, other, lazy=True)


def init_api(app: Flask, site_name: str) -> MarketApi:
    """The API of an application, to register its blueprints with."""
    api = MarketApi(
        app,
        spec_kwargs={
            "title": f"{site_name}数据接口",
            "version": VERSION,
            "openapi_version": "3.1.0",
            "info": {"description": DESCRIPTION},
            "servers": [{"url": "/", "description": "本站"}],
        },
    )
    bearer = {"type": "http", "scheme": "bearer", "description": "单位的令牌"}
    api.spec.components.security_scheme("token", bearer)
    app.extensions["market_api"] = api
    return api


# The reference: the document, the page, and Swagger UI's files from the installed package.

docs = Blueprint("api_docs", __name__, url_prefix=PREFIX)
_SWAGGER_UI = "flask_swagger_ui"
_ASSETS = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}


@docs.url_defaults
def _with_version(endpoint: str, values: dict[str, Any]) -> None:
    """Files that are kept for a year get a new address with each release of theirs."""
    if endpoint == "api_docs.asset":
        values.setdefault("v", version("flask-swagger-ui"))


@cache
def _asset(name: str, *, packed: bool) -> bytes:
    """The file's bytes; packed once, since packing 1.7 MB takes a tenth of a second."""
    spec = find_spec(_SWAGGER_UI)
    if spec is None or spec.origin is None:
        abort(404)
    data = (Path(spec.origin).parent / "dist" / name).read_bytes()
    return gzip.compress(data, mtime=0) if packed else data


@docs.get("/openapi.json")
@requires(READ)
def openapi() -> Response:
    """The OpenAPI document."""
    return jsonify(current_app.extensions["market_api"].document())


@docs.get("/docs")
@requires(READ)
def reference() -> str:
    """The reference for people."""
    return render_template("api/docs.html")


@docs.get("/docs/assets/<string:name>")
@requires(READ)
def asset(name: str) -> Response:
    """A file of Swagger UI."""
    if name not in _ASSETS:
        abort(404)
    packed = request.accept_encodings.quality("gzip") > 0
    response = Response(_asset(name, packed=packed), mimetype=_ASSETS[name])
    response.vary.add("Accept-Encoding")
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.cache_control.public = True
    response.cache_control.max_age = YEAR
    response.cache_control.immutable = True
    return response
