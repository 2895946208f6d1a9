"""A contract's fields between JSON as versions keep them and the values that rules read.

Personal values of parties (legal representative, contact, telephone) are sealed in what is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from market.accounts import queries as accounts
from market.accounts.queries import Owner
from market.contracts.rules import Facts, Instalment, Right, Side
from market.contracts.schemas import LABELS, NEEDED, PARTY_LISTS, PERSONAL
from market.core import secrets
from market.regions import queries as regions

_PURPOSE = "contract.party"
ASSESSED = ("contract_class", "subclass", "total_fen", "technical_fen")  # what an examiner sets
_DATES = ("signed_on", "valid_from", "valid_to")
_NUMBERS = ("total_fen", "technical_fen", "non_technical_fen", "entry_fen", "royalty_bp")
_CODES = ("contract_class", "subclass", "licence_kind", "payment")


def pack(values: Mapping[str, Any]) -> dict[str, Any]:
    """What `ContentSchema` loaded, as JSON values; empty fields are left out."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if value is None or value == [] or value == "":
            continue
        if name in PARTY_LISTS:
            found[name] = [_sealed(_plain(row)) for row in value]
        elif isinstance(value, list):
            found[name] = [_plain(row) for row in value]
        else:
            found[name] = value.isoformat() if isinstance(value, date) else value
    return found


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value.isoformat() if isinstance(value, date) else value
        for key, value in row.items()
        if value is not None
    }


def _sealed(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: secrets.seal(value, _PURPOSE) if key in PERSONAL else value
        for key, value in row.items()
    }


def unpack(content: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with personal values readable. Who shows them masks or audits."""
    found = dict(content)
    for name in PARTY_LISTS:
        if name in found:
            found[name] = [opened(row) for row in found[name]]
    return found


def opened(row: Mapping[str, Any]) -> dict[str, Any]:
    """A party with its personal values readable."""
    return {
        key: (secrets.unseal(value, _PURPOSE) or "") if key in PERSONAL else value
        for key, value in row.items()
    }


def seal_unread(unread: Mapping[str, str]) -> str | None:
    """Texts that cannot be read yet, sealed: what is typed in a wrong cell may be a telephone."""
    return secrets.seal(json.dumps(dict(unread), ensure_ascii=False), _PURPOSE) if unread else None


def unread_of(sealed: str | None) -> dict[str, str]:
    """Those texts, by the names of the form."""
    text = secrets.unseal(sealed, _PURPOSE) if sealed else None
    return dict(json.loads(text)) if text else {}


def unread_names(sealed: str | None) -> list[str]:
    """The fields of `schemas.ContentSchema` in which something cannot be read yet."""
    found = unread_of(sealed)
    return [name for name in LABELS if any(key.partition("-")[0] == name for key in found)]


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 over the readable fields in one order: the same content has the same one."""
    text = json.dumps(unpack(content), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def missing(content: Mapping[str, Any]) -> dict[str, str]:
    """Fields that must be there before it is sent in: name → label."""
    return {name: LABELS[name] for name in NEEDED if not content.get(name)}


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Fields in which two versions differ, as (name, old, new), in the order of the form."""
    one, other = unpack(old), unpack(new)
    return [
        (name, one.get(name), other.get(name))
        for name in LABELS
        if one.get(name) != other.get(name)
    ]


def as_assessed(content: Mapping[str, Any], findings: Mapping[str, Any]) -> dict[str, Any]:
    """What a version registers: as it was filed, class and amounts as an examiner found them."""
    found = {name: findings[name] for name in ASSESSED if findings.get(name) is not None}
    return {**content, **found}


def facts(content: Mapping[str, Any], files: Sequence[str] = ()) -> Facts:
    """What the checks of `rules` read. files: purposes of what is attached."""
    known = unpack(content)
    days: dict[str, Any] = {name: day(known.get(name)) for name in _DATES}
    same: dict[str, Any] = {name: known.get(name) for name in _NUMBERS}
    codes: dict[str, Any] = {name: known.get(name) or "" for name in _CODES}
    paths = _paths(known)
    return Facts(
        **same,
        **codes,
        **days,
        sellers=[_side(row, paths) for row in known.get("sellers", [])],
        buyers=[_side(row, paths) for row in known.get("buyers", [])],
        plan=[
            Instalment(row["amount_fen"], day(row.get("when")), row.get("what", ""))
            for row in known.get("plan", [])
        ],
        rights=[
            Right(row["kind"], row.get("number", ""), row.get("holder", ""), day(row.get("ends")))
            for row in known.get("rights", [])
        ],
        is_foreign=bool(known.get("is_foreign")),
        files=frozenset(files),
    )


def day(text: str | None) -> date | None:
    """A date as versions keep it."""
    return date.fromisoformat(text) if text else None


def _paths(known: Mapping[str, Any]) -> dict[str, str]:
    """Paths of the regions that parties name, by code."""
    rows = [row for name in PARTY_LISTS for row in known.get(name, [])]
    codes = {row["region_code"] for row in rows if row.get("region_code")}
    return {one.code: one.path for one in regions.by_codes(codes)} if codes else {}


def _side(row: Mapping[str, Any], paths: Mapping[str, str]) -> Side:
    same = ("uscc", "nature", "legal_person", "telephone", "address")
    return Side(
        name=row["name"],
        country=row.get("country") or "CHN",
        region_path=paths.get(row.get("region_code", ""), ""),
        **{name: row.get(name, "") for name in same},
    )


def organisations_of(content: Mapping[str, Any]) -> dict[str, Owner]:
    """Organisations of the register among the parties, by the credit code that was written."""
    rows = [row for name in PARTY_LISTS for row in content.get(name, [])]
    codes = {row["uscc"] for row in rows if row.get("uscc")}
    return accounts.owners_by_uscc(codes) if codes else {}


def region_ids(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Ids of the regions that parties name, by code."""
    codes = {row["region_code"] for row in rows if row.get("region_code")}
    return {one.code: one.id for one in regions.by_codes(codes)} if codes else {}


def amounts_fit(total_fen: int | None, technical_fen: int | None) -> bool:
    """Whether the two amounts can stand in one row: 0 ≤ 技术交易额 ≤ 成交额."""
    return total_fen is None or technical_fen is None or technical_fen <= total_fen
