"""Imports in the API: bringing a file, following it, deciding on it."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from marshmallow import fields

from market.catalogue.imports import queries, rules, service
from market.catalogue.imports.models import IMPORT_STATES, MODES, ImportJob
from market.catalogue.imports.workflow import LIST, READ, RUN
from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_schemas import Answer, Input, ListAnswer, Query
from market.core.api_writes import create_once, creates, edits, require_match, tagged
from market.core.errors import Invalid
from market.core.http import current_actor
from market.core.permissions import requires

blueprint = ApiBlueprint("imports", __name__, "批量导入：上传表格，查进度，决定是否导入")
_FILE = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "schema": {
        "type": "object",
        "required": ["file", "kind"],
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "kind": {"type": "string", "example": "achievements"},
            "scope": {"type": "string"},
        },
    }
}
_BODY = {
    "required": True,
    "description": "表单（file、kind、scope），或者直接以文件为正文，其余写在地址里",
    "content": {"multipart/form-data": _FORM, "application/octet-stream": _FILE},
}


class UploadQuery(Query):
    """What a body that is the file itself cannot say."""

    kind = fields.String(metadata={"description": "导入什么，如 achievements、demands"})
    name = fields.String(metadata={"description": "文件名，决定格式，如 成果.xlsx"})
    scope = fields.String(
        metadata={"description": "为谁导入；只有一个单位时可以不填，填错时回答会列出可选的"}
    )


class ListQuery(Query):
    """Where a page of the list begins."""

    after = fields.String(metadata={"description": "上一页的 next_after"})


class DecideInput(Input):
    """The confidentiality review of a file whose rows go public."""

    cleared = fields.Boolean(
        metadata={"description": "import 成果、需求时须为 true：发布单位做过保密审查"}
    )
    cleared_no = fields.String(metadata={"description": "审查表编号"})
    cleared_by = fields.String(metadata={"description": "审查人"})


class CellProblemSchema(Answer):
    """What is wrong at a cell."""

    row = fields.Integer(metadata={"description": "第几行"})
    column = fields.String(metadata={"description": "列名"})
    address = fields.String(metadata={"description": "单元格", "example": "C7"})
    value = fields.String(metadata={"description": "原内容的开头"})
    message = fields.String(metadata={"description": "问题与改法"})
    warning = fields.Boolean(metadata={"description": "只是提醒，不妨碍导入"})


class ImportSchema(Answer):
    """One import."""

    no = fields.String(metadata={"example": "DR2026000001"})
    kind = fields.String(metadata={"example": "achievements"})
    state = fields.String(metadata={"enum": list(IMPORT_STATES)})
    state_label = fields.String(metadata={"example": "检查通过"})
    mode = fields.String(allow_none=True, metadata={"enum": [*MODES, None]})
    file_name = fields.String()
    rows_seen = fields.Integer(metadata={"description": "已检查或导入的行数"})
    rows_total = fields.Integer(allow_none=True, metadata={"description": "共几行；未读完为 null"})
    added = fields.Integer(metadata={"description": "新增几行"})
    changed = fields.Integer(metadata={"description": "更新几行"})
    unchanged = fields.Integer(metadata={"description": "不变的几行"})
    rejected = fields.Integer(metadata={"description": "有错的几行"})
    fault = fields.String(allow_none=True, metadata={"description": "整个文件为什么不行"})
    url = fields.String(metadata={"description": "网页地址"})
    version = fields.Integer(metadata={"description": "第几版，即 ETag 中的数"})
    actions = fields.List(fields.String(), metadata={"description": "现在能做的操作"})


class ImportListSchema(ListAnswer):
    """One's imports, newest first."""

    items = fields.List(fields.Nested(ImportSchema))


class ProblemListSchema(ListAnswer):
    """What the check found."""

    items = fields.List(fields.Nested(CellProblemSchema))


def _view(job: ImportJob) -> dict[str, Any]:
    actions = [one.action for one in queries.actions(current_actor(), job)]
    return queries.view(job) | {"actions": actions}


