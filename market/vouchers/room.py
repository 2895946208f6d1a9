"""What voucher money adds to the application."""

from __future__ import annotations

from market.core.ports import Room
from market.vouchers import claim_models  # noqa: F401  (its tables)
from market.vouchers.ledger import cli

ROOM = Room("vouchers", commands=[cli.group])
