"""Personal values at rest: sealed under a key that is drawn from the site's secret key.

Each purpose has a key of its own, so that a token of one table tells nothing about another. When
the secret key is lost or changed, what was sealed cannot be read any more.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import cache

from flask import current_app

_LENGTH = 32  # bytes of a key


@cache
def derived(secret: str, purpose: str) -> bytes:
    """The key of one purpose (HKDF, RFC 5869, with SHA-256)."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    function = HKDF(SHA256(), _LENGTH, salt=None, info=f"market:{purpose}".encode())
    return function.derive(secret.encode())


def _own_key(purpose: str) -> bytes:
    return derived(current_app.extensions["market"].settings.secret_key, purpose)


def seal(text: str, purpose: str) -> str:
    """The text encrypted and signed (Fernet); the same text seals differently each time."""
    from cryptography.fernet import Fernet

    key = base64.urlsafe_b64encode(_own_key(purpose))
    return Fernet(key).encrypt(text.encode()).decode()


def unseal(token: str, purpose: str) -> str | None:
    """What was sealed for this purpose; None when it was sealed under another key or changed."""
    from cryptography.fernet import Fernet, InvalidToken

    key = base64.urlsafe_b64encode(_own_key(purpose))
    try:
        return Fernet(key).decrypt(token.encode()).decode()
    except InvalidToken:
        return None


def pseudonym(text: str, purpose: str) -> str:
    """32 letters that stand for a text: the same each time, and tell nothing without the key."""
    return hmac.new(_own_key(purpose), text.encode(), hashlib.sha256).hexdigest()[:32]
