"""Notices of one's own organisation or office: drafting, starting, answering, the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from market.core import clock, csrf
from market.core.errors import Denied, Invalid, NotFound
from market.core.files import ACCEPTED
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.permissions import Actor, policy, requires
from market.core.submitting import EMPTY, Trouble, show, submit
from market.core.views import query_url
from market.notices import lists, objecting, queries, rules, service, starting
from market.notices.models import (
    CHANNELS,
    FINDINGS,
    HELD,
    KINDS,
    KINDS_OF_OFFICES,
    OBJECTION_STATES,
    OUTCOMES,
    Notice,
)
from market.notices.objecting import Contact
from market.notices.queries import Case
from market.notices.schemas import (
    MOST_FIELDS,
    ActSchema,
    AnswerSchema,
    DraftSchema,
    NewSchema,
    OutcomeSchema,
    ReasonSchema,
    StartSchema,
)
from market.notices.workflow import (
    ANSWER,
    AREA,
    CONTACT,
    CREATE,
    EDIT,
    LIST_OWN,
    NOTICE,
    READ,
    next_step,
)

blueprint = Blueprint("own_notices", __name__)
TABS = {"open": "办理中", "closed": "已办结"}
WORDS = {
    "begin": "起草",
    "start": "开始公示",
    "record": "登记公示记录",
    "end": "公示期满",
    "conclude": "公布结果",
    "withdraw": "撤回",
    "take_down": "科技管理部门下架",
    "discard": "作废",
    "settle": "按新公布的放假安排重新计算",
}
_APART = {"start", "record", "conclude"}  # have forms of their own


def _listed() -> tuple[str, int]:
    """Tab and page of the address; what makes no sense counts as the first."""
    tab, page = request.args.get("tab", "open"), request.args.get("page", "1")
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 6 else 1
    return tab if tab in TABS else "open", max(1, number)


def _list_page(address: str, page: Any, tab: str) -> str | AnyResponse:
    if page.page > page.pages:
        return redirect(query_url())
    return render_template(
        "notices/mine.html",
        page=page,
        tab=tab,
        tabs=TABS,
        address=address,
        kinds=KINDS,
        may_create=bool(queries.owners(current_actor())),
        next_step=next_step,
    )


@blueprint.get("/my/notices")
@requires(LIST_OWN)
def mine() -> str | AnyResponse:
    """公示 of one's organisations."""
    tab, number = _listed()
    return _list_page("/my/notices", lists.mine(current_actor(), tab, number), tab)


@blueprint.get("/desk/notices")
@requires(AREA)
def desk() -> str | AnyResponse:
    """公示 of an office's area."""
    tab, number = _listed()
    return _list_page("/desk/notices", lists.in_area(current_actor(), tab, number), tab)


@blueprint.get("/my/notices/new")
@requires(CREATE)
def new() -> AnyResponse:
    """Which kind of notice."""
    return show(_new_page(current_actor()))


