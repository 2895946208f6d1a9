"""The public directory: its list, the page of an admission, tables to take away."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.core import clock
from market.core.file_rows import columns_of
from market.core.forms import read_form
from market.core.http import current_actor
from market.core.languages import translate as _
from market.core.pagination import PageOf
from market.core.permissions import policy, requires
from market.core.views import query_url
from market.regions import queries as regions
from market.regions.queries import RegionView
from market.service_points import exports, queries
from market.service_points.finding import field_names
from market.service_points.models import (
    AB_ROLES,
    AMOUNT_BASES,
    KINDS,
    MODES,
    POWERS,
    SPECIALIST_KINDS,
    STATES,
)
from market.service_points.pages import place_of, plain, table
from market.service_points.queries import Asked, Entry
from market.service_points.schemas import AdmissionSchema, DirectoryForm
from market.service_points.specialists import queries as specialists
from market.service_points.workflow import EDIT, LIST, OWN, READ

blueprint = Blueprint("service_points", __name__)


def _asked() -> tuple[Asked, list[RegionView], str, int]:
    values = read_form(DirectoryForm(), request.args).values
    typed = values.get("region", "")
    region, meant = place_of(typed)
    asked = Asked(
        values.get("q", ""),
        values.get("kind", ""),
        region,
        values.get("field", ""),
        values.get("industry", ""),
    )
    return asked, meant, typed, values.get("page", 1)


@blueprint.get("/service-points")
@requires(LIST)
def directory() -> str | AnyResponse:
    """找服务: bodies, points and institutions, by kind, place, field and words."""
    asked, meant, typed, number = _asked()
    actor = current_actor()
    if typed and asked.region is None:  # nobody knows yet where
        page: PageOf[Entry] = PageOf([], 0, 1, 25)
        counts: dict[str, int] = {}
        people: dict[str, int] = {}
    else:
        page = queries.search(actor, asked, number)
        counts = queries.counts(actor, asked)
        people = specialists.counts(
            specialists.Asked(asked.q, "", asked.region, asked.field, asked.industry)
        )
    if page.page > page.pages:
        return redirect(query_url())
    return render_template(
        "service_points/directory.html",
        asked=asked,
        typed=typed,
        meant=meant,
        page=page,
        kinds=KINDS,
        counts=counts,
        people=people,
        people_kinds=SPECIALIST_KINDS,
        near=queries.near(actor, asked),
        fields=[(code, field_names().get(code, code)) for code in queries.topics("field")],
        industries=[(name, name) for name in queries.topics("industry")],
    )


@blueprint.get("/service-points/<string:no>")
@requires(READ)
def admission(no: str) -> str | AnyResponse:
    """A body, a point or an institution: what it may do, where, when, who."""
    actor = current_actor()
    found = queries.get(actor, no)
    if found.entry.no != no:
        return redirect(found.entry.url, 301)
    names = field_names()
    return render_template(
        "service_points/admission.html",
        one=found,
        entry=found.entry,
        row=found.row,
        trail=regions.trail(found.row.region),
        powers=[POWERS[found.entry.kind][power] for power in found.powers],
        fields=[names.get(code, code) for code in found.fields],
        states=STATES,
        modes=MODES,
        bases=AMOUNT_BASES,
        ab_roles=AB_ROLES,
        may_edit=policy.allows(actor, EDIT, found.row),
        own=policy.allows(actor, OWN, found.row),
    )


def _file_name(ending: str) -> str:
    return f"{_('服务机构与服务点')} {clock.today().isoformat()}.{ending}"


@blueprint.get("/service-points.csv", defaults={"ending": "csv"}, endpoint="csv")
@blueprint.get("/service-points.xlsx", defaults={"ending": "xlsx"}, endpoint="xlsx")
@requires(LIST)
def take_away(ending: str) -> Response:
    """The list as a table, with the columns of the import."""
    asked, _meant, typed, _number = _asked()
    unknown = typed and asked.region is None
    found = [] if unknown else exports.export(current_actor(), asked)
    rows = (AdmissionSchema().dump(row) for row in found)
    return table(rows, columns_of(AdmissionSchema()), _file_name(ending))


@blueprint.get("/service-points.json")
@requires(LIST)
def as_json() -> Response:
    """The list as JSON: the same rows, codes in the place of labels."""
    asked, _meant, typed, _number = _asked()
    unknown = typed and asked.region is None
    rows = [] if unknown else [plain(row) for row in exports.export(current_actor(), asked)]
    return jsonify({"total": len(rows), "items": rows})
