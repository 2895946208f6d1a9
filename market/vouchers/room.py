"""What voucher money adds to the application."""

from __future__ import annotations

from market.core.ports import Room, Task
from market.vouchers import jobs, merging, workflow
from market.vouchers.ledger import cli

ROOM = Room(
    "vouchers",
    commands=[cli.group],
    workflows=workflow.WORKFLOWS,
    on_merge=merging.move,
    would_move=merging.would_move,
    tasks=[
        Task("vouchers expire", 600.0, jobs.run),
        Task("voucher years lapse", 3600.0, jobs.run_lapse),
    ],
)
