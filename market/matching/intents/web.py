"""Pages of an intent: beginning one from an inquiry, the case itself, invitations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from market.accounts import queries as accounts
from market.core.errors import NotFound
from market.core.fields import Whole
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import Actor, policy, requires
from market.core.submitting import Trouble, show, submit
from market.core.text import clean_line
from market.matching.intents import (
    beginning,
    choosing,
    invitations,
    offers,
    outcomes,
    queries,
    service,
    thread,
)
from market.matching.intents.models import (
    CLASSES,
    ENDINGS,
    OUTCOMES,
    PARTIES,
    ROLES,
    SIDES,
    SOURCES,
    WHY_ASKED,
)
from market.matching.intents.rules import ACTIONS, INVITATION_ACTIONS, LABELS, LONGEST_MESSAGE
from market.matching.intents.schemas import (
    BeginSchema,
    ClassSchema,
    EndingSchema,
    InviteSchema,
    MessageSchema,
    OutcomeSchema,
    PlainSchema,
)
from market.matching.intents.workflow import (
    INTENT,
    INVITATION,
    INVITE,
    LIST,
    NOTE,
    OFFER,
    READ,
    REMIND,
    SEE_INVITATION,
    SHOW,
    SWAP,
    TELL_OUTCOME,
    WRITE,
)

blueprint = Blueprint("intents", __name__)
WORDS = {
    "begin": "提出对接意向",
    "accept": "接受，开始洽谈",
    "decline": "暂不对接",
    "withdraw": "撤回",
    "offer": "提出方案",
    "yes": "一方同意方案",
    "agree": "双方同意",
    "end": "终止",
    "reopen": "重新洽谈",
    "swap": "对调买方和卖方",
    "show": "允许本地科技管理部门查看条款",
    "hide": "不再允许科技管理部门查看条款",
    "classify": "合同类别",
    "note": "科技管理部门留言",
    "remind": "科技管理部门提醒办理",
    "invite": "提出邀请",
    "consent": "同意邀请",
    "object": "不同意邀请",
    "join": "受邀方参与",
    "refuse": "受邀方不参与",
    "leave": "受邀方退出",
    "remove": "请出",
    "again": "再次邀请",
    "outcome": "填写对接结果",
}
# Have forms of their own on the page.
_APART = {"offer", "agree", "end", "decline"}
_MAY = {
    "write": WRITE,
    "note": NOTE,
    "remind": REMIND,
    "show": SHOW,
    "swap": SWAP,
    "offer": OFFER,
    "invite": INVITE,
    "outcome": TELL_OUTCOME,
}


class AgreeSchema(PlainSchema):
    """Which version of the offers one says yes to."""

    offer = Whole(1, 10**6, required=True)


_FORMS: dict[str, type[Schema]] = {
    **dict.fromkeys(ACTIONS, PlainSchema),
    "end": EndingSchema,
    "decline": EndingSchema,
    "say": MessageSchema,
    "remind": PlainSchema,
    "agree": AgreeSchema,
    "invite": InviteSchema,
    "outcome": OutcomeSchema,
    "classify": ClassSchema,
}


@blueprint.get("/intents/begin")
@requires(LIST)
def begin_form() -> AnyResponse:
    """转为对接意向: what it would be, or what must be done first."""
    actor, (kind, no) = current_actor(), _source()
    found = beginning.start(actor, no, kind)
    earlier = beginning.there(actor, kind, found.source.id)
    if earlier is not None:
        return redirect(f"/intents/{earlier}", 303)
    return show(_begin_page(actor, kind, no), Form({}, {}, beginning.known(actor, found.source)))


@blueprint.post("/intents/begin")
@requires(LIST)
def begin() -> AnyResponse:
    """Turn an inquiry, a dispatch or an answer into an intent."""
    actor, (kind, no) = current_actor(), _source()
    beginning.start(actor, no, kind)

    def act(values: Mapping[str, Any]) -> str:
        return f"/intents/{beginning.begin(actor, no, values, kind)}"

    return submit(BeginSchema(), act, _begin_page(actor, kind, no))


def _source() -> tuple[str, str]:
    """What the address names: `?inquiry=`, `?dispatch=` or `?answer=`."""
    kind = next((one for one in SOURCES if request.args.get(one)), "inquiry")
    return kind, clean_line(request.args.get(kind, ""))[:20]


def _begin_page(actor: Actor, kind: str, no: str) -> Callable[[Form, Trouble], str]:
    def page(form: Form, trouble: Trouble) -> str:
        return render_template(
            "intents/begin.html",
            start=beginning.start(actor, no, kind),
            sources=SOURCES,
            form=form,
            trouble=trouble,
            sides=list(PARTIES.items()),
            classes=list(CLASSES.items()),
            longest=LONGEST_MESSAGE,
        )

    return page


@blueprint.get("/intents/<string:no>")
@requires(READ)
def case(no: str) -> AnyResponse:
    """An intent: offers, thread, who takes part, what became of it, timeline."""
    actor = current_actor()
    queries.get(actor, no)
    return show(_case_page(actor, no))


@blueprint.post("/intents/<string:no>/<string:action>")
@requires(READ)
def act_on(no: str, action: str) -> AnyResponse:
    """Do something with an intent."""
    if action not in _FORMS:
        raise NotFound
    actor = current_actor()
    queries.get(actor, no)

    def act(values: Mapping[str, Any]) -> str:
        _do(actor, no, action, values)
        return f"/intents/{no}"

    return submit(_FORMS[action](), act, _case_page(actor, no, action))


def _do(actor: Actor, no: str, action: str, values: Mapping[str, Any]) -> None:
    """Carry out what a form of the page asks for."""
    version = values.get("version")
    if action == "say":
        thread.say(actor, no, values["text"], version)
    elif action == "remind":
        thread.remind(actor, no)
    elif action == "agree":
        offers.agree(actor, no, values["offer"], version)
    elif action == "invite":
        invitations.invite(actor, no, values, version)
    elif action == "outcome":
        outcomes.tell(actor, no, values, version)
    elif action == "classify":
        service.classify(actor, no, values.get("contract_class"), version)
    else:
        service.act(actor, no, action, values)


def _case_page(actor: Actor, no: str, tried: str = "") -> Callable[[Form, Trouble], str]:
    """The page for `submit`; what was typed belongs to the form of the action that was tried."""

    def page(form: Form, trouble: Trouble) -> str:
        found = queries.get(actor, no)
        intent = found.intent
        may = {name for name, one in _MAY.items() if policy.allows(actor, one, intent)}
        named = form.typed.get("organisation", "") if tried == "invite" else ""
        return render_template(
            "intents/case.html",
            case=found,
            intent=intent,
            address=f"/intents/{no}",
            form=form,
            trouble=trouble,
            tried=tried,
            may=may,
            buttons=[one for one in found.actions if one.action not in _APART],
            words=WORDS,
            states=INTENT.states,
            invited=INVITATION.states,
            offices=_offices(found),
            entries=choosing.entries_of(intent),
            candidates=queries.candidates(named) if trouble.errors.get("organisation") else [],
            longest=LONGEST_MESSAGE,
            **_LISTS,
        )

    return page


_LISTS = {
    "classes": list(CLASSES.items()),
    "endings": list(ENDINGS.items()),
    "outcomes": list(OUTCOMES.items()),
    "roles": list(ROLES.items()),
    "sides": SIDES,
    "sources": SOURCES,
    "why": WHY_ASKED,
    "labels": LABELS,
}


def _offices(case: queries.Case) -> str:
    """The place of the reader's side, whose office may be let to read the terms."""
    intent = case.intent
    region = intent.buyer_region if case.side == "buyer" else intent.seller_region
    contact = accounts.contact_for(region.path_ids)
    return contact.name if contact else region.name


