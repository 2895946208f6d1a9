"""What the directory adds to the application."""

from __future__ import annotations

from market.core.ports import Room, Task
from market.service_points import (
    api,
    api_staff,  # noqa: F401  (adds to api)
    files,
    merging,
    messages,
    own_data,
    timekeeping,
    traces,
    web,
    web_desk,
    web_own,
    workflow,
)
from market.service_points.specialists import api as specialists_api
from market.service_points.specialists import api_acts  # noqa: F401  (adds to specialists_api)
from market.service_points.specialists import importer as specialists_files
from market.service_points.specialists import web as specialists_web
from market.service_points.specialists import web_desk as specialists_web_desk

ROOM = Room(
    "service_points",
    blueprints=[
        web.blueprint,
        web_desk.blueprint,
        web_own.blueprint,
        specialists_web.blueprint,
        specialists_web_desk.blueprint,
    ],
    api=[api.blueprint, specialists_api.blueprint],
    workflows=[workflow.ADMISSION],
    messages=messages.KINDS_OF_MESSAGES,
    tasks=[
        Task("tell of admissions that run out", 3600.0, timekeeping.remind),
        Task("forget imports of the directory", 3600.0, traces.forget_old),
    ],
    scopes={
        "service_points:admission": "机构与服务点：录入、修改、暂停、终止",
        "service_points:specialist": "技术经理人与专家：录入、修改、公开同意",
    },
    imports=(*files.IMPORTS, *specialists_files.IMPORTS),
    of_person=own_data.of_person,
    on_merge=merging.move,
    would_move=merging.would_move,
)
