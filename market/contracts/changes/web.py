"""Pages of changes: asking for one, its case, the decision; what the contract's page shows of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.contracts import content as fields
from market.contracts import locking as contracts
from market.contracts import queries as whole_contracts
from market.contracts.changes import amending, deciding, queries, service
from market.contracts.changes.models import ASKERS, KINDS, OUTCOMES, STATES, ContractChange
from market.contracts.changes.queries import Beside, Case
from market.contracts.changes.schemas import (
    GROUNDS,
    LONGEST,
    OBJECTORS,
    AskSchema,
    DecideSchema,
    SeenSchema,
)
from market.contracts.changes.workflow import ACTIONS, ASK, EDIT, READ, next_step
from market.contracts.codes import CLASSES, subclass_options
from market.contracts.models import Contract
from market.contracts.schemas import LABELS
from market.contracts.workflow import LIST
from market.core import csrf, files
from market.core.errors import Denied, Invalid, NotFound
from market.core.forms import Form
from market.core.http import current_actor
from market.core.money import format_yuan
from market.core.permissions import Actor, policy, requires
from market.core.submitting import EMPTY, Trouble, show, submit

blueprint = Blueprint("contract_changes", __name__)
Page = Callable[[Form, Trouble], str]
WORDS = {
    "begin": "起草",
    "submit": "提交",
    "examine": "初审完毕，送复审",
    "approve": "予以办理",
    "settle": "予以办理",
    "send_back": "退回初审",
    "return": "补正",
    "refuse": "不予办理",
    "withdraw": "撤回",
    "lapse": "因撤销登记终止",
}
APART = ("examine", "approve", "settle")  # have a form of their own
_LISTS = {
    "kinds": KINDS,
    "states": STATES,
    "askers": ASKERS,
    "outcomes": OUTCOMES,
    "words": WORDS,
    "grounds": {code: label for known in GROUNDS.values() for code, label in known.items()},
}


@blueprint.app_template_global("contract_changes")
def changes_of(contract: Contract) -> Beside:
    """What `contracts/changes.html` shows on the page of a contract, which includes it."""
    return queries.beside(current_actor(), contract)


@blueprint.app_template_global("contract_change_words")
def change_words() -> dict[str, Any]:
    """Labels of kinds and states of changes, for the same page."""
    return {"kinds": KINDS, "states": STATES}


# Asking.


@blueprint.get("/contracts/<string:no>/changes/new/<string:kind>")
@requires(LIST)
def new(no: str, kind: str) -> AnyResponse:
    """The form of a change: what, and why."""
    actor = current_actor()
    contract = _askable(actor, no, kind)
    service.refuse_now(contract, kind)
    if kind != "amend":
        return show(_ask_page(contract, kind))
    readable = _content(contract, contract.effective)
    personal = _is_filer(actor, contract)
    return show(_amend_page(contract, None, readable), amending.start(readable, personal=personal))


@blueprint.post("/contracts/<string:no>/changes/new/<string:kind>")
@requires(LIST)
def ask(no: str, kind: str) -> AnyResponse:
    """Begin a change as a draft."""
    actor = current_actor()
    contract = _askable(actor, no, kind)
    if kind != "amend":

        def act(values: Mapping[str, Any]) -> str:
            made = service.ask(actor, no, kind, values, base=values.get("base"))
            return f"/contracts/{no}/changes/{made}"

        return submit(AskSchema(), act, _ask_page(contract, kind))
    readable = _content(contract, contract.effective)

    def amend(values: Mapping[str, Any]) -> str:
        made = service.ask(actor, no, kind, values, values["content"], base=values.get("base"))
        return f"/contracts/{no}/changes/{made}"

    schema = amending.schema_for(readable)
    return submit(schema, amend, _amend_page(contract, None, readable))


def _askable(actor: Actor, no: str, kind: str) -> Contract:
    """The contract, for somebody who may ask this of it. Raises NotFound, Denied."""
    if kind not in KINDS:
        raise NotFound
    contract = whole_contracts.find(actor, no)
    if not policy.allows(actor, ASK[kind], contract):
        raise Denied
    return contract


def _content(contract: Contract, number: int | None) -> dict[str, Any]:
    row = contracts.version_of(contract, number)
    return fields.unpack(fields.as_assessed(row.content, row.findings))


def _is_filer(actor: Actor, contract: Contract) -> bool:
    """Whether the reader wrote the personal values himself and may see them in full."""
    return contract.filer_id is not None and contract.filer_id in actor.organisations()


def _ask_page(contract: Contract, kind: str, change: ContractChange | None = None) -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        return render_template(
            "contracts/change_edit.html",
            contract=contract,
            kind=kind,
            change=change,
            form=form,
            trouble=trouble,
            options=list(GROUNDS.get(kind, {}).items()),
            objectors=list(OBJECTORS.items()),
            by_office=change.asker_id is None if change else _asks_for_office(contract),
            longest=LONGEST,
            **_LISTS,
        )

    return page


def _asks_for_office(contract: Contract) -> bool:
    """Whether the reader would ask for a body or an office, not for a party."""
    actor = current_actor()
    own = set(actor.organisations()) & contract.party_ids
    return not own and not service.helps(actor, contract)


def _amend_page(
    contract: Contract, change: ContractChange | None, readable: Mapping[str, Any]
) -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        return render_template(
            "contracts/amend.html",
            contract=contract,
            change=change,
            form=form,
            trouble=trouble,
            asked=amending.asked(readable),
            personal=_is_filer(current_actor(), contract),
            base=change.base_version if change else contract.effective,
            **_LISTS,
        )

    return page


# The case.


@blueprint.get("/contracts/<string:no>/changes/<string:change_no>")
@requires(READ)
def case(no: str, change_no: str) -> AnyResponse:
    """A change: what is asked, old and new, what it touches, papers, timeline, what may be done."""
    actor = current_actor()
    _get(actor, no, change_no)
    return show(_case_page(actor, no, change_no))


def _get(actor: Actor, no: str, change_no: str) -> Case:
    found = queries.get(actor, change_no)
    if found.change.contract.no != no:
        raise NotFound(f"没有编号为 {change_no} 的变更。")
    return found


def _case_page(actor: Actor, no: str, change_no: str, tried: str = "") -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        found = _get(actor, no, change_no)
        change = found.change
        missing = service.wanting(change) if "submit" in found.may else {}
        return render_template(
            "contracts/change.html",
            case=found,
            change=change,
            contract=change.contract,
            address=f"/contracts/{no}/changes/{change_no}",
            form=form if tried in APART else _decision(change),
            trouble=trouble,
            tried=tried,
            anchors=_anchors(trouble, tried),
            missing={name: words for name, words in missing.items() if name not in trouble.errors},
            labels=LABELS,
            may_edit=policy.allows(actor, EDIT, change),
            buttons=[one for one in found.actions if one.action not in (*APART, "submit")],
            deciding=next((one for one in found.actions if one.action in APART), None),
            next_step=next_step(change),
            accepted=files.ACCEPTED,
            classes=list(CLASSES.items()),
            subclasses=subclass_options(),
            review_outcomes=_review_outcomes(change),
            **_LISTS,
        )

    return page


def _anchors(trouble: Trouble, tried: str) -> dict[str, str]:
    """Where the page's summary of what is wrong leads: what is asked is written on another page."""
    if tried == "submit":
        return {name: "files" if name == "files" else "asked" for name in trouble.errors}
    return {"outcome": "outcome-1", "reason": f"act-{tried}"}