@blueprint.post("/my/notices/new")
@requires(CREATE)
def create() -> AnyResponse:
    """Begin a draft."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> str:
        return f"/my/notices/{service.draft(actor, values)}"

    return submit(NewSchema(), act, _new_page(actor))


def _new_page(actor: Actor) -> Any:
    def page(form: Form, trouble: Trouble) -> str:
        offices = bool(actor.areas())
        kinds = [one for one in KINDS.items() if offices or one[0] not in KINDS_OF_OFFICES]
        return render_template(
            "notices/new.html",
            form=form,
            trouble=trouble,
            kinds=kinds,
            owners=[(one.no, one.name) for one in queries.owners(actor)],
        )

    return page


@blueprint.get("/my/notices/<string:no>")
@requires(READ)
def case(no: str) -> AnyResponse:
    """A notice for those who look after it."""
    return show(_case_page(no))


@blueprint.post("/my/notices/<string:no>")
@requires(EDIT)
def save(no: str) -> AnyResponse:
    """Save a draft; a good file is kept even when a field is wrong."""
    actor = current_actor()
    queries.find(actor, no)
    wrong = _take_files(actor, no)

    def act(values: Mapping[str, Any]) -> str:
        service.save(actor, no, values, values.get("version") if not wrong.get("kept") else None)
        if "file" in wrong:
            raise Invalid({"file": wrong["file"]})
        target = f"/my/notices/{no}"
        return f"{target}?check=1#check" if values.get("then") == "check" else f"{target}?saved=1"

    return submit(DraftSchema(), act, _case_page(no, "save"), twice=True)


def _take_files(actor: Actor, no: str) -> dict[str, list[str]]:
    """Attach the files that came along; what is wrong with one, and `kept` when one was kept."""
    told: dict[str, list[str]] = {}
    for sent in request.files.getlist("file"):
        if not sent.filename or not csrf.sent_by_our_form():
            continue
        try:
            service.add_file(actor, no, sent.filename, sent.read())
            told["kept"] = []
        except Invalid as error:
            told["file"] = error.fields["file"]
    if "kept" in told:
        told["kept"] = ["1"]
    return told


@blueprint.post("/my/notices/<string:no>/files/<string:file_no>/remove")
@requires(EDIT)
def remove_file(no: str, file_no: str) -> AnyResponse:
    """Take a file off a draft."""
    if not csrf.sent_by_our_form():
        return show(_case_page(no), EMPTY, Trouble(csrf.STALE, status=400))
    service.remove_file(current_actor(), no, file_no)
    return redirect(f"/my/notices/{no}#files", 303)


_FORMS: dict[str, type[Schema]] = {
    "start": StartSchema,
    "record": StartSchema,
    "conclude": OutcomeSchema,
    "withdraw": ActSchema,
    "take_down": ActSchema,
    "discard": ActSchema,
}


@blueprint.post("/my/notices/<string:no>/<string:action>")
@requires(READ)
def act_on(no: str, action: str) -> AnyResponse:
    """Start, conclude, withdraw, take down, discard."""
    if action not in _FORMS:
        raise NotFound
    actor = current_actor()
    queries.find(actor, no)
    if csrf.sent_by_our_form():
        service.end_if_over(no)

    def act(values: Mapping[str, Any]) -> str:
        version = values.get("version") or values.get("seen")
        if action in {"start", "record"}:
            known = values.get("provisional_ok") is True
            starting.start(actor, no, version, provisional_ok=known)
        elif action == "conclude":
            service.conclude(actor, no, values["outcome"], values.get("text"), version)
        else:
            service.act(actor, no, action, values.get("reason"), version)
        return "/my/notices" if action == "discard" else f"/my/notices/{no}"

    return submit(_FORMS[action](), act, _case_page(no, action))


@blueprint.post("/my/objections/<string:no>/answer")
@requires(ANSWER)
def answer(no: str) -> AnyResponse:
    """Answer an objection."""
    actor = current_actor()
    notice_no = _notice_of(actor, no)

    def act(values: Mapping[str, Any]) -> str:
        objecting.answer(actor, no, values, values.get("version"))
        return f"/my/notices/{notice_no}#objection-{no}"

    return submit(AnswerSchema(), act, _case_page(notice_no, no))


@blueprint.post("/my/objections/<string:no>/contact")
@requires(CONTACT)
def contact(no: str) -> Response:
    """查看完整信息: who objected, for this once; noted in the audit."""
    actor = current_actor()
    notice_no, tried = _notice_of(actor, no), f"contact-{no}"
    form = read_form(ReasonSchema(), request.form)
    if not csrf.sent_by_our_form():
        return show(_case_page(notice_no, tried), form, Trouble(csrf.STALE, status=400))
    try:
        found = objecting.read_contact(actor, no, form.values.get("reason"))
    except Invalid as error:
        errors = {name: " ".join(words) for name, words in error.fields.items()}
        return show(_case_page(notice_no, tried), form, Trouble(errors=errors, status=422))
    except Denied as error:
        return show(_case_page(notice_no), EMPTY, Trouble(error.message, status=403))
    return show(_case_page(notice_no, contact=(no, found)))


def _notice_of(actor: Actor, no: str) -> str:
    """The number of the notice of an objection that the actor may read. Raises NotFound."""
    return objecting.find(actor, no).notice.no


def _case_page(no: str, tried: str = "", contact: tuple[str, Contact] | None = None) -> Any:
    """The page for `submit`; what was typed belongs to the form that was tried."""

    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        found = queries.case(actor, no)
        notice = found.view.notice
        edits = policy.allows(actor, EDIT, notice)
        return render_template(
            "notices/case.html",
            case=found,
            notice=notice,
            address=f"/my/notices/{no}",
            form=form,
            trouble=trouble,
            tried=tried,
            contact=contact,
            edits=edits,
            draft=_draft(notice, form if tried == "save" else None),
            fields=_shown_fields(notice, form if tried == "save" else None),
            may_start=any(one.action == "start" for one in found.actions),
            may_answer=policy.allows(actor, ANSWER, notice),
            buttons=[one for one in found.actions if one.action not in _APART],
            plan=_plan(notice),
            outcomes=_outcomes(found),
            next_step=next_step(notice),
            words=WORDS,
            states=NOTICE.states,
            kinds=KINDS,
            held=list(HELD.items()),
            units=list(rules.UNITS.items()),
            rule_sets=rules.RULE_SETS,
            rule_options=[(code, one.label) for code, one in rules.RULE_SETS.items()],
            channels=CHANNELS,
            findings=list(FINDINGS.items()),
            finding_labels=FINDINGS,
            objection_states=OBJECTION_STATES,
            outcome_labels=OUTCOMES,
            unit_labels=rules.UNITS,
            accepted=ACCEPTED,
            shortest=rules.SHORTEST.get(notice.kind),
        )

    return page


def _draft(notice: Notice, form: Form | None) -> Mapping[str, Any]:
    """What the fields of the draft's form hold: as typed, else as saved."""
    if form is not None:
        return form.typed
    others = [where for code, where in notice.channels if code == "other"]
    saved = {
        "own_place": next((where for code, where in notice.channels if code == "own"), ""),
        "others": "\n".join(others),
        "anonymous_ok": "1" if notice.anonymous_ok else "",
    }
    names = "title held days unit rule place contact_name contact_telephone contact_address"
    saved |= {name: str(getattr(notice, name) or "") for name in names.split()}
    for name in ("start_on", "end_on"):
        saved[name] = getattr(notice, name).isoformat() if getattr(notice, name) else ""
    return saved


