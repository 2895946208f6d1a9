"""What is checked of a claim across schemes and counties: blocked or flagged, with the evidence."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import or_, select

from market.core import secrets
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.text import fold
from market.vouchers.claim_models import BANK, CHECK_RESULTS, COUNTED, Claim, Invoice
from market.vouchers.locking import today
from market.vouchers.ordering import is_provider
from market.vouchers.related import relations, withdrawn

_TWENTY = re.compile(r"\d{20}")
_OLD_NUMBER, _OLD_CODE = re.compile(r"\d{8}"), re.compile(r"\d{10}|\d{12}")


def invoice_key(code: str, number: str) -> str:
    """What tells an invoice from all others: twenty digits alone, else code and number.

    Raises:
        Invalid: it is neither.
    """
    if _TWENTY.fullmatch(number):
        return number
    if _OLD_NUMBER.fullmatch(number) and _OLD_CODE.fullmatch(code):
        return f"{code}-{number}"
    words = "发票号码应为 20 位数字；旧版发票请填 10 或 12 位代码和 8 位号码。"
    raise Invalid({"invoices": [words]})


def contract_key(number: str | None) -> str | None:
    """A contract's number without spaces and dashes."""
    return fold(number).replace(" ", "").replace("-", "")[:100] or None if number else None


def refuse_used_invoices(claim: Claim) -> None:
    """Refuse invoices that another claim uses, wherever it was made; both are named."""
    keys = [one.key for one in claim.invoices]
    if len(set(keys)) < len(keys):
        raise Invalid({"invoices": ["同一张发票填了两次。"]})
    query = (
        select(Invoice.number, Claim.no)
        .join(Claim, Claim.id == Invoice.claim_id)
        .where(Invoice.key.in_(keys), Invoice.active, Invoice.claim_id != claim.id)
        .order_by(Invoice.id)
    )
    found = db.session.execute(query).all()
    if found:
        words = [
            f"发票 {number} 已用于兑付申请 {other}，不能再用于 {claim.no}。"
            for number, other in found
        ]
        raise Conflict("".join(words))


def wrong_invoices(claim: Claim) -> list[str]:
    """Why an invoice of a claim cannot be used by itself: dated ahead, or found wrong by its owner."""
    found = []
    for one in claim.invoices:
        if one.day > today():
            found.append(f"发票 {one.number} 的开票日期 {one.day.isoformat()} 晚于今天，请核对")
        if one.own_result in {"red", "void", "unknown"}:
            found.append(f"发票 {one.number} 查验结果是「{CHECK_RESULTS[one.own_result]}」，请换票")
    return found


def findings_of(claim: Claim) -> list[dict[str, Any]]:
    """What the office has to look at: code, words, numbers of the other claims."""
    found = [_found("contract", "服务合同也用于其他兑付申请", claim, _same_contract(claim))]
    found.append(
        _found("period", "服务时间与同一企业、机构的其他申请重叠", claim, _same_period(claim))
    )
    found.append(_found("account", "收款账户也用于其他单位的申请", claim, _same_account(claim)))
    rows = [one for one in found if one]
    if claim.provider_id is not None and not is_provider(claim.provider_id):
        rows.append({"code": "provider", "words": "服务机构现在不在名录里", "claims": []})
    if not holds_itself(claim):
        rows.append({"code": "holder", "words": "收款账户的户名与申请单位名称不同", "claims": []})
    if claim.provider is not None:
        rows += [
            {"code": f"related:{code}", "words": f"疑似关联方：{words}", "claims": []}
            for code, words in relations(claim.firm, claim.provider).items()
        ]
        rows += [
            {"code": f"withdrawn:{code}", "words": f"曾申报、后撤销：{words}", "claims": []}
            for code, words in withdrawn(claim.firm, claim.provider).items()
        ]
    return rows


def _found(code: str, words: str, claim: Claim, others: Sequence[str]) -> dict[str, Any]:
    return {"code": code, "words": words, "claims": list(others)} if others else {}


def _others(claim: Claim, *conditions: Any) -> list[str]:
    query = select(Claim.no).where(Claim.id != claim.id, Claim.state.in_(COUNTED), *conditions)
    return list(db.session.scalars(query.order_by(Claim.id).limit(20)))


def _same_contract(claim: Claim) -> list[str]:
    return _others(claim, Claim.contract_key == claim.contract_key) if claim.contract_key else []


def _same_period(claim: Claim) -> list[str]:
    begins, ends = claim.service_from, claim.service_to
    if begins is None or ends is None or claim.provider_id is None:
        return []
    return _others(
        claim,
        Claim.organisation_id == claim.organisation_id,
        Claim.provider_id == claim.provider_id,
        Claim.service_from <= ends,
        Claim.service_to >= begins,
    )


def holds_itself(claim: Claim) -> bool:
    """Whether the account is in the name of who claims; also where no account is written yet."""
    told = secrets.unseal(claim.bank, BANK) if claim.bank else None
    return told is None or fold(json.loads(told)["holder"]) == fold(claim.owner.name)


def _same_account(claim: Claim) -> list[str]:
    if not claim.bank_key:
        return []
    return _others(claim, Claim.bank_key == claim.bank_key, Claim.claimant_id != claim.claimant_id)


def refuse_unchecked(claims: Sequence[Claim], since: date | None) -> None:
    """Refuse to pay before every invoice was checked a second time and is still valid."""
    ids = [one.id for one in claims]
    query = (
        select(Claim.no, Invoice.number, Invoice.again)
        .join(Claim, Claim.id == Invoice.claim_id)
        .where(
            Invoice.claim_id.in_(ids),
            or_(Invoice.again.is_(None), Invoice.again != "valid", Invoice.again_on < since)
            if since is not None
            else or_(Invoice.again.is_(None), Invoice.again != "valid"),
        )
    )
    wrong = db.session.execute(query.order_by(Invoice.id)).all()
    if wrong:
        words = {None: "拨付前还没有再次查验", "valid": "会签后还没有再次查验", "red": "已红冲"}
        raise Conflict(
            "".join(
                f"{no} 的发票 {number}{words.get(result, '查验不正常')}，不能拨付。"
                for no, number, result in wrong
            )
        )
