"""Pages of a call for its owner and offices: beginning, editing, the case, lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, render_template, request
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from market.catalogue import queries as catalogue
from market.core.errors import NotFound
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import Actor, requires
from market.core.submitting import EMPTY, Trouble, show, submit
from market.core.text import clean_line
from market.matching.calls import filing, queries, service
from market.matching.calls.models import ANSWER_STATES, STATES
from market.matching.calls.rules import ACTIONS, LONGEST_REASON
from market.matching.calls.schemas import ActSchema, CallSchema
from market.matching.calls.workflow import CALL, LIST, READ

blueprint = Blueprint("calls", __name__)
WORDS = {
    "begin": "起草揭榜",
    "open": "发布揭榜",
    "extend": "延长截止日",
    "close": "截止",
    "choose": "选定应答方",
    "propose": "拟选定应答方",
    "confirm": "确定结果",
    "rechoose": "重新选定",
    "fail": "流榜",
    "finish": "办结",
    "withdraw": "撤回揭榜",
}
_APART = {"choose", "propose", "extend"}  # have forms of their own
_TABS = {"calls": "本单位发出的揭榜", "answers": "本单位的应答"}


class _Nothing(Schema):
    """A form without fields."""


@blueprint.get("/calls/new")
@requires(LIST)
def new() -> AnyResponse:
    """发布揭榜: the empty form, about a demand."""
    return show(_form_page(current_actor(), _demand()))


@blueprint.post("/calls/new")
@requires(LIST)
def create() -> AnyResponse:
    """Keep the call as a draft."""
    actor, demand = current_actor(), _demand()

    def act(values: Mapping[str, Any]) -> str:
        return f"/calls/{service.begin(actor, demand, values)}"

    return submit(CallSchema(), act, _form_page(actor, demand))


def _demand() -> str:
    return clean_line(request.args.get("demand", ""))[:20].upper()


def _form_page(actor: Actor, demand: str, no: str = "") -> Callable[[Form, Trouble], str]:
    """The form of a new call of a demand, or of the draft with this number."""
    listing = catalogue.get(actor, "demand", demand)
    if not no and not queries.may_begin(actor, listing.id):
        raise NotFound(f"没有编号为 {demand} 的技术需求。")

    def page(form: Form, trouble: Trouble) -> str:
        kept = queries.find(actor, no) if no else None
        typed = form.typed or _typed(kept)
        return render_template(
            "calls/edit.html", listing=listing, call=kept, typed=typed, trouble=trouble
        )

    return page


def _typed(call: Any) -> dict[str, str]:
    if call is None:
        return {}
    return {
        "deadline": call.deadline.isoformat(),
        "conditions": call.conditions or "",
        "shows_result": "1" if call.shows_result else "",
        "wants_notice": "1" if call.wants_notice else "",
    }


@blueprint.get("/calls/<string:no>/edit")
@requires(READ)
def edit(no: str) -> AnyResponse:
    """A draft's form."""
    actor = current_actor()
    return show(_form_page(actor, queries.find(actor, no).listing.no, no))


@blueprint.post("/calls/<string:no>/edit")
@requires(READ)
def keep(no: str) -> AnyResponse:
    """Change a draft."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> str:
        service.edit(actor, no, values)
        return f"/calls/{no}"

    return submit(CallSchema(), act, _form_page(actor, queries.find(actor, no).listing.no, no))


@blueprint.get("/calls/<string:no>")
@requires(READ)
def case(no: str) -> AnyResponse:
    """A call: what it asks, the answers, the choice, its history."""
    actor = current_actor()
    queries.find(actor, no)
    return show(_case_page(actor, no))


@blueprint.post("/calls/<string:no>/files")
@requires(READ)
def add_files(no: str) -> AnyResponse:
    """Attach files to a draft, or take some out."""
    actor = current_actor()
    queries.find(actor, no)

    def act(_values: Mapping[str, Any]) -> str:
        for file_no in request.form.getlist("drop"):
            filing.take_from_call(actor, no, file_no)
        for sent in request.files.getlist("file"):
            if sent.filename:
                filing.add_to_call(actor, no, sent.filename, sent.read())
        return f"/calls/{no}"

    return submit(_Nothing(), act, _case_page(actor, no, "files"), twice=True)


@blueprint.post("/calls/<string:no>/<string:action>")
@requires(READ)
def act_on(no: str, action: str) -> AnyResponse:
    """Open, extend, choose, end."""
    if action not in ACTIONS:
        raise NotFound
    actor = current_actor()
    queries.find(actor, no)

    def act(values: Mapping[str, Any]) -> str:
        service.act(actor, no, action, values)
        if action == "choose" and (notice := queries.notice_to_fill(actor, no)):
            return f"/my/notices/{notice}"
        return f"/calls/{no}"

    return submit(ActSchema(), act, _case_page(actor, no, action))


def _case_page(actor: Actor, no: str, tried: str = "") -> Callable[[Form, Trouble], str]:
    """The page for `submit`; what was typed belongs to the form of the action that was tried."""

    def page(form: Form, trouble: Trouble) -> str:
        found = queries.get(actor, no)
        return render_template(
            "calls/case.html",
            case=found,
            call=found.call,
            demand=queries.demand(actor, found.call),
            address=f"/calls/{no}",
            may={one.action for one in found.actions},
            buttons=[one for one in found.actions if one.action not in _APART],
            form=form if tried else EMPTY,
            trouble=trouble,
            tried=tried,
            chosen=set(request.form.getlist("answers")) if tried == "choose" else set(),
            words=WORDS,
            states=CALL.states,
            longest=LONGEST_REASON,
        )

    return page


@blueprint.get("/my/calls")
@requires(LIST)
def mine() -> str:
    """揭榜与应答 of one's organisations."""
    actor = current_actor()
    tab = request.args.get("tab", "calls")
    tab = tab if tab in _TABS else "calls"
    page = queries.mine(actor, tab, _page())
    return render_template(
        "calls/mine.html", page=page, tab=tab, tabs=_TABS, states=STATES,
        answer_states=ANSWER_STATES, shown_state=queries.shown_state,
    )  # fmt: skip


@blueprint.get("/desk/calls")
@requires(READ)
def desk() -> str:
    """Calls of an office's area."""
    page = queries.in_area(current_actor(), _page())
    return render_template(
        "calls/desk.html", page=page, states=STATES, shown_state=queries.shown_state
    )


def _page() -> int:
    asked = request.args.get("page", "1")
    return max(1, int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else 1
