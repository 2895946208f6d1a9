"""Our CSS and scripts under names that carry a hash, so that they may be cached for a year."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, send_from_directory, url_for

from market.core.permissions import Always, policy, requires
from market.paths import STATIC

YEAR = 365 * 24 * 3600  # seconds
READ = policy.declare("core:static:read", public=Always())
_NAME = re.compile(r"(?P<stem>[\w.-]+?)\.(?P<hash>[0-9a-f]{12})\.(?P<ending>css|js|svg|png)")

blueprint = Blueprint("static_files", __name__)


@cache
def _fingerprint(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def hashed_name(name: str) -> str:
    """`market.css` → `market.0123456789ab.css`, from the file as it is now."""
    path = STATIC / name
    digest = _fingerprint(path, path.stat().st_mtime_ns)
    return f"{path.stem}.{digest}{path.suffix}"


def static_url(name: str) -> str:
    """The address of one of our static files."""
    return url_for("static_files.serve", name=hashed_name(name))


@blueprint.get("/static/<string:name>")
@requires(READ)
def serve(name: str) -> Response:
    """Serve a static file by its hashed name; an old hash is not found."""
    match = _NAME.fullmatch(name)
    if match is None:
        abort(404)
    plain = f"{match['stem']}.{match['ending']}"
    if not (STATIC / plain).is_file() or hashed_name(plain) != name:
        abort(404)
    response = send_from_directory(STATIC, plain, max_age=YEAR)
    response.cache_control.immutable = True
    return response
