"""公告 of an office in the API: drafting, publishing, withdrawing."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate

from market.core import file_api, files
from market.core.api import PREFIX, ApiBlueprint
from market.core.api_schemas import Answer, Input, ListAnswer
from market.core.api_writes import as_seen, create_once, creates, edits, tagged
from market.core.fields import Line, LongText
from market.core.file_api import AttachedFileInput, AttachedFileListSchema
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import requires
from market.notices import announcing, lists, queries
from market.notices.api_schemas import OwnNoticeQuery
from market.notices.models import ANNOUNCEMENT_STATES, Announcement
from market.notices.queries import ANNOUNCEMENT_FILES
from market.notices.schemas import LONGEST_ANNOUNCEMENT
from market.notices.workflow import ANNOUNCEMENT, READ_ANNOUNCEMENT, WRITE_ANNOUNCEMENT

blueprint = ApiBlueprint("announcements_api", __name__, "公告：科技管理部门起草、发布、撤回")
_HERE = "/desk/announcements"
_ACTIONS = [one.action for one in ANNOUNCEMENT.transitions]


class OfficeAnnouncementSchema(Answer):
    """An announcement as its office sees it, a draft too."""

    no = fields.String(metadata={"example": "GG2026000001"})
    title = fields.String()
    text = fields.String()
    owner = fields.String(metadata={"description": "发布部门"})
    region_code = fields.String()
    state = fields.String(metadata={"enum": list(ANNOUNCEMENT_STATES)})
    withdrawn_reason = fields.String(allow_none=True)
    published_at = fields.DateTime(allow_none=True)
    actions = fields.List(fields.String(), metadata={"description": "现在能做的操作"})
    lock_version = fields.Integer(metadata={"description": "第几次改动，同 ETag"})
    demo = fields.Boolean(metadata={"description": "演示数据"})
    url = fields.String(metadata={"description": "本站页面"})


class OfficeAnnouncementListSchema(ListAnswer):
    """Announcements of the area."""

    items = fields.List(fields.Nested(OfficeAnnouncementSchema))


class AnnouncementInput(Input):
    """What an announcement says; all of it, each time."""

    title = Line(200, required=True)
    text = LongText(LONGEST_ANNOUNCEMENT, required=True)


class AnnouncementAct(Input):
    """One of the acts."""

    action = fields.String(
        required=True,
        validate=validate.OneOf(_ACTIONS, error=f"应为 {'、'.join(_ACTIONS)} 之一。"),
        metadata={"description": "publish 发布；withdraw 撤回"},
    )
    reason = LongText(1000, metadata={"description": "原因，withdraw 必填，会公开"})


def _values(row: Announcement) -> dict[str, Any]:
    names = "no title text state withdrawn_reason published_at lock_version demo"
    return {name: getattr(row, name) for name in names.split()} | {
        "owner": row.owner.name,
        "region_code": row.region.code,
        "actions": [one.action for one in queries.announcement_acts(current_actor(), row)],
        "url": f"/desk/announcements/{row.no}",
    }


def _find(no: str) -> Announcement:
    return queries.announcement(current_actor(), no, READ_ANNOUNCEMENT)


def _version(no: str) -> int:
    version: int = _find(no).lock_version
    return version


def _answer(no: str) -> Response:
    row = _find(no)
    return tagged(OfficeAnnouncementSchema().dump(_values(row)), row.lock_version)


@blueprint.route(_HERE)
@blueprint.doc(operationId="listOfficeAnnouncements", summary="本地区的公告，草稿在内")
@blueprint.arguments(OwnNoticeQuery, location="query")
@blueprint.response(200, OfficeAnnouncementListSchema, description="公告，最新的在前")
@requires(READ_ANNOUNCEMENT)
def announcement_list(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """The announcements of the office's area, drafts too."""
    number = min(query["page"], EXACT_UP_TO // ROWS_PER_PAGE)
    found = lists.announcements_in_area(current_actor(), number)
    rows = [_values(one) for one in found.items]
    return PageOf(rows, found.total, found.page, found.per_page, found.total_is)


@blueprint.route(_HERE, methods=["POST"])
@blueprint.doc(
    operationId="createAnnouncement",
    summary="起草公告",
    description="以令牌所属部门的名义。可带 Idempotency-Key。",
)
@blueprint.arguments(AnnouncementInput)
@blueprint.response(201, OfficeAnnouncementSchema, description="草稿")
@creates
@requires(WRITE_ANNOUNCEMENT)
def create(values: dict[str, Any]) -> Response:
    """Begin a draft; with `Idempotency-Key` once."""

    def act() -> tuple[dict[str, Any], str]:
        no = announcing.draft(current_actor(), values)
        body: dict[str, Any] = OfficeAnnouncementSchema().dump(_values(_find(no)))
        return body, f"{PREFIX}{_HERE}/{no}"

    return create_once(act)


@blueprint.route(f"{_HERE}/<string:no>")
@blueprint.doc(operationId="getOfficeAnnouncement", summary="本地区的一个公告")
@blueprint.response(200, OfficeAnnouncementSchema, description="公告；ETag 供修改时带上")
@requires(READ_ANNOUNCEMENT)
def announcement(no: str) -> Response:
    """An announcement of the office's area, also a draft."""
    return _answer(no)


@blueprint.route(f"{_HERE}/<string:no>", methods=["PUT"])
@blueprint.doc(
    operationId="editAnnouncement",
    summary="改公告草稿",
    description="须带 If-Match。发布后不能再改。",
)
@blueprint.arguments(AnnouncementInput)
@blueprint.response(200, OfficeAnnouncementSchema, description="改后的草稿")
@edits
@requires(WRITE_ANNOUNCEMENT)
def edit(values: dict[str, Any], no: str) -> Response:
    """Change a draft; asks for `If-Match`."""
    with as_seen(lambda: _version(no)):
        announcing.save(current_actor(), no, values)
    return _answer(no)


@blueprint.route(f"{_HERE}/<string:no>/actions", methods=["POST"])
@blueprint.doc(
    operationId="actOnAnnouncement", summary="发布、撤回公告", description="须带 If-Match。"
)
@blueprint.arguments(AnnouncementAct)
@blueprint.response(200, OfficeAnnouncementSchema, description="办后的公告")
@edits
@requires(WRITE_ANNOUNCEMENT)
def act_on(values: dict[str, Any], no: str) -> Response:
    """Publish or withdraw; asks for `If-Match`."""
    with as_seen(lambda: _version(no)):
        announcing.act(current_actor(), no, values["action"], values.get("reason"))
    return _answer(no)


@blueprint.route(f"{_HERE}/<string:no>/files")
@blueprint.doc(operationId="listAnnouncementFiles", summary="公告的附件")
@blueprint.response(200, AttachedFileListSchema, description="附件")
@requires(READ_ANNOUNCEMENT)
def attached(no: str) -> Response:
    """What is attached to an announcement."""
    row = _find(no)
    return file_api.answer(files.files_of(ANNOUNCEMENT_FILES, row.id), row.lock_version)


@blueprint.route(f"{_HERE}/<string:no>/files", methods=["POST"])
@blueprint.doc(
    operationId="addAnnouncementFile",
    summary="给公告草稿添附件",
    description=f"{files.ACCEPTED}。可带 Idempotency-Key。",
)
@blueprint.arguments(AttachedFileInput)
@blueprint.response(201, AttachedFileListSchema, description="添加后的附件")
@creates
@requires(WRITE_ANNOUNCEMENT)
def add_file(body: dict[str, Any], no: str) -> Response:
    """Attach a file to a draft; with `Idempotency-Key` once."""
    actor, key = current_actor(), _find(no).id
    return file_api.add_once(
        body,
        lambda upload: announcing.attach(actor, no, upload),
        lambda: files.files_of(ANNOUNCEMENT_FILES, key),
        f"{PREFIX}{_HERE}/{no}/files",
    )
