"""The one list of rooms, and the reference data and routes they bring."""

from __future__ import annotations

import market.core.models  # noqa: F401  (the technical tables)
from market.core import health, static_files
from market.core.ports import Room
from market.core.static_files import READ as STATIC_READ

core = Room("core", blueprints=[health.blueprint, static_files.blueprint])

ROOMS: tuple[Room, ...] = (core,)

# Files that installed packages serve by routes of their own.
FOREIGN_ROUTES = {"bootstrap.static": STATIC_READ}
