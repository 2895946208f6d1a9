"""What technology contracts add to the application."""

from __future__ import annotations

from market.contracts import messages, rule_sets, workflow
from market.core.ports import Room

ROOM = Room(
    "contracts",
    seeds=[rule_sets.seed],
    messages=messages.KINDS,
    workflows=[workflow.CONTRACT],
)
