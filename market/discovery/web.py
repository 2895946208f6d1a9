"""Pages that find: home, search, the markets of places, how to get listed."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    jsonify,
    redirect,
    render_template,
    request,
)
from werkzeug.wrappers import Response as AnyResponse

from market.accounts import queries as accounts
from market.accounts.queries import READ as READ_ORGANISATION
from market.core.error_pages import market_error
from market.core.errors import Busy, NotFound
from market.core.http import current_actor
from market.core.languages import N_, translate
from market.core.permissions import requires
from market.core.text import clean_line
from market.core.views import query_url
from market.discovery import counties, forms, queries
from market.discovery.forms import (
    FILTERS,
    LONGEST_QUERY,
    LONGEST_VALUE,
    SORT_NOTES,
    SORTS,
    SearchForm,
)
from market.discovery.queries import SEARCH
from market.discovery.suggestions import FRESH, SUGGEST, corrections, suggestions
from market.regions import queries as regions
from market.regions.service import READ as READ_REGION
from market.service_points import queries as service_points
from search_index import IndexMissing, IndexOutdated

blueprint = Blueprint("discovery", __name__)


@blueprint.app_errorhandler(IndexMissing)
@blueprint.app_errorhandler(IndexOutdated)
def index_is_being_built(_error: Exception) -> Response:
    """The worker builds the index at its first start; that takes seconds to minutes."""
    return market_error(Busy(translate("检索索引正在建立，请过一会儿刷新。")))


@blueprint.get("/")
@requires(SEARCH)
def home() -> str:
    """One search box, the two calls, the newest."""
    overview = queries.overview(current_actor())
    return render_template(
        "discovery/home.html",
        newest_achievements=overview.newest_achievements,
        newest_demands=overview.newest_demands,
        figures=[
            *overview.figures,
            (N_("入驻单位"), accounts.count(current_actor()), "/organisations"),
        ],
        provinces=overview.places,
    )


@blueprint.get("/search")
@requires(SEARCH)
def search() -> str | AnyResponse:
    """Search with filters; all state is in the address."""
    form = forms.read(request.args)
    if request.args.get("facet") in FILTERS:
        return _facet(form, request.args["facet"])
    found = queries.search(current_actor(), form)
    if form.page > found.page.pages:
        return redirect(form.address())
    template = "discovery/filters.html" if "filters" in request.args else "discovery/search.html"
    return render_template(
        template,
        form=form,
        found=found,
        page=found.page,
        facets=found.facets,
        chosen=found.chosen,
        clear=form.free().address(kind=form.kind),
        sentence=found.sentence,
        notes=found.notes,
        loosened=found.loosened,
        exact=found.exact,
        ways=found.ways,
        telephone=found.telephone,
        corrections=[(q, form.address(q=q)) for q in corrections(form.q, found.exact)],
        sorts=[one for one in SORTS.items() if one[0] != "near" or form.near or form.region],
        sort_note=SORT_NOTES[form.order],
    )


@blueprint.get("/suggest")
@requires(SUGGEST)
def suggest() -> Response:
    """Completions of what is being typed, for the script of the search box."""
    typed = clean_line(request.args.get("q", ""))
    response = jsonify(items=suggestions(current_actor(), typed))
    response.cache_control.public = True
    response.cache_control.max_age = FRESH
    return response


def _facet(form: SearchForm, name: str) -> str | AnyResponse:
    """All values of one group of filters."""
    within = clean_line(request.args.get("within", ""))[:LONGEST_VALUE]
    found = queries.facet_page(current_actor(), form, name, within)
    if form.page > found.page.pages:
        return redirect(query_url())
    return render_template(
        "discovery/facet.html",
        form=form,
        facet=found.facet,
        page=found.page,
        within=found.within,
        kept=found.kept,
        chosen=found.chosen,
        clear=form.free().address(kind=form.kind),
        sentence=found.sentence,
        notes=found.notes,
    )


@blueprint.get("/regions")
@requires(READ_REGION)
def region_list() -> str:
    """All provinces, and a search by name, pinyin or initials."""
    q = clean_line(request.args.get("q", ""))[:40]
    return render_template(
        "discovery/regions.html",
        q=q,
        provinces=regions.provinces(),
        found=regions.search(q) if q else [],
    )


@blueprint.get("/regions/<string:code>")
@requires(READ_REGION)
def region(code: str) -> str | AnyResponse:
    """The market of a place: what it recommends, its industries, its newest, who answers."""
    actor = current_actor()
    place = regions.get(code)
    if place.code != code:
        return redirect(place.url, code=301)
    overview = queries.overview(actor, place)
    counts = {code: count for code, _, count in overview.places}
    below = regions.children(place.id)
    return render_template(
        "discovery/region.html",
        region=place,
        contact=accounts.contact_for([int(part) for part in place.path.strip("/").split("/")]),
        figures=overview.figures,
        newest_achievements=overview.newest_achievements,
        newest_demands=overview.newest_demands,
        children=[(one, counts.get(one.code, 0)) for one in below],
        organisations=accounts.in_region(actor, place),
        county=counties.county(actor, place),
        service_points=service_points.count_in(place),
    )


@blueprint.get("/post/<string:side>")
@requires(SEARCH)
def post(side: str) -> str:
    """我有难题, 我有技术: whom to ring up, and the spreadsheet for many.

    A search that found nothing leads here with its words (`need`) and place.
    """
    if side not in {"demand", "achievement"}:
        abort(404)
    q = clean_line(request.args.get("q", ""))[:40]
    need = clean_line(request.args.get("need", ""))[:LONGEST_QUERY]
    code = clean_line(request.args.get("region", ""))
    found = regions.search(q) if q and not code else []
    if len(found) == 1:
        code = found[0].code
    place = regions.get(code) if code else None
    contact = None
    if place is not None:
        contact = accounts.contact_for([int(part) for part in place.path.strip("/").split("/")])
    return render_template(
        "discovery/post.html",
        side=side,
        region=place,
        contact=contact,
        q=q,
        need=need,
        found=found,
    )


@blueprint.get("/favicon.ico")
@requires(SEARCH)
def favicon() -> Response:
    """Browsers ask for it by habit; ours is an SVG named in each page."""
    return Response(status=204, headers={"Cache-Control": "public, max-age=86400"})


@blueprint.get("/organisations/<string:no>")
@requires(READ_ORGANISATION)
def organisation(no: str) -> str | AnyResponse:
    """An organisation with its published listings."""
    actor = current_actor()
    try:
        found = accounts.get(actor, no)
    except NotFound:
        target = accounts.merged_into(no)
        if target is None:
            raise
        return redirect(f"/organisations/{target}", 301)
    page, counts = queries.owned_by(actor, found.id, forms.read(request.args).page)
    if page.page > page.pages:
        return redirect(query_url())
    return render_template(
        "accounts/organisation.html",
        organisation=found,
        former_names=accounts.former_names(found.id),
        page=page,
        counts=counts,
        owner_notes=current_app.extensions["market"].owner_notes(found.id),
        admissions=service_points.of_organisation(found.id),
    )
