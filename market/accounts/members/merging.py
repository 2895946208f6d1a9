"""What offices do with organisations: merge two, a new credit code, the supervising body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from marshmallow import ValidationError
from sqlalchemy import func, select, update

from market.accounts.members import grants
from market.accounts.members.models import Joining
from market.accounts.members.workflow import JOINING, MERGE
from market.accounts.models import FormerName, FormerUscc, Organisation
from market.accounts.people.models import ApiToken, Invitation
from market.accounts.queries import OrganisationView, find, view, with_code
from market.accounts.roles import OFFICES
from market.accounts.rosters.models import RosterEntry
from market.accounts.verification import service as verifications
from market.accounts.verification.models import OPEN, Verification
from market.accounts.verification.workflow import VERIFICATION
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.identifiers import read_uscc
from market.core.models import WorkItem
from market.core.permissions import Actor, InArea, policy
from market.core.ports import Market
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.core.workflow import fire, show_on_desks

_AREA = dict.fromkeys(OFFICES, InArea())
OVERSEE = policy.declare("accounts:organisation:oversee", **_AREA)
RECODE = policy.declare("accounts:organisation:recode", **_AREA)
SUPERVISE = policy.declare("accounts:organisation:supervise", **_AREA)
_FILLED = (
    "telephone",
    "contact",
    "address",
    "hours",
    "website",
    "intro",
    "source_id",
    "supervising",
)


@dataclass(frozen=True)
class Merger:
    """What a merger would do, for the page before it."""

    source: OrganisationView
    target: OrganisationView
    moves: Sequence[tuple[str, int]]
    code: str


def named(actor: Actor, permission: str, text: str, key: str = "target") -> Organisation:
    """The organisation meant by a number or a credit code, present or former.

    Raises:
        Invalid: none in the actor's area; at the field `key`.
    """
    text = text.strip().upper()
    query = select(Organisation).where(
        (Organisation.no == text) | with_code(text),
        Organisation.state == "active",
        policy.where(actor, permission, Organisation),
    )
    row = db.session.scalar(query)
    if row is None:
        raise Invalid({key: ["本地区没有这个编号或信用代码的单位。"]})
    return row


def preview(actor: Actor, source_no: str, target: str) -> Merger:
    """What merging would move.

    Raises:
        NotFound: the source is not in the actor's area.
        Invalid: the target is not, is the source itself, or of a kind that cannot take it.
    """
    source = find(actor, MERGE, source_no)
    kept = named(actor, MERGE, target)
    _require_two(source, kept)
    moves = [room.would_move(source.id) for room in _market().rooms if room.would_move is not None]
    own = {grant.person_id for grant in grants.held(source.id)}
    moves += [
        ("成员", len(own)),
        ("未用的邀请", _count(Invitation, source, Invitation.used_at.is_(None))),
        ("核验", _count(Verification, source)),
        ("名单记录", _on_rosters(source)),
        ("办件", _count(WorkItem, source)),
    ]
    return Merger(view(source), view(kept), moves, _code_after(source, kept))


def _require_two(source: Organisation, target: Organisation) -> None:
    if source.id == target.id:
        raise Invalid({"target": ["不能并入自己：请填另一家单位。"]})
    if (source.kind == "office") != (target.kind == "office"):
        raise Invalid({"target": ["科技管理部门只能并入科技管理部门。"]})
    # Officers look after the region of their office: their roles must not come to mean another.
    if source.kind == "office" and source.region_id != target.region_id:
        raise Invalid({"target": ["科技管理部门只能并入同一地区的科技管理部门。"]})


def _market() -> Market:
    market: Market = current_app.extensions["market"]
    return market


def _count(model: Any, source: Organisation, *more: Any) -> int:
    query = select(func.count()).select_from(model)
    return db.session.scalar(query.where(model.organisation_id == source.id, *more)) or 0


def _on_rosters(source: Organisation) -> int:
    query = select(func.count()).select_from(RosterEntry)
    mine = RosterEntry.owned_by(source.id)
    return db.session.scalar(query.where(RosterEntry.state == "active", mine)) or 0


def _code_after(source: Organisation, target: Organisation) -> str:
    if not source.uscc:
        return ""
    if target.uscc:
        return f"{source.uscc} 记为 {target.name} 的曾用代码，按它仍能找到。"
    return f"{target.name} 没有信用代码，改用 {source.uscc}。"


def merge(actor: Actor, source_no: str, target: str) -> str:
    """Make one organisation part of another; returns the number of the one that stays.

    Listings, staff, cases and papers move; the number of the one that ends stays and leads to the
    other. Roster entries follow the credit code, which becomes the other's or a former one of it.

    Raises:
        NotFound, Invalid: as for `preview`.
        Conflict: both have papers that are being looked at.
    """
    source_id = find(actor, MERGE, source_no).id
    target_id = named(actor, MERGE, target).id
    with unit_of_work(actor) as work:
        for key in sorted({source_id, target_id}):
            grants.lock(key)
        source = db.session.get_one(Organisation, source_id)
        kept = db.session.get_one(Organisation, target_id)
        work.require(MERGE, source)
        work.require(MERGE, kept)
        _require_two(source, kept)
        before = {"no": source.no, "name": source.name, "uscc": source.uscc}
        _move_staff(work, source, kept)
        _move_joinings(work, source, kept)
        verifications.move(source_id, target_id)
        for model in (Invitation, ApiToken, WorkItem):
            _set(model, model.organisation_id == source_id, organisation_id=target_id)
        _end(source, kept)
        for room in _market().rooms:
            if room.on_merge is not None:
                room.on_merge(source_id, target_id)
        db.session.expire_all()
        show_open_cases(target_id)
        after = {"into": kept.no}
        work.record(
            "organisation.merged",
            "organisation",
            source_id,
            no=source.no,
            before=before,
            after=after,
        )
        work.record("organisation.took_over", "organisation", target_id, no=kept.no, after=before)
        work.announce("organisation", source_id)
        work.announce("organisation", target_id)
        return kept.no


def _set(model: Any, which: Any, **values: Any) -> None:
    change = update(model).where(which).values(**values)
    db.session.execute(change.execution_options(synchronize_session=False))


def _move_staff(work: UnitOfWork, source: Organisation, target: Organisation) -> None:
    there = {(grant.person_id, grant.role) for grant in grants.held(target.id)}
    for grant in grants.held(source.id):
        grants.end(work, grant)
        if (grant.person_id, grant.role) not in there:
            grants.give(work, grant.person_id, grant.role, target)


def _move_joinings(work: UnitOfWork, source: Organisation, target: Organisation) -> None:
    """A request that was made to both is one request."""
    asked = select(Joining).where(Joining.state == "requested")
    there = {
        row.person_id
        for row in db.session.scalars(asked.where(Joining.organisation_id == target.id))
    }
    there |= {grant.person_id for grant in grants.held(target.id)}
    for case in db.session.scalars(asked.where(Joining.organisation_id == source.id)).all():
        if case.person_id in there:
            fire(work, JOINING, case, "drop")
    _set(Joining, Joining.organisation_id == source.id, organisation_id=target.id)


def _end(source: Organisation, target: Organisation) -> None:
    """Close the source; what the target lacks it takes from it."""
    now = clock.now()
    code, same = source.uscc, target.uscc is None or source.uscc is None
    took = {key: getattr(source, key) for key in _FILLED if not getattr(target, key)}
    took = {key: value for key, value in took.items() if value}
    if code and target.uscc is None:
        took["uscc"] = code
    if same and target.verified_at is None and source.verified_at is not None:
        took["verified_at"] = source.verified_at
    version = Organisation.lock_version + 1
    gone = {"state": "merged", "merged_into_id": target.id, "uscc": None, "updated_at": now}
    _set(Organisation, Organisation.id == source.id, lock_version=version, **gone)
    _set(Organisation, Organisation.id == target.id, lock_version=version, updated_at=now, **took)
    _set(Organisation, Organisation.merged_into_id == source.id, merged_into_id=target.id)
    _set(Organisation, Organisation.supervisor_id == source.id, supervisor_id=target.id)
    _set(
        Organisation,
        (Organisation.id == target.id) & (Organisation.supervisor_id == target.id),
        supervisor_id=None,
    )
    for model in (FormerUscc, FormerName):
        _set(model, model.organisation_id == source.id, organisation_id=target.id)
    if code and "uscc" not in took:
        _keep_code(code, target.id, "合并")


def _keep_code(code: str, organisation_id: int, by: str) -> None:
    former = FormerUscc(
        code=code, organisation_id=organisation_id, ended_at=clock.now(), recorded_by=by
    )
    db.session.add(former)
    db.session.flush()


def show_open_cases(organisation_id: int) -> None:
    """Titles and places on desks follow the organisation."""
    waiting = select(Verification).where(
        Verification.organisation_id == organisation_id, Verification.state.in_(OPEN)
    )
    for case in db.session.scalars(waiting).all():
        show_on_desks(VERIFICATION, case)
    asked = select(Joining).where(
        Joining.organisation_id == organisation_id, Joining.state == "requested"
    )
    for request in db.session.scalars(asked).all():
        show_on_desks(JOINING, request)


def recode(actor: Actor, no: str, text: str, reason: str) -> None:
    """Give an organisation a new credit code; by the old one it is still found.

    Raises:
        NotFound: it is not in the actor's area.
        Invalid: the code is malformed, no reason, or nothing would change.
        Conflict: another organisation has the code, or had it.
    """
    organisation_id = find(actor, RECODE, no).id
    try:
        code = read_uscc(text)
    except ValidationError as error:
        raise Invalid({"uscc": [str(one) for one in error.messages]}) from error
    if not reason.strip():
        raise Invalid({"reason": ["请写明依据，如：换发了新执照。"]})
    with unit_of_work(actor) as work:
        row = grants.lock(organisation_id)
        work.require(RECODE, row)
        if row.uscc == code:
            raise Invalid({"uscc": ["与现在的代码相同。"]})
        other = select(Organisation).where(with_code(code), Organisation.id != row.id)
        if (taken := db.session.scalar(other.limit(1))) is not None:
            raise Conflict(f"这个代码属于{taken.name}（{taken.no}）；同一家单位请用「合并」。")
        before = row.uscc
        if (former := db.session.get(FormerUscc, code)) is not None:
            db.session.delete(former)  # it goes back to a code of its own
        row.uscc, row.updated_at = code, clock.now()
        row.lock_version += 1
        db.session.flush()
        if before:
            _keep_code(before, row.id, actor.label)
        after = {"uscc": code, "reason": reason.strip()[:500]}
        work.record(
            "organisation.recoded",
            "organisation",
            row.id,
            no=no,
            before={"uscc": before},
            after=after,
        )
        work.announce("organisation", row.id)


def supervise(actor: Actor, no: str, text: str) -> None:
    """Set the supervising body (隶属关系) of an organisation; an empty text removes it.

    Raises:
        NotFound: the organisation is not in the actor's area.
        Invalid: there is no such body, or it would supervise itself, directly or by others.
    """
    organisation_id = find(actor, SUPERVISE, no).id
    body_id = _body(text) if text.strip() else None
    with unit_of_work(actor) as work:
        row = grants.lock(organisation_id)
        work.require(SUPERVISE, row)
        _require_no_circle(row.id, body_id)
        before, row.supervisor_id = row.supervisor_id, body_id
        row.updated_at = clock.now()
        row.lock_version += 1
        db.session.flush()
        work.record(
            "organisation.supervised",
            "organisation",
            row.id,
            no=no,
            before={"supervisor_id": before},
            after={"supervisor_id": body_id},
        )


def _body(text: str) -> int:
    """A supervising body may lie anywhere: a province's academy has stations in counties."""
    wanted = text.strip().upper()
    query = select(Organisation.id).where(
        (Organisation.no == wanted) | with_code(wanted), Organisation.state == "active"
    )
    found = db.session.scalar(query)
    if found is None:
        raise Invalid({"supervisor": ["没有这个编号或信用代码的单位。"]})
    return found


def _require_no_circle(organisation_id: int, body_id: int | None) -> None:
    seen: set[int] = set()
    while body_id is not None and body_id not in seen:
        if body_id == organisation_id:
            raise Invalid({"supervisor": ["单位不能隶属于自己或自己的下属单位。"]})
        seen.add(body_id)
        body_id = db.session.scalar(
            select(Organisation.supervisor_id).where(Organisation.id == body_id)
        )