@blueprint.get("/intents/invitations/<int:key>")
@requires(SEE_INVITATION)
def invitation(key: int) -> AnyResponse:
    """An invitation, for who is invited: who negotiates about what, and nothing more."""
    actor = current_actor()
    invitations.get(actor, key)
    return show(_invitation_page(actor, key))


@blueprint.post("/intents/invitations/<int:key>/<string:action>")
@requires(SEE_INVITATION)
def answer_invitation(key: int, action: str) -> AnyResponse:
    """Agree or object, join or refuse, leave, remove."""
    if action not in INVITATION_ACTIONS:
        raise NotFound
    actor = current_actor()
    row = invitations.get(actor, key)
    of_party = policy.allows(actor, READ, row.intent)
    target = f"/intents/{row.intent.no}" if of_party else f"/intents/invitations/{key}"
    if action == "join":
        target = f"/intents/{row.intent.no}"
    elif action == "leave":
        target = f"/intents/invitations/{key}"

    def act(_values: Mapping[str, Any]) -> str:
        invitations.act(actor, key, action)
        return target

    return submit(PlainSchema(), act, _invitation_page(actor, key))


def _invitation_page(actor: Actor, key: int) -> Callable[[Form, Trouble], str]:
    def page(_form: Form, trouble: Trouble) -> str:
        row = invitations.get(actor, key)
        return render_template(
            "intents/invitation.html",
            row=row,
            intent=row.intent,
            shown=queries.shown(actor, row.intent),
            trouble=trouble,
            buttons=INVITATION.actions(actor, row),
            states=INVITATION.states,
            roles=ROLES,
            readable=policy.allows(actor, READ, row.intent),
        )

    return page
