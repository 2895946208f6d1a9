"""The form of a contract, and the check before it is sent in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.contracts import content as fields
from market.contracts import filing, flat
from market.contracts import queries as contracts
from market.contracts.codes import PURPOSES
from market.contracts.filing_pages import attachments, layout, prechecks, queries, rules
from market.contracts.filing_pages.schemas import SubmitSchema
from market.contracts.locking import Stale
from market.contracts.models import STATES
from market.contracts.queries import Case
from market.contracts.schemas import LABELS
from market.contracts.workflow import EDIT, READ, SUBMIT, address
from market.core import clock, csrf
from market.core.errors import Busy, Conflict, Invalid, MarketError
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.sheets.model import readable
from market.core.submitting import EMPTY, Trouble, show, submit

blueprint = Blueprint("contract_form", __name__)
LARGEST_FORM = 4_000_000  # bytes of texts
LARGEST_REQUEST = 2 * rules.LARGEST + LARGEST_FORM
_MORE = "more-"


class Stopped(MarketError):
    """A form that does not prove that this site wrote it."""

    status = 400


@blueprint.get("/contracts/<string:no>/edit")
@requires(READ)
def edit(no: str) -> AnyResponse:
    """The form with everything; the case where it is out of the reader's hands."""
    case = contracts.get(current_actor(), no)
    if not policy.allows(current_actor(), EDIT, case.contract):
        return redirect(address(case.contract), 303)
    typed, more, trouble = _typed_of(case), request.args.get("more", ""), Trouble()
    if case.version.unread:  # what is still wrong with it
        errors = flat.read(typed).errors
        trouble = Trouble(errors=errors, labels={name: flat.label_of(name) for name in errors})
    return show(lambda form, wrong: _page(case, typed, wrong, more=more), EMPTY, trouble)


def _typed_of(case: Case) -> dict[str, str]:
    return flat.write(case.content, fields.unread_of(case.version.unread))


@blueprint.post("/contracts/<string:no>/save")
@requires(READ)
def save(no: str) -> AnyResponse:
    """保存草稿, and what the script sends as one types; whatever happens, nothing typed is lost."""
    request.max_form_memory_size = LARGEST_FORM
    request.max_content_length = LARGEST_REQUEST
    actor = current_actor()
    contracts.find(actor, no)
    typed = _sent()
    quiet = request.accept_mimetypes.best == "application/json"
    wanted = request.form.get("next", "")
    try:
        if not csrf.sent_by_our_form():
            raise Stopped(csrf.STALE)
        read = flat.read(typed)
        filing.save(actor, no, read.values, _seen(), unread=read.unread)
        if quiet:
            version = contracts.find(actor, no).lock_version
            at = clock.local(clock.now()).strftime("%H:%M")
            return jsonify(lock_version=version, saved=at)
        wrong = dict(read.errors) | _take_files(no)
        if wrong:
            raise Invalid({name: [words] for name, words in wrong.items()})
    except (MarketError, Busy) as error:
        return _not_saved(no, typed, error, quiet)
    if wanted.startswith(_MORE):
        name = wanted.removeprefix(_MORE)
        return redirect(f"/contracts/{no}/edit?saved=1&more={name}#{name}", 303)
    target = {"check": "check", "files": "edit?saved=1#files"}.get(wanted, "edit?saved=1")
    return redirect(f"/contracts/{no}/{target}", 303)


def _sent() -> dict[str, str]:
    """The cells of the form; one that sends nothing is empty."""
    found = {}
    for name, text in request.form.items():
        if flat.is_cell(name) and text.strip():
            found[name] = text.replace("\r\n", "\n").strip()
    return found


