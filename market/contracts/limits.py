"""What a body may decide by itself: its limit, thresholds that lead upwards, experts asked for."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from market.contracts import rule_sets
from market.contracts.models import THRESHOLD_BASES, Contract
from market.contracts.office_models import ContractOpinion
from market.contracts.rule_sets import Amounts, Reached
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.money import show_yuan
from market.service_points import queries as directory
from market.service_points.models import Admission

MOVABLE = ("submitted", "accepted")  # states from which a case may go to the body above


@dataclass(frozen=True)
class Judged:
    """Class and amounts by which a contract is judged: as filed, or as an examiner found them."""

    contract_class: str
    total_fen: int | None
    technical_fen: int | None


def as_it_stands(contract: Contract) -> Judged:
    """A contract's class and amounts as lists show them."""
    return Judged(contract.contract_class or "", contract.total_fen, contract.technical_fen)


def reached(contract: Contract, judged: Judged) -> list[Reached]:
    """The thresholds reached under the rules that it is, or would be, decided by."""
    rules = contract.rule_set or rule_sets.in_force(contract.office_region.path, clock.today())
    if rules is None:
        return []
    amounts = Amounts(judged.total_fen, judged.technical_fen)
    return rule_sets.reached(rules.thresholds, judged.contract_class, amounts)


def beyond(contract: Contract, judged: Judged | None = None) -> list[str]:
    """Sentences on what exceeds what the body or office may decide; empty when nothing does."""
    judged = judged or as_it_stands(contract)
    found = [
        f"{THRESHOLD_BASES[one.base]}达到 {show_yuan(one.from_fen)}，由上级机构办理（{one.source}）。"
        for one in reached(contract, judged)
        if one.effect == "upper"
    ]
    body = contract.body
    if body is not None and body.amount_fen is not None:
        value = {"total_value": judged.total_fen, "technical_value": judged.technical_fen}.get(
            body.amount_base or ""
        )
        if value is not None and value > body.amount_fen:
            base = THRESHOLD_BASES[body.amount_base or ""]
            found.append(
                f"{base} {show_yuan(value)} 超过本机构的限额 {show_yuan(body.amount_fen)}。"
            )
    return found


def upper_body(contract: Contract) -> Admission | None:
    """The body above, where it takes filings now."""
    above = contract.body.parent if contract.body is not None else None
    return above if above is not None and "accept" in directory.powers_of(above) else None


def refuse_beyond(contract: Contract, judged: Judged | None = None) -> None:
    """Refuse to decide what belongs to the body above. Raises Conflict."""
    if upper_body(contract) is not None and (found := beyond(contract, judged)):
        raise Conflict(" ".join([*found, "请办「送上级机构」。"]))


def need_expert(contract: Contract, judged: Judged) -> None:
    """Ask for an expert's opinion where the rules want one. Raises Invalid."""
    wanted = [one for one in reached(contract, judged) if one.effect == "expert"]
    if not wanted:
        return
    said = select(ContractOpinion.id).where(ContractOpinion.contract_id == contract.id).limit(1)
    if db.session.scalar(said) is None:
        one = wanted[0]
        words = f"{THRESHOLD_BASES[one.base]}达到 {show_yuan(one.from_fen)}（{one.source}）"
        raise Invalid({"no_expert": [f"{words}，请先送专家评审，或写明不送的理由。"]})
