"""A form that came after its session had ended is kept, sealed, until its sender has signed in again.

Its fields come back in a page with one button, which sends them to the form's own address without
a token: the form then shows itself as it was filled in. Passwords and files are not kept.

A form that is looked over on a page of its own before it is sent is kept likewise, for the browser
that filled it in alone: its address, in a history or passed on, opens nothing to others.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlencode

from flask import Response, redirect, request
from sqlalchemy import delete, select

from market.core import clock, csrf, once
from market.core.db import db
from market.core.errors import NotFound
from market.core.languages import N_, translate, url
from market.core.limits import Limit, count, used
from market.core.models import KeptForm
from market.core.permissions import SYSTEM, policy
from market.core.secrets import seal, unseal
from market.core.unit_of_work import unit_of_work

KEPT = timedelta(minutes=30)
GONE = N_("先前填写的内容已过了保存时间（半小时）。")
LONGEST = 200_000  # characters of a form that is kept
KEEP = policy.declare("core:form:keep")
_PURPOSE = "kept_form"
_NOT_KEPT = {csrf.FIELD, once.FIELD, "password", "password_again", "new_password", "secret", "code"}
_LIMIT = Limit("kept_form", 30, timedelta(hours=1))


def to_sign_in() -> Response:
    """Send to the sign-in page, and back afterwards; what a form held is kept meanwhile."""
    if request.method == "GET":
        asked = request.full_path.removesuffix("?")
        return _redirect({"next": url(asked)})
    key = _keep()
    return _redirect({"kept": key} if key else {"next": url(request.path)})


def _redirect(values: dict[str, str]) -> Response:
    answer = redirect(url("/login") + "?" + urlencode(values), 303)
    assert isinstance(answer, Response)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _keep() -> str | None:
    """Keep the form of this request; None when there is nothing to keep, or too much."""
    fields = [
        (name, value)
        for name, values in request.form.lists()
        if name not in _NOT_KEPT
        for value in values
    ]
    return _store(json.dumps(fields, ensure_ascii=False), "") if fields else None


def _store(text: str, browser: str) -> str | None:
    from market.core.http import client_address

    if len(text) > LONGEST or used(_LIMIT, client_address()) >= _LIMIT.most:
        return None
    key = secrets.token_urlsafe(24)
    sealed = seal(text, _PURPOSE)
    with unit_of_work(SYSTEM) as work:
        work.require(KEEP)
        count(_LIMIT, client_address())
        db.session.add(
            KeptForm(
                key_hash=_hash(key, browser),
                path=url(request.path)[:300],
                sealed=sealed,
                expires_at=clock.now() + KEPT,
            )
        )
    return key


def _hash(key: str, browser: str = "") -> str:
    return hashlib.sha256(f"{browser}{key}".encode()).hexdigest()


def _find(key: str, browser: str = "", *, hold: bool = False) -> KeptForm | None:
    query = select(KeptForm).where(
        KeptForm.key_hash == _hash(key, browser), KeptForm.expires_at > clock.now()
    )
    if hold:
        query = query.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(query)


def take_back(key: str) -> tuple[str, list[tuple[str, str]]]:
    """The address and the fields of a kept form.

    Raises:
        NotFound: there is none, or half an hour has passed.
    """
    found = _find(key)
    text = unseal(found.sealed, _PURPOSE) if found else None
    if found is None or text is None:
        raise NotFound(translate(GONE))
    return found.path, [(name, value) for name, value in json.loads(text)]


@dataclass(frozen=True)
class Looked:
    """A form that is looked over before it is sent. answer: where it led, once it was sent."""

    typed: Mapping[str, str] = field(default_factory=dict)
    answer: str = ""


def look_over(typed: Mapping[str, str]) -> str | None:
    """Keep a form for a page on which this browser looks it over; the word of that page's address.

    None when there is too much to keep, or too often.
    """
    browser = csrf.browser()
    return (
        _store(json.dumps({"typed": dict(typed)}, ensure_ascii=False), browser) if browser else None
    )


def looked(key: str) -> Looked:
    """The form behind the address of such a page, or where it led when it was sent.

    Raises:
        NotFound: half an hour has passed, or another browser asks.
    """
    browser = csrf.browser()
    found = _find(key, browser) if browser else None
    text = unseal(found.sealed, _PURPOSE) if found else None
    held = json.loads(text) if text else None
    if not isinstance(held, dict):
        raise NotFound(translate(GONE))
    return Looked(held.get("typed") or {}, held.get("answer") or "")


def hold(key: str) -> str:
    """Where such a form led, empty before it was sent; held until the commit. Inside a unit of work.

    Of two tabs that send it at once the second waits, and learns of the first.
    """
    browser = csrf.browser()
    found = _find(key, browser, hold=True) if key and browser else None
    text = unseal(found.sealed, _PURPOSE) if found else None
    held = json.loads(text) if text else None
    return held.get("answer") or "" if isinstance(held, dict) else ""


def was_sent(key: str, answer: str) -> None:
    """Keep only where it led: whoever goes back cannot send it twice. Inside a unit of work."""
    browser = csrf.browser()
    found = _find(key, browser) if browser else None
    if found is not None:
        found.sealed = seal(json.dumps({"answer": answer}), _PURPOSE)


def forget_old() -> bool:
    """Delete kept forms whose half hour has passed."""
    old = KeptForm.expires_at < clock.now()
    if db.session.scalar(select(KeptForm.key_hash).where(old).limit(1)) is None:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(KEEP)
        db.session.execute(delete(KeptForm).where(old))
    return False
