"""What public notices and announcements add to the application."""

from __future__ import annotations

from market.core.ports import Room, Task
from market.notices import (
    api,
    api_announcements,
    api_files,  # noqa: F401  (adds to api)
    messages,
    objecting,
    own_data,
    queries,
    service,
    timekeeping,
    web,
    web_announcements,
    web_objections,
    web_own,
    workflow,
)

ROOM = Room(
    "notices",
    blueprints=[
        web.blueprint,
        web_objections.blueprint,
        web_own.blueprint,
        web_announcements.blueprint,
    ],
    api=[api.blueprint, api_announcements.blueprint],
    tasks=[
        Task("settle provisional notices", 3600.0, timekeeping.settle_provisional),
        Task("end notices", 30.0, timekeeping.end_those_over),
        Task("forget objectors", 3600.0, objecting.forget),
    ],
    files={
        queries.FILES: queries.may_have_file,
        queries.ANNOUNCEMENT_FILES: queries.may_have_announced_file,
    },
    messages=messages.KINDS,
    workflows=[
        workflow.NOTICE,
        workflow.OBJECTION,
        workflow.ANNOUNCEMENT,
    ],
    of_person=own_data.of_person,
    on_merge=service.move,
    would_move=service.would_move,
    scopes={
        "notices:notice": "公示：起草、开始、撤回、公布结果",
        "notices:objection": "异议：查看、答复",
        "notices:announcement": "公告：起草、发布、撤回",
    },
)
