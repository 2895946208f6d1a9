"""Writing through the API: `If-Match` on edits, `Idempotency-Key` on creates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, current_app, jsonify, request

from market.core import once
from market.core.errors import MarketError
from market.core.http import current_actor
from market.core.languages import N_
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


def version_tag(version: int) -> str:
    """The `ETag` of an object whose versions are counted."""
    return f'"v{version}"'


def require_match(version: int) -> None:
    """Ask that the program edits the version that is there.

    Raises:
        PreconditionRequired: it does not say. PreconditionFailed: it means another.
    """
    sent = request.headers.get("If-Match")
    if sent is None:
        raise PreconditionRequired
    tags = {tag.strip().removeprefix("W/") for tag in sent.split(",")}
    if "*" not in tags and version_tag(version) not in tags:
        raise PreconditionFailed


def create_once(act: Callable[[], tuple[dict[str, Any], str]]) -> Response:
    """Create something and answer 201; the same `Idempotency-Key` again repeats the answer.

    Args:
        act: calls the service, returns the body and the new object's address.
    """
    word = request.headers.get("Idempotency-Key", "")[:LONGEST_KEY]
    if not word:
        return _created(*act())
    actor = current_actor()
    key = once.key_of(actor, request.path, word)
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


def _created(body: dict[str, Any], address: str) -> Response:
    response = jsonify(body)
    response.status_code = 201
    response.headers["Location"] = address
    return response
