"""What the pages of schemes add to the application."""

from __future__ import annotations

from market.core.ports import Room
from market.vouchers.scheme_pages import api, api_desk, web, web_acts, web_desk

ROOM = Room(
    "voucher_schemes",
    blueprints=[web.blueprint, web_desk.blueprint, web_acts.blueprint],
    api=[api.blueprint, api_desk.blueprint],
    scopes={"vouchers:scheme": "创新券办法：编写、试算、发布、预算、审定比例"},
)
