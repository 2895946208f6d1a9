"""What every request passes: its id, the permission of its route, headers, figures, a log line."""

from __future__ import annotations

import logging
import re
import secrets
import time

import structlog
from flask import Flask, Response, current_app, g, has_request_context, request
from prometheus_client import Counter, Histogram

from market.core import schema_version
from market.core.errors import Busy, Denied, NotFound, SignInNeeded
from market.core.instance import under_maintenance
from market.core.languages import translate
from market.core.permissions import PUBLIC, Actor, View, policy
from market.core.settings import is_loopback

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
LARGEST = 2**63 - 1  # what a database takes for a number; no row has a larger one
SLOW = 1.0  # seconds; a request that takes longer is a warning in the log
_GIVEN_ID = re.compile(r"[\w-]{8,40}")
_ALWAYS_SERVED = {"health.healthz", "static_files.serve"}
_FOR_OPERATORS = {"health.readyz", "health.metrics"}  # tell of a database that does not fit

requests_total = Counter("market_requests", "Answered requests", ["endpoint", "status"])
request_seconds = Histogram("market_request_seconds", "Seconds per request", ["endpoint"])
log = structlog.get_logger("market.request")


def current_actor() -> Actor:
    """Who makes this request; asked once for each."""
    if not has_request_context():
        return PUBLIC
    if "market.actor" not in request.environ:
        request.environ["market.actor"] = current_app.extensions["market"].identify()
    actor: Actor = request.environ["market.actor"]
    return actor


def client_address() -> str:
    """The network address of who asks; behind a proxy on this machine, the one the proxy saw."""
    direct = request.remote_addr or ""
    through = request.headers.get("X-Forwarded-For", "").rsplit(",", 1)[-1].strip()
    return through if through and is_loopback(direct) else direct


def init_http(app: Flask) -> None:
    """Register the hooks that every request passes."""
    app.before_request(_start)
    app.before_request(_authorise)
    app.after_request(_finish)


def _start() -> None:
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _authorise() -> None:
    """Deny by default: a route that names no permission, or one the actor lacks."""
    if request.endpoint is None:
        return  # no such page: the error handler answers 404
    if any(type(one) is int and one > LARGEST for one in (request.view_args or {}).values()):
        raise NotFound
    served = request.endpoint in _ALWAYS_SERVED
    if not served and under_maintenance(current_app.extensions["market"].settings.instance):
        raise Busy(translate("系统正在维护，几分钟后恢复；请稍后刷新。"))
    if not (served or request.endpoint in _FOR_OPERATORS or schema_version.fits()):
        raise Busy(translate("网站正在准备中，请过几分钟再来。"))
    permission = permission_of(current_app, request.endpoint)
    if permission is None:
        raise Denied
    if policy.allows(PUBLIC, permission):
        return  # everybody may: no need to know who asks
    actor = current_actor()
    if actor.kind == "public" and policy.rules[permission] and not policy.allows(actor, permission):
        raise SignInNeeded
    policy.require(actor, permission)


def permission_of(app: Flask, endpoint: str) -> str | None:
    """The permission that a route names; routes of installed packages are listed by the rooms."""
    named = getattr(app.view_functions[endpoint], "permission", None)
    return named or app.extensions["market"].foreign_routes.get(endpoint)


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.method in {"GET", "HEAD"} and response.status_code == 200:
        _let_caches_ask(response)
    endpoint = request.endpoint or "none"
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    requests_total.labels(endpoint, response.status_code).inc()
    request_seconds.labels(endpoint).observe(seconds)
    if endpoint not in _ALWAYS_SERVED:
        slow = seconds > SLOW
        log.log(
            logging.WARNING if slow else logging.INFO,
            "slow request" if slow else "request",
            method=request.method,
            path=_path_for_the_log(),
            status=response.status_code,
            ms=round(seconds * 1000, 1),
        )
    return response


def _let_caches_ask(response: Response) -> None:
    """A public page may be kept, and is asked for again cheaply by its hash."""
    if "Cache-Control" in response.headers or response.direct_passthrough:
        return
    if current_actor().kind != "public":
        response.cache_control.private = True
        response.cache_control.no_store = True
        return
    response.vary.add("Authorization" if request.path.startswith("/api/") else "Cookie")
    response.cache_control.public = True
    response.cache_control.max_age = 0
    response.cache_control.must_revalidate = True
    response.add_etag(weak=True)
    response.make_conditional(request)


def _path_for_the_log() -> str:
    """The address asked for; where knowing it opens something, only its shape."""
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "opens_by_address", False) and request.url_rule is not None:
        return request.url_rule.rule
    return request.path


def opens_by_address(view: View) -> View:
    """Mark a page that whoever knows its address may see: logs do not hold the address."""
    view.opens_by_address = True  # type: ignore[attr-defined]
    return view
