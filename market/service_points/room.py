"""What the directory adds to the application."""

from __future__ import annotations

from market.core.ports import Room
from market.service_points import api, files, merging, own_data, web, web_desk, workflow
from market.service_points.specialists import api as specialists_api
from market.service_points.specialists import importer as specialists_files
from market.service_points.specialists import web as specialists_web
from market.service_points.specialists import web_desk as specialists_web_desk

ROOM = Room(
    "service_points",
    blueprints=[
        web.blueprint,
        web_desk.blueprint,
        specialists_web.blueprint,
        specialists_web_desk.blueprint,
    ],
    api=[api.blueprint, specialists_api.blueprint],
    workflows=[workflow.ADMISSION],
    scopes={
        "service_points:admission": "机构与服务点：录入、修改、暂停、终止",
        "service_points:specialist": "技术经理人与专家：录入、修改、公开同意",
    },
    imports=(*files.IMPORTS, *specialists_files.IMPORTS),
    of_person=own_data.of_person,
    on_merge=merging.move,
    would_move=merging.would_move,
)
