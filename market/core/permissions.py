"""One policy, three answers: may I, what may I find (SQL), what may be searched.

A permission is a name `<room>:<thing>:<verb>`. Rooms declare for each of their permissions which
roles have it and under which condition; what nobody declared is denied. A role is held by a grant:
for one organisation, for a region with all that lies below it, or for the whole platform.

What a condition asks of a row, the row's model answers, in Python and in SQL alike:
`area_path` / `within(path)`, `organisation_of` / `owned_by(id)`, `supervised_by(id)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, false, or_, true

from market.core.errors import Denied

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Grant:
    """A role somebody holds now: for an organisation, for a region subtree, or for the platform.

    An officer's grant names both the office he works at and the region it looks after.
    """

    role: str
    organisation_id: int | None = None
    region_path: str | None = None


@dataclass(frozen=True)
class Actor:
    """Who acts: `kind` is "system", "public" (a visitor), "person" or "token" (a program).

    `label` is the name shown in records. `scopes` limits a program to what its token names;
    `session_id` is the session a person came by; `waiting` are roles that count only after the
    second factor. `maker_id` is the person who made the token of a program.
    """

    kind: str
    label: str
    id: int | None = None
    grants: tuple[Grant, ...] = ()
    scopes: frozenset[str] | None = None
    session_id: int | None = None
    waiting: tuple[str, ...] = ()
    maker_id: int | None = None

    @property
    def person_id(self) -> int | None:
        """Whose hand it is where two different people must act: a program is its maker's hand."""
        return self.id if self.kind == "person" else self.maker_id

    @property
    def signed_in(self) -> bool:
        return self.kind == "person"

    def has(self, *roles: str) -> bool:
        """Whether one of these roles is held, anywhere."""
        return any(grant.role in roles for grant in self.grants)

    def organisations(self, *roles: str) -> list[int]:
        """Ids of organisations for which one of these roles (or any role) is held."""
        found = [
            grant.organisation_id
            for grant in self.grants
            if grant.organisation_id is not None and (not roles or grant.role in roles)
        ]
        return list(dict.fromkeys(found))

    def areas(self, *roles: str) -> list[str]:
        """Paths of the regions for which one of these roles (or any role) is held."""
        found = [
            grant.region_path
            for grant in self.grants
            if grant.region_path is not None and (not roles or grant.role in roles)
        ]
        return list(dict.fromkeys(found))


SYSTEM = Actor("system", "系统")
PUBLIC = Actor("public", "访客")
_EVERYBODY = Grant("public")


class Condition:
    """When a permission holds for an object; the same answer in Python and in SQL.

    Conditions are joined with `&` and `|`. An object of None means the act in general: then a
    condition on objects does not limit it.
    """

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        """Whether it holds for this object."""
        raise NotImplementedError

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        """The SQL condition on rows of `model`."""
        raise NotImplementedError

    def __and__(self, other: Condition) -> Condition:
        return _Both(self, other)

    def __or__(self, other: Condition) -> Condition:
        return _Either(self, other)


@dataclass(frozen=True)
class _Both(Condition):
    first: Condition
    second: Condition

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        asked = (actor, grant, target)
        return self.first.allows(*asked) and self.second.allows(*asked)

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        asked = (actor, grant, model)
        return and_(self.first.where(*asked), self.second.where(*asked))


@dataclass(frozen=True)
class _Either(Condition):
    first: Condition
    second: Condition

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        asked = (actor, grant, target)
        return self.first.allows(*asked) or self.second.allows(*asked)

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        asked = (actor, grant, model)
        return or_(self.first.where(*asked), self.second.where(*asked))


class Always(Condition):
    """Holds for every object."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return True

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        return true()


@dataclass(frozen=True)
class StateIn(Condition):
    """Holds for objects in one of these states."""

    states: tuple[str, ...]

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or target.state in self.states

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        return model.state.in_(self.states)


class Own(Condition):
    """Holds for what belongs to the organisation of the grant."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        own = grant.organisation_id
        return own is not None and (target is None or target.organisation_of == own)

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        own = grant.organisation_id
        return false() if own is None else model.owned_by(own)


