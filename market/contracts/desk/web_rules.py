"""登记规则: what is in force in one's area and why, enabling and ending, numbers of a body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.contracts.desk import enabling, numbering
from market.contracts.desk.schemas import EnableForm, EndForm, FormatForm
from market.contracts.desk.workflow import ENABLE, NUMBERS, RULES_DESK
from market.contracts.models import RuleSet
from market.core import clock, files
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import policy, requires
from market.core.submitting import Page, Trouble, show, submit

blueprint = Blueprint("contract_rules", __name__)
HERE = "/desk/contract-rules"


@blueprint.get("/desk/contract-rules")
@requires(RULES_DESK)
def rules() -> AnyResponse:
    """Which rules are in force, with their source."""
    return show(_page())


def _page(tried: str = "") -> Page:
    """tried: the form that was sent: "enable-<id>", "end-<id>"."""

    def page(form: Form, trouble: Trouble) -> str:
        actor = current_actor()
        found = enabling.areas(actor, enabling.places(actor))
        return render_template(
            "contracts/rules.html",
            areas=found,
            places=[(area.region.code, area.region.full_name) for area in found],
            drafts=enabling.to_enable(found[0].region.path) if found else [],
            papers=_papers([row for area in found for row in area.own]),
            may_enable=policy.allows(actor, ENABLE),
            numbers=bool(numbering.bodies(actor)),
            clock_words=enabling.clock_words,
            threshold_words=enabling.threshold_words,
            here=HERE,
            tried=tried,
            form=form,
            trouble=trouble,
            today=clock.today(),
        )

    return page


def _papers(rows: list[RuleSet]) -> dict[int, Any]:
    return {row.id: files.files_of(enabling.DOCUMENT, row.id) for row in rows}


@blueprint.post("/desk/contract-rules/<int:key>/enable")
@requires(ENABLE)
def enable(key: int) -> AnyResponse:
    """Put an unconfirmed text in force in one's own area."""
    actor = current_actor()
    enabling.find(key)

    def act(values: Mapping[str, Any]) -> str:
        sent = request.files.get("file")
        paper = files.take_in(sent.filename, sent.read()) if sent and sent.filename else None
        enabling.enable(actor, key, values.get("area") or "", values, paper)
        return HERE

    return submit(EnableForm(), act, _page(f"enable-{key}"), twice=True)


@blueprint.post("/desk/contract-rules/<int:key>/end")
@requires(ENABLE)
def end(key: int) -> AnyResponse:
    """Give what one's office enabled its last day."""
    actor = current_actor()
    enabling.find(key)

    def act(values: Mapping[str, Any]) -> str:
        enabling.end(actor, key, values, values.get("version"))
        return HERE

    return submit(EndForm(), act, _page(f"end-{key}"))


@blueprint.get("/desk/contract-numbers")
@requires(NUMBERS)
def numbers() -> AnyResponse:
    """How one's bodies write their numbers."""
    return show(_numbers_page())


def _numbers_page(tried: str = "") -> Page:
    """tried: number of the body whose form was sent."""

    def page(form: Form, trouble: Trouble) -> str:
        bodies = numbering.bodies(current_actor())
        return render_template(
            "contracts/numbers.html",
            bodies=[numbering.of(one) for one in bodies],
            tried=tried,
            form=form,
            trouble=trouble,
            year=clock.today().year,
        )

    return page


@blueprint.post("/desk/contract-numbers/<string:no>")
@requires(NUMBERS)
def set_format(no: str) -> AnyResponse:
    """Say how a body's numbers are written from a year on."""
    actor = current_actor()
    numbering.find(actor, no)

    def act(values: Mapping[str, Any]) -> str:
        numbering.set_format(actor, no, values)
        return "/desk/contract-numbers"

    return submit(FormatForm(), act, _numbers_page(no))
