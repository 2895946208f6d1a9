"""Pages of listings for those who look after them, renewing by a link, the public history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.catalogue.models import OUTCOMES
from market.catalogue.publishing import (
    life,
    listing_queries,
    policies,
    rules,
    service,
    version_queries,
)
from market.catalogue.publishing.listing_queries import ManagedView
from market.catalogue.publishing.models import FOR_OTHERS, SOURCES
from market.catalogue.publishing.schemas import NothingSchema, ReasonSchema
from market.catalogue.publishing.workflow import LISTING, LISTING_WORDS
from market.catalogue.queries import PATHS, READ, get
from market.core import clock
from market.core.errors import Gone
from market.core.forms import Form
from market.core.http import current_actor, opens_by_address
from market.core.permissions import requires
from market.core.submitting import Trouble, show, submit

blueprint = Blueprint("publishing_more", __name__)
_SPOT_STATES = {"published": "在公开", "taken_down": "已下架"}


def _page_number() -> int:
    asked = request.args.get("page", "1")
    return max(1, int(asked)) if asked.isdecimal() and len(asked) < 6 else 1


@blueprint.get("/my/listings")
@requires(policies.OWN_PAGE)
def own() -> Response:
    """成果与需求: one's own, with what comes next."""
    return show(_own_page)


def _own_page(form: Form, trouble: Trouble) -> str:
    actor = current_actor()
    asked = request.args.get("tab", "all")
    tab = asked if asked in listing_queries.TABS else "all"
    return render_template(
        "publishing/own.html",
        tab=tab,
        tabs=listing_queries.TABS,
        counts=listing_queries.own_counts(actor),
        rows=listing_queries.own_listings(actor, tab, _page_number()),
        may_write=bool(listing_queries.own_organisations(actor)),
        signing=listing_queries.signing_settings(actor),
        trouble=trouble,
    )


@blueprint.post("/my/listings/signing/<int:organisation_id>")
@requires(policies.SETTINGS)
def signing(organisation_id: int) -> AnyResponse:
    """Whether an organisation wants a sign-off inside."""
    wanted = request.form.get("wanted") == "1"

    def act(values: Mapping[str, Any]) -> str:
        service.set_signing(current_actor(), organisation_id, wanted)
        return "/my/listings"

    return submit(NothingSchema(), act, _own_page)


@blueprint.get("/my/listings/<string:no>")
@requires(policies.MANAGE)
def manage(no: str) -> Response:
    """A listing's life, for its own people and the offices of its place."""
    view = listing_queries.managed(current_actor(), no)
    return show(lambda form, trouble: _managed_page(view, form, trouble))


def _managed_page(view: ManagedView, form: Form, trouble: Trouble) -> str:
    closing = next((one for one in view.actions if one.action == "close"), None)
    return render_template(
        "publishing/manage.html",
        listing=view,
        beside=current_app.extensions["market"].beside_own(current_actor(), view.id),
        acts=[one for one in view.actions if one is not closing],
        closing=closing,
        outcomes=list(OUTCOMES.items()),
        sources=[(code, SOURCES[code]) for code in FOR_OTHERS],
        form=form,
        trouble=trouble,
        words=LISTING_WORDS,
        states=LISTING.states,
    )


@blueprint.post("/my/listings/<string:no>/<string:action>")
@requires(policies.MANAGE)
def act(no: str, action: str) -> AnyResponse:
    """A button of a listing: 编辑, 确认仍有效, 撤回, 下架, 恢复公开, 请求恢复公开, 结束需求."""
    actor = current_actor()

    def do(values: Mapping[str, Any]) -> str:
        if action == "edit":
            source = request.form.get("source", "web")
            return f"/submissions/{service.begin_edit(actor, no, source=source)}/edit"
        closing = {
            name: request.form.get(name, "") for name in ("outcome", "outcome_with", "outcome_yuan")
        }
        life.listing_act(actor, no, action, values.get("reason"), closing)
        return f"/my/listings/{no}"

    return submit(
        ReasonSchema(),
        do,
        lambda form, trouble: _managed_page(listing_queries.managed(actor, no), form, trouble),
    )


@blueprint.get("/desk/listings")
@requires(policies.SPOT_CHECK)
def spot_check() -> str:
    """信息抽查: the newest of the area; each may be looked at and taken down."""
    asked = request.args.get("state", "published")
    state = asked if asked in _SPOT_STATES else "published"
    return render_template(
        "publishing/spot_check.html",
        rows=listing_queries.spot_check(current_actor(), state, _page_number()),
        state=state,
        states=_SPOT_STATES,
    )


@blueprint.get("/renew/<string:token>")
@requires(policies.RENEW_BY_LINK)
@opens_by_address
def renew(token: str) -> Response:
    """The page with one button to which a message leads; works without signing in."""
    listing = _of_link(token)
    if isinstance(listing, Gone):
        page = render_template("publishing/renewed.html", message=listing.message)
        return Response(page, 410, {"Cache-Control": "no-store"})
    return show(lambda form, trouble: _renew_page(token, trouble))


@blueprint.post("/renew/<string:token>")
@requires(policies.RENEW_BY_LINK)
@opens_by_address
def renewed(token: str) -> AnyResponse:
    """确认仍有效."""
    listing = _of_link(token)
    if isinstance(listing, Gone):
        page = render_template("publishing/renewed.html", message=listing.message)
        return Response(page, 410, {"Cache-Control": "no-store"})
    address = f"/{PATHS[listing.kind]}/{listing.no}"

    def act(values: Mapping[str, Any]) -> str:
        life.renew_by_link(token)
        return address

    return submit(NothingSchema(), act, lambda form, trouble: _renew_page(token, trouble))


def _of_link(token: str) -> Any:
    try:
        return life.of_link(token)
    except Gone as gone:
        return gone


def _renew_page(token: str, trouble: Trouble) -> str:
    listing = life.of_link(token)
    assert listing.current is not None
    until = rules.renewed_until(listing.current.valid_until, clock.today())
    return render_template(
        "publishing/renew.html",
        listing=listing,
        address=f"/{PATHS[listing.kind]}/{listing.no}",
        token=token,
        until=until,
        trouble=trouble,
    )


@blueprint.get("/achievements/<string:no>/versions", defaults={"kind": "achievement"})
@blueprint.get("/demands/<string:no>/versions", defaults={"kind": "demand"})
@requires(READ)
def history(kind: str, no: str) -> str | Response:
    """When a listing was changed, and in which fields."""
    actor = current_actor()
    return render_template(
        "publishing/history.html",
        listing=get(actor, kind, no),
        changes=version_queries.history(actor, kind, no),
    )
