"""Hashing of passwords: argon2, never inside a unit of work, since it takes a tenth of a second."""

from __future__ import annotations

import secrets
from functools import cache

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError

from market.core.db import db
from market.core.unit_of_work import in_unit_of_work


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobodys() -> str:
    """A hash that no password fits: for accounts that are not there."""
    return _hasher().hash(secrets.token_urlsafe(32))


def _refuse_within_work() -> None:
    if in_unit_of_work():
        raise RuntimeError("a password is hashed while the write lock is held")
    db.session.rollback()  # ends the read transaction: no connection is held meanwhile


def hash_password(password: str) -> str:
    """The hash to keep. Call outside of any unit of work."""
    _refuse_within_work()
    return _hasher().hash(password)


def verify(password: str, kept: str | None) -> tuple[bool, str | None]:
    """Whether the password fits, and a newer hash when the kept one is of an older kind.

    Without a kept hash the same work is done, and no password fits.
    """
    _refuse_within_work()
    nobodys = _nobodys()
    try:
        fits, newer = _hasher().verify_and_update(password, kept or nobodys)
    except UnknownHashError:
        return False, None
    return (fits, newer) if kept else (False, None)
