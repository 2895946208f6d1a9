"""Pages of staff: who acts for an organisation, inviting, roles, leaving; taking up an invitation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from market.accounts import queries as organisations
from market.accounts.members import grants, queries, staff
from market.accounts.members.schemas import EndSchema, InviteSchema, RolesSchema
from market.accounts.members.staff import ACCEPT, MANAGE
from market.accounts.members.web import own_organisation
from market.accounts.members.workflow import LIST
from market.accounts.roles import ROLES
from market.core.errors import Denied, NotFound
from market.core.forms import Form
from market.core.http import current_actor, opens_by_address
from market.core.languages import url
from market.core.permissions import Always, policy, requires
from market.core.submitting import EMPTY, Trouble, show, submit

blueprint = Blueprint("staff", __name__)
SEE = policy.declare("accounts:invitation:see", public=Always())


@blueprint.get("/my/organisation/members")
@requires(LIST)
def members() -> AnyResponse:
    """成员: who acts for the organisation, and open invitations."""
    no = own_organisation(LIST).no
    return show(lambda form, trouble: _members_page(no, form, trouble), EMPTY)


@blueprint.post("/my/organisation/members")
@requires(MANAGE)
def invite() -> AnyResponse:
    """Invite a colleague."""
    actor, no = current_actor(), own_organisation(MANAGE).no

    def act(values: Mapping[str, Any]) -> str:
        staff.invite(actor, no, values["contact"], values["role"])
        return f"/my/organisation/members?no={no}#invitations"

    return submit(InviteSchema(), act, lambda form, trouble: _members_page(no, form, trouble))


@blueprint.post("/my/organisation/invitations/<int:key>/withdraw")
@requires(MANAGE)
def withdraw(key: int) -> AnyResponse:
    """Take an invitation back."""
    actor, no = current_actor(), own_organisation(MANAGE).no

    def act(_values: Mapping[str, Any]) -> str:
        staff.withdraw_invitation(actor, no, key)
        return f"/my/organisation/members?no={no}#invitations"

    return submit(Schema(), act, lambda form, trouble: _members_page(no, form, trouble))


def _members_page(no: str, form: Form, trouble: Trouble) -> str:
    actor = current_actor()
    row = organisations.own(actor, no)
    if row is None:
        raise NotFound
    manages = policy.allows(actor, MANAGE, row)
    return render_template(
        "members/staff.html",
        organisation=organisations.view(row),
        members=queries.members(actor, row),
        invitations=queries.invitations(actor, row) if manages else [],
        requests=queries.requests_of(row.id) if manages else [],
        manages=manages,
        roles=list(grants.offered(row).items()),
        form=form,
        trouble=trouble,
    )


@blueprint.get("/my/organisation/members/<int:person_id>")
@requires(LIST)
def member(person_id: int) -> AnyResponse:
    """One of the staff: roles, and the end of the membership."""
    no = own_organisation(LIST).no
    return show(lambda form, trouble: _member_page(no, person_id, form, trouble), EMPTY)


@blueprint.post("/my/organisation/members/<int:person_id>/roles")
@requires(MANAGE)
def set_roles(person_id: int) -> AnyResponse:
    """Give exactly these roles."""
    actor, no = current_actor(), own_organisation(MANAGE).no

    def act(values: Mapping[str, Any]) -> str:
        staff.set_roles(actor, no, person_id, values["roles"])
        return f"/my/organisation/members?no={no}"

    return submit(
        RolesSchema(), act, lambda form, trouble: _member_page(no, person_id, form, trouble)
    )


@blueprint.post("/my/organisation/members/<int:person_id>/end")
@requires(LIST)
def end(person_id: int) -> AnyResponse:
    """End a membership; open work goes to a colleague in the same step."""
    actor, no = current_actor(), own_organisation(LIST).no

    def act(values: Mapping[str, Any]) -> str:
        staff.end_membership(actor, no, person_id, values.get("colleague"))
        return "/my/organisation" if person_id == actor.id else f"/my/organisation/members?no={no}"

    return submit(
        EndSchema(), act, lambda form, trouble: _member_page(no, person_id, form, trouble)
    )


def _member_page(no: str, person_id: int, form: Form, trouble: Trouble) -> str:
    actor = current_actor()
    row = organisations.own(actor, no)
    if row is None:
        raise NotFound
    one = queries.member(actor, row, person_id)
    manages = policy.allows(actor, MANAGE, row)
    if not manages and person_id != actor.id:
        raise Denied
    offered = grants.offered(row)
    colleagues = [other for other in queries.members(actor, row) if other.person_id != person_id]
    return render_template(
        "members/member.html",
        organisation=organisations.view(row),
        member=one,
        mine=person_id == actor.id,
        manages=manages,
        roles=list((offered | {role: ROLES[role].label for role in one.roles}).items()),
        chosen=form.values.get("roles", one.roles),
        open_work=queries.count_open_work(row, person_id),
        some=queries.some_open_work(row, person_id),
        colleagues=[(str(other.person_id), other.name) for other in colleagues],
        form=form,
        trouble=trouble,
    )


@blueprint.get("/invitations/<string:word>")
@requires(SEE)
@opens_by_address
def invitation(word: str) -> AnyResponse:
    """An invitation, for whoever has its link."""
    return show(lambda form, trouble: _invitation_page(word, trouble), EMPTY)


@blueprint.post("/invitations/<string:word>")
@requires(ACCEPT)
@opens_by_address
def accept(word: str) -> AnyResponse:
    """Take it up."""
    actor = current_actor()

    def act(_values: Mapping[str, Any]) -> str:
        return f"/my/organisation?no={staff.accept_invitation(actor, word)}"

    return submit(Schema(), act, lambda form, trouble: _invitation_page(word, trouble))


@blueprint.get("/my/invitations/<int:key>")
@requires(ACCEPT)
def own_invitation(key: int) -> AnyResponse:
    """An invitation to one's own confirmed telephone or address: no link is needed."""
    return show(
        lambda form, trouble: _offer_page(queries.offer_to(current_actor(), key), trouble), EMPTY
    )


@blueprint.post("/my/invitations/<int:key>")
@requires(ACCEPT)
def accept_own(key: int) -> AnyResponse:
    """Take it up."""
    actor = current_actor()

    def act(_values: Mapping[str, Any]) -> str:
        return f"/my/organisation?no={staff.accept_invitation(actor, key)}"

    def page(_form: Form, trouble: Trouble) -> str:
        return _offer_page(queries.offer_to(actor, key), trouble)

    return submit(Schema(), act, page)


def _invitation_page(word: str, trouble: Trouble) -> str:
    return _offer_page(queries.offer(word), trouble)


def _offer_page(offer: queries.Offer, trouble: Trouble) -> str:
    return render_template(
        "members/invitation.html",
        offer=offer,
        address=url(request.path),
        trouble=trouble,
    )
