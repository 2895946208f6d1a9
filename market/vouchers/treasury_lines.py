"""What is wrong with lines of the treasury, each told with its place, and whose batch they are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select

from market.core.db import db
from market.core.money import show_yuan
from market.vouchers.claim_models import Batch, Claim, Payment
from market.vouchers.locking import today

Line = Mapping[str, Any]
_AT_ONCE = 500  # numbers asked for in one statement
_NUMBER = re.compile(r"\d+")


def place(one: Line, lines: Sequence[Line]) -> str:
    """Where a line stands: in its file, else among those that were typed."""
    return f"第 {one.get('line') or lines.index(one) + 1} 行"


def position(words: str) -> int:
    """The number of the line that a trouble begins with."""
    found = _NUMBER.search(words)
    return int(found[0]) if found else 0


def troubles(batch: Batch, claims: Mapping[str, Claim], rows: Sequence[Line]) -> list[str]:
    """What keeps lines from being entered for a batch, in a sentence for each."""
    found, seen, treasury = [], set(), set()
    used = _used(batch.region_id, [one["treasury_no"] for one in rows])
    for number, one in enumerate(rows, start=1):
        claim, words = claims.get(one["claim_no"]), ""
        if claim is None:
            words = f"批次 {batch.no} 里没有 {one['claim_no']}"
        elif one["claim_no"] in seen:
            words = f"{one['claim_no']} 重复"
        elif one["treasury_no"] in treasury or one["treasury_no"] in used:
            words = f"国库凭证号 {one['treasury_no']} 重复"
        elif claim.state not in {"batched", "bounced"}:
            words = f"{one['claim_no']} 已经拨付或还不能拨付"
        elif one["amount_fen"] != claim.total_fen:
            words = f"金额应为 {show_yuan(claim.total_fen)}"
        elif one["paid_on"] > today() or (batch.fund_on and one["paid_on"] < batch.fund_on):
            words = "拨付日期不能晚于今天，也不能早于文件日期"
        if words:
            found.append(f"第 {one.get('line') or number} 行：{words}。")
        seen.add(one["claim_no"])
        treasury.add(one["treasury_no"])
    return found if rows else ["没有可登记的行。"]


def _used(region_id: int, numbers: Sequence[str]) -> set[str]:
    """Which numbers of a region's treasury stand for a payment already."""
    found: set[str] = set()
    for begin in range(0, len(numbers), _AT_ONCE):
        some = numbers[begin : begin + _AT_ONCE]
        found |= set(
            db.session.scalars(
                select(Payment.treasury_no).where(
                    Payment.region_id == region_id, Payment.treasury_no.in_(some)
                )
            )
        )
    return found


def by_batch(
    rows: Sequence[Line], may: ColumnElement[bool]
) -> tuple[dict[str, list[Line]], list[str]]:
    """Lines by the batch of their claim, and what is wrong with those that belong nowhere.

    Args:
        may: SQL: the batches that the actor may pay.
    """
    numbers = list(dict.fromkeys(one["claim_no"] for one in rows))
    batches: dict[str, tuple[int, str]] = {}
    for begin in range(0, len(numbers), _AT_ONCE):
        query = (
            select(Claim.no, Batch.scheme_id, Batch.no)
            .join(Batch, Batch.id == Claim.batch_id)
            .where(Claim.no.in_(numbers[begin : begin + _AT_ONCE]), may)
        )
        batches |= {no: (scheme, batch) for no, scheme, batch in db.session.execute(query)}
    found: dict[tuple[int, str], list[Line]] = {}
    wrong: list[str] = []
    first: dict[str, str] = {}
    for one in rows:
        number, where = one["treasury_no"], place(one, rows)
        if one["claim_no"] not in batches:
            wrong.append(f"{where}：待拨付的批次里没有 {one['claim_no']}。")
            continue
        key = batches[one["claim_no"]]
        if first.setdefault(number, key[1]) != key[1]:
            wrong.append(f"{where}：国库凭证号 {number} 重复。")
            continue
        found.setdefault(key, []).append(one)
    # One scheme after another, so that two files never wait for each other.
    return {key[1]: found[key] for key in sorted(found)}, wrong if rows else ["没有可登记的行。"]