def _seen() -> int:
    """The version of the page that was sent; 0, which is none, where it does not say."""
    text = request.form.get("lock_version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _take_files(no: str) -> dict[str, str]:
    """Take off what is ticked, attach what came along; a good file is kept beside a bad one."""
    actor = current_actor()
    for file_no in request.form.getlist("drop"):
        attachments.remove(actor, no, file_no)
    kept, refused = [], []
    for sent in request.files.getlist("file"):
        if not sent.filename:
            continue
        name = f"「{readable(sent.filename)}」"
        try:
            upload = attachments.take_in(sent.filename, sent.read())
            attachments.add(actor, no, upload, request.form.get("purpose", ""))
            kept.append(name)
        except Invalid as error:
            words = " ".join(word for words in error.fields.values() for word in words)
            refused.append(f"{name}没有存：{words}")
        except Conflict as error:
            refused.append(f"{name}没有存：{error.message}")
    if not refused:
        return {}
    told = [f"{''.join(kept)}已存，不用再选。"] if kept else []
    return {"file": " ".join(refused + told)}


def _not_saved(no: str, typed: Mapping[str, str], error: MarketError, quiet: bool) -> AnyResponse:
    """The form again as it was typed, and beside it what others saved."""
    if quiet:
        answer = jsonify(message=error.message)
        answer.status_code = error.status
        return answer
    case = contracts.get(current_actor(), no)  # as it is stored now
    stored = _typed_of(case) if isinstance(error, Stale) else None
    errors: dict[str, str] = {}
    if isinstance(error, Invalid):
        errors = {name: " ".join(found) for name, found in error.fields.items()}
    labels = {name: flat.label_of(name) for name in errors}
    trouble = Trouble("" if errors else error.message, errors, error.status, labels)
    more = request.form.get("next", "").removeprefix(_MORE)
    return show(
        lambda form, wrong: _page(case, typed, wrong, stored=stored, more=more), EMPTY, trouble
    )


def _page(
    case: Case,
    typed: Mapping[str, str],
    trouble: Trouble,
    *,
    stored: Mapping[str, str] | None = None,
    more: str = "",
) -> str:
    groups = layout.groups(
        typed, errors=trouble.errors, stored=stored, origins=case.version.origins, more=more
    )
    return render_template(
        "contracts/edit.html",
        case=case,
        contract=case.contract,
        address=address(case.contract),
        groups=groups,
        trouble=trouble,
        stale=stored is not None,
        saved=request.args.get("saved") == "1" and request.method == "GET",
        purposes=list(rules.OFFERED.items()),
        purpose_labels=PURPOSES,
        accepted=rules.ACCEPTED,
        asked={one.field: one.words for one in case.deficiencies if one.field}
        if case.contract.state == "returned"
        else {},
        states=STATES,
    )


@blueprint.get("/contracts/<string:no>/check")
@requires(READ)
def check(no: str) -> AnyResponse:
    """登记前自查: what must be mended, what should be looked at, hints; and to whom it goes."""
    contract = contracts.find(current_actor(), no)
    if not policy.allows(current_actor(), EDIT, contract):
        return redirect(address(contract), 303)
    return show(lambda form, trouble: _check_page(no, form, trouble))


@blueprint.post("/contracts/<string:no>/submit")
@requires(READ)
def send(no: str) -> AnyResponse:
    """提交登记申请."""
    actor = current_actor()
    contract = contracts.find(actor, no)
    again, target = contract.state == "returned", address(contract)

    def act(values: Mapping[str, Any]) -> str:
        body = values.get("body")
        if not body and not again:
            raise Invalid({"body": ["请选择交给哪家登记机构。"]})
        number = None if body in {None, rules.OFFICE} else body
        try:
            filing.submit(actor, no, number, values.get("version"))
        except Invalid as error:
            if "body" in error.fields:
                raise
            # The page lists them all, each with the way to its cell.
            words = f"有 {len(error.fields)} 处要先改好，才能提交。"
            raise Invalid({"must": [words]}) from error
        return f"{target}?sent=1"

    return submit(SubmitSchema(), act, lambda form, trouble: _check_page(no, form, trouble))


def _check_page(no: str, form: Form, trouble: Trouble) -> str:
    actor = current_actor()
    found = prechecks.check(actor, no)
    contract = found.case.contract
    unread = {name.partition("-")[0] for name in found.unread}  # one sentence for a cell, not two
    return render_template(
        "contracts/check.html",
        found=found,
        missing={name: label for name, label in found.missing.items() if name not in unread},
        case=found.case,
        contract=contract,
        address=address(contract),
        form=form,
        trouble=trouble,
        labels={**LABELS, "files": "附件", "deficiencies": "补正"},
        unread=[(name, flat.label_of(name)) for name in found.unread],
        bodies=queries.bodies(contract),
        office=queries.office_of(contract),
        office_value=rules.OFFICE,
        may_submit=policy.allows(actor, SUBMIT, contract),
        sections=layout.shown_content(found.case.content),
        states=STATES,
    )