def _shown_fields(notice: Notice, form: Form | None) -> list[tuple[int, str, str]]:
    """Number, label and text of the content's fields: those filled in, and two empty ones."""
    if form is not None:
        pairs = [
            [form.typed.get(f"label_{n}", ""), form.typed.get(f"text_{n}", "")]
            for n in range(1, MOST_FIELDS + 1)
        ]
        while pairs and not any(pairs[-1]):
            pairs.pop()
    else:
        pairs = list(notice.content)
    pairs += [["", ""]] * min(2, MOST_FIELDS - len(pairs))
    return [(number, label, text) for number, (label, text) in enumerate(pairs, 1)]


def _plan(notice: Notice) -> rules.Period | None:
    """When a draft would end if it started today; None as long as that cannot be told."""
    if notice.state != "draft" or not (notice.days and notice.unit and notice.rule):
        return None
    start = clock.today() if notice.held == "here" else notice.start_on
    if start is None:
        return None
    entered = queries.overrides_for(start, notice.days)
    return rules.period(start, notice.days, notice.unit, rules.RULE_SETS[notice.rule], entered)


def _outcomes(found: Case) -> list[tuple[str, str]]:
    """The outcomes that may be chosen; none while it runs or an objection is open."""
    counts = found.view.counts
    if found.view.state != "ended" or counts.open:
        return []
    return [(one, OUTCOMES[one]) for one in rules.possible_outcomes(counts.all, counts.upheld)]
