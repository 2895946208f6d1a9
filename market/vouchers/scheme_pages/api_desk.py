"""Schemes in the API for offices: written, tried, published, budgets, readings, rates."""

from __future__ import annotations

from typing import Any

from flask import Response

from market.core import clock, once
from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_writes import as_seen, create_once, creates, edits, require_match, tagged
from market.core.errors import Invalid
from market.core.http import current_actor
from market.core.pagination import PageOf
from market.core.pagination import whole as whole_list
from market.core.permissions import requires
from market.vouchers import schemes
from market.vouchers.preview import examples as examples_for
from market.vouchers.scheme_pages import api_content, books, queries, trying, writing
from market.vouchers.scheme_pages.api import outcome_of, told_of
from market.vouchers.scheme_pages.api_schemas import (
    NewVoucherScheme,
    VoucherBudgetInput,
    VoucherBudgetListSchema,
    VoucherChoiceInput,
    VoucherDraftInput,
    VoucherRatesInput,
    VoucherSchemeAct,
    VoucherSchemeListSchema,
    VoucherSchemeWholeSchema,
    VoucherTriedListSchema,
    VoucherVersionInput,
)
from market.vouchers.scheme_pages.queries import Line
from market.vouchers.scheme_pages.trying import Beside
from market.vouchers.workflow import MANAGE, READ_BOOKS

blueprint = ApiBlueprint(
    "voucher_schemes_desk_api", __name__, "创新券办法：主管部门编写、试算、发布、预算"
)
SECURED: list[dict[str, list[str]]] = [{"token": []}]
_ONE = "/voucher-desk/schemes/<string:no>"


def _whole(no: str) -> dict[str, Any]:
    found = queries.find(current_actor(), no, READ_BOOKS)
    return told_of(found, queries.working_version(found), drafts=True, unpublished=True)


def _answer(no: str) -> Response:
    """A scheme with its `ETag`."""
    body = _whole(no)
    return tagged(body, body["lock_version"])


def _seen(no: str) -> int:
    """The version of the scheme, after comparing it with `If-Match`."""
    version = queries.find(current_actor(), no, MANAGE).lock_version
    require_match(version)
    return version


@blueprint.route("/voucher-desk/schemes")
@blueprint.doc(
    operationId="listOwnVoucherSchemes", summary="本地区的办法，含草稿", security=SECURED
)
@blueprint.response(200, VoucherSchemeListSchema, description="新写的在前")
@requires(READ_BOOKS)
def own_list() -> PageOf[Line]:
    """The schemes of one's area."""
    return whole_list(queries.of_office(current_actor()))


@blueprint.route("/voucher-desk/schemes", methods=["POST"])
@blueprint.doc(
    operationId="createVoucherScheme",
    summary="新写一份办法",
    description="存为第 1 版的草稿。可带 Idempotency-Key。",
    security=SECURED,
)
@blueprint.arguments(NewVoucherScheme)
@blueprint.response(201, VoucherSchemeWholeSchema, description="草稿")
@creates
@requires(MANAGE)
def create(values: dict[str, Any]) -> Response:
    """Begin a scheme."""
    actor = current_actor()

    def act() -> tuple[dict[str, Any], str]:
        region = values["region"]
        if values.get("content"):
            content = api_content.stored(values["content"], region)
            no = schemes.create(actor, region, content)
        else:
            no = writing.begin(actor, region, values.get("base") or "", values.get("title") or "")
        return _whole(no), f"{PREFIX}/voucher-desk/schemes/{no}"

    return create_once(act)


@blueprint.route(_ONE)
@blueprint.doc(
    operationId="getOwnVoucherScheme", summary="一份办法，含草稿和预算", security=SECURED
)
@blueprint.response(200, VoucherSchemeWholeSchema, description="正在编写的版本；ETag 供修改时带上")
@blueprint.alt_response(404, MISSING)
@requires(READ_BOOKS)
def own(no: str) -> Response:
    """A scheme as its office works on it."""
    return _answer(no)


@blueprint.route(f"{_ONE}/draft", methods=["PUT"])
@blueprint.doc(
    operationId="saveVoucherScheme",
    summary="写下一版",
    description="没写的项就待定。须带 If-Match。",
    security=SECURED,
)
@blueprint.arguments(VoucherDraftInput)
@blueprint.response(200, VoucherSchemeWholeSchema, description="保存后的办法")
@blueprint.alt_response(404, MISSING)
@edits
@requires(MANAGE)
def save(values: dict[str, Any], no: str) -> Response:
    """Write the draft."""
    version, actor = _seen(no), current_actor()
    region = queries.find(actor, no, MANAGE).region.code
    schemes.save_draft(actor, no, api_content.stored(values["content"], region), version)
    return _answer(no)


@blueprint.route(f"{_ONE}/versions", methods=["POST"])
@blueprint.doc(
    operationId="copyVoucherSchemeVersion",
    summary="从以前的一版写下一版",
    description="须带 If-Match。",
    security=SECURED,
)
@blueprint.arguments(VoucherVersionInput)
@blueprint.response(200, VoucherSchemeWholeSchema, description="新的草稿")
@blueprint.alt_response(404, MISSING)
@edits
@requires(MANAGE)
def copy_version(values: dict[str, Any], no: str) -> Response:
    """Write the next version from an older one."""
    version = _seen(no)
    writing.copy_version(current_actor(), no, values["version"], version)
    return _answer(no)


