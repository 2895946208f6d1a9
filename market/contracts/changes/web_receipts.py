"""The page of what a seller received under a contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template
from werkzeug.wrappers import Response as AnyResponse

from market.contracts import locking as contracts
from market.contracts import queries as whole_contracts
from market.contracts.changes import receipts
from market.contracts.changes.models import RECEIPT_KINDS
from market.contracts.changes.schemas import ReceiptSchema, ReverseSchema
from market.contracts.changes.shown import in_words
from market.contracts.codes import ROYALTIES
from market.contracts.workflow import READ, RECEIVE
from market.core import clock
from market.core.errors import NotFound
from market.core.forms import Form
from market.core.http import current_actor
from market.core.permissions import Actor, policy, requires
from market.core.submitting import Trouble, show, submit

blueprint = Blueprint("contract_receipts", __name__)


@blueprint.get("/contracts/<string:no>/receipts")
@requires(READ)
def page(no: str) -> AnyResponse:
    """到账: rows, totals against the plan, and the form of one more."""
    actor = current_actor()
    _registered(actor, no)
    return show(_page(actor, no))


def _registered(actor: Actor, no: str) -> Any:
    """A contract that was registered at some time. Raises NotFound."""
    contract = whole_contracts.find(actor, no)
    if contract.effective is None:
        raise NotFound("登记后才能记到账。")
    return contract


def _page(actor: Actor, no: str, tried: int | None = None) -> Any:
    def render(form: Form, trouble: Trouble) -> str:
        contract = _registered(actor, no)
        content = contracts.version_of(contract, contract.effective).content
        return render_template(
            "contracts/receipts.html",
            contract=contract,
            rows=receipts.rows(contract),
            totals=receipts.totals(contract),
            plan=content.get("plan", []),
            terms={name: in_words(name, content.get(name)) for name in _TERMS},
            by_royalty=content.get("payment") in ROYALTIES,
            kinds=RECEIPT_KINDS,
            may_write=policy.allows(actor, RECEIVE, contract),
            form=form,
            trouble=trouble,
            tried=tried,
            today=clock.today(),
        )

    return render


_TERMS = ("payment", "entry_fen", "royalty_bp", "royalty_base")


@blueprint.post("/contracts/<string:no>/receipts")
@requires(READ)
def add(no: str) -> AnyResponse:
    """Note money that came in."""
    actor = current_actor()
    _registered(actor, no)

    def act(values: Mapping[str, Any]) -> str:
        receipts.add(actor, no, values)
        return f"/contracts/{no}/receipts"

    return submit(ReceiptSchema(), act, _page(actor, no))


@blueprint.post("/contracts/<string:no>/receipts/<int(max=9999999999):key>/reverse")
@requires(READ)
def reverse(no: str, key: int) -> AnyResponse:
    """Take a row back."""
    actor = current_actor()
    _registered(actor, no)

    def act(values: Mapping[str, Any]) -> str:
        receipts.reverse(actor, no, key, values["reason"])
        return f"/contracts/{no}/receipts"

    return submit(ReverseSchema(), act, _page(actor, no, key))
