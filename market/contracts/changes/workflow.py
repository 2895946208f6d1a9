"""Who may do what with a change of a contract, and the table of its states.

A body that keeps its register here examines a change by two people, as it does a filing; what the
national system or another body registered is settled by whoever handles the contract, since the
decision was taken there.
"""

from __future__ import annotations

from market.accounts.roles import EDITORS, MEMBERS, OFFICES
from market.contracts.changes.models import STATES, UNSENT, ContractChange
from market.contracts.changes.policies import Asker, Authorised, ByOffice, ForFiler, Sent
from market.contracts.policies import AtBody, Filer, InOffice, OfModes, Party, Unfiled
from market.contracts.workflow import EXAMINERS, WORKABLE
from market.core.languages import N_
from market.core.permissions import Condition, StateIn, policy
from market.core.workflow import Item, Transition, Workflow

OWN, OTHERS = OfModes("own"), OfModes("external", "elsewhere")
_HELPS = Authorised("help")  # a service point writes for the filer, and hands in if it may


def _editors(condition: Condition) -> dict[str, Condition]:
    return dict.fromkeys(EDITORS, condition)


def _handles(condition: Condition | None = None) -> dict[str, Condition]:
    """Examiners of the body and officers of the area, each limited by a condition."""
    body, office = AtBody(), InOffice()
    if condition is None:
        return {**dict.fromkeys(EXAMINERS, body), **dict.fromkeys(OFFICES, office)}
    return {
        **dict.fromkeys(EXAMINERS, body & condition),
        **dict.fromkeys(OFFICES, office & condition),
    }


# Asked about contracts. The seller goes back to the body that registered it; what an office
# recorded without a filer (补录) it changes itself.
_AMEND = policy.declare(
    "contracts:contract_change:amend",
    **_editors(Filer()),
    **_handles(Unfiled()),
    point_staff=_HELPS,
)
_CANCEL = policy.declare(
    "contracts:contract_change:cancel",
    **_editors(Party()),
    **_handles(Unfiled()),
    point_staff=_HELPS,
)
_ANNUL = policy.declare("contracts:contract_change:annul", **_handles())
_REVIEW = policy.declare("contracts:contract_change:review", **_editors(Party()), **_handles())
ASK = {"amend": _AMEND, "cancel": _CANCEL, "annul": _ANNUL, "review": _REVIEW}

# Asked about changes.
READ = policy.declare(
    "contracts:contract_change:read",
    **dict.fromkeys(MEMBERS, Asker() | (Party() & Sent())),
    **_handles(Sent() | ByOffice()),
    point_staff=_HELPS & ForFiler(),
)
DESK = policy.declare("contracts:contract_change:desk", **_handles(Sent() | ByOffice()))
SEND = policy.declare(
    "contracts:contract_change:send",
    **_editors(Asker()),
    **_handles(ByOffice()),
    point_staff=Authorised("hand_in") & ForFiler(),
)
WITHDRAW = policy.declare(
    "contracts:contract_change:withdraw", **_editors(Asker()), **_handles(ByOffice())
)
EDIT = policy.declare(
    "contracts:contract_change:edit",
    **_editors(Asker() & StateIn(WORKABLE)),
    **_handles(ByOffice() & StateIn(WORKABLE)),
    point_staff=_HELPS & ForFiler() & StateIn(WORKABLE),
)
RETURN = policy.declare("contracts:contract_change:return", **_handles())
EXAMINE = policy.declare("contracts:contract_change:examine", first_examiner=AtBody() & OWN)
APPROVE = policy.declare("contracts:contract_change:approve", second_examiner=AtBody() & OWN)
SETTLE = policy.declare("contracts:contract_change:settle", **_handles(OTHERS))
LAPSE = policy.declare("contracts:contract_change:lapse", **_handles())
_refuses = _handles(OTHERS)
_refuses["second_examiner"] = AtBody() & (OTHERS | (OWN & StateIn(("examined",))))
REFUSE = policy.declare("contracts:contract_change:refuse", **_refuses)


_NEXT = {
    "draft": ("owner", "填写后提交"),
    "submitted": ("office", "审查办理，或退回补正"),
    "returned": ("owner", "补齐后重新提交"),
    "examined": ("office", "复审"),
}


def next_step(change: ContractChange) -> tuple[str, str]:
    """Whose turn it is ("owner", "office" or "") and what comes next, in words."""
    side, words = _NEXT.get(change.state, ("", ""))
    return ("office" if side and change.asker_id is None else side), words


def _item(change: ContractChange) -> Item:
    side, words = next_step(change)
    shown = change.submitted_at is not None or change.asker_id is None
    return Item(
        no=change.no,
        title=change.contract.title,
        url=change.url,
        side=side,
        next_step=words,
        organisation_id=change.asker_id,
        region_path=change.office_region.path if shown else None,
        returned=change.state == "returned",
    )


CHANGE = Workflow(
    name="contract_change",
    label=N_("技术合同变更"),
    model=ContractChange,
    states=STATES,
    room="contracts",
    item=_item,
    transitions=(
        Transition("submit", N_("提交"), WORKABLE, "submitted", SEND),
        Transition("examine", N_("初审完毕，送复审"), ("submitted",), "examined", EXAMINE),
        Transition("approve", N_("予以办理"), ("examined",), "done", APPROVE, not_by=("examine",)),
        Transition("settle", N_("予以办理"), ("submitted",), "done", SETTLE),
        Transition("send_back", N_("退回初审"), ("examined",), "submitted", APPROVE, reason=True,
                   tone="plain"),
        Transition("return", N_("补正"), ("submitted",), "returned", RETURN, reason=True,
                   tone="plain"),
        Transition("refuse", N_("不予办理"), ("submitted", "examined"), "refused", REFUSE,
                   reason=True, not_by=("examine",), tone="stop"),
        Transition("withdraw", N_("撤回"), ("draft", "submitted", "returned"), "withdrawn", WITHDRAW,
                   tone="plain"),
        # What a party began and never sent does not keep an office from annulling.
        Transition("lapse", N_("因撤销登记终止"), UNSENT, "withdrawn", LAPSE, button=False),
    ),
)  # fmt: skip
# Each once, as programs name them.
ACTIONS = tuple(one.action for one in CHANGE.transitions if one.button)
