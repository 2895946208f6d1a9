"""Values of a person in the audit: sealed under a key of the person's own.

Audit rows are chained and stay as they are. Destroying the key, when an account is closed, makes
the person's values in them unreadable for ever; the rows still tell what was done and when.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from market.accounts.people.models import Person
from market.core.secrets import seal, unseal

_PURPOSE = "person.data_key"
_FIELD = "sealed"


def new_key() -> str:
    """A key for a new person, itself sealed under the site's key."""
    return seal(Fernet.generate_key().decode(), _PURPOSE)


def seal_for(person: Person, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as an audit row keeps them. Inside a unit of work: makes the key when none is there.

    Raises:
        ValueError: the account is closed.
    """
    if person.state == "closed":
        raise ValueError("a closed account has no key")
    if person.data_key is None:
        person.data_key = new_key()
    key = unseal(person.data_key, _PURPOSE)
    if key is None:  # the site's key was changed: what is older stays unreadable
        person.data_key = new_key()
        key = unseal(person.data_key, _PURPOSE) or ""
    text = json.dumps(dict(values), ensure_ascii=False, default=str)
    return {_FIELD: Fernet(key).encrypt(text.encode()).decode()}


def read_for(person: Person, kept: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The values of an audit row about this person; None when the key is gone.

    Values that were not sealed are returned as they are.
    """
    if kept is None or _FIELD not in kept:
        return None if kept is None else dict(kept)
    key = unseal(person.data_key, _PURPOSE) if person.data_key else None
    if key is None:
        return None
    try:
        found: dict[str, Any] = json.loads(Fernet(key).decrypt(str(kept[_FIELD]).encode()))
    except InvalidToken:
        return None
    return found