@blueprint.route(f"{_ONE}/actions", methods=["POST"])
@blueprint.doc(
    operationId="actOnVoucherScheme",
    summary="发布、停止受理，或恢复受理",
    description="发布后这一版不能再改；已经开始办的按原来的版本。须带 If-Match。",
    security=SECURED,
)
@blueprint.arguments(VoucherSchemeAct)
@blueprint.response(200, VoucherSchemeWholeSchema, description="办后的办法")
@blueprint.alt_response(404, MISSING)
@edits
@requires(MANAGE)
def act_on(values: dict[str, Any], no: str) -> Response:
    """Publish, close or reopen."""
    version, actor = _seen(no), current_actor()
    if values["action"] == "publish":
        writing.publish(actor, no, values.get("effective_from") or clock.today(), version)
    else:
        act = schemes.close if values["action"] == "close" else schemes.reopen
        act(actor, no, values.get("reason") or "")
    return _answer(no)


@blueprint.route(f"{_ONE}/readings/<string:code>", methods=["PUT"])
@blueprint.doc(
    operationId="chooseVoucherReading",
    summary="选定读法",
    description="写进下一版的草稿，发布后生效。须带 If-Match。",
    security=SECURED,
)
@blueprint.arguments(VoucherChoiceInput)
@blueprint.response(200, VoucherSchemeWholeSchema, description="之后的办法")
@blueprint.alt_response(404, MISSING)
@edits
@requires(MANAGE)
def choose_reading(values: dict[str, Any], no: str, code: str) -> Response:
    """Choose how a passage is read."""
    version = _seen(no)
    writing.choose_reading(current_actor(), no, code, values["option"], version)
    return _answer(no)


def _budgets(no: str) -> dict[str, Any]:
    found = books.budgets_of(queries.find(current_actor(), no, READ_BOOKS))
    dumped: dict[str, Any] = VoucherBudgetListSchema().dump(whole_list(found))
    return dumped


@blueprint.route(f"{_ONE}/budgets")
@blueprint.doc(operationId="listVoucherBudgets", summary="预算和余额", security=SECURED)
@blueprint.response(200, VoucherBudgetListSchema, description="按年度和出资方；ETag 供调整时带上")
@blueprint.alt_response(404, MISSING)
@requires(READ_BOOKS)
def budget_list(no: str) -> Response:
    """The budgets of a scheme."""
    return tagged(_budgets(no))


@blueprint.route(f"{_ONE}/budgets", methods=["PUT"])
@blueprint.doc(
    operationId="setVoucherBudget",
    summary="下达或调整一笔预算",
    description="改为这个数；低于已占用、审定和拨付的回答 409。须带 If-Match：预算列表的 ETag。",
    security=SECURED,
)
@blueprint.arguments(VoucherBudgetInput)
@blueprint.response(200, VoucherBudgetListSchema, description="之后的预算")
@blueprint.alt_response(404, MISSING)
@edits
@requires(MANAGE)
def set_budget(values: dict[str, Any], no: str) -> Response:
    """Raise or cut a budget."""
    actor = current_actor()
    with as_seen(lambda: _budgets(no)):
        writing.set_budget(
            actor,
            no,
            values["year"],
            values["amount_fen"],
            values.get("region") or "",
            key=once.new_word(),
        )
    return tagged(_budgets(no))


@blueprint.route(f"{_ONE}/rates", methods=["PUT"])
@blueprint.doc(
    operationId="decideVoucherSchemeRates",
    summary="审定这一批的比例",
    description="用于审核中的全部申请；不能高于办法的最高比例。须带 If-Match。",
    security=SECURED,
)
@blueprint.arguments(VoucherRatesInput)
@blueprint.response(200, VoucherSchemeWholeSchema, description="办法")
@blueprint.alt_response(404, MISSING)
@edits
@requires(MANAGE)
def decide_rates(values: dict[str, Any], no: str) -> Response:
    """Decide what the sheet leaves "up to"."""
    _seen(no)
    rates = {one["key"]: one["rate_bp"] for one in values["rates"]}
    try:
        writing.decide_rates(current_actor(), no, rates)
    except Invalid as error:
        raise Invalid(
            {"rates": [f"{key}：{words[0]}" for key, words in error.fields.items()]}
        ) from error
    return _answer(no)


@blueprint.route(f"{_ONE}/preview")
@blueprint.doc(
    operationId="previewVoucherScheme",
    summary="试算：例子和以往的案件",
    description="按施行的版本和正在编写的版本各算一遍；不占用额度，不留下申请。",
    security=SECURED,
)
@blueprint.response(200, VoucherTriedListSchema, description="例子在前，以往的案件在后")
@blueprint.alt_response(404, MISSING)
@requires(MANAGE)
def preview(no: str) -> PageOf[dict[str, Any]]:
    """Example firms and past cases by both versions."""
    actor = current_actor()
    scheme = queries.find(actor, no, MANAGE)
    written, live = queries.both_versions(scheme)
    examples = examples_for(written, clock.today())
    rows = [_tried(one, False) for one in trying.beside(live, written, examples)]
    past = trying.beside(live, written, trying.past_cases(actor, scheme))
    return whole_list(rows + [_tried(one, True) for one in past])


def _tried(one: Beside, past: bool) -> dict[str, Any]:
    return {
        "label": one.label,
        "past": past,
        "paid_fen": one.paid_fen,
        "now": outcome_of(one.now.outcome) if one.now else None,
        "new": outcome_of(one.new.outcome),
        "differs": one.differs,
    }
