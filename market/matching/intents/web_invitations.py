"""Choosing from the directory whom to invite into an intent."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from market.core.errors import NotFound
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.text import clean_line
from market.matching.intents import choosing, queries
from market.matching.intents.models import ROLES
from market.matching.intents.workflow import INVITE

blueprint = Blueprint("intent_invitations", __name__)


@blueprint.get("/intents/<string:no>/invite")
@requires(INVITE)
def choose(no: str) -> str:
    """Look for a broker or a service point; what is chosen goes to the form's own address."""
    actor = current_actor()
    case = queries.get(actor, no)
    if not policy.allows(actor, INVITE, case.intent):
        raise NotFound(f"没有编号为 {no} 的对接意向。")
    role = request.args.get("role", "broker")
    role = role if role in ROLES else "broker"
    q = clean_line(request.args.get("q", ""))[:60]
    own = case.intent.buyer if case.side == "buyer" else case.intent.seller
    return render_template(
        "intents/invite.html",
        intent=case.intent,
        address=f"/intents/{no}",
        role=role,
        roles=list(ROLES.items()),
        q=q,
        own=own,
        found=choosing.choices(actor, case.intent, own, role, q),
    )
