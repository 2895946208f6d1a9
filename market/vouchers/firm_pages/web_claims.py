"""The form of a claim (兑付), its files, the check before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.core import clock, csrf
from market.core.errors import Busy, Conflict, Denied, Invalid, MarketError
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import requires
from market.core.sheets.model import readable
from market.core.submitting import EMPTY, Trouble, show, submit
from market.core.text import clean_line
from market.vouchers import answering, claiming, evidence
from market.vouchers.claim_models import CHECK_RESULTS, CLAIM_STATES, Claim
from market.vouchers.codes import EXCLUSIONS
from market.vouchers.firm_pages import checks, drafting, flat, placing, queries
from market.vouchers.firm_pages.schemas import FACTS, BeginSchema, SendSchema, asked_facts
from market.vouchers.firm_pages.web_lists import firm_options, wanted_firm
from market.vouchers.locking import seen
from market.vouchers.schemes import sheet_of
from market.vouchers.workflow import CLAIM_MONEY, READ_CLAIM

blueprint = Blueprint("voucher_claims", __name__)
LARGEST_FORM = 1_000_000  # bytes of texts
LARGEST_REQUEST = 2 * evidence.LARGEST + LARGEST_FORM


class Stopped(MarketError):
    """A form that does not prove that this site wrote it."""

    status = 400


@blueprint.get("/my/vouchers/claim")
@requires(CLAIM_MONEY)
def new() -> AnyResponse:
    """申请兑付: from an accepted order, a voucher, or a scheme that needs none."""
    return show(_new_page)


@blueprint.post("/my/vouchers/claim")
@requires(CLAIM_MONEY)
def begin() -> AnyResponse:
    """Begin a draft and go to its form."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> str:
        if values.get("order"):
            return f"/vouchers/claims/{drafting.from_order(actor, values['order'])}/edit"
        firm = wanted_firm()
        if firm is None:
            raise Denied("请选择以哪家单位的名义申请。")
        return f"/vouchers/claims/{drafting.from_scheme(actor, firm.id, values)}/edit"

    return submit(BeginSchema(), act, _new_page)


def _new_page(form: Form, trouble: Trouble) -> str:
    actor, firm = current_actor(), wanted_firm()
    order_no, voucher, scheme = (
        clean_line(request.values.get(one, ""))[:30] for one in ("order", "voucher", "scheme")
    )
    found, order, hindrance = None, None, ""
    try:
        if order_no and request.method == "GET":
            order = drafting.order_of(actor, order_no)
        elif firm is not None and (found := placing.source(actor, voucher, scheme)) is not None:
            drafting.refuse_side(found)
    except (Conflict, Denied) as error:
        found, hindrance = None, error.message
    begun = not (order or found or hindrance)
    return render_template(
        "vouchers/claim_new.html",
        form=form,
        trouble=trouble,
        firm=firm,
        firms=firm_options(),
        order=order,
        source=found,
        hindrance=hindrance,
        claimable=queries.claimable(actor) if begun else [],
        usable=_usable(firm) if begun and firm else [],
        schemes=_without_voucher(firm) if begun and firm else [],
        providers=queries.providers() if found else [],
    )


def _usable(firm: Any) -> list[Any]:
    """Vouchers with which the firm itself claims."""
    rows = queries.usable(current_actor(), firm.id)
    return [one for one in rows if sheet_of(one.version).payer_model == "enterprise"]


def _without_voucher(firm: Any) -> list[Any]:
    rows = [(one, queries.live_sheet(one)) for one in queries.schemes_for(current_actor(), firm)]
    return [
        one
        for one, sheet in rows
        if sheet.payer_model == "enterprise" and sheet.claims_without_voucher
    ]


def address(no: str) -> str:
    """Where a claim is."""
    return f"/vouchers/claims/{no}"


@blueprint.get("/vouchers/claims/<string:no>/edit")
@requires(READ_CLAIM)
def edit(no: str) -> AnyResponse:
    """The form with everything; the case where it is out of the reader's hands."""
    claim = seen(Claim, current_actor(), READ_CLAIM, no)
    if not queries.may_write(current_actor(), claim):
        return redirect(address(no), 303)
    typed = flat.write(claim)
    return show(lambda _form, wrong: _page(no, typed, wrong), EMPTY, Trouble())


@blueprint.post("/vouchers/claims/<string:no>/save")
@requires(READ_CLAIM)
def save(no: str) -> AnyResponse:
    """保存草稿, and what the script sends as one types; whatever happens, nothing typed is lost."""
    request.max_form_memory_size = LARGEST_FORM
    request.max_content_length = LARGEST_REQUEST
    actor = current_actor()
    seen(Claim, actor, READ_CLAIM, no)
    read = flat.read(request.form)
    quiet = request.accept_mimetypes.best == "application/json"
    wanted = request.form.get("next", "")
    try:
        if not csrf.sent_by_our_form():
            raise Stopped(csrf.STALE)
        wrong = {**read.errors}
        if not wrong:
            claiming.save(actor, no, read.values, _version())
        if quiet and not wrong:
            version = seen(Claim, actor, READ_CLAIM, no).lock_version
            return jsonify(lock_version=version, saved=f"{clock.local(clock.now()):%H:%M}")
        wrong |= {} if quiet else _take_files(no)
        if wrong:
            raise Invalid({name: [words] for name, words in wrong.items()})
    except (MarketError, Busy) as error:
        return _not_saved(no, read, error, quiet)
    if wanted.startswith("more-"):
        return redirect(f"{address(no)}/edit?saved=1&more={wanted[5:]}#{wanted[5:]}", 303)
    if wanted == "check":
        return redirect(f"{address(no)}/check", 303)
    return redirect(f"{address(no)}/edit?saved=1{'#papers' if wanted == 'files' else ''}", 303)


