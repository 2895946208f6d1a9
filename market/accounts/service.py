"""Changing organisations: new ones, founded by their own people or entered by an office."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select, update

from market.accounts.importer import SERIES
from market.accounts.models import Organisation
from market.accounts.queries import find, with_code
from market.accounts.roles import EDITORS, OFFICES
from market.core import clock, numbers
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.languages import translate
from market.core.permissions import Actor, Always, InArea, Own, policy
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


UPDATE = policy.declare("accounts:organisation:update", **dict.fromkeys(EDITORS, Own()))
_PUBLIC = ("name", "telephone", "contact", "address", "hours", "website", "intro")


def update_own(actor: Actor, no: str, version: int, values: Mapping[str, Any]) -> int:
    """Change what an organisation says of itself in public; returns the new version.

    Args:
        version: the `lock_version` that was read before.
        values: of name (as long as nobody verified it), telephone, contact, address, hours,
            website, intro; what is not named stays.

    Raises:
        NotFound: it is not one that the actor may change.
        Conflict: somebody else changed it meanwhile.
        Invalid: the name was verified.
    """
    organisation_id = find(actor, UPDATE, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Organisation, organisation_id)
        work.require(UPDATE, row)
        before = {key: getattr(row, key) for key in _PUBLIC if key in values}
        after = {key: value for key, value in values.items() if before.get(key, value) != value}
        if "name" in after and row.verified_at is not None:
            raise Invalid({"name": [translate("名称已核验；要改请联系所在县的科技管理部门。")]})
        if "name" in after:
            after["folded_name"] = fold(after["name"])[:200]
        moved = db.session.execute(
            update(Organisation)
            .where(Organisation.id == row.id, Organisation.lock_version == version)
            .values(lock_version=version + 1, updated_at=clock.now(), **after)
            .execution_options(synchronize_session=False)
        )
        if not moved.rowcount:  # type: ignore[attr-defined]
            raise Conflict(translate("刚才有同事改过，请对照现在的内容再保存一次。"))
        old = {key: before[key] for key in after if key in before}
        work.record("organisation.updated", "organisation", row.id, no=no, before=old, after=after)
        work.announce("organisation", row.id)
        return version + 1


def same_organisation(uscc: str | None, name: str, region_id: int) -> int | None:
    """The id of the organisation that is meant: by credit code, else by name in the same place."""
    by_name = (Organisation.folded_name == fold(name)[:200]) & (Organisation.region_id == region_id)
    by_code = Organisation.uscc == uscc if uscc else None
    meant = by_name if by_code is None else or_(by_code, by_name & Organisation.uscc.is_(None))
    query = select(Organisation.id).where(Organisation.state == "active", meant)
    return db.session.scalar(query.order_by(Organisation.uscc.is_(None), Organisation.id).limit(1))
