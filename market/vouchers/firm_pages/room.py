"""What the pages of firms and providers add to the application."""

from __future__ import annotations

from market.core.ports import Room
from market.vouchers import evidence, telling
from market.vouchers.firm_pages import (
    api,
    api_claims,  # noqa: F401  (adds to api)
    own_data,
    web_apply,
    web_cases,
    web_claims,
    web_lists,
    web_orders,
)

ROOM = Room(
    "voucher_firms",
    blueprints=[
        web_lists.blueprint,
        web_apply.blueprint,
        web_orders.blueprint,
        web_claims.blueprint,
        web_cases.blueprint,
    ],
    api=[api.blueprint],
    files={evidence.FILES: evidence.may_have},
    logged_files=[evidence.FILES],
    messages=telling.KINDS,
    of_person=own_data.of_person,
    scopes={
        "vouchers:application": "创新券：申领",
        "vouchers:voucher": "创新券：券的余额和有效期",
        "vouchers:order": "创新券：服务订单",
        "vouchers:claim": "创新券：申请兑付和佐证材料",
        "vouchers:party": "创新券：关联方申报",
    },
)
