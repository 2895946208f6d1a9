"""What the papers of contracts add to the application."""

from __future__ import annotations

from market.contracts.locking import FILES
from market.contracts.papers import api, service, web
from market.core.ports import Room, Task

ROOM = Room(
    "contract papers",
    blueprints=[web.blueprint],
    api=[api.blueprint],
    tasks=[Task("issue certificates", 2.0, service.issue_due)],
    logged_files=[FILES],
    scopes={"contracts:paper": "技术合同的文书：受理单、告知书、卷内目录，重新出具登记证明"},
)
