"""A form proves that this site wrote it: a token in the form, its twin in a signed cookie.

A visitor's cookie is set only when he opens a form, so that all other pages stay cacheable. Who is
signed in has a token drawn from the session's own word: it lives as long as the session.
"""

from __future__ import annotations

import hmac
from typing import Any

from flask import Flask, g, request, session
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms import ValidationError

from market.core.http import current_actor
from market.core.languages import N_
from market.core.secrets import pseudonym

FIELD = "csrf_token"
STALE = N_("这一页打开得太久，或浏览器没有保存表单凭据。内容都还在，请再点一次提交。")
LIFE = 4 * 3600  # seconds from opening a form to sending it


def init_csrf(app: Flask, secure: bool) -> None:
    """Set how the cookie is sent. secure: the public address is an https one."""
    app.config.update(
        SESSION_COOKIE_NAME="form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        WTF_CSRF_TIME_LIMIT=LIFE,
    )


def _session_word() -> str | None:
    """The session's own word; of a page that is for everybody nobody asked yet who opens it."""
    current_actor()
    word: str | None = g.get("session_word")
    return word


def token() -> str:
    """The token for a form on this page; sets the cookie."""
    if word := _session_word():
        return pseudonym(word, "csrf")
    g.pop(FIELD, None)  # kept there for a request, which an application context may outlive
    made: Any = generate_csrf()
    return str(made)


def browser() -> str:
    """What tells this browser from others, for what only it may see; empty when nothing does yet."""
    word = _session_word() or session.get(FIELD)
    return pseudonym(str(word), "browser") if word else ""


def sent_by_our_form() -> bool:
    """Whether the form came with a token of this session, or of this visitor and not too old."""
    if word := _session_word():
        # As bytes: of texts it compares plain letters only, and raises on others.
        sent = request.form.get(FIELD, "").encode(errors="replace")
        return hmac.compare_digest(sent, pseudonym(word, "csrf").encode())
    try:
        validate_csrf(request.form.get(FIELD))
    except ValidationError:
        return False
    return True
