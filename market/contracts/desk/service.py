"""Acts of the desk that the table of states does not know: many at once, experts, upwards, copying."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from market.contracts import content as fields
from market.contracts import examining, limits
from market.contracts import messages as told
from market.contracts.desk.messages import tell_passed_up
from market.contracts.desk.opinions import OPINION
from market.contracts.desk.workflow import COPY, HEAR_EXPERTS, PASS_UP
from market.contracts.locking import FILES, locked, touch, version_of
from market.contracts.models import Contract
from market.contracts.office_models import ContractOpinion
from market.contracts.workflow import CONTRACT
from market.core import clock, files
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid, MarketError
from market.core.files import Upload
from market.core.permissions import Actor
from market.core.unit_of_work import unit_of_work
from market.regions.models import Region

SCAN = "certificate"  # the purpose of the scan of a certificate
MOST = 100  # cases at once


@dataclass(frozen=True)
class Done:
    """What became of one of many: `trouble` says why it was not done."""

    no: str
    trouble: str = ""


def accept_many(actor: Actor, numbers: Sequence[str]) -> list[Done]:
    """Accept several filings, each for itself: one that cannot be taken stops no other.

    Raises:
        Invalid: none, or more than a hundred.
    """
    chosen = list(dict.fromkeys(numbers))
    if not chosen or len(chosen) > MOST:
        raise Invalid({"item": [f"请勾选 1 到 {MOST} 份合同。"]})
    found = []
    for no in chosen:
        try:
            examining.accept(actor, no)
        except MarketError as error:
            found.append(Done(no, error.message))
        else:
            found.append(Done(no))
    return found


def hear(actor: Actor, no: str, values: Mapping[str, Any], paper: Upload | None = None) -> int:
    """Write down what an expert said, perhaps with his paper; gives the opinion's id.

    Args:
        values: expert, unit, verdict, words, said_on.

    Raises:
        Invalid: the day lies in the future. Conflict: the case is decided.
    """
    if values["said_on"] > clock.today():
        raise Invalid({"said_on": [f"{values['said_on']} 还没有到，请核对。"]})
    with unit_of_work(actor) as work:
        contract = locked(actor, no)
        work.require(HEAR_EXPERTS, contract)
        if contract.state not in ("accepted", "expert"):
            raise Conflict("只在审查中记专家意见。")
        names = ("expert", "unit", "verdict", "words", "said_on")
        row = ContractOpinion(
            contract_id=contract.id,
            author=actor.label,
            created_at=clock.now(),
            **{name: values.get(name) for name in names},
        )
        db.session.add(row)
        db.session.flush()
        if paper is not None:
            files.attach(work, paper, OPINION, row.id, purpose="opinion")
        # The filer reads the timeline: who said what stays with the office.
        flow.add_event(work, CONTRACT.name, contract.id, "opinion", note="记下一份专家意见")
        work.record("contract.opinion", CONTRACT.name, contract.id, no=no, after={"id": row.id})
        touch(contract)
        return row.id


def record(
    actor: Actor,
    no: str,
    values: Mapping[str, Any],
    scan: Upload | None = None,
    version: int | None = None,
) -> None:
    """Type in what the national system registered, with the scan of its certificate.

    Raises:
        As `examining.record`.
    """
    with unit_of_work(actor) as work:
        examining.record(actor, no, values, version)
        if scan is not None:
            contract = locked(actor, no)
            files.attach(work, scan, FILES, contract.id, purpose=SCAN)


def pass_up(actor: Actor, no: str, words: str = "", version: int | None = None) -> None:
    """Send a case to the body above, or to the office above where no body has it.

    Raises:
        Conflict: there is none above, or it is past the examination.
    """
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        work.require(PASS_UP, contract)
        if contract.state not in limits.MOVABLE:
            raise Conflict("只在受理前和审查中可以送上级机构。")
        before, region = contract.body, contract.office_region
        names, columns = _above(contract)
        touch(contract, **columns)
        note = f"由{names[0]}送{names[1]}" + (f"：{words.strip()}" if words.strip() else "")
        flow.add_event(work, CONTRACT.name, contract.id, "pass_up", note=note[:1000])
        work.record(
            "contract.pass_up",
            CONTRACT.name,
            contract.id,
            no=no,
            before={"body_id": before.id if before else None, "region": region.code},
            after={"body_id": contract.body_id, "region": contract.office_region.code},
        )
        flow.show_on_desks(CONTRACT, contract)
        told.tell_examiners(contract)
        told.tell_filer(told.MOVED, contract)
        tell_passed_up(contract, before or names[0], names[1], region.path)


def _above(contract: Contract) -> tuple[tuple[str, str], dict[str, Any]]:
    """What it goes from and to, in words, and the columns that say so. Raises Conflict."""
    if contract.body is not None:
        above = limits.upper_body(contract)
        if above is None:
            raise Conflict(f"{contract.body.title}没有可以送的上级登记机构。")
        columns = {"body_id": above.id, "mode": above.mode, "office_region_id": above.region_id}
        return (contract.body.title, above.title), columns
    here = contract.office_region
    parent = db.session.get(Region, here.parent_id) if here.parent_id else None
    if parent is None:
        raise Conflict("已经是最上一级，没有可以送的上级部门。")
    words = tuple(f"{one.full_name}科技管理部门" for one in (here, parent))
    return (words[0], words[1]), {"office_region_id": parent.id}


def copy_sheet(actor: Actor, no: str, reason: str) -> Mapping[str, Any]:
    """The fields in full, for typing them into the national system; each look is noted.

    Raises:
        NotFound, Denied: not this actor's.
    """
    with unit_of_work(actor) as work:
        contract = locked(actor, no)
        work.require(COPY, contract)
        work.record(
            "contract.copied", CONTRACT.name, contract.id, no=no, after={"reason": reason[:200]}
        )
        return fields.unpack(version_of(contract).content)
