"""The page of a contract for its parties and its service point: what it says, what may be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.contracts import filing
from market.contracts import queries as contracts
from market.contracts.codes import CLASSES, FILE_PURPOSES, SUBCLASSES
from market.contracts.filing_pages import (
    attachments,
    authorising,
    beside,
    layout,
    queries,
    rules,
    service,
)
from market.contracts.filing_pages.schemas import (
    AuthoriseSchema,
    PlainSchema,
    ShownSchema,
    answers_schema,
)
from market.contracts.models import MODES, STATES, VERSION_STATES
from market.contracts.workflow import (
    AUTHORISE,
    BEGIN,
    CONTRACT,
    DESK,
    EDIT,
    EVENTS,
    READ,
    READ_FILES,
    address,
)
from market.core import clock, csrf
from market.core.errors import Invalid
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.submitting import Trouble, show, submit

blueprint = Blueprint("contract_cases", __name__)
OWN_ACTS = ("withdraw", "resume", "discard")  # of the table of states, which this page offers


@blueprint.get("/contracts/<string:no>")
@requires(READ)
def case(no: str) -> AnyResponse:
    """A contract: what it says, where it stands, what comes next."""
    contracts.find(current_actor(), no)
    return show(_page(no))


@blueprint.post("/contracts/<string:no>/<any(withdraw, resume, discard):action>")
@requires(READ)
def act(no: str, action: str) -> AnyResponse:
    """Take it back, give a draft up, go on with it."""
    actor = current_actor()
    contract = contracts.find(actor, no)
    target = address(contract)

    def do(values: Mapping[str, Any]) -> str:
        filing.withdraw(actor, no, action, values.get("seen"))
        return f"{target}/edit" if action == "resume" else target

    return submit(PlainSchema(), do, _page(no, action))


@blueprint.post("/contracts/<string:no>/copy")
@requires(READ)
def copy(no: str) -> AnyResponse:
    """照这一份另填."""
    actor = current_actor()
    contracts.find(actor, no)

    def do(_values: Mapping[str, Any]) -> str:
        return f"/contracts/{service.copy(actor, no)}/edit"

    return submit(PlainSchema(), do, _page(no, "copy"))


@blueprint.post("/contracts/<string:no>/answers")
@requires(READ)
def answers(no: str) -> AnyResponse:
    """How each thing was mended that was asked for."""
    actor = current_actor()
    found = contracts.get(actor, no)
    target = address(found.contract)
    numbers = [one.id for one in found.deficiencies]

    def do(values: Mapping[str, Any]) -> str:
        told = {number: values.get(f"answer-{number}") or "" for number in numbers}
        service.answer(actor, no, told, values.get("version"))
        return f"{target}/check" if request.form.get("next") == "check" else f"{target}?saved=1"

    return submit(answers_schema(numbers), do, _page(no, "answers"))


@blueprint.post("/contracts/<string:no>/authorise")
@requires(READ)
def authorise(no: str) -> AnyResponse:
    """委托服务点: by a paper, until a day."""
    request.max_content_length = rules.LARGEST + 64 * 1024
    actor = current_actor()
    contract = contracts.find(actor, no)
    target = address(contract)
    policy.require(actor, AUTHORISE, contract)
    paper, wrong = None, {}
    sent = request.files.get("paper")
    if sent is not None and sent.filename and csrf.sent_by_our_form():
        try:
            paper = attachments.take_in(sent.filename, sent.read())
        except Invalid as error:
            wrong["paper"] = error.fields["file"]

    def do(values: Mapping[str, Any]) -> str:
        authorising.authorise(
            actor, no, values["point"], values["until"], paper, values.get("version")
        )
        return f"{target}#helper"

    return submit(AuthoriseSchema(), do, _page(no, "authorise"), wrong=wrong, twice=True)


@blueprint.post("/contracts/<string:no>/revoke")
@requires(READ)
def revoke(no: str) -> AnyResponse:
    """不再委托."""
    actor = current_actor()
    target = address(contracts.find(actor, no))

    def do(values: Mapping[str, Any]) -> str:
        authorising.revoke(actor, no, values.get("version"))
        return f"{target}#helper"

    return submit(PlainSchema(), do, _page(no, "revoke"))


@blueprint.post("/contracts/<string:no>/shown")
@requires(READ)
def shown(no: str) -> AnyResponse:
    """What the public may see once it is registered."""
    actor = current_actor()
    contract = contracts.find(actor, no)
    own = queries.consents(actor, contract)

    def do(values: Mapping[str, Any]) -> str:
        told = {name: bool(values.get(name)) for name in own}
        service.show(actor, no, told, values.get("version"))
        return f"{address(contract)}#public"

    return submit(ShownSchema(), do, _page(no, "shown"))


def _page(no: str, tried: str = "") -> Callable[[Form, Trouble], str]:
    """The page for `submit`; what was typed belongs to the form that was tried."""

    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        found = contracts.get(actor, no)
        contract = found.contract
        may_authorise = contract.state in authorising.AUTHORISABLE and policy.allows(
            actor, AUTHORISE, contract
        )
        return render_template(
            "contracts/case.html",
            case=found,
            contract=contract,
            address=address(contract),
            form=form,
            trouble=trouble,
            tried=tried,
            edits=policy.allows(actor, EDIT, contract),
            buttons=[one for one in found.actions if one.action in OWN_ACTS],
            at_desk=policy.allows(actor, DESK, contract),
            reads_files=policy.allows(actor, READ_FILES, contract),
            may_authorise=may_authorise,
            may_copy=contract.state in rules.COPIED and policy.allows(actor, BEGIN, contract),
            points=queries.points(actor, contract) if may_authorise else [],
            consents=queries.consents(actor, contract),
            shown_labels=rules.SHOWN,
            sections=layout.shown_content(layout.masked(found.content)),
            beside=beside.shown(actor, found),
            own=set(actor.organisations()),
            paper=next((one for one in reversed(found.files) if one.purpose == "point"), None),
            words=EVENTS,
            states=CONTRACT.states,
            state_labels=STATES,
            modes=MODES,
            purposes=FILE_PURPOSES,
            classes=CLASSES,
            subclasses={code: label for code, (_, label) in SUBCLASSES.items()},
            version_states=VERSION_STATES,
            today=clock.today(),
            longest=rules.LONGEST_ANSWER,
            accepted=rules.ACCEPTED,
        )

    return page
