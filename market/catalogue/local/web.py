"""Pages of local settings: in place, by keyboard, nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.catalogue import queries as listings
from market.catalogue.local import queries, service
from market.catalogue.local.queries import EDIT, EDIT_SYNONYMS, READ_SYNONYMS, County
from market.catalogue.local.schemas import (
    IndustriesSchema,
    PinSchema,
    PinsSchema,
    ReviewTargetSchema,
    SynonymSchema,
)
from market.catalogue.models import Term
from market.catalogue.publishing.rules import REVIEW_DAYS
from market.catalogue.queries import ListingView
from market.core.errors import Invalid, NotFound
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.submitting import EMPTY, Page, Trouble, show, submit

blueprint = Blueprint("local", __name__)


@blueprint.get("/desk/settings")
@requires(EDIT)
def index() -> AnyResponse:
    """The counties whose settings one edits; the only one at once."""
    actor = current_actor()
    found = queries.counties(actor)
    if len(found) == 1:
        return redirect(found[0].url, 303)
    page = render_template(
        "catalogue/local_counties.html",
        counties=found,
        synonyms=policy.allows(actor, READ_SYNONYMS),
    )
    return Response(page, headers={"Cache-Control": "no-store"})


@blueprint.get("/desk/settings/<string:code>")
@requires(EDIT)
def county(code: str) -> Response:
    """The settings of a county."""
    return show(_page(queries.county(current_actor(), code)))


def _page(place: County, part: str = "") -> Page:
    """part: the form that was sent, whose texts come back."""

    def page(form: Form, trouble: Trouble) -> str:
        pins = queries.pins(place.id)
        nos = [one["no"] for one in pins.places.values()]
        return render_template(
            "catalogue/local_county.html",
            county=place,
            several=len(queries.counties(current_actor())) > 1,
            synonyms=policy.allows(current_actor(), READ_SYNONYMS),
            industries=queries.industries(place.id),
            pins=pins,
            titles=queries.titles(nos),
            target=queries.review_target(place.id),
            targets=_targets(),
            industry_places=queries.INDUSTRY_PLACES,
            pin_places=queries.PIN_PLACES,
            part=part,
            saved=request.args.get("saved", "") if not part else "",
            form=form,
            trouble=trouble,
        )

    return page


@blueprint.post("/desk/settings/<string:code>/industries")
@requires(EDIT)
def industries(code: str) -> AnyResponse:
    """Save the leading industries."""

    def act(values: Mapping[str, Any]) -> str:
        service.save_industries(current_actor(), code, values, values.get("seen", ""))
        return f"/desk/settings/{code}?saved=industries#industries"

    return submit(
        IndustriesSchema(), act, _page(queries.county(current_actor(), code), "industries")
    )


@blueprint.post("/desk/settings/<string:code>/pins")
@requires(EDIT)
def pins(code: str) -> AnyResponse:
    """Save what the county recommends."""

    def act(values: Mapping[str, Any]) -> str:
        service.save_pins(current_actor(), code, values, values.get("seen", ""))
        return f"/desk/settings/{code}?saved=pins#pins"

    return submit(PinsSchema(), act, _page(queries.county(current_actor(), code), "pins"))


def _targets() -> list[tuple[str, str]]:
    """What may be chosen as the target of a review."""
    days = [(str(one), f"{one} 个工作日") for one in (1, 2, 3, 5, 7, 10, 15, 20)]
    return [
        ("", f"平台的目标（{REVIEW_DAYS} 个工作日）"),
        *days,
        ("0", "不设目标，只显示已过天数"),
    ]


@blueprint.post("/desk/settings/<string:code>/review")
@requires(EDIT)
def review(code: str) -> AnyResponse:
    """Save the office's own target for reviews."""

    def act(values: Mapping[str, Any]) -> str:
        actor, seen = current_actor(), values.get("seen") or ""
        service.save_review_target(actor, code, values.get("days"), seen)
        return f"/desk/settings/{code}?saved=review#review"

    return submit(ReviewTargetSchema(), act, _page(queries.county(current_actor(), code), "review"))


# -- from a listing's own page


def _listing(no: str) -> ListingView:
    for kind in ("achievement", "demand"):
        try:
            return listings.get(current_actor(), kind, no)
        except NotFound:
            continue
    raise NotFound("没有这条信息。")


