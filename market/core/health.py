"""/healthz: the process answers; /readyz: it can serve; /metrics: figures for operators."""

from __future__ import annotations

import hmac
from ipaddress import ip_address

from flask import Blueprint, Response, current_app, jsonify, request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from market.core import schema_version
from market.core.db import db
from market.core.errors import NotFound
from market.core.metrics import exposition
from market.core.permissions import Always, policy, requires

READ = policy.declare("core:health:read", public=Always())
blueprint = Blueprint("health", __name__)
# What proxies add to a request they pass on.
FORWARDED = (
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "Forwarded",
    "Via",
)


@blueprint.get("/healthz")
@requires(READ)
def healthz() -> Response:
    """Whether this process answers at all."""
    response = jsonify(status="ok")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/readyz")
@requires(READ)
def readyz() -> Response:
    """Whether requests can be served: 200, or 503 with what is missing."""
    missing = [name for name, check in _checks().items() if not check]
    response = jsonify(status="not ready" if missing else "ready", missing=missing)
    response.status_code = 503 if missing else 200
    response.headers["Cache-Control"] = "no-store"
    return response


def _checks() -> dict[str, bool]:
    if not _database_answers():  # the others may ask it too
        return {"database": False}
    market = current_app.extensions["market"]
    return {"database": True} | {name: check() for name, check in market.readiness}


def _database_answers() -> bool:
    try:
        db.session.execute(text("SELECT 1 FROM number_series LIMIT 1"))
    except SQLAlchemyError:
        return False
    return schema_version.fits()


def _from_this_machine() -> bool:
    """Whether the reader sits here; behind a proxy on this machine all come from loopback."""
    here = ip_address(request.remote_addr or "0.0.0.0").is_loopback
    return here and not any(name in request.headers for name in FORWARDED)


@blueprint.get("/metrics")
@requires(READ)
def metrics() -> Response:
    """Counters in Prometheus text format; for loopback, or with the configured token."""
    settings = current_app.extensions["market"].settings
    token = settings.metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    by_token = bool(token) and hmac.compare_digest(given.encode(), token.encode())
    if not by_token and not (settings.is_local and _from_this_machine()):
        raise NotFound
    return Response(exposition(), mimetype="text/plain", headers={"Cache-Control": "no-store"})
