"""创新券办法 at the desk: the list, beginning one, its fields, its overview."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from market.accounts.roles import OFFICES
from market.core import clock, csrf
from market.core import workflow as flow
from market.core.errors import Busy, Conflict, Denied, Invalid
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.submitting import EMPTY, Page, Trouble, show, submit
from market.vouchers import schemes
from market.vouchers.content import open_points
from market.vouchers.models import Scheme
from market.vouchers.scheme_pages import books, flat, layout, queries, writing
from market.vouchers.scheme_pages.forms import BeginForm
from market.vouchers.shipped import KINDS, shipped
from market.vouchers.workflow import MANAGE, READ_BOOKS, SCHEME

blueprint = Blueprint("voucher_desk", __name__)
HERE = "/desk/vouchers/schemes"
LARGEST_FORM = 2_000_000  # bytes of texts
_MORE = "more-"


@blueprint.get("/desk/vouchers/schemes")
@requires(READ_BOOKS)
def listed() -> AnyResponse | str:
    """The schemes of one's area."""
    actor = current_actor()
    return render_template(
        "vouchers/desk_schemes.html",
        here=HERE,
        lines=queries.of_office(actor),
        may_begin=policy.allows(actor, MANAGE),
        year=clock.today().year,
    )


@blueprint.get("/desk/vouchers/schemes/new")
@requires(MANAGE)
def new() -> AnyResponse:
    """The page on which one is begun."""
    return show(_new_page)


def _new_page(form: Form, trouble: Trouble) -> str:
    actor = current_actor()
    own = [(f"scheme:{one.no}", f"{one.title}（{one.no}）") for one in queries.of_office(actor)]
    return render_template(
        "vouchers/desk_new.html",
        here=HERE,
        areas=[(one.code, one.full_name) for one in queries.areas(actor)],
        own=own,
        sheets=[
            (f"sheet:{one.code}", f"{one.sheet.title}：{KINDS[one.kind]}") for one in shipped()
        ],
        chosen=form.typed.get("base") or request.args.get("base", ""),
        form=form,
        trouble=trouble,
    )


@blueprint.post("/desk/vouchers/schemes/new")
@requires(MANAGE)
def begin() -> AnyResponse:
    """Begin a scheme from nothing, from a shipped sheet, or from another of one's own."""
    actor = current_actor()

    def act(values: Mapping[str, Any]) -> str:
        codes = [one.code for one in queries.areas(actor)]
        region = values.get("region") or (codes[0] if len(codes) == 1 else "")
        if region not in codes:
            raise Invalid({"region": ["请选择本部门的地区。"]})
        no = writing.begin(actor, region, values.get("base") or "", values.get("title") or "")
        return f"{HERE}/{no}/edit"

    return submit(BeginForm(), act, _new_page)


@blueprint.get("/desk/vouchers/schemes/<string:no>")
@requires(READ_BOOKS)
def overview(no: str) -> AnyResponse:
    """Where a scheme stands: versions, what is open, budgets, what can be done."""
    queries.find(current_actor(), no, READ_BOOKS)
    return show(overview_page(no))


def overview_page(no: str, tried: str = "") -> Page:
    """The page of a scheme. tried: the form that was sent and not taken."""

    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        scheme = queries.find(actor, no, READ_BOOKS)
        manages = policy.allows(actor, MANAGE, scheme)
        working = queries.working_version(scheme)
        versions = queries.versions(scheme, drafts=True)
        own = flow.timeline(SCHEME.name, scheme.id)
        return render_template(
            "vouchers/desk_scheme.html",
            here=HERE,
            scheme=scheme,
            working=working,
            told=queries.told(working.content),
            versions=versions,
            manages=manages,
            from_above=manages and scheme.region.path not in actor.areas(*OFFICES),
            budgets=books.budgets_of(scheme),
            moves=books.budget_moves(scheme),
            payers=[
                (one.code, one.full_name) for one in writing.payer_regions(scheme, working.content)
            ],
            years=[
                (str(one), f"{one} 年")
                for one in range(clock.today().year - 1, clock.today().year + 3)
            ],
            to_decide=writing.to_decide(queries.public_version(scheme).content)
            if manages and scheme.version
            else [],
            shares=writing.shares(scheme),
            undecided=writing.undecided(actor, scheme) if manages else [],
            actions={one.action for one in SCHEME.actions(actor, scheme)},
            events=own,
            workflow=SCHEME,
            today=clock.today(),
            tried=tried,
            form=form,
            trouble=trouble,
            saved=request.args.get("saved", "") if request.method == "GET" else "",
        )

    return page


@blueprint.get("/desk/vouchers/schemes/<string:no>/edit")
@requires(MANAGE)
def edit(no: str) -> AnyResponse:
    """The form of all fields."""
    scheme = queries.find(current_actor(), no, MANAGE)
    content = queries.working_version(scheme).content
    return show(lambda _form, trouble: _form_page(scheme, flat.write(content), content, trouble))


@blueprint.post("/desk/vouchers/schemes/<string:no>/save")
@requires(MANAGE)
def save(no: str) -> AnyResponse:
    """Write the draft; what cannot be read comes back as it was typed."""
    request.max_form_memory_size = LARGEST_FORM
    request.max_form_parts = flat.MOST_CELLS
    actor = current_actor()
    scheme = queries.find(actor, no, MANAGE)
    before = queries.working_version(scheme).content
    wanted = request.form.get("next", "")

    def again(trouble: Trouble) -> AnyResponse:
        page = _again(no, before, wanted)
        return show(page, EMPTY, trouble)

    if not csrf.sent_by_our_form():
        return again(Trouble(csrf.STALE, status=400))
    if wanted.startswith(_MORE):
        return again(Trouble())
    found = flat.read(request.form, scheme.region.code)
    if found.content is None:
        return again(_wrong(found.errors))
    try:
        schemes.save_draft(actor, no, found.content, _seen())
    except Invalid as error:
        return again(_wrong({name: " ".join(words) for name, words in error.fields.items()}))
    except (Conflict, Denied, Busy) as error:
        return again(Trouble(error.message, status=error.status))
    target = "preview" if wanted == "preview" else "edit?saved=1"
    return redirect(f"{HERE}/{no}/{target}", 303)


def _again(no: str, before: Mapping[str, Any], wanted: str) -> Page:
    def page(_form: Form, trouble: Trouble) -> str:
        scheme = queries.find(current_actor(), no, MANAGE)  # as it stands now
        more = wanted.removeprefix(_MORE) if wanted.startswith(_MORE) else ""
        return _form_page(scheme, request.form, before, trouble, more)

    return page


def _wrong(errors: Mapping[str, str]) -> Trouble:
    labels = {name: flat.label_of(name) for name in errors}
    return Trouble(errors=errors, status=422, labels=labels)


def _seen() -> int:
    """The version of the page that was sent; 0, which is none, where it does not say."""
    text = request.form.get("seen", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _form_page(
    scheme: Scheme,
    cells: MultiDict[str, str],
    content: Mapping[str, Any],
    trouble: Trouble,
    more: str = "",
) -> str:
    points = open_points(content)
    draft = schemes.draft_of(scheme)
    return render_template(
        "vouchers/desk_edit.html",
        here=HERE,
        scheme=scheme,
        version=draft.version if draft else scheme.version + 1,
        groups=layout.groups(cells, trouble.errors, points, more),
        none_label=layout.none_label,
        not_said=layout.NOT_SAID,
        points=points,
        trouble=trouble,
        more=more,
        saved=request.args.get("saved") == "1" and request.method == "GET",
    )
