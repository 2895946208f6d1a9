"""Drafting, starting, recording, withdrawing and concluding notices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_, select, update

from market.accounts.models import Organisation
from market.accounts.roles import OFFICES
from market.core import clock, files, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.models import WorkItem
from market.core.permissions import SYSTEM, Actor, policy
from market.core.unit_of_work import in_unit_of_work, unit_of_work
from market.notices import queries, rules
from market.notices.messages import ENDED, tell_owner
from market.notices.models import KINDS_OF_OFFICES, Announcement, Notice, Objection
from market.notices.queries import FILES
from market.notices.schemas import FIRST_LABELS, content_of
from market.notices.workflow import (
    CREATE,
    EDIT,
    KEEP_TIME,
    NOTICE,
    READ,
)
from market.regions.models import Region

SERIES = "GS"


@dataclass(frozen=True)
class Subject:
    """What a notice is about, in a room above."""

    kind: str
    id: int
    no: str


def draft(actor: Actor, values: Mapping[str, Any]) -> str:
    """Begin a draft; returns its number.

    Args:
        values: kind, title; owner: the number of the organisation, where one acts for several.

    Raises:
        Denied: the actor acts for nobody. Invalid: the kind is for offices alone.
    """
    content = [[label, ""] for label in FIRST_LABELS[values["kind"]]]
    return _begin(actor, values["kind"], values["title"], content, values.get("owner") or "", None)


def begin_for(
    actor: Actor,
    subject: Subject,
    kind: str,
    title: str,
    content: list[list[str]],
    *,
    owner_no: str = "",
    term: tuple[int, str | None] | None = None,
) -> str:
    """Begin a draft about something of another room, in its unit of work; returns its number.

    Args:
        term: how many days it is to run, and of which unit, where a rule says so.

    Raises:
        Conflict: a notice of this kind about the subject is drafted, runs, or has open objections.
        Denied, Invalid: as `draft`.
    """
    return _begin(actor, kind, title, content, owner_no, subject, term)


def _begin(
    actor: Actor,
    kind: str,
    title: str,
    content: list[list[str]],
    owner_no: str,
    subject: Subject | None,
    term: tuple[int, str | None] | None = None,
) -> str:
    with unit_of_work(actor) as work:
        owner, region_id, by_office = _acts_for(actor, owner_no)
        if kind in KINDS_OF_OFFICES and not by_office:
            raise Invalid({"kind": ["榜单公示和创新券公示由科技管理部门发起。"]})
        if subject is not None:
            refuse_second(subject, kind, drafts=True)
        now, series = clock.now(), f"{SERIES}{clock.today().year}"
        row = Notice(
            no=f"{series}{numbers.take(series)[0]:06d}",
            kind=kind,
            title=title,
            subject_kind=subject.kind if subject else None,
            subject_id=subject.id if subject else None,
            subject_no=subject.no if subject else None,
            owner_id=owner.id,
            region_id=region_id,
            by_office=by_office,
            content=content,
            channels=[],
            days=term[0] if term else None,
            unit=term[1] if term else None,
            contact_telephone=owner.telephone,
            contact_address=owner.address,
            edited_by_id=_person(actor),
            demo=owner.demo,
            created_at=now,
            updated_at=now,
        )
        db.session.add(row)
        db.session.flush()
        work.require(CREATE, row)
        flow.begin(work, NOTICE, row)
        return row.no


def _person(actor: Actor) -> int | None:
    return actor.id if actor.kind == "person" else None


def _acts_for(actor: Actor, owner_no: str) -> tuple[Organisation, int, bool]:
    """The organisation that puts it up, its region, and whether it is an office by its officer."""
    own = queries.owners(actor)
    found = next((one for one in own if one.no == owner_no), own[0] if own else None)
    if found is None:
        raise Denied("发起公示要有单位：请先加入单位，或请安全管理员在授权中写明您所在的部门。")
    area = next(
        (
            one.region_path
            for one in actor.grants
            if one.role in OFFICES and one.organisation_id == found.id and one.region_path
        ),
        None,
    )
    if area is None:
        return found, found.region_id, False
    place = db.session.scalars(select(Region.id).where(Region.path == area)).one()
    return found, place, True


def refuse_second(subject: Subject, kind: str, *, drafts: bool, but: int = 0) -> None:
    """One notice of a kind at a time: a second one would hide the objections of the first."""
    binds = and_(Notice.state == "running", Notice.ends_at > clock.now())
    found = db.session.scalar(
        select(Notice.no).where(
            Notice.subject_kind == subject.kind,
            Notice.subject_id == subject.id,
            Notice.kind == kind,
            or_(binds, Notice.state == "draft") if drafts else binds,
            Notice.id != but,
        )
    )
    if found:
        raise Conflict(f"这件事已有同类公示 {found}，不能再发起一个。")
    standing = queries.standing(subject.kind, subject.id, kind)
    if standing.code == "objection_open":
        raise Conflict(f"公示 {standing.no} 还有异议没有答复，答复后才能再次公示。")


def locked(actor: Actor, no: str, version: int | None = None) -> Notice:
    """The notice, held until the commit. Call inside a unit of work.

    Args:
        version: as the actor saw it; None: not asked.

    Raises:
        NotFound: none that the actor looks after. Conflict: somebody moved it since.
    """
    found = db.session.scalar(
        select(Notice)
        .where(Notice.no == no, policy.where(actor, READ, Notice))
        .with_for_update(of=Notice)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(f"没有编号为 {no} 的公示。")
    if version is not None and version != found.lock_version:
        raise Conflict("这件公示刚有新的变动，请先看新内容；您填的还在，确认后请再点一次。")
    return found


def moved(**values: Any) -> dict[str, Any]:
    """Columns that change with every step."""
    return {"updated_at": clock.now(), "lock_version": Notice.lock_version + 1, **values}


def save(actor: Actor, no: str, values: Mapping[str, Any], version: int | None = None) -> None:
    """Save a draft as it was typed; what is missing is asked for when it starts.

    Args:
        values: of `DraftSchema`, or with `content` and `channels` as they are kept.

    Raises:
        NotFound: no such notice. Denied: it has started, or is another's. Conflict: it moved.
    """
    with unit_of_work(actor) as work:
        notice = locked(actor, no, version)
        if notice.state != "draft":
            raise Conflict("公示开始后内容不能再改；确有错误，请撤回并写明原因，另发一个公示。")
        work.require(EDIT, notice)
        for name in [
            "held",
            "days",
            "unit",
            "rule",
            "place",
            "start_on",
            "end_on",
            "contact_name",
            "contact_telephone",
            "contact_address",
        ]:
            setattr(notice, name, values.get(name))
        notice.held = notice.held or "here"
        notice.title = values.get("title") or notice.title
        notice.anonymous_ok = bool(values.get("anonymous_ok"))
        notice.content = values["content"] if "content" in values else content_of(values)
        notice.channels = values["channels"] if "channels" in values else _channels(values)
        notice.edited_by_id = _person(actor)
        notice.updated_at, notice.lock_version = clock.now(), notice.lock_version + 1
        work.record("notice.saved", NOTICE.name, notice.id, no=no)
        flow.show_on_desks(NOTICE, notice)


def _channels(values: Mapping[str, Any]) -> list[list[str]]:
    found = [["own", values["own_place"]]] if values.get("own_place") else []
    lines = (values.get("others") or "").splitlines()
    return found + [["other", line.strip()] for line in lines if line.strip()]


def add_file(actor: Actor, no: str, name: str, data: bytes) -> None:
    """Attach a file to a draft; of a notice held elsewhere it is the record.

    Raises:
        NotFound: no such notice. Conflict: it has started. Invalid: the file is not welcome.
    """
    queries.find(actor, no)
    attach(actor, no, files.take_in(name, data))


def attach(actor: Actor, no: str, upload: files.Upload) -> None:
    """Attach a file that was looked at. Raises as `add_file`."""
    with unit_of_work(actor) as work:
        notice = locked(actor, no)
        work.require(EDIT, notice)
        files.attach(work, upload, FILES, notice.id)
        _touch(notice)


def remove_file(actor: Actor, no: str, file_no: str) -> None:
    """Take a file off a draft. Raises NotFound, Denied."""
    with unit_of_work(actor) as work:
        notice = locked(actor, no)
        work.require(EDIT, notice)
        found = next((one for one in queries.files_of(notice) if one.no == file_no), None)
        if found is None:
            raise NotFound("没有这个文件。")
        files.remove(work, found)
        _touch(notice)


def _touch(notice: Notice) -> None:
    db.session.execute(update(Notice).where(Notice.id == notice.id).values(**moved()))
    db.session.refresh(notice)


def end_if_over(no: str) -> bool:
    """Note that a notice is over, when it is; whether it was noted now. Safe to repeat.

    Not inside a unit of work: nobody ends a notice, it ends by itself.
    """
    over = (Notice.no == no, Notice.state == "running", Notice.ends_at <= clock.now())
    if db.session.scalar(select(Notice.id).where(*over)) is None:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(KEEP_TIME)
        query = select(Notice).where(*over).with_for_update(of=Notice)
        notice = db.session.scalar(query.execution_options(populate_existing=True))
        if notice is None:  # another was faster
            return False
        # What readers are told does not change by this, so the version stays.
        flow.fire(work, NOTICE, notice, "end", values={"updated_at": clock.now()})
        tell_owner(ENDED, notice)
        return True


def act(
    actor: Actor, no: str, action: str, reason: str | None = None, version: int | None = None
) -> None:
    """Withdraw, take down or discard.

    Raises:
        Conflict: its state does not allow it, it is over, or it moved. Invalid: no reason.
    """
    if action not in {"withdraw", "take_down", "discard"}:
        raise NotFound
    with unit_of_work(actor) as work:
        notice = locked(actor, no, version)
        if action == "withdraw" and notice.state == "running" and queries.is_over(notice):
            raise Conflict("公示已经期满，不能撤回；请公布公示结果。")
        told = {"withdrawn_reason": (reason or "").strip()} if action != "discard" else {}
        flow.fire(work, NOTICE, notice, action, reason=reason, values=moved(**told))


def conclude(
    actor: Actor, no: str, outcome: str, text: str | None = None, version: int | None = None
) -> None:
    """Publish how a notice came out.

    Raises:
        Conflict: it still runs, or an objection is open. Invalid: the outcome contradicts the
            answers that were given.
    """
    queries.find(actor, no)
    if not in_unit_of_work():
        end_if_over(no)
    with unit_of_work(actor) as work:
        notice = locked(actor, no, version)
        counts = queries.counts_of([notice.id]).get(notice.id, queries.Counts(0, 0, 0))
        if counts.open:
            raise Conflict(f"还有 {counts.open} 件异议没有答复，答复后才能公布结果。")
        if outcome in {"dismissed", "upheld"} and not text:
            raise Invalid({"text": ["请写明异议的处理情况，会公开。"]})
        if outcome not in rules.possible_outcomes(counts.all, counts.upheld):
            words = "有异议被认定成立" if counts.upheld else "收到过异议，均不成立"
            raise Invalid({"outcome": [f"{words}，结果要与答复一致。"]})
        told = {"outcome": outcome, "outcome_text": text}
        flow.fire(
            work, NOTICE, notice, "conclude", values=moved(**told), after={"outcome": outcome}
        )


def move(source_id: int, target_id: int) -> None:
    """When two organisations become one. Inside the unit of work of the merger."""
    for model in (Notice, Objection, Announcement):
        db.session.execute(
            update(model)
            .where(model.owner_id == source_id)
            .values(owner_id=target_id)
            .execution_options(synchronize_session=False)
        )
    db.session.execute(
        update(WorkItem)
        .where(WorkItem.room == NOTICE.room, WorkItem.organisation_id == source_id)
        .values(organisation_id=target_id)
        .execution_options(synchronize_session=False)
    )


def would_move(source_id: int) -> tuple[str, int]:
    """What a merger would move, and how many."""
    count = select(func.count()).select_from(Notice).where(Notice.owner_id == source_id)
    return "公示", db.session.scalar(count) or 0
