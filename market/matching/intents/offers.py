"""Offers: each a new version; the same version accepted by both sides makes the intent agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from market.catalogue.models import PRICE_MODES
from market.core import clock, files
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.files import Upload
from market.core.money import HIGHEST_FEN
from market.core.permissions import Actor, policy
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.matching.intents import attachments, messages, rules
from market.matching.intents.attachments import FILES
from market.matching.intents.locking import OTHER, author_of, locked, moved, party_of, touch
from market.matching.intents.models import (
    BASES,
    MODES,
    OWNERSHIP,
    Intent,
    Offer,
)
from market.matching.intents.workflow import AGREE, INTENT, OFFER, TERMS

_COLUMNS = (
    "transfer_mode",
    "price_mode",
    "price_min_fen",
    "price_max_fen",
    "entry_fen",
    "royalty_bp",
    "royalty_base",
    "plan",
    "delivery_on",
    "acceptance",
    "ownership",
    "valid_until",
    "words",
)
_CHOICES: tuple[tuple[str, Mapping[str, str], bool], ...] = (
    ("transfer_mode", MODES, True),
    ("price_mode", PRICE_MODES, True),
    ("royalty_base", BASES, False),
    ("ownership", OWNERSHIP, False),
)


@dataclass(frozen=True)
class Agreed:
    """What both sides agreed to, as a contract can take it over; frozen on that day.

    terms: of the offer, as raw values (fen, basis points, ISO dates); in_words: the same for
    reading; parties: name, number and credit code by side.
    """

    no: str
    title: str
    listing_no: str
    listing_kind: str
    source_kind: str
    source_no: str
    buyer_id: int
    seller_id: int
    parties: Mapping[str, Mapping[str, str | None]]
    contract_class: str | None
    ip: str | None
    field: str | None
    version: int
    terms: Mapping[str, Any]
    in_words: Mapping[str, str]
    helpers: Sequence[Mapping[str, str]]
    agreed_at: datetime


def offer(
    actor: Actor,
    no: str,
    values: Mapping[str, Any],
    uploads: Sequence[Upload] = (),
    version: int | None = None,
    kept: Sequence[str] = (),
) -> int:
    """Propose terms as the buyer or the seller; gives the number of the version.

    It stands for the yes of who proposes it, and voids every earlier yes.

    Args:
        values: by the names of the columns of `Offer`; amounts in fen, the rate in basis points.
        uploads: files that were taken in before; kept: numbers of those that a program sent ahead.
        version: of the case as the writer saw it.

    Raises:
        Invalid: terms that make no sense. Conflict: the case moved, or nothing is negotiated now.
    """
    terms = checked(values, clock.today())
    with unit_of_work(actor) as work:
        intent = locked(actor, no)
        side = party_of(actor, intent)
        latest = latest_of(intent)
        if _offered_just_now(latest, side, terms):
            work.require(OFFER, intent)
            assert latest is not None
            return latest.version
        locked(actor, no, version)
        if intent.latest >= rules.MOST_OFFERS:
            raise Conflict(f"已有 {rules.MOST_OFFERS} 版方案，请先就现有方案谈定。")
        row = _insert(actor, intent, side, terms)
        columns = {"latest": row.version, "buyer_yes": 0, "seller_yes": 0}
        columns[f"{side}_yes"] = row.version
        note = f"第 {row.version} 版"
        flow.fire(work, INTENT, intent, "offer", note=note, values=moved(side, **columns))
        for one in uploads:
            files.attach(work, one, FILES, row.id)
        attachments.take(intent.id, side, row.id, kept)
        messages.tell_other(messages.OFFERED, intent, side)
        messages.tell_helpers(messages.OFFERED, intent, other=author_of(actor, intent, side))
        return row.version


def _insert(actor: Actor, intent: Intent, side: str, terms: Mapping[str, Any]) -> Offer:
    row = Offer(
        intent_id=intent.id,
        version=intent.latest + 1,
        side=side,
        person_id=actor.id if actor.kind == "person" else None,
        author=author_of(actor, intent, side),
        at=clock.now(),
        **terms,
    )
    db.session.add(row)
    db.session.flush()
    return row


def latest_of(intent: Intent) -> Offer | None:
    """The offer that counts."""
    return of_version(intent.id, intent.latest)


def of_version(intent_id: int, version: int) -> Offer | None:
    """One version of an intent's offers."""
    return db.session.scalar(
        select(Offer).where(Offer.intent_id == intent_id, Offer.version == version)
    )