@blueprint.get("/desk/pin/<string:no>")
@requires(EDIT)
def pin(no: str) -> Response:
    """列为本县推荐: which county, which place, why."""
    return show(_pin_page(_listing(no)))


def _pin_page(listing: ListingView) -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        found = queries.counties(current_actor())
        chosen = form.typed.get("county") or request.args.get("county", "")
        place = next((one for one in found if one.code == chosen), None)
        if place is None and len(found) == 1:
            place = found[0]
        return render_template(
            "catalogue/local_pin.html",
            listing=listing,
            counties=found,
            county=place,
            held=queries.pins(place.id) if place else None,
            places=queries.PIN_PLACES,
            form=form,
            trouble=trouble,
        )

    return page


@blueprint.post("/desk/pin/<string:no>")
@requires(EDIT)
def save_pin(no: str) -> AnyResponse:
    """Recommend a listing."""
    listing = _listing(no)

    def act(values: Mapping[str, Any]) -> str:
        code, position = values.get("county", ""), values.get("position", "")
        if not code:
            raise Invalid({"county": ["请选择县（市、区）。"]})
        if not position.isdecimal() or int(position) not in queries.PIN_PLACES:
            raise Invalid({"position": ["请选择位置。"]})
        try:
            service.pin(current_actor(), code, listing.no, int(position), values.get("note"))
        except Invalid as error:
            raise Invalid(_without_places(error.fields)) from error
        return f"/desk/settings/{code}?saved=pins#pins"

    return submit(PinSchema(), act, _pin_page(listing))


def _without_places(fields: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Messages of `no_3` and `note_3`, at the fields of this form."""
    found: dict[str, list[str]] = {}
    for name, messages in fields.items():
        key = "note" if name.startswith("note") else "position"
        found.setdefault(key, []).extend(messages)
    return found


# -- synonyms: each office its own, a province all of its area


@blueprint.get("/desk/synonyms")
@requires(READ_SYNONYMS)
def synonyms() -> Response:
    """The groups of synonyms, and the form for a new one."""
    return show(_synonyms)


@blueprint.post("/desk/synonyms")
@requires(EDIT_SYNONYMS)
def add_group() -> AnyResponse:
    """Add a group."""
    return submit(SynonymSchema(), _save_group(None), _synonyms)


def _synonyms(form: Form, trouble: Trouble) -> str:
    actor, groups = current_actor(), queries.groups()
    return render_template(
        "catalogue/local_synonyms.html",
        groups=groups,
        own={one.code for one in groups if policy.allows(actor, EDIT_SYNONYMS, one)},
        form=form,
        trouble=trouble,
    )


def _save_group(code: str | None) -> Callable[[Mapping[str, Any]], str]:
    def act(values: Mapping[str, Any]) -> str:
        if not values.get("label"):
            raise Invalid({"label": ["必填。"]})
        given = {name: values.get(name) for name in ("label", "aliases", "source")}
        service.save_group(current_actor(), code, given)
        return "/desk/synonyms"

    return act


@blueprint.get("/desk/synonyms/<path:code>")
@requires(EDIT_SYNONYMS)
def synonym_group(code: str) -> Response:
    """One group, for those who may change it."""
    return show(_group_page(queries.group(code)), EMPTY)


def _group_page(term: Term) -> Page:
    policy.require(current_actor(), EDIT_SYNONYMS, term)
    shown = {"label": term.label, "aliases": _with_semicolons(term), "source": term.source or ""}

    def page(form: Form, trouble: Trouble) -> str:
        return render_template(
            "catalogue/local_synonym.html",
            code=term.code,
            shown=form.typed or shown,
            trouble=trouble,
        )

    return page


def _with_semicolons(term: Term) -> str:
    return (term.aliases or "").replace("|", "；")


@blueprint.post("/desk/synonyms/<path:code>")
@requires(EDIT_SYNONYMS)
def save_group(code: str) -> AnyResponse:
    """Change a group, or end it."""
    page = _group_page(queries.group(code))
    if request.form.get("act") != "end":
        return submit(SynonymSchema(), _save_group(code), page)

    def act(_values: Mapping[str, Any]) -> str:
        service.end_group(current_actor(), code)
        return "/desk/synonyms"

    return submit(SynonymSchema(), act, page)
