"""One policy, three answers: may I, what may I find (SQL), what may be searched.

A permission is a name `<room>:<thing>:<verb>`. Rooms declare for each of their permissions who
has it and under which condition; what nobody declared is denied.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy import ColumnElement, false, true

from market.core.errors import Denied

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Actor:
    """Who acts: `kind` is "system" or "public"; `label` is the name shown in records."""

    kind: str
    label: str
    id: int | None = None


SYSTEM = Actor("system", "系统")
PUBLIC = Actor("public", "访客")


class Condition(Protocol):
    """When a permission holds for an object; the same answer in Python and in SQL."""

    def allows(self, target: Any) -> bool:
        """Whether it holds for this object (None: for the act in general)."""

    def where(self, model: Any) -> ColumnElement[bool]:
        """The SQL condition on rows of `model`."""


class Always:
    """Holds for every object."""

    def allows(self, target: Any) -> bool:
        return True

    def where(self, model: Any) -> ColumnElement[bool]:
        return true()


@dataclass(frozen=True)
class StateIn:
    """Holds for objects in one of these states."""

    states: tuple[str, ...]

    def allows(self, target: Any) -> bool:
        return target is None or target.state in self.states

    def where(self, model: Any) -> ColumnElement[bool]:
        return model.state.in_(self.states)


@dataclass
class Policy:
    """All declared permissions: name → kind of actor → condition."""

    rules: dict[str, dict[str, Condition]] = field(default_factory=dict)

    def declare(self, permission: str, **conditions: Condition) -> str:
        """Declare a permission; keywords name kinds of actors. The system has every one.

        Raises:
            ValueError: the name is malformed or declared twice.
        """
        if permission.count(":") != 2 or permission in self.rules:
            raise ValueError(f"permission {permission!r} is malformed or declared twice")
        self.rules[permission] = {"system": Always(), **conditions}
        return permission

    def _condition(self, actor: Actor, permission: str) -> Condition | None:
        return self.rules[permission].get(actor.kind)

    def allows(self, actor: Actor, permission: str, target: Any = None) -> bool:
        """Whether the actor may do this (to this object)."""
        condition = self._condition(actor, permission)
        return condition is not None and condition.allows(target)

    def where(self, actor: Actor, permission: str, model: Any) -> ColumnElement[bool]:
        """The SQL condition for the rows of `model` on which the actor has the permission."""
        condition = self._condition(actor, permission)
        return false() if condition is None else condition.where(model)

    def require(self, actor: Actor, permission: str, target: Any = None) -> None:
        """Raise `Denied` unless the actor has the permission."""
        if not self.allows(actor, permission, target):
            raise Denied


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
