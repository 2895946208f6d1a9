"""Who may do what with admissions and specialists, and the states of an admission.

Bodies are approved and announced by the province (2000 年技术合同认定登记管理办法 art. 3; 2024 年征求意见稿);
offices record here what was announced, so every office may record for its own area, naming the
document.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement

from market.accounts.roles import EDITORS, MEMBERS, OFFICES
from market.core.languages import N_
from market.core.permissions import Actor, Always, Condition, Grant, InArea, Mine, Own, policy
from market.core.workflow import Item, Transition, Workflow
from market.service_points.models import STATES, Admission


class Listed(Condition):
    """Holds for specialists who agreed to be listed."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or target.public

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = model.listed()
        return found


_AREA: dict[str, Condition] = dict.fromkeys(OFFICES, InArea())
READ = policy.declare("service_points:admission:read", public=Always())
LIST = policy.declare("service_points:admission:list", public=Always())
OVERSEE = policy.declare("service_points:admission:oversee", **_AREA)
RECORD = policy.declare("service_points:admission:record", **_AREA)
EDIT = policy.declare("service_points:admission:edit", **_AREA)
SUSPEND = policy.declare("service_points:admission:suspend", **_AREA)
END = policy.declare("service_points:admission:end", **_AREA)
# What an organisation may do with its own entry; what its office decided it only reads.
_EDITORS: dict[str, Condition] = dict.fromkeys(EDITORS, Own())
_STAFF = (*MEMBERS, "broker", "point_staff", "first_examiner", "second_examiner")
OWN = policy.declare("service_points:admission:own", **dict.fromkeys(_STAFF, Own()))
DESCRIBE = policy.declare("service_points:admission:describe", **_EDITORS)
STAFF = policy.declare("service_points:admission:staff", **_AREA, **_EDITORS)
REMIND = policy.declare("service_points:admission:remind")  # the worker's alone
IMPORT = policy.declare("service_points:files:import", **_AREA)

READ_SPECIALIST = policy.declare(
    "service_points:specialist:read", public=Listed(), person=Mine(), **_AREA
)
LIST_SPECIALISTS = policy.declare("service_points:specialist:list", public=Always())
OVERSEE_SPECIALISTS = policy.declare("service_points:specialist:oversee", **_AREA)
RECORD_SPECIALIST = policy.declare("service_points:specialist:record", **_AREA)
EDIT_SPECIALIST = policy.declare("service_points:specialist:edit", **_AREA)
CONSENT = policy.declare("service_points:specialist:consent", **_AREA)
# One's own entry: what one knows and does, and whether everybody may read it.
DESCRIBE_SELF = policy.declare("service_points:specialist:describe", person=Mine())
AGREE = policy.declare("service_points:specialist:agree", person=Mine())
WITHDRAW = policy.declare("service_points:specialist:withdraw", person=Mine(), **_AREA)
CONTACT = policy.declare("service_points:specialist:contact", **_AREA)


def _item(_: Admission) -> Item | None:
    """An admission is no case that waits for anybody."""
    return None


ADMISSION = Workflow(
    name="admission",
    label=N_("机构与服务点"),
    model=Admission,
    states=STATES,
    start="active",
    room="service_points",
    item=_item,
    transitions=(
        Transition(
            "suspend", "暂停办理", ("active",), "suspended", SUSPEND, reason=True, tone="plain"
        ),
        Transition("resume", "恢复办理", ("suspended",), "active", SUSPEND),
        Transition("end", "终止", ("active", "suspended"), "ended", END, reason=True, tone="stop"),
    ),
)
