"""Pages of imports: uploading, progress, what the check found, deciding."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, send_file
from werkzeug.wrappers import Response as AnyResponse

from market.catalogue.imports import queries, rules, service
from market.catalogue.imports.models import MODES, ImportJob
from market.catalogue.imports.schemas import UploadSchema
from market.catalogue.imports.workflow import LIST, READ, RUN, WORKFLOW
from market.catalogue.publishing.rules import CLEARED_BY_OWNER, CLEARED_FOR_OTHERS
from market.core import csrf
from market.core.errors import Denied, Invalid, MarketError, NotFound
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import Actor, requires
from market.core.sheets import write_problems, write_template
from market.core.submitting import Trouble, show, submit
from market.core.workflow import timeline

blueprint = Blueprint("import_pages", __name__)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROOM_FOR_FIELDS = 64 * 1024  # bytes of a request beside the file


@blueprint.get("/my/imports")
@requires(LIST)
def index() -> Response:
    """The form of an upload, and one's imports."""
    return show(_index)


@blueprint.post("/my/imports")
@requires(RUN)
def upload() -> AnyResponse:
    """Take in a file."""
    most = rules.LARGEST + ROOM_FOR_FIELDS
    request.max_content_length = most
    if (request.content_length or 0) > most:
        trouble = Trouble(errors={"file": _too_large()}, status=413)
        return show(_index, trouble=trouble)
    return submit(UploadSchema(), _take, _index, twice=True)


def _too_large() -> str:
    try:
        rules.judge_size(rules.LARGEST + 1)
    except Invalid as error:
        return error.fields["file"][0]
    return ""


def _take(values: Mapping[str, Any]) -> str:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid({"file": ["请选择要导入的文件。"]})
    no = service.upload(
        current_actor(),
        values["kind"],
        values.get("scope", ""),
        sent.filename,
        sent.stream.read(rules.LARGEST + 1),
    )
    return f"/imports/{no}"


def _index(form: Form, trouble: Trouble) -> str:
    actor = current_actor()
    rows, more = queries.mine(actor, request.args.get("before"))
    scopes = queries.scopes(actor)
    chosen = form.typed.get("scope") or request.args.get("scope", "")
    scope = next((one for one in scopes if one.value == chosen), scopes[0] if scopes else None)
    kind = form.typed.get("kind") or request.args.get("kind", "")
    if kind and not chosen:  # as a link names it: for whom one imports just that
        offered = (one for one in scopes if _offers(actor, one, kind))
        scope = next(offered, scope)
    return render_template(
        "catalogue/imports.html",
        form=form,
        trouble=trouble,
        scopes=scopes,
        scope=scope,
        chosen_kind=kind,
        kinds=queries.kinds_for(actor, scope) if scope else [],
        labels={name: one.kind.label for name, one in queries.importables().items()},
        rows=rows,
        more=more,
        states=WORKFLOW.states,
        most_rows=rules.MOST_ROWS,
        largest=rules.LARGEST // (1024 * 1024),
    )


def _offers(actor: Actor, scope: queries.Scope, kind: str) -> bool:
    return any(one.kind.name == kind for one in queries.kinds_for(actor, scope))


@blueprint.get("/imports/templates/<string:kind>.xlsx")
@requires(LIST)
def template(kind: str) -> Response:
    """An empty spreadsheet of a kind, with notes and lists."""
    offered = {one.kind.name: one.kind for one in queries.kinds(current_actor())}
    if kind not in offered:
        raise NotFound("没有这种模板。")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.xlsx"
        write_template(path, offered[kind].columns())
        data = BytesIO(path.read_bytes())
    name = f"{offered[kind].label}导入模板.xlsx"
    return send_file(data, XLSX, as_attachment=True, download_name=name)


@blueprint.get("/imports/<string:no>")
@requires(READ)
def job(no: str) -> Response:
    """One import: how far it is, what was found, what may be done."""
    return _page(queries.find(current_actor(), no))


def _page(found: ImportJob, trouble: Trouble | None = None) -> Response:
    actor = current_actor()

    def page(_form: Form, trouble: Trouble) -> str:
        importable = queries.importables().get(found.kind)
        actions = queries.actions(actor, found)
        asking = [
            one for one in actions if one.action == "import" and queries.needs_clearance(found)
        ]
        return render_template(
            "catalogue/import.html",
            job=found,
            trouble=trouble,
            label=importable.kind.label if importable else found.kind,
            public=importable is None or importable.public,
            only_drafts=queries.only_drafts(found),
            drafts_at=(importable and importable.drafts_at) or ("/my/listings", "成果与需求"),
            state=WORKFLOW.states[found.state],
            importing=asking[0] if asking else None,
            actions=[one for one in actions if one not in asking],
            clearance=CLEARED_BY_OWNER if found.owner else CLEARED_FOR_OTHERS,
            ahead=queries.ahead(found),
            problems=queries.problems_of(found)[: rules.SHOWN_PROBLEMS],
            most=rules.SHOWN_PROBLEMS,
            until=queries.undo_until(found),
            modes=MODES,
            states=WORKFLOW.states,
            events=timeline(WORKFLOW.name, found.id),
            words={one.action: one.label for one in WORKFLOW.transitions} | {"begin": "上传"},
        )

    return show(page, trouble=trouble)


@blueprint.get("/imports/<string:no>/progress")
@requires(READ)
def progress(no: str) -> Response:
    """How far an import is, for the script of its page."""
    found = queries.find(current_actor(), no)
    response = jsonify(queries.view(found) | {"ahead": queries.ahead(found)})
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/imports/<string:no>/problems.xlsx")
@requires(READ)
def problems(no: str) -> Response:
    """All problems as a spreadsheet, each with its cell's address."""
    found = queries.find(current_actor(), no)
    rows = queries.problems_of(found)
    if not rows:
        raise NotFound("没有问题清单。")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problems.xlsx"
        write_problems(path, rows, sheet=found.sheet)
        data = BytesIO(path.read_bytes())
    return send_file(data, XLSX, as_attachment=True, download_name=f"{no}问题清单.xlsx")


@blueprint.post("/imports/<string:no>/<string:action>")
@requires(RUN)
def act(no: str, action: str) -> AnyResponse:
    """Import, keep as drafts, discard, try again or take back."""
    actor = current_actor()
    found = queries.find(actor, no)
    if not csrf.sent_by_our_form():
        return _page(found, Trouble(csrf.STALE, status=400))
    try:
        service.act(actor, no, action, request.form)
    except NotFound:
        raise
    except Invalid as error:
        errors = {name: " ".join(words) for name, words in error.fields.items()}
        return _page(queries.find(actor, no), Trouble(errors=errors, status=422))
    except Denied:
        return _page(queries.find(actor, no), Trouble("您没有这项权限。", status=403))
    except MarketError as error:
        return _page(queries.find(actor, no), Trouble(error.message, status=error.status))
    return redirect(f"/imports/{no}", 303)
