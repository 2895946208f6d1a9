"""The filer's part: begin, write, send in, take back; who helps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from market.accounts.models import Organisation
from market.accounts.roles import EDITORS
from market.contracts import content as fields
from market.contracts import messages
from market.contracts.locking import (
    FILES,
    columns_of,
    locked,
    moved,
    touch,
    version_of,
    write_parties,
)
from market.contracts.models import Contract, ContractVersion
from market.contracts.rules import REFUSE, check, in_service_area
from market.contracts.schemas import LABELS
from market.contracts.workflow import BEGIN, CONTRACT, EDIT, SUBMIT
from market.core import clock, files, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid
from market.core.permissions import Actor
from market.core.unit_of_work import unit_of_work
from market.service_points import queries as directory
from market.service_points.models import Admission

SERIES = "HT"
MOST_DRAFTS = 500  # of one organisation


def begin(
    actor: Actor,
    filer_id: int,
    values: Mapping[str, Any],
    *,
    origins: Mapping[str, str] | None = None,
    intent_no: str | None = None,
    listing_no: str | None = None,
    demo: bool = False,
) -> str:
    """Begin a contract as a draft of an organisation; gives its number.

    Args:
        filer_id: the organisation whose case it is: the seller, in an import of technology the buyer.
        values: by the fields of `schemas.ContentSchema`, loaded.
        origins: where each value that was not typed came from.

    Raises:
        Denied: the actor files for no such organisation. Conflict: too many drafts.
    """
    packed = fields.pack(values)
    with unit_of_work(actor) as work:
        filer = db.session.get_one(Organisation, filer_id)
        contract = Contract(
            no=f"{SERIES}{clock.today().year}{numbers.take(SERIES)[0]:06d}",
            mode="external",
            filer_id=filer_id,
            office_region_id=filer.region_id,
            intent_no=intent_no,
            listing_no=listing_no,
            shows={},
            demo=demo or filer.demo,
            created_at=clock.now(),
            updated_at=clock.now(),
            **columns_of(packed),
        )
        work.require(BEGIN, contract)
        _refuse_many(filer_id)
        db.session.add(contract)
        db.session.flush()
        add_version(actor, contract, 1, packed, origins or {})
        write_parties(contract, packed)
        flow.begin(work, CONTRACT, contract)
    return contract.no


def _refuse_many(filer_id: int) -> None:
    query = select(Contract.id).where(Contract.filer_id == filer_id, Contract.state == "draft")
    if len(db.session.scalars(query.limit(MOST_DRAFTS)).all()) >= MOST_DRAFTS:
        raise Conflict(f"本单位已有 {MOST_DRAFTS} 份草稿，请先提交或放弃一些。")


def add_version(
    actor: Actor,
    contract: Contract,
    number: int,
    packed: Mapping[str, Any],
    origins: Mapping[str, str],
) -> None:
    """Write a new version of a contract, to be worked on. In a unit of work."""
    now = clock.now()
    db.session.add(
        ContractVersion(
            contract_id=contract.id,
            version=number,
            content=dict(packed),
            hash=fields.digest(packed),
            origins=dict(origins),
            findings={},
            author=actor.label,
            created_at=now,
            updated_at=now,
        )
    )


def save(
    actor: Actor,
    no: str,
    values: Mapping[str, Any],
    version: int | None = None,
    *,
    unread: Mapping[str, str] | None = None,
) -> None:
    """Write the fields of a draft, or of one that came back for 补正; what is typed may be half done.

    Args:
        values: all fields; a field that is not named becomes empty.
        unread: texts of fields that cannot be read yet, by the names of the form; kept sealed.

    Raises:
        NotFound, Denied: not this actor's to write. Conflict: it was changed or sent in meanwhile.
    """
    packed = fields.pack(values)
    sealed = fields.seal_unread(unread or {})
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        work.require(EDIT, contract)
        row = version_of(contract)
        digest = fields.digest(packed)
        if row.hash == digest and fields.unread_of(row.unread) == dict(unread or {}):
            return
        changed = [name for name, _, _ in fields.differences(row.content, packed)]
        row.content, row.hash, row.updated_at = packed, digest, clock.now()
        row.unread = sealed
        row.origins = {name: origin for name, origin in row.origins.items() if name not in changed}
        write_parties(contract, packed)
        touch(contract, **columns_of(packed))
        work.record("contract.save", CONTRACT.name, contract.id, no=no, after={"fields": changed})
        flow.show_on_desks(CONTRACT, contract)


def submit(actor: Actor, no: str, body_no: str | None = None, version: int | None = None) -> None:
    """Send it in (提交登记申请), to a registration body or, where there is none, to the county's office.

    Args:
        body_no: number of the body's entry in the directory; None: the office of the seller's area
            examines beforehand, and the result of the national system is typed in later.

    Raises:
        Invalid: by field, what is missing or cannot be; the body does not serve the seller.
        Conflict: it was refused with this very content, or it moved meanwhile.
    """
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        work.require(SUBMIT, contract)
        row = version_of(contract)
        _refuse_wrong(contract, row)
        again = contract.state == "returned"
        if again:  # it goes back to where it came from
            body_no = contract.body.no if contract.body else None
        if contract.refused_hash == row.hash:
            raise Conflict("内容与不予登记的那一份完全相同，请按告知的原因修改后再提交。")
        body = _body(actor, contract, row, body_no)
        filed_in = contract.filer.region_id if contract.filer else contract.office_region_id
        columns = moved(
            submitted_at=clock.now(),
            body_id=body.id if body else None,
            mode=body.mode if body else "external",
            office_region_id=body.region_id if body else filed_in,
        )
        flow.fire(
            work, CONTRACT, contract, "submit", values=columns,
            note="补正后重新提交" if again else None, after={"hash": row.hash},
        )  # fmt: skip
        messages.tell_examiners(contract)
        if contract.filer_id not in actor.organisations():  # its service point handed it in
            messages.tell_filer(messages.MOVED, contract)


def _refuse_wrong(contract: Contract, row: ContractVersion) -> None:
    """Refuse what lacks a needed field or cannot be. Raises Invalid."""
    wrong = {name: [f"请填写{label}。"] for name, label in fields.missing(row.content).items()}
    for name in fields.unread_names(row.unread):
        wrong.setdefault(name, []).append(f"{LABELS[name]}有填错的格，请先改好。")
    attached = [one.purpose for one in files.files_of(FILES, contract.id)]
    if "contract" not in attached:
        wrong["files"] = ["请附上合同文本（可以是盖章后的扫描件）。"]
    for found in check(fields.facts(row.content, attached), clock.today()):
        if found.weight == REFUSE:
            wrong.setdefault(found.field, []).append(found.words)
    if wrong:
        raise Invalid(wrong)


def _body(
    actor: Actor, contract: Contract, row: ContractVersion, body_no: str | None
) -> Admission | None:
    """The body it goes to, which must serve a seller. Raises Invalid."""
    if body_no is None:
        return None
    body = directory.find(actor, body_no)
    if "accept" not in directory.powers_of(body):
        raise Invalid({"body": [f"{body.title}现在不受理登记申请，请另选一家。"]})
    areas = [one.region.path for one in body.areas]
    named = [one.organisation.uscc or "" for one in body.units]
    facts = fields.facts(row.content)
    # Technology from abroad is registered by its buyer.
    here = [side for side in facts.sellers if side.country == "CHN"] or facts.buyers
    if not any(in_service_area(side, areas, named) for side in here):
        raise Invalid(
            {"body": [f"卖方不在{body.title}的服务范围内：技术合同由卖方在所在地的登记机构登记。"]}
        )
    return body


def withdraw(actor: Actor, no: str, action: str = "withdraw", version: int | None = None) -> None:
    """Take back what was sent in, give a draft up (`discard`), or go on writing (`resume`).

    Raises:
        Conflict: it is being examined already, or it moved meanwhile.
    """
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        flow.fire(work, CONTRACT, contract, action, values=moved())


def filers(actor: Actor) -> list[int]:
    """Ids of the organisations for which the actor may file. Raises Denied when there is none."""
    own = actor.organisations(*EDITORS)
    if not own:
        raise Denied
    return own
