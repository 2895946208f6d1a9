"""公告: drafting, publishing and withdrawing announcements of an office."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from market.accounts.models import Organisation
from market.accounts.roles import OFFICES
from market.core import clock, files, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Denied, NotFound
from market.core.permissions import Actor, policy
from market.core.unit_of_work import unit_of_work
from market.notices import queries
from market.notices.models import Announcement
from market.notices.queries import ANNOUNCEMENT_FILES
from market.notices.workflow import ANNOUNCEMENT, READ_ANNOUNCEMENT, WRITE_ANNOUNCEMENT
from market.regions.models import Region

SERIES = "GG"


def draft(actor: Actor, values: Mapping[str, Any]) -> str:
    """Begin an announcement of the office at which the actor works; returns its number.

    Raises:
        Denied: his grant names no office.
    """
    with unit_of_work(actor) as work:
        place = next(
            (
                one
                for one in actor.grants
                if one.role in OFFICES and one.organisation_id and one.region_path
            ),
            None,
        )
        if place is None:
            raise Denied("您的授权没有写明所在部门，不能以部门名义发公告；请联系安全管理员。")
        owner = db.session.get_one(Organisation, place.organisation_id)
        region = db.session.scalars(select(Region.id).where(Region.path == place.region_path))
        now, series = clock.now(), f"{SERIES}{clock.today().year}"
        row = Announcement(
            no=f"{series}{numbers.take(series)[0]:06d}",
            owner_id=owner.id,
            region_id=region.one(),
            title=values["title"],
            text=values["text"],
            demo=owner.demo,
            created_at=now,
            updated_at=now,
        )
        db.session.add(row)
        db.session.flush()
        work.require(WRITE_ANNOUNCEMENT, row)
        flow.begin(work, ANNOUNCEMENT, row)
        return row.no


def _locked(actor: Actor, no: str, version: int | None) -> Announcement:
    found = db.session.scalar(
        select(Announcement)
        .where(Announcement.no == no, policy.where(actor, READ_ANNOUNCEMENT, Announcement))
        .with_for_update(of=Announcement)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(f"没有编号为 {no} 的公告。")
    if version is not None and version != found.lock_version:
        raise Conflict("这个公告刚被他人改过，请先看新内容；您填的还在，确认后请再点一次。")
    return found


def save(actor: Actor, no: str, values: Mapping[str, Any], version: int | None = None) -> None:
    """Change a draft. Raises NotFound, Denied; Conflict: it is out, or was changed meanwhile."""
    with unit_of_work(actor) as work:
        row = _locked(actor, no, version)
        work.require(WRITE_ANNOUNCEMENT, row)
        if row.state != "draft":
            raise Conflict("公告发布后不能再改；确有错误，请撤回并写明原因，另发一个。")
        row.title, row.text = values["title"], values["text"]
        row.updated_at, row.lock_version = clock.now(), row.lock_version + 1
        work.record("announcement.saved", ANNOUNCEMENT.name, row.id, no=no)
        flow.show_on_desks(ANNOUNCEMENT, row)


def add_file(actor: Actor, no: str, name: str, data: bytes) -> None:
    """Attach a file to a draft. Raises NotFound, Denied, Conflict, Invalid."""
    queries.announcement(actor, no, READ_ANNOUNCEMENT)
    attach(actor, no, files.take_in(name, data))


def attach(actor: Actor, no: str, upload: files.Upload) -> None:
    """Attach a file that was looked at. Raises as `add_file`."""
    with unit_of_work(actor) as work:
        row = _locked(actor, no, None)
        work.require(WRITE_ANNOUNCEMENT, row)
        if row.state != "draft":
            raise Conflict("公告发布后不能再改附件。")
        files.attach(work, upload, ANNOUNCEMENT_FILES, row.id)
        row.updated_at, row.lock_version = clock.now(), row.lock_version + 1


def act(
    actor: Actor, no: str, action: str, reason: str | None = None, version: int | None = None
) -> None:
    """Publish or withdraw. Raises Conflict: its state does not allow it. Invalid: no reason."""
    with unit_of_work(actor) as work:
        row = _locked(actor, no, version)
        values: dict[str, Any] = {
            "updated_at": clock.now(),
            "lock_version": Announcement.lock_version + 1,
        }
        if action == "publish":
            values["published_at"] = clock.now()
        else:
            values["withdrawn_reason"] = (reason or "").strip()
        flow.fire(work, ANNOUNCEMENT, row, action, reason=reason, values=values)
