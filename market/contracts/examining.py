"""The body's and the office's part: accept, ask for what is missing, examine, decide, record."""

from __future__ import annotations

import secrets as random
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from market.contracts import content as fields
from market.contracts import limits, messages, rule_sets, serials, terms
from market.contracts.codes import DEFICIENCIES, REFUSALS, SUBCLASSES
from market.contracts.locking import locked, moved, touch, version_of
from market.contracts.models import Contract, ContractVersion, Deficiency
from market.contracts.rule_sets import Amounts, Reached
from market.contracts.schemas import LABELS
from market.contracts.workflow import CLEAR, CONTRACT, FIRST, SECOND
from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid
from market.core.money import show_yuan
from market.core.permissions import Actor
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.service_points import queries as directory

MOST_DEFICIENCIES = 30
STEPS = ("ask_experts", "experts_said", "send_back", "reopen")
LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # of check codes: none that looks like another


def accept(actor: Actor, no: str, version: int | None = None) -> None:
    """Accept a filing (受理): from here the clock of the rules in force runs, where one is known.

    Raises:
        Conflict: it was withdrawn or accepted meanwhile.
    """
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        _need_power(contract, "accept")
        flow.fire(work, CONTRACT, contract, "accept", values=_clock(contract))
        messages.tell_filer(messages.MOVED, contract)


def _clock(contract: Contract) -> dict[str, Any]:
    """Columns of acceptance: the rules in force, the day, the last day for the decision."""
    today = clock.today()
    rules = contract.rule_set or rule_sets.in_force(contract.office_region.path, today)
    begun = contract.accepted_on
    if begun is None or (rules is not None and rules.restarts):
        begun = today
    large = any(one.effect == "expert" for one in thresholds(contract))
    until = rule_sets.due(rules, begun, large)
    return moved(
        rule_set_id=rules.id if rules else None,
        accepted_on=begun,
        due=until.day if until else None,
        due_provisional=until.provisional if until else False,
    )


def thresholds(contract: Contract) -> list[Reached]:
    """The thresholds that a contract reaches under the rules it is, or would be, decided by."""
    rules = contract.rule_set or rule_sets.in_force(contract.office_region.path, clock.today())
    if rules is None:
        return []
    amounts = Amounts(contract.total_fen, contract.technical_fen)
    return rule_sets.reached(rules.thresholds, contract.contract_class or "", amounts)


def _need_power(contract: Contract, power: str) -> None:
    """Refuse what the body has no power for. Raises Denied."""
    if contract.body is not None and power not in directory.powers_of(contract.body):
        raise Denied(f"{contract.body.title}现在没有这项权限，请到服务机构名录核对。")


def send_back(
    actor: Actor, no: str, missing: Sequence[Mapping[str, str]], version: int | None = None
) -> None:
    """Return a filing once with everything that is missing (补正, 一次性告知).

    Args:
        missing: rows of {"code", "field", "words"}; code of `codes.DEFICIENCIES`.

    Raises:
        Invalid: nothing is named, or a row says nothing.
    """
    rows = _checked_rows(missing)
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        last = select(func.max(Deficiency.round)).where(Deficiency.contract_id == contract.id)
        number = (db.session.scalar(last) or 0) + 1
        for row in rows:
            db.session.add(
                Deficiency(contract_id=contract.id, round=number, created_at=clock.now(), **row)
            )
        said = "；".join(row["words"] for row in rows)
        flow.fire(
            work, CONTRACT, contract, "return", reason=said[: flow.LONGEST_REASON], values=moved()
        )
        messages.tell_filer(messages.RETURNED, contract, count=len(rows))


