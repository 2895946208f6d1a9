"""Payment batches: opened from approved claims, decided, countersigned, paid, printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, render_template, request
from marshmallow import Schema, ValidationError
from werkzeug.wrappers import Response as AnyResponse

from market.contracts.papers.web import handed_out
from market.core import clock, csrf
from market.core.errors import Invalid
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.submitting import Page, Trouble, show, submit
from market.core.unit_of_work import unit_of_work
from market.service_points.pages import table
from market.vouchers import claiming, mending, paying
from market.vouchers.claim_models import (
    BATCH_STATES,
    CHECK_RESULTS,
    CLAIM_STATES,
    PAYMENT_STATES,
    Batch,
)
from market.vouchers.office_pages import acting, batching, prints, queries, treasury
from market.vouchers.office_pages.forms import (
    DecideForm,
    InvoicesForm,
    OpenForm,
    PaymentRow,
    PressForm,
    ReasonForm,
    typed_payments,
)
from market.vouchers.office_pages.queries import HERE
from market.vouchers.office_pages.web_claims import kept_by_nobody
from market.vouchers.schemes import sheet_of
from market.vouchers.workflow import CHECK, COUNTERSIGN, MAKE_BATCH, PAY, READ_BATCH, UNMASK

blueprint = Blueprint("voucher_batches", __name__)
STANDINGS = {
    "draft": "草稿，还没有开始",
    "running": "公示中",
    "objection_open": "有异议没有答复，批次须等待",
    "upheld": "异议成立",
    "clear": "期满，没有成立的异议",
    "gone": "已撤回",
}


@blueprint.get("/desk/vouchers/batches/new")
@requires(MAKE_BATCH)
def new() -> AnyResponse:
    """Approved claims by scheme, to be put into a batch."""
    return show(_new_page)


def _new_page(form: Form, trouble: Trouble) -> str:
    groups = batching.ready(current_actor())
    days = {
        one.scheme.no: any(sheet_of(each.version).notice_days for each in one.claims)
        for one in groups
    }
    return render_template(
        "vouchers/office_batch_new.html",
        groups=groups,
        must_notice=days,
        here=HERE,
        year=clock.today().year,
        form=form,
        ticked=form.typed.get("item", "").split("；"),
        trouble=trouble,
    )


@blueprint.post("/desk/vouchers/batches/new")
@requires(MAKE_BATCH)
def begin() -> AnyResponse:
    """Open a batch and begin its notice."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> str:
        no = paying.open_batch(
            actor, values["scheme"], values["item"], values["title"],
            notice=values.get("notice") != "no",
        )  # fmt: skip
        return f"{HERE}/batches/{no}"

    return submit(OpenForm(), act, _new_page)


@blueprint.get("/desk/vouchers/batches/<string:no>")
@requires(READ_BATCH)
def batch(no: str) -> AnyResponse:
    """A batch."""
    queries.find(Batch, current_actor(), no)
    return show(_page(no))


def _page(no: str, tried: str = "") -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        found = queries.batch(actor, no)
        return render_template(
            "vouchers/office_batch.html",
            one=found,
            row=found.row,
            address=f"{HERE}/batches/{no}",
            here=HERE,
            standings=STANDINGS,
            papers=prints.kinds_for(found.row),
            payers=found.payers,
            form=form,
            sent=request.form if tried else {},
            tried=tried,
            trouble=trouble,
            states=BATCH_STATES,
            claim_states=CLAIM_STATES,
            payment_states=PAYMENT_STATES,
            results=list(CHECK_RESULTS.items()),
            result_words=CHECK_RESULTS,
            today=clock.today(),
            may_make=policy.allows(actor, MAKE_BATCH, found.row),
            may_check=policy.allows(actor, CHECK),
            may_countersign="countersign" in found.may,
            may_pay=policy.allows(actor, PAY, found.row),
            may_unmask=policy.allows(actor, UNMASK),
        )

    return page


def _sent(
    no: str,
    at: str,
    schema: Schema,
    act: Callable[[Mapping[str, Any]], object],
    *,
    twice: bool = False,
) -> AnyResponse:
    """One of the forms of a batch; leads back to it."""
    queries.find(Batch, current_actor(), no)

    def go(values: Mapping[str, Any]) -> str:
        act(values)
        return f"{HERE}/batches/{no}"

    return submit(schema, go, _page(no, at), twice=twice)


@blueprint.post("/desk/vouchers/batches/<string:no>/decide")
@requires(MAKE_BATCH)
def decide(no: str) -> AnyResponse:
    """Enter meeting and fund document."""
    actor = current_actor()
    return _sent(no, "decide", DecideForm(), lambda v: acting.decide_batch(actor, no, v))


@blueprint.post("/desk/vouchers/batches/<string:no>/notice")
@requires(MAKE_BATCH)
def notice(no: str) -> AnyResponse:
    """Begin another notice."""
    actor = current_actor()
    return _sent(no, "notice", PressForm(), lambda _v: mending.notice_again(actor, no))


