"""What intents add to the application."""

from __future__ import annotations

from market.core.ports import Room, Task
from market.matching.intents import (
    api,
    attachments,
    merging,
    messages,
    outcomes,
    own_data,
    web,
    web_invitations,
    web_lists,
    web_offers,
    workflow,
)

ROOM = Room(
    "intents",
    blueprints=[
        web.blueprint,
        web_invitations.blueprint,
        web_lists.blueprint,
        web_offers.blueprint,
    ],
    api=[api.blueprint],
    tasks=[Task("ask for outcomes", 3600.0, outcomes.ask)],
    files={attachments.FILES: attachments.may_have},
    messages=messages.KINDS,
    workflows=[workflow.INTENT, workflow.INVITATION, workflow.QUESTION],
    of_person=own_data.of_person,
    on_merge=merging.move,
    would_move=merging.would_move,
    scopes={
        "matching:intent": "对接意向：查看、提方案、同意、终止",
        "matching:intent_invitation": "对接意向：邀请与答复邀请",
    },
)
