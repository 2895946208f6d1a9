"""我的技术合同, how one begins, and the public page about registering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.contracts import prefill
from market.contracts.codes import CLASSES, party_names, subclass_options
from market.contracts.filing_pages import guide, queries, rules, service
from market.contracts.filing_pages.schemas import BeginSchema, PlainSchema
from market.contracts.models import STATES
from market.contracts.schemas import LABELS
from market.contracts.workflow import CONTRACT, GUIDE, LIST, address
from market.core.errors import Conflict, Denied, Invalid
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import requires
from market.core.submitting import Trouble, show, submit
from market.core.text import clean_line
from market.core.views import query_url
from market.service_points import queries as directory
from market.service_points.pages import place_of

blueprint = Blueprint("my_contracts", __name__)
_NAMES = {
    one.code: party_names(one.code, "commissioned" if one.code == "development" else "")
    for one in guide.CLASSES
}


@blueprint.get("/my/contracts")
@requires(LIST)
def mine() -> str | AnyResponse:
    """Contracts of one's organisations, and those with which one's service point helps."""
    actor = current_actor()
    tabs = {code: label for code, (label, _) in rules.TABS.items()}
    filers, first = queries.filers(actor), "open"
    if queries.helps(actor):
        tabs |= {rules.HELPED: "受托帮办"}
        first = "open" if filers else rules.HELPED
    asked = request.args.get("tab", first)
    tab = asked if asked in tabs else first
    page = queries.mine(actor, tab, _page_number())
    if page.page > page.pages:
        return redirect(query_url())
    return render_template(
        "contracts/mine.html",
        page=page,
        tab=tab,
        tabs=tabs,
        states=STATES,
        classes=CLASSES,
        next_steps={one.no: _next(one) for one in page.items},
        may_begin=bool(filers),
        intents=queries.agreed_intents(actor) if tab == "open" else [],
        own=set(actor.organisations()),
    )


def _page_number() -> int:
    text = request.args.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 6 else 1


def _next(contract: Any) -> tuple[str, str]:
    """Who has to act and what that is, as the table of states says."""
    item = CONTRACT.item(contract)
    return (item.side, item.next_step) if item is not None else ("", "")


@blueprint.get("/my/contracts/new")
@requires(LIST)
def new() -> AnyResponse:
    """填写登记申请: from an agreed intent, from scratch, or by a file of many."""
    actor, intent = current_actor(), _intent()
    if intent:
        there = queries.of_intent(actor, intent)
        if there is not None:
            return redirect(address(there), 303)
    return show(_new_page)


@blueprint.post("/my/contracts/new")
@requires(LIST)
def begin() -> AnyResponse:
    """Begin a draft and go to its form."""
    actor, intent = current_actor(), _intent()

    def from_intent(_values: Mapping[str, Any]) -> str:
        return f"/contracts/{service.from_intent(actor, intent)}/edit"

    def from_scratch(values: Mapping[str, Any]) -> str:
        own = [one.id for one in queries.filers(actor)]
        if not own:
            raise Denied("请先加入或登记单位，再由单位的编辑填写。")
        owner = values.get("owner") or (own[0] if len(own) == 1 else None)
        if owner not in own:
            raise Invalid({"owner": ["请选择以哪家单位的名义申请。"]})
        names = ("title", "contract_class", "subclass")
        typed = {name: values[name] for name in names if values.get(name)}
        return f"/contracts/{service.from_scratch(actor, owner, typed)}/edit"

    if intent:
        return submit(PlainSchema(), from_intent, _new_page)
    return submit(BeginSchema(), from_scratch, _new_page)


def _intent() -> str:
    return clean_line(request.args.get("intent", ""))[:20]


def _new_page(form: Form, trouble: Trouble) -> str:
    actor, intent = current_actor(), _intent()
    filers = queries.filers(actor)
    given, hindrance = None, ""
    if intent:
        try:
            given = prefill.from_intent(actor, intent)
        except Conflict as error:
            hindrance = error.message
        if given is not None and given.filer_id not in {one.id for one in filers}:
            given = None
            hindrance = "技术合同由卖方申请登记；请卖方单位的编辑或管理员办理。"
    return render_template(
        "contracts/new.html",
        form=form,
        trouble=trouble,
        intent=intent,
        given=given,
        hindrance=hindrance,
        filled=[LABELS[name] for name in LABELS if given is not None and name in given.values],
        intents=queries.agreed_intents(actor),
        filers=[(str(one.id), one.name) for one in filers],
        classes=list(CLASSES.items()),
        subclasses=subclass_options(),
    )


@blueprint.get("/contracts")
@requires(GUIDE)
def guide_page() -> str:
    """办登记: what it is, who registers for whom, what to prepare."""
    typed = clean_line(request.args.get("region") or request.args.get("q", ""))[:50]
    region, meant = place_of(typed) if typed else (None, [])
    return render_template(
        "contracts/guide.html",
        typed=typed,
        region=region,
        meant=meant,
        found=directory.beside(region, None) if region is not None else None,
        steps=guide.STEPS,
        papers=guide.PAPERS,
        guides=guide.CLASSES,
        classes=CLASSES,
        names=_NAMES,
    )
