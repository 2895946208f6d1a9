"""Answers that an organisation gives often, edited by those who answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, NotFound
from market.core.permissions import Actor, policy
from market.core.unit_of_work import unit_of_work
from market.matching.models import MOST_TEMPLATES, ReplyTemplate
from market.matching.workflow import TEMPLATES


def of(actor: Actor, organisation_ids: Sequence[int]) -> list[ReplyTemplate]:
    """The templates of these organisations that the actor may use, by title."""
    query = select(ReplyTemplate).where(
        ReplyTemplate.organisation_id.in_(organisation_ids),
        policy.where(actor, TEMPLATES, ReplyTemplate),
    )
    rows = db.session.scalars(query.order_by(ReplyTemplate.title, ReplyTemplate.id).limit(100))
    return list(rows)


def save(actor: Actor, organisation_id: int, values: Mapping[str, Any]) -> int:
    """Add a template, or change the one that `id` names; returns its id.

    Raises:
        Conflict: there are as many as one may keep. NotFound: no such template.
    """
    key = values.get("id")
    with unit_of_work(actor) as work:
        if key is not None:
            row = find(actor, key)
        else:
            held = select(func.count()).select_from(ReplyTemplate)
            own = ReplyTemplate.organisation_id == organisation_id
            if (db.session.scalar(held.where(own)) or 0) >= MOST_TEMPLATES:
                raise Conflict(f"最多存 {MOST_TEMPLATES} 个模板，请先删去不用的。")
            row = ReplyTemplate(organisation_id=organisation_id)
        row.title, row.text = values["title"], values["text"]
        row.updated_at, row.updated_by = clock.now(), actor.label
        work.require(TEMPLATES, row)
        db.session.add(row)
        db.session.flush()
        after = {"title": row.title}
        work.record("reply_template.saved", "reply_template", row.id, after=after)
        return row.id


def delete(actor: Actor, key: int) -> None:
    """Delete a template. Raises NotFound."""
    with unit_of_work(actor) as work:
        row = find(actor, key)
        work.require(TEMPLATES, row)
        work.record("reply_template.deleted", "reply_template", row.id, before={"title": row.title})
        db.session.delete(row)


def find(actor: Actor, key: int) -> ReplyTemplate:
    """A template that the actor may use. Raises NotFound."""
    query = select(ReplyTemplate).where(
        ReplyTemplate.id == key, policy.where(actor, TEMPLATES, ReplyTemplate)
    )
    row = db.session.scalar(query)
    if row is None:
        raise NotFound("没有这个模板，可能已被同事删去。")
    return row
