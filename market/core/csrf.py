"""A form proves that this site wrote it: a token in the form, its twin in a signed cookie.

The cookie is set only when a visitor opens a form, so that all other pages stay cacheable.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, g, request
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms import ValidationError

FIELD = "csrf_token"
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


def token() -> str:
    """The token for a form on this page; sets the cookie."""
    g.pop(FIELD, None)  # kept there for a request, which an application context may outlive
    made: Any = generate_csrf()
    return str(made)


def sent_by_our_form() -> bool:
    """Whether the form came with a token of this visitor that is not too old."""
    try:
        validate_csrf(request.form.get(FIELD))
    except ValidationError:
        return False
    return True
