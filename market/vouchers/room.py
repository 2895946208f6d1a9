"""What voucher money adds to the application."""

from __future__ import annotations

from market.core.ports import Room, Task
from market.vouchers import jobs, workflow
from market.vouchers.ledger import cli

ROOM = Room(
    "vouchers",
    commands=[cli.group],
    workflows=workflow.WORKFLOWS,
    tasks=[Task("vouchers expire", 600.0, jobs.run)],
)
