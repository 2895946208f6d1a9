"""What the desk does to several at once, by the same services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from market.core.db import db
from market.core.errors import Invalid, MarketError
from market.core.permissions import Actor
from market.core.unit_of_work import unit_of_work
from market.vouchers import applying, paying, reviewing
from market.vouchers.claim_models import Claim
from market.vouchers.office_pages import messages, queries


def grant_many(actor: Actor, numbers: Sequence[str]) -> dict[str, str]:
    """Issue one voucher over what was asked for each application; number → trouble, empty if none.

    Each stands for itself: where one cannot be granted the others are.
    """
    found: dict[str, str] = {}
    for no in dict.fromkeys(numbers):
        try:
            applying.grant(actor, no)
            found[no] = ""
        except Invalid as error:
            found[no] = "".join(text for texts in error.fields.values() for text in texts)
        except MarketError as error:
            found[no] = error.message
    return found


def decide_many(
    actor: Actor, no: str, rates: Mapping[str, int], readings: Mapping[str, str],
    version: int | None = None,
) -> list[str]:  # fmt: skip
    """Decide rates and readings for a claim and for all others in review under the same version.

    Only what each of the others leaves open too is decided for it; those that this person may not
    review stay as they are. Their numbers.
    """
    with unit_of_work(actor):
        reviewing.decide_rates(actor, no, rates, version, readings)
        row = queries.find(Claim, actor, no)
        query = select(Claim).where(
            queries.seen_by(actor, Claim), Claim.scheme_id == row.scheme_id,
            Claim.version_id == row.version_id, Claim.state == "submitted", Claim.id != row.id,
        )  # fmt: skip
        found = [no]
        for one in db.session.scalars(query.order_by(Claim.id)).all():
            if reviewing.hindrance(actor, one):
                continue
            known = reviewing.open_rates(one)
            fitting = {code: points for code, points in rates.items() if code in known}
            reviewing.decide_rates(actor, one.no, fitting, None, readings)
            found.append(one.no)
        return found


def check_invoices(actor: Actor, no: str, results: Mapping[tuple[str, str], str], on: date) -> int:
    """Type the second check of a batch's invoices. results: (claim, invoice) → result; how many."""
    known = {one.no for one in queries.batch(actor, no).claims}
    if not results or not {claim for claim, _number in results} <= known:
        raise Invalid({"on": ["请选择这个批次的发票的查验结果。"]})
    with unit_of_work(actor):
        for (claim, number), result in results.items():
            reviewing.check_invoice(actor, claim, number, result, on)
    return len(results)


def decide_batch(actor: Actor, no: str, values: Mapping[str, Any]) -> None:
    """Enter meeting and fund document; the finance office learns that it waits for its countersign."""
    if values["meeting_on"] is None or values["fund_on"] is None:
        raise Invalid({"meeting_on": ["请填写日期。"]})
    with unit_of_work(actor):
        paying.decide(actor, no, **{
            name: values[name] for name in ("meeting_no", "meeting_on", "fund_no", "fund_on")
        })  # fmt: skip
        messages.tell_countersign(queries.batch(actor, no).row)


def countersign(actor: Actor, no: str) -> None:
    """Countersign; the office learns of it."""
    with unit_of_work(actor):
        paying.countersign(actor, no)
        messages.tell_office(messages.COUNTERSIGNED, queries.batch(actor, no).row)


def bounce(actor: Actor, no: str, reason: str) -> None:
    """退票; the office that has to correct the account learns of it."""
    with unit_of_work(actor):
        paying.bounce(actor, no, reason)
        row = queries.find(Claim, actor, no)
        if row.batch is not None:
            messages.tell_bounced(row, reason)


def bar(actor: Actor, values: Mapping[str, Any]) -> int:
    """Stop an organisation, found by number, credit code or name; the key of the bar."""
    firm = queries.organisation_of(values["organisation"])
    return paying.bar(actor, firm.id, values["scheme"], values["until"], values["reason"])
