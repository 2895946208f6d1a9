"""What people are told about changes of technology contracts."""

from __future__ import annotations

from typing import Any

from market.accounts.roles import EDITORS
from market.contracts.changes.models import KINDS, STATES, ContractChange
from market.contracts.workflow import EXAMINERS
from market.core.languages import N_
from market.core.messages import MessageKind, tell

ASKED = MessageKind(
    "contract_change.asked",
    N_("收到技术合同变更、注销、撤销或复查申请"),
    N_("%(kind)s待办理：%(title)s"),
    N_("技术合同 %(contract)s 有一件%(kind)s（%(no)s）待办理。"),
)
RETURNED = MessageKind(
    "contract_change.returned",
    N_("技术合同变更申请需要补正"),
    N_("请补正：%(kind)s %(no)s"),
    N_("「%(title)s」的%(kind)s（%(no)s）需要补正，请打开查看原因，补齐后重新提交。"),
    sms=True,
    must=True,
)
DECIDED = MessageKind(
    "contract_change.decided",
    N_("技术合同变更、注销、撤销、复查的结果"),
    N_("%(kind)s %(no)s：%(state)s"),
    N_("「%(title)s」（%(contract)s）的%(kind)s：%(state)s。请打开查看内容和涉及的事项。"),
    sms=True,
    must=True,
)
TOLD = (ASKED, RETURNED, DECIDED)


def _values(change: ContractChange) -> dict[str, Any]:
    return {
        "no": change.no,
        "contract": change.contract.no,
        "title": change.contract.title,
        "kind": KINDS[change.kind],
        "state": STATES[change.state],
    }


def _tell(kind: MessageKind, change: ContractChange, **whom: Any) -> None:
    about = ("contract_change", change.id)
    tell(kind, about=about, url=change.url, values=_values(change), **whom)


def tell_deciders(change: ContractChange) -> None:
    """Tell the body's examiners, or the office of the area. In a unit of work."""
    body = change.contract.body
    if body is not None:
        _tell(ASKED, change, organisation_id=body.organisation_id, roles=EXAMINERS)
    else:
        _tell(ASKED, change, region_path=change.office_region.path)


def tell_asker(kind: MessageKind, change: ContractChange) -> None:
    """Tell who asked; an office that began it itself sees it on its desk."""
    if change.asker_id is not None:
        _tell(kind, change, organisation_id=change.asker_id, roles=EDITORS)


def tell_parties(change: ContractChange) -> None:
    """Tell all parties that have an account what was decided."""
    concerned = change.contract.party_ids | ({change.asker_id} if change.asker_id else set())
    for organisation_id in sorted(concerned):
        _tell(DECIDED, change, organisation_id=organisation_id, roles=EDITORS)
