"""The states of an import, and who moves it: its people, and the worker."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, false, not_, or_, select

from market.accounts.models import Organisation
from market.accounts.roles import EDITORS, MEMBERS, OFFICES
from market.catalogue.imports.models import IMPORT_STATES, ImportJob
from market.catalogue.publishing.models import OWN_SIGN_OFF
from market.core.permissions import Actor, Condition, Grant, InArea, Own, policy
from market.core.workflow import Item, Transition, Workflow


class Publishes(Condition):
    """Holds for imports of those who publish on their own word."""

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        return target is None or target.publishes

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        own = select(Organisation.id).where(
            Organisation.kind.in_(OWN_SIGN_OFF), Organisation.verified_at.is_not(None)
        )
        return or_(model.organisation_id.is_(None), model.organisation_id.in_(own))


_SIGNERS = ("owner", "certifier")


class SignedOff(Condition):
    """Holds for editors; where the owner wants a sign-off, for a signer who did not bring the file.

    As for single listings (`publishing.policies`): signing off is an act of a person.
    """

    def allows(self, actor: Actor, grant: Grant, target: Any) -> bool:
        if target is None or target.owner is None:
            return True
        if not target.owner.signs_inside:
            return grant.role in EDITORS
        return self._signs(actor, grant) and target.person_id != actor.id

    def where(self, actor: Actor, grant: Grant, model: Any) -> ColumnElement[bool]:
        wanted = model.organisation_id.in_(select(Organisation.id).where(Organisation.signs_inside))
        alone = or_(model.organisation_id.is_(None), not_(wanted))
        other = and_(wanted, model.person_id.is_distinct_from(actor.id))
        return or_(
            alone if grant.role in EDITORS else false(),
            other if self._signs(actor, grant) else false(),
        )

    @staticmethod
    def _signs(actor: Actor, grant: Grant) -> bool:
        return actor.kind == "person" and grant.role in _SIGNERS


_OFFICERS = dict.fromkeys(OFFICES, InArea())
_EDITORS = dict.fromkeys(EDITORS, Own())
# Files of each kind may be brought by these; the kinds are named in `Room.imports`.
ACHIEVEMENTS = policy.declare("catalogue:achievements:import", **_EDITORS, **_OFFICERS)
DEMANDS = policy.declare("catalogue:demands:import", **_EDITORS, **_OFFICERS)
PINS = policy.declare("catalogue:pins:import", **_OFFICERS)
INDUSTRIES = policy.declare("catalogue:industries:import", **_OFFICERS)

LIST = policy.declare("catalogue:import:list", **dict.fromkeys(MEMBERS, Own()), **_OFFICERS)
READ = policy.declare("catalogue:import:read", **dict.fromkeys(MEMBERS, Own()), **_OFFICERS)
RUN = policy.declare("catalogue:import:run", **_EDITORS, **_OFFICERS)
SHOW = policy.declare(
    "catalogue:import:publish",
    **dict.fromkeys((*EDITORS, "certifier"), Own() & Publishes() & SignedOff()),
    **_OFFICERS,
)
WORK = policy.declare("catalogue:import:work")  # the worker alone

_NEXT = {
    "checked": "看一遍检查结果，决定是否导入",
    "refused": "按问题清单改好文件，再上传一次",
    "failed": "再试一次，或放弃",
}


def _item(job: ImportJob) -> Item | None:
    if job.state not in _NEXT:
        return None
    return Item(
        no=job.no,
        title=f"批量导入：{job.file_name}",
        url=job.url,
        side="owner",
        next_step=_NEXT[job.state],
        organisation_id=job.organisation_id,
        person_id=job.person_id,
        returned=job.state == "refused",
    )


WORKFLOW = Workflow(
    name="import_job",
    label="批量导入",
    model=ImportJob,
    states=IMPORT_STATES,
    start="waiting",
    room="catalogue",
    item=_item,
    transitions=(
        Transition("check", "开始检查", ("waiting",), "checking", WORK),
        Transition("restart", "重新检查", ("checking",), "waiting", WORK),
        Transition("pass", "检查通过", ("checking",), "checked", WORK),
        Transition("refuse", "未通过检查", ("checking", "importing"), "refused", WORK),
        Transition("fail", "中断", ("waiting", "checking", "importing"), "failed", WORK),
        Transition("finish", "导入完成", ("importing",), "done", WORK),
        Transition("import", "导入", ("checked",), "importing", SHOW),
        Transition("draft", "只存为草稿", ("checked",), "importing", RUN, tone="plain"),
        Transition("again", "再试一次", ("failed",), "waiting", RUN),
        Transition(
            "discard",
            "放弃",
            ("waiting", "checking", "checked", "refused", "failed"),
            "discarded",
            RUN,
            tone="plain",
        ),
        Transition("undo", "撤销导入", ("done",), "undone", RUN, tone="stop"),
    ),
)
