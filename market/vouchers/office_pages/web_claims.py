"""A claim at the desk: its calculation, evidence, review, invoices, random check, account, papers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, render_template, request
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from market.contracts.papers.web import handed_out
from market.core import clock, csrf
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.submitting import EMPTY, Page, Trouble, show, submit
from market.core.text import clean_line
from market.vouchers import claiming, mending, paying, reviewing, top_ups
from market.vouchers.claim_models import (
    CHECK_RESULTS,
    CLAIM_STATES,
    DECISIONS,
    PAYMENT_STATES,
    Claim,
)
from market.vouchers.codes import EVIDENCE, EXCLUSIONS
from market.vouchers.eligible import show_bp
from market.vouchers.evidence import PURPOSES, files_of
from market.vouchers.office_pages import acting, evidence, prints, queries
from market.vouchers.office_pages.forms import (
    FIELDS,
    AccountForm,
    CheckForm,
    InvoiceForm,
    PressForm,
    ReasonForm,
    RecoverForm,
    ReviewForm,
    rates_of,
    reasons_of,
)
from market.vouchers.office_pages.queries import HERE
from market.vouchers.reviewing import APPROVED, chain_of, open_rates
from market.vouchers.sheet import Reading, read
from market.vouchers.workflow import (
    CHECK,
    PAY,
    READ_BATCH,
    READ_ORDER,
    READ_VOUCHER,
    REVIEW,
    SETTLE,
    UNMASK,
)

blueprint = Blueprint("voucher_office_claims", __name__)


@blueprint.get("/desk/vouchers/claims/<string:no>")
@requires(READ_BATCH)
def claim(no: str) -> AnyResponse:
    """A claim as offices see it."""
    queries.find(Claim, current_actor(), no)
    return show(_page(no))


def _page(no: str, tried: str = "", bank: Mapping[str, str] | None = None) -> Page:
    """tried: the form that was sent; bank: the account in full, for this once."""

    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        found = queries.claim(actor, no)
        row = found.row
        outcome: Any = row.outcome
        if row.state == "submitted":
            # As the rules and the budgets of those who add to it give it now.
            outcome = top_ups.told(row, claiming.outcome_of(row))
        return render_template(
            "vouchers/office_claim.html",
            one=found,
            row=row,
            outcome=outcome,
            address=f"{HERE}/claims/{no}",
            here=HERE,
            evidence=evidence.of(actor, row),
            files=files_of(row),
            purposes=PURPOSES,
            order_readable=row.order is not None and policy.allows(actor, READ_ORDER, row.order),
            voucher_readable=row.voucher is not None
            and policy.allows(actor, READ_VOUCHER, row.voucher),
            services=claiming.service_labels(row),
            chain=[prints.level_label(row, level) for level in range(len(chain_of(row)))],
            open_rates=open_rates(row),
            open_readings=[one for one in read(row.version.content).readings if not one.chosen],
            reading=claiming.READING,
            papers=prints.kinds_for(row),
            recommends=prints.recommends(actor, row),
            bank=bank,
            form=form,
            sent=request.form if tried else {},
            tried=tried,
            trouble=trouble,
            states=CLAIM_STATES,
            decisions=list(DECISIONS.items()),
            results=list(CHECK_RESULTS.items()),
            result_words=CHECK_RESULTS,
            payment_states=PAYMENT_STATES,
            fields=FIELDS,
            evidence_words=EVIDENCE,
            exclusions=EXCLUSIONS,
            show_bp=show_bp,
            options_of=_options,
            invoice_options=[(one.number, one.number) for one in row.invoices],
            today=clock.today(),
            approved=row.state in APPROVED,
            may_review=policy.allows(actor, REVIEW, row),
            hindrance=reviewing.hindrance(actor, row) if row.state == "submitted" else "",
            ends_returned=row.state == "returned"
            and policy.allows(actor, REVIEW, row)
            and not reviewing.hindrance(actor, row),
            may_check=policy.allows(actor, CHECK, row),
            may_pay=row.batch is not None and policy.allows(actor, PAY, row.batch),
            may_settle=policy.allows(actor, SETTLE, row.scheme),
            may_refuse=policy.allows(actor, REVIEW, row.scheme),
            may_unmask=policy.allows(actor, UNMASK, row),
        )

    return page


def _options(reading: Reading) -> list[tuple[str, str]]:
    """The ways to read a passage, for choosing."""
    return [(one.code, one.label) for one in reading.options]


def _sent(
    no: str,
    at: str,
    schema: Schema,
    act: Callable[[Mapping[str, Any]], object],
    *,
    twice: bool = False,
) -> AnyResponse:
    """One of the forms of a claim; leads back to it."""
    queries.find(Claim, current_actor(), no)

    def go(values: Mapping[str, Any]) -> str:
        act(values)
        return f"{HERE}/claims/{no}"

    return submit(schema, go, _page(no, at), twice=twice)


@blueprint.post("/desk/vouchers/claims/<string:no>/review")
@requires(REVIEW)
def review(no: str) -> AnyResponse:
    """Pass it at the present level, return it once with everything, or refuse it."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> None:
        reasons, version = reasons_of(values), values.get("version")
        reviewing.review(actor, no, values["decision"], reasons, version)

    return _sent(no, "review", ReviewForm(), act)


