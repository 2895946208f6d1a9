"""Where a claim meets others, in any scheme and county: both sides, for whoever decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import literal, select, union_all
from sqlalchemy.orm import aliased, joinedload

from market.core.db import db
from market.core.permissions import Actor, policy
from market.vouchers.checking import findings_of
from market.vouchers.claim_models import COUNTED, Claim, Invoice
from market.vouchers.models import Scheme
from market.vouchers.related import relations
from market.vouchers.workflow import READ_CLAIM

KINDS = {
    "invoice": "同一张发票",
    "contract": "同一份合同",
    "period": "服务时间重叠",
    "account": "同一收款账户",
    "related": "疑似关联方",
    "withdrawn": "曾申报、后撤销",
    "provider": "服务机构不在名录",
    "holder": "户名不同",
}
_LONE = ("withdrawn", "provider", "holder")  # found without another claim
MOST = 50


@dataclass(frozen=True)
class Evidence:
    """A hint. ours, theirs: what both sides say; other: the other claim; open: whether it may be read."""

    kind: str
    words: str
    ours: str
    theirs: str
    other: Claim | None = None
    open: bool = False


def of(actor: Actor, row: Claim) -> list[Evidence]:
    """Everything that was found about a claim, invoices first."""
    rows = db.session.execute(union_all(*_searches(row)).limit(MOST)).all()
    ids = {one.id for one in rows}
    joined = (joinedload(Claim.scheme).joinedload(Scheme.region), joinedload(Claim.firm),
              joinedload(Claim.owner), joinedload(Claim.region))  # fmt: skip
    query = select(Claim).where(Claim.id.in_(ids)).options(*joined)
    others = {one.id: one for one in db.session.scalars(query)} if ids else {}
    order = list(KINDS)
    found = [
        _told(actor, row, others[one.id], one.kind, one.what)
        for one in sorted(rows, key=lambda one: (order.index(one.kind), one.id))
    ]
    if row.provider is not None:
        found += [
            Evidence("related", words, row.firm.name, row.provider.name)
            for words in relations(row.firm, row.provider).values()
        ]
    theirs = row.provider.name if row.provider is not None else ""
    found += [
        Evidence(code, one["words"], row.owner.name, theirs)
        for one in findings_of(row)
        if (code := one["code"].partition(":")[0]) in _LONE
    ]
    return found


def _searches(row: Claim) -> Sequence[Any]:
    """For each kind a query that an index answers."""
    mine = Claim.id != row.id
    counted = Claim.state.in_(COUNTED)
    twin = aliased(Invoice)
    keys = [one.key for one in row.invoices]
    found: list[Any] = [
        select(Claim.id, literal("invoice").label("kind"), twin.number.label("what"))
        .join(twin, twin.claim_id == Claim.id)
        .where(twin.key.in_(keys), mine, Claim.state != "draft")
    ]
    if row.contract_key:
        found.append(
            select(Claim.id, literal("contract").label("kind"), Claim.contract_no.label("what"))
            .where(Claim.contract_key == row.contract_key, mine, counted)
        )  # fmt: skip
    if row.bank_key:
        found.append(
            select(Claim.id, literal("account").label("kind"), Claim.bank_shown.label("what"))
            .where(Claim.bank_key == row.bank_key, Claim.claimant_id != row.claimant_id, mine,
                   counted)
        )  # fmt: skip
    if row.service_from and row.service_to and row.provider_id is not None:
        found.append(
            select(Claim.id, literal("period").label("kind"), literal("").label("what"))
            .where(
                Claim.organisation_id == row.organisation_id,
                Claim.provider_id == row.provider_id,
                Claim.service_from <= row.service_to,
                Claim.service_to >= row.service_from,
                mine, counted,
            )
        )  # fmt: skip
    return found


def _told(actor: Actor, row: Claim, other: Claim, kind: str, what: str) -> Evidence:
    may = policy.allows(actor, READ_CLAIM, other)
    whose = other.firm.name if may else f"{other.scheme.region.full_name}的一家单位"
    if kind == "period":
        ours, theirs = (f"{one.service_from} 至 {one.service_to}" for one in (row, other))
    elif kind == "account":
        ours, theirs = row.bank_shown or "", f"{what}（{whose}）"
    else:
        ours = what if kind == "invoice" else row.contract_no or ""
        theirs = f"{what}（{whose}）"
    return Evidence(kind, KINDS[kind], ours, theirs, other, may)
