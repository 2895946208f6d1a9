"""The part of a case's page that says who knows the name, and the page behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, render_template
from markupsafe import Markup
from marshmallow import EXCLUDE, Schema
from werkzeug.wrappers import Response as AnyResponse

from market.catalogue import naming
from market.catalogue.models import CONSENT_MEANS
from market.catalogue.naming import CONSENT
from market.core.errors import NotFound
from market.core.fields import Line
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import Actor, requires
from market.core.submitting import Trouble, show, submit
from market.matching.names import queries, service

blueprint = Blueprint("names", __name__)


class MeansSchema(Schema):
    """How a firm told an office that it consents."""

    class Meta:
        unknown = EXCLUDE

    means = Line(20)


@blueprint.app_template_global("name_panel")
def panel(kind: str, no: str) -> Markup:
    """On the page of a case about a demand whose firm keeps its name back: who knows it."""
    actor = current_actor()
    found = queries.get(actor, kind, no)
    if not naming.hidden(found.source.listing):
        return Markup()
    html = render_template("names/panel.html", named=found, **_lists(found))
    return Markup(html)  # our own template, which escapes what it is given


def _lists(found: queries.Named) -> dict[str, Any]:
    return {"means": queries.means_for(found.by_office), "all_means": CONSENT_MEANS}


@blueprint.get("/my/names/<string:kind>/<string:no>")
@requires(CONSENT)
def case(kind: str, no: str) -> AnyResponse:
    """To whom the name of a demand's owner was told, and whether the receiver of a case knows it."""
    actor = current_actor()
    queries.decided(actor, kind, no)
    return show(_page(actor, kind, no))


@blueprint.post("/my/names/<string:kind>/<string:no>/<string:action>")
@requires(CONSENT)
def act_on(kind: str, no: str, action: str) -> AnyResponse:
    """Tell the name, or no longer."""
    if action not in service.ACTIONS:
        raise NotFound
    actor = current_actor()
    target = queries.decided(actor, kind, no).source.url

    def act(values: Mapping[str, Any]) -> str:
        service.act(actor, kind, no, action, values.get("means"))
        return target

    return submit(MeansSchema(), act, _page(actor, kind, no))


def _page(actor: Actor, kind: str, no: str) -> Callable[[Form, Trouble], str]:
    def page(form: Form, trouble: Trouble) -> str:
        found = queries.decided(actor, kind, no)
        return render_template(
            "names/case.html", named=found, form=form, trouble=trouble, **_lists(found)
        )

    return page
