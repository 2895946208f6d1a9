"""The one list of rooms, and the reference data and routes they bring."""

from __future__ import annotations

import market.core.models  # noqa: F401  (the technical tables)
from market.accounts.importer import KIND as ORGANISATIONS
from market.catalogue import terms
from market.catalogue.importer import ACHIEVEMENTS, DEMANDS
from market.core import health, static_files
from market.core.importing import Kind
from market.core.ports import Room
from market.core.static_files import READ as STATIC_READ
from market.regions import service as regions

core = Room("core", blueprints=[health.blueprint, static_files.blueprint])
regions_room = Room("regions", seeds=[regions.seed])
catalogue = Room("catalogue", seeds=[terms.seed])

ROOMS: tuple[Room, ...] = (core, regions_room, catalogue)

# What `market import`, `export` and `template` know, in the order in which they build up.
KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (regions.KIND, terms.KIND, ORGANISATIONS, ACHIEVEMENTS, DEMANDS)
}

# Files that installed packages serve by routes of their own.
FOREIGN_ROUTES = {"bootstrap.static": STATIC_READ}
