"""The body's and the office's part of a change: examine, decide, and what follows from it at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from market.contracts import content as fields
from market.contracts import counting, examining, rule_sets
from market.contracts import locking as contracts
from market.contracts.changes import messages
from market.contracts.changes.locking import add_version, locked, moved
from market.contracts.changes.models import KINDS, OUTCOMES, ContractChange
from market.contracts.changes.service import drop_version, submit, withdraw
from market.contracts.changes.touching import mark, touches
from market.contracts.changes.workflow import CHANGE
from market.contracts.codes import ANNULMENTS, CANCELLATIONS, SUBCLASSES
from market.contracts.models import ContractVersion
from market.contracts.workflow import CONTRACT
from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.money import show_yuan
from market.core.permissions import Actor
from market.core.unit_of_work import UnitOfWork, unit_of_work

# What a change was decided for: code → words, by kind.
_GROUNDS = {"cancel": CANCELLATIONS, "annul": ANNULMENTS}


def act(
    actor: Actor,
    no: str,
    action: str,
    values: Mapping[str, Any],
    version: int | None = None,
    seen: str | None = None,
) -> None:
    """Carry out an action of the table, as pages and programs name it. Raises as each of them."""
    if action == "submit":
        submit(actor, no, version)
    elif action == "withdraw":
        withdraw(actor, no, version)
    elif action == "examine":
        examine(actor, no, values, version)
    elif action in {"approve", "settle"}:
        decide(actor, no, values, version, seen)
    elif action == "refuse":
        refuse(actor, no, values.get("reason"), version)
    else:
        give_back(actor, no, action, values.get("reason"), version)


def give_back(
    actor: Actor, no: str, action: str, reason: str | None, version: int | None = None
) -> None:
    """Return it to who asked (`return`, 补正), or to the first examiner (`send_back`).

    Raises:
        Invalid: no reason. Conflict: it moved meanwhile.
    """
    if action not in {"return", "send_back"}:
        raise Conflict("没有这一步。")
    with unit_of_work(actor) as work:
        change = locked(actor, no, version)
        flow.fire(work, CHANGE, change, action, reason=reason, values=moved())
        if action == "return":
            messages.tell_asker(messages.RETURNED, change)


def refuse(actor: Actor, no: str, reason: str | None, version: int | None = None) -> None:
    """Do not do what is asked (不予办理).

    Raises:
        Denied: the same person examined it first. Invalid: no reason. Conflict: it moved.
    """
    with unit_of_work(actor) as work:
        change = locked(actor, no, version)
        columns = moved(decided_on=clock.today(), answer=reason)
        flow.fire(work, CHANGE, change, "refuse", reason=reason, values=columns)
        drop_version(change)
        messages.tell_parties(change)


def examine(actor: Actor, no: str, values: Mapping[str, Any], version: int | None = None) -> None:
    """First examination, in a body that keeps its register here: what is found and proposed.

    Args:
        values: amounts and class as they are to count (`content.ASSESSED`), `outcome` of a 异议复查,
            `answer`: the opinion.

    Raises:
        Invalid: by field. Conflict: the registered version changed since it was asked.
    """
    with unit_of_work(actor) as work:
        change = locked(actor, no, version)
        _refuse_stale(change)
        found = findings(change, values)
        columns = moved(findings=found | {"by": actor.label}, answer=values.get("answer"))
        flow.fire(
            work, CHANGE, change, "examine", note=values.get("answer"), values=columns, after=found
        )


def decide(
    actor: Actor,
    no: str,
    values: Mapping[str, Any],
    version: int | None = None,
    seen: str | None = None,
) -> None:
    """Do what is asked (予以办理): second examination, or the decision taken elsewhere typed in.

    Args:
        values: `answer`; where it was not examined here before, also what `examine` takes and
            `decided_on`, the day on which the national system or the other body did it.
        seen: mark of the list of what is touched, as it was shown; None: not asked.

    Raises:
        Denied: the same person examined it first. Invalid: by field. Conflict: it moved, the
            registered version is another by now, or it touches other things than were shown.
    """
    with unit_of_work(actor) as work:
        change = locked(actor, no, version)
        _refuse_stale(change)
        own = change.contract.mode == "own"
        found = dict(change.findings) if own else findings(change, values) | {"by": actor.label}
        touched = touches(change, found)
        if seen is not None and seen != mark(touches(change, change.findings)):
            raise Conflict("这件变更涉及的事项刚有变化，请看新的清单，再决定。")
        day = clock.today() if own else _day(values)
        columns = moved(
            findings=found,
            touches=touched,
            outcome=found.get("outcome"),
            answer=values.get("answer") or change.answer,
            decided_on=day,
        )
        flow.fire(
            work, CHANGE, change, "approve" if own else "settle", note=values.get("answer"),
            values=columns, after={"touches": len(touched), "outcome": found.get("outcome")},
        )  # fmt: skip
        _carry_out(work, change, day)
        messages.tell_parties(change)


def _refuse_stale(change: ContractChange) -> None:
    contract = change.contract
    if contract.effective != change.base_version:
        raise Conflict(
            f"这件{KINDS[change.kind]}是对第 {change.base_version} 版提出的，现在登记的是第 "
            f"{contract.effective} 版：被取代的版本不能再变更，请退回或由当事人重新提出。"
        )


def _day(values: Mapping[str, Any]) -> date:
    day: date = values.get("decided_on") or clock.today()
    if day > clock.today():
        raise Invalid({"decided_on": [f"办理日期（{day}）还没有到，请核对。"]})
    return day


def findings(change: ContractChange, values: Mapping[str, Any]) -> dict[str, Any]:
    """What an office found, complete: what it did not set is as the new version, or now registered.

    Raises:
        Invalid: by field.
    """
    if change.kind in {"cancel", "annul"}:
        return {}
    if change.kind == "review":
        return _reviewed(change, values)
    content = contracts.version_of(change.contract, change.version).content
    return _assessed({name: content.get(name) for name in fields.ASSESSED}, values)


def _reviewed(change: ContractChange, values: Mapping[str, Any]) -> dict[str, Any]:
    outcome, counts = values.get("outcome"), change.contract.state == "registered"
    fitting = {"confirmed", "corrected" if counts else "reopened"}
    if outcome not in fitting:
        words = "、".join(f"「{OUTCOMES[one]}」" for one in OUTCOMES if one in fitting)
        raise Invalid({"outcome": [f"请选择复查结论：{words}。"]})
    if outcome != "corrected":
        return {"outcome": outcome}
    now = {name: getattr(change.contract, name) for name in fields.ASSESSED}
    found = _assessed(now, values)
    if found == now:
        raise Invalid(
            {"technical_fen": ["和现在登记的相同：没有要更正的，请选「维持原来的决定」。"]}
        )
    return {**found, "outcome": outcome}


def _assessed(given: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Amounts and class as set (重新核定), or as given."""
    found = {
        name: given[name] if values.get(name) is None else values[name] for name in fields.ASSESSED
    }
    wrong: dict[str, list[str]] = {}
    if SUBCLASSES.get(found["subclass"] or "", ("", ""))[0] != found["contract_class"]:
        wrong["subclass"] = ["二级类别不属于所选的合同类别，请重新选择。"]
    if found["total_fen"] is None or found["technical_fen"] is None:
        wrong["technical_fen"] = ["请核定合同成交额和技术交易额。"]
    elif found["technical_fen"] > found["total_fen"]:
        most = show_yuan(found["total_fen"])
        wrong["technical_fen"] = [f"核定的技术交易额不能大于成交额 {most}。"]
    if wrong:
        raise Invalid(wrong)
    return found


