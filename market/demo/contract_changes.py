"""Technology contracts at every step of their decision, and what was asked of them afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from market.contracts import examining, filing, prefill
from market.contracts.changes import amending, deciding, receipts, service
from market.contracts.changes.locking import FILES as PAPERS
from market.contracts.changes.models import ContractChange, ContractReceipt
from market.contracts.desk import elsewhere
from market.contracts.desk.schemas import ElsewhereForm
from market.contracts.entry_models import ContractEntry
from market.contracts.locking import FILES
from market.contracts.models import Contract, ContractVersion
from market.core import clock, files
from market.core.db import db
from market.core.permissions import SYSTEM, Actor, policy
from market.core.unit_of_work import unit_of_work
from market.demo.play import Play, actor, own_organisation
from market.service_points.models import Admission

Line = Mapping[str, Any]
DATE = policy.declare("demo:contract:date")
_PDF = "%PDF-1.4\n% demo {}\n%%EOF\n"
# What all of them say, where a line says nothing else.
_FIELDS: Mapping[str, Any] = {
    "contract_class": "service",
    "subclass": "service",
    "field": "agriculture",
    "rights": [{"kind": "none"}],
    "payment": "once",
}
_TERM = 365  # days
_DAYS = ("registered_on", "day", "decided_on", "received_on")


def case(play: Play, line: Line) -> None:
    """A contract from its draft on, with the changes that were asked of it."""
    who = actor(line["by"])
    if "elsewhere" in line:
        with play.step(line["ago"]):
            no = _recorded(who, line)
            _date_back(no, line)
    else:
        no = _begun(play, who, line)
    for step in line["steps"]:
        with play.step(step["ago"]):
            _step(no, step)
            _date_back(no, step)


def _recorded(who: Actor, line: Line) -> str:
    """补录: registered at another place a while before."""
    day = clock.today() - timedelta(hours=line["ago"])
    days = {
        "registered_on": (day - timedelta(days=9)).isoformat(),
        "signed_on": (day - timedelta(days=40)).isoformat(),
    }
    values = ElsewhereForm().load({**line["elsewhere"], **days})
    name = "登记证明扫描件（演示）.pdf"
    scan = files.take_in(name, _PDF.format(line["elsewhere"]["title"]).encode())
    return elsewhere.record(who, elsewhere.resolve(values), scan)


def _begun(play: Play, who: Actor, line: Line) -> str:
    with play.step(line["ago"]):
        own = own_organisation(who).id
        no = filing.begin(who, own, _fields(line, own))
        _attach(FILES, _contract(no).id, "contract", f"{no} 合同文本（盖章扫描件）.pdf")
    return no


def _fields(line: Line, own: int) -> dict[str, Any]:
    signed = clock.today() - timedelta(hours=line["ago"])
    given = amending.from_program(
        {
            **_FIELDS,
            **line["fields"],
            "sellers": [prefill.party(own)],
            "signed_on": signed.isoformat(),
            "valid_from": signed.isoformat(),
            "valid_to": (clock.today() + timedelta(days=_TERM)).isoformat(),
        }
    )
    return {name: value for name, value in given.items() if value is not None}


def _contract(no: str) -> Contract:
    return db.session.scalars(select(Contract).where(Contract.no == no)).one()


def _attach(kind: str, object_id: int, purpose: str, name: str) -> None:
    upload = files.take_in(name, _PDF.format(name).encode())
    with unit_of_work(SYSTEM) as work:
        work.require(DATE)
        files.attach(work, upload, kind, object_id, purpose=purpose)


def _open(no: str) -> ContractChange:
    """The latest change of a contract."""
    query = select(ContractChange).join(Contract, Contract.id == ContractChange.contract_id)
    return db.session.scalars(
        query.where(Contract.no == no).order_by(ContractChange.id.desc()).limit(1)
    ).one()


def _step(no: str, step: Line) -> None:
    who, what, said = actor(step["by"]), step["do"], step.get("said", {})
    if what == "submit":
        filing.submit(who, no, _body(step["body"]).no if "body" in step else None)
    elif what == "accept":
        examining.accept(who, no)
    elif what == "return":
        examining.send_back(who, no, step["missing"])
    elif what == "withdraw":
        filing.withdraw(who, no)
    elif what == "examine":
        examining.examine(who, no, said)
    elif what == "register":
        examining.register(who, no)
    elif what == "refuse":
        examining.refuse(who, no, step["refusal"], step["reason"])
    elif what == "record":
        result = {**said, "registered_on": clock.today()}
        examining.record(who, no, result)
    elif what == "receive":
        receipts.add(who, no, {**said, "received_on": clock.today()})
    elif what == "ask":
        _ask(no, step)
    elif what == "change":
        deciding.act(who, _open(no).no, step["action"], said)
    else:
        examining.step(who, no, what, step.get("reason"))


def _ask(no: str, step: Line) -> None:
    who, said = actor(step["by"]), dict(step.get("said", {}))
    if "happened_before" in said:
        days = timedelta(days=said.pop("happened_before"))
        said["happened_on"] = clock.today() - days
    content = amending.from_program(step.get("content", {}))
    made = service.ask(who, no, step["kind"], said, content)
    if "paper" in step:
        _attach(PAPERS, _open(no).id, "papers", step["paper"])
    if step.get("send"):
        service.submit(who, made)


def _body(name: str) -> Admission:
    return db.session.scalars(select(Admission).where(Admission.name == name)).one()


def _date_back(no: str, step: Line) -> None:
    """Days that a step wrote are those of when it is to have happened."""
    today = clock.today()
    day = clock.local(clock.now() - timedelta(hours=step["ago"])).date()
    with unit_of_work(SYSTEM) as work:
        work.require(DATE)
        contract = _contract(no)
        _date_columns(contract, ("registered_on", "void_on"), today, day)
        for model in (ContractVersion, ContractEntry, ContractChange, ContractReceipt):
            rows = db.session.scalars(select(model).where(model.contract_id == contract.id))
            for row in rows:
                _date_columns(row, _DAYS, today, day)
        work.record("contract.demo_dated", "contract", contract.id, no=no)


def _date_columns(row: Any, names: tuple[str, ...], today: date, day: date) -> None:
    """Move what was written today; what an earlier step wrote lies back already."""
    for name in names:
        if getattr(row, name, None) == today:
            setattr(row, name, day)
