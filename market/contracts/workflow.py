"""Who may do what with a contract, and the tables of its states.

The way of a contract (domain rules of 2000 办法 and 2001 规则): filed, accepted, examined by two
people where the body keeps its own register, or cleared and then registered in the national
system, whose result is typed in here.
"""

from __future__ import annotations

from market.accounts.roles import EDITORS, MEMBERS, OFFICES
from market.contracts import counting
from market.contracts.models import STATES, Contract
from market.contracts.policies import (
    AtBody,
    AtPoint,
    Filer,
    InOffice,
    Party,
    PartyInArea,
    Unfiled,
    was_sent,
)
from market.core.languages import N_
from market.core.permissions import Always, Condition, StateIn, policy
from market.core.workflow import Item, Transition, Workflow

EXAMINERS = ("first_examiner", "second_examiner")
WORKABLE = ("draft", "returned")


def _editors(condition: Condition) -> dict[str, Condition]:
    return dict.fromkeys(EDITORS, condition)


def _offices(condition: Condition) -> dict[str, Condition]:
    return dict.fromkeys(OFFICES, condition)


def _examiners(condition: Condition) -> dict[str, Condition]:
    return dict.fromkeys(EXAMINERS, condition)


_HANDLES = {**_examiners(AtBody()), **_offices(InOffice())}
_FILES = {**_editors(Filer()), "point_staff": AtPoint("help")}

LIST = policy.declare("contracts:contract:list", person=Always())
READ = policy.declare(
    "contracts:contract:read",
    **dict.fromkeys(MEMBERS, Party()),
    point_staff=AtPoint(),
    **_examiners(AtBody()),
    **_offices(InOffice() | PartyInArea()),
)
# Attached papers: who counts a contract as output or input of his area does not read them.
READ_FILES = policy.declare(
    "contracts:contract:files",
    **dict.fromkeys(MEMBERS, Party()),
    point_staff=AtPoint(),
    **_HANDLES,
)
DESK = policy.declare("contracts:contract:desk", **_HANDLES)
BEGIN = policy.declare("contracts:contract:begin", **_editors(Filer()))
EDIT = policy.declare(
    "contracts:contract:edit",
    **{role: one & StateIn(WORKABLE) for role, one in _FILES.items()},
)
SUBMIT = policy.declare(
    "contracts:contract:submit", **_editors(Filer()), point_staff=AtPoint("hand_in")
)
WITHDRAW = policy.declare("contracts:contract:withdraw", **_editors(Filer()))
AUTHORISE = policy.declare("contracts:contract:authorise", **_editors(Filer()))
ACCEPT = policy.declare("contracts:contract:accept", **_HANDLES)
RETURN = policy.declare("contracts:contract:return", **_HANDLES)
ASK_EXPERTS = policy.declare("contracts:contract:expert", **_HANDLES)
FIRST = policy.declare("contracts:contract:examine", **_examiners(AtBody()))
SECOND = policy.declare("contracts:contract:register", second_examiner=AtBody())
CLEAR = policy.declare("contracts:contract:clear", **_HANDLES)
RECORD = policy.declare("contracts:contract:record", **_HANDLES)
SHOW = policy.declare("contracts:contract:show", **_editors(Party()))
RECEIVE = policy.declare("contracts:contract:receive", **_FILES, **_offices(InOffice() & Unfiled()))
DECIDE = policy.declare("contracts:contract:decide", **_HANDLES)
GUIDE = policy.declare("contracts:guide:read", public=Always())
RULES = policy.declare("contracts:rule_set:read", public=Always())


def address(contract: Contract) -> str:
    """The page of a contract."""
    return f"/contracts/{contract.no}"


_NEXT = {
    "draft": ("owner", "填写后提交登记申请"),
    "submitted": ("office", "受理，或一次性告知补正"),
    "returned": ("owner", "补齐后重新提交"),
    "accepted": ("office", "审查认定"),
    "expert": ("office", "取回专家意见"),
    "examined": ("office", "复审"),
    "cleared": ("office", "录入登记编号和日期"),
}


