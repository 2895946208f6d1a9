"""What people are told about technology contracts."""

from __future__ import annotations

from typing import Any

from market.accounts.roles import EDITORS
from market.contracts.models import STATES, Contract
from market.contracts.workflow import EXAMINERS, address
from market.core.languages import N_
from market.core.messages import MessageKind, tell

SUBMITTED = MessageKind(
    "contract.submitted",
    N_("收到技术合同登记申请"),
    N_("登记申请待受理：%(title)s"),
    N_("%(seller)s 提交了技术合同 %(no)s 的登记申请，请受理，或一次性告知补正。"),
)
RETURNED = MessageKind(
    "contract.returned",
    N_("登记申请需要补正"),
    N_("请补正：%(title)s"),
    N_("技术合同 %(no)s 有 %(count)s 项需要补正，已一次列齐，请打开逐项补齐后重新提交。"),
    sms=True,
    must=True,
)
MOVED = MessageKind(
    "contract.moved",
    N_("技术合同登记有新的进展"),
    N_("技术合同 %(no)s：%(state)s"),
    N_("「%(title)s」（%(no)s）现在的状态：%(state)s。"),
)
DECIDED = MessageKind(
    "contract.decided",
    N_("技术合同登记的结果"),
    N_("技术合同 %(no)s：%(state)s"),
    N_("「%(title)s」（%(no)s）：%(state)s。请打开查看；有异议的，可以申请复查。"),
    sms=True,
    must=True,
)
KINDS = (SUBMITTED, RETURNED, MOVED, DECIDED)


def _values(contract: Contract, **more: Any) -> dict[str, Any]:
    return {
        "no": contract.no,
        "title": contract.title,
        "seller": contract.seller_name,
        "state": STATES[contract.state],
        **more,
    }


def tell_filer(kind: MessageKind, contract: Contract, **values: Any) -> None:
    """Tell those who write for the filer. In a unit of work."""
    if contract.filer_id is not None:
        tell(
            kind,
            about=("contract", contract.id),
            url=address(contract),
            values=_values(contract, **values),
            organisation_id=contract.filer_id,
            roles=EDITORS,
        )


def tell_examiners(contract: Contract) -> None:
    """Tell the body's examiners, or the office of the area, that something was sent in."""
    whom: dict[str, Any] = {"region_path": contract.office_region.path}
    if contract.body is not None:
        whom = {"organisation_id": contract.body.organisation_id, "roles": EXAMINERS}
    tell(
        SUBMITTED,
        about=("contract", contract.id),
        url=address(contract),
        values=_values(contract),
        **whom,
    )
