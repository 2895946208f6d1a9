"""Changing organisations: new ones, founded by their own people or entered by an office."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select

from market.accounts.importer import SERIES
from market.accounts.models import Organisation
from market.accounts.queries import with_code
from market.accounts.roles import OFFICES
from market.core import clock, numbers
from market.core.db import db
from market.core.errors import Conflict
from market.core.languages import translate
from market.core.permissions import Actor, Always, InArea, policy
from market.core.text import fold
from market.core.unit_of_work import unit_of_work

FOUND = policy.declare("accounts:organisation:found", person=Always())
ENTER = policy.declare("accounts:organisation:enter", **dict.fromkeys(OFFICES, InArea()))


def found(actor: Actor, values: Mapping[str, Any], *, by_office: bool = False) -> int:
    """Enter a new organisation, not verified yet; returns its id.

    Args:
        values: name, kind, region_id, and where known uscc, telephone, contact, address.
        by_office: an officer enters it for somebody; it must lie in his area.

    Raises:
        Conflict: an organisation with this credit code is there already.
        Denied: it lies outside the officer's area.
    """
    now = clock.now()
    with unit_of_work(actor) as work:
        code = values.get("uscc")
        if code and db.session.scalar(select(Organisation.id).where(with_code(code)).limit(1)):
            raise Conflict(translate("这个统一社会信用代码已有单位登记，请从已有单位中选。"))
        row = Organisation(
            no=f"{SERIES}{clock.today().year}{numbers.take(f'{SERIES}{clock.today().year}')[0]:06d}",
            uscc=code,
            name=values["name"],
            folded_name=fold(values["name"])[:200],
            kind=values["kind"],
            region_id=values["region_id"],
            telephone=values.get("telephone"),
            contact=values.get("contact"),
            address=values.get("address"),
            created_at=now,
            updated_at=now,
        )
        db.session.add(row)
        db.session.flush()
        work.require(ENTER if by_office else FOUND, row)
        work.record("organisation.founded", "organisation", row.id, no=row.no, after=dict(values))
        work.announce("organisation", row.id)
        return row.id


def same_organisation(uscc: str | None, name: str, region_id: int) -> int | None:
    """The id of the organisation that is meant: by credit code, else by name in the same place."""
    by_name = (Organisation.folded_name == fold(name)[:200]) & (Organisation.region_id == region_id)
    by_code = Organisation.uscc == uscc if uscc else None
    meant = by_name if by_code is None else or_(by_code, by_name & Organisation.uscc.is_(None))
    query = select(Organisation.id).where(Organisation.state == "active", meant)
    return db.session.scalar(query.order_by(Organisation.uscc.is_(None), Organisation.id).limit(1))
