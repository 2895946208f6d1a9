"""Orders: a firm orders, the provider confirms and delivers, the firm accepts and rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.core.errors import Conflict, Denied
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.submitting import Page, Trouble, show, submit
from market.core.text import clean_line
from market.core.workflow import timeline
from market.vouchers import ordering
from market.vouchers.claim_models import CLAIM_STATES
from market.vouchers.firm_pages import placing, queries
from market.vouchers.firm_pages.schemas import (
    FACTS,
    OrderSchema,
    PlainSchema,
    RateSchema,
    asked_facts,
    facts_in,
)
from market.vouchers.firm_pages.web_apply import typed_facts
from market.vouchers.firm_pages.web_lists import firm_options, order_step, wanted_firm
from market.vouchers.locking import seen
from market.vouchers.models import ORDER_STATES, STARS, Order
from market.vouchers.schemes import sheet_of
from market.vouchers.workflow import ORDER, ORDER_SERVICE, READ_CLAIM, READ_ORDER

blueprint = Blueprint("voucher_orders", __name__)


@blueprint.get("/my/vouchers/order")
@requires(ORDER_SERVICE)
def new() -> AnyResponse:
    """The form of an order; first with which voucher, or by which scheme."""
    return show(_page)


@blueprint.post("/my/vouchers/order")
@requires(ORDER_SERVICE)
def place() -> AnyResponse:
    """下单; `next=look` only says what the voucher may bear and whether both are related."""
    actor = current_actor()
    if request.form.get("next") == "look":
        return show(_page, read_form(OrderSchema(), request.form))

    def act(values: Mapping[str, Any]) -> str:
        firm = wanted_firm()
        if firm is None:
            raise Denied("请选择以哪家单位的名义下单。")
        return f"/vouchers/orders/{placing.place(actor, firm.id, values)}?sent=1"

    return submit(OrderSchema(), act, _page)


def _page(form: Form, trouble: Trouble) -> str:
    actor, firm = current_actor(), wanted_firm()
    voucher, scheme = (
        clean_line(request.values.get(one, ""))[:30] for one in ("voucher", "scheme")
    )
    found, closed, looked = None, "", None
    if firm is not None:
        try:
            found = placing.source(actor, voucher, scheme)
        except Conflict as error:
            closed = error.message
    facts = facts_in(form.values)
    if found is not None and firm is not None:
        facts = {**queries.last_facts(actor, firm.id), **facts}
        if form.typed:
            looked = placing.look(found, firm, {**form.values, **facts})
    return render_template(
        "vouchers/order_new.html",
        form=form,
        trouble=trouble,
        firm=firm,
        firms=firm_options(),
        source=found,
        services=[(one.code, one.label) for one in found.sheet.services] if found else [],
        closed=closed,
        looked=looked,
        asked=asked_facts(found.sheet) if found else [],
        facts_typed=typed_facts(facts, form),
        facts_fields=FACTS,
        usable=queries.usable(actor, firm.id) if firm is not None and found is None else [],
        schemes=_without_voucher(firm) if firm is not None and found is None else [],
        providers=queries.providers() if found else [],
    )


def _without_voucher(firm: Any) -> list[Any]:
    """Schemes whose money is held when one orders, without a voucher before."""
    rows = queries.schemes_for(current_actor(), firm)
    sheets = [(one, queries.live_sheet(one)) for one in rows]
    return [
        one for one, sheet in sheets if sheet.claims_without_voucher or sheet.reserve_at == "order"
    ]


@blueprint.get("/vouchers/orders/<string:no>")
@requires(READ_ORDER)
def case(no: str) -> AnyResponse:
    """An order for both sides: what was agreed, where it stands, its claim, its rating."""
    seen(Order, current_actor(), READ_ORDER, no)
    return show(_case_page(no))


@blueprint.post(
    "/vouchers/orders/<string:no>"
    "/<any(confirm, refuse, deliver, accept, dispute, cancel, end):action>"
)
@requires(READ_ORDER)
def act(no: str, action: str) -> AnyResponse:
    """One step of either side."""
    actor = current_actor()
    seen(Order, actor, READ_ORDER, no)

    def do(values: Mapping[str, Any]) -> str:
        ordering.act(actor, no, action, reason=values.get("reason"), version=values.get("seen"))
        return f"/vouchers/orders/{no}"

    return submit(PlainSchema(), do, _case_page(no))


@blueprint.post("/vouchers/orders/<string:no>/rate")
@requires(READ_ORDER)
def rate(no: str) -> AnyResponse:
    """评价 of the firm, once."""
    actor = current_actor()
    seen(Order, actor, READ_ORDER, no)

    def do(values: Mapping[str, Any]) -> str:
        stars = int(values.get("stars") or 0)
        ordering.rate(actor, no, stars, values.get("words") or "", values.get("version"))
        return f"/vouchers/orders/{no}#rating"

    return submit(RateSchema(), do, _case_page(no, "rate"))


def _case_page(no: str, tried: str = "") -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        row = seen(Order, actor, READ_ORDER, no)
        own = set(actor.organisations())
        sheet, claim = sheet_of(row.version), queries.claim_of(row)
        service = sheet.service(row.service)
        return render_template(
            "vouchers/order.html",
            order=row,
            sheet=sheet,
            form=form,
            trouble=trouble,
            tried=tried,
            own=own,
            buttons=ordering.steps(actor, row),
            mine=order_step(row, own),
            service=service.label if service else row.service,
            claim=claim,
            desk=queries.desk_address(actor, claim),
            claim_readable=claim is not None and policy.allows(actor, READ_CLAIM, claim),
            may_claim=claim is None and row.state == "accepted" and _claims(row),
            rating=ordering.rating_of(row),
            may_rate=row.state == "accepted" and policy.allows(actor, ORDER_SERVICE, row),
            stars=STARS,
            states=ORDER_STATES,
            claim_states=CLAIM_STATES,
            events=timeline(ORDER.name, row.id),
            words={one.action: one.label for one in ORDER.transitions} | {"begin": "下单"},
        )

    return page


def _claims(row: Order) -> bool:
    return queries.claims(row, {one.id for one in queries.firms(current_actor())})
