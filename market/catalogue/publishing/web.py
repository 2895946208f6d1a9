"""Pages of a submission: typing, checking, sending, what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.catalogue.publishing import (
    attachments,
    checking,
    layout,
    listing_queries,
    policies,
    queries,
    rules,
    service,
    version_queries,
)
from market.catalogue.publishing.drafts import find, region_of
from market.catalogue.publishing.models import IN_HAND
from market.catalogue.publishing.queries import SubmissionView
from market.catalogue.publishing.schemas import BeginSchema, SendSchema
from market.catalogue.publishing.workflow import SENDING, SUBMISSION, WORDS
from market.core import clock, csrf
from market.core.errors import Busy, Conflict, Denied, Invalid, MarketError
from market.core.files import ACCEPTED
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import requires
from market.core.sheets.model import readable
from market.core.submitting import EMPTY, Trouble, show, submit

blueprint = Blueprint("publishing", __name__)
LARGEST_FORM = 4_000_000  # bytes of texts: a draft of 200,000 characters, and to spare
_CAPTION = "caption-"  # and the number of the file that the words are about
_RETURN_ROWS = 4  # of the form for sending back


@blueprint.get("/my/listings/new")
@requires(policies.OWN_PAGE)
def new() -> Response:
    """我有难题 / 我有技术: whose it is, where, what it is called."""
    return show(_begin_page)


@blueprint.post("/my/listings/new")
@requires(policies.OWN_PAGE)
def begin() -> AnyResponse:
    """Begin a draft and go to its form."""
    return submit(BeginSchema(), _begin, _begin_page)


def _begin(values: Mapping[str, Any]) -> str:
    actor = current_actor()
    own = listing_queries.own_organisations(actor)
    ids = [key for key, _ in own]
    owner = values.get("owner") or (ids[0] if len(ids) == 1 else None)
    if owner not in ids:
        raise Invalid({"owner": ["请选择以哪家单位的名义发布。"]})
    region_id, wrong = region_of({"region": values["region"]})
    if region_id is None:
        raise Invalid({"region": [wrong]})
    typed = {"title": values.get("title") or "", "region": values["region"]}
    no = service.create_draft(actor, values["kind"], owner, typed, region_id=region_id)
    return f"/submissions/{no}/edit"


def _begin_page(form: Form, trouble: Trouble) -> str:
    actor = current_actor()
    own = listing_queries.own_organisations(actor)
    asked = request.args.get("kind", "")
    return render_template(
        "publishing/new.html",
        form=form,
        trouble=trouble,
        own=own,
        own_choices=[(str(key), name) for key, name in own],
        kind=form.typed.get("kind") or (asked if asked in layout.SECTIONS else "achievement"),
        region=form.typed.get("region", listing_queries.own_region(actor)),
    )


@blueprint.get("/submissions/<string:no>/edit")
@requires(policies.READ)
def edit(no: str) -> AnyResponse:
    """The form with everything; the case where it is out of the reader's hands."""
    view = queries.submission(current_actor(), no)
    if not view.editable:
        return redirect(view.url, 303)
    return show(lambda form, trouble: _edit_page(view, view.typed, trouble))


@blueprint.post("/submissions/<string:no>/save")
@requires(policies.READ)
def save(no: str) -> AnyResponse:
    """保存草稿, and what the script sends as one types; whatever happens, nothing typed is lost."""
    request.max_form_memory_size = LARGEST_FORM
    actor = current_actor()
    view = queries.submission(actor, no)
    typed = _typed(view.kind)
    quiet = request.accept_mimetypes.best == "application/json"
    try:
        if not csrf.sent_by_our_form():
            raise Stopped(csrf.STALE)
        seen = request.form.get("lock_version", "")
        number = int(seen) if seen.isdecimal() and len(seen) < 10 else 0
        version = service.save_draft(actor, no, typed, number)
        if quiet:
            at = clock.local(clock.now()).strftime("%H:%M")
            return jsonify(lock_version=version, saved=at)
        _save_files(no)
    except (MarketError, Busy) as error:
        return _not_saved(no, typed, error, quiet)
    target = {"check": "check", "files": "edit?saved=1#files"}.get(
        request.form.get("next", ""), "edit?saved=1"
    )
    return redirect(f"/submissions/{no}/{target}", 303)


class Stopped(MarketError):
    """A form that does not prove that this site wrote it."""

    status = 400


def _typed(kind: str) -> dict[str, str]:
    """All fields of the form; one that sends nothing (no box ticked) is empty."""
    return {
        key: "；".join(text for text in request.form.getlist(key) if text)
        for key in rules.fields_of(kind)
    }


