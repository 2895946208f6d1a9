"""What hints at a contract filed twice or between related parties: shown to examiners, never a block.

The evidence comes from rows that are there; the sentence says what is the same, the examiner judges.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select

from market.accounts.verification.models import Profile
from market.contracts.locking import FILES, version_of
from market.contracts.models import Contract, ContractParty
from market.contracts.policies import was_sent
from market.contracts.rules import WARN, Finding
from market.contracts.workflow import READ
from market.core import secrets
from market.core.db import db
from market.core.masking import mask_name
from market.core.models import StoredFile
from market.core.permissions import Actor, policy
from market.core.text import fold

MOST = 20  # rows of a kind


@dataclass(frozen=True)
class Evidence:
    """Something that is the same. other: the contract that shares it, where the reader may see it.

    kind: "duplicate" (perhaps the same contract), "file", "related" (the parties of this one).
    about: organisations that are a party to the other, whether the reader may see it or not.
    """

    kind: str
    what: str
    words: str
    other: Contract | None = None
    about: Collection[int] = field(default=(), compare=False)


def of(actor: Actor, contract: Contract) -> list[Evidence]:
    """All evidence on a contract, what weighs most first."""
    parties = _parties(contract.id)
    others = [*_same_content(actor, contract, parties), *_same_file(actor, contract)]
    return [*_in_short(others), *_shared(parties), *_shareholders(parties)]


def for_filer(actor: Actor, contract: Contract) -> list[Finding]:
    """What a filer should look at before it is sent in; of others' contracts he learns nothing.

    Contracts that he may read are named; of the filer's own a service point learns that they are
    there. What was declared by another organisation is left to the examiner.
    """
    if contract.filer_id is None:
        return []
    parties = _parties(contract.id)
    found = [
        *(("title", one) for one in _same_content(actor, contract, parties)),
        *(("files", one) for one in _same_file(actor, contract)),
    ]
    told = [
        Finding(one.kind, WARN, name, _for_filer(one))
        for name, one in found
        if one.other is not None or contract.filer_id in one.about
    ]
    related = version_of(contract).content.get("is_related")
    if not related and contract.filer_id in actor.organisations():
        told += [
            Finding("shareholder", WARN, "is_related", f"{words}。请在「关联交易」选「是」。")
            for words in _held_by_own(parties, contract.filer_id)
        ]
    return list(dict.fromkeys(told))


def _for_filer(one: Evidence) -> str:
    """The sentence with the contract where he may open it; nothing of it where he may not."""
    if one.other is not None:
        return f"{one.words}（{one.other.no}）。请核对是不是重复提交。"
    return "本单位另有一份合同与这份相同，请向本单位核对是不是重复提交。"


def _held_by_own(parties: Sequence[ContractParty], filer_id: int) -> list[str]:
    """Who of the other side stands among the shareholders that the filer itself declared."""
    sides = {one.side for one in parties if one.organisation_id == filer_id} - {"third"}
    held = _declared(filer_id) if sides else {}
    return [
        f"{one.name}是本单位申报的股东"
        for one in parties
        if one.side not in sides | {"third"} and fold(one.name) in held
    ]


def _in_short(found: Sequence[Evidence]) -> list[Evidence]:
    """What concerns contracts that the reader may not open stands once for all of them."""
    unseen = Counter(one for one in found if one.other is None)
    counted = [
        replace(one, words=f"{one.words}（{count} 份）" if count > 1 else one.words)
        for one, count in unseen.items()
    ]
    return [*(one for one in found if one.other is not None), *counted]


def _parties(contract_id: int) -> Sequence[ContractParty]:
    query = select(ContractParty).where(ContractParty.contract_id == contract_id)
    return db.session.scalars(query.order_by(ContractParty.side, ContractParty.position)).all()


def _of_side(side: str, parties: Sequence[ContractParty]) -> Any:
    """SQL: contracts with one of these parties on a side, by credit code or name."""
    names = [one.folded_name for one in parties if one.side == side]
    codes = [one.uscc for one in parties if one.side == side and one.uscc]
    same = ContractParty.folded_name.in_(names) | ContractParty.uscc.in_(codes)
    return select(ContractParty.contract_id).where(ContractParty.side == side, same)


def _same_content(
    actor: Actor, contract: Contract, parties: Sequence[ContractParty]
) -> list[Evidence]:
    """Others between the same parties that say the same date and total, or bear the same title."""
    if contract.signed_on is None and not contract.title:
        return []
    query = select(Contract).where(
        Contract.id != contract.id,
        Contract.state.not_in(("draft", "withdrawn")),
        Contract.id.in_(_of_side("seller", parties)),
        Contract.id.in_(_of_side("buyer", parties)),
        (Contract.signed_on == contract.signed_on) | (Contract.title == contract.title),
    )
    rows = db.session.scalars(query.order_by(Contract.id.desc()).limit(MOST)).all()
    seen = _visible(actor, rows)
    found = []
    for row in rows:
        same = [
            label
            for label, alike in (
                ("项目名称", fold(row.title) == fold(contract.title)),
                ("签订日期", row.signed_on == contract.signed_on),
                ("成交额", row.total_fen is not None and row.total_fen == contract.total_fen),
            )
            if alike
        ]
        if len(same) < 2:
            continue
        where = "" if row.registration_no is None else f"，已登记为 {row.registration_no}"
        by = f"（{row.registered_by}）" if row.registered_by else ""
        words = f"双方当事人和{'、'.join(same)}相同{where}{by}"
        found.append(Evidence("duplicate", "疑似重复", words, seen.get(row.id), row.party_ids))
    return sorted(found, key=lambda one: -one.words.count("、"))


def _same_file(actor: Actor, contract: Contract) -> list[Evidence]:
    """Files that are attached to another contract too, byte for byte."""
    present = StoredFile.removed_at.is_(None)
    mine = db.session.scalars(
        select(StoredFile).where(
            StoredFile.kind == FILES, StoredFile.object_id == contract.id, present
        )
    ).all()
    names = {one.hash: one.name for one in mine}
    if not names:
        return []
    others = db.session.execute(
        select(StoredFile.hash, StoredFile.object_id)
        .where(
            StoredFile.kind == FILES,
            StoredFile.hash.in_(names),
            StoredFile.object_id != contract.id,
            present,
        )
        .order_by(StoredFile.object_id)
        .limit(MOST)
    ).all()
    rows = db.session.scalars(
        select(Contract).where(Contract.id.in_([key for _hash, key in others]))
    ).all()
    seen, sent = _visible(actor, rows), {row.id: row.party_ids for row in rows if was_sent(row)}
    return [
        Evidence(
            "file",
            "附件相同",
            f"附件「{names[digest]}」与另一份合同的完全相同",
            seen.get(key),
            sent[key],
        )
        for digest, key in others
        if key in sent
    ]


def _visible(actor: Actor, rows: Sequence[Contract]) -> Mapping[int, Contract]:
    """Those that the reader may open; of others he learns only that they are there."""
    return {row.id: row for row in rows if policy.allows(actor, READ, row)}


def _shared(parties: Sequence[ContractParty]) -> list[Evidence]:
    """What seller and buyer of this contract share: keys stand for the values, which stay sealed."""
    found = []
    for seller in (one for one in parties if one.side == "seller"):
        for buyer in (one for one in parties if one.side == "buyer"):
            for label, value, other in (
                ("法定代表人", seller.legal_key, buyer.legal_key),
                ("电话", seller.telephone_key, buyer.telephone_key),
                ("地址", fold(seller.address or ""), fold(buyer.address or "")),
            ):
                if value and value == other:
                    words = f"{seller.name}与{buyer.name}的{label}相同"
                    found.append(Evidence("related", f"{label}相同", words))
    return found


def _shareholders(parties: Sequence[ContractParty]) -> list[Evidence]:
    """What the parties declared when they were verified: one holds the other, or a third holds both.

    What was declared stays sealed: a shareholder of both is shown masked.
    """
    owners = {
        one.organisation_id: one for one in parties if one.organisation_id and one.side != "third"
    }
    held = {key: _declared(key) for key in owners}
    found = []
    for key, party in owners.items():
        for other_key, other in owners.items():
            if other.side == party.side or key == other_key:
                continue
            if fold(other.name) in held[key]:
                words = f"{other.name}是{party.name}申报的股东"
                found.append(Evidence("related", "持股", words))
            if key < other_key and (both := held[key].keys() & held[other_key].keys()):
                names = "、".join(mask_name(held[key][one]) for one in sorted(both))
                words = f"{party.name}与{other.name}申报了相同的股东：{names}"
                found.append(Evidence("related", "同一股东", words))
    return found


def _declared(organisation_id: int) -> Mapping[str, str]:
    """Declared shareholders by folded name."""
    profile = db.session.get(Profile, organisation_id)
    if profile is None or not profile.shareholders:
        return {}
    text = secrets.unseal(profile.shareholders, "organisation.shareholders")
    return {fold(name): name for name, _share in json.loads(text)} if text else {}
