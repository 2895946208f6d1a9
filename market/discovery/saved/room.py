"""What saved searches add to the application."""

from __future__ import annotations

from market.core.ports import Room, Task
from market.discovery.saved import jobs, messages, own_data, service, web

ROOM = Room(
    "saved",
    blueprints=[web.blueprint],
    tasks=[
        Task("saved searches", 60.0, jobs.Matcher().run),
        Task("forget saved searches", 3600.0, service.forget_closed),
    ],
    of_person=own_data.of_person,
    messages=[messages.NEWS],
)
