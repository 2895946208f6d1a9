"""The one list of rooms, and the reference data and routes they bring."""

from __future__ import annotations

from market.accounts import api as accounts_api
from market.accounts import web as accounts_web
from market.accounts.administration import cli as administration_cli
from market.accounts.administration import service as administration_service
from market.accounts.administration import web as administration_web
from market.accounts.importer import KIND as ORGANISATIONS
from market.accounts.members import api as members_api
from market.accounts.members import (
    api_staff,  # noqa: F401  (adds to members_api)
    web_desk,
    web_staff,
)
from market.accounts.members import queries as members_queries
from market.accounts.members import web as members_web
from market.accounts.members import workflow as joining
from market.accounts.people import api as tokens_api
from market.accounts.people import cli as tokens_cli
from market.accounts.people import codes, sessions, web_account, web_security, web_tokens
from market.accounts.people import messages as people_messages
from market.accounts.people import web as people_web
from market.accounts.rosters import web as rosters_web
from market.accounts.rosters.importer import IMPORTABLE as ROSTERS_ON_A_PAGE
from market.accounts.rosters.importer import KIND as ROSTERS
from market.accounts.verification import api as verification_api
from market.accounts.verification import queries as verification_queries
from market.accounts.verification import web as verification_web
from market.accounts.verification import workflow as verification
from market.catalogue import api as catalogue_api
from market.catalogue import api_reports, documents, report_cases, terms, web_reports
from market.catalogue import cli as catalogue_cli
from market.catalogue import service as catalogue_service
from market.catalogue import web as catalogue_web
from market.catalogue.documents import SEARCHABLE
from market.catalogue.importer import ACHIEVEMENTS, DEMANDS
from market.catalogue.imports import api as imports_api
from market.catalogue.imports import importer as catalogue_imports
from market.catalogue.imports import queries as imports_queries
from market.catalogue.imports import service as import_jobs
from market.catalogue.imports import web as imports_web
from market.catalogue.imports import workflow as imports_workflow
from market.catalogue.imports.jobs import Runner
from market.catalogue.intake import api as intake_api
from market.catalogue.intake import queries as intake_queries
from market.catalogue.intake import service as intake_service
from market.catalogue.intake import web as intake_web
from market.catalogue.intake import web_cases as intake_web_cases
from market.catalogue.intake import web_claim as intake_web_claim
from market.catalogue.intake import workflow as intake_workflow
from market.catalogue.local import api as local_api
from market.catalogue.local import web as local_web
from market.catalogue.pins import KIND as PINS
from market.catalogue.publishing import api as publishing_api
from market.catalogue.publishing import (
    api_files,  # noqa: F401  (adds to publishing_api)
    attachments,
    drafts,
    life,
)
from market.catalogue.publishing import messages as publishing_messages
from market.catalogue.publishing import queries as publishing_queries
from market.catalogue.publishing import web as publishing_web
from market.catalogue.publishing import web_more as publishing_web_more
from market.catalogue.publishing import workflow as publishing_workflow
from market.catalogue.term_files import KIND as TERMS
from market.contracts.changes import queries as changes_of_contracts
from market.contracts.changes.room import ROOM as contract_changes
from market.contracts.desk import importer as contract_results
from market.contracts.desk.room import ROOM as contract_desk
from market.contracts.filing_pages import beside as contract_page
from market.contracts.filing_pages.importer import KIND as CONTRACTS
from market.contracts.filing_pages.room import ROOM as contract_filing
from market.contracts.papers import queries as papers_of_contracts
from market.contracts.papers.room import ROOM as contract_papers
from market.contracts.room import ROOM as contracts
from market.core import (
    api,
    file_api,
    file_cli,
    file_pages,
    health,
    kept_forms,
    limits,
    once,
    pages,
    static_files,
)
from market.core.importing import Kind, Options, discard_abandoned
from market.core.ports import Gauge, Room, Task
from market.discovery import api as discovery_api
from market.discovery import cli as discovery_cli
from market.discovery import engine, known, web_listings, web_sharing
from market.discovery import web as discovery_web
from market.discovery.bulletins.room import ROOM as bulletins
from market.discovery.indexer import Indexer
from market.discovery.saved.room import ROOM as saved
from market.matching import api as matching_api
from market.matching import (
    api_templates,  # noqa: F401  (adds to matching_api)
    following,
    reply_times,
)
from market.matching import contacts as matching_contacts
from market.matching import merging as matching_merging
from market.matching import messages as matching_messages
from market.matching import queries as matching_queries
from market.matching import web as matching_web
from market.matching import web_cases as matching_web_cases
from market.matching import web_lists as matching_web_lists
from market.matching.calls.room import ROOM as calls
from market.matching.dispatch.room import ROOM as dispatch
from market.matching.intents.room import ROOM as intents
from market.matching.names.room import ROOM as names
from market.matching.workflow import INQUIRY
from market.monitoring import api as monitoring_api
from market.monitoring import cli as monitoring_cli
from market.monitoring import rules as monitoring_rules
from market.monitoring import service as monitoring_service
from market.monitoring import web as monitoring_web
from market.notices.room import ROOM as notices
from market.notifications import queries as notifications_queries
from market.notifications import service as notifications_service
from market.notifications import web as notifications_web
from market.notifications.digests import digest
from market.notifications.notifying import notify
from market.notifications.sending import Sender
from market.regions import api as regions_api
from market.regions import service as regions
from market.regions.industries import KIND as LEADING_INDUSTRIES
from market.service_points import files as directory_files
from market.service_points.room import ROOM as service_points
from market.service_points.specialists import importer as specialists_files
from market.vouchers.firm_pages.room import ROOM as voucher_firms
from market.vouchers.office_pages.room import ROOM as voucher_offices
from market.vouchers.room import ROOM as vouchers
from market.vouchers.scheme_pages.room import ROOM as voucher_schemes


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
    api=[file_api.blueprint],
    commands=[file_cli.group],
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
        people_web.blueprint,
        web_account.blueprint,
        web_security.blueprint,
        web_tokens.blueprint,
    ],
    api=[accounts_api.blueprint, tokens_api.blueprint],
    commands=[tokens_cli.token],
    tasks=[Task("forget codes", 3600.0, codes.forget_old)],
    identify=sessions.identify,
    scopes={"accounts:token": "本单位的令牌：列出、撤销"},
    messages=people_messages.KINDS,
)
organisations = Room(
    "organisations",
    blueprints=[
        members_web.blueprint,
        web_staff.blueprint,
        web_desk.blueprint,
        verification_web.blueprint,
        rosters_web.blueprint,
    ],
    api=[members_api.blueprint, verification_api.blueprint],
    files={verification_queries.LICENCE: verification_queries.may_have_licence},
    messages=[
        joining.REQUESTED,
        joining.ANSWERED,
        joining.INVITED,
        joining.CHANGED,
        joining.RENAMED,
        verification.SUBMITTED,
        verification.DECIDED,
    ],
    workflows=[joining.JOINING, verification.VERIFICATION],
    of_person=members_queries.of_person,
    scopes={
        "accounts:organisation": "单位：公开信息；部门：合并、换代码、隶属、直接核验",
        "accounts:verification": "单位核验：提交、办理",
        "accounts:profile": "单位申报的完整信息（每次查看留记录）",
        "accounts:member": "成员：列出、邀请、角色、离开和移交",
        "accounts:officer": "邀请和任用本级经办",
        "accounts:joining": "加入单位的申请：接受、不接受",
        "accounts:roster": "本单位所在的名单",
    },
)
administration = Room(
    "administration",
    blueprints=[administration_web.blueprint],
    commands=[administration_cli.admin],
    messages=[administration_service.GRANTED],
)
notifications = Room(
    "notifications",
    blueprints=[notifications_web.blueprint],
    tasks=[
        Task("notify", 0.5, notify),
        Task("send", 0.5, Sender().run),
        Task("digest", 60.0, digest),
        Task("forget messages", 3600.0, notifications_service.forget_old),
        Task("forget message files", 3600.0, notifications_service.forget_files),
    ],
    gauges=[
        Gauge("market_deliveries_waiting", "Mails and SMS to send", notifications_queries.waiting),
        Gauge(
            "market_deliveries_given_up",
            "Mails and SMS given up within a week",
            notifications_queries.given_up,
        ),
    ],
    badges={"unread": notifications_queries.unread},
    of_person=notifications_queries.of_person,
)
catalogue = Room(
    "catalogue",
    blueprints=[catalogue_web.blueprint, web_reports.blueprint],
    api=[catalogue_api.listings, catalogue_api.taxonomies, api_reports.blueprint],
    commands=[catalogue_cli.reports],
    searchables=[SEARCHABLE],
    tasks=[Task("forget reporters", 3600.0, catalogue_service.forget_reporters)],
    seeds=[terms.seed],
    terms=terms.names,
    gauges=[Gauge("market_listings", "Published listings", documents.count)],
    workflows=[report_cases.WORKFLOW],
    scopes={"catalogue:report": "读者的错误报告"},
    on_merge=catalogue_service.move_listings,
    would_move=catalogue_service.would_move,
)
publishing = Room(
    "publishing",
    blueprints=[publishing_web.blueprint, publishing_web_more.blueprint],
    api=[publishing_api.submissions],
    tasks=[Task("remind owners of the end of validity", 3600.0, life.remind)],
    files={
        attachments.KIND_OF_EDIT: attachments.may_have_of_edit,
        attachments.KIND_OF_LISTING: attachments.may_have_of_listing,
    },
    messages=publishing_messages.KINDS,
    workflows=[publishing_workflow.SUBMISSION, publishing_workflow.LISTING],
    scopes={
        "catalogue:submission": "填写和送出成果、需求",
        "catalogue:listing": "已发布的信息：撤回、确认仍有效、结束",
        "catalogue:publishing": "送出前是否须签发",
    },
    on_merge=drafts.move,
    of_person=publishing_queries.of_person,
)
intake = Room(
    "intake",
    blueprints=[intake_web.blueprint, intake_web_cases.blueprint, intake_web_claim.blueprint],
    api=[intake_api.blueprint],
    tasks=[Task("forget callers", 3600.0, intake_service.forget)],
    messages=[intake_workflow.RECEIVED, intake_workflow.CLAIM_CODE],
    workflows=[intake_workflow.INTAKE],
    scopes={"catalogue:intake": "来电与代录"},
    on_merge=intake_service.move,
    of_person=intake_queries.of_person,
)
imports = Room(
    "imports",
    blueprints=[imports_web.blueprint],
    api=[imports_api.blueprint],
    tasks=[
        Task("import jobs", 0.5, Runner().run),
        Task("forget import files", 3600.0, import_jobs.forget_old),
    ],
    workflows=[imports_workflow.WORKFLOW],
    imports=[*catalogue_imports.IMPORTS, ROSTERS_ON_A_PAGE],
    scopes={
        "catalogue:import": "批量导入：上传、检查、决定（还须选导入什么）",
        "catalogue:achievements": "批量导入：成果",
        "catalogue:demands": "批量导入：需求",
        "catalogue:pins": "批量导入：本县推荐",
        "catalogue:industries": "批量导入：主导产业",
    },
    on_merge=import_jobs.move,
    of_person=imports_queries.of_person,
)
local = Room(
    "local",
    blueprints=[local_web.blueprint],
    api=[local_api.blueprint],
    scopes={
        "catalogue:local": "本地设置：主导产业、本县推荐",
        "catalogue:synonym": "同义词（省级）",
    },
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
monitoring = Room(
    "monitoring",
    blueprints=[monitoring_web.blueprint],
    api=[monitoring_api.blueprint],
    commands=[monitoring_cli.desk],
    tasks=[Task("bulk actions", 1.0, monitoring_service.run_waiting)],
    messages=[monitoring_rules.ASSIGNED, monitoring_rules.REMINDED],
    scopes={"monitoring:work_item": "办件：列出、分配、批量办理"},
)

matching = Room(
    "matching",
    blueprints=[
        matching_web.blueprint,
        matching_web_cases.blueprint,
        matching_web_lists.blueprint,
    ],
    api=[matching_api.blueprint],
    tasks=[
        Task("forget inquirers", 3600.0, matching_contacts.forget),
        Task("reply times", 3600.0, reply_times.refresh),
        Task("inquiries follow their owners", 300.0, following.follow_owners),
    ],
    messages=matching_messages.KINDS,
    workflows=[INQUIRY],
    owner_note=reply_times.note,
    on_merge=matching_merging.move,
    would_move=matching_merging.would_move,
    of_person=matching_queries.of_person,
    scopes={
        "matching:inquiry": "对接咨询：查看、答复、办结、交给同事",
        "matching:reply_template": "答复模板",
    },
)


# What stands on the page of a contract beside what its filer does.
contract_page.PARTS[:] = [papers_of_contracts.part, changes_of_contracts.part]

ROOMS: tuple[Room, ...] = (
    core,
    regions_room,
    accounts,
    organisations,
    administration,
    notifications,
    notices,
    service_points,
    catalogue,
    publishing,
    intake,
    imports,
    local,
    discovery,
    saved,
    bulletins,
    matching,
    intents,
    contracts,
    contract_desk,
    contract_changes,
    contract_papers,
    contract_filing,
    dispatch,
    calls,
    names,
    vouchers,
    voucher_firms,
    voucher_offices,
    voucher_schemes,
    monitoring,
)

# What `market import`, `export` and `template` know, in the order in which they build up.
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        regions.KIND,
        TERMS,
        LEADING_INDUSTRIES,
        ORGANISATIONS,
        ROSTERS,
        *directory_files.KINDS_OF_FILES,
        specialists_files.BROKERS,
        specialists_files.EXPERTS,
        ACHIEVEMENTS,
        DEMANDS,
        PINS,
        contract_results.KIND,
        CONTRACTS,
    )
}

# Files that installed packages serve by routes of their own.
FOREIGN_ROUTES: dict[str, str] = {}
