"""Brokers and experts in public: those who agreed to be listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.core import clock
from market.core.file_rows import columns_of
from market.core.forms import Form, read_form
from market.core.http import current_actor
from market.core.languages import translate as _
from market.core.pagination import PageOf
from market.core.permissions import policy, requires
from market.core.submitting import Page, Trouble, show, submit
from market.core.views import query_url
from market.regions import queries as regions
from market.regions.queries import RegionView
from market.service_points.finding import Finder, chosen_fields, field_names
from market.service_points.models import SPECIALIST_KINDS
from market.service_points.pages import place_of, plain, table
from market.service_points.specialists import queries, service
from market.service_points.specialists.queries import Asked, SpecialistView
from market.service_points.specialists.schemas import (
    OwnSchema,
    ReasonSchema,
    SpecialistForm,
    SpecialistSchema,
)
from market.service_points.workflow import (
    AGREE,
    DESCRIBE_SELF,
    EDIT_SPECIALIST,
    LIST_SPECIALISTS,
    READ_SPECIALIST,
    WITHDRAW,
)

blueprint = Blueprint("specialists", __name__)


def _asked() -> tuple[Asked, list[RegionView], str, int]:
    values = read_form(SpecialistForm(), request.args).values
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


@blueprint.get("/specialists")
@requires(LIST_SPECIALISTS)
def directory() -> str | AnyResponse:
    """技术经理人与专家: by kind, place, field and words."""
    asked, meant, typed, number = _asked()
    unknown = bool(typed) and asked.region is None
    page: PageOf[SpecialistView] = PageOf([], 0, 1, 25)
    if not unknown:
        page = queries.search(asked, number)
    if page.page > page.pages:
        return redirect(query_url())
    return render_template(
        "service_points/specialists.html",
        asked=asked,
        typed=typed,
        meant=meant,
        page=page,
        kinds=SPECIALIST_KINDS,
        counts={} if unknown else queries.counts(asked),
    )


@blueprint.get("/specialists/<string:no>")
@requires(READ_SPECIALIST)
def specialist(no: str) -> AnyResponse:
    """A broker or an expert who agreed to be listed."""
    actor = current_actor()
    row = queries.find(actor, READ_SPECIALIST, no)
    page = render_template(
        "service_points/specialist.html",
        one=queries.view(row),
        trail=regions.trail(row.region),
        may_edit=policy.allows(actor, EDIT_SPECIALIST, row),
        mine=row.person_id is not None and row.person_id == actor.id and actor.signed_in,
    )
    return make_response(page)


@blueprint.get("/my/specialists")
@requires(DESCRIBE_SELF)
def own() -> str:
    """名录中的本人: one's own entries as a broker or an expert."""
    return render_template("service_points/own_people.html", rows=queries.own(current_actor()))


@blueprint.get("/my/specialists/<string:no>/edit")
@requires(DESCRIBE_SELF)
def edit_own(no: str) -> AnyResponse:
    """The form of what one says of oneself."""
    queries.find(current_actor(), DESCRIBE_SELF, no)
    return show(_own_page(no))


@blueprint.post("/my/specialists/<string:no>/edit")
@requires(DESCRIBE_SELF)
def save_own(no: str) -> AnyResponse:
    """Save it; when the office was quicker, both versions are shown."""
    actor = current_actor()
    queries.find(actor, DESCRIBE_SELF, no)

    def act(values: Mapping[str, Any]) -> str:
        said = {key: values.get(key) for key in ("fields", "industries", "intro")}
        service.describe(actor, no, values["version"], Finder().resolve(said))
        return "/my/specialists"

    return submit(OwnSchema(), act, _own_page(no))


def _own_page(no: str) -> Page:
    def page(form: Form, trouble: Trouble) -> str:
        row = queries.find(current_actor(), DESCRIBE_SELF, no)
        words = queries.words_of(row)
        now = {key: "；".join(words[key]) for key in ("fields", "industries")}
        now["intro"] = row.intro or ""
        typed = {**now, **form.typed} if form.typed else now
        labels = {"fields": "技术领域", "industries": "主导产业", "intro": "简介"}
        chosen = chosen_fields(typed["fields"])
        same = {**typed, "fields": "；".join(field_names().get(one, one) for one in chosen)}
        return render_template(
            "service_points/own_person.html",
            one=queries.view(row),
            version=row.lock_version,
            typed=typed,
            fields=list(field_names().items()),
            chosen_fields=chosen,
            trouble=trouble,
            stale=trouble.status == 409,
            now={labels[key]: text for key, text in now.items() if text != same.get(key, "")},
        )

    return page


@blueprint.post("/my/specialists/<string:no>/agree")
@requires(AGREE)
def agree(no: str) -> AnyResponse:
    """Agree to be listed."""
    actor = current_actor()
    queries.find(actor, AGREE, no)

    def act(_values: Mapping[str, Any]) -> str:
        service.agree(actor, no)
        return "/my/specialists"

    return submit(ReasonSchema(), act, _own_page(no))


@blueprint.get("/my/specialists/<string:no>/withdraw")
@requires(WITHDRAW)
def ask_to_withdraw(no: str) -> AnyResponse:
    """What withdrawing one's consent means."""
    return show(lambda form, trouble: _withdraw_page(no, trouble))


@blueprint.post("/my/specialists/<string:no>/withdraw")
@requires(WITHDRAW)
def withdraw(no: str) -> AnyResponse:
    """Take one's consent back."""
    actor = current_actor()
    queries.find(actor, WITHDRAW, no)

    def act(values: Mapping[str, Any]) -> str:
        service.withdraw(actor, no, values.get("reason"))
        return f"/my/specialists/{no}/withdraw"

    return submit(ReasonSchema(), act, lambda form, trouble: _withdraw_page(no, trouble))


def _withdraw_page(no: str, trouble: Any) -> str:
    row = queries.find(current_actor(), WITHDRAW, no)
    return render_template("service_points/withdraw.html", one=queries.view(row), trouble=trouble)


@blueprint.get("/specialists.json")
@requires(LIST_SPECIALISTS)
def as_json() -> AnyResponse:
    """The public list as JSON."""
    rows = [plain(row) for row in _public_rows()]
    return jsonify({"total": len(rows), "items": rows})


@blueprint.get("/specialists.csv", defaults={"ending": "csv"}, endpoint="csv")
@blueprint.get("/specialists.xlsx", defaults={"ending": "xlsx"}, endpoint="xlsx")
@requires(LIST_SPECIALISTS)
def take_away(ending: str) -> AnyResponse:
    """The public list as a table."""
    heads = columns_of(SpecialistSchema(only=_SHOWN))
    rows = (SpecialistSchema(only=_SHOWN).dump(row) for row in _public_rows())
    name = f"{_('技术经理人与专家')} {clock.today().isoformat()}.{ending}"
    return table(rows, heads, name)


# What everybody may take away of somebody who agreed to be listed.
_SHOWN = (
    "no",
    "kind",
    "name",
    "organisation",
    "region",
    "grade",
    "rank",
    "fields",
    "industries",
    "issuer",
    "valid_to",
    "intro",
)


def _public_rows() -> Iterator[dict[str, Any]]:
    asked, _meant, typed, _number = _asked()
    if typed and asked.region is None:
        return
    for row in queries.export(asked):
        yield {key: row[key] for key in _SHOWN}