@blueprint.post("/desk/vouchers/batches/<string:no>/invoices")
@requires(CHECK)
def invoices(no: str) -> AnyResponse:
    """The second check of the invoices: those for which a result was chosen."""
    actor = current_actor()
    found = queries.batch(actor, no)
    results = {
        (one.no, each.number): chosen
        for one in found.claims
        for each in one.invoices
        if (chosen := request.form.get(f"result_{each.id}", "")) in CHECK_RESULTS
    }

    def act(values: Mapping[str, Any]) -> None:
        acting.check_invoices(actor, no, results, values.get("on") or clock.today())

    return _sent(no, "invoices", InvoicesForm(), act)


@blueprint.post("/desk/vouchers/batches/<string:no>/countersign")
@requires(COUNTERSIGN)
def countersign(no: str) -> AnyResponse:
    """会签."""
    actor = current_actor()
    return _sent(no, "countersign", PressForm(), lambda _v: acting.countersign(actor, no))


@blueprint.post("/desk/vouchers/batches/<string:no>/pay")
@requires(PAY)
def pay(no: str) -> AnyResponse:
    """Enter what the treasury paid, as typed."""
    actor = current_actor()
    to_pay = queries.batch(actor, no).to_pay

    def act(_values: Mapping[str, Any]) -> None:
        paying.record_payments(actor, no, list(_payments(to_pay)))

    return _sent(no, "pay", PressForm(), act)


def _payments(to_pay: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """The typed lines, read. Raises Invalid: one has mistakes, at its field."""
    wrong: dict[str, list[str]] = {}
    found: list[dict[str, Any]] = []
    for one in typed_payments(request.form, to_pay):
        try:
            found.append(PaymentRow().load(one))
        except ValidationError as error:
            said = error.normalized_messages()
            texts = [str(text) for messages in said.values() for text in messages]
            wrong[f"treasury_{one['claim_no']}"] = texts
    if wrong:
        raise Invalid(wrong)
    if not found:
        raise Invalid({"rows": ["请填写国库凭证号。"]})
    yield from found


@blueprint.post("/desk/vouchers/batches/<string:no>/file")
@requires(PAY)
def file(no: str) -> AnyResponse:
    """Enter what the treasury paid, from its file: all lines or none."""
    actor = current_actor()
    sent = request.files.get("file")

    def act(_values: Mapping[str, Any]) -> None:
        if sent is None or not sent.filename:
            raise Invalid({"file": ["请选择国库的拨付表。"]})
        lines = treasury.read(sent.filename, sent.read())
        paying.record_payments(actor, no, lines)

    return _sent(no, "file", PressForm(), act, twice=True)


@blueprint.post("/desk/vouchers/batches/<string:no>/undo")
@requires(PAY)
def undo(no: str) -> AnyResponse:
    """Take back what was entered last."""
    actor = current_actor()
    return _sent(no, "undo", PressForm(), lambda _v: mending.take_back(actor, no))


@blueprint.get("/desk/vouchers/batches/<string:no>.xlsx")
@requires(READ_BATCH)
def as_table(no: str) -> Response:
    """The batch as a table, accounts masked."""
    found = queries.batch(current_actor(), no)
    rows = [*prints.rows(found), prints.total(found)]
    return kept_by_nobody(table(rows, prints.COLUMNS, f"拨付汇总表 {no}.xlsx"))


@blueprint.get("/desk/vouchers/batches/<string:no>/treasury.xlsx")
@requires(PAY)
def treasury_table(no: str) -> Response:
    """The table to fill in with the treasury's numbers, and to import here."""
    found = queries.batch(current_actor(), no)
    rows = prints.to_fill_in(found.waiting)
    return kept_by_nobody(table(rows, treasury.COLUMNS, f"国库拨付表 {no}.xlsx"))


@blueprint.post("/desk/vouchers/batches/<string:no>/accounts")
@requires(UNMASK)
def accounts(no: str) -> AnyResponse:
    """The same with the accounts in full: each is noted in the audit, with the reason."""
    actor = current_actor()
    found = queries.batch(actor, no)
    form = read_form(ReasonForm(), request.form)
    if not csrf.sent_by_our_form():
        return show(_page(no), form, Trouble(csrf.STALE, status=400))
    if not form.values.get("reason"):
        errors = {"reason": "请写明查看的理由。"}
        return show(_page(no, "accounts"), form, Trouble(errors=errors, status=422))
    rows = [dict(one) for one in prints.rows(found)]
    with unit_of_work(actor):
        for one in rows:
            one |= claiming.bank_of(actor, one["no"], form.values["reason"])
    rows.append(prints.total(found))
    name = f"拨付汇总表（含账户）{no}.xlsx"
    return kept_by_nobody(table(rows, prints.FULL_COLUMNS, name))


@blueprint.get("/desk/vouchers/batches/<string:no>/papers/<string:kind>.pdf")
@requires(READ_BATCH)
def paper(no: str, kind: str) -> Response:
    """A paper of a batch."""
    return kept_by_nobody(
        handed_out(prints.printed(queries.find(Batch, current_actor(), no), kind))
    )


@blueprint.get("/desk/vouchers/recommendations/<string:no>.pdf")
@requires(READ_BATCH)
def recommendation(no: str) -> Response:
    """推荐函: what one's level passed, for the level above; by the number of the scheme."""
    return kept_by_nobody(handed_out(prints.recommendation(current_actor(), no)))
