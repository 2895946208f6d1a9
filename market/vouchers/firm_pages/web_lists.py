"""我的创新券: what one's organisations applied for, hold, ordered and claim; who owns them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.core.errors import Denied
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.submitting import Trouble, show, submit
from market.core.views import query_url
from market.core.workflow import timeline
from market.vouchers import related
from market.vouchers.claim_models import CLAIM_STATES
from market.vouchers.codes import STARTS
from market.vouchers.firm_pages import queries
from market.vouchers.firm_pages.schemas import NONE, PARTIES, DeclareSchema
from market.vouchers.locking import seen
from market.vouchers.models import APPLICATION_STATES, ORDER_STATES, VOUCHER_STATES, Voucher
from market.vouchers.schemes import sheet_of
from market.vouchers.workflow import (
    APPLICATION,
    CLAIM,
    DECLARE,
    ORDER,
    OWN_LIST,
    READ_CLAIM,
    READ_VOUCHER,
    VOUCHER,
)

blueprint = Blueprint("my_vouchers", __name__)
TABS = {"vouchers": "创新券", "applications": "申领", "orders": "服务订单", "claims": "兑付"}
_FLOWS = {"applications": APPLICATION, "orders": ORDER, "claims": CLAIM}


@blueprint.get("/my/vouchers")
@requires(OWN_LIST)
def mine() -> str | AnyResponse:
    """The lists, each with its state and what comes next."""
    actor = current_actor()
    counts = queries.counts(actor)
    first = next((tab for tab in TABS if counts[tab]), "vouchers")
    asked = request.args.get("tab", first)
    tab = asked if asked in TABS else first
    page = queries.mine(actor, tab, page_number())
    if page.page > page.pages:
        return redirect(query_url())
    own = set(actor.organisations())
    return render_template(
        "vouchers/mine.html",
        page=page,
        tab=tab,
        tabs=TABS,
        counts=counts,
        own=own,
        several=len(own) > 1,
        firms=queries.firms(actor),
        names=queries.names(_sides(page.items)),
        bars=queries.bars(actor),
        claimable=queries.claimable(actor),
        next_steps={one.no: next_step(tab, one, own) for one in page.items},
        states={
            "vouchers": VOUCHER_STATES,
            "applications": APPLICATION_STATES,
            "orders": ORDER_STATES,
            "claims": CLAIM_STATES,
        }[tab],
    )


def page_number() -> int:
    """The page that is asked for; the first for what is no number."""
    text = request.args.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 6 else 1


def _sides(rows: Any) -> list[int]:
    names = ("organisation_id", "provider_id", "claimant_id")
    found = {getattr(row, name, None) for row in rows for name in names}
    return [one for one in found if one is not None]


def next_step(tab: str, row: Any, own: set[int]) -> tuple[bool, str]:
    """Whether the reader has to act, and what comes next in words."""
    if tab == "orders":
        return order_step(row, own)
    if tab not in _FLOWS:
        return (False, "")
    item = _FLOWS[tab].item(row)
    if item is None or not item.side:
        return (False, "")
    return (item.side == "owner", item.next_step)


def order_step(row: Any, own: set[int]) -> tuple[bool, str]:
    """Whether the reader has to act on an order, and what comes next, by his side of it."""
    provides, buys = row.provider_id in own, row.organisation_id in own
    if row.state == "placed":
        return (provides, "请接单，或写明原因不接" if provides else "等服务机构接单")
    if row.state == "confirmed":
        return (provides, "做完后点交付" if provides else "等服务机构交付")
    if row.state == "delivered":
        return (buys, "请验收，或退回重做" if buys else "等企业验收")
    if row.state == "accepted" and queries.claim_of(row) is None:
        ours = queries.claims(row, own)
        return (ours, "可以申请兑付" if ours else "等对方申请兑付")
    return (False, "")


@blueprint.get("/my/vouchers/<string:no>")
@requires(READ_VOUCHER)
def voucher(no: str) -> str:
    """One voucher: what it is worth, until when, what used it."""
    actor = current_actor()
    row = seen(Voucher, actor, READ_VOUCHER, no)
    orders, claims = queries.uses_of(row)
    own = set(actor.organisations())
    sheet, application = sheet_of(row.version), queries.application_of(row)
    return render_template(
        "vouchers/voucher.html",
        voucher=row,
        application_no=application.no,
        desk=queries.desk_address(actor, application),
        sheet=sheet,
        starts=STARTS.get(sheet.validity_starts or "", ""),
        orders=orders,
        claims=claims,
        readable={one.id for one in claims if policy.allows(actor, READ_CLAIM, one)},
        names=queries.names(_sides(orders)),
        usable=row.organisation_id in own and row.state in queries.USABLE and row.left_fen > 0,
        states=VOUCHER_STATES,
        order_states=ORDER_STATES,
        claim_states=CLAIM_STATES,
        events=timeline(VOUCHER.name, row.id),
        words={one.action: one.label for one in VOUCHER.transitions} | {"begin": "发放"},
    )


@blueprint.get("/my/vouchers/parties")
@requires(DECLARE)
def parties() -> AnyResponse:
    """What one's organisation declared of itself for the test of related parties."""
    return show(_parties_page)


@blueprint.post("/my/vouchers/parties")
@requires(DECLARE)
def declare() -> AnyResponse:
    """Declare it: what is left blank stays, 无 takes it back."""
    actor = current_actor()
    firm = wanted_firm()

    def act(values: Mapping[str, Any]) -> str:
        if firm is None:
            raise Denied("请先加入或登记单位，再由单位的编辑填写。")
        related.declare(actor, firm.id, told_parties(values))
        return f"/my/vouchers/parties?firm={firm.id}&saved=1"

    return submit(DeclareSchema(), act, _parties_page)


def told_parties(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Kind → lines, of what was filled in; 无 alone: none."""
    found = {}
    for kind in PARTIES:
        if text := values.get(kind):
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            found[kind] = [] if lines == [NONE] else lines
    return found


def wanted_firm() -> Any:
    """The organisation that the page is about; None: the actor has to choose, or has none."""
    text = request.values.get("firm", "")
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
    return queries.firm_for(current_actor(), number)


def firm_options() -> list[tuple[str, str]]:
    """The organisations to choose from."""
    return [(str(one.id), one.name) for one in queries.firms(current_actor())]


def _parties_page(form: Form, trouble: Trouble) -> str:
    firm = wanted_firm()
    return render_template(
        "vouchers/parties.html",
        form=form,
        trouble=trouble,
        firm=firm,
        firms=firm_options(),
        kinds=PARTIES,
        nothing=NONE,
        declared=related.declared(current_actor(), firm.id) if firm else {},
        saved=request.args.get("saved") == "1" and not trouble,
    )
