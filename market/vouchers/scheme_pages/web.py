"""创新券 for everybody: what is known for a place, a scheme in plain words, the check before one applies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.core import clock
from market.core.forms import read_form
from market.core.http import current_actor
from market.core.languages import translate as _
from market.core.permissions import policy, requires
from market.core.text import clean_line
from market.regions import queries as regions
from market.regions.models import path_ids
from market.service_points.pages import place_of
from market.vouchers.codes import EVIDENCE
from market.vouchers.scheme_pages import books, checks, queries
from market.vouchers.shipped import KINDS
from market.vouchers.workflow import LIST, MANAGE, READ_BOOKS, VIEW

blueprint = Blueprint("voucher_schemes", __name__)
APPLY = "/my/vouchers/apply?scheme="


@blueprint.get("/vouchers")
@requires(LIST)
def schemes() -> str:
    """科技创新券: the schemes of the reader's place and those above it."""
    actor = current_actor()
    typed = clean_line(request.args.get("region") or request.args.get("q", ""))[:50]
    region, meant = place_of(typed) if typed else (None, [])
    if not typed and "all" not in request.args:
        region = queries.place_of_reader(actor)
    trail = regions.get(region.code).trail if region else []
    if region is not None:
        lines = queries.known_in(actor, path_ids(region.path))
        sheets = queries.sheets_for([code for code, _name in trail])
    else:
        lines = [] if typed else queries.known_in(actor, None)
        sheets = [] if typed else queries.sheets_for(None)
    return render_template(
        "vouchers/schemes.html",
        typed=typed,
        region=region,
        meant=meant,
        province=trail[0][1] if trail else "",
        lines=lines,
        sheets=sheets,
        kinds=KINDS,
        places=queries.sheet_places() if sheets else {},
        year=clock.today().year,
    )


@blueprint.get("/vouchers/<string:no>")
@requires(VIEW)
def scheme(no: str) -> str:
    """A scheme: what it says, its versions, what it gives for examples, budgets it publishes."""
    actor = current_actor()
    found = queries.find(actor, no)
    content = queries.public_version(found).content
    return render_template(
        "vouchers/scheme.html",
        scheme=found,
        told=queries.told(content),
        versions=queries.versions(found),
        budgets=books.published_budgets(found, content),
        evidence=EVIDENCE,
        at_desk=policy.allows(actor, READ_BOOKS, found),
        check_url=f"/vouchers/{found.no}/check",
        apply_url=f"{APPLY}{found.no}" if found.state == "live" else "",
    )


@blueprint.get("/vouchers/sheets/<string:code>")
@requires(LIST)
def sheet(code: str) -> str:
    """A rule sheet that came with the site, with what is missing in it."""
    found = queries.sheet_named(code)
    return render_template(
        "vouchers/sheet.html",
        sheet=found,
        told=queries.told(found.content),
        kind=KINDS[found.kind],
        place=queries.sheet_places().get(found.sheet.owner_region or "", ""),
        evidence=EVIDENCE,
        check_url=f"/vouchers/sheets/{found.code}/check",
        may_begin=policy.allows(current_actor(), MANAGE),
    )


@blueprint.get("/vouchers/<string:no>/check")
@requires(VIEW)
def check_scheme(no: str) -> AnyResponse | str:
    """The check of a scheme before one applies."""
    found = queries.find(current_actor(), no)
    content = queries.public_version(found).content
    note = "" if found.state == "live" else _("这份办法已停止受理，结果只供参考。")
    return check_page(content, found.title, f"/vouchers/{found.no}", note)


@blueprint.get("/vouchers/sheets/<string:code>/check")
@requires(LIST)
def check_sheet(code: str) -> AnyResponse | str:
    """The same by a rule sheet that no office has put in force here."""
    found = queries.sheet_named(code)
    note = _("本站的主管部门没有按这份办法受理，结果只供参考。")
    return check_page(found.content, found.sheet.title, f"/vouchers/sheets/{found.code}", note)


def check_page(content: Mapping[str, Any], title: str, back: str, note: str) -> str:
    """The questions and, when they were answered, the result.

    Args:
        back: address of the scheme's page; the form goes to `check` below it.
    """
    asked = checks.questions(content)
    sent = "cost_fen" in request.args or "service" in request.args
    form = read_form(checks.CheckForm(), request.args)
    errors = {name: " ".join(words) for name, words in form.errors.items()} if sent else {}
    if sent:
        wrong = checks.missing(asked, form.values)
        errors |= {name: " ".join(words) for name, words in wrong.items()}
    found = checks.check(content, form.values, clock.today()) if sent and not errors else None
    return render_template(
        "vouchers/check.html",
        asked=asked,
        chosen=request.args.getlist("rosters"),
        form=form,
        errors=errors,
        found=found,
        place=checks.place_of(form.values) if found else None,
        title=title,
        back=back,
        note=note,
        today=clock.today(),
    )
