"""Money that the seller received (到账): rows that are added and reversed, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select

from market.contracts import content as fields
from market.contracts import locking as contracts
from market.contracts.changes.models import ContractReceipt
from market.contracts.codes import ROYALTIES
from market.contracts.models import VOID, Contract
from market.contracts.workflow import CONTRACT, RECEIVE
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.money import show_yuan
from market.core.permissions import Actor
from market.core.unit_of_work import unit_of_work

MOST = 500  # rows of a contract
_ROUND = 10_000  # basis points


@dataclass(frozen=True)
class Row:
    """A receipt. reversed_by: the row that takes it back. expected_fen: royalty by base and rate."""

    receipt: ContractReceipt
    reversed_by: ContractReceipt | None
    expected_fen: int | None

    @property
    def counts(self) -> bool:
        return self.reversed_by is None and self.receipt.reverses_id is None

    @property
    def differs(self) -> bool:
        """Whether a royalty is not what its base and the agreed rate come to."""
        return self.expected_fen is not None and self.expected_fen != self.receipt.amount_fen


@dataclass(frozen=True)
class Totals:
    """What came in, against the plan and against what is registered. Money in fen.

    planned_fen: of the plan's rows up to today; beyond_fen: what came in above the registered
    total, which calls for a 变更登记.
    """

    received_fen: int
    royalty_fen: int
    cost_fen: int
    total_fen: int
    planned_fen: int

    @property
    def net_fen(self) -> int:
        return self.received_fen - self.cost_fen

    @property
    def left_fen(self) -> int:
        return max(self.total_fen - self.received_fen, 0)

    @property
    def beyond_fen(self) -> int:
        return max(self.received_fen - self.total_fen, 0)

    @property
    def late_fen(self) -> int:
        """What was due by the plan and has not come."""
        return max(self.planned_fen - self.received_fen, 0)


def rows(contract: Contract) -> Sequence[Row]:
    """The receipts of a contract that the caller may read, by day."""
    query = select(ContractReceipt).where(ContractReceipt.contract_id == contract.id)
    found = db.session.scalars(
        query.order_by(ContractReceipt.received_on, ContractReceipt.id).limit(2 * MOST)
    ).all()
    back = {one.reverses_id: one for one in found if one.reverses_id is not None}
    rate = _content(contract).get("royalty_bp")
    return [Row(one, back.get(one.id), _expected(one, rate)) for one in found]


def _expected(row: ContractReceipt, rate: int | None) -> int | None:
    if row.kind != "royalty" or row.base_fen is None or rate is None or row.amount_fen < 0:
        return None
    return round(row.base_fen * rate / _ROUND)


def _content(contract: Contract) -> Mapping[str, Any]:
    return contracts.version_of(contract, contract.effective).content


def totals(contract: Contract, today: date | None = None) -> Totals:
    """What the receipts of a contract add up to; reversed ones cancel out."""
    today = today or clock.today()
    sums = select(
        ContractReceipt.kind,
        func.sum(ContractReceipt.amount_fen),
        func.sum(ContractReceipt.cost_fen),
    ).where(ContractReceipt.contract_id == contract.id)
    found = db.session.execute(sums.group_by(ContractReceipt.kind)).all()
    planned = [
        row["amount_fen"]
        for row in _content(contract).get("plan", [])
        if (when := fields.day(row.get("when"))) is not None and when <= today
    ]
    return Totals(
        received_fen=sum(int(amount) for _, amount, _ in found),
        royalty_fen=sum(int(amount) for kind, amount, _ in found if kind == "royalty"),
        cost_fen=sum(int(cost or 0) for _, _, cost in found),
        total_fen=contract.total_fen or 0,
        planned_fen=sum(planned),
    )


def add(actor: Actor, no: str, values: Mapping[str, Any]) -> int:
    """Note money that came in; gives the row's id.

    Args:
        values: by the fields of `ReceiptSchema`.

    Raises:
        NotFound, Denied: not this actor's. Conflict: the contract is not registered, or has too
            many rows. Invalid: by field.
    """
    with unit_of_work(actor) as work:
        contract = contracts.locked(actor, no)
        work.require(RECEIVE, contract)
        if contract.state != "registered":
            raise Conflict("登记后才能记到账；已注销、撤销的合同只能冲销。")
        _refuse_many(contract)
        _refuse_wrong(contract, values)
        royalty = values["kind"] == "royalty"
        row = ContractReceipt(
            contract_id=contract.id,
            kind=values["kind"],
            received_on=values["received_on"],
            amount_fen=values["amount_fen"],
            cost_fen=values.get("cost_fen"),
            year=values.get("year") if royalty else None,
            base_fen=values.get("base_fen") if royalty else None,
            what=values.get("what") or "",
            author=actor.label,
            created_at=clock.now(),
        )
        db.session.add(row)
        db.session.flush()
        contracts.touch(contract)
        told = {"kind": row.kind, "amount_fen": row.amount_fen, "on": row.received_on.isoformat()}
        work.record("contract.receipt", CONTRACT.name, contract.id, no=no, after=told)
        return row.id


def _refuse_many(contract: Contract) -> None:
    query = select(func.count()).where(ContractReceipt.contract_id == contract.id)
    if (db.session.scalar(query) or 0) >= MOST:
        raise Conflict(f"一份合同最多记 {MOST} 笔到账。")


def _refuse_wrong(contract: Contract, values: Mapping[str, Any]) -> None:
    wrong: dict[str, list[str]] = {}
    amount, cost, day = values["amount_fen"], values.get("cost_fen"), values["received_on"]
    if amount <= 0:
        wrong["amount_fen"] = ["请填写大于 0 的金额；记错的请用「冲销」。"]
    if cost is not None and cost > amount:
        wrong["cost_fen"] = [f"成本不能大于到账金额 {show_yuan(amount)}。"]
    if day > clock.today():
        wrong["received_on"] = [f"到账日期（{day}）还没有到，请核对。"]
    elif contract.signed_on is not None and day < contract.signed_on:
        wrong["received_on"] = [f"到账日期（{day}）早于签订日期（{contract.signed_on}），请核对。"]
    if values["kind"] == "royalty":
        if _content(contract).get("payment") not in ROYALTIES:
            wrong["kind"] = ["这份合同没有约定提成；约定有变的，请先办变更登记。"]
        if values.get("year") is None:
            wrong["year"] = ["请填写提成所属的年度。"]
        if values.get("base_fen") == 0:
            wrong["base_fen"] = ["提成基数为 0 的不用记。"]
    if wrong:
        raise Invalid(wrong)


def reverse(actor: Actor, no: str, receipt_id: int, reason: str) -> int:
    """Take a row back by one of the opposite amount (冲销); gives the new row's id.

    Raises:
        NotFound: no such row. Conflict: it was reversed already, or is itself a reversal.
    """
    with unit_of_work(actor) as work:
        contract = contracts.locked(actor, no)
        work.require(RECEIVE, contract)
        row = db.session.get(ContractReceipt, receipt_id)
        if row is None or row.contract_id != contract.id:
            raise NotFound("没有这一笔到账。")
        if contract.state not in {"registered", *VOID}:
            raise Conflict("这份合同现在不能冲销到账。")
        query = select(ContractReceipt.id).where(ContractReceipt.reverses_id == row.id)
        if row.reverses_id is not None or db.session.scalar(query) is not None:
            raise Conflict("这一笔已经冲销，请刷新后再看。")
        back = ContractReceipt(
            contract_id=contract.id,
            kind=row.kind,
            received_on=clock.today(),
            amount_fen=-row.amount_fen,
            cost_fen=None if row.cost_fen is None else -row.cost_fen,
            year=row.year,
            base_fen=row.base_fen,
            what=f"冲销：{reason}"[:200],
            reverses_id=row.id,
            author=actor.label,
            created_at=clock.now(),
        )
        db.session.add(back)
        db.session.flush()
        contracts.touch(contract)
        told = {"amount_fen": back.amount_fen, "of": row.id, "reason": reason}
        work.record("contract.receipt_reversed", CONTRACT.name, contract.id, no=no, after=told)
        return back.id
