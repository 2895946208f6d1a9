"""Applying for vouchers (申领): which schemes fit and why, the form, the case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.core.errors import Conflict, Denied, Invalid
from market.core.fields import Choice
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.submitting import Page, Trouble, show, submit
from market.core.text import clean_line
from market.core.workflow import timeline
from market.vouchers import applying
from market.vouchers.facts import Outcome
from market.vouchers.firm_pages import queries
from market.vouchers.firm_pages.schemas import (
    FACTS,
    ApplySchema,
    PlainSchema,
    asked_facts,
    facts_in,
)
from market.vouchers.firm_pages.web_lists import firm_options, wanted_firm
from market.vouchers.locking import seen
from market.vouchers.models import APPLICATION_STATES, VOUCHER_STATES, Application, Scheme
from market.vouchers.workflow import APPLICATION, APPLY, READ_APPLICATION, VIEW

blueprint = Blueprint("voucher_applications", __name__)


@dataclass(frozen=True)
class Fit:
    """A scheme with what it says to a firm before it applies."""

    scheme: Scheme
    outcome: Outcome

    @property
    def first(self) -> Sequence[Any]:
        """What refuses, or else what is open."""
        refused = [one for one in self.outcome.reasons if one.weight == "refuse"]
        return refused or [one for one in self.outcome.reasons if one.weight == "open"]


@blueprint.get("/my/vouchers/apply")
@requires(APPLY)
def new() -> AnyResponse:
    """The schemes of one's region; with `?scheme=` the form of one."""
    return show(_page)


@blueprint.post("/my/vouchers/apply")
@requires(APPLY)
def apply() -> AnyResponse:
    """申领; `next=look` only tells how much by what was filled in."""
    actor = current_actor()
    if request.form.get("next") == "look":
        return show(_page, read_form(ApplySchema(), request.form))

    def act(values: Mapping[str, Any]) -> str:
        firm = wanted_firm()
        if firm is None:
            raise Denied("请选择以哪家单位的名义申领。")
        scheme = _scheme(values.get("scheme") or "")
        if values.get("asked_fen") is None:
            raise Invalid({"asked_fen": ["请填写申领金额。"]})
        asked, facts = values["asked_fen"], facts_in(values)
        no = applied(actor, scheme.no, firm.id, asked, facts, values.get("purpose"))
        return f"/vouchers/applications/{no}?sent=1"

    return submit(ApplySchema(), act, _page)


def applied(
    actor: Any, scheme_no: str, firm_id: int, asked_fen: int, facts: Mapping[str, Any],
    purpose: str | None,
) -> str:  # fmt: skip
    """Apply; what is wrong stands at the amount. Returns the number."""
    try:
        return applying.apply(actor, scheme_no, firm_id, asked_fen, facts, purpose or "")
    except Invalid as error:
        told = {"asked_fen" if name == "asked" else name: w for name, w in error.fields.items()}
        raise Invalid(told) from error


def _scheme(no: str) -> Scheme:
    return seen(Scheme, current_actor(), VIEW, clean_line(no)[:20])


def _page(form: Form, trouble: Trouble) -> str:
    actor, firm = current_actor(), wanted_firm()
    wanted = clean_line(request.values.get("scheme", ""))[:20]
    facts = facts_in(form.values) if form.typed else {}
    scheme = sheet = outcome = None
    closed = ""
    if wanted and firm is not None:
        scheme = _scheme(wanted)
        facts = {**queries.last_facts(actor, firm.id), **facts}
        try:
            sheet = queries.live_sheet(scheme)
            outcome = applying.look(scheme, firm, facts)
        except Conflict as error:
            closed = error.message
    return render_template(
        "vouchers/apply.html",
        form=form,
        trouble=trouble,
        firm=firm,
        firms=firm_options(),
        scheme=scheme,
        sheet=sheet,
        closed=closed,
        outcome=outcome,
        asked=asked_facts(sheet) if sheet else [],
        facts_typed=typed_facts(facts, form),
        facts_fields=FACTS,
        fits=_fits(firm) if firm is not None and scheme is None else [],
        looked=request.form.get("next") == "look",
    )


def typed_facts(facts: Mapping[str, Any], form: Form) -> dict[str, str]:
    """The declared facts as the form shows them: what was typed, or what is known."""
    found = {}
    for name, one in FACTS.items():
        value = facts.get(name)
        shown = value if isinstance(one, Choice) else one.serialize(name, {name: value})
        found[name] = form.typed.get(name) or ("" if shown is None else str(shown))
    return found


def _fits(firm: Any) -> list[Fit]:
    actor = current_actor()
    facts = queries.last_facts(actor, firm.id)
    return [Fit(one, applying.look(one, firm, facts)) for one in queries.schemes_for(actor, firm)]


@blueprint.get("/vouchers/applications/<string:no>")
@requires(READ_APPLICATION)
def case(no: str) -> AnyResponse:
    """An application: what was asked, by which rules, what came of it."""
    seen(Application, current_actor(), READ_APPLICATION, no)
    return show(_case_page(no))


@blueprint.post("/vouchers/applications/<string:no>/withdraw")
@requires(READ_APPLICATION)
def withdraw(no: str) -> AnyResponse:
    """Take it back before it is decided."""
    actor = current_actor()
    seen(Application, actor, READ_APPLICATION, no)

    def act(values: Mapping[str, Any]) -> str:
        applying.withdraw(actor, no, values.get("seen"))
        return f"/vouchers/applications/{no}"

    return submit(PlainSchema(), act, _case_page(no))


def _case_page(no: str) -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        row = seen(Application, actor, READ_APPLICATION, no)
        own = row.organisation_id in actor.organisations()
        offered = APPLICATION.actions(actor, row) if policy.allows(actor, APPLY, row) else []
        return render_template(
            "vouchers/application.html",
            case=row,
            form=form,
            trouble=trouble,
            own=own,
            desk=queries.desk_address(actor, row),
            buttons=[one for one in offered if one.action == "withdraw"],
            vouchers=queries.vouchers_of(row),
            facts=facts_shown(row.facts),
            states=APPLICATION_STATES,
            voucher_states=VOUCHER_STATES,
            events=timeline(APPLICATION.name, row.id),
            words={one.action: one.label for one in APPLICATION.transitions} | {"begin": "申领"},
        )

    return page


def facts_shown(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was declared, in words."""
    found = []
    for name, one in FACTS.items():
        if facts.get(name) is not None:
            shown = one.serialize(name, {name: facts[name]})
            unit = " 元" if name.endswith("_fen") else ""
            found.append((one.metadata["label"], f"{shown}{unit}"))
    return found
