"""What the desk of technology contracts adds to the application."""

from __future__ import annotations

from market.contracts.desk import (
    api,
    api_office,
    enabling,
    importer,
    messages,
    opinions,
    web,
    web_lists,
    web_rules,
)
from market.core.ports import Room

ROOM = Room(
    "contract_desk",
    blueprints=[web_lists.blueprint, web.blueprint, web_rules.blueprint],
    api=[api.blueprint, api_office.blueprint],
    files={opinions.OPINION: opinions.may_have_paper, enabling.DOCUMENT: lambda _actor, _row: True},
    messages=messages.KINDS,
    imports=[importer.IMPORTABLE],
    scopes={
        "contracts:desk": "技术合同：审查台和登记簿",
        "contracts:registration": "批量导入：登记结果（全国系统导出表）",
        "contracts:rule_set": "登记规则：启用、停用",
        "contracts:number_format": "登记机构的编号格式",
    },
)
