"""Starting a notice, or recording one that ran elsewhere: what must be there, the clock, the freezing."""

from __future__ import annotations

from datetime import date
from typing import Any

from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid
from market.core.permissions import Actor
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.notices import queries, rules
from market.notices.models import Notice
from market.notices.queries import frozen_of, overrides_for
from market.notices.service import Subject, locked, moved, refuse_second
from market.notices.workflow import (
    NOTICE,
    START,
)


def start(
    actor: Actor, no: str, version: int | None = None, *, provisional_ok: bool = False
) -> None:
    """Start a notice here, or enter the record of one that hung elsewhere; freezes what it says.

    Args:
        provisional_ok: he knows that its last day rests on holidays that are not announced.

    Raises:
        Invalid: something is missing, or that is not known. Conflict: it moved, or another notice
            about the same subject runs. Denied: another must sign.
    """
    with unit_of_work(actor) as work:
        notice = locked(actor, no, version)
        if notice.state == "draft":
            work.require(START, notice)
            _check(notice)
            _check_signer(actor, notice)
        if notice.subject_kind is not None and notice.subject_id is not None:
            subject = Subject(notice.subject_kind, notice.subject_id, notice.subject_no or "")
            refuse_second(subject, notice.kind, drafts=False, but=notice.id)
        if notice.held == "here":
            _start_here(work, notice, provisional_ok)
        else:
            _record(work, notice)


def _check_signer(actor: Actor, notice: Notice) -> None:
    owner = notice.owner
    if notice.by_office:
        return
    if owner.verified_at is None:
        raise Conflict("单位通过核验后才能发起公示：请单位管理员在「本单位」中提交核验。")
    if owner.signs_inside and (actor.kind != "person" or actor.id == notice.edited_by_id):
        raise Denied("本单位发布前须内部签发：请由填写人以外的同事开始公示。")


def _check(notice: Notice) -> None:
    """What a notice cannot do without."""
    needed = {
        "days": "请填写公示多少天。",
        "unit": "请选择按自然日还是工作日计算：不同办法规定不同，系统不代为选择。",
        "rule": "请选择从哪一天起算。",
        "contact_name": "请写受理异议的联系人。",
        "contact_telephone": "请写受理异议的电话。",
        "contact_address": "请写受理异议的地址。",
    }
    if notice.held == "elsewhere":
        needed |= {
            "place": "请写在哪里公示的（网址或公示栏）。",
            "start_on": "请写从哪一天开始公示。",
            "end_on": "请写公示到哪一天。",
        }
    wrong = {name: [words] for name, words in needed.items() if not getattr(notice, name)}
    for number, (label, text) in enumerate(notice.content, 1):
        if not label:
            wrong[f"label_{number}"] = ["请写这一项的名称。"]
        if not text:
            wrong[f"text_{number}"] = [f"请填写「{label}」；不需要这一项时，把名称和内容都清空。"]
    if not notice.content:
        wrong["text_1"] = ["请填写公示内容。"]
    if notice.held == "elsewhere" and not queries.files_of(notice):
        wrong["file"] = ["请上传公示记录（盖章的公示、网页截图或照片）。"]
    if wrong:
        raise Invalid(wrong)


def _period(notice: Notice, start: date) -> rules.Period:
    assert notice.days
    assert notice.unit
    assert notice.rule
    entered = overrides_for(start, notice.days)
    return rules.period(start, notice.days, notice.unit, rules.RULE_SETS[notice.rule], entered)


def _start_here(work: UnitOfWork, notice: Notice, provisional_ok: bool) -> None:
    today = clock.today()
    if notice.state == "draft":
        notice.start_on = today
        site = ["site", f"/notices/{notice.no}"]
        notice.channels = [site, *(one for one in notice.channels if one[0] != "site")]
        notice.place = None
    period = _period(notice, today)
    if period.provisional and not provisional_ok:
        words = (
            f"{period.last.year} 年的放假安排还没有公布，最后一日只能先按周末推算为 "
            f"{period.last.isoformat()}，公布后可能顺延（不会提前）。知道这一点仍要开始，请勾选后再点一次。"
        )
        raise Invalid({"provisional_ok": [words]})
    fixed = _frozen(notice, today, period)
    flow.fire(work, NOTICE, notice, "start", values=fixed, after={"hash": fixed["hash"]})


def _record(work: UnitOfWork, notice: Notice) -> None:
    start, end = notice.start_on, notice.end_on
    assert start is not None
    assert end is not None
    period = _period(notice, start)
    if end < period.last:
        words = f"从 {start.isoformat()} 起算，应公示到 {period.last.isoformat()}，记录只到 {end.isoformat()}。"
        raise Invalid({"end_on": [words]})
    if end >= clock.today():
        raise Invalid({"end_on": ["公示还没有到期，到期后再登记。"]})
    guessed = "没有当年的放假数据，期限按周末推算" if period.provisional else None
    period = rules.Period(period.first, end, False)
    fixed = _frozen(notice, start, period)
    after = {"hash": fixed["hash"]}
    flow.fire(work, NOTICE, notice, "record", values=fixed, note=guessed, after=after)


def _frozen(notice: Notice, start: date, period: rules.Period) -> dict[str, Any]:
    """The columns of a notice that starts: its clock, and the fingerprint of what it says."""
    db.session.flush()
    return moved(
        start_on=start,
        first_on=period.first,
        end_on=period.last,
        ends_at=rules.end_of(period.last),
        provisional=period.provisional,
        hash=rules.fingerprint(frozen_of(notice)),
        started_at=clock.now(),
    )
