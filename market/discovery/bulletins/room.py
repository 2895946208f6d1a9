"""What bulletins add to the application."""

from __future__ import annotations

from market.core.ports import Room, Task
from market.discovery.bulletins import api, jobs, messages, own_data, web, web_desk
from market.discovery.bulletins.workflow import BULLETIN

ROOM = Room(
    "bulletins",
    blueprints=[web.blueprint, web_desk.blueprint],
    api=[api.blueprint],
    tasks=[
        Task("tell of bulletins", 1.0, jobs.tell_subscribers),
        Task("forget bulletin subscriptions", 3600.0, jobs.forget_closed),
    ],
    of_person=own_data.of_person,
    messages=[messages.ISSUED],
    workflows=[BULLETIN],
    scopes={"discovery:bulletin": "成果信息简报：编写、发布、撤回"},
)
