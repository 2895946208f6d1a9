"""What each paper says: from a contract and its versions to the data that a template reads."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from flask import current_app
from sqlalchemy import func, select

from market.accounts import queries as accounts
from market.contracts import content as fields
from market.contracts.codes import CLASSES, SUBCLASSES, party_names
from market.contracts.locking import version_of
from market.contracts.models import VOID, Contract, ContractVersion
from market.core import clock
from market.core.db import db
from market.core.settings import Settings

Rows = list[list[str]]
_VOID_WORDS = {"cancelled": "注销", "annulled": "撤销"}


def day(value: date | str | None) -> str:
    """A date as papers write it: 2026年1月5日."""
    if isinstance(value, str):
        value = date.fromisoformat(value)
    return f"{value.year}年{value.month}月{value.day}日" if value else ""


def local_day(moment: datetime | None) -> str:
    """The day of a moment in China."""
    return day(clock.local(moment).date()) if moment else ""


def iso_day(moment: datetime) -> str:
    """The same in a narrow column: 2026-01-05."""
    return clock.local(moment).date().isoformat()


def yuan(fen: int | None) -> str:
    """An amount to the fen: 280,000.00 元."""
    return "" if fen is None else f"{fen // 100:,}.{fen % 100:02d} 元"


def issuer(contract: Contract) -> str:
    """Who issues papers of a contract: its body, else the office of the area, by its own name."""
    if contract.body is not None:
        return contract.body.title
    region = contract.office_region
    return accounts.office_name(region.path_ids) or f"{region.full_name}科技管理部门"


def common(contract: Contract) -> dict[str, Any]:
    """What every template reads."""
    settings: Settings = current_app.extensions["market"].settings
    marks = ["演示数据"] if contract.demo else []
    if contract.state in VOID:
        marks.append(f"已{_VOID_WORDS[contract.state]}")
    made = clock.local(clock.now()).strftime("%Y-%m-%d %H:%M")
    return {
        "no": contract.no,
        "issuer": issuer(contract),
        "marks": marks,
        "footer": f"{settings.site_name} · {contract.no} · 制作于 {made}",
    }


def whole_class(contract_class: str | None, subclass: str | None) -> str:
    """Class and second level in words."""
    first = CLASSES.get(contract_class or "", "")
    second = SUBCLASSES.get(subclass or "", ("", ""))[1]
    return first if second in {"", first} else f"{first} · {second}"


def found(version: ContractVersion, name: str) -> Any:
    """What was registered: as the examiners found it, else as it was filed."""
    value = version.findings.get(name)
    return version.content.get(name) if value is None else value


def names(content: Mapping[str, Any], side: str) -> str:
    """The parties of a side by name."""
    return "、".join(row["name"] for row in content.get(side, []))


def edition(contract: Contract) -> int:
    """Which registered content it is, counted from 1: an amendment makes the next."""
    counted = select(func.count()).where(
        ContractVersion.contract_id == contract.id,
        ContractVersion.state.in_(("registered", "superseded")),
        ContractVersion.version <= (contract.effective or 0),
    )
    return db.session.scalar(counted) or 1


def check_address(contract: Contract) -> str:
    """Where the live state is shown, with number and code."""
    asked = {"no": contract.registration_no or "", "code": contract.check_code or ""}
    return f"{_check_page()}?{urlencode(asked)}"


def _check_page() -> str:
    return f"{current_app.extensions['market'].settings.base_url}/verify"


def _verify(contract: Contract) -> dict[str, Any]:
    """The way to the live state, in words and as a picture (ISO/IEC 18004)."""
    import segno

    picture = io.BytesIO()
    code = segno.make(check_address(contract), error="m", micro=False)
    code.save(picture, kind="svg", xmldecl=False, border=2)
    return {
        "qr": picture.getvalue().decode(),
        "verify": {
            "address": _check_page(),
            "no": contract.registration_no or "",
            "code": contract.check_code or "",
        },
    }


def _void(contract: Contract) -> str | None:
    if contract.state not in VOID:
        return None
    word = _VOID_WORDS[contract.state]
    return f"本登记已于{day(contract.void_on)}{word}，此件为重印件，不能证明登记仍然有效。"


def registered(contract: Contract) -> dict[str, Any]:
    """Certificate and information sheet: what is registered, who registered it, how to check it."""
    version = version_of(contract, contract.effective)
    number = edition(contract)
    again = "（变更登记后换发）" if number > 1 else ""
    titles = party_names(found(version, "contract_class") or "", found(version, "subclass") or "")
    content = version.content
    rows = [
        ["合同登记编号", contract.registration_no or ""],
        ["项目名称", content.get("title", "")],
        ["合同类别", whole_class(found(version, "contract_class"), found(version, "subclass"))],
        [titles.seller, names(content, "sellers")],
        [titles.buyer, names(content, "buyers")],
        ["签订日期", day(content.get("signed_on"))],
        ["有效期", f"{day(content.get('valid_from'))}至{day(content.get('valid_to'))}"],
        ["合同成交额", yuan(found(version, "total_fen"))],
        ["技术交易额（核定）", yuan(found(version, "technical_fen"))],
        ["登记日期", day(contract.registered_on)],
        ["登记机构", contract.registered_by or ""],
    ]
    if number > 1:
        rows.append(["变更登记日期", day(version.registered_on)])
    return {
        **common(contract),
        **_verify(contract),
        "edition": f"第 {number} 版{again}",
        "void": _void(contract),
        "registered-by": contract.registered_by or "",
        "rows": rows,
        "day": day(version.registered_on),
    }


def filed_version(contract: Contract) -> tuple[ContractVersion, dict[str, Any]]:
    """The version at work and its fields with personal values readable."""
    version = version_of(contract)
    return version, fields.unpack(version.content)


def numbered(rows: Sequence[Sequence[str]]) -> Rows:
    """Rows with a number before each."""
    return [[str(number), *row] for number, row in enumerate(rows, start=1)]