def _review_outcomes(change: ContractChange) -> list[tuple[str, str]]:
    follows = {"refused": "，重新审查", "annulled": "，恢复登记"}.get(change.contract.state)
    other = "corrected" if follows is None else "reopened"
    return [("confirmed", OUTCOMES["confirmed"]), (other, OUTCOMES[other] + (follows or ""))]


def _decision(change: ContractChange) -> Form:
    """What the form of the decision begins with: amounts and class as asked or as found."""
    if change.kind not in {"amend", "review"}:
        return EMPTY
    given: Mapping[str, Any] = {}
    if change.kind == "amend":
        given = contracts.version_of(change.contract, change.version).content
    else:
        given = {name: getattr(change.contract, name) for name in fields.ASSESSED}
    values = {**{name: given.get(name) for name in fields.ASSESSED}, **change.findings}
    typed = {
        name: format_yuan(value) if name.endswith("_fen") else str(value)
        for name, value in values.items()
        if value is not None
    }
    return Form({}, {}, typed)


@blueprint.get("/contracts/<string:no>/changes/<string:change_no>/edit")
@requires(READ)
def edit_form(no: str, change_no: str) -> AnyResponse:
    """The form of a draft again."""
    actor = current_actor()
    change = _editable(actor, no, change_no)
    if change.kind != "amend":
        return show(_ask_page(change.contract, change.kind, change), _typed(change))
    readable = _content(change.contract, change.version)
    start = amending.start(
        readable, personal=_is_filer(actor, change.contract), reason=change.reason
    )
    return show(_amend_page(change.contract, change, readable), start)