def _checked_rows(missing: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    if not missing:
        raise Invalid({"missing": ["请列出要补正的内容，一次列齐。"]})
    if len(missing) > MOST_DEFICIENCIES:
        raise Invalid({"missing": [f"最多列 {MOST_DEFICIENCIES} 项。"]})
    rows = []
    for one in missing:
        code, words = one.get("code") or "other", (one.get("words") or "").strip()
        if code not in DEFICIENCIES or (code == "other" and not words):
            raise Invalid({"missing": ["每一项都要选类型；选「其他」的请写明内容。"]})
        field = one.get("field") if one.get("field") in LABELS else None
        rows.append({"code": code, "field": field, "words": words or DEFICIENCIES[code]})
    return rows


def examine(actor: Actor, no: str, values: Mapping[str, Any], version: int | None = None) -> None:
    """First examination (初审): class and technical amount as found, and what is proposed.

    Args:
        values: is_technology, contract_class, subclass, total_fen, technical_fen, `reasons` of
            differences by these names, opinion (which counts for those without a reason); proposal
            "register" or "refuse" with `refusal` of `codes.REFUSALS`; no_expert: why no expert
            was asked where the rules want one.

    Raises:
        Invalid: by field. Conflict: it exceeds what the body may decide.
    """
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        work.require(FIRST, contract)
        if contract.mode != "own":
            raise Conflict("这家机构在全国系统登记：请办「预审通过」，登记后录入结果。")
        _need_power(contract, "examine")
        found = _write_sheet(work, contract, values)
        flow.fire(
            work, CONTRACT, contract, "examine", note=values.get("opinion"),
            values=moved(first_examiner=actor.label), after=found,
        )  # fmt: skip


def clear(actor: Actor, no: str, values: Mapping[str, Any], version: int | None = None) -> None:
    """Examined beforehand and good (预审通过): what is left is the national system's result.

    Args:
        values: as for `examine`; all may be left out.

    Raises:
        Invalid: by field. Conflict: the body keeps its own register, or it exceeds its limit.
    """
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        work.require(CLEAR, contract)
        if contract.mode == "own":
            raise Conflict("这家机构在本站登记：请办初审和复审。")
        _need_power(contract, "examine")
        found = _write_sheet(work, contract, values)
        if found["proposal"] == "refuse":
            raise Conflict("认为不能登记的，请办「不予登记」，写明原因。")
        flow.fire(
            work, CONTRACT, contract, "clear", note=values.get("opinion"),
            values=moved(first_examiner=actor.label), after=found,
        )  # fmt: skip
        messages.tell_filer(messages.MOVED, contract)


def _write_sheet(work: UnitOfWork, contract: Contract, values: Mapping[str, Any]) -> dict[str, Any]:
    """Write down what was found (审查表) and let lists and sums show it."""
    row = version_of(contract)
    found = _findings(contract, row, values)
    if found["proposal"] == "register":
        judged = limits.Judged(
            found["contract_class"] or "", found["total_fen"], found["technical_fen"]
        )
        limits.refuse_beyond(contract, judged)
        if not values.get("no_expert"):
            limits.need_expert(contract, judged)
    row.findings = {**found, "by": work.actor.label}
    _take_over(work, contract, found)
    return found


def _findings(
    contract: Contract, row: ContractVersion, values: Mapping[str, Any]
) -> dict[str, Any]:
    """What an examiner found, complete: what he did not set is as it was filed."""
    found: dict[str, Any] = {
        name: values.get(name) or getattr(contract, name)
        for name in ("contract_class", "subclass", "total_fen")
    }
    technical = values.get("technical_fen")
    found["technical_fen"] = contract.technical_fen if technical is None else technical
    found["is_technology"] = values.get("is_technology") is not False
    found["proposal"] = values.get("proposal") or (
        "register" if found["is_technology"] else "refuse"
    )
    found |= {name: values[name] for name in ("opinion", "no_expert") if values.get(name)}
    found["reasons"], wrong = _reasons(row, found, values)
    if not found["is_technology"] and found["proposal"] == "register":
        wrong["proposal"] = ["不是技术合同的，不能登记。"]
    above = SUBCLASSES.get(found["subclass"] or "", ("", ""))[0]
    if above != found["contract_class"]:
        wrong["subclass"] = ["二级类别不属于所选的合同类别，请重新选择。"]
    if found["total_fen"] is None or found["technical_fen"] is None:
        wrong["technical_fen"] = ["请核定合同成交额和技术交易额。"]
    elif found["technical_fen"] > found["total_fen"]:
        wrong["technical_fen"] = [
            f"核定的技术交易额不能大于成交额 {show_yuan(found['total_fen'])}。"
        ]
    if found["proposal"] == "refuse":
        found["refusal"] = values.get("refusal") or (
            None if found["is_technology"] else "not_technology"
        )
        if found["refusal"] not in REFUSALS:
            wrong["refusal"] = ["拟不予登记的，请选择原因。"]
    if wrong:
        raise Invalid(wrong)
    return found


def _reasons(
    row: ContractVersion, found: Mapping[str, Any], values: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Why what was found differs from what was filed, by name; and what lacks a reason."""
    given, opinion = values.get("reasons") or {}, values.get("opinion")
    reasons: dict[str, str] = {}
    wrong: dict[str, list[str]] = {}
    for name in fields.ASSESSED:
        if found[name] is None or found[name] == row.content.get(name):
            continue
        if reason := given.get(name) or opinion:
            reasons[name] = reason
        else:
            wrong[f"reason_{name}"] = [f"「{LABELS[name]}」与填报的不同，请写明理由。"]
    return reasons, wrong


def _take_over(work: UnitOfWork, contract: Contract, found: Mapping[str, Any]) -> None:
    """Let lists and sums show what was found."""
    before = {name: getattr(contract, name) for name in fields.ASSESSED}
    after = {name: found[name] for name in fields.ASSESSED}
    if before != after:
        work.record(
            "contract.assess",
            CONTRACT.name,
            contract.id,
            no=contract.no,
            before=before,
            after=after,
        )
        touch(contract, **after)


def register(actor: Actor, no: str, version: int | None = None) -> str:
    """Second examination: register in the body's own register; gives the number.

    The number is taken in the same transaction, so that none is lost and none given twice.

    Raises:
        Denied: the same person examined it first. Conflict: it moved, or numbers ran out.
    """
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        work.require(SECOND, contract)
        _need_power(contract, "register")
        if contract.mode != "own" or contract.body is None:
            raise Conflict("这家机构在全国系统登记：请录入全国系统的登记结果。")
        if version_of(contract).findings.get("proposal") == "refuse":
            raise Conflict("初审建议不予登记：请办「不予登记」，或退回初审。")
        limits.refuse_beyond(contract)
        today = clock.today()
        columns = {"registered_by": contract.body.title, "second_examiner": actor.label}
        number = serials.take(contract.body, today)
        _registered(work, contract, "register", number, today, columns)
    return number


def record(actor: Actor, no: str, values: Mapping[str, Any], version: int | None = None) -> None:
    """Type in what the national system, or a body elsewhere, registered.

    Args:
        values: registration_no, registered_on, registered_by, total_fen, technical_fen (核定额).

    Raises:
        Invalid: the number has not 14 or 16 digits, lies in the future, is recorded already.
    """
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        _refuse_wrong_result(contract, values)
        row = version_of(contract)
        found = {name: values[name] for name in ("total_fen", "technical_fen")}
        found |= {"contract_class": contract.contract_class, "subclass": contract.subclass}
        row.findings = {**row.findings, **found, "by": actor.label}
        _take_over(work, contract, found)
        by = values.get("registered_by") or (contract.body.title if contract.body else "")
        _registered(
            work, contract, "record", values["registration_no"], values["registered_on"],
            {"registered_by": by},
        )  # fmt: skip


def _refuse_wrong_result(contract: Contract, values: Mapping[str, Any]) -> None:
    wrong: dict[str, list[str]] = {}
    number = values.get("registration_no") or ""
    if (trouble := serials.number_trouble(number)) is not None:
        wrong["registration_no"] = [trouble]
    elif (other := recorded(number, contract.id)) is not None:
        wrong["registration_no"] = [f"这个编号已经录在 {other.no}，请核对。"]
    day: date | None = values.get("registered_on")
    if day is None:
        wrong["registered_on"] = ["请填写登记日期。"]
    elif day > clock.today():
        wrong["registered_on"] = [f"登记日期（{day}）还没有到，请核对。"]
    elif contract.signed_on is not None and day < contract.signed_on:
        wrong["registered_on"] = [
            f"登记日期（{day}）早于签订日期（{contract.signed_on}），请核对。"
        ]
    total, technical = values.get("total_fen"), values.get("technical_fen")
    if total is None or technical is None:
        wrong["technical_fen"] = ["请照登记证明填写合同成交额和核定的技术交易额。"]
    elif technical > total:
        wrong["technical_fen"] = [f"技术交易额不能大于成交额 {show_yuan(total)}。"]
    if contract.body is None and not values.get("registered_by"):
        wrong["registered_by"] = ["请填写登记机构的名称。"]
    if wrong:
        raise Invalid(wrong)


def recorded(number: str, own_id: int = 0) -> Contract | None:
    """Another contract with this registration number."""
    query = select(Contract).where(Contract.registration_no == number, Contract.id != own_id)
    return db.session.scalars(query.limit(1)).first()


def _registered(
    work: UnitOfWork,
    contract: Contract,
    action: str,
    number: str,
    day: date,
    columns: Mapping[str, Any],
) -> None:
    row = version_of(contract)
    code = "".join(random.choice(LETTERS) for _ in range(8))
    columns = moved(
        registration_no=number, registered_on=day, effective=contract.version, check_code=code,
        due=None, **columns,
    )  # fmt: skip
    try:
        told = {"registration_no": number, "hash": row.hash}
        flow.fire(work, CONTRACT, contract, action, values=columns, after=told)
    except IntegrityError as error:  # somebody typed the same number at the same time
        raise Conflict(f"编号 {number} 刚被他人录入，请核对。") from error
    _settle(row, day)
    terms.write(contract, fields.unpack(row.content))
    messages.tell_filer(messages.DECIDED, contract)


def _settle(row: ContractVersion, day: date) -> None:
    row.state, row.registered_on, row.updated_at = "registered", day, clock.now()


def refuse(actor: Actor, no: str, refusal: str, words: str, version: int | None = None) -> None:
    """Do not register it (不予登记), with one of the standard reasons and words.

    Raises:
        Denied: the same person examined it first. Invalid: no reason.
    """
    if refusal not in REFUSALS:
        raise Invalid({"refusal": ["请选择不予登记的原因。"]})
    if refusal == "other" and not words.strip():
        raise Invalid({"reason": ["选了「其他」，请写明原因。"]})
    reason = f"{REFUSALS[refusal]}：{words.strip()}" if words.strip() else REFUSALS[refusal]
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        if contract.mode == "own" and contract.state == "accepted":
            raise Conflict("在本站登记的机构，不予登记也要先初审，再由另一位复审。")
        row = version_of(contract)
        columns = moved(refusal=refusal, refused_hash=row.hash, due=None)
        flow.fire(
            work, CONTRACT, contract, "refuse", reason=reason, values=columns,
            after={"refusal": refusal},
        )  # fmt: skip
        row.state = "dropped"
        messages.tell_filer(messages.DECIDED, contract)


def step(
    actor: Actor, no: str, action: str, reason: str | None = None, version: int | None = None
) -> None:
    """The steps that need no more than words: to and from experts, cleared, sent back."""
    if action == "clear":
        clear(actor, no, {}, version)
        return
    if action not in STEPS:
        raise Conflict("没有这一步。")
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        flow.fire(work, CONTRACT, contract, action, reason=reason, values=moved())
        messages.tell_filer(messages.MOVED, contract)