@blueprint.post("/desk/vouchers/claims/<string:no>/refuse")
@requires(REVIEW)
def refuse(no: str) -> AnyResponse:
    """Refuse it after its approval (an objection, a red-lettered invoice), or where nobody mends it."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> None:
        reasons = {"other": values.get("reason", "")}
        reviewing.review(actor, no, "refuse", reasons, values.get("version"))

    return _sent(no, "refuse", ReasonForm(), act)


@blueprint.post("/desk/vouchers/claims/<string:no>/rates")
@requires(REVIEW)
def rates(no: str) -> AnyResponse:
    """Decide rates and readings, for this claim or for all that wait under the same version."""
    actor = current_actor()
    row = queries.find(Claim, actor, no)
    known = open_rates(row)
    questions = [one.code for one in read(row.version.content).readings if not one.chosen]

    def act(values: Mapping[str, Any]) -> None:
        rates = rates_of(request.form, known)
        typed = {code: clean_line(request.form.get(f"reading_{code}", "")) for code in questions}
        readings = {code: option for code, option in typed.items() if option}
        version = values.get("version")
        if request.form.get("all"):
            acting.decide_many(actor, no, rates, readings, version)
        else:
            reviewing.decide_rates(actor, no, rates, version, readings)

    return _sent(no, "rates", PressForm(), act)


@blueprint.post("/desk/vouchers/claims/<string:no>/invoice")
@requires(CHECK)
def invoice(no: str) -> AnyResponse:
    """Type the result of checking an invoice, with its day."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> None:
        on = values.get("on") or clock.today()
        reviewing.check_invoice(actor, no, values["number"], values["result"], on)

    return _sent(no, "invoice", InvoiceForm(), act)


@blueprint.post("/desk/vouchers/claims/<string:no>/check")
@requires(CHECK)
def check(no: str) -> AnyResponse:
    """What the random check found."""
    actor = current_actor()
    return _sent(no, "check", CheckForm(), lambda v: paying.note_check(actor, no, v["words"]))


@blueprint.post("/desk/vouchers/claims/<string:no>/bounce")
@requires(PAY)
def bounce(no: str) -> AnyResponse:
    """退票."""
    actor = current_actor()
    return _sent(
        no, "bounce", ReasonForm(), lambda v: acting.bounce(actor, no, v.get("reason", ""))
    )


@blueprint.post("/desk/vouchers/claims/<string:no>/recover")
@requires(SETTLE)
def recover(no: str) -> AnyResponse:
    """追回, and the bar that follows."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> None:
        paying.recover(actor, no, values["reason"], values.get("until"))

    return _sent(no, "recover", RecoverForm(), act)


@blueprint.post("/desk/vouchers/claims/<string:no>/account")
@requires(CHECK)
def account(no: str) -> AnyResponse:
    """Write the right account after 退票."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> None:
        mending.correct_account(actor, no, values, values["reason"])

    return _sent(no, "account", AccountForm(), act)


@blueprint.post("/desk/vouchers/claims/<string:no>/bank")
@requires(UNMASK)
def bank(no: str) -> AnyResponse:
    """The account in full, for this once: noted in the audit."""
    actor = current_actor()
    queries.find(Claim, actor, no)
    form = read_form(ReasonForm(), request.form)
    if not csrf.sent_by_our_form():
        return show(_page(no), form, Trouble(csrf.STALE, status=400))
    if not form.values.get("reason"):
        errors = {"reason": "请写明查看的理由。"}
        return show(_page(no, "bank"), form, Trouble(errors=errors, status=422))
    found = claiming.bank_of(actor, no, form.values["reason"])
    return show(_page(no, bank=found), EMPTY)


@blueprint.get("/desk/vouchers/claims/<string:no>/papers/<string:kind>.pdf")
@requires(READ_BATCH)
def paper(no: str, kind: str) -> Response:
    """A paper of a claim."""
    return kept_by_nobody(
        handed_out(prints.printed(queries.find(Claim, current_actor(), no), kind))
    )


def kept_by_nobody(response: Response) -> Response:
    """A download that no cache keeps."""
    response.headers["Cache-Control"] = "private, no-store"
    return response
