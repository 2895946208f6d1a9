"""Related parties: what firm and provider declared or the register knows, compared as pseudonyms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select

from market.accounts.models import Organisation
from market.core import clock, masking, secrets
from market.core.db import db
from market.core.errors import Invalid
from market.core.permissions import Actor, policy
from market.core.text import fold
from market.core.unit_of_work import unit_of_work
from market.vouchers.claim_models import PARTY_KINDS, Party
from market.vouchers.workflow import DECLARE

_KEYS = "voucher.party.key"
_VALUES = "voucher.party.value"
_PERSONS = ("legal_person", "controller", "shareholder")
REMEMBERED = timedelta(days=365)  # how long a withdrawn declaration is told
MOST_STEPS = 3  # of shareholdings that are followed


def key_of(text: str) -> str:
    """What stands for a value: equal ones are found, none is read."""
    return secrets.pseudonym(fold(text).replace(" ", "").replace("-", ""), _KEYS)


def declare(actor: Actor, organisation_id: int, values: Mapping[str, Sequence[str]]) -> None:
    """Write what an organisation declares of itself; each kind that is named is replaced.

    What is not named any more is kept with the time when it was withdrawn.

    Args:
        values: kind of `PARTY_KINDS` → values; shareholders by name or by credit code.
    """
    if set(values) - set(PARTY_KINDS):
        raise Invalid({"kind": ["不认识的申报项。"]})
    told = {
        (kind, key_of(text)): (secrets.seal(text, _VALUES), _shown(kind, text))
        for kind, texts in values.items()
        for text in texts
        if text.strip()
    }
    with unit_of_work(actor) as work:
        owner = db.session.get_one(Organisation, organisation_id)
        work.require(DECLARE, Party(organisation_id=owner.id))
        query = select(Party).where(
            Party.organisation_id == organisation_id, Party.kind.in_(list(values))
        )
        for row in db.session.scalars(query).all():
            if told.pop((row.kind, row.key), None) is None:
                row.ended_at = row.ended_at or clock.now()
            else:
                row.ended_at = None
        for (kind, key), (value, shown) in told.items():
            db.session.add(
                Party(
                    organisation_id=organisation_id, kind=kind, key=key, value=value, shown=shown,
                    at=clock.now(),
                )
            )  # fmt: skip
        kinds = sorted(values)
        work.record(
            "voucher_party.declare", "organisation", organisation_id, after={"kinds": kinds}
        )


def declared(actor: Actor, organisation_id: int) -> dict[str, list[str]]:
    """What an organisation of the actor declared of itself, masked: kind → values."""
    query = select(Party.kind, Party.shown).where(
        Party.organisation_id == organisation_id,
        Party.ended_at.is_(None),
        policy.where(actor, DECLARE, Party),
    )
    found: dict[str, list[str]] = {}
    for kind, shown in db.session.execute(query.order_by(Party.id)):
        found.setdefault(kind, []).append(shown)
    return found


def _shown(kind: str, text: str) -> str:
    if kind in _PERSONS:
        return masking.mask_name(text)
    if kind == "telephone":
        return masking.mask_telephone(text)
    return masking.mask_account(text) if kind == "account" else masking.mask_text(text)


def _told(since: datetime | None) -> ColumnElement[bool]:
    """Declarations that hold, and those withdrawn after a moment."""
    holds = Party.ended_at.is_(None)
    return holds if since is None else or_(holds, Party.ended_at >= since)


def _known(organisation: Organisation, since: datetime | None) -> dict[str, set[str]]:
    """Kind → keys: what it declared, and what the register says."""
    found: dict[str, set[str]] = {kind: set() for kind in PARTY_KINDS}
    query = select(Party.kind, Party.key).where(
        Party.organisation_id == organisation.id, _told(since)
    )
    for kind, key in db.session.execute(query):
        found[kind].add(key)
    for kind in ("telephone", "address"):
        if text := getattr(organisation, kind):
            found[kind].add(key_of(text))
    return found


def _own_keys(organisation: Organisation) -> set[str]:
    """By which others name it among their shareholders and branches."""
    return {key_of(text) for text in (organisation.uscc, organisation.name) if text}


def _holders(organisation: Organisation, since: datetime | None) -> set[str]:
    """Keys of who holds shares of it, over some steps, itself among them."""
    found, fresh = _own_keys(organisation), [organisation.id]
    for _step in range(MOST_STEPS):
        query = select(Party.key, Party.value).where(
            Party.organisation_id.in_(fresh), Party.kind == "shareholder", _told(since)
        )
        rows = [(key, value) for key, value in db.session.execute(query) if key not in found]
        found |= {key for key, _ in rows}
        names = [text for _, value in rows if (text := secrets.unseal(value, _VALUES))]
        named = select(Organisation.id).where(
            or_(Organisation.uscc.in_(names), Organisation.name.in_(names))
        )
        fresh = list(db.session.scalars(named)) if names else []
        if not fresh:
            break
    return found


def relations(
    firm: Organisation, provider: Organisation, since: datetime | None = None
) -> dict[str, str]:
    """How firm and provider are related: code of `codes.RELATIONS` → the evidence in words.

    Args:
        since: what was withdrawn after this moment counts as well; None: what is declared now.
    """
    if firm.id == provider.id or (firm.uscc and firm.uscc == provider.uscc):
        return {"same_uscc": "统一社会信用代码相同"}
    ours, theirs = _known(firm, since), _known(provider, since)
    found = {
        kind: f"双方登记的「{words}」相同"
        for kind, words in (
            ("legal_person", "法定代表人"),
            ("telephone", "电话"),
            ("address", "地址"),
            ("account", "银行账户"),
            ("co_built", "共建单位"),
        )
        if ours[kind] & theirs[kind]
    }
    control = ("legal_person", "controller")
    if any(ours[one] & theirs[other] for one in control for other in control if one != other) or (
        ours["controller"] & theirs["controller"]
    ):
        found["controller"] = "实际控制人相同"
    if (_holders(firm, since) & _holders(provider, since)) or _owned_by_one(ours, theirs):
        found["shareholding"] = "股东申报中存在持股关系"
    if (_own_keys(firm) & theirs["branch"]) or (_own_keys(provider) & ours["branch"]):
        found["branch"] = "申报为总公司与分支机构"
    return found


def withdrawn(firm: Organisation, provider: Organisation) -> dict[str, str]:
    """Relations that were declared within a year and withdrawn: an office has to look at them."""
    now = relations(firm, provider)
    before = relations(firm, provider, clock.now() - REMEMBERED)
    return {code: words for code, words in before.items() if code not in now}


def _owned_by_one(ours: Mapping[str, set[str]], theirs: Mapping[str, set[str]]) -> bool:
    control = ours["legal_person"] | ours["controller"]
    other = theirs["legal_person"] | theirs["controller"]
    return bool(control & theirs["shareholder"] or other & ours["shareholder"])
