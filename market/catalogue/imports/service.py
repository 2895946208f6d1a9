"""Changing imports: bringing a file, deciding on it, taking it back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from market.catalogue.imports import queries, storage
from market.catalogue.imports.models import UNDERWAY, ImportJob
from market.catalogue.imports.queries import Scope
from market.catalogue.imports.rules import KEPT, MOST_OPEN, UNDO_DAYS, clean_name, judge_size
from market.catalogue.imports.workflow import RUN, SHOW, WORK, WORKFLOW
from market.catalogue.publishing.drafts import clearance_of
from market.catalogue.publishing.rules import CLEARANCE, CLEARANCE_OF_OTHERS
from market.core import clock, limits, numbers
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound, TooMany
from market.core.importing import Importable, Importer, Kind, Options, undo_import
from market.core.permissions import SYSTEM, Actor, policy
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.core.workflow import begin, fire

SERIES = "DR"
UPLOADS = limits.Limit("import.upload", 100, timedelta(days=1))
_CLOSED = ("done", "undone", "discarded", "refused", "failed")


def upload(actor: Actor, kind: str, scope: str, name: str, data: bytes) -> str:
    """Take in a file to be checked; returns the number of the import.

    The same file, still waiting for a decision of the same people, is not taken in twice.

    Args:
        kind: one of `queries.importables()`.
        scope: for whom, as `queries.scopes` names it; may be empty where there is one only.
        name: as the browser sent it.

    Raises:
        Invalid: the kind, for whom, or the file is not good.
        Denied: the actor may not import this kind for them.
        TooMany: too many are waiting, or came today.
    """
    place = _scope(actor, scope)
    importable = queries.importables().get(kind)
    if importable is None:
        raise Invalid({"kind": ["请选择导入什么。"]})
    policy.require(actor, importable.permission, place)
    shown, ending = clean_name(name)
    judge_size(len(data))
    digest = hashlib.sha256(data).hexdigest()
    if (there := _same(place, kind, digest)) is not None:
        return there
    if _open(place) >= MOST_OPEN:
        raise TooMany(f"已有 {MOST_OPEN} 个文件在检查或等您决定，请先处理完再上传。")
    limits.take(UPLOADS, f"{actor.kind}:{actor.id}", "今天上传的文件太多，请明天再传。")
    stored = storage.keep(data, ending)
    try:
        with unit_of_work(actor) as work:
            job = _new(work, importable, place)
            job.file_name, job.size, job.hash, job.stored = shown, len(data), digest, stored
            return _begin(work, job)
    except BaseException:
        storage.drop(stored)
        raise


def _scope(actor: Actor, value: str) -> Scope:
    found = queries.scopes(actor)
    if not found:
        raise Denied("您还没有加入可以导入的单位。")
    if not value and len(found) == 1:
        return found[0]
    scope = next((one for one in found if one.value == value), None)
    if scope is None:
        raise Invalid({"scope": ["请选择为谁导入。"]})
    return scope


def _of(place: Scope) -> Any:
    if place.organisation_id is not None:
        return ImportJob.organisation_id == place.organisation_id
    return ImportJob.region_id == place.region_id


def _same(place: Scope, kind: str, digest: str) -> str | None:
    """The number of an undecided import of the same file."""
    waiting = ImportJob.state.in_((*UNDERWAY, "checked"))
    query = select(ImportJob.no).where(
        _of(place), waiting, ImportJob.kind == kind, ImportJob.hash == digest
    )
    return db.session.scalar(query.order_by(ImportJob.id).limit(1))


def _open(place: Scope) -> int:
    query = select(func.count()).select_from(ImportJob)
    waiting = ImportJob.state.in_((*UNDERWAY, "checked"))
    return db.session.scalar(query.where(_of(place), waiting)) or 0


def _new(work: UnitOfWork, importable: Importable, place: Scope) -> ImportJob:
    actor, year = work.actor, clock.today().year
    return ImportJob(
        no=f"{SERIES}{year}{numbers.take(f'{SERIES}{year}')[0]:06d}",
        kind=importable.kind.name,
        state=WORKFLOW.start,
        organisation_id=place.organisation_id,
        region_id=place.region_id,
        person_id=actor.id if actor.kind == "person" else None,
        token_id=actor.id if actor.kind == "token" else None,
        actor_label=actor.label,
        problems=[],
        preview=[],
        created_at=clock.now(),
    )


def _begin(work: UnitOfWork, job: ImportJob) -> str:
    db.session.add(job)
    db.session.flush()
    work.require(RUN, job)
    begin(work, WORKFLOW, job, note=job.file_name)
    return job.no


def act(actor: Actor, no: str, action: str, clearance: Mapping[str, Any] | None = None) -> None:
    """Decide on an import: import, draft, discard, again, undo.

    Args:
        clearance: of the confidentiality review of the whole file, where its rows go public:
            `cleared`, and `cleared_no`, `cleared_by` as far as there are any.

    Raises:
        NotFound: there is no such import, or no such act.
        Denied, Conflict: the actor may not, or not in this state.
        Invalid: rows would go public without a confidentiality review.
    """
    job = queries.find(actor, no)
    if action == "undo":
        undo(actor, job)
        return
    if action not in {"import", "draft", "discard", "again"}:
        raise NotFound("没有这种操作。")
    values: dict[str, Any] = {"holder": None, "heartbeat_at": None}
    if action in {"import", "draft"}:
        _refuse_empty(job, action)
        values["mode"] = "publish" if action == "import" else "drafts"
    elif action == "again":
        values |= {"tries": 0, "rows_seen": 0, "fault": None}
    else:
        values["finished_at"] = clock.now()
    with unit_of_work(actor) as work:
        told = _cleared(work, job, clearance or {}) if action == "import" else {}
        values["lock_version"] = job.lock_version + 1
        note = _note_of(told) if told else None
        fire(work, WORKFLOW, job, action, values=values, note=note, after=told)


def _cleared(work: UnitOfWork, job: ImportJob, given: Mapping[str, Any]) -> dict[str, Any]:
    """The review of a file whose rows go public; nothing for what needs none.

    Raises:
        Denied: the actor may not publish. Invalid: there was no review.
    """
    if job.state != "checked" or not queries.needs_clearance(job):
        return {}
    work.require(SHOW, job)
    found = clearance_of(given)
    if not found.get("cleared"):
        raise Invalid({"cleared": [CLEARANCE if job.owner else CLEARANCE_OF_OTHERS]})
    return found


def _note_of(review: Mapping[str, Any]) -> str:
    """A review in words, for the timeline: rows of an import have no page of their own for it."""
    words = ["已确认保密审查"]
    if review.get("cleared_no"):
        words.append(f"审查表 {review['cleared_no']}")
    if review.get("cleared_by"):
        words.append(f"审查人 {review['cleared_by']}")
    return "，".join(words)


def _refuse_empty(job: ImportJob, action: str) -> None:
    if job.state != "checked":
        return  # the table of states says it better
    if not job.fresh:
        raise Conflict("这个文件没有要新增或更新的行，不用导入。")
    if action == "draft" and not queries.may_draft(job):
        raise Conflict("这类内容没有草稿，请直接导入或放弃。")
    if action == "import" and queries.only_drafts(job):
        raise Conflict("这类内容先存为草稿，逐份看过再提交。")


def undo(actor: Actor, job: ImportJob) -> None:
    """Take back an import of the last ten days of which nothing was changed since.

    Raises:
        Conflict: it is too old, cannot be undone, or something was changed since.
    """
    importable = queries.importables()[job.kind]
    if job.state == "done" and queries.undo_until(job) is None:
        raise Conflict(f"导入后 {UNDO_DAYS} 天内可以撤销；这一次已不能撤销。")
    with unit_of_work(actor) as work:
        fire(work, WORKFLOW, job, "undo", values={"lock_version": job.lock_version + 1})
        if job.run_id is None:
            return
        changed = importable.since(job.run_id) if job.mode == "publish" else ()
        if changed:
            raise Conflict("导入之后有人又改过，不能整批撤销：" + " ".join(changed))
        _, left = undo_import(job.run_id, _kinds(importable, job, actor), actor, RUN)
        if left:
            raise Conflict("导入之后有人又改过，不能整批撤销：" + " ".join(left))


def _kinds(importable: Importable, job: ImportJob, actor: Actor) -> Mapping[str, Kind]:
    """How the worker imported it, for taking it back."""
    return {job.kind: kind_of(importable, job.mode or "publish", actor)}


def kind_of(importable: Importable, mode: str, actor: Actor) -> Kind:
    """The kind of file, with the importer that fits what was decided."""
    if mode == "publish" or importable.drafts is None:
        return importable.kind
    drafts = importable.drafts

    def importer(options: Options) -> Importer:
        return drafts(options, actor)

    return replace(importable.kind, importer=importer)


def forget_old() -> bool:
    """Remove the files of imports that ended ten days ago, and what is no import's; one look."""
    old = (ImportJob.state.in_(_CLOSED), ImportJob.finished_at < clock.now() - KEPT)
    query = select(ImportJob.id, ImportJob.stored).where(*old, ImportJob.stored.is_not(None))
    rows = db.session.execute(query.limit(200)).all()
    if rows:
        with unit_of_work(SYSTEM) as work:
            work.require(WORK)
            ids = [row[0] for row in rows]
            db.session.execute(update(ImportJob).where(ImportJob.id.in_(ids)).values(stored=None))
        for _, stored in rows:
            storage.drop(stored)
    storage.drop_orphans()
    return len(rows) == 200


def move(source_id: int, target_id: int) -> None:
    """Give the imports of an organisation to the one that it becomes part of. Inside a unit of work."""
    db.session.execute(
        update(ImportJob)
        .where(ImportJob.organisation_id == source_id)
        .values(organisation_id=target_id)
        .execution_options(synchronize_session=False)
    )
