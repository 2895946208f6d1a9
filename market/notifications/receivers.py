"""Who receives a message: people, members of an organisation, the officers of a place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select

from market.accounts.people.models import Person, RoleGrant
from market.accounts.people.sessions import in_force
from market.accounts.roles import OFFICES
from market.core.db import db
from market.notifications.models import MessageChoice
from market.regions.models import path_ids


@dataclass(frozen=True)
class Receiver:
    """Somebody with an account: the language, and by which channels there is a way."""

    id: int
    language: str
    sms: bool
    mail: bool


def ids_of(payload: Mapping[str, Any]) -> list[int]:
    """Ids of the people an outbox row names, each once."""
    found = [int(one) for one in payload.get("people") or ()]
    if (organisation_id := payload.get("organisation_id")) is not None:
        found += _members(organisation_id, payload.get("roles") or ())
    if region_path := payload.get("region_path"):
        found += _officers(region_path)
    return list(dict.fromkeys(found))


def _holders(*conditions: ColumnElement[bool]) -> list[tuple[int, int | None]]:
    """People with a grant in force that fits, and the grant's region."""
    query = select(RoleGrant.person_id, RoleGrant.region_id).where(in_force(), *conditions)
    return [(person, region) for person, region in db.session.execute(query)]


def _members(organisation_id: int, roles: Sequence[str]) -> list[int]:
    """Members of an organisation who hold one of the roles; any when none is named."""
    named = [RoleGrant.role.in_(roles)] if roles else []
    return [person for person, _ in _holders(RoleGrant.organisation_id == organisation_id, *named)]


def _officers(path: str) -> list[int]:
    """Officers of the nearest region at or above `path` that has any."""
    holders = _holders(RoleGrant.role.in_(OFFICES), RoleGrant.region_id.in_(path_ids(path)))
    for region_id in reversed(path_ids(path)):
        if found := [person for person, region in holders if region == region_id]:
            return found
    return []


def load(ids: Collection[int]) -> dict[int, Receiver]:
    """The people of these ids whose accounts are open."""
    query = select(Person.id, Person.language, Person.mobile_key, Person.email_key).where(
        Person.id.in_(ids), Person.state == "active"
    )
    return {
        key: Receiver(key, language, sms=mobile is not None, mail=email is not None)
        for key, language, mobile, email in db.session.execute(query)
    }


def choices(ids: Collection[int]) -> dict[tuple[int, str, str], bool]:
    """What these people chose: (person, kind, channel) → wanted."""
    query = select(MessageChoice).where(MessageChoice.person_id.in_(ids))
    return {(one.person_id, one.kind, one.channel): one.wanted for one in db.session.scalars(query)}