@blueprint.post("/contracts/<string:no>/changes/<string:change_no>/edit")
@requires(READ)
def edit(no: str, change_no: str) -> AnyResponse:
    """Write a draft, or one that came back."""
    actor = current_actor()
    change = _editable(actor, no, change_no)
    target = change.url
    if change.kind != "amend":

        def act(values: Mapping[str, Any]) -> str:
            service.edit(actor, change_no, values, None, values.get("version"))
            return target

        return submit(AskSchema(), act, _ask_page(change.contract, change.kind, change))
    readable = _content(change.contract, change.version)

    def amend(values: Mapping[str, Any]) -> str:
        service.edit(actor, change_no, values, values["content"], values.get("version"))
        return target

    schema = amending.schema_for(readable)
    return submit(schema, amend, _amend_page(change.contract, change, readable))


def _editable(actor: Actor, no: str, change_no: str) -> ContractChange:
    change = _get(actor, no, change_no).change
    if not policy.allows(actor, EDIT, change):
        raise Denied
    return change


def _typed(change: ContractChange) -> Form:
    names = ("ground", "reason", "hearing", "asked_name", "asked_by")
    typed = {name: getattr(change, name) or "" for name in names}
    typed["happened_on"] = change.happened_on.isoformat() if change.happened_on else ""
    return Form({}, {}, typed)


@blueprint.post("/contracts/<string:no>/changes/<string:change_no>/files")
@requires(READ)
def attach(no: str, change_no: str) -> AnyResponse:
    """Add papers."""
    actor = current_actor()
    target = _editable(actor, no, change_no).url
    uploads, wrong = _take_files()

    def act(_values: Mapping[str, Any]) -> str:
        for upload in uploads:
            service.attach(actor, change_no, upload)
        return f"{target}#files"

    page_again = _case_page(actor, no, change_no, "files")
    return submit(SeenSchema(), act, page_again, twice=True, wrong=wrong)


def _take_files() -> tuple[list[files.Upload], dict[str, list[str]]]:
    """The files that were sent, judged and stored; what is wrong with the first that is not good."""
    if not csrf.sent_by_our_form():
        return [], {}
    sent = [one for one in request.files.getlist("file") if one.filename]
    if not sent:
        return [], {"file": ["请先选择文件。"]}
    try:
        return [files.take_in(one.filename or "", one.read()) for one in sent], {}
    except Invalid as error:
        return [], error.fields


@blueprint.post("/contracts/<string:no>/changes/<string:change_no>/files/<string:file_no>/remove")
@requires(READ)
def remove_file(no: str, change_no: str, file_no: str) -> AnyResponse:
    """Take a paper off."""
    actor = current_actor()
    target = _editable(actor, no, change_no).url

    def act(_values: Mapping[str, Any]) -> str:
        service.remove_file(actor, change_no, file_no)
        return f"{target}#files"

    return submit(SeenSchema(), act, _case_page(actor, no, change_no, "files"))


@blueprint.post("/contracts/<string:no>/changes/<string:change_no>/<string:action>")
@requires(READ)
def act_on(no: str, change_no: str, action: str) -> AnyResponse:
    """Send it in, take it back, examine, decide."""
    if action not in ACTIONS:
        raise NotFound
    actor = current_actor()
    target = _get(actor, no, change_no).change.url

    def act(values: Mapping[str, Any]) -> str:
        deciding.act(actor, change_no, action, values, values.get("version"), values.get("seen"))
        return target

    return submit(DecideSchema(), act, _case_page(actor, no, change_no, action))
