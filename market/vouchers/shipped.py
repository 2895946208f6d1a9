"""The schemes that come with the site: rule sheets with their sources, as far as they were read."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from market.core.languages import N_
from market.vouchers.content import load
from market.vouchers.sheet import Sheet, read

DATA = Path(__file__).parent / "data" / "schemes.json"
KINDS = {
    "exact": N_("可算出确切金额"),
    "readings": N_("有两种读法，待主管部门选定"),
    "ceiling": N_("只能算出最高金额"),
    "gaps": N_("要素不全，不计算金额"),
}


@dataclass(frozen=True)
class Shipped:
    """A shipped scheme. kind: a code of KINDS; content: in its stored form."""

    code: str
    kind: str
    content: Mapping[str, Any]
    sheet: Sheet


@cache
def shipped() -> tuple[Shipped, ...]:
    """All shipped schemes, in the order of the file."""
    found = []
    for record in json.loads(DATA.read_text("utf-8")):
        content = load(record["content"], strict=True)
        found.append(Shipped(record["code"], record["kind"], content, read(content)))
    return tuple(found)


def by_code(code: str) -> Shipped | None:
    """A shipped scheme by its code."""
    return next((one for one in shipped() if one.code == code), None)


def known_for(region_codes: Collection[str]) -> list[Shipped]:
    """The shipped schemes of a place's own offices and those above it.

    Args:
        region_codes: from the province down; none found means that none is known, not that
            there is none.
    """
    return [one for one in shipped() if one.sheet.owner_region in region_codes]
