"""A contract's fields taken over from what the two sides agreed to: nothing is typed twice.

Each value says where it came from, so that the page can mark it; all of them may be changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from market.accounts.models import Organisation
from market.catalogue import queries as catalogue
from market.contracts.codes import FIELDS, OWNERSHIP, ROYALTY_BASES, SUBCLASSES
from market.contracts.schemas import MOST_INSTALMENTS, MOST_RIGHTS
from market.core.db import db
from market.core.errors import Conflict, Gone, NotFound
from market.core.permissions import Actor
from market.matching.intents import queries as intents
from market.matching.intents.queries import Agreed
from market.regions import queries as regions

# How the sides wanted to work together → class and second level.
_BY_MODE = {
    "joint": ("development", "joint"),
    "assignment": ("assignment", ""),
    "licence": ("licence", ""),
    "equity": ("assignment", "equity"),
    "consulting": ("consulting", "consulting"),
    "service": ("service", "service"),
}
_IP_KINDS = {
    "发明专利": "invention",
    "实用新型": "utility_model",
    "外观设计": "design",
    "软件著作权": "software",
    "植物新品种权": "variety",
    "集成电路布图设计": "layout",
    "生物医药新品种": "biomedical",
    "技术秘密": "secret",
}
_SUBCLASS_OF_RIGHT = {
    "invention": "patent",
    "utility_model": "patent",
    "design": "patent",
    "software": "software",
    "variety": "variety",
    "layout": "layout",
    "biomedical": "biomedical",
    "secret": "secret",
}


@dataclass(frozen=True)
class Prefill:
    """Values by the fields of `schemas.ContentSchema`, loaded; and where each came from.

    origins: name → "intent", "listing" or "organisation".
    """

    filer_id: int
    values: Mapping[str, Any]
    origins: Mapping[str, str]
    intent_no: str
    listing_no: str


def from_intent(actor: Actor, no: str) -> Prefill:
    """What an agreed intent says of the contract to be.

    Raises:
        NotFound: no such intent, or not for this actor. Conflict: it is not agreed, or the other
            side keeps its name back.
    """
    agreed = intents.agreed(actor, no)
    listing = _listing(actor, agreed)
    found: dict[str, tuple[Any, str]] = {
        "title": (agreed.title, "intent"),
        "sellers": ([party(agreed.seller_id)], "organisation"),
        "buyers": ([party(agreed.buyer_id)], "organisation"),
        "rights": (_rights(listing), "listing"),
        "field": (_field(listing), "listing"),
        "industry": (_first(listing, "industries"), "listing"),
        "subject": (_subject(agreed, listing), "listing"),
        **{name: (value, "intent") for name, value in _terms(agreed).items()},
        **{name: (value, "intent") for name, value in _helpers(agreed).items()},
    }
    contract_class, subclass = _class(agreed, found["rights"][0])
    if not found["rights"][0] and contract_class in {"development", "consulting", "service"}:
        found["rights"] = ([{"kind": "none"}], "intent")  # none was named; the form shows it
    found |= {"contract_class": (contract_class, "intent"), "subclass": (subclass, "intent")}
    given = {name: pair for name, pair in found.items() if pair[0] not in (None, "", [])}
    return Prefill(
        filer_id=agreed.seller_id,
        values={name: value for name, (value, _) in given.items()},
        origins={name: origin for name, (_, origin) in given.items()},
        intent_no=agreed.no,
        listing_no=agreed.listing_no,
    )


def _listing(actor: Actor, agreed: Agreed) -> Mapping[str, Any]:
    """The raw fields of the listing, while it can be read. Raises Conflict: its owner hides."""
    try:
        found = catalogue.get(actor, agreed.listing_kind, agreed.listing_no)
    except (NotFound, Gone):
        return {}
    if found.name_hidden and not found.owner.no:
        raise Conflict(
            "需求方还没有向本单位公开单位名称，不能填写合同：请先在对接意向中请对方公开。"
        )
    return found.content


def party(organisation_id: int) -> dict[str, Any]:
    """An organisation as a party, from its entry: only what is public of it."""
    row = db.session.get_one(Organisation, organisation_id)
    found = {
        "name": row.name,
        "uscc": row.uscc,
        "country": "CHN",
        "region_code": regions.view(row.region).code,
        "nature": _nature(row),
        "contact": row.contact,
        "telephone": row.telephone,
        "address": row.address,
    }
    return {name: value for name, value in found.items() if value}


def _nature(row: Organisation) -> str | None:
    """The kind of party where name and kind leave no doubt."""
    if row.kind == "office":
        return "010"
    if row.kind == "institute":
        return "022" if row.name.split("（")[0].endswith(("大学", "学院")) else "021"
    plain = row.name.split("（")[0]
    if plain.endswith("股份有限公司"):
        return "160"
    return "150" if plain.endswith("有限公司") else None


def _rights(listing: Mapping[str, Any]) -> list[dict[str, Any]]:
    rights = listing.get("ip") or []
    found = [
        {"kind": _IP_KINDS[one["kind"]], "number": one.get("number") or None}
        for one in rights
        if one.get("kind") in _IP_KINDS
    ]
    return found[:MOST_RIGHTS]


def _class(agreed: Agreed, rights: list[dict[str, Any]]) -> tuple[str | None, str | None]:
    """Class and second level, by what was agreed and which right it is about."""
    by_mode, subclass = _BY_MODE.get(agreed.terms.get("transfer_mode") or "", ("", ""))
    chosen = agreed.contract_class or by_mode or None
    if chosen in {"assignment", "licence"} and not subclass and rights:
        subclass = f"{_SUBCLASS_OF_RIGHT[rights[0]['kind']]}_{chosen}"
    if chosen == "development" and not subclass:
        subclass = "commissioned"
    if chosen in {"consulting", "service"}:
        subclass = chosen
    fits = subclass in SUBCLASSES and SUBCLASSES[subclass][0] == chosen
    return chosen, subclass if fits else None


def _first(listing: Mapping[str, Any], name: str) -> str | None:
    values = listing.get(name) or []
    return str(values[0]) if values else None


def _field(listing: Mapping[str, Any]) -> str | None:
    return next((one for one in listing.get("fields") or [] if one in FIELDS), None)


def _subject(agreed: Agreed, listing: Mapping[str, Any]) -> str | None:
    """What it is about: the demand's aim, or what the achievement does, and what was said."""
    targets = "；".join(listing.get("targets") or [])
    parts = [listing.get("summary"), targets, listing.get("result"), agreed.terms.get("words")]
    said = "\n\n".join(part for part in parts if part)
    return said[:4000] or None