def _save_files(no: str) -> None:
    actor = current_actor()
    for file_no in request.form.getlist("drop"):
        attachments.take_away(actor, no, file_no)
    for key, words in request.form.items():
        if key.startswith(_CAPTION) and key.removeprefix(_CAPTION) not in request.form.getlist(
            "drop"
        ):
            attachments.describe(actor, no, key.removeprefix(_CAPTION), words)
    kept, refused = [], []
    for sent in request.files.getlist("file"):
        if not sent.filename:
            continue
        name = f"「{readable(sent.filename)}」"
        try:
            attachments.add(actor, no, sent.filename, sent.read())
            kept.append(name)
        except Invalid as error:
            refused.append(f"{name}没有存：{' '.join(error.fields.get('file', [error.message]))}")
    if refused:
        told = [f"{''.join(kept)}已存，不用再选。"] if kept else []
        raise Invalid({"file": refused + told})


def _not_saved(no: str, typed: Mapping[str, str], error: MarketError, quiet: bool) -> AnyResponse:
    """The form again with what was typed, and beside it what others saved."""
    if quiet:
        answer = jsonify(message=error.message)
        answer.status_code = error.status
        return answer
    view = queries.submission(current_actor(), no)  # as it is stored now
    stored = view.typed if isinstance(error, service.Stale) else None
    errors: dict[str, str] = {}
    if isinstance(error, Invalid):
        errors = {name: " ".join(found) for name, found in error.fields.items()}
    sentence = "" if errors else error.message
    trouble = Trouble(sentence, errors, error.status)
    return show(lambda form, wrong: _edit_page(view, typed, wrong, stored), EMPTY, trouble)


def _edit_page(
    view: SubmissionView,
    typed: Mapping[str, str],
    trouble: Trouble,
    stored: Mapping[str, str] | None = None,
) -> str:
    notes = {note.field: f"{note.reason}（{note.rule}）" for note in view.notes if note.field}
    sections = layout.sections(view.kind, typed, errors=trouble.errors, stored=stored, notes=notes)
    fields = [one for section in sections for one in section.fields]
    return render_template(
        "publishing/edit.html",
        case=view,
        sections=sections,
        trouble=trouble,
        stale=stored is not None,
        ids={one.key: f"{one.key}-1" for one in fields if one.shape == "choices"},
        saved=request.args.get("saved") == "1",
        accepted=ACCEPTED,
    )


@blueprint.get("/submissions/<string:no>/check")
@requires(policies.READ)
def check(no: str) -> AnyResponse:
    """Everything once more before it goes: what is wrong, what is missing, what looks the same."""
    view = queries.submission(current_actor(), no)
    if view.state not in IN_HAND:
        return redirect(view.url, 303)
    return show(lambda form, trouble: _check_page(view, form, trouble))


@blueprint.post("/submissions/<string:no>/send")
@requires(policies.READ)
def send(no: str) -> AnyResponse:
    """Keep the confidentiality review and send the draft on."""
    view = queries.submission(current_actor(), no)
    return submit(
        SendSchema(),
        lambda values: _send(view, values),
        lambda form, trouble: _check_page(queries.submission(current_actor(), no), form, trouble),
    )


def _send(view: SubmissionView, values: Mapping[str, Any]) -> str:
    actor = current_actor()
    clearance = {name: values.get(name) or "" for name in ("cleared", "cleared_no", "cleared_by")}
    if _seen() not in {None, view.lock_version}:
        raise Conflict(service.CHANGED)
    service.save_draft(actor, view.no, clearance, view.lock_version)
    if values["action"] not in SENDING:
        raise Conflict("没有这种操作。")
    service.act(actor, view.no, values["action"])
    return view.url


def _check_page(view: SubmissionView, form: Form, trouble: Trouble) -> str:
    row = find(current_actor(), view.no)
    checked = checking.check(row)
    market = current_app.extensions["market"]
    errors = {name: " ".join(found) for name, found in checked.errors.items()}
    wrong = {name: words for name, words in errors.items() if name != "cleared"}
    sections = layout.sections(view.kind, view.typed, errors=wrong)
    return render_template(
        "publishing/check.html",
        case=view,
        form=form,
        trouble=trouble,
        checked=checked,
        wrong=wrong,
        labels={one.key: one.label for section in sections for one in section.fields},
        sections=sections,
        alike=checking.alike(row, checked.content, market),
        sending=[one for one in view.actions if one.action in SENDING],
    )


