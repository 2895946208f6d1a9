"""The life of a bulletin, who may do what, and how it shows on desks."""

from __future__ import annotations

from market.accounts.roles import OFFICES
from market.core.languages import N_
from market.core.permissions import Always, InArea, Mine, StateIn, policy
from market.core.workflow import Item, Transition, Workflow
from market.discovery.bulletins.models import PUBLIC, STATES, Bulletin

_OFFICES = dict.fromkeys(OFFICES, InArea())
READ = policy.declare("discovery:bulletin:read", public=StateIn(PUBLIC), **_OFFICES)
LIST = policy.declare("discovery:bulletin:list", public=Always())
WRITE = policy.declare("discovery:bulletin:write", **_OFFICES)
TELL = policy.declare("discovery:bulletin:tell")
SUBSCRIBE = policy.declare("discovery:bulletin_subscription:write", person=Mine())
# Whoever holds the address of a mail may end the one subscription it names.
STOP = policy.declare("discovery:bulletin_subscription:stop", public=Always())
FORGET = policy.declare("discovery:bulletin_subscription:forget")

WORDS = {"begin": "开始编写", "issue": "发布", "withdraw": "撤回", "drop": "作废"}


def item(row: Bulletin) -> Item:
    """What desks show."""
    draft = row.state == "draft"
    return Item(
        no=row.no,
        title=f"{row.region.short_name}成果信息简报 {row.year} 年第 {row.number} 期：{row.title}",
        url=f"/desk/bulletins/{row.no}",
        side="office" if draft else "",
        next_step="核对内容后发布" if draft else "",
        region_path=row.area_path,
    )


BULLETIN = Workflow(
    "bulletin",
    N_("成果信息简报"),
    Bulletin,
    STATES,
    [
        Transition("issue", "发布本期简报", ("draft",), "issued", WRITE),
        Transition("drop", "作废草稿", ("draft",), "dropped", WRITE, tone="plain"),
        Transition(
            "withdraw", "撤回本期简报", ("issued",), "withdrawn", WRITE, reason=True, tone="stop"
        ),
    ],
    item,
    room="discovery",
)
