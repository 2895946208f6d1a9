"""Registered versions of a contract: each readable, two side by side."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from market.contracts import content as fields
from market.contracts import queries as whole_contracts
from market.contracts.changes import queries, shown
from market.contracts.models import VERSION_STATES
from market.contracts.schemas import LABELS
from market.contracts.workflow import READ
from market.core.errors import NotFound
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import requires
from market.core.submitting import Trouble, show

blueprint = Blueprint("contract_versions", __name__)


@blueprint.get("/contracts/<string:no>/versions/<int(max=9999999999):number>")
@requires(READ)
def version(no: str, number: int) -> AnyResponse:
    """What was registered, whole, as it stood then."""
    contract, row = queries.version(current_actor(), no, number)
    found = queries.counted_values(row)

    def page(_form: Form, _trouble: Trouble) -> str:
        return render_template(
            "contracts/version.html",
            contract=contract,
            row=row,
            lines=shown.whole(row.content),
            found=[(LABELS[name], shown.in_words(name, value)) for name, value in found.items()],
            versions=queries.registered_versions(contract),
            states=VERSION_STATES,
        )

    return show(page)


@blueprint.get("/contracts/<string:no>/versions")
@requires(READ)
def compare(no: str) -> AnyResponse:
    """Two registered versions side by side."""
    actor = current_actor()
    contract = whole_contracts.find(actor, no)
    versions = queries.registered_versions(contract)
    if not versions:
        raise NotFound(f"合同 {no} 还没有登记。")
    latest = versions[0].version
    before = versions[1].version if len(versions) > 1 else latest
    first, second = _number("a", before), _number("b", latest)
    old, new = (queries.version(actor, no, one)[1] for one in (first, second))

    def page(_form: Form, _trouble: Trouble) -> str:
        return render_template(
            "contracts/versions.html",
            contract=contract,
            lines=shown.compared(
                fields.as_assessed(old.content, old.findings),
                fields.as_assessed(new.content, new.findings),
            ),
            first=first,
            second=second,
            options=[(str(one.version), f"第 {one.version} 版") for one in versions],
        )

    return show(page)


def _number(name: str, otherwise: int) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else otherwise
