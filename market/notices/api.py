"""Notices in the API: the public ones, and the own ones with a token."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_writes import create_once, creates, edits, require_match, version_tag
from market.core.errors import NotFound
from market.core.http import current_actor
from market.core.pagination import EXACT_UP_TO, ROWS_PER_PAGE, PageOf
from market.core.permissions import requires
from market.notices import lists, objecting, queries, service, starting
from market.notices.api_schemas import (
    AnnouncementListSchema,
    AnnouncementSchema,
    NewNotice,
    NewObjectionAnswer,
    NoticeAct,
    NoticeListSchema,
    NoticeQuery,
    NoticeText,
    NoticeWholeSchema,
    ObjectionListSchema,
    ObjectionSchema,
    OwnNoticeQuery,
)
from market.notices.models import KINDS
from market.notices.models import Announcement as AnnouncementRow
from market.notices.queries import View
from market.notices.workflow import (
    ANSWER,
    CREATE,
    EDIT,
    LIST,
    READ,
    VIEW,
    VIEW_ANNOUNCEMENT,
)
from market.regions import queries as regions

blueprint = ApiBlueprint("notices_api", __name__, "公示公告：公开的，以及本单位的")
_TOKEN: list[dict[str, list[str]]] = [{"token": []}]


def _row(view: View) -> dict[str, Any]:
    one = view.notice
    names = "no kind title days unit start_on first_on end_on provisional outcome demo"
    return {name: getattr(one, name) for name in names.split()} | {
        "kind_label": KINDS[one.kind],
        "owner": one.owner.name,
        "region_code": one.region.code,
        "state": view.state,
        "state_label": view.state_label,
        "objections": view.counts.all,
        "open_objections": view.counts.open,
        "url": view.url,
    }


def _whole(view: View) -> dict[str, Any]:
    one, gone = view.notice, view.notice.state == "withdrawn"
    names = "rule held outcome_text withdrawn_reason hash lock_version "
    names += "contact_name contact_telephone contact_address place"
    found = _row(view) | {name: getattr(one, name) for name in names.split()}
    found |= {
        "content": [] if gone else [{"label": a, "text": b} for a, b in one.content],
        "channels": [] if gone else one.channels,
        "frozen": queries.frozen_of(one) if one.hash and not gone else None,
        "answers": [
            {"finding": answer.finding, "text": answer.published}
            for answer in ([] if gone else queries.answers_of(one))
        ],
    }
    dumped: dict[str, Any] = NoticeWholeSchema().dump(found)
    return dumped


def _answer(view: View) -> Response:
    response = jsonify(_whole(view))
    response.headers["ETag"] = version_tag(view.notice.lock_version)
    return response


def _own(no: str) -> View:
    return queries.views([queries.find(current_actor(), no)])[0]


def _seen(no: str) -> int:
    """The version of the notice, after comparing it with `If-Match`."""
    version = queries.find(current_actor(), no).lock_version
    require_match(version)
    return version


def _page(found: PageOf[Any], row: Any) -> PageOf[dict[str, Any]]:
    rows = [row(one) for one in found.items]
    return PageOf(rows, found.total, found.page, found.per_page, found.total_is)


def _number(query: dict[str, Any]) -> int:
    number: int = min(query["page"], EXACT_UP_TO // query["per_page"])
    return number


@blueprint.route("/notices")
@blueprint.doc(operationId="listNotices", summary="公示")
@blueprint.arguments(NoticeQuery, location="query")
@blueprint.response(200, NoticeListSchema, description="公示")
@requires(LIST)
def notice_list(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """Public notices; what makes no sense in the question is passed over, as on pages."""
    asked = {**query, "page": _number(query)}
    asked["tab"] = query["tab"] if query["tab"] in {"running", "ended"} else "running"
    asked["kind"] = query["kind"] if query["kind"] in KINDS else ""
    if asked["region"]:
        try:
            regions.find(asked["region"])
        except NotFound:
            asked["region"] = ""
    return _page(lists.listed(current_actor(), asked, query["per_page"]), _row)


@blueprint.route("/notices/<string:no>")
@blueprint.doc(operationId="getNotice", summary="一个公示")
@blueprint.response(200, NoticeWholeSchema, description="公示的内容、期限和指纹")
@blueprint.alt_response(404, MISSING)
@requires(VIEW)
def notice(no: str) -> Response:
    """A public notice; with all that its fingerprint was made of."""
    return _answer(queries.public(current_actor(), no))


@blueprint.route("/my/notices")
@blueprint.doc(operationId="listOwnNotices", summary="本单位的公示", security=_TOKEN)
@blueprint.arguments(OwnNoticeQuery, location="query")
@blueprint.response(200, NoticeListSchema, description="公示，草稿在内")
@requires(READ)
def own_list(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """The own notices, drafts too."""
    return _page(lists.mine(current_actor(), "", _number(query), query["per_page"]), _row)


@blueprint.route("/my/notices/<string:no>")
@blueprint.doc(operationId="getOwnNotice", summary="本单位的一个公示", security=_TOKEN)
@blueprint.response(200, NoticeWholeSchema, description="公示")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def own(no: str) -> Response:
    """One of the own notices, also a draft."""
    return _answer(_own(no))


def _values(values: dict[str, Any]) -> dict[str, Any]:
    pairs = [[one["label"], one["text"]] for one in values["content"]]
    return {**values, "content": pairs, "held": "here"}


@blueprint.route("/my/notices", methods=["POST"])
@blueprint.doc(
    operationId="createNotice",
    summary="起草公示",
    description="以令牌所属单位的名义。可带 Idempotency-Key。附件和别处公示的记录在网页上传。",
    security=_TOKEN,
)
@blueprint.arguments(NewNotice)
@blueprint.response(201, NoticeWholeSchema, description="草稿")
@creates
@requires(CREATE)
def create(values: dict[str, Any]) -> Response:
    """Begin a draft."""
    actor = current_actor()

    def act() -> tuple[dict[str, Any], str]:
        no = service.draft(actor, values)
        service.save(actor, no, _values(values))
        return _whole(_own(no)), f"{PREFIX}/my/notices/{no}"

    return create_once(act)


@blueprint.route("/my/notices/<string:no>", methods=["PUT"])
@blueprint.doc(
    operationId="saveNotice",
    summary="改草稿",
    description="须带 If-Match。开始后不能再改。",
    security=_TOKEN,
)
@blueprint.arguments(NoticeText)
@blueprint.response(200, NoticeWholeSchema, description="改后的草稿")
@blueprint.alt_response(404, MISSING)
@edits
@requires(EDIT)
def save(values: dict[str, Any], no: str) -> Response:
    """Save a draft."""
    service.save(current_actor(), no, _values(values), _seen(no))
    return _answer(_own(no))


@blueprint.route("/my/notices/<string:no>/actions", methods=["POST"])
@blueprint.doc(
    operationId="actOnNotice",
    summary="开始、撤回、公布结果、作废",
    description="须带 If-Match。要求内部签发的单位，只能由人在网页上开始。",
    security=_TOKEN,
)
@blueprint.arguments(NoticeAct)
@blueprint.response(200, NoticeWholeSchema, description="办后的公示")
@blueprint.alt_response(404, MISSING)
@edits
@requires(READ)
def act_on(values: dict[str, Any], no: str) -> Response:
    """Start, withdraw, conclude, discard."""
    actor, version, action = current_actor(), _seen(no), values["action"]
    if action == "start":
        known = values.get("provisional_ok") is True
        starting.start(actor, no, version, provisional_ok=known)
    elif action == "conclude":
        outcome = values.get("outcome") or ""
        service.conclude(actor, no, outcome, values.get("text"), version)
    else:
        service.act(actor, no, action, values.get("reason"), version)
    return _answer(_own(no))


@blueprint.route("/my/notices/<string:no>/objections")
@blueprint.doc(operationId="listObjections", summary="收到的异议", security=_TOKEN)
@blueprint.response(200, ObjectionListSchema, description="异议")
@blueprint.alt_response(404, MISSING)
@requires(READ)
def objection_list(no: str) -> PageOf[Any]:
    """The objections against one of the own notices."""
    rows = queries.case(current_actor(), no).objections
    return PageOf(rows, len(rows), 1, max(1, len(rows)))


@blueprint.route("/my/objections/<string:no>/answer", methods=["POST"])
@blueprint.doc(
    operationId="answerObjection",
    summary="答复异议",
    description='须带 If-Match："v" 加这件异议的 lock_version。',
    security=_TOKEN,
)
@blueprint.arguments(NewObjectionAnswer)
@blueprint.response(200, ObjectionSchema, description="答复后的异议")
@blueprint.alt_response(404, MISSING)
@edits
@requires(ANSWER)
def answer(values: dict[str, Any], no: str) -> Any:
    """Answer an objection."""
    actor = current_actor()
    version = objecting.find(actor, no).lock_version
    require_match(version)
    objecting.answer(actor, no, values, version)
    return objecting.find(actor, no)


def _announced(row: AnnouncementRow) -> dict[str, Any]:
    names = "no title state withdrawn_reason published_at demo"
    return {name: getattr(row, name) for name in names.split()} | {
        "text": row.text if row.state == "published" else None,
        "owner": row.owner.name,
        "region_code": row.region.code,
        "url": f"/announcements/{row.no}",
    }


@blueprint.route("/announcements")
@blueprint.doc(operationId="listAnnouncements", summary="公告")
@blueprint.arguments(OwnNoticeQuery, location="query")
@blueprint.response(200, AnnouncementListSchema, description="公告，最新的在前")
@requires(LIST)
def announcement_list(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """Published announcements."""
    asked = {"page": min(query["page"], EXACT_UP_TO // ROWS_PER_PAGE)}
    return _page(lists.announced(current_actor(), asked), _announced)


@blueprint.route("/announcements/<string:no>")
@blueprint.doc(operationId="getAnnouncement", summary="一个公告")
@blueprint.response(200, AnnouncementSchema, description="公告")
@blueprint.alt_response(404, MISSING)
@requires(VIEW_ANNOUNCEMENT)
def announcement(no: str) -> dict[str, Any]:
    """An announcement."""
    return _announced(queries.announcement(current_actor(), no))
