"""An inquiry, a dispatch or an answer becomes an intent: who the parties are, and what stands in the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from market.accounts.models import Organisation
from market.accounts.roles import EDITORS
from market.catalogue import queries as catalogue
from market.catalogue.models import Listing
from market.catalogue.naming import owner_shown
from market.core import clock, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Gone, Invalid, NotFound
from market.core.permissions import Actor, policy
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.matching import queries as inquiries
from market.matching.calls import queries as calls
from market.matching.dispatch import queries as dispatches
from market.matching.intents import messages
from market.matching.intents.locking import OTHER
from market.matching.intents.models import LIVE, Intent
from market.matching.intents.thread import write_down
from market.matching.intents.workflow import BEGIN, INTENT, READ
from market.matching.models import OPEN, Inquiry

SERIES = "YX"


@dataclass(frozen=True)
class Source:
    """What an intent grows from: an inquiry, a dispatch, an answer to a call."""

    kind: str
    id: int
    no: str
    listing: Listing
    title: str
    demo: bool


@dataclass(frozen=True)
class Start:
    """What an intent would be, for the page before it.

    side: which one the reader is on, as the listing suggests; obstacle: what must be done first;
    url: the page of the source.
    """

    source: Source
    url: str
    side: str
    own: Organisation | None
    other: Organisation | None
    other_label: str
    obstacle: str


def start(actor: Actor, no: str, kind: str = "inquiry") -> Start:
    """What would become of an inquiry, a dispatch or an answer to a call.

    Args:
        kind: one of `models.SOURCES`.

    Raises:
        NotFound: no such source, or the reader is neither side of it.
    """
    found = _STARTS[kind](actor, no)
    if found.other is not None and found.other.id == found.source.listing.owner_id:
        other = owner_shown(actor, found.source.listing, case_no=no)
        obstacle = other.veil(found.obstacle)
        return replace(found, other_label=other.name, obstacle=obstacle)
    return found if found.other is None else replace(found, other_label=found.other.name)


def _of_inquiry(actor: Actor, no: str) -> Start:
    case = inquiries.get(actor, no)
    inquiry = case.inquiry
    if case.side == "office":
        raise NotFound(f"没有编号为 {no} 的咨询。")
    owner = case.side == "owner"
    return Start(
        source=Source(
            "inquiry", inquiry.id, inquiry.no, inquiry.listing, inquiry.title, inquiry.demo
        ),
        url=f"/inquiries/{inquiry.no}",
        side=_suggested(inquiry.listing, owner),
        own=inquiry.owner if owner else inquiry.asker,
        other=inquiry.asker if owner else inquiry.owner,
        other_label=inquiry.asker_label if owner else inquiry.owner.name,
        obstacle=_obstacle(case.side, inquiry),
    )


def _of_dispatch(actor: Actor, no: str) -> Start:
    """The recipient who is interested begins; the demand's owner is asked to accept."""
    found = dispatches.of(no, actor)
    if dispatches.side_of(actor, found) != "recipient":
        raise NotFound(f"没有编号为 {no} 的推荐对接。")
    owner, obstacle = found.listing.owner, ""
    if found.owner is None:
        obstacle = "对接意向由单位与单位之间建立：请由所在单位答复，或请科技管理部门推荐给单位。"
    elif found.state not in ("interested", "talking"):
        obstacle = "先答复「有意向」，再转为对接意向。"
    return Start(
        source=Source("dispatch", found.id, found.no, found.listing, found.title, found.demo),
        url=f"/dispatches/{found.no}",
        side="seller",
        own=found.owner,
        other=owner,
        other_label=owner.name,
        obstacle=obstacle or _ended(owner, found.owner),
    )


def _of_answer(actor: Actor, no: str) -> Start:
    """Either side of a chosen answer begins."""
    found = calls.answer(actor, no)
    own = actor.organisations(*EDITORS)
    if not {found.organisation_id, found.call.owner_id} & set(own):
        raise NotFound(f"没有编号为 {no} 的应答。")
    buys = found.call.owner_id in own
    sides = (found.call.owner, found.owner)
    mine, other = sides if buys else sides[::-1]
    chosen = found.state == "chosen"
    return Start(
        source=Source(
            "answer", found.id, found.no, found.call.listing, found.call.title, found.demo
        ),
        url=f"/answers/{found.no}",
        side="buyer" if buys else "seller",
        own=mine,
        other=other,
        other_label=other.name,
        obstacle=_ended(*sides) if chosen else "选定以后才能转为对接意向。",
    )


_STARTS: Mapping[str, Callable[[Actor, str], Start]] = {
    "inquiry": _of_inquiry,
    "dispatch": _of_dispatch,
    "answer": _of_answer,
}


def _suggested(listing: Listing, owner: bool) -> str:
    """The owner of an achievement sells, the owner of a demand buys."""
    side = "seller" if listing.kind == "achievement" else "buyer"
    return side if owner else OTHER[side]


def _obstacle(side: str, inquiry: Inquiry) -> str:
    """What must be done before, in a sentence; empty when nothing."""
    if inquiry.state not in (*OPEN, "closed"):
        return "这件咨询已撤回或移除，不能转为对接意向。"
    if inquiry.asker is None:
        if side == "asker":
            return "对接意向由单位与单位之间建立：请先登记或加入本单位，再以单位名义咨询。"
        return (
            "咨询方还没有在本站登记单位，不能转为对接意向："
            "请在咨询中请对方先注册账号、登记或加入单位，再以单位名义咨询一次。"
        )
    return _ended(inquiry.asker, inquiry.owner)


