"""What the offices' pages of voucher money add to the application."""

from __future__ import annotations

from market.core.ports import Room
from market.vouchers.office_pages import (
    api,
    api_batches,
    api_shares,
    messages,
    web,
    web_batches,
    web_books,
    web_claims,
    web_shares,
    web_treasury,
)

ROOM = Room(
    "voucher_offices",
    blueprints=[
        web.blueprint,
        web_claims.blueprint,
        web_batches.blueprint,
        web_books.blueprint,
        web_shares.blueprint,
        web_treasury.blueprint,
    ],
    api=[api.blueprint, api_batches.blueprint, api_shares.blueprint],
    messages=messages.KINDS,
    scopes={
        "vouchers:application": "创新券申领：提出、审核",
        "vouchers:voucher": "创新券：查看、冻结、退回额度",
        "vouchers:claim": "创新券兑付：提出、审核、查验",
        "vouchers:batch": "创新券拨付批次",
        "vouchers:bar": "停止申领资格",
    },
)
