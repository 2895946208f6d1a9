"""An inquiry becomes an intent: who the parties are, and what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from market.accounts.models import Organisation
from market.catalogue import queries as catalogue
from market.catalogue.models import Listing
from market.core import clock, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Gone, Invalid, NotFound
from market.core.permissions import Actor, policy
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.matching import queries as inquiries
from market.matching.intents import messages
from market.matching.intents.locking import OTHER
from market.matching.intents.models import LIVE, Intent
from market.matching.intents.thread import write_down
from market.matching.intents.workflow import BEGIN, INTENT, READ
from market.matching.models import OPEN, Inquiry
from market.matching.workflow import READ as READ_INQUIRY

SERIES = "YX"


@dataclass(frozen=True)
class Start:
    """What an intent would be, for the page before it.

    side: which one the reader is on, as the listing suggests; obstacle: what must be done first.
    """

    inquiry: Inquiry
    side: str
    own: Organisation | None
    other: Organisation | None
    other_label: str
    obstacle: str


def start(actor: Actor, inquiry_no: str) -> Start:
    """What would become of an inquiry.

    Raises:
        NotFound: no such inquiry, or the reader is neither side of it.
    """
    case = inquiries.get(actor, inquiry_no)
    inquiry = case.inquiry
    if case.side == "office":
        raise NotFound(f"没有编号为 {inquiry_no} 的咨询。")
    mine = inquiry.owner if case.side == "owner" else inquiry.asker
    other = inquiry.asker if case.side == "owner" else inquiry.owner
    label = inquiry.asker_label if case.side == "owner" else inquiry.owner.name
    obstacle = _obstacle(case.side, inquiry)
    return Start(inquiry, suggested(inquiry, case.side), mine, other, label, obstacle)


def suggested(inquiry: Inquiry, side: str) -> str:
    """The owner of an achievement sells, the owner of a demand buys."""
    owner = "seller" if inquiry.listing.kind == "achievement" else "buyer"
    return owner if side == "owner" else OTHER[owner]


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
    for one in (inquiry.asker, inquiry.owner):
        if one.state != "active":
            return f"{one.name}已注销或并入其他单位，不能转为对接意向。"
    if inquiry.asker_id == inquiry.owner_id:
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


@dataclass(frozen=True)
class Source:
    """What an intent grows from: an inquiry, a dispatch, an answer to a call."""

    kind: str
    id: int
    no: str
    listing: Listing
    title: str
    demo: bool


def begin(actor: Actor, inquiry_no: str, values: Mapping[str, Any]) -> str:
    """Turn an inquiry into an intent, which the other side is asked to accept; returns its number.

    Args:
        values: side of the actor ("buyer", "seller"), perhaps contract_class and text.

    Raises:
        NotFound: no such inquiry, or not for this actor.
        Conflict: something must be done first, or there is a live intent of this inquiry.
    """
    facts = facts_of(actor, inquiries.get(actor, inquiry_no).inquiry.listing)
    with unit_of_work(actor) as work:
        readable = policy.where(actor, READ_INQUIRY, Inquiry)
        inquiry = db.session.scalars(
            select(Inquiry).where(Inquiry.no == inquiry_no, readable).with_for_update()
        ).one()
        asking = inquiries.side_of(actor, inquiry)
        obstacle = _obstacle(asking, inquiry)
        if obstacle:
            raise Conflict(obstacle)
        side = values.get("side")
        if side not in OTHER:
            raise Invalid({"side": ["请选择本单位是买方还是卖方。"]})
        assert inquiry.asker is not None
        mine, other = inquiry.owner, inquiry.asker
        if asking == "asker":
            mine, other = other, mine
        source = Source(
            "inquiry", inquiry.id, inquiry.no, inquiry.listing, inquiry.title, inquiry.demo
        )
        parties = {side: mine, OTHER[side]: other}
        return found(work, source, parties, side, {**values, **facts})


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
