"""证明查验: what the public may learn of a registration by its number and its check code.

With both, the live face of what the paper says; with the number alone only whether it holds. Looks
that do not bring the right code are counted by network, so that nobody walks through the numbers.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from market.contracts.codes import CLASSES
from market.contracts.models import VOID, Contract, ContractVersion
from market.contracts.papers import sheets
from market.core import limits
from market.core.db import db
from market.core.errors import TooMany
from market.core.languages import N_, translate
from market.core.limits import Limit

# One network, e.g. a tax office behind one address, looks at many; guessing needs far more.
LIMIT = Limit("contract.verify", 60, timedelta(hours=1))
LONGEST = 40  # characters of a number
STATES = {
    "valid": N_("有效"),
    "amended": N_("有效（已变更）"),
    "cancelled": N_("已注销"),
    "annulled": N_("已撤销"),
}
NOT_THE_CODE = N_("查验码与编号不符，因此只显示登记是否有效；请对照二维码旁边的查验码再核对。")
MISSING = N_("没有查到这个登记编号。请对照证明核对；在别处登记、没有录入本站的合同查不到。")
_BARE = re.compile(r"[\s\-–—·.]")


@dataclass(frozen=True)
class Face:
    """What is told of a registration. whole: whether the code was right; the rest is then filled.

    What the parties did not agree to show is empty.
    """

    no: str
    state: str
    body: str
    registered_on: date
    void_on: date | None
    whole: bool = False
    edition: int | None = None
    amended_on: date | None = None
    contract_class: str | None = None
    total_fen: int | None = None
    technical_fen: int | None = None
    title: str | None = None
    seller: str | None = None
    buyer: str | None = None
    mode: str | None = None
    demo: bool = False

    @property
    def is_valid(self) -> bool:
        return self.state not in VOID


@dataclass(frozen=True)
class Answer:
    """What a look found. face: None when no such number is registered; sentence: what to add."""

    face: Face | None
    sentence: str = ""


def bare(text: str) -> str:
    """A number or code as it was typed, without blanks and strokes, in capitals."""
    return _BARE.sub("", unicodedata.normalize("NFKC", text)).upper()[:LONGEST]


def _spellings(text: str) -> set[str]:
    """What a typed number may mean: as it stands, or with blanks and strokes of a reader's own."""
    plain = unicodedata.normalize("NFKC", text).strip()[:LONGEST]
    return {one for one in (text.strip()[:LONGEST], plain, plain.upper(), bare(text)) if one}


def verify(no: str, code: str, network: str) -> Answer:
    """Look up a registration.

    Args:
        no: the registered number. code: the check code; may be empty.
        network: the address of who asks.

    Raises:
        TooMany: this network looked without the right code too often.
    """
    _refuse_many(network)
    contract, given = _find(no), bare(code)
    if contract is None:
        limits.count(LIMIT, network)
        return Answer(None, MISSING)
    right = hmac.compare_digest(given.encode(), (contract.check_code or "").encode())
    if not (given and right):
        face = _outside(contract)  # before the count, which ends the reading transaction
        limits.count(LIMIT, network)
        return Answer(face, NOT_THE_CODE if given else "")
    return Answer(_whole(contract))


def _refuse_many(network: str) -> None:
    if limits.used(LIMIT, network) >= LIMIT.most:
        refused = TooMany(translate("查验太频繁，请一小时后再试。"))
        refused.retry_after = int(LIMIT.span.total_seconds())
        raise refused


def _find(no: str) -> Contract | None:
    """The registered contract with this number."""
    query = select(Contract).where(
        Contract.registration_no.in_(_spellings(no)), Contract.registered_on.is_not(None)
    )
    return db.session.scalars(query.order_by(Contract.id).limit(1)).first()


def _state(contract: Contract, edition: int) -> str:
    if contract.state in VOID:
        return contract.state
    return "amended" if edition > 1 else "valid"


def _outside(contract: Contract) -> Face:
    """What the number alone tells: whether it holds, by whom and when."""
    state = contract.state if contract.state in VOID else "valid"
    return Face(
        no=contract.registration_no or "",
        state=state,
        body=contract.registered_by or "",
        registered_on=_day(contract.registered_on),
        void_on=contract.void_on,
    )


def _day(value: date | None) -> date:
    assert value is not None  # held by a CHECK for what is registered
    return value


def _whole(contract: Contract) -> Face:
    version = db.session.scalars(
        select(ContractVersion).where(
            ContractVersion.contract_id == contract.id,
            ContractVersion.version == contract.effective,
        )
    ).one()
    edition, shows, content = sheets.edition(contract), contract.shows, version.content
    amounts = shows.get("amounts", True)  # they stand on the paper whose code was typed
    return Face(
        no=contract.registration_no or "",
        state=_state(contract, edition),
        body=contract.registered_by or "",
        registered_on=_day(contract.registered_on),
        void_on=contract.void_on,
        whole=True,
        edition=edition,
        amended_on=version.registered_on if edition > 1 else None,
        contract_class=CLASSES.get(sheets.found(version, "contract_class") or ""),
        total_fen=sheets.found(version, "total_fen") if amounts else None,
        technical_fen=sheets.found(version, "technical_fen") if amounts else None,
        title=content.get("title") if shows.get("title") else None,
        seller=sheets.names(content, "sellers") if shows.get("seller") else None,
        buyer=sheets.names(content, "buyers") if shows.get("buyer") else None,
        mode=contract.mode,
        demo=contract.demo,
    )