def _ended(one: Organisation, other: Organisation | None) -> str:
    """That a party is there no more, or both are one."""
    for party in (one, other):
        if party is not None and party.state != "active":
            return f"{party.name}已注销或并入其他单位，不能转为对接意向。"
    if other is not None and one.id == other.id:
        return "双方现在是同一家单位，不能转为对接意向。"
    return ""


def there(actor: Actor, source_kind: str, source_id: int) -> str | None:
    """The number of the live intent that grew from this source, where the actor may read it."""
    query = select(Intent.no).where(
        Intent.source_kind == source_kind,
        Intent.source_id == source_id,
        Intent.state.in_(LIVE),
        policy.where(actor, READ, Intent),
    )
    return db.session.scalar(query.order_by(Intent.id.desc()).limit(1))


# What contract a way of working together ends in, where it is the only one that is asked for.
_CLASS_OF = {
    "joint": "development",
    "assignment": "assignment",
    "licence": "licence",
    "consulting": "consulting",
    "service": "service",
}


def known(actor: Actor, source: Source) -> dict[str, str]:
    """What is known already of an intent to begin, as somebody would type it: nothing is asked twice."""
    found: dict[str, str] = {}
    listing = source.listing
    try:
        content = catalogue.get(actor, listing.kind, listing.no).content
    except (NotFound, Gone):
        content = {}
    modes = content.get("transfer_modes") or content.get("cooperation_modes") or []
    if len(modes) == 1 and modes[0] in _CLASS_OF:
        found["contract_class"] = _CLASS_OF[modes[0]]
    if source.kind == "dispatch":
        found["text"] = dispatches.of(source.no, actor).answer or ""
    return found


def begin(actor: Actor, no: str, values: Mapping[str, Any], kind: str = "inquiry") -> str:
    """Turn a source into an intent, which the other side is asked to accept; returns its number.

    Args:
        no: of the inquiry, the dispatch or the answer; kind: which of `models.SOURCES` it is.
        values: side of the actor ("buyer", "seller"), perhaps contract_class and text.

    Raises:
        NotFound: no such source, or not for this actor.
        Conflict: something must be done first, or there is a live intent of it.
    """
    facts = facts_of(actor, start(actor, no, kind).source.listing)
    with unit_of_work(actor) as work:
        now = start(actor, no, kind)
        if now.obstacle:
            raise Conflict(now.obstacle)
        side = values.get("side")
        if side not in OTHER:
            raise Invalid({"side": ["请选择本单位是买方还是卖方。"]})
        assert now.own is not None
        assert now.other is not None
        parties = {side: now.own, OTHER[side]: now.other}
        return found(work, now.source, parties, side, {**values, **facts})


def found(
    work: UnitOfWork,
    source: Source,
    parties: Mapping[str, Organisation],
    begun_by: str,
    values: Mapping[str, Any],
) -> str:
    """Make an intent of whatever source, and ask the other party; returns its number.

    Call inside a unit of work; the source has asked its own permission.

    Args:
        parties: "buyer" and "seller".
        values: perhaps contract_class, ip, field, and text for the other party.

    Raises:
        Denied: the actor does not act for a party. Conflict: there is a live intent of this source.
    """
    # The number first: taking it lets only one at a time look whether there is an intent.
    series = f"{SERIES}{clock.today().year}"
    no = f"{series}{numbers.take(series)[0]:06d}"
    if (earlier := there(work.actor, source.kind, source.id)) is not None:
        raise Conflict(f"已转为对接意向 {earlier}，请到那里接着谈。")
    row = _insert(no, source, parties, begun_by, values)
    work.require(BEGIN, row)
    flow.begin(work, INTENT, row)
    if values.get("text"):
        write_down(work.actor, row, begun_by, values["text"])
    messages.tell_other(messages.PROPOSED, row, begun_by)
    messages.tell_areas(row)
    return no


def facts_of(actor: Actor, listing: Listing) -> dict[str, Any]:
    """Field and intellectual property that a listing names while it is public."""
    try:
        shown = catalogue.get(actor, listing.kind, listing.no).shown
    except (NotFound, Gone):
        return {}
    found = {"ip": shown.get("ip"), "field": shown.get("fields")}
    lengths = {"ip": 500, "field": 200}
    return {name: _joined(text)[: lengths[name]] for name, text in found.items() if text}


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "；".join(text)


def _insert(
    no: str,
    source: Source,
    parties: Mapping[str, Organisation],
    begun_by: str,
    values: Mapping[str, Any],
) -> Intent:
    now, buyer, seller = clock.now(), parties["buyer"], parties["seller"]
    row = Intent(
        no=no,
        source_kind=source.kind,
        source_id=source.id,
        source_no=source.no,
        listing_id=source.listing.id,
        title=source.title,
        contract_class=values.get("contract_class"),
        ip=values.get("ip"),
        field=values.get("field"),
        buyer_id=buyer.id,
        seller_id=seller.id,
        buyer_region_id=buyer.region_id,
        seller_region_id=seller.region_id,
        begun_by=begun_by,
        turn=OTHER[begun_by],
        state="proposed",
        said_at=now,
        demo=source.demo,
        created_at=now,
        updated_at=now,
    )
    db.session.add(row)
    db.session.flush()
    return row
