"""Errors become a page in the reader's language, or problem+json below /api/."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response, g, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from market.core.errors import Busy, Invalid, MarketError, SignInNeeded, TooMany
from market.core.kept_forms import to_sign_in
from market.core.languages import N_, translate
from market.core.text import clean_line

log = structlog.get_logger(__name__)

_WORDS = {
    400: N_("请求不完整或格式不对"),
    404: N_("没有找到这一页"),
    405: N_("这个地址不接受这种操作"),
    413: N_("上传的内容太大"),
    415: N_("不支持这种内容格式"),
    422: N_("有几处需要改正"),
    429: N_("操作太频繁，请稍后再试"),
}


def init_errors(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(MarketError, market_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def wants_problem_json() -> bool:
    """Whether this request is for the API."""
    return request.path.startswith("/api/")


def problem(status: int, title: str, detail: str, errors: list[dict[str, str]]) -> Response:
    """An `application/problem+json` answer (RFC 9457) with `errors: [{pointer, message}]`."""
    body: dict[str, Any] = {"type": "about:blank", "status": status, "title": title}
    body |= {"detail": detail, "request_id": g.get("request_id", "")}
    if errors:
        body["errors"] = errors
    response = jsonify(body)
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


def answer(
    status: int, title: str, detail: str = "", errors: list[dict[str, str]] | None = None
) -> Response:
    """The error in the form this request expects."""
    detail = clean_line(detail)  # it may quote an address
    if wants_problem_json():
        return problem(status, title, detail or title, errors or [])
    page = render_template(
        "error.html", status=status, title=translate(title), detail=detail, errors=errors
    )
    return Response(page, status=status, headers={"Cache-Control": "no-store"})


def market_error(error: MarketError) -> Response:
    """The answer for one of our own errors."""
    if isinstance(error, SignInNeeded) and not wants_problem_json():
        return to_sign_in()
    errors = []
    if isinstance(error, Invalid):
        errors = [
            {"pointer": f"/{name}", "message": message}
            for name, messages in error.fields.items()
            for message in messages
        ]
    detail = "" if error.message == error.title else error.message
    response = answer(error.status, error.title, detail, errors)
    if isinstance(error, SignInNeeded):
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Busy | TooMany):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _http_error(error: HTTPException) -> Response | HTTPException:
    status = error.code or 500
    if status < 400:
        return error  # redirects
    response = answer(status, _WORDS.get(status, N_("出错了")), errors=_pointers(error))
    if error.response is None:
        # Allow on 405, Retry-After on 429
        for name, value in error.get_headers():
            if name in {"Allow", "Retry-After"}:
                response.headers[name] = value
    return response


def _pointers(error: HTTPException) -> list[dict[str, str]]:
    """Messages of the API's argument parser: `{place: {field: [message]}}` → pointers."""
    data = getattr(error, "data", None) or {}
    found = []
    for place, fields in (data.get("messages") or {}).items():
        for name, messages in fields.items() if isinstance(fields, dict) else ():
            for message in messages if isinstance(messages, list) else [messages]:
                found.append({"pointer": f"/{place}/{name}", "message": str(message)})
    return found


def _unexpected(error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    detail = translate("问题已记录。请稍后再试；仍不行，请把下面的编号告诉管理员。")
    return answer(500, N_("系统出错了"), detail)
