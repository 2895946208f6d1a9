"""What the pages of filing add to the application."""

from __future__ import annotations

from market.contracts.filing_pages import (
    api,
    api_more,  # noqa: F401  (adds to api)
    attachments,
    authorising,
    importer,
    web,
    web_cases,
    web_lists,
)
from market.contracts.locking import FILES
from market.core.ports import Room

ROOM = Room(
    "contract_filing",
    blueprints=[web_lists.blueprint, web.blueprint, web_cases.blueprint],
    api=[api.blueprint],
    files={FILES: attachments.may_have},
    messages=[authorising.AUTHORISED],
    imports=[importer.IMPORTABLE],
    scopes={
        "contracts:contract": "技术合同：查看、填写、提交、审查、录入登记结果、记到账",
        "contracts:contracts": "批量导入：技术合同",
    },
)
