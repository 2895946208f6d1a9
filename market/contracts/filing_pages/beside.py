"""What other parts show on the page of a contract: papers, changes, the way to the desk.

A part appends a function: by the reader and the case, a template and its values as `shown`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from market.contracts.queries import Case
from market.core.permissions import Actor

Beside = Callable[[Actor, Case], tuple[str, Any] | None]
PARTS: list[Beside] = []


def shown(actor: Actor, case: Case) -> list[tuple[str, Any]]:
    """Templates with their values, in the order in which parts were added."""
    return [found for part in PARTS if (found := part(actor, case)) is not None]
