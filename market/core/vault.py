"""Files at rest: encrypted under the site's file key when there is one (AES-256-GCM).

An encrypted file begins with a mark and the name of its key, so that plain files from before the
key was set stay readable, and keys can be changed: the first one writes, all of them read. The
content's hash, under which it lies, is authenticated with it: one file cannot pass for another.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from functools import cache

from flask import current_app

from market.core.errors import MarketError
from market.core.secrets import derived
from market.core.settings import DERIVED, Settings

MARK = b"MKTFILE1"
_KEY_NAME = 8  # bytes
_NONCE = 12  # bytes
_PURPOSE = "files.content"


class Locked(MarketError):
    """The file was encrypted under a key that this instance does not have, or was changed."""

    title = "附件打不开"


@cache
def _named(word: str, secret_key: str) -> tuple[bytes, bytes]:
    """A key and its name, from a word of the setting."""
    key = derived(secret_key if word == DERIVED else word, _PURPOSE)
    return hashlib.sha256(b"name:" + key).digest()[:_KEY_NAME], key


def _keys(settings: Settings) -> Iterator[tuple[bytes, bytes]]:
    """Keys that read: those of the setting, then the one drawn from the site's secret key."""
    for word in (*settings.files_keys, DERIVED):
        yield _named(word, settings.secret_key)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["market"].settings
    return settings


def locked(data: bytes, digest: str) -> bytes:
    """What is written for a content with this hash: encrypted when a key is set, else as it is."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    settings = _settings()
    if not settings.files_keys:
        return data
    name, key = _named(settings.files_keys[0], settings.secret_key)
    nonce = secrets.token_bytes(_NONCE)
    return MARK + name + nonce + AESGCM(key).encrypt(nonce, data, digest.encode())


def is_locked(data: bytes) -> bool:
    """Whether these are the bytes of an encrypted file; no kind that is accepted begins so."""
    return data.startswith(MARK)


def opened(data: bytes, digest: str) -> bytes:
    """The content of a file as it was read from the storage.

    Raises:
        Locked: the key is not there, or the file was changed.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if not is_locked(data):
        return data
    name, nonce, sealed = _parts(data)
    key = dict(_keys(_settings())).get(name)
    if key is None:
        raise Locked(
            "这份附件是用另一把密钥加密的：请系统管理员把原来的密钥加进 MARKET_FILES_KEY。"
        )
    try:
        return AESGCM(key).decrypt(nonce, sealed, digest.encode())
    except InvalidTag as error:
        raise Locked("这份附件的内容被改动或损坏，请系统管理员从备份中恢复。") from error


def _parts(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Name of the key, nonce, and what is encrypted."""
    start = len(MARK)
    middle, rest = start + _KEY_NAME, start + _KEY_NAME + _NONCE
    return data[start:middle], data[middle:rest], data[rest:]
