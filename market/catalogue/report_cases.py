"""报告错误 as a case: what readers report is dealt with by the office of the listing's place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from market.accounts.roles import OFFICES
from market.catalogue.models import REPORT_REASONS, REPORT_STATES, Listing, ProblemReport
from market.catalogue.queries import ReportView, report_view
from market.core import clock, holidays
from market.core.calendar import DueDate, add_working_days
from market.core.db import db
from market.core.errors import NotFound
from market.core.languages import N_
from market.core.permissions import Actor, InArea, StateIn, policy
from market.core.unit_of_work import unit_of_work
from market.core.workflow import Item, Transition, Workflow, fire

SPAN = 5  # working days in which a report is dealt with
_OFFICE = dict.fromkeys(OFFICES, InArea())
DESK = policy.declare("catalogue:report:read_case", **_OFFICE)
SETTLE = policy.declare("catalogue:report:settle", **_OFFICE)
REOPEN = policy.declare(
    "catalogue:report:reopen",
    **dict.fromkeys(OFFICES, InArea() & StateIn(("handled", "dismissed"))),
)
URL = "/desk/reports"


def due_of(report: ProblemReport) -> DueDate:
    """The last day for dealing with a report."""
    start = clock.local(report.created_at).date()
    overrides = holidays.overrides(start, start + timedelta(days=60))
    return add_working_days(start, SPAN, overrides)


def _item(report: ProblemReport) -> Item:
    listing = report.listing
    title = listing.current.title if listing.current else listing.no
    is_open = report.state == "new"
    due = due_of(report) if is_open else None
    return Item(
        no=report.no,
        title=f"{REPORT_REASONS[report.reason]}：{title}",
        url=f"{URL}/{report.no}",
        side="office" if is_open else "",
        next_step="核实读者报告的问题" if is_open else "无",
        region_path=listing.region.path,
        due=due.day if due else None,
        provisional=due.provisional if due else False,
        urgent=report.reason == "fraud",
    )


WORKFLOW = Workflow(
    name="report",
    label=N_("错误报告"),
    model=ProblemReport,
    states=REPORT_STATES,
    transitions=(
        Transition("handle", N_("已核实并处理"), ("new",), "handled", SETTLE, bulk=True),
        Transition(
            "dismiss",
            N_("无须处理"),
            ("new",),
            "dismissed",
            SETTLE,
            reason=True,
            bulk=True,
            tone="plain",
        ),
        Transition(
            "reopen",
            N_("重新办理"),
            ("handled", "dismissed"),
            "new",
            REOPEN,
            reason=True,
            tone="plain",
        ),
    ),
    item=_item,
    room="catalogue",
    start="new",
)


@dataclass(frozen=True)
class ReportCase:
    """A report on its page: what it says, and what may be done with it."""

    id: int
    view: ReportView
    state: str
    actions: list[Transition]
    due: DueDate | None


def _find(no: str) -> ProblemReport | None:
    query = select(ProblemReport).where(ProblemReport.no == no.upper())
    with_listing = joinedload(ProblemReport.listing).options(
        joinedload(Listing.current), joinedload(Listing.region), joinedload(Listing.owner)
    )
    return db.session.scalar(query.options(with_listing))


def _mine(actor: Actor, no: str) -> ProblemReport:
    report = _find(no)
    if report is None or not policy.allows(actor, DESK, report):
        raise NotFound("没有这份报告。")
    return report


def case(actor: Actor, no: str) -> ReportCase:
    """A report for the office that looks after its place. Raises NotFound."""
    report = _mine(actor, no)
    due = due_of(report) if report.state == "new" else None
    actions = WORKFLOW.actions(actor, report)
    return ReportCase(report.id, report_view(report), report.state, actions, due)


def settle(actor: Actor, no: str, action: str, reason: str | None = None) -> str:
    """Do something with a report; returns its new state.

    Raises:
        NotFound: it lies elsewhere. Conflict: its state does not allow it. Invalid: no reason.
    """
    with unit_of_work(actor) as work:
        report = _mine(actor, no)
        fire(work, WORKFLOW, report, action, reason=reason)
        return report.state
