"""A form that came after its session had ended is kept, sealed, until its sender has signed in again.

Its fields come back in a page with one button, which sends them to the form's own address without
a token: the form then shows itself as it was filled in. Passwords and files are not kept.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import timedelta
from urllib.parse import urlencode

from flask import Response, redirect, request
from sqlalchemy import delete, select

from market.core import clock, csrf, once
from market.core.db import db
from market.core.errors import NotFound
from market.core.languages import translate, url
from market.core.limits import Limit, count, used
from market.core.models import KeptForm
from market.core.permissions import SYSTEM, policy
from market.core.secrets import seal, unseal
from market.core.unit_of_work import unit_of_work

KEPT = timedelta(minutes=30)
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
    from market.core.http import client_address

    fields = [
        (name, value)
        for name, values in request.form.lists()
        if name not in _NOT_KEPT
        for value in values
    ]
    text = json.dumps(fields, ensure_ascii=False)
    if not fields or len(text) > LONGEST or used(_LIMIT, client_address()) >= _LIMIT.most:
        return None
    key = secrets.token_urlsafe(24)
    sealed = seal(text, _PURPOSE)
    with unit_of_work(SYSTEM) as work:
        work.require(KEEP)
        count(_LIMIT, client_address())
        db.session.add(
            KeptForm(
                key_hash=_hash(key),
                path=url(request.path)[:300],
                sealed=sealed,
                expires_at=clock.now() + KEPT,
            )
        )
    return key


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def take_back(key: str) -> tuple[str, list[tuple[str, str]]]:
    """The address and the fields of a kept form.

    Raises:
        NotFound: there is none, or half an hour has passed.
    """
    found = db.session.scalar(
        select(KeptForm).where(KeptForm.key_hash == _hash(key), KeptForm.expires_at > clock.now())
    )
    text = unseal(found.sealed, _PURPOSE) if found else None
    if found is None or text is None:
        raise NotFound(translate("先前填写的内容已过了保存时间（半小时）。"))
    return found.path, [(name, value) for name, value in json.loads(text)]


def forget_old() -> bool:
    """Delete kept forms whose half hour has passed."""
    old = KeptForm.expires_at < clock.now()
    if db.session.scalar(select(KeptForm.key_hash).where(old).limit(1)) is None:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(KEEP)
        db.session.execute(delete(KeptForm).where(old))
    return False
