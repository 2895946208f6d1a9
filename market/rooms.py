"""The one list of rooms, and the reference data and routes they bring."""

from __future__ import annotations

import market.accounts.people.models
import market.core.models  # noqa: F401  (the technical tables)
from market.accounts import api as accounts_api
from market.accounts import web as accounts_web
from market.accounts.administration import cli as administration_cli
from market.accounts.administration import web as administration_web
from market.accounts.importer import KIND as ORGANISATIONS
from market.accounts.people import sessions
from market.catalogue import api as catalogue_api
from market.catalogue import cli as catalogue_cli
from market.catalogue import documents, terms
from market.catalogue import service as catalogue_service
from market.catalogue import web as catalogue_web
from market.catalogue.documents import SEARCHABLE
from market.catalogue.importer import ACHIEVEMENTS, DEMANDS
from market.catalogue.imports import api as imports_api
from market.catalogue.imports import importer as catalogue_imports
from market.catalogue.imports import service as import_jobs
from market.catalogue.imports import web as imports_web
from market.catalogue.imports import workflow as imports_workflow
from market.catalogue.imports.jobs import Runner
from market.catalogue.local import web as local_web
from market.catalogue.pins import KIND as PINS
from market.catalogue.publishing import api as publishing_api
from market.catalogue.publishing import attachments, life
from market.catalogue.publishing import messages as publishing_messages
from market.catalogue.publishing import web as publishing_web
from market.catalogue.publishing import web_more as publishing_web_more
from market.catalogue.publishing import workflow as publishing_workflow
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
    blueprints=[accounts_web.blueprint, administration_web.blueprint],
    commands=[administration_cli.admin],
    api=[accounts_api.blueprint],
    identify=sessions.identify,
)
catalogue = Room(
    "catalogue",
    blueprints=[
        catalogue_web.blueprint,
        publishing_web.blueprint,
        publishing_web_more.blueprint,
        imports_web.blueprint,
        local_web.blueprint,
    ],
    api=[
        catalogue_api.listings,
        catalogue_api.taxonomies,
        publishing_api.submissions,
        imports_api.blueprint,
    ],
    commands=[catalogue_cli.reports],
    searchables=[SEARCHABLE],
    tasks=[
        Task("forget reporters", 3600.0, catalogue_service.forget_reporters),
        Task("remind owners of the end of validity", 3600.0, life.remind),
        Task("import jobs", 0.5, Runner().run),
        Task("forget import files", 3600.0, import_jobs.forget_old),
    ],
    seeds=[terms.seed],
    gauges=[Gauge("market_listings", "Published listings", documents.count)],
    files={
        attachments.KIND_OF_EDIT: attachments.may_have_of_edit,
        attachments.KIND_OF_LISTING: attachments.may_have_of_listing,
    },
    messages=publishing_messages.KINDS,
    workflows=[
        publishing_workflow.SUBMISSION,
        publishing_workflow.LISTING,
        imports_workflow.WORKFLOW,
    ],
    imports=catalogue_imports.IMPORTS,
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
        ACHIEVEMENTS,
        DEMANDS,
        PINS,
    )
}

# Files that installed packages serve by routes of their own.
FOREIGN_ROUTES: dict[str, str] = {}