# What follows in the same transaction.


def _carry_out(work: UnitOfWork, change: ContractChange, day: date) -> None:
    contract = change.contract
    if change.kind in _GROUNDS:
        words = f"{_GROUNDS[change.kind][change.ground or 'other']}：{change.reason}"
        flow.fire(
            work, CONTRACT, contract, change.kind, reason=words[: flow.LONGEST_REASON],
            values=contracts.moved(void_on=day), after={"change": change.no},
        )  # fmt: skip
    elif change.kind == "amend":
        _replace(work, change, contracts.version_of(contract, change.version), day, "amended")
    elif change.outcome == "corrected":
        old = contracts.version_of(contract, contract.effective)
        row = add_version(work.actor, contract, old.content, {})
        _replace(work, change, row, day, "corrected")
    elif change.outcome == "reopened" and contract.state == "annulled":
        _reinstate(work, change, day)
    elif change.outcome == "reopened":
        _reopen(work, change)


def _replace(
    work: UnitOfWork, change: ContractChange, row: ContractVersion, day: date, what: str
) -> None:
    """Let a version take the place of the registered one, which stays readable."""
    contract = change.contract
    old = contracts.version_of(contract, contract.effective)
    before = {name: getattr(contract, name) for name in fields.ASSESSED} | {"version": old.version}
    old.state, old.updated_at = "superseded", clock.now()
    db.session.flush()  # of two registered ones the database would refuse the second
    found = {name: change.findings[name] for name in fields.ASSESSED}
    row.findings = dict(change.findings)
    row.state, row.registered_on, row.updated_at = "registered", day, clock.now()
    columns = {**contracts.columns_of(row.content), **found}
    contracts.touch(contract, version=row.version, effective=row.version, **columns)
    contracts.write_parties(contract, row.content)
    counting.counts_anew(contract, what, day)
    work.record(
        f"contract.{what}", CONTRACT.name, contract.id, no=contract.no, before=before,
        after={**found, "version": row.version, "hash": row.hash, "change": change.no},
    )  # fmt: skip
    flow.add_event(
        work, CONTRACT.name, contract.id, what, before=contract.state, after=contract.state,
        note=f"{KINDS[change.kind]} {change.no}：登记的内容改为第 {row.version} 版",
    )  # fmt: skip
    flow.show_on_desks(CONTRACT, contract)


