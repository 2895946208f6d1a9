"""What the worker does with the clocks of notices: moves provisional ends, ends what is over."""

from __future__ import annotations

from sqlalchemy import select, update

from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.notices import rules
from market.notices.models import Notice
from market.notices.queries import overrides_for
from market.notices.service import end_if_over, moved
from market.notices.workflow import KEEP_TIME, NOTICE

_AT_ONCE = 50


def end_those_over() -> bool:
    """End notices whose last day is over; True when more wait. Safe to repeat."""
    over = (Notice.state == "running", Notice.ends_at <= clock.now())
    query = select(Notice.no).where(*over).order_by(Notice.ends_at).limit(_AT_ONCE)
    found = list(db.session.scalars(query))
    for no in found:
        end_if_over(no)
    return len(found) == _AT_ONCE


def settle_provisional() -> bool:
    """Count provisional notices anew with the holidays known today; never shorter than was shown."""
    waiting = (Notice.state == "running", Notice.provisional, Notice.ends_at > clock.now())
    ids = list(db.session.scalars(select(Notice.id).where(*waiting)))
    for key in ids:
        _settle(key)
    return False


def _counted(notice: Notice) -> tuple[rules.Period, bool]:
    """The period as it is to be, and whether that differs from what is shown."""
    assert notice.start_on
    assert notice.end_on
    assert notice.days
    assert notice.unit
    assert notice.rule
    entered = overrides_for(notice.start_on, notice.days)
    rule = rules.RULE_SETS[notice.rule]
    found = rules.period(notice.start_on, notice.days, notice.unit, rule, entered)
    last = max(found.last, notice.end_on)
    changed = last != notice.end_on or found.provisional != notice.provisional
    return rules.Period(found.first, last, found.provisional), changed


def _settle(key: int) -> None:
    if not _counted(db.session.get_one(Notice, key))[1]:
        return
    with unit_of_work(SYSTEM) as work:
        work.require(KEEP_TIME)
        query = (
            select(Notice)
            .where(Notice.id == key, Notice.state == "running")
            .with_for_update(of=Notice)
        )
        notice = db.session.scalar(query.execution_options(populate_existing=True))
        if notice is None:
            return
        period, changed = _counted(notice)
        if not changed:
            return
        before = notice.end_on
        values = moved(
            end_on=period.last, ends_at=rules.end_of(period.last), provisional=period.provisional
        )
        db.session.execute(update(Notice).where(Notice.id == key).values(**values))
        db.session.refresh(notice)
        note = f"最后一日：{period.last.isoformat()}"
        flow.add_event(work, NOTICE.name, key, "settle", note=note)
        work.record(
            "notice.settled",
            NOTICE.name,
            key,
            no=notice.no,
            before={"end_on": before.isoformat() if before else None},
            after={"end_on": period.last.isoformat()},
        )
        flow.show_on_desks(NOTICE, notice)
