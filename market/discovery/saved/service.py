"""Changes to saved searches by their owners: keep, change, pause, delete, stop by the mail's link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select

from market.accounts.people.models import Person
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.permissions import PUBLIC, SYSTEM, Actor, Always, Mine, policy
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.discovery.saved import queries, rules
from market.discovery.saved.models import SavedHit, SavedSearch

WRITE = policy.declare("discovery:saved:write", person=Mine())
# Whoever holds the address of a digest's mail may stop that digest, and nothing else.
STOP = policy.declare("discovery:saved:stop", public=Always())
FORGET = policy.declare("discovery:saved:forget")
CHANGED = "这项订阅刚在别处改过：您填的还在下面，核对后再保存一次。"
ROWS = 200


def save(actor: Actor, values: Mapping[str, Any]) -> int:
    """Keep a search; returns its id.

    Args:
        values: of `SaveSchema`; `query` is what stands behind `/search?`.

    Raises:
        Invalid: it is too long. Conflict: there are fifty already, or this very search.
    """
    form = rules.form_of(values.get("query") or "")
    query, words = rules.kept_query(form), queries.said(form)
    if len(query) > rules.LONGEST_QUERY:
        raise Invalid({"query": ["搜索条件太多，存不下：请去掉一些。"]})
    moment = rules.whole_second(clock.now())
    with unit_of_work(actor) as work:
        work.require(WRITE)
        # Two pages at once count one after the other.
        db.session.get_one(Person, actor.id, with_for_update=True)
        own = select(SavedSearch).where(SavedSearch.person_id == actor.id)
        same = db.session.scalar(own.where(SavedSearch.query == query).limit(1))
        if same is not None:
            raise Conflict(f"这个搜索您已经订阅过，名称是「{same.name}」，可在「订阅搜索」里修改。")
        if (_count(actor) or 0) >= rules.MOST_SEARCHES:
            raise Conflict(
                f"每人最多订阅 {rules.MOST_SEARCHES} 个搜索：请先到「订阅搜索」里删去用不着的。"
            )
        row = SavedSearch(
            person_id=actor.id,
            name=values["name"],
            query=query,
            said=words,
            rhythm=values["rhythm"],
            language=values["language"],
            told_until=moment,
            next_at=rules.due_after(values["rhythm"], moment),
            created_at=moment,
        )
        db.session.add(row)
        db.session.flush()
        _record(work, "saved.keep", row)
        return row.id


def _count(actor: Actor) -> int | None:
    return db.session.scalar(select(func.count()).where(SavedSearch.person_id == actor.id))


def _record(work: UnitOfWork, action: str, row: SavedSearch) -> None:
    # What somebody looks for is his own affair: the audit holds that, not what.
    work.record(action, "saved_search", row.id, after={"rhythm": row.rhythm})


def change(actor: Actor, key: int, values: Mapping[str, Any]) -> None:
    """Change name, rhythm and language.

    Raises:
        NotFound: it is not one's own. Conflict: it was changed since `seen`.
    """
    with unit_of_work(actor) as work:
        row = queries.get(actor, key, WRITE)
        work.require(WRITE, row)
        if values.get("seen", row.lock_version) != row.lock_version:
            raise Conflict(CHANGED)
        row.name, row.language = values["name"], values["language"]
        if row.rhythm != values["rhythm"]:
            row.rhythm = values["rhythm"]
            if row.next_at is not None:
                row.next_at = rules.due_after(row.rhythm, clock.now())
        row.lock_version += 1
        _record(work, "saved.change", row)


def pause(actor: Actor, key: int) -> None:
    """Tell nothing until it is resumed. Raises NotFound."""
    with unit_of_work(actor) as work:
        row = queries.get(actor, key, WRITE)
        work.require(WRITE, row)
        _pause(work, row)


def _pause(work: UnitOfWork, row: SavedSearch) -> None:
    if row.paused_at is None:
        row.paused_at, row.next_at = clock.now(), None
        row.lock_version += 1
        _record(work, "saved.pause", row)


def resume(actor: Actor, key: int) -> None:
    """Tell again, of what becomes visible from now on. Raises NotFound."""
    with unit_of_work(actor) as work:
        row = queries.get(actor, key, WRITE)
        work.require(WRITE, row)
        if row.paused_at is not None:
            row.paused_at, row.told_until = None, rules.whole_second(clock.now())
            row.next_at = rules.due_after(row.rhythm, row.told_until)
            row.lock_version += 1
            _record(work, "saved.resume", row)


def remove(actor: Actor, key: int) -> None:
    """Delete it, with the list of what it told. Raises NotFound."""
    with unit_of_work(actor) as work:
        row = queries.get(actor, key, WRITE)
        work.require(WRITE, row)
        _record(work, "saved.delete", row)
        _remove([row.id])


def _remove(keys: list[int]) -> None:
    db.session.execute(delete(SavedHit).where(SavedHit.search_id.in_(keys)))
    db.session.execute(delete(SavedSearch).where(SavedSearch.id.in_(keys)))


def stop(word: str) -> None:
    """Pause the search that the address of its mail names; the address is the proof (RFC 8058).

    Raises:
        NotFound: nobody made this word, or the search is gone.
    """
    key, _name, _active = queries.by_stop_word(word)
    with unit_of_work(PUBLIC) as work:
        work.require(STOP)
        row = db.session.get(SavedSearch, key)
        if row is not None:
            _pause(work, row)


def forget_closed() -> bool:
    """Delete the searches of closed accounts; True when more wait."""
    closed = select(Person.id).where(Person.state == "closed")
    query = select(SavedSearch.id).where(SavedSearch.person_id.in_(closed)).limit(ROWS)
    keys = list(db.session.scalars(query))
    if keys:
        with unit_of_work(SYSTEM) as work:
            work.require(FORGET)
            _remove(keys)
    return len(keys) == ROWS
