"""What the pages of schemes add to the application."""

from __future__ import annotations

from market.core.ports import Room
from market.vouchers.scheme_pages import web

ROOM = Room(
    "voucher_schemes",
    blueprints=[web.blueprint],
)
