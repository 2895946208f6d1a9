"""What waits for a finance officer, who has no desk: told on 我的事项."""

from __future__ import annotations

from market.accounts.members.steps import Step
from market.core.permissions import Actor
from market.vouchers.office_pages import queries
from market.vouchers.office_pages.queries import HERE

_WAITS = (
    ("countersign", "{} 个拨付批次等财政会签", "去会签"),
    ("pay", "{} 个拨付批次等拨付和登记国库凭证号", "去登记"),
)


def for_finance(actor: Actor) -> list[Step]:
    """Batches to countersign and to pay; none for who is no finance officer."""
    if not actor.has("finance"):
        return []
    found = queries.counts(actor)
    return [
        Step(words.format(found[tab]), f"{HERE}?tab={tab}", act)
        for tab, words, act in _WAITS
        if found[tab]
    ]
