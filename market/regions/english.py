"""English names of places: the pinyin of the short name, with the level after it.

As the postal service and maps write them: 名山区 is Mingshan District, its full name Mingshan
District, Ya'an, Sichuan. Provinces whose English name is not their pinyin are in a table.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import Protocol

from sqlalchemy import select

from market.core.db import db
from market.regions.models import Region, path_ids

FRESH = 600.0  # seconds a process believes the names it has read
_LEVELS = {
    "district": "District",
    "county": "County",
    "county_city": "City",
    "autonomous_county": "Autonomous County",
    "banner": "Banner",
    "autonomous_banner": "Autonomous Banner",
    "autonomous_prefecture": "Prefecture",
    "prefecture": "Prefecture",
    "league": "League",
    "town": "Town",
    "township": "Township",
    "ethnic_township": "Township",
    "street": "Subdistrict",
    "sumu": "Sumu",
}
_PROVINCES = {
    "150000": "Inner Mongolia",
    "540000": "Xizang",
    "610000": "Shaanxi",
    "710000": "Taiwan",
    "810000": "Hong Kong",
    "820000": "Macao",
}
# Endings of short names that say what kind of place it is, and the first letters of each.
_ENDINGS = (
    ("gaoxinqu", "gxq", "High-tech Zone"),
    ("jingkaiqu", "jkq", "Economic Development Zone"),
    ("guanliqu", "glq", "Management Area"),
    ("gongyeyuanqu", "gyyq", "Industrial Park"),
    ("gongyeyuan", "gyy", "Industrial Park"),
    ("yuanqu", "yq", "Park"),
    ("xinqu", "xq", "New Area"),
)
_SYLLABLE = re.compile(
    "(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?"
    "(?:i?ong|[iu]?ang|eng|ing|i?an|[ue]?en|in|[uvü]n|[uv]an|i?ao|uai|[aeu]i|[oi]u|"
    "i[ae]|u[aeo]|v?e|er|[aeiouvü])"
)


class Named(Protocol):
    """What a name is made from."""

    code: str
    kind: str
    pinyin: str
    initials: str


def _syllables(spelt: str, initials: str) -> list[str] | None:
    """The syllables of a name, of which the first letters are known; None when they do not fit."""
    if not spelt or not initials:
        return None if spelt or initials else []
    for length in range(min(6, len(spelt)), 0, -1):
        head, rest = spelt[:length], spelt[length:]
        if head[0] == initials[0] and _SYLLABLE.fullmatch(head):
            below = _syllables(rest, initials[1:])
            if below is not None:
                return [head, *below]
    return None


def spell(pinyin: str, initials: str) -> str:
    """`yaan` → Ya'an: a capital, and an apostrophe where a syllable begins with a vowel."""
    syllables = _syllables(pinyin, initials) or [pinyin]
    parts = [f"'{one}" if one[0] in "aeo" and at else one for at, one in enumerate(syllables)]
    return "".join(parts).capitalize()


def name(region: Named) -> str:
    """The name of a place with its level; provinces and cities of prefecture level without."""
    if region.code in _PROVINCES:
        return _PROVINCES[region.code]
    if region.kind == "zone":
        for ending, letters, words in _ENDINGS:
            stem, first = region.pinyin.removesuffix(ending), region.initials.removesuffix(letters)
            if stem and stem != region.pinyin and first != region.initials:
                return f"{spell(stem, first)} {words}"
    return f"{short(region)} {_LEVELS.get(region.kind, '')}".strip()


def short(region: Named) -> str:
    """The name without its level."""
    return _PROVINCES.get(region.code) or spell(region.pinyin, region.initials)


_places: list[tuple[float, dict[int, str]]] = []


def _names() -> dict[int, str]:
    """English names of provinces to counties by id; read at most every ten minutes."""
    if not _places or time.monotonic() - _places[0][0] > FRESH:
        query = select(Region.id, Region.code, Region.kind, Region.pinyin, Region.initials)
        rows = db.session.execute(query.where(Region.level != "township"))
        _places[:] = [(time.monotonic(), {row.id: name(row) for row in rows})]
    return _places[0][1]


def full_name(region: Named, path: str) -> str:
    """The name of a place followed by those of what it lies in, the province last."""
    known = _names()
    around = [known[key] for key in reversed(path_ids(path)[:-1]) if key in known]
    return ", ".join([name(region), *around])


def full_names(codes: Iterable[str]) -> dict[str, str]:
    """Full English names by code, for lists that keep only the code of a place."""
    columns = (Region.code, Region.kind, Region.pinyin, Region.initials, Region.path)
    rows = db.session.execute(select(*columns).where(Region.code.in_(set(codes))))
    return {row.code: full_name(row, row.path) for row in rows}