class InArea(Condition):
    """Holds for what lies in the region of the grant or below it."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        area = grant.region_path
        if area is None or target is None:
            return area is not None
        return (target.area_path or "").startswith(area)

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        area = grant.region_path
        return false() if area is None else model.within(area)


class Supervised(Condition):
    """Holds for what belongs to an organisation that the grant's organisation supervises (隶属关系)."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        own = grant.organisation_id
        return own is not None and (target is None or target.supervisor_of == own)

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        own = grant.organisation_id
        return false() if own is None else model.supervised_by(own)


@dataclass(frozen=True)
class Mine(Condition):
    """Holds for rows whose `column` names the acting person."""

    column: str = "person_id"

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        if actor.id is None or actor.kind != "person":
            return False
        return target is None or getattr(target, self.column) == actor.id

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        if actor.id is None or actor.kind != "person":
            return false()
        return getattr(model, self.column) == actor.id


@dataclass
class Policy:
    """All declared permissions: name → role → condition.

    Beside the roles that grants name there are two that nobody is granted: `public`, which
    everybody has, and `person`, which everybody has who is signed in.
    """

    rules: dict[str, dict[str, Condition]] = field(default_factory=dict)

    def declare(self, permission: str, **conditions: Condition) -> str:
        """Declare a permission; keywords name roles. The system has every one.

        Raises:
            ValueError: the name is malformed or declared twice.
        """
        if permission.count(":") != 2 or permission in self.rules:
            raise ValueError(f"permission {permission!r} is malformed or declared twice")
        self.rules[permission] = dict(conditions)
        return permission

    def _held(self, actor: Actor, permission: str) -> list[tuple[Grant, Condition]]:
        """The grants by which the actor has the permission, each with its condition."""
        rule = self.rules[permission]
        if actor.kind == "system":
            return [(_EVERYBODY, Always())]
        if actor.scopes is not None and not _in_scope(permission, actor.scopes):
            return [(_EVERYBODY, rule["public"])] if "public" in rule else []
        held = [(_EVERYBODY, rule[role]) for role in _unasked(actor) if role in rule]
        held += [(grant, rule[grant.role]) for grant in actor.grants if grant.role in rule]
        return held

    def allows(self, actor: Actor, permission: str, target: Any = None) -> bool:
        """Whether the actor may do this (to this object)."""
        return any(
            condition.allows(actor, grant, target)
            for grant, condition in self._held(actor, permission)
        )

    def where(self, actor: Actor, permission: str, model: Any) -> ColumnElement[bool]:
        """The SQL condition for the rows of `model` on which the actor has the permission."""
        found = [
            condition.where(actor, grant, model)
            for grant, condition in self._held(actor, permission)
        ]
        return or_(false(), *found)

    def require(self, actor: Actor, permission: str, target: Any = None) -> None:
        """Raise `Denied` unless the actor has the permission; a program is told which scope it lacks."""
        if not self.allows(actor, permission, target):
            if actor.scopes is not None and not _in_scope(permission, actor.scopes):
                raise Denied(f"这个令牌的范围里没有 {permission.rsplit(':', 1)[0]}。")
            raise Denied


def _unasked(actor: Actor) -> tuple[str, ...]:
    return ("public", "person") if actor.kind == "person" else ("public",)


def _in_scope(permission: str, scopes: frozenset[str]) -> bool:
    """Whether a token's scopes name the permission: itself, or its room and thing (`room:thing`)."""
    return permission in scopes or permission.rsplit(":", 1)[0] in scopes


policy = Policy()


def requires(permission: str) -> Callable[[View], View]:
    """Name the permission of a route; a route without one is never served.

    Raises:
        KeyError: nobody declared that permission.
    """
    if permission not in policy.rules:
        raise KeyError(permission)

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return mark
