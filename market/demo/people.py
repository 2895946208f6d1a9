"""Accounts of the demonstration site: one for each role, all with one password."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select

from market.accounts.models import Organisation
from market.accounts.people.models import Person, RoleGrant
from market.accounts.roles import ROLES
from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM, policy
from market.core.secrets import pseudonym, seal
from market.core.unit_of_work import unit_of_work
from market.regions.models import Region

DATA = Path(__file__).parent / "data" / "people.jsonl"
PASSWORD = "yanshi-demo-2026"  # of a site that is reached from this machine alone
LOAD = policy.declare("demo:people:load")
_REGIONS = select(Region.code, Region.full_name).where(Region.level != "township")


@dataclass(frozen=True)
class Account:
    """A demonstration account, as `market demo accounts` tells it."""

    login: str
    password: str
    name: str
    role: str
    role_label: str
    organisation: str
    region: str
    region_name: str


def _entries() -> list[dict[str, Any]]:
    return [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]


@cache
def _password_hash() -> str:
    """One hash for all of them: hashing takes a tenth of a second each."""
    from pwdlib import PasswordHash

    return PasswordHash.recommended().hash(PASSWORD)


def load_people() -> str:
    """Make the accounts that are not there yet; tells how many."""
    codes = db.session.execute(select(Organisation.uscc, Organisation.id))
    organisations = {uscc: key for uscc, key in codes}  # noqa: C416
    regions = {code: key for code, key in db.session.execute(select(Region.code, Region.id))}  # noqa: C416
    secret, made = _password_hash(), 0
    with unit_of_work(SYSTEM, may_be_long=True) as work:
        work.require(LOAD)
        for entry in _entries():
            key = pseudonym(entry["login"], "person.email")
            if db.session.scalar(select(Person.id).where(Person.email_key == key)) is None:
                _add(entry, key, secret, organisations, regions)
                made += 1
    return f"演示账号：新增 {made} 个，共 {len(_entries())} 个"


def ensure(entry: dict[str, Any]) -> None:
    """Make one account without roles, unless it is there."""
    key, secret = pseudonym(entry["login"], "person.email"), _password_hash()
    if db.session.scalar(select(Person.id).where(Person.email_key == key)) is None:
        with unit_of_work(SYSTEM) as work:
            work.require(LOAD)
            _add({"grants": [], **entry}, key, secret, {}, {})


def _add(
    entry: dict[str, Any],
    key: str,
    secret: str,
    organisations: dict[Any, int],
    regions: dict[str, int],
) -> None:
    now = clock.now()
    person = Person(
        name=entry["name"],
        email=seal(entry["login"], "person.email"),
        email_key=key,
        password_hash=secret,
        password_at=now,
        demo=True,
        created_at=now,
    )
    db.session.add(person)
    db.session.flush()
    for grant in entry["grants"]:
        db.session.add(
            RoleGrant(
                person_id=person.id,
                role=grant["role"],
                organisation_id=organisations[grant["uscc"]] if "uscc" in grant else None,
                region_id=regions[grant["region"]] if "region" in grant else None,
                valid_from=clock.today(),
                granted_at=now,
                granted_by="演示数据",
            )
        )


def accounts() -> Iterator[Account]:
    """The demonstration accounts, each with the last role it has."""
    rows = select(Organisation.uscc, Organisation.name, Region.code).join(Organisation.region)
    places = {uscc: (name, code) for uscc, name, code in db.session.execute(rows)}
    regions = {row.code: row.full_name for row in db.session.execute(_REGIONS)}
    for entry in _entries():
        grant = entry["grants"][-1] if entry["grants"] else {}
        role = grant.get("role", "")
        name, code = places.get(grant.get("uscc"), ("", ""))
        region = grant.get("region", code)
        yield Account(
            entry["login"],
            PASSWORD,
            entry["name"],
            role,
            ROLES[role].label if role else "还没有单位",
            name,
            region,
            regions.get(region, ""),
        )


def as_json() -> str:
    """The accounts as JSON."""
    rows = [asdict(account) for account in accounts()]
    return json.dumps(rows, ensure_ascii=False, indent=2)


def as_lines() -> Iterator[str]:
    """The accounts as lines for a terminal."""
    yield f"演示账号（密码都是 {PASSWORD}）："
    for one in accounts():
        where = one.organisation or one.region_name
        yield f"  {one.login:<32} {one.role_label}{f' · {where}' if where else ''}"
