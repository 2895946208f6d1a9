"""What dispatch adds to the application."""

from __future__ import annotations

from market.core.ports import Room, Task
from market.matching.dispatch import (
    api,
    api_office,  # noqa: F401  (adds to api)
    contacts,
    merging,
    messages,
    own_data,
    queries,
    reminding,
    told,
    web,
    web_cases,
    web_firms,
    workflow,
)

ROOM = Room(
    "dispatch",
    blueprints=[
        web.blueprint,
        web_cases.blueprint,
        web_firms.blueprint,
    ],
    api=[api.blueprint],
    tasks=[
        Task("remind recipients of dispatches", 600.0, reminding.remind),
        Task("forget contacts of dispatches", 3600.0, contacts.forget),
    ],
    files={queries.FILES: queries.may_have_file},
    messages=messages.KINDS,
    workflows=[
        workflow.DISPATCH,
        workflow.ESCALATED,
        workflow.OFFICERS,
    ],
    of_person=own_data.of_person,
    beside_own=told.beside_own,
    on_merge=merging.move,
    would_move=merging.would_move,
    scopes={
        "matching:dispatch": "推荐对接：查看、答复；科技管理部门还可推荐、记录、办结",
        "matching:dispatch_setting": "推荐对接：本部门通常给几天",
        "matching:escalation": "上报需求：查看、答复、撤回",
        "matching:firm": "联系企业：指定联系人、记录",
    },
)
