"""What calls add to the application."""

from __future__ import annotations

from market.core.ports import Room, Task
from market.matching.calls import (
    api,
    api_files,  # noqa: F401  (adds to api)
    filing,
    merging,
    messages,
    own_data,
    queries,
    service,
    web,
    web_answers,
    workflow,
)
from market.matching.calls.rules import ANSWER_FILES, CALL_FILES

ROOM = Room(
    "calls",
    blueprints=[web.blueprint, web_answers.blueprint],
    api=[api.blueprint],
    tasks=[
        Task("close calls", 60.0, service.close_over),
        Task("settle noticed calls", 60.0, service.settle_noticed),
    ],
    files={
        CALL_FILES: filing.may_have_of_call,
        ANSWER_FILES: filing.may_have_of_answer,
    },
    messages=messages.KINDS,
    workflows=[workflow.CALL, workflow.CALL_ANSWER],
    beside_listing=queries.beside_listing,
    of_person=own_data.of_person,
    on_merge=merging.move,
    would_move=merging.would_move,
    scopes={
        "matching:call": "揭榜：起草、发布、延期、选定、办结",
        "matching:call_answer": "应答：填写、发送、撤回、查看",
    },
)
