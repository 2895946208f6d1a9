"""Writing through the API: `If-Match` on edits, `Idempotency-Key` on creates.

A view that writes is marked `@edits` or `@creates`: the mark is what `core.api` documents, and what
lets it refuse an edit that names no version. A test holds every writing operation to one of them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Response, current_app, jsonify, request

from market.core import once
from market.core.errors import MarketError
from market.core.http import client_address, current_actor
from market.core.languages import N_
from market.core.permissions import Actor, View
from market.core.secrets import pseudonym
from market.core.unit_of_work import unit_of_work

LONGEST_KEY = 200


class PreconditionFailed(MarketError):
    """The object was changed since the program read it."""

    status = 412
    title = N_("内容已被他人更新，请重新读取后再改")


class PreconditionRequired(MarketError):
    """An edit must say which version it means."""

    status = 428
    title = N_("请带上 If-Match：先读取这一条，把回答中的 ETag 原样带上")


Version = int | str | Mapping[str, Any]


def edits(view: View) -> View:
    """Mark a view that changes what is there: it asks for `If-Match` and calls `require_match`."""
    view.writes = {*getattr(view, "writes", ()), "edits"}  # type: ignore[attr-defined]
    return view


def creates(view: View) -> View:
    """Mark a view that makes something new: it takes `Idempotency-Key` by `create_once`."""
    view.writes = {*getattr(view, "writes", ()), "creates"}  # type: ignore[attr-defined]
    return view


def writes_of(view: Callable[..., Any]) -> set[str]:
    """The marks of a view."""
    found: set[str] = getattr(view, "writes", set())
    return found


def version_tag(version: Version) -> str:
    """The `ETag` of an object: of its counter, a word, or else of all that reading it answers."""
    if isinstance(version, int):
        return f'"v{version}"'
    if isinstance(version, str):
        return f'"{version}"'
    text = current_app.json.dumps(version, sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'


def require_version_named() -> None:
    """Ask that the program says which version it means. Raises PreconditionRequired."""
    if "If-Match" not in request.headers:
        raise PreconditionRequired


def require_match(version: Version) -> None:
    """Ask that the program edits the version that is there.

    Raises:
        PreconditionRequired: it does not say. PreconditionFailed: it means another.
    """
    require_version_named()
    tag = version_tag(version)
    tags = {_plain(one) for one in request.headers["If-Match"].split(",")}
    if "*" not in tags and tag not in tags:
        raise PreconditionFailed


def _plain(tag: str) -> str:
    """A tag without what compressing the answer added to it: `"v2:gzip"` means `"v2"`."""
    return re.sub(r":(?:gzip|br|zstd|deflate)\"$", '"', tag.strip().removeprefix("W/"))


@contextmanager
def as_seen(read: Callable[[], Version]) -> Iterator[None]:
    """Compare and act in one unit of work: of two programs that mean the same version one wins.

    Args:
        read: tells the version that is there now.

    Raises:
        As `require_match`.
    """
    require_version_named()
    with unit_of_work(current_actor()):
        require_match(read())
        yield


def tagged(body: Mapping[str, Any], version: Version | None = None) -> Response:
    """An object with its `ETag`; without a version of its own, by its content."""
    response = jsonify(body)
    response.headers["ETag"] = version_tag(body if version is None else version)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def create_once(act: Callable[[], tuple[dict[str, Any], str]]) -> Response:
    """Create something and answer 201; the same `Idempotency-Key` again repeats the answer.

    Args:
        act: calls the service, returns the body and the new object's address.
    """
    word = request.headers.get("Idempotency-Key", "")[:LONGEST_KEY]
    if not word:
        return _created(*act())
    actor = current_actor()
    key = once.key_of(actor, request.path, f"{_visitor(actor)}:{word}")
    with unit_of_work(actor) as work:
        earlier = once.earlier_answer(key, request.get_data(cache=True))
        if earlier is not None:
            work.require(once.REPEAT)
        else:
            body, address = act()
            earlier = current_app.json.dumps({"body": body, "address": address})
            once.keep_answer(key, earlier)
    kept = current_app.json.loads(earlier)
    return _created(kept["body"], kept["address"])


def _visitor(actor: Actor) -> str:
    """What keeps the keys of those apart whom no token names: their network address."""
    return "" if actor.id is not None else pseudonym(client_address(), "once.visitor")


def _created(body: dict[str, Any], address: str) -> Response:
    response = jsonify(body)
    response.status_code = 201
    response.headers["Location"] = address
    return response
