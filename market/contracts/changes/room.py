"""What changes of contracts and receipts add to the application."""

from __future__ import annotations

from market.contracts.changes import (
    api,
    api_receipts,
    merging,
    messages,
    own_data,
    queries,
    web,
    web_lists,
    web_receipts,
    web_versions,
    workflow,
)
from market.contracts.changes.locking import FILES
from market.core.ports import Room

ROOM = Room(
    "contract_changes",
    blueprints=[
        web.blueprint,
        web_lists.blueprint,
        web_receipts.blueprint,
        web_versions.blueprint,
    ],
    api=[api.blueprint, api_receipts.blueprint],
    files={FILES: queries.may_have},
    messages=messages.TOLD,
    workflows=[workflow.CHANGE],
    of_person=own_data.of_person,
    on_merge=merging.move,
    would_move=merging.would_move,
    scopes={
        "contracts:contract_change": "技术合同：变更、注销、撤销、异议复查",
    },
)
