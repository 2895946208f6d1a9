"""Our CSS and scripts under names that carry a hash, so that they may be cached for a year."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint, Response, abort, request, url_for

from market.core.permissions import Always, policy, requires
from market.paths import STATIC

YEAR = 365 * 24 * 3600  # seconds
BOOTSTRAP = "bootstrap.min.css"
READ = policy.declare("core:static:read", public=Always())
PACKED = {"css", "js", "svg"}
_NAME = re.compile(r"(?P<stem>[\w.-]+?)\.(?P<hash>[0-9a-f]{12})\.(?P<ending>css|js|svg|png)")

blueprint = Blueprint("static_files", __name__)


def path_of(name: str) -> Path:
    """Where a static file lies: Bootstrap's style sheet in its wheel, all others in our folder."""
    if name != BOOTSTRAP:
        return STATIC / name
    package = find_spec("flask_bootstrap")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "static" / "bootstrap5" / "css" / name


@cache
def _fingerprint(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def hashed_name(name: str) -> str:
    """`market.css` → `market.0123456789ab.css`, from the file as it is now."""
    path = path_of(name)
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
    if not path_of(plain).is_file() or hashed_name(plain) != name:
        abort(404)
    kind = mimetypes.types_map.get(f".{match['ending']}", "application/octet-stream")
    packed = match["ending"] in PACKED and request.accept_encodings.quality("gzip") > 0
    response = Response(_content(name, plain, packed), mimetype=kind)
    response.cache_control.public = True
    response.cache_control.max_age = YEAR
    response.cache_control.immutable = True
    if match["ending"] in PACKED:
        response.vary.add("Accept-Encoding")
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    return response


@cache
def _content(_hashed: str, plain: str, packed: bool) -> bytes:
    """A file's bytes, packed once per process."""
    data = path_of(plain).read_bytes()
    return gzip.compress(data, 9, mtime=0) if packed else data
