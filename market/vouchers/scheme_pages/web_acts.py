"""What is done with a scheme: preview, publishing, readings, budgets, rates, ending it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.core import clock, once
from market.core.errors import Invalid
from market.core.http import current_actor
from market.core.permissions import requires
from market.core.submitting import submit
from market.vouchers import schemes
from market.vouchers.content import open_points
from market.vouchers.models import Scheme
from market.vouchers.preview import examples as examples_for
from market.vouchers.scheme_pages import queries, trying, writing
from market.vouchers.scheme_pages.forms import (
    BudgetForm,
    CloseForm,
    CopyForm,
    PublishForm,
    ReadingForm,
    rates_form,
)
from market.vouchers.scheme_pages.web import check_page
from market.vouchers.scheme_pages.web_desk import HERE, overview_page
from market.vouchers.workflow import MANAGE

blueprint = Blueprint("voucher_scheme_acts", __name__)


def _found(no: str) -> Scheme:
    return queries.find(current_actor(), no, MANAGE)


@blueprint.get("/desk/vouchers/schemes/<string:no>/preview")
@requires(MANAGE)
def preview(no: str) -> str:
    """试算: example firms and past cases by the version in force and by the one that is written."""
    actor, scheme = current_actor(), _found(no)
    written = queries.working_version(scheme)
    content, live = queries.both_versions(scheme)
    cases = examples_for(content, clock.today())
    return render_template(
        "vouchers/desk_preview.html",
        here=HERE,
        scheme=scheme,
        written=written,
        compared=live is not None,
        examples=trying.beside(live, content, cases),
        past=trying.beside(live, content, trying.past_cases(actor, scheme)),
        points=open_points(content),
    )


@blueprint.get("/desk/vouchers/schemes/<string:no>/check")
@requires(MANAGE)
def check(no: str) -> str:
    """An example of one's own by the version that is written."""
    scheme = _found(no)
    written = queries.working_version(scheme)
    note = f"按第 {written.version} 版试算，不占用额度，不保存。"
    return check_page(written.content, scheme.title, f"{HERE}/{no}", note)


@blueprint.post("/desk/vouchers/schemes/<string:no>/versions")
@requires(MANAGE)
def copy_version(no: str) -> AnyResponse:
    """Write the next version from an older one."""
    _found(no)

    def act(values: Mapping[str, Any]) -> str:
        writing.copy_version(current_actor(), no, values["version"], values.get("seen"))
        return f"{HERE}/{no}/edit"

    return submit(CopyForm(), act, overview_page(no, "versions"))


@blueprint.post("/desk/vouchers/schemes/<string:no>/publish")
@requires(MANAGE)
def publish(no: str) -> AnyResponse:
    """发布: the draft holds from a day on."""
    _found(no)

    def act(values: Mapping[str, Any]) -> str:
        try:
            day = values["effective_from"]
            number = writing.publish(current_actor(), no, day, values.get("seen"))
        except Invalid as error:
            open_words = error.fields.get("content")
            if not open_words:
                raise
            raise Invalid({"effective_from": ["还不能发布：", *open_words]}) from error
        return f"{HERE}/{no}?saved=published-{number}"

    return submit(PublishForm(), act, overview_page(no, "publish"))


@blueprint.post("/desk/vouchers/schemes/<string:no>/readings")
@requires(MANAGE)
def readings(no: str) -> AnyResponse:
    """选定读法."""
    _found(no)

    def act(values: Mapping[str, Any]) -> str:
        chosen = values.get("option") or ""
        writing.choose_reading(current_actor(), no, values["reading"], chosen, values.get("seen"))
        return f"{HERE}/{no}?saved=reading#readings"

    tried = f"reading-{request.form.get('reading', '')}"
    return submit(ReadingForm(), act, overview_page(no, tried))


@blueprint.post("/desk/vouchers/schemes/<string:no>/budgets")
@requires(MANAGE)
def budgets(no: str) -> AnyResponse:
    """The budget of a year and payer's region: set, raised, cut."""
    _found(no)
    word = request.form.get(once.FIELD) or once.new_word()

    def act(values: Mapping[str, Any]) -> str:
        writing.set_budget(
            current_actor(),
            no,
            values["year"],
            values["amount_fen"],
            values.get("region") or "",
            key=once.digest(f"{word}:{sorted(values.items())}".encode()),
            seen_fen=values.get("before"),
        )
        return f"{HERE}/{no}?saved=budget#budgets"

    tried = f"budget-{request.form.get('row', '')}"
    return submit(BudgetForm(), act, overview_page(no, tried))


@blueprint.post("/desk/vouchers/schemes/<string:no>/rates")
@requires(MANAGE)
def rates(no: str) -> AnyResponse:
    """审定比例 for all claims under review."""
    scheme = _found(no)
    keys = [key for key, _words, _most in writing.to_decide(queries.public_version(scheme).content)]

    def act(values: Mapping[str, Any]) -> str:
        decided = {name.removeprefix("rate-"): bp for name, bp in values.items() if bp is not None}
        if not decided:
            raise Invalid({f"rate-{keys[0]}" if keys else "rates": ["请至少填一项比例。"]})
        try:
            writing.decide_rates(current_actor(), no, decided)
        except Invalid as error:
            raise Invalid({f"rate-{key}": words for key, words in error.fields.items()}) from error
        return f"{HERE}/{no}?saved=rates#rates"

    return submit(rates_form(keys), act, overview_page(no, "rates"))


@blueprint.post("/desk/vouchers/schemes/<string:no>/close")
@requires(MANAGE)
def close(no: str) -> AnyResponse:
    """停止受理."""
    _found(no)

    def act(values: Mapping[str, Any]) -> str:
        schemes.close(current_actor(), no, values["reason"])
        return f"{HERE}/{no}"

    return submit(CloseForm(), act, overview_page(no, "close"))


@blueprint.post("/desk/vouchers/schemes/<string:no>/reopen")
@requires(MANAGE)
def reopen(no: str) -> AnyResponse:
    """恢复受理."""
    _found(no)

    def act(values: Mapping[str, Any]) -> str:
        schemes.reopen(current_actor(), no, values["reason"])
        return f"{HERE}/{no}"

    return submit(CloseForm(), act, overview_page(no, "reopen"))