def _tagged(job: ImportJob) -> Response:
    return tagged(ImportSchema().dump(_view(job)), job.lock_version)


@blueprint.route("/imports", methods=["POST"])
@blueprint.arguments(UploadQuery, location="query")
@blueprint.doc(
    operationId="createImport",
    summary="上传一个表格",
    description=f"一次最多 {rules.MOST_ROWS} 行、20 MB。先检查，再用 actions 里的操作决定。",
    requestBody=_BODY,
)
@blueprint.response(201, ImportSchema, description="已收下，等待检查")
@creates
@requires(RUN)
def create(query: dict[str, Any]) -> Response:
    """Take in a file."""
    request.max_content_length = rules.LARGEST + 64 * 1024
    request.get_data(cache=True)  # the key of a repeated request covers it; forms are read from it
    sent = request.files.get("file")
    given = {name: request.form.get(name, query.get(name, "")) for name in ("kind", "scope")}
    name = (sent.filename if sent is not None else query.get("name")) or ""
    data = sent.stream.read() if sent is not None else request.get_data()

    def act() -> tuple[dict[str, Any], str]:
        actor = current_actor()
        try:
            no = service.upload(actor, given["kind"], given["scope"], name, data)
        except Invalid as error:
            if "scope" in error.fields:
                error.fields["scope"] += [
                    f"{one.value}：{one.label}" for one in queries.scopes(actor)
                ]
            raise
        body: dict[str, Any] = dict(ImportSchema().dump(_view(queries.find(actor, no))))
        return body, f"{PREFIX}/imports/{no}"

    return create_once(act)


@blueprint.route("/imports")
@blueprint.arguments(ListQuery, location="query")
@blueprint.doc(operationId="listImports", summary="本单位的导入，新的在前")
@blueprint.response(200, ImportListSchema, description="导入")
@requires(LIST)
def index(query: dict[str, Any]) -> dict[str, Any]:
    """One's imports."""
    actor = current_actor()
    rows, more = queries.mine(actor, query.get("after"))
    total, exact = queries.count(actor)
    return {
        "total": total,
        "total_is": "exact" if exact else "at_least",
        "next_after": more,
        "items": [_view(job) for job in rows],
    }


@blueprint.route("/imports/<string:no>")
@blueprint.doc(operationId="getImport", summary="一次导入的进度和结果")
@blueprint.response(200, ImportSchema, description="导入")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def show(no: str) -> Response:
    """One import."""
    return _tagged(queries.find(current_actor(), no))


@blueprint.route("/imports/<string:no>/problems")
@blueprint.doc(
    operationId="listImportProblems",
    summary="检查发现的问题",
    description=f"错误在前，最多 {rules.KEPT_PROBLEMS} 条。",
)
@blueprint.response(200, ProblemListSchema, description="问题")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def problems(no: str) -> dict[str, Any]:
    """What the check found, cell by cell."""
    job = queries.find(current_actor(), no)
    return {
        "total": min(job.problem_count, 10_000),
        "total_is": "exact" if job.problem_count <= 10_000 else "at_least",
        "next_after": None,
        "items": queries.problems_of(job),
    }


@blueprint.route("/imports/<string:no>/<string:action>", methods=["POST"])
@blueprint.doc(
    operationId="actOnImport",
    summary="决定一次导入",
    description=(
        "import 导入（成果、需求须带 cleared），draft 只存为草稿，discard 放弃，again 再试一次，undo 撤销。"
        "须带 If-Match。"
    ),
)
@blueprint.arguments(DecideInput)
@blueprint.response(200, ImportSchema, description="这次导入现在的状态")
@blueprint.alt_response(404, MISSING)
@edits
@requires(RUN)
def act(body: dict[str, Any], no: str, action: str) -> Response:
    """Import, keep as drafts, discard, try again or take back."""
    actor = current_actor()
    require_match(queries.find(actor, no).lock_version)
    service.act(actor, no, action, body)
    return _tagged(queries.find(actor, no))