def _item(contract: Contract) -> Item:
    side, words = _NEXT.get(contract.state, ("", ""))
    by_office = contract.filer_id is None
    return Item(
        no=contract.no,
        title=contract.title or "未填写项目名称",
        url=address(contract),
        side="office" if side and by_office else side,
        next_step=words,
        organisation_id=contract.filer_id,
        # An office does not see what was not sent in, not even its title.
        region_path=contract.office_region.path if by_office or was_sent(contract) else None,
        due=contract.due if side == "office" else None,
        provisional=contract.due_provisional,
        returned=contract.state == "returned",
    )


CONTRACT = Workflow(
    name="contract",
    label=N_("技术合同"),
    model=Contract,
    states=STATES,
    room="contracts",
    item=_item,
    transitions=(
        Transition("submit", N_("提交登记申请"), WORKABLE, "submitted", SUBMIT),
        Transition(
            "withdraw", N_("撤回"), ("submitted", "returned"), "withdrawn", WITHDRAW, tone="plain"
        ),
        Transition("discard", N_("放弃草稿"), ("draft",), "withdrawn", WITHDRAW, tone="plain"),
        Transition("resume", N_("继续填写"), ("withdrawn",), "draft", WITHDRAW, tone="plain"),
        Transition("accept", N_("受理"), ("submitted",), "accepted", ACCEPT),
        Transition(
            "return",
            N_("补正（一次性告知）"),
            ("submitted", "accepted"),
            "returned",
            RETURN,
            reason=True,
            tone="plain",
        ),
        Transition("ask_experts", N_("送专家评审"), ("accepted",), "expert", ASK_EXPERTS, tone="plain"),
        Transition("experts_said", N_("取回专家意见"), ("expert",), "accepted", ASK_EXPERTS),
        Transition("examine", N_("初审完毕，送复审"), ("accepted",), "examined", FIRST),
        Transition("send_back", N_("退回初审"), ("examined",), "accepted", SECOND, reason=True,
                   tone="plain"),
        Transition("register", N_("准予登记"), ("examined",), "registered", SECOND,
                   not_by=("examine",), effects=(counting.counts,)),
        Transition("clear", N_("预审通过"), ("accepted",), "cleared", CLEAR),
        Transition("reopen", N_("退回审查"), ("cleared",), "accepted", CLEAR, reason=True,
                   tone="plain"),
        Transition("record", N_("录入登记结果"), ("draft", "cleared"), "registered", RECORD,
                   effects=(counting.counts,)),
        Transition("refuse", N_("不予登记"), ("accepted", "examined", "cleared"), "refused", DECIDE, reason=True,
                   not_by=("examine",), tone="stop"),
        # What only follows from a decided change (`contracts.changes`), never from a button.
        Transition("reconsider", N_("重新审查"), ("refused",), "accepted", DECIDE, reason=True,
                   tone="plain", button=False),
        Transition("cancel", N_("注销登记"), ("registered",), "cancelled", DECIDE, reason=True,
                   tone="stop", button=False, effects=(counting.counts_no_more,)),
        Transition("annul", N_("撤销登记"), ("registered",), "annulled", DECIDE, reason=True,
                   tone="stop", button=False, effects=(counting.counts_no_more,)),
        # What an import typed in by mistake, when the import is taken back.
        Transition("unrecord", N_("撤回录入的结果"), ("registered",), "cleared", RECORD, reason=True,
                   tone="plain", button=False),
        Transition("reinstate", N_("恢复登记"), ("annulled",), "registered", DECIDE, reason=True,
                   tone="plain", button=False),
    ),
)  # fmt: skip

# What timelines call the acts; an act without a word here is told by the state it led to.
EVENTS = {
    "begin": "开始填写",
    "submit": "提交登记申请",
    "withdraw": "撤回",
    "discard": "放弃草稿",
    "resume": "继续填写",
    "accept": "受理",
    "return": "补正（一次性告知）",
    "ask_experts": "送专家评审",
    "experts_said": "取回专家意见",
    "opinion": "专家意见",
    "pass_up": "送上级机构",
    "examine": "初审完毕，送复审",
    "send_back": "退回初审",
    "register": "准予登记",
    "clear": "预审通过",
    "reopen": "退回审查",
    "record": "录入登记结果",
    "refuse": "不予登记",
    "amended": "变更登记",
    "corrected": "复查更正",
    "reinstate": "恢复登记",
    "unrecord": "撤回录入的结果",
    "reconsider": "重新审查",
    "cancel": "注销登记",
    "annul": "撤销登记",
    "authorise": "委托服务点",
    "revoke": "不再委托服务点",
}
