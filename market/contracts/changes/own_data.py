"""What contracts keep of a person, for the export of his own data.

Names and numbers in versions are sealed and belong to what was signed: they stay when an account is
closed. A person finds the contracts that name his own, proved, mobile number.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from market.accounts.people.models import Person
from market.contracts import content as fields
from market.contracts.changes.models import ContractChange
from market.contracts.changes.workflow import CHANGE
from market.contracts.locking import personal_key
from market.contracts.models import SIDES, Contract, ContractParty, ContractVersion
from market.contracts.schemas import PARTY_LISTS
from market.contracts.workflow import CONTRACT
from market.core.db import db
from market.core.models import CaseEvent
from market.core.secrets import unseal

MOST = 1_000  # rows of a kind, the newest


def of_person(person_id: int) -> dict[str, list[dict[str, Any]]]:
    """What a person did with contracts and changes, and where his own number stands in them."""
    return {
        "办理的技术合同": _steps(CONTRACT, Contract, person_id),
        "办理的技术合同变更": _steps(CHANGE, ContractChange, person_id),
        "技术合同里本人的联系方式": _named(person_id),
    }


def _steps(workflow: Any, model: Any, person_id: int) -> list[dict[str, Any]]:
    query = (
        select(CaseEvent, model.no)
        .join(model, model.id == CaseEvent.object_id)
        .where(
            CaseEvent.kind == workflow.name,
            CaseEvent.actor_kind == "person",
            CaseEvent.actor_id == person_id,
        )
        .order_by(CaseEvent.id.desc())
        .limit(MOST)
    )
    return [
        {
            "编号": no,
            "署名": one.actor_label,
            "状态": workflow.states.get(one.after, one.after),
            "原因": one.reason,
            "时间": one.at.isoformat(),
        }
        for one, no in db.session.execute(query)
    ]


def _named(person_id: int) -> list[dict[str, Any]]:
    """Parties of contracts whose telephone is the person's own mobile number."""
    sealed = db.session.scalar(select(Person.mobile).where(Person.id == person_id))
    mobile = unseal(sealed, "person.mobile") if sealed else None
    if not mobile:
        return []
    query = (
        select(ContractParty, Contract.no, ContractVersion.content)
        .join(Contract, Contract.id == ContractParty.contract_id)
        .join(
            ContractVersion,
            (ContractVersion.contract_id == Contract.id)
            & (ContractVersion.version == Contract.version),
        )
        .where(ContractParty.telephone_key == personal_key(mobile))
        .order_by(ContractParty.id.desc())
        .limit(MOST)
    )
    lists = {side: name for name, side in PARTY_LISTS.items()}
    found = []
    for party, no, content in db.session.execute(query):
        rows = content.get(lists[party.side], [])
        row = fields.opened(rows[party.position]) if party.position < len(rows) else {}
        found.append(
            {
                "合同": no,
                "哪一方": SIDES[party.side],
                "单位": party.name,
                "经办人": row.get("contact", ""),
                "电话": row.get("telephone", ""),
            }
        )
    return found
