"""What bodies are told when a case goes from one to the other."""

from __future__ import annotations

from market.contracts.models import Contract
from market.contracts.workflow import EXAMINERS, address
from market.core.languages import N_
from market.core.messages import MessageKind, tell
from market.service_points.models import Admission

PASSED_UP = MessageKind(
    "contract.passed_up",
    N_("技术合同已送上级机构"),
    N_("已送上级机构：%(title)s"),
    N_("技术合同 %(no)s 超过办理权限，已由 %(before)s 送 %(after)s 办理。"),
)
KINDS = (PASSED_UP,)


def tell_passed_up(
    contract: Contract, before: Admission | str, after: Admission | str, region_path: str
) -> None:
    """Tell the body or office from which it went. In a unit of work.

    Args:
        before, after: the bodies, or what the offices are called.
        region_path: of the office that had it, where no body did.
    """
    tell(
        PASSED_UP,
        about=("contract", contract.id),
        url=address(contract),
        values={
            "no": contract.no,
            "title": contract.title,
            "before": before if isinstance(before, str) else before.title,
            "after": after if isinstance(after, str) else after.title,
        },
        **(
            {"region_path": region_path}
            if isinstance(before, str)
            else {"organisation_id": before.organisation_id, "roles": EXAMINERS}
        ),
    )
