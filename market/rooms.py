"""The one list of rooms, and the reference data and routes they bring."""

from __future__ import annotations

import market.accounts.members.models
import market.accounts.people.models
import market.accounts.rosters.models
import market.accounts.verification.models
import market.core.models  # noqa: F401  (the technical tables)
from market.accounts import api as accounts_api
from market.accounts import web as accounts_web
from market.accounts.importer import KIND as ORGANISATIONS
from market.accounts.members import api as members_api
from market.accounts.members import web as members_web
from market.accounts.members import web_desk, web_staff
from market.accounts.members import workflow as joining
from market.accounts.people import sessions
from market.accounts.rosters import web as rosters_web
from market.accounts.rosters.importer import KIND as ROSTERS
from market.accounts.verification import api as verification_api
from market.accounts.verification import queries as verification_queries
from market.accounts.verification import web as verification_web
from market.accounts.verification import workflow as verification
from market.catalogue import api as catalogue_api
from market.catalogue import cli as catalogue_cli
from market.catalogue import documents, terms
from market.catalogue import service as catalogue_service
from market.catalogue import web as catalogue_web
from market.catalogue.documents import SEARCHABLE
from market.catalogue.importer import ACHIEVEMENTS, DEMANDS
from market.catalogue.pins import KIND as PINS
from market.catalogue.term_files import KIND as TERMS
from market.core import api, file_pages, health, kept_forms, limits, once, pages, static_files
from market.core.importing import Kind, Options, discard_abandoned
from market.core.ports import Gauge, Room, Task
from market.discovery import api as discovery_api
from market.discovery import cli as discovery_cli
from market.discovery import engine, known, web_listings, web_sharing
from market.discovery import web as discovery_web
from market.discovery.indexer import Indexer
from market.regions import api as regions_api
from market.regions import service as regions
from market.regions.industries import KIND as LEADING_INDUSTRIES


def _remove_abandoned_imports() -> bool:
    """Remove what imports staged whose process died; one look is enough."""
    discard_abandoned({name: kind.importer(Options()) for name, kind in KINDS.items()})
    return False


core = Room(
    "core",
    blueprints=[
        health.blueprint,
        static_files.blueprint,
        api.docs,
        pages.blueprint,
        file_pages.blueprint,
    ],
    tasks=[
        Task("abandoned imports", 60.0, _remove_abandoned_imports),
        Task("forget limits", 600.0, limits.forget_old),
        Task("forget once keys", 3600.0, once.forget_old),
        Task("forget kept forms", 300.0, kept_forms.forget_old),
    ],
)
regions_room = Room("regions", api=[regions_api.blueprint], seeds=[regions.seed])
accounts = Room(
    "accounts",
    blueprints=[
        accounts_web.blueprint,
        members_web.blueprint,
        web_staff.blueprint,
        web_desk.blueprint,
        verification_web.blueprint,
        rosters_web.blueprint,
    ],
    api=[accounts_api.blueprint, members_api.blueprint, verification_api.blueprint],
    identify=sessions.identify,
    files={verification_queries.LICENCE: verification_queries.may_have_licence},
    messages=[
        joining.REQUESTED,
        joining.ANSWERED,
        joining.INVITED,
        joining.CHANGED,
        verification.SUBMITTED,
        verification.DECIDED,
    ],
    workflows=[joining.JOINING, verification.VERIFICATION],
)
catalogue = Room(
    "catalogue",
    blueprints=[catalogue_web.blueprint],
    api=[catalogue_api.listings, catalogue_api.taxonomies],
    commands=[catalogue_cli.reports],
    searchables=[SEARCHABLE],
    tasks=[Task("forget reporters", 3600.0, catalogue_service.forget_reporters)],
    seeds=[terms.seed],
    gauges=[Gauge("market_listings", "Published listings", documents.count)],
    on_merge=catalogue_service.move_listings,
    would_move=catalogue_service.would_move,
)
discovery = Room(
    "discovery",
    blueprints=[discovery_web.blueprint, web_listings.blueprint, web_sharing.blueprint],
    api=[discovery_api.blueprint],
    commands=[discovery_cli.search],
    tasks=[Task("index", 0.5, Indexer().run)],
    readiness=[("search", engine.ready)],
    gauges=[Gauge("market_index_documents", "Documents in the index", engine.documents)],
    finder=known.FINDER,
)

ROOMS: tuple[Room, ...] = (core, regions_room, accounts, catalogue, discovery)

# What `market import`, `export` and `template` know, in the order in which they build up.
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        regions.KIND,
        TERMS,
        LEADING_INDUSTRIES,
        ORGANISATIONS,
        ROSTERS,
        ACHIEVEMENTS,
        DEMANDS,
        PINS,
    )
}

# Files that installed packages serve by routes of their own.
FOREIGN_ROUTES: dict[str, str] = {}
