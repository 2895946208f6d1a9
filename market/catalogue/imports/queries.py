"""Reading imports: for whom one may import what, one's own list, one import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from market.accounts.models import Organisation
from market.accounts.roles import EDITORS, OFFICES
from market.catalogue.imports.models import UNDERWAY, ImportJob, publishes
from market.catalogue.imports.rules import KEPT, KEPT_PROBLEMS
from market.catalogue.imports.workflow import READ, WORKFLOW
from market.core import clock
from market.core.db import db
from market.core.errors import NotFound
from market.core.importing import Importable
from market.core.pagination import EXACT_UP_TO
from market.core.permissions import Actor, policy
from market.core.sheets import Problem
from market.core.workflow import Transition
from market.regions.models import Region

PER_PAGE = 25
MOST_EXPORTED = 1_000  # the newest


@dataclass(frozen=True)
class Scope:
    """For whom somebody imports: an organisation, or the area of an office."""

    value: str
    label: str
    organisation_id: int | None = None
    region_id: int | None = None
    area_path: str | None = None
    publishes: bool = True

    @property
    def organisation_of(self) -> int | None:
        """Whose it is, for the policy."""
        return self.organisation_id


def importables() -> dict[str, Importable]:
    """The kinds of files that rooms offer for import."""
    found: dict[str, Importable] = current_app.extensions["market"].importables
    return found


def scopes(actor: Actor) -> list[Scope]:
    """For whom the actor may import anything."""
    own = select(Organisation).where(
        Organisation.id.in_(actor.organisations(*EDITORS)), Organisation.state == "active"
    )
    found = [
        Scope(f"o{one.id}", one.name, organisation_id=one.id, publishes=publishes(one))
        for one in db.session.scalars(own.order_by(Organisation.id))
    ]
    areas = select(Region).where(Region.path.in_(actor.areas(*OFFICES))).order_by(Region.path)
    found += [
        Scope(
            f"r{one.id}", f"{one.full_name}（科技管理部门）", region_id=one.id, area_path=one.path
        )
        for one in db.session.scalars(areas)
    ]
    return [scope for scope in found if kinds_for(actor, scope)]


def kinds_for(actor: Actor, scope: Scope) -> list[Importable]:
    """What the actor may import for somebody, in the rooms' order."""
    return [one for one in importables().values() if policy.allows(actor, one.permission, scope)]


def kinds(actor: Actor) -> list[Importable]:
    """What the actor may import for anybody."""
    offered = {one.kind.name: one for scope in scopes(actor) for one in kinds_for(actor, scope)}
    return [one for name, one in importables().items() if name in offered]


def find(actor: Actor, no: str) -> ImportJob:
    """An import that the actor may see.

    Raises:
        NotFound: there is none of this number, or it is another's.
    """
    query = select(ImportJob).where(ImportJob.no == no, policy.where(actor, READ, ImportJob))
    job = db.session.scalar(query)
    if job is None:
        raise NotFound("没有这次导入。")
    return job


def mine(actor: Actor, before: str | None = None) -> tuple[Sequence[ImportJob], str | None]:
    """The imports that the actor may see, newest first; and where the next page begins."""
    query = select(ImportJob).where(policy.where(actor, READ, ImportJob))
    query = query.options(joinedload(ImportJob.owner))
    if before:
        last = select(ImportJob.id).where(ImportJob.no == before).scalar_subquery()
        query = query.where(ImportJob.id < last)
    rows = db.session.scalars(query.order_by(ImportJob.id.desc()).limit(PER_PAGE + 1)).all()
    more = rows[PER_PAGE - 1].no if len(rows) > PER_PAGE else None
    return rows[:PER_PAGE], more


def count(actor: Actor) -> tuple[int, bool]:
    """How many imports the actor may see, up to 10,000, and whether that is exact."""
    seen = select(ImportJob.id).where(policy.where(actor, READ, ImportJob))
    some = seen.limit(EXACT_UP_TO + 1).subquery()
    found = db.session.scalar(select(func.count()).select_from(some)) or 0
    return min(found, EXACT_UP_TO), found <= EXACT_UP_TO


def undo_until(job: ImportJob) -> datetime | None:
    """Until when an import may be undone; None when it cannot be."""
    importable = importables().get(job.kind)
    if job.state != "done" or importable is None or job.finished_at is None or not job.fresh:
        return None
    if job.mode == "publish" and not importable.kind.undoable:
        return None
    until = job.finished_at + KEPT
    return until if until > clock.now() else None


def may_draft(job: ImportJob) -> bool:
    """Whether its rows can become drafts: an office publishes, for it there are none."""
    importable = importables().get(job.kind)
    return importable is not None and importable.drafts is not None and job.owner is not None


def needs_clearance(job: ImportJob) -> bool:
    """Whether its rows may only go public after a confidentiality review: achievements, demands."""
    importable = importables().get(job.kind)
    return importable is not None and importable.drafts is not None and importable.drafts_at is None


def only_drafts(job: ImportJob) -> bool:
    """Whether its rows become drafts and nothing else."""
    importable = importables().get(job.kind)
    return importable is not None and importable.drafts_at is not None


def actions(actor: Actor, job: ImportJob) -> list[Transition]:
    """What the actor may do with an import now, in the table's order."""
    found = []
    for one in WORKFLOW.actions(actor, job):
        if one.action in {"import", "draft"} and not job.fresh:
            continue
        if one.action == "draft" and not may_draft(job):
            continue
        if one.action == "import" and only_drafts(job):
            continue
        if one.action == "undo" and undo_until(job) is None:
            continue
        found.append(one)
    return found


def ahead(job: ImportJob) -> int:
    """How many imports the worker does before this one."""
    if job.state != "waiting":
        return 0
    query = select(ImportJob.id).where(ImportJob.state.in_(UNDERWAY), ImportJob.id < job.id)
    return len(db.session.scalars(query).all())


def problems_of(job: ImportJob) -> list[Problem]:
    """The problems that were kept, errors first; the last says how many were not."""
    found = [Problem(**one) for one in job.problems]
    if job.problem_count > KEPT_PROBLEMS:
        left = job.problem_count - KEPT_PROBLEMS
        found.append(Problem(0, "", "全表", "", f"另有 {left:,} 条没有列出。", True))
    return found


def view(job: ImportJob) -> dict[str, Any]:
    """How far an import has come: for the page's script and the API."""
    return {
        "no": job.no,
        "kind": job.kind,
        "state": job.state,
        "state_label": WORKFLOW.states[job.state],
        "mode": job.mode,
        "file_name": job.file_name,
        "rows_seen": job.rows_seen,
        "rows_total": job.rows_total,
        "added": job.added,
        "changed": job.changed,
        "unchanged": job.unchanged,
        "rejected": job.rejected,
        "fault": job.fault,
        "url": job.url,
        "version": job.lock_version,
    }


def of_person(person_id: int) -> dict[str, list[dict[str, Any]]]:
    """The files that a person imported, for the export of his own data."""
    labels = {name: one.kind.label for name, one in importables().items()}
    query = select(ImportJob).where(ImportJob.person_id == person_id).order_by(ImportJob.id.desc())
    return {
        "批量导入": [
            {
                "编号": one.no,
                "文件": one.file_name,
                "内容": labels.get(one.kind, one.kind),
                "状态": WORKFLOW.states[one.state],
                "时间": one.created_at.isoformat(),
            }
            for one in db.session.scalars(query.limit(MOST_EXPORTED))
        ]
    }