def _version() -> int:
    """The version of the page that was sent; 0, which is none, where it does not say."""
    text = request.form.get("lock_version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _take_files(no: str) -> dict[str, str]:
    """Take off what is ticked, attach what came along; a good file is kept beside a bad one."""
    actor = current_actor()
    for file_no in request.form.getlist("drop"):
        evidence.remove(actor, no, file_no)
    kept, refused = [], []
    for sent in request.files.getlist("file"):
        if not sent.filename:
            continue
        name = f"「{readable(sent.filename)}」"
        try:
            upload = evidence.take_in(sent.filename, sent.read())
            evidence.add(actor, no, upload, request.form.get("purpose", ""))
            kept.append(name)
        except Invalid as error:
            words = " ".join(word for words in error.fields.values() for word in words)
            refused.append(f"{name}没有存：{words}")
        except Conflict as error:
            refused.append(f"{name}没有存：{error.message}")
    if not refused:
        return {}
    return {"file": " ".join(refused + ([f"{''.join(kept)}已存，不用再选。"] if kept else []))}


def _not_saved(no: str, read: flat.Read, error: MarketError, quiet: bool) -> AnyResponse:
    """The form again as it was typed; what others saved meanwhile stands beside it."""
    errors: dict[str, str] = {}
    if quiet:
        words = _first_of(read, error) if isinstance(error, Invalid) else error.message
        return make_response(jsonify(message=words), error.status)
    if isinstance(error, Invalid):
        errors = {name: " ".join(found) for name, found in error.fields.items()}
    trouble = Trouble("" if errors else error.message, errors, error.status, read.labels)
    stored = isinstance(error, Conflict)
    return show(lambda _form, wrong: _page(no, read.typed, wrong, stale=stored), EMPTY, trouble)


def _first_of(read: flat.Read, error: Invalid) -> str:
    name, words = next(iter(error.fields.items()))
    label = read.labels.get(name, "")
    return f"{label}：{words[0]}" if label else words[0]


def _page(no: str, typed: Mapping[str, str], trouble: Trouble, *, stale: bool = False) -> str:
    claim = seen(Claim, current_actor(), READ_CLAIM, no)
    sheet, more = sheet_of(claim.version), request.args.get("more", "")
    if request.form.get("next", "").startswith("more-"):
        more = request.form["next"][5:]
    stored = flat.write(claim) if stale else {}
    return render_template(
        "vouchers/claim_edit.html",
        claim=claim,
        sheet=sheet,
        typed=typed,
        other={name: text for name, text in stored.items() if text != typed.get(name, "")},
        trouble=trouble,
        stale=stale,
        saved=request.args.get("saved") == "1" and request.method == "GET",
        rows={name: flat.count(typed, name, int(more == name)) for name in flat.ROWS},
        services=[(one.code, one.label) for one in sheet.services],
        exclusions=[(code, EXCLUSIONS.get(code, code)) for code in sheet.exclusions],
        results=list(CHECK_RESULTS.items()),
        asked=asked_facts(sheet),
        facts_fields=FACTS,
        papers=checks.papers_of(claim),
        files=evidence.files_of(claim),
        purposes=_purposes(sheet),
        purpose_labels=evidence.PURPOSES,
        accepted=evidence.ACCEPTED,
        returned=answering.asked_of(claim) if claim.state == "returned" else None,
        states=CLAIM_STATES,
    )


def _purposes(sheet: Any) -> list[tuple[str, str]]:
    """What a file may be: what the scheme asks first, then the rest."""
    first = [one for one in sheet.evidence or () if one in evidence.PURPOSES]
    rest = [one for one in evidence.PURPOSES if one not in first]
    return [(one, evidence.PURPOSES[one]) for one in [*first, *rest]]


@blueprint.get("/vouchers/claims/<string:no>/check")
@requires(READ_CLAIM)
def check(no: str) -> AnyResponse:
    """核对: the calculation line by line, what is missing, all reasons; then it is sent."""
    claim = seen(Claim, current_actor(), READ_CLAIM, no)
    if not queries.may_write(current_actor(), claim):
        return redirect(address(no), 303)
    return show(lambda form, trouble: _check_page(no, form, trouble))


@blueprint.post("/vouchers/claims/<string:no>/submit")
@requires(READ_CLAIM)
def send(no: str) -> AnyResponse:
    """申请兑付."""
    actor = current_actor()
    seen(Claim, actor, READ_CLAIM, no)

    def act(values: Mapping[str, Any]) -> str:
        if not values.get("promise"):
            raise Invalid({"promise": ["请先阅读并承诺。"]})
        sent(actor, no, values.get("version"))
        return f"{address(no)}?sent=1"

    return submit(SendSchema(), act, lambda form, trouble: _check_page(no, form, trouble))


def sent(actor: Any, no: str, version: int | None) -> None:
    """Send a claim in with the promise; all that refuses it stands in one list on the page."""
    try:
        claiming.submit(actor, no, version, promised=True)
    except Invalid as error:
        words = [one for found in error.fields.values() for one in found]
        raise Invalid({"must": words}) from error


def _check_page(no: str, form: Form, trouble: Trouble) -> str:
    actor = current_actor()
    claim = seen(Claim, actor, READ_CLAIM, no)
    return render_template(
        "vouchers/claim_check.html",
        claim=claim,
        form=form,
        trouble=trouble,
        found=checks.check(actor, claim),
        promise=claiming.PROMISE,
        may_send=queries.may_write(actor, claim),
        states=CLAIM_STATES,
    )
