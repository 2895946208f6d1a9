"""What telling names adds to the application."""

from __future__ import annotations

from market.core.ports import Room
from market.matching.names import api, messages, own_data, web

ROOM = Room(
    "names",
    blueprints=[web.blueprint],
    api=[api.blueprint],
    messages=[messages.TOLD],
    of_person=own_data.of_person,
)