def _terms(agreed: Agreed) -> dict[str, Any]:
    """Money, payment, dates, ownership and acceptance, as they were offered."""
    terms = agreed.terms
    low, high = terms.get("price_min_fen"), terms.get("price_max_fen")
    total = high if low == high else None
    plan = _plan(terms.get("plan") or [])
    found: dict[str, Any] = {
        "total_fen": total,
        "acceptance": terms.get("acceptance"),
        "ownership": terms.get("ownership") if terms.get("ownership") in OWNERSHIP else None,
        "plan": plan,
        "payment": "instalments" if len(plan) > 1 else "once" if total is not None else None,
    }
    if terms.get("royalty_bp"):
        base = terms.get("royalty_base")
        found |= {
            "payment": "entry_royalty" if terms.get("entry_fen") else "royalty",
            "entry_fen": terms.get("entry_fen"),
            "royalty_bp": terms["royalty_bp"],
            "royalty_base": base if base in ROYALTY_BASES else None,
            # What is known at signing; royalties follow as receipts and an amendment.
            "total_fen": total or terms.get("entry_fen"),
        }
    return found


def _plan(rows: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "what": "，".join(text for text in (row.get("when"), row.get("what")) if text) or None,
            "amount_fen": row["fen"],
        }
        for row in rows[:MOST_INSTALMENTS]
        if row.get("fen")
    ]


def _helpers(agreed: Agreed) -> dict[str, Any]:
    """Who helped: brokers and service points become third parties of the form."""
    names = [one["name"] for one in agreed.helpers]
    return {"thirds": [{"name": name, "country": "CHN"} for name in names[:3]]}
