"""What every change of a contract begins and ends with: holding it, comparing versions, versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, update

from market.contracts import content as fields
from market.contracts import terms
from market.contracts.models import Contract, ContractParty, ContractVersion
from market.contracts.schemas import PARTY_LISTS
from market.contracts.workflow import READ
from market.core import clock, secrets
from market.core.db import db
from market.core.errors import Conflict, NotFound
from market.core.permissions import Actor, policy
from market.core.text import fold

FILES = "contract"  # the kind of object that its files are attached to
_KEYS = "contract.party.key"


class Stale(Conflict):
    """Somebody changed it since it was seen: both versions can be shown."""


def locked(actor: Actor, no: str, version: int | None = None) -> Contract:
    """The contract, held until the commit: of two who act at once the second sees the first.

    Args:
        version: `lock_version` as the actor saw it; None: not asked.

    Raises:
        NotFound: no such contract, or not for this actor. Stale: it moved since it was seen.
    """
    found = db.session.scalar(
        select(Contract)
        .where(Contract.no == no, policy.where(actor, READ, Contract))
        .with_for_update(of=Contract)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(f"没有编号为 {no} 的技术合同。")
    if version is not None and version != found.lock_version:
        raise Stale("这份合同刚有新的改动，请先看新内容；您写的还在，仍要提交请再点一次。")
    return found


def version_of(contract: Contract, number: int | None = None) -> ContractVersion:
    """One version of a contract; without a number the one at work."""
    return db.session.scalars(
        select(ContractVersion).where(
            ContractVersion.contract_id == contract.id,
            ContractVersion.version == (number or contract.version),
        )
    ).one()


def moved(**values: Any) -> dict[str, Any]:
    """Columns that change with every step."""
    return {"updated_at": clock.now(), "lock_version": Contract.lock_version + 1, **values}


def touch(contract: Contract, **values: Any) -> None:
    """Change columns of a contract without moving its state."""
    db.session.execute(
        update(Contract)
        .where(Contract.id == contract.id)
        .values(moved(**values))
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(contract)


def columns_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of `contract` that repeat what a version says."""
    sellers, buyers = content.get("sellers", []), content.get("buyers", [])
    known = fields.organisations_of(content)
    found: dict[str, Any] = {
        "title": content.get("title", ""),
        "signed_on": fields.day(content.get("signed_on")),
        **{name: content.get(name) for name in ("contract_class", "subclass", "field")},
        "total_fen": content.get("total_fen"),
        "technical_fen": content.get("technical_fen"),
    }
    if not fields.amounts_fit(found["total_fen"], found["technical_fen"]):
        found |= {"total_fen": None, "technical_fen": None}  # of a draft that is not right yet
    for side, rows in (("seller", sellers), ("buyer", buyers)):
        first = rows[0] if rows else {}
        owner = known.get(first.get("uscc", ""))
        region = fields.region_ids(rows[:1]).get(first.get("region_code", ""))
        found |= {
            f"{side}_name": first.get("name", ""),
            f"{side}_id": owner.id if owner else None,
            f"{side}_region_id": region or (owner.region_id if owner else None),
        }
    return found


def write_parties(contract: Contract, content: Mapping[str, Any]) -> None:
    """Bring the rows of parties in line with a version."""
    db.session.execute(delete(ContractParty).where(ContractParty.contract_id == contract.id))
    known, readable = fields.organisations_of(content), fields.unpack(content)
    for name, side in PARTY_LISTS.items():
        rows: Sequence[Mapping[str, Any]] = readable.get(name, [])
        places = fields.region_ids(rows)
        for position, row in enumerate(rows):
            owner = known.get(row.get("uscc", ""))
            db.session.add(
                ContractParty(
                    contract_id=contract.id,
                    side=side,
                    position=position,
                    organisation_id=owner.id if owner else None,
                    name=row["name"],
                    folded_name=fold(row["name"])[:200],
                    uscc=row.get("uscc") or None,
                    country=row.get("country") or "CHN",
                    nature=row.get("nature"),
                    region_id=places.get(row.get("region_code", "")),
                    telephone_key=personal_key(row.get("telephone")),
                    legal_key=personal_key(row.get("legal_person")),
                    address=row.get("address"),
                )
            )
    if contract.registration_no is not None:
        terms.write(contract, readable)


def personal_key(text: str | None) -> str | None:
    """What stands for a personal value in the rows of parties: equal ones are found, none is read."""
    folded = fold(text or "").replace(" ", "").replace("-", "")
    return secrets.pseudonym(folded, _KEYS) if folded else None
