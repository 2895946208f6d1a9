"""Asking for a change: begin, write, attach papers, send in, take back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from market.accounts.roles import EDITORS
from market.contracts import content as fields
from market.contracts import locking as contracts
from market.contracts.changes import messages
from market.contracts.changes.amending import keeping
from market.contracts.changes.locking import (
    FILES,
    add_version,
    in_the_way,
    locked,
    moved,
    touch,
    unsent,
)
from market.contracts.changes.models import ContractChange
from market.contracts.changes.schemas import GROUNDS
from market.contracts.changes.workflow import ASK, CHANGE, EDIT, SEND
from market.contracts.models import STATES, Contract
from market.contracts.rules import REFUSE, check
from market.core import clock, files, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.files import Upload
from market.core.permissions import Actor
from market.core.unit_of_work import unit_of_work

SERIES = "BG"
# States of a contract in which a change may be asked for.
_STATES = {
    "amend": ("registered",),
    "cancel": ("registered",),
    "annul": ("registered",),
    "review": ("registered", "refused", "annulled"),
}
_TYPED = ("ground", "reason", "happened_on", "hearing", "asked_name")


def ask(
    actor: Actor,
    no: str,
    kind: str,
    values: Mapping[str, Any],
    content: Mapping[str, Any] | None = None,
    *,
    base: int | None = None,
    demo: bool = False,
) -> str:
    """Begin a change of a contract as a draft; gives its number.

    Args:
        kind: of `models.KINDS`.
        values: by the fields of `AskSchema`.
        content: of an amendment, the fields that change, loaded by `ContentSchema`; fields that are
            not named stay as they are registered.
        base: the version that the actor saw as the registered one.

    Raises:
        Denied: not this actor's to ask. Conflict: not in this state of the contract, a change is
            open already, or the version seen is not in force any more.
    """
    with unit_of_work(actor) as work:
        contract = contracts.locked(actor, no)
        work.require(ASK[kind], contract)
        refuse_now(contract, kind)
        _refuse_stale(contract, base)
        if kind == "annul" and (waiting := unsent(contract)) is not None:
            flow.fire(work, CHANGE, waiting, "lapse", values=moved())
            drop_version(waiting)
            messages.tell_asker(messages.DECIDED, waiting)
        asker = _asker(actor, contract) if kind != "annul" else None
        version = None
        if kind == "amend":
            old = _registered(contract)
            packed = fields.pack({**old, **keeping(content or {}, old)})
            version = add_version(actor, contract, packed, {}).version
        now = clock.now()
        change = ContractChange(
            no=f"{SERIES}{clock.today().year}{numbers.take(SERIES)[0]:06d}",
            contract_id=contract.id,
            kind=kind,
            asker_id=asker,
            asked_by=_asked_by(kind, asker, values),
            office_region_id=contract.office_region_id,
            base_version=contract.effective,
            version=version,
            findings={},
            touches=[],
            demo=demo or contract.demo,
            created_at=now,
            updated_at=now,
            **_columns(kind, values),
        )
        db.session.add(change)
        db.session.flush()
        flow.begin(work, CHANGE, change, note=f"合同 {contract.no}")
    return change.no


def refuse_now(contract: Contract, kind: str) -> None:
    """Refuse what cannot be asked for just now. Raises Conflict: its state, or another is open."""
    _refuse_state(contract, kind)
    if (open_one := in_the_way(contract, kind)) is not None:
        raise Conflict(f"这份合同已有一件变更在办（{open_one.no}），办结或撤回后才能再提出。")


def _refuse_state(contract: Contract, kind: str) -> None:
    if contract.state not in _STATES[kind]:
        raise Conflict(
            f"这份合同现在的状态是「{STATES[contract.state]}」，不能这样办理；请刷新后再看。"
        )


def _refuse_stale(contract: Contract, base: int | None) -> None:
    if base is not None and base != contract.effective:
        raise Conflict(
            f"您看到的是第 {base} 版，已被第 {contract.effective} 版取代："
            "变更只能从现在登记的内容开始，请打开最新的一版再提出。"
        )


def _asker(actor: Actor, contract: Contract) -> int | None:
    """The party for which the actor asks, itself or by its point; None: a body or an office does."""
    own = [one for one in actor.organisations(*EDITORS) if one in contract.party_ids]
    if contract.filer_id in own or helps(actor, contract):
        return contract.filer_id
    return own[0] if own else None


def helps(actor: Actor, contract: Contract) -> bool:
    """Whether the actor works at the service point that the filer authorised."""
    point = contract.point
    return point is not None and point.organisation_id in actor.organisations("point_staff")


def _asked_by(kind: str, asker: int | None, values: Mapping[str, Any]) -> str:
    if asker is not None:
        return "party"
    return (values.get("asked_by") or "office") if kind == "review" else "office"


def _columns(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, by columns; a ground of another kind is none."""
    found: dict[str, Any] = {name: values.get(name) for name in _TYPED}
    found["reason"] = found["reason"] or ""
    if found["ground"] not in GROUNDS.get(kind, ()):
        found["ground"] = None
    return found


def _registered(contract: Contract) -> dict[str, Any]:
    """What is registered now, readable: what an amendment begins with."""
    row = contracts.version_of(contract, contract.effective)
    return fields.unpack(fields.as_assessed(row.content, row.findings))


