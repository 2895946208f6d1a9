"""Objections: taken while a notice runs, answered by its owner, forgotten in time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from market.core import clock, limits, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.languages import is_english
from market.core.languages import translate as _
from market.core.masking import mask_name, mask_telephone
from market.core.permissions import SYSTEM, Actor, policy
from market.core.secrets import pseudonym, seal, unseal
from market.core.unit_of_work import unit_of_work
from market.notices import queries, rules
from market.notices.messages import CONTACT as SEALED
from market.notices.messages import RECEIVED, tell_objector, tell_owner
from market.notices.models import Notice, Objection
from market.notices.service import moved
from market.notices.workflow import (
    CONTACT,
    FORGET,
    OBJECT,
    OBJECTION,
    READ_OBJECTION,
    VIEW,
)

SERIES = "YY"
_AT_ONCE = 500


@dataclass(frozen=True)
class Contact:
    """Who objected, in full; empty where it was forgotten in time or never given."""

    name: str
    telephone: str


def send(actor: Actor, no: str, values: Mapping[str, Any], *, address: str = "") -> str:
    """Take an objection; returns its number.

    Whether it came in time is decided by one clock, inside the transaction that writes it: up to
    24:00 of the last day it counts, whatever the worker has noted.

    Args:
        values: of `ObjectionSchema`.
        address: the network address it came from; empty for a program with a token.

    Raises:
        NotFound: no such public notice. Conflict: it is over. TooMany: for now.
        Invalid: the notice asks for a name, or consent is missing.
    """
    who = _who(actor, no, values)
    with unit_of_work(actor) as work:
        notice = _held(actor, no)
        now = clock.now()
        _refuse_late(notice, now)
        _limit(actor, values, address)
        year = clock.local(now).year
        row = Objection(
            no=f"{SERIES}{year}{numbers.take(f'{SERIES}{year}')[0]:06d}",
            notice_id=notice.id,
            owner_id=notice.owner_id,
            region_id=notice.region_id,
            person_id=actor.id if actor.kind == "person" and not who["anonymous"] else None,
            language="en" if is_english() else "zh",
            text=values["text"],
            demo=notice.demo,
            received_at=now,
            **who,
        )
        db.session.add(row)
        db.session.flush()
        work.require(OBJECT, row)
        flow.begin(work, OBJECTION, row)
        db.session.execute(update(Notice).where(Notice.id == notice.id).values(**moved()))
        tell_owner(RECEIVED, notice, row)
        return row.no


def _held(actor: Actor, no: str) -> Notice:
    """The public notice, held until the commit: it can neither end nor be withdrawn meanwhile."""
    found = db.session.scalar(
        select(Notice)
        .where(Notice.no == no, policy.where(actor, VIEW, Notice))
        .with_for_update(of=Notice)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(_("没有编号为 %(no)s 的公示。", no=no))
    return found


def _refuse_late(notice: Notice, now: datetime) -> None:
    if notice.state == "withdrawn":
        raise Conflict(_("这个公示已撤回，不能再提异议。"))
    if notice.state != "running" or queries.is_over(notice, now):
        day = notice.end_on.isoformat() if notice.end_on else ""
        raise Conflict(
            _(
                "公示已于 %(day)s 24:00 结束，不能再从网上提异议；可按公示上的联系方式向单位反映。",
                day=day,
            )
        )


def _who(actor: Actor, no: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """How the objector is kept. Seals, so it comes before the unit of work."""
    notice = queries.public(actor, no).notice
    anonymous = bool(values.get("anonymous"))
    if anonymous and not notice.anonymous_ok:
        raise Invalid({"anonymous": [_("这个公示要求实名提出异议。")]})
    if anonymous:
        return {"anonymous": True, "label": "匿名"}
    name, telephone = values.get("name"), values.get("telephone")
    wrong: dict[str, list[str]] = {}
    if not name:
        wrong["name"] = [_("请写您的姓名；单位提异议的，写单位名称和经办人。")]
    if not telephone:
        wrong["telephone"] = [_("请留一个电话，以便核实和答复。")]
    if values.get("consent") is not True:
        wrong["consent"] = [_("要勾选同意，我们才能把您的姓名和电话交给公示单位核实。")]
    if wrong:
        raise Invalid(wrong)
    kept = json.dumps({"name": name, "telephone": telephone}, ensure_ascii=False)
    return {
        "anonymous": False,
        "label": mask_name(str(name)),
        "contact": seal(kept, SEALED),
        "contact_shown": mask_telephone(str(telephone)),
    }


def _limit(actor: Actor, values: Mapping[str, Any], address: str) -> None:
    if address:
        sentence = _("您这里一小时内已提出很多异议，请过一会儿再提；急事请直接打电话。")
        limits.take(rules.BY_NETWORK, rules.network_of(address), sentence)
    sender = values.get("telephone") or (f"{actor.kind}:{actor.id}" if actor.id else "")
    if sender:
        sentence = _("今天提出的异议已经很多，请明天再提；急事请直接打电话。")
        limits.take(rules.BY_SENDER, pseudonym(str(sender), "person.mobile"), sentence)


def _locked(actor: Actor, no: str) -> Objection:
    found = db.session.scalar(
        select(Objection)
        .where(Objection.no == no, policy.where(actor, READ_OBJECTION, Objection))
        .with_for_update(of=Objection)
        .options(joinedload(Objection.notice))
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(f"没有编号为 {no} 的异议。")
    return found


def find(actor: Actor, no: str) -> Objection:
    """An objection that the actor may read. Raises NotFound."""
    found = db.session.scalar(
        select(Objection)
        .where(Objection.no == no, policy.where(actor, READ_OBJECTION, Objection))
        .options(joinedload(Objection.notice))
    )
    if found is None:
        raise NotFound(f"没有编号为 {no} 的异议。")
    return found


def answer(actor: Actor, no: str, values: Mapping[str, Any], version: int | None = None) -> None:
    """Answer an objection: upheld or not, with the reasons; `published` is shown to everybody.

    Raises:
        NotFound: none that the actor may read. Denied: he may not answer.
        Conflict: somebody answered meanwhile.
    """
    with unit_of_work(actor) as work:
        row = _locked(actor, no)
        if version is not None and version != row.lock_version:
            raise Conflict("这件异议刚有新的变动，请先看新内容；您填的还在，确认后请再点一次。")
        told = {
            "finding": values["finding"],
            "answer": values["answer"],
            "published": values.get("published"),
            "answered_at": clock.now(),
            "lock_version": Objection.lock_version + 1,
        }
        after = {"finding": values["finding"]}
        flow.fire(work, OBJECTION, row, "answer", values=told, after=after)
        db.session.execute(update(Notice).where(Notice.id == row.notice_id).values(**moved()))
        tell_objector(row, _unsealed(row).telephone)


def _unsealed(row: Objection) -> Contact:
    text = unseal(row.contact, SEALED) if row.contact else None
    kept: dict[str, str] = json.loads(text) if text else {}
    return Contact(kept.get("name", ""), kept.get("telephone", ""))


def read_contact(actor: Actor, no: str, reason: str | None) -> Contact:
    """Name and telephone of who objected; each reading gives a reason and is audited.

    Raises:
        NotFound: no such objection. Invalid: no reason.
    """
    with unit_of_work(actor) as work:
        row = _locked(actor, no)
        work.require(CONTACT, row)
        if not reason:
            raise Invalid({"reason": ["请写明为什么要看，会记入操作记录。"]})
        work.record(
            "objection.contact_read", OBJECTION.name, row.id, no=no, after={"reason": reason}
        )
        return _unsealed(row)


def forget() -> bool:
    """Erase who objected, half a year after the answer; True when more wait."""
    before = clock.now() - rules.CONTACT_KEPT
    old = (Objection.contact.is_not(None), Objection.answered_at < before)
    ids = list(db.session.scalars(select(Objection.id).where(*old).limit(_AT_ONCE)))
    if not ids:
        return False
    with unit_of_work(SYSTEM) as work:
        work.require(FORGET)
        nothing = {"contact": None, "contact_shown": None}
        db.session.execute(update(Objection).where(Objection.id.in_(ids)).values(**nothing))
        work.record("objection.contacts_forgotten", "objection", 0, after={"contacts": len(ids)})
    return len(ids) == _AT_ONCE
