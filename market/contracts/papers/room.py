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
    # The contract's own, those of its changes, and opinions of experts.
    logged_files=[FILES, "contract_change", "contract_opinion"],
    scopes={"contracts:paper": "技术合同的文书：受理单、告知书、卷内目录，重新出具登记证明"},
)