def edit(
    actor: Actor,
    no: str,
    values: Mapping[str, Any],
    content: Mapping[str, Any] | None = None,
    version: int | None = None,
) -> None:
    """Write a draft, or one that came back for 补正.

    Args:
        values: all fields of `AskSchema`; what is not named becomes empty.
        content: of an amendment, the fields that change; None: its content stays.

    Raises:
        Denied: not this actor's to write, or it was sent in. Conflict: it moved meanwhile.
    """
    with unit_of_work(actor) as work:
        change = locked(actor, no, version)
        work.require(EDIT, change)
        columns = _columns(change.kind, values)
        columns["asked_by"] = _asked_by(change.kind, change.asker_id, values)
        if change.kind == "amend" and content is not None:
            row = contracts.version_of(change.contract, change.version)
            old = fields.unpack(row.content)
            packed = fields.pack({**old, **keeping(content, old)})
            row.content, row.hash = packed, fields.digest(packed)
            row.author, row.updated_at = actor.label, clock.now()
        touch(change, **columns)
        work.record("contract_change.save", CHANGE.name, change.id, no=no)
        flow.show_on_desks(CHANGE, change)


def attach(actor: Actor, no: str, upload: Upload, version: int | None = None) -> None:
    """Add a paper to a draft, or to one that came back. Raises as `edit`."""
    with unit_of_work(actor) as work:
        change = locked(actor, no, version)
        work.require(EDIT, change)
        files.attach(work, upload, FILES, change.id, purpose="papers")
        touch(change)


def remove_file(actor: Actor, no: str, file_no: str, version: int | None = None) -> None:
    """Take a paper off. Raises as `edit`; NotFound: no such paper."""
    with unit_of_work(actor) as work:
        change = locked(actor, no, version)
        work.require(EDIT, change)
        row = next((one for one in files.files_of(FILES, change.id) if one.no == file_no), None)
        if row is None:
            raise NotFound("没有这个文件。")
        files.remove(work, row)
        touch(change)


def submit(actor: Actor, no: str, version: int | None = None) -> None:
    """Send it in.

    Raises:
        Invalid: by field, what is missing or cannot be. Conflict: the registered version changed
            since it was begun, or it moved meanwhile.
    """
    with unit_of_work(actor) as work:
        change = locked(actor, no, version)
        work.require(SEND, change)
        _refuse_state(change.contract, change.kind)
        _refuse_stale(change.contract, change.base_version)
        if wrong := wanting(change):
            raise Invalid(wrong)
        flow.fire(work, CHANGE, change, "submit", values=moved(submitted_at=clock.now()))
        messages.tell_deciders(change)


def wanting(change: ContractChange) -> dict[str, list[str]]:
    """What is missing before it can be sent in, or cannot be: field → sentences."""
    wrong: dict[str, list[str]] = {}
    papers = files.files_of(FILES, change.id)
    if not change.reason:
        wrong["reason"] = ["请写明为什么提出。"]
    if change.kind in GROUNDS and change.ground is None:
        wrong["ground"] = ["请选择理由。"]
    if change.kind == "cancel":
        if change.happened_on is None:
            wrong["happened_on"] = ["请填写合同解除或失效的日期。"]
        elif change.happened_on > clock.today():
            wrong["happened_on"] = [f"日期（{change.happened_on}）还没有到，请核对。"]
    if change.kind == "annul" and not change.hearing:
        wrong["hearing"] = [
            "请写明当事人的陈述和申辩；没有在期限内提出的，写明怎样告知、哪天期满。"
        ]
    if change.asked_by in {"finance", "tax"} and not change.asked_name:
        wrong["asked_name"] = ["请写明是哪个部门、哪份来函提出的。"]
    if change.kind in {"amend", "cancel", "annul"} and not papers:
        wrong["files"] = [
            "请附上证明材料（补充协议、解除协议、判决、调查材料等，可以是盖章后的扫描件）。"
        ]
    if change.kind == "amend":
        _check_content(change, wrong)
    return wrong


def _check_content(change: ContractChange, wrong: dict[str, list[str]]) -> None:
    new = contracts.version_of(change.contract, change.version).content
    base = contracts.version_of(change.contract, change.base_version)
    old = fields.as_assessed(base.content, base.findings)
    if not fields.differences(old, new):
        wrong["content"] = ["和登记的内容完全相同：请先改要变更的内容。"]
    # What a county recorded of a contract registered elsewhere never had all fields.
    known = fields.missing(old)
    for name, label in fields.missing(new).items():
        if name not in known:
            wrong[name] = [f"请填写{label}。"]
    attached = [one.purpose for one in files.files_of(contracts.FILES, change.contract_id)]
    for found in check(fields.facts(new, attached), clock.today()):
        if found.weight == REFUSE:
            wrong.setdefault(found.field, []).append(found.words)


def withdraw(actor: Actor, no: str, version: int | None = None) -> None:
    """Take it back. Raises Conflict: it was decided, or is being decided."""
    with unit_of_work(actor) as work:
        change = locked(actor, no, version)
        flow.fire(work, CHANGE, change, "withdraw", values=moved())
        drop_version(change)


def drop_version(change: ContractChange) -> None:
    """The content that was to be registered is not going to be."""
    if change.version is not None:
        row = contracts.version_of(change.contract, change.version)
        row.state, row.updated_at = "dropped", clock.now()
