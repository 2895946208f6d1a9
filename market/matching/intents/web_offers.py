"""The form of an offer, and two versions side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.catalogue.models import PRICE_MODES
from market.core import csrf, files
from market.core.errors import Conflict, Invalid, NotFound
from market.core.forms import Form
from market.core.http import current_actor
from market.core.money import format_yuan
from market.core.permissions import Actor, policy, requires
from market.core.submitting import EMPTY, Trouble, show, submit
from market.matching.intents import offers, queries
from market.matching.intents.models import BASES, MODES, OWNERSHIP
from market.matching.intents.rules import LONGEST_WORDS, MOST_FILES
from market.matching.intents.schemas import PLAN_PLACES, OfferSchema
from market.matching.intents.workflow import OFFER, TERMS

blueprint = Blueprint("intent_offers", __name__)
_SHOWN_ROWS = 4
LARGEST_FORM = 4 * 1024 * 1024  # bytes of all fields that are no files


@blueprint.get("/intents/<string:no>/offer")
@requires(OFFER)
def form(no: str) -> AnyResponse:
    """提出方案: begins with the latest offer, or with what the listing asks."""
    actor = current_actor()
    case = _open_case(actor, no)
    start = Form({}, {}, _typed(queries.draft(actor, case)))
    return show(_page(actor, no), start)


@blueprint.post("/intents/<string:no>/offer")
@requires(OFFER)
def send(no: str) -> AnyResponse:
    """Propose the terms."""
    request.max_form_memory_size = LARGEST_FORM  # too much text is to come back with a sentence
    actor = current_actor()
    case = _open_case(actor, no)
    uploads, wrong = _take_files()

    def act(values: Mapping[str, Any]) -> str:
        if wrong:
            raise Invalid(wrong)
        if case.intent.state != "talking":
            raise Conflict("这件意向现在不能提方案；请回到意向页看看进展。")
        offers.offer(actor, no, values, uploads, values.get("version"))
        return f"/intents/{no}#offer"

    return submit(OfferSchema(), act, _page(actor, no))


def _open_case(actor: Actor, no: str) -> queries.Case:
    """The case, for a party that writes. Raises NotFound."""
    case = queries.get(actor, no)
    if not policy.allows(actor, OFFER, case.intent):
        raise NotFound(f"没有编号为 {no} 的对接意向。")
    return case


def _take_files() -> tuple[list[files.Upload], dict[str, list[str]]]:
    """The files that were sent, judged and stored; what is wrong with the first that is not good."""
    if not csrf.sent_by_our_form():
        return [], {}
    sent = [one for one in request.files.getlist("file") if one.filename]
    if len(sent) > MOST_FILES:
        return [], {"file": [f"一次最多 {MOST_FILES} 个文件。"]}
    try:
        return [files.take_in(one.filename or "", one.read()) for one in sent], {}
    except Invalid as error:
        return [], error.fields


def _typed(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as somebody would have typed them."""
    found = {
        name: _as_typed(name, value)
        for name, value in values.items()
        if value is not None and name != "plan"
    }
    if values.get("price_mode") == "fixed":
        found.pop("price_max_fen", None)  # the same amount, which is typed once
    for place, row in enumerate(values.get("plan") or (), 1):
        for name, value in row.items():
            if value is not None:
                found[f"plan_{name}_{place}"] = _as_typed(name, value)
    return found


def _as_typed(name: str, value: Any) -> str:
    if name == "fen" or name.endswith("_fen"):
        return format_yuan(value)
    if name == "royalty_bp":
        return f"{value // 100}.{value % 100:02d}".rstrip("0").rstrip(".")
    return value.isoformat() if isinstance(value, date) else str(value)


def _page(actor: Actor, no: str) -> Callable[[Form, Trouble], str]:
    def page(form: Form, trouble: Trouble) -> str:
        case = queries.get(actor, no)
        used = [place for place in PLAN_PLACES if _row_used(form, place)]
        rows = max(_SHOWN_ROWS, (max(used) + 1) if used else 0)
        return render_template(
            "intents/offer.html",
            case=case,
            intent=case.intent,
            address=f"/intents/{no}",
            form=form,
            trouble=trouble,
            places=PLAN_PLACES[:rows],
            modes=list(MODES.items()),
            price_modes=list(PRICE_MODES.items()),
            bases=list(BASES.items()),
            ownership=list(OWNERSHIP.items()),
            accepted=files.ACCEPTED,
            longest=LONGEST_WORDS,
        )

    return page


def _row_used(form: Form, place: int) -> bool:
    return any(form.typed.get(f"plan_{name}_{place}") for name in ("when", "what", "fen"))


@blueprint.get("/intents/<string:no>/versions")
@requires(TERMS)
def versions(no: str) -> AnyResponse:
    """Two versions of the offers side by side."""
    case = queries.get(current_actor(), no)
    if not case.offers:
        raise NotFound("还没有方案。")
    latest = case.offers[0].offer.version
    first, second = _number("a", latest - 1 or 1), _number("b", latest)
    rows = queries.compared(case, first, second)

    def page(_form: Form, _trouble: Trouble) -> str:
        return render_template(
            "intents/versions.html",
            case=case,
            intent=case.intent,
            rows=rows,
            first=first,
            second=second,
            options=[(str(one.offer.version), f"第 {one.offer.version} 版") for one in case.offers],
        )

    return show(page, EMPTY)


def _number(name: str, otherwise: int) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else otherwise
