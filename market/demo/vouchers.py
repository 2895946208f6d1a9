"""Voucher schemes and what became of them: applications, vouchers, orders, claims, batches.

A line is a scheme with its steps in order. A step may give what it makes a name (`as`), by which
later steps of the line speak of it (`of`). Entries of the ledger keep their true times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy import select

from market.accounts.models import Organisation
from market.core import clock
from market.core.db import db
from market.core.money import parse_yuan
from market.core.permissions import SYSTEM, Actor, policy
from market.core.unit_of_work import unit_of_work
from market.demo.play import Play, actor, own_organisation
from market.demo.scenes_of_notices import begin_earlier
from market.notices import service as noticing
from market.notices import starting
from market.notices.models import Notice
from market.notices.schemas import DraftFields
from market.vouchers import applying, claiming, evidence, jobs, ordering, paying, reviewing, schemes
from market.vouchers.claim_models import Claim
from market.vouchers.content import load
from market.vouchers.models import Voucher

Line = Mapping[str, Any]
Names = dict[str, str]
DATE_BACK = policy.declare("demo:voucher:date_back")
_invoices = count(1)


def scheme(play: Play, line: Line) -> None:
    """A scheme and its steps."""
    who, names = actor(line["by"]), {}
    with play.step(line["ago"]):
        names["scheme"] = schemes.create(who, line["region"], load(line["content"]), demo=True)
    for step in line["steps"]:
        with play.step(step["ago"]):
            made = STEPS[step["do"]](actor(step["by"]), step, names)
        if "as" in step and made is not None:
            names[step["as"]] = made


def _publish(who: Actor, _step: Line, names: Names) -> None:
    schemes.publish(who, names["scheme"])


def _close(who: Actor, step: Line, names: Names) -> None:
    schemes.close(who, names["scheme"], step["reason"])


def _budget(who: Actor, step: Line, names: Names) -> None:
    year = clock.today().year
    schemes.set_budget(who, names["scheme"], year, parse_yuan(step["yuan"]), key=f"{year}")


def _apply(who: Actor, step: Line, names: Names) -> str:
    firm, asked = own_organisation(who).id, parse_yuan(step["yuan"])
    return applying.apply(who, names["scheme"], firm, asked, {}, step["purpose"])


def _grant(who: Actor, step: Line, names: Names) -> str:
    """Issue a voucher that counts as issued when the step is to have happened."""
    no = applying.grant(who, names[step["of"]])[0]
    back = timedelta(days=step["ago"] // 24)
    with unit_of_work(SYSTEM) as work:
        work.require(DATE_BACK)
        row = db.session.scalars(select(Voucher).where(Voucher.no == no)).one()
        row.issued_on -= back
        row.ends_on = row.ends_on - back if row.ends_on else None
        work.record("demo.voucher_dated_back", "voucher", row.id, no=no)
    return no


def _refuse(who: Actor, step: Line, names: Names) -> None:
    applying.refuse(who, names[step["of"]], step["reason"])


def _take_back(who: Actor, step: Line, names: Names) -> None:
    applying.withdraw(who, names[step["of"]])


def _mark(who: Actor, step: Line, names: Names) -> None:
    applying.mark(who, names[step["of"]], step["action"], step["reason"])


def _expire(_who: Actor, _step: Line, _names: Names) -> None:
    while jobs.expire():
        pass


def _order(who: Actor, step: Line, names: Names) -> str:
    provider = select(Organisation.id).where(Organisation.uscc == step["provider"])
    said = {
        "voucher": names.get(step.get("voucher", "")), "scheme": names["scheme"],
        "provider_id": db.session.scalars(provider).one(), "service": step["service"],
        "title": step["title"], "price_fen": parse_yuan(step["yuan"]),
        "voucher_fen": parse_yuan(step.get("worth", "0")),
    }  # fmt: skip
    return ordering.place(who, own_organisation(who).id, said)


def _act(who: Actor, step: Line, names: Names) -> None:
    ordering.act(who, names[step["of"]], step["action"], reason=step.get("reason"))


def _rate(who: Actor, step: Line, names: Names) -> None:
    ordering.rate(who, names[step["of"]], step["stars"], step["words"])


def _claim(who: Actor, step: Line, names: Names) -> str:
    firm, fen = own_organisation(who), parse_yuan(step["yuan"])
    day = clock.today() - timedelta(days=step["ago"] // 24 + 7)
    said = {
        "scheme": names["scheme"], "order": names.get(step.get("order", "")),
        "items": [{"service": step["service"], "cost_fen": fen}],
        "invoices": [{"number": f"{next(_invoices):020d}", "day": day, "amount_fen": fen}],
        "bank": {
            "holder": firm.name, "bank": "演示银行东坡支行（演示）", "account": "6222000000000000048"
        },
    }  # fmt: skip
    no = claiming.begin(who, firm.id, said)
    for purpose in step["evidence"]:
        data = f"%PDF-1.4\n% demo {no} {purpose}\n".encode()
        name = f"{evidence.PURPOSES[purpose]}（演示）.pdf"
        evidence.add(who, no, evidence.take_in(name, data), purpose)
    return no


def _submit(who: Actor, step: Line, names: Names) -> None:
    claiming.submit(who, names[step["of"]])


def _withdraw(who: Actor, step: Line, names: Names) -> None:
    claiming.withdraw(who, names[step["of"]])


def _review(who: Actor, step: Line, names: Names) -> None:
    """Check the invoices and decide; a rate that the sheet leaves open is decided before."""
    no = names[step["of"]]
    _check(who, no, step)
    if "rates" in step:
        reviewing.decide_rates(who, no, step["rates"])
    reviewing.review(who, no, step["decision"], step.get("reasons"))


def _check(who: Actor, no: str, step: Line) -> None:
    day = clock.today() - timedelta(days=step["ago"] // 24)
    row = db.session.scalars(select(Claim).where(Claim.no == no)).one()
    for number in [one.number for one in row.invoices]:
        reviewing.check_invoice(who, no, number, "valid", day)


def _batch(who: Actor, step: Line, names: Names) -> str:
    claims = [names[one] for one in step["claims"]]
    return paying.open_batch(who, names["scheme"], claims, step["title"], notice=step["notice"])


def _notice(who: Actor, step: Line, names: Names) -> None:
    """Start the notice of a batch so many days ago; one that is over is concluded."""
    query = select(Notice).where(Notice.subject_no == names[step["of"]])
    row = db.session.scalars(query).one()
    no, said = row.no, {"title": row.title, "content": row.content}
    typed = DraftFields().load({"title": row.title, **step["said"]})
    noticing.save(who, no, {**typed, **said})
    starting.start(who, no, provisional_ok=True)
    begin_earlier(no, step["days"])
    noticing.end_if_over(no)
    if step.get("conclude"):
        noticing.conclude(who, no, "none", None)


def _decide(who: Actor, step: Line, names: Names) -> None:
    day = clock.today() - timedelta(days=step["ago"] // 24)
    paying.decide(
        who, names[step["of"]], meeting_no=step["meeting"], meeting_on=day, fund_no=step["fund"],
        fund_on=day,
    )  # fmt: skip


def _countersign(who: Actor, step: Line, names: Names) -> None:
    """The finance office countersigns, after the clerk has checked the invoices once more."""
    for one in step["claims"]:
        _check(actor(step["checked_by"]), names[one], step)
    paying.countersign(who, names[step["of"]])


def _pay(who: Actor, step: Line, names: Names) -> None:
    day, rows = clock.today() - timedelta(days=step["ago"] // 24), []
    for name, treasury_no in step["paid"].items():
        row = db.session.scalars(select(Claim).where(Claim.no == names[name])).one()
        rows.append(
            {
                "claim_no": row.no,
                "treasury_no": treasury_no,
                "paid_on": day,
                "amount_fen": row.amount_fen,
            }
        )
    paying.record_payments(who, names[step["of"]], rows)


def _bounce(who: Actor, step: Line, names: Names) -> None:
    paying.bounce(who, names[step["of"]], step["reason"])


def _recover(who: Actor, step: Line, names: Names) -> None:
    paying.recover(who, names[step["of"]], step["reason"])


def _bar(who: Actor, step: Line, names: Names) -> None:
    firm = db.session.scalars(
        select(Organisation.id).where(Organisation.uscc == step["firm"])
    ).one()
    until = clock.today() + timedelta(days=step["days"])
    paying.bar(who, firm, names["scheme"], until, step["reason"])


STEPS: dict[str, Callable[[Actor, Line, Names], str | None]] = {
    "publish": _publish,
    "close": _close,
    "budget": _budget,
    "apply": _apply,
    "grant": _grant,
    "refuse": _refuse,
    "take_back": _take_back,
    "mark": _mark,
    "expire": _expire,
    "order": _order,
    "act": _act,
    "rate": _rate,
    "claim": _claim,
    "submit": _submit,
    "withdraw": _withdraw,
    "review": _review,
    "batch": _batch,
    "notice": _notice,
    "decide": _decide,
    "countersign": _countersign,
    "pay": _pay,
    "bounce": _bounce,
    "recover": _recover,
    "bar": _bar,
}
