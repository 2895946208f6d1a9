"""Which papers a contract has for whom, and one of them as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select

from market.contracts import queries as contracts
from market.contracts.models import VOID, Contract
from market.contracts.papers import filed, sheets, signing
from market.contracts.papers.access import AGAIN, FILE
from market.contracts.papers.models import FAILED, ContractPaper
from market.contracts.papers.service import PAPER_FILES
from market.contracts.papers.typesetting import typeset
from market.contracts.workflow import READ
from market.core import clock, files
from market.core.db import db
from market.core.errors import Conflict, NotFound
from market.core.models import StoredFile
from market.core.permissions import Actor, policy
from market.core.unit_of_work import unit_of_work


class Offer(NamedTuple):
    """A paper on a button."""

    label: str
    url: str


@dataclass(frozen=True)
class Kind:
    """A kind of paper: what it is called, who may have it, when there is one, what it says."""

    label: str
    permission: str
    there: Callable[[Contract], bool]
    says: Callable[[Contract], dict[str, Any]]


def _was_asked(contract: Contract) -> bool:
    return contract.submitted_at is not None and filed.last_round(contract.id) > 0


def _is_certified(contract: Contract) -> bool:
    return contract.mode == "own" and contract.certified is not None


KINDS: Mapping[str, Kind] = {
    "application": Kind("登记申请表", FILE, lambda one: one.mode != "elsewhere", filed.application),
    "acceptance": Kind("受理单", FILE, lambda one: one.accepted_on is not None, filed.acceptance),
    "deficiency": Kind("补正告知书", FILE, _was_asked, filed.deficiency),
    "refusal": Kind("不予登记告知书", FILE, lambda one: one.state == "refused", filed.refusal),
    "information": Kind(
        "登记信息单",
        READ,
        lambda one: one.mode != "own" and one.registered_on is not None,
        sheets.registered,
    ),
    "certificate": Kind("技术合同登记证明", READ, _is_certified, sheets.registered),
    "dossier": Kind("卷内目录", FILE, lambda one: one.submitted_at is not None, filed.dossier),
}
TEXT = "text"  # the contract's text as a document to go on writing, beside the prints


@dataclass(frozen=True)
class Printed:
    """A paper as a file."""

    name: str
    data: bytes
    media_type: str = files.TYPES["pdf"]


def address(contract: Contract, kind: str) -> str:
    """Where a paper is."""
    ending = "docx" if kind == TEXT else "pdf"
    return f"/contracts/{contract.no}/papers/{kind}.{ending}"


def kinds_for(actor: Actor, contract: Contract) -> dict[str, str]:
    """The papers that the actor may have now: kind → label."""
    found = {}
    for kind, one in KINDS.items():
        if policy.allows(actor, one.permission, contract) and one.there(contract):
            void = "（已作废）" if kind == "certificate" and contract.state in VOID else ""
            found[kind] = one.label + void
    if policy.allows(actor, FILE, contract) and contract.mode != "elsewhere":
        found[TEXT] = "合同文本（DOCX）"
    return found


def offered(actor: Actor, contract: Contract) -> list[Offer]:
    """The papers of a contract for this reader, (label, url) each; `contracts/papers.html` lists them."""
    found = kinds_for(actor, contract)
    return [Offer(label, address(contract, kind)) for kind, label in found.items()]


def may_ask_again(actor: Actor, contract: Contract) -> bool:
    """Whether the actor may have the certificate issued anew."""
    here = contract.mode == "own" and contract.state == "registered"
    return here and policy.allows(actor, AGAIN, contract)


def printed(actor: Actor, no: str, kind: str) -> Printed:
    """A paper as a file; who had it is noted in the audit.

    Raises:
        NotFound: no such contract or paper, or not for this actor. Conflict: it is being made, or
            could not be. CannotSet: the font lacks a character.
    """
    asked = KINDS.get(kind)
    if asked is None:
        raise NotFound("没有这种文书。")
    contract = contracts.find(actor, no, asked.permission)
    if kind == "certificate" and contract.mode == "own" and contract.state == "registered":
        made = _kept(contract)
    elif asked.there(contract):
        made = typeset(kind, asked.says(contract), clock.now())
    else:
        raise NotFound(f"这份合同现在没有{asked.label}。")
    name = f"{asked.label}-{contract.registration_no or contract.no}.pdf"
    note(actor, contract, kind, asked.permission)
    return Printed(name, made)


def note(actor: Actor, contract: Contract, kind: str, permission: str) -> None:
    """Write down who had which paper."""
    key, no = contract.id, contract.no
    with unit_of_work(actor) as work:
        work.require(permission, db.session.get_one(Contract, key))
        work.record("contract.print", "contract", key, no=no, after={"paper": kind})


def _kept(contract: Contract) -> bytes:
    """The certificate of what is in force, as it was issued. Raises Conflict: there is none."""
    row = db.session.scalars(
        select(ContractPaper)
        .where(ContractPaper.contract_id == contract.id)
        .order_by(ContractPaper.issue.desc())
        .limit(1)
    ).first()
    if row is None or contract.certified != contract.effective:
        why = signing.trouble()
        if why is not None:
            raise Conflict(f"登记证明还没有出具：{why}，请系统管理员处理。")
        raise Conflict("登记证明正在出具，请几秒后再打开。")
    if row.state == FAILED:
        raise Conflict(f"登记证明没有出具成：{row.trouble}")
    return files.content(attached(row))


def attached(row: ContractPaper) -> StoredFile:
    """The stored file of an issued paper."""
    return files.files_of(PAPER_FILES, row.id)[0]


def issued(contract_id: int) -> Sequence[ContractPaper]:
    """All that was issued of a contract, oldest first."""
    query = select(ContractPaper).where(ContractPaper.contract_id == contract_id)
    return db.session.scalars(query.order_by(ContractPaper.issue)).all()


def part(actor: Actor, case: Any) -> tuple[str, Any] | None:
    """The papers as a part of the contract's page: a template, and its values as `shown`."""
    found = offered(actor, case.contract)
    if not found:
        return None
    again = case.contract.no if may_ask_again(actor, case.contract) else ""
    return "contracts/papers_beside.html", {"offered": found, "again": again}