def _offered_just_now(latest: Offer | None, side: str, terms: Mapping[str, Any]) -> bool:
    """Whether the latest offer is this very one, sent twice by a double click."""
    if latest is None or latest.side != side or latest.at < clock.now() - rules.SAME_AGAIN:
        return False
    return all(getattr(latest, name) == value for name, value in terms.items())


def agree(actor: Actor, no: str, offer_version: int, version: int | None = None) -> bool:
    """Say yes to the latest offer; tells whether both sides have now and the intent is agreed.

    Raises:
        Conflict: a newer offer is there, this one's time is over, or there is none.
    """
    with unit_of_work(actor) as work:
        intent = locked(actor, no)
        side = party_of(actor, intent)
        if intent.state == "agreed" and intent.latest == offer_version:
            work.require(AGREE, intent)
            return True
        current = latest_of(intent)
        if current is None or offer_version != current.version:
            raise Conflict("对方刚提出了新的方案，您同意的不是最新一版：请先看最新的，再决定。")
        locked(actor, no, version)
        if current.valid_until is not None and current.valid_until < clock.today():
            raise Conflict("这版方案已过有效期，请另提一版，或请对方另提。")
        if getattr(intent, f"{OTHER[side]}_yes") != current.version:
            _one_yes(work, intent, side, current.version)
            return False
        _both(work, intent, side, current)
        return True


def _one_yes(work: UnitOfWork, intent: Intent, side: str, version: int) -> None:
    """A yes that waits for the other side's: after a case was taken up again."""
    work.require(AGREE, intent)
    if intent.state != "talking":
        raise Conflict("现在不能同意方案；请刷新后再看。")
    flow.add_event(work, INTENT.name, intent.id, "yes", note=f"第 {version} 版")
    work.record("intent.yes", INTENT.name, intent.id, no=intent.no, after={"version": version})
    touch(work, intent, **moved(side, **{f"{side}_yes": version}))
    messages.tell_other(messages.MOVED, intent, side)


def _both(work: UnitOfWork, intent: Intent, side: str, current: Offer) -> None:
    columns = {
        f"{side}_yes": current.version,
        "agreed_at": clock.now(),
        "frozen": _frozen(intent, current),
    }
    flow.fire(
        work,
        INTENT,
        intent,
        "agree",
        note=f"第 {current.version} 版",
        values=moved(side, **columns),
        after={"version": current.version},
    )
    messages.tell_parties(messages.AGREED, intent)
    messages.tell_helpers(messages.AGREED, intent)
    messages.tell_areas(intent)


