"""What the pages of schemes add to the application."""

from __future__ import annotations

from market.core.ports import Room
from market.vouchers.scheme_pages import web, web_acts, web_desk

ROOM = Room(
    "voucher_schemes",
    blueprints=[web.blueprint, web_desk.blueprint, web_acts.blueprint],
)