def _reinstate(work: UnitOfWork, change: ContractChange, day: date) -> None:
    """Let an annulled contract be registered as before; it counts again from this day on."""
    contract = change.contract
    words = f"{KINDS['review']} {change.no}：{change.reason}"[: flow.LONGEST_REASON]
    flow.fire(
        work, CONTRACT, contract, "reinstate", reason=words,
        values=contracts.moved(void_on=None, certified=None), after={"change": change.no},
    )  # fmt: skip
    counting.counts_anew(contract, "corrected", day)


def _reopen(work: UnitOfWork, change: ContractChange) -> None:
    """Let a refused contract be examined again; the clock, where one is known, begins anew."""
    contract = change.contract
    large = any(one.effect == "expert" for one in examining.thresholds(contract))
    until = rule_sets.due(contract.rule_set, clock.today(), large)
    flow.fire(
        work, CONTRACT, contract, "reconsider", reason=f"{KINDS['review']} {change.no}：{change.reason}"[: flow.LONGEST_REASON],
        values=contracts.moved(
            refusal=None,
            refused_hash=None,
            first_examiner=None,
            second_examiner=None,
            due=until.day if until else None,
            due_provisional=until.provisional if until else False,
        ),
        after={"change": change.no},
    )  # fmt: skip
    row = contracts.version_of(contract)
    row.state, row.updated_at = "working", clock.now()


def differences(change: ContractChange) -> list[tuple[str, Any, Any]]:
    """Fields in which the new version differs from the one it was asked against."""
    if change.version is None or change.base_version is None:
        return []
    old = contracts.version_of(change.contract, change.base_version)
    new = contracts.version_of(change.contract, change.version)
    return fields.differences(fields.as_assessed(old.content, old.findings), new.content)