@blueprint.get("/submissions/<string:no>")
@requires(policies.READ)
def case(no: str) -> Response:
    """The case: where it stands, what was returned, what may be done."""
    view = queries.submission(current_actor(), no)
    return show(lambda form, trouble: _case_page(view, trouble))


def _case_page(view: SubmissionView, trouble: Trouble) -> str:
    sections = layout.sections(view.kind, view.typed)
    returning = next((one for one in view.actions if one.action == "return"), None)
    in_hand = view.state in IN_HAND
    acts = [
        one
        for one in view.actions
        if one is not returning and not (in_hand and one.action in SENDING)
    ]
    typed = [dict(zip(("field", "reason", "rule"), row, strict=True)) for row in _note_rows()]
    fields = [
        ("", "全文"),
        *((f.key, f.label) for s in sections for f in s.fields),
        *rules.PARTS.items(),
    ]
    return render_template(
        "publishing/case.html",
        case=view,
        beside=current_app.extensions["market"].beside_own(current_actor(), view.listing_id),
        sections=sections,
        unsent=_unsent(dict(fields)) if trouble and returning is None else [],
        acts=acts,
        returning=returning,
        rows=typed + [{}] * max(1, _RETURN_ROWS - len(typed)),
        fields=fields,
        rules=list(rules.RETURN_RULES.items()),
        words=WORDS,
        states=SUBMISSION.states,
        trouble=trouble,
        reason=request.form.get("reason", ""),
    )


def _unsent(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """What was written for sending back, where a colleague was faster: (which part, words)."""
    rules_ = rules.RETURN_RULES
    found = [
        (
            labels.get(field, "全文"),
            f"{reason}（依据：{rules_[rule]}）" if rule in rules_ else reason,
        )
        for field, reason, rule in _note_rows()
    ]
    reason = request.form.get("reason", "").strip()
    return found + ([("总的说明", reason)] if reason else [])


def _seen() -> int | None:
    """The version of the draft on the page whose button was pressed."""
    text = request.form.get("seen", "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _note_rows() -> list[tuple[str, str, str]]:
    columns = [request.form.getlist(f"note_{name}") for name in ("field", "reason", "rule")]
    if len({len(column) for column in columns}) != 1:
        return []
    return [row for row in zip(*columns, strict=True) if row[1].strip()]


@blueprint.post("/submissions/<string:no>/rebase")
@requires(policies.READ)
def rebase(no: str) -> AnyResponse:
    """已与公开的版本核对."""
    return _act(no, "rebase")


@blueprint.post("/submissions/<string:no>/<string:action>")
@requires(policies.READ)
def act(no: str, action: str) -> AnyResponse:
    """A button of the case."""
    return _act(no, action)


def _act(no: str, action: str) -> AnyResponse:
    actor = current_actor()
    view = queries.submission(actor, no)
    try:
        if not csrf.sent_by_our_form():
            raise Stopped(csrf.STALE)
        if action == "rebase":
            service.rebase(actor, no)
        else:
            notes = [
                {"field": field, "reason": reason, "rule": rule}
                for field, reason, rule in _note_rows()
            ]
            service.act(actor, no, action, request.form.get("reason"), notes, _seen())
    except Invalid as error:
        errors = {name: " ".join(found) for name, found in error.fields.items()}
        trouble = Trouble(errors=errors, status=422)
        if set(errors) - {"reason", "notes"}:
            if view.state in IN_HAND:  # of the content: the check page shows them
                return redirect(f"/submissions/{no}/check", 303)
            trouble = Trouble(_of_content(view.kind, errors), status=422)
        return show(lambda form, wrong: _case_page(view, wrong), EMPTY, trouble)
    except (Conflict, Denied, Busy, Stopped) as error:
        trouble = Trouble(error.message, status=error.status)
        view = queries.submission(actor, no)
        return show(lambda form, wrong: _case_page(view, wrong), EMPTY, trouble)
    return redirect("/my/listings" if action == "discard" else view.url, 303)


def _of_content(kind: str, errors: Mapping[str, str]) -> str:
    """What is wrong with a content that its reader cannot mend himself."""
    labels = rules.labels_of(kind)
    return "".join(f"{labels.get(name, name)}：{words}" for name, words in errors.items())


@blueprint.get("/submissions/<string:no>/versions")
@requires(policies.READ)
def versions(no: str) -> str:
    """Two versions, field by field."""
    actor = current_actor()
    asked = [request.args.get(name, "")[:20] for name in ("a", "b")]
    return render_template(
        "publishing/versions.html",
        case=queries.submission(actor, no),
        compared=version_queries.compare(actor, no, *asked),
    )
