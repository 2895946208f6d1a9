"""What a change touches: paper, money, notices, sums; told before it is decided, kept as it was told.

Rooms above add what they hang on a contract (vouchers that were claimed with it, rewards) by `also`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from market.contracts.changes.models import ContractChange, ContractReceipt
from market.contracts.locking import version_of
from market.contracts.models import Contract
from market.core.db import db
from market.core.money import show_yuan
from market.notices import queries as notices

# What is touched: {"kind", "label", "words"}, and "url" where there is a page.
Touch = dict[str, Any]
Finder = Callable[[Contract, str], Sequence[Touch]]
_also: list[Finder] = []
_ENDS = ("cancel", "annul")


def also(find: Finder) -> Finder:
    """Let a room above say what a change touches there: `(contract, kind of change) → touches`."""
    _also.append(find)
    return find


def touches(change: ContractChange, findings: Mapping[str, Any] | None = None) -> list[Touch]:
    """All that a change would touch, in the order in which it is looked at.

    Args:
        findings: amounts as the office found them; else what the new version says.
    """
    contract, kind = change.contract, change.kind
    if contract.state == "annulled" and (findings or {}).get("outcome") == "reopened":
        return list(_restored(contract))
    if contract.state != "registered" or (findings or {}).get("outcome") == "confirmed":
        return []
    found = [
        *_paper(contract, kind),
        *_amounts(change, findings or {}),
        *_received(contract, kind),
        *_notices(contract),
        *_duty(kind),
    ]
    for find in _also:
        found += find(contract, kind)
    return found


def mark(found: Sequence[Touch]) -> str:
    """A short mark of a list of touches: the same list has the same one."""
    text = json.dumps(list(found), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _paper(contract: Contract, kind: str) -> Iterator[Touch]:
    name = "登记证明" if contract.mode == "own" else "登记信息单"
    words = f"{name}（{contract.registration_no}）"
    words += "作废" if kind in _ENDS else "按变更后的内容重新出具，原来的不再有效"
    yield {"kind": "certificate", "label": name, "words": words}


def _restored(contract: Contract) -> Iterator[Touch]:
    """What a registration that is in force again brings back."""
    name = "登记证明" if contract.mode == "own" else "登记信息单"
    words = f"{name}（{contract.registration_no}）恢复有效，重新出具"
    yield {"kind": "certificate", "label": name, "words": words}
    words = f"重新计入 1 份，成交额 {show_yuan(contract.total_fen or 0)}，技术交易额 {show_yuan(contract.technical_fen or 0)}；计入办理当日"
    yield {"kind": "statistics", "label": "输出、吸纳技术统计", "words": words}


def _amounts(change: ContractChange, findings: Mapping[str, Any]) -> Iterator[Touch]:
    """How the sums of the year change."""
    contract = change.contract
    old = [contract.total_fen or 0, contract.technical_fen or 0]
    if change.kind in _ENDS:
        new = [0, 0]
        words = "从统计中减去 1 份"
    else:
        content = version_of(contract, change.version).content if change.version else {}
        new = [
            _first(findings.get(name), content.get(name), before)
            for name, before in zip(("total_fen", "technical_fen"), old, strict=True)
        ]
        words = "统计仍计 1 份"
    moved = [
        f"{label} {show_yuan(before)} → {show_yuan(after)}"
        for label, before, after in zip(("成交额", "技术交易额"), old, new, strict=True)
        if before != after
    ]
    yield {
        "kind": "statistics",
        "label": "输出、吸纳技术统计",
        "words": "；".join([words, *moved]) + "；计入办理当日",
    }


def _first(*values: Any) -> int:
    return int(next((one for one in values if one is not None), 0))


def _received(contract: Contract, kind: str) -> Iterator[Touch]:
    query = select(func.count(), func.sum(ContractReceipt.amount_fen)).where(
        ContractReceipt.contract_id == contract.id
    )
    count, total = db.session.execute(query).one()
    if count:
        words = f"已记到账 {count} 笔，合计 {show_yuan(int(total))}"
        words += "；退款的请冲销" if kind in _ENDS else "；请与变更后的付款计划核对"
        url = f"/contracts/{contract.no}/receipts"
        yield {"kind": "receipts", "label": "到账金额", "words": words, "url": url}


def _notices(contract: Contract) -> Iterator[Touch]:
    found = notices.standing("contract", contract.id)
    if found.code != "none":
        yield {
            "kind": "notice",
            "label": "公示",
            "words": f"以这份合同为对象的公示 {found.no}，请核对内容是否仍然成立",
            "url": f"/notices/{found.no}",
        }


def _duty(kind: str) -> Iterator[Touch]:
    """Who else has to be told; a hint in words, since the rules differ by place."""
    words = "已享受税收、奖励、创新券等优惠的，请当事人主动报告税务、财政和科技管理部门"
    if kind == "annul":
        words = "已享受的税收、奖励、创新券等优惠可能被追回，请告知当事人和税务、财政部门"
    yield {"kind": "benefits", "label": "已享受的优惠", "words": words}