def _frozen(intent: Intent, current: Offer) -> dict[str, Any]:
    """All that a contract can take over, as plain values."""
    terms = {name: _plain(getattr(current, name)) for name in _COLUMNS}
    parties = {
        side: {"no": one.no, "name": one.name, "uscc": one.uscc}
        for side, one in (("buyer", intent.buyer), ("seller", intent.seller))
    }
    helpers = [
        {"role": one.role, "no": one.owner.no, "name": one.owner.name}
        for one in intent.invitations
        if one.state == "joined"
    ]
    return {
        "no": intent.no,
        "title": intent.title,
        "listing_no": intent.listing.no,
        "listing_kind": intent.listing.kind,
        "source_kind": intent.source_kind,
        "source_no": intent.source_no,
        "parties": parties,
        "contract_class": intent.contract_class,
        "ip": intent.ip,
        "field": intent.field,
        "version": current.version,
        "terms": terms,
        "in_words": rules.in_words(terms),
        "helpers": helpers,
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def checked(values: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The terms of an offer, each column named, or a sentence for each that makes no sense.

    Raises:
        Invalid: by field; a plan that does not add up is only warned about (`rules.warnings`).
    """
    terms: dict[str, Any] = {name: values.get(name) for name in _COLUMNS}
    terms["plan"] = terms["plan"] or []
    wrong: dict[str, list[str]] = {}
    for name, choices, needed in _CHOICES:
        if terms[name] not in choices and (needed or terms[name] is not None):
            wrong[name] = ["请从所列的选项中选一个。"]
    for name in ("price_min_fen", "price_max_fen", "entry_fen"):
        if terms[name] is not None and not 0 <= terms[name] <= HIGHEST_FEN:
            wrong[name] = ["金额不能是负数，也不能大得不合情理。"]
    if not wrong:
        wrong = _wrong_price(terms) | _wrong_royalty(terms)
    wrong |= _wrong_plan(terms["plan"])
    if terms["valid_until"] is not None and terms["valid_until"] < today:
        wrong["valid_until"] = ["方案的有效期已经过去，请改晚一些或留空。"]
    if wrong:
        raise Invalid(wrong)
    return terms


def _wrong_price(terms: dict[str, Any]) -> dict[str, list[str]]:
    """What is wrong with the price; brings a fixed price into both of its columns."""
    mode, low, high = terms["price_mode"], terms["price_min_fen"], terms["price_max_fen"]
    wrong: dict[str, list[str]] = {}
    if mode == "fixed":
        if low is None:
            wrong["price_min_fen"] = ["选了「定价」，请写金额。"]
        elif high not in (None, low):
            wrong["price_max_fen"] = ["「定价」只写一个金额；写两个请选「区间」。"]
        terms["price_max_fen"] = low
    elif mode == "range":
        if low is None or high is None:
            wrong["price_min_fen" if low is None else "price_max_fen"] = [
                "选了「区间」，最低和最高都要写。"
            ]
        elif high <= low:
            wrong["price_max_fen"] = ["最高应大于最低。"]
    else:
        for name in ("price_min_fen", "price_max_fen"):
            if terms[name] is not None:
                wrong[name] = ["这种价格方式不写这里的金额，请清空，或改选价格方式。"]
    if mode == "entry_royalty" and terms["entry_fen"] is None:
        wrong["entry_fen"] = ["选了「入门费+提成」，请写入门费（可以是 0）。"]
    if mode != "entry_royalty" and terms["entry_fen"] is not None:
        wrong["entry_fen"] = ["入门费只用于「入门费+提成」，请清空，或改选价格方式。"]
    return wrong


def _wrong_royalty(terms: Mapping[str, Any]) -> dict[str, list[str]]:
    rate, base = terms["royalty_bp"], terms["royalty_base"]
    if rate is not None and not 0 < rate <= rules.WHOLE:
        return {"royalty_bp": ["提成比例应大于 0、不超过 100 %。"]}
    if rate is None and (base is not None or terms["price_mode"] == "entry_royalty"):
        return {"royalty_bp": ["请写提成比例。"]}
    if rate is not None and base is None:
        return {"royalty_base": ["请选择按什么提成。"]}
    return {}


def _wrong_plan(plan: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    if len(plan) > rules.MOST_PLAN_ROWS:
        return {"plan": [f"付款计划最多 {rules.MOST_PLAN_ROWS} 行。"]}
    for place, row in enumerate(plan, 1):
        fen = row.get("fen")
        if fen is None or not 0 < fen <= HIGHEST_FEN:
            return {"plan": [f"付款计划第 {place} 行：请写大于 0 的金额。"]}
        if not (row.get("when") or row.get("what")):
            return {"plan": [f"付款计划第 {place} 行：请写什么时候付，或付什么。"]}
    return {}


def agreed(actor: Actor, no: str) -> Agreed:
    """What both sides agreed to, for the contract that grows from it.

    Raises:
        NotFound: no such intent, or this actor may not read its terms.
        Conflict: it is not agreed.
    """
    intent = db.session.scalar(
        select(Intent).where(Intent.no == no, policy.where(actor, TERMS, Intent))
    )
    if intent is None:
        raise NotFound(f"没有编号为 {no} 的对接意向。")
    if intent.frozen is None or intent.agreed_at is None:
        raise Conflict("双方还没有达成意向。")
    return Agreed(
        buyer_id=intent.buyer_id,
        seller_id=intent.seller_id,
        agreed_at=intent.agreed_at,
        **intent.frozen,
    )
