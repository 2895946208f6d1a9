"""Reading regions: by code, by what people type, up and down the tree."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, select
from sqlalchemy.orm import aliased

from market.core.db import db
from market.core.errors import Invalid, NotFound
from market.core.languages import is_english, translate
from market.core.models import ReferenceData
from market.regions import english
from market.regions.models import LEVELS, FormerCode, LeadingIndustry, Region

# Under this name the database keeps which import of leading industries it holds.
INDUSTRIES_VERSION = "leading_industries"


@dataclass(frozen=True)
class RegionView:
    """A region as pages and the API show it; `trail` leads from the province to itself."""

    id: int
    code: str
    name: str
    short_name: str
    full_name: str
    level: str
    path: str
    trail: Sequence[tuple[str, str]] = ()

    @property
    def url(self) -> str:
        return f"/regions/{self.code}"


def view(region: Region, trail: Sequence[tuple[str, str]] = ()) -> RegionView:
    """The view of a row, with its names in the language of the page."""
    names = (region.name, region.short_name, region.full_name)
    if is_english():
        names = (
            english.name(region),
            english.short(region),
            english.full_name(region, region.path),
        )
    return RegionView(
        region.id,
        region.code,
        *names,
        region.level,
        region.path,
        trail,
    )


def find(code: str) -> Region:
    """The region with this code, now or formerly.

    Raises:
        NotFound: no region ever had it.
    """
    region = db.session.scalar(select(Region).where(Region.code == code))
    if region is None:
        former = select(Region).join(FormerCode, FormerCode.region_id == Region.id)
        region = db.session.scalar(former.where(FormerCode.code == code))
    if region is None:
        raise NotFound(translate("没有代码为 %(code)s 的地区。", code=code))
    return region


def get(code: str) -> RegionView:
    """The region with this code, with its trail. Raises NotFound."""
    region = find(code)
    return view(region, trail(region))


def trail(region: Region) -> list[tuple[str, str]]:
    """Codes and names from the province down to the region itself, in the page's language."""
    rows = db.session.execute(
        select(Region.code, Region.name, Region.kind, Region.pinyin, Region.initials)
        .where(Region.id.in_(region.path_ids))
        .order_by(case(*[(Region.level == level, n) for n, level in enumerate(LEVELS)], else_=9))
    )
    return [(row.code, english.name(row) if is_english() else row.name) for row in rows]


def english_names(codes: Iterable[str]) -> dict[str, str]:
    """Full English names by code, for lists that keep only the code of a place."""
    return english.full_names(codes)


def short_names(ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Code and short name by id."""
    query = select(Region.id, Region.code, Region.short_name).where(Region.id.in_(set(ids)))
    return {key: (code, name) for key, code, name in db.session.execute(query)}


def provinces() -> list[RegionView]:
    """All provinces in order of their codes."""
    query = select(Region).where(Region.parent_id.is_(None), Region.valid_to.is_(None))
    return [view(region) for region in db.session.scalars(query.order_by(Region.code))]


def children(region_id: int) -> list[RegionView]:
    """Valid regions directly below, in order of their codes."""
    query = select(Region).where(Region.parent_id == region_id, Region.valid_to.is_(None))
    return [view(region) for region in db.session.scalars(query.order_by(Region.code))]


def siblings(region_id: int, limit: int) -> list[RegionView]:
    """Valid regions of the same parent and level, without the region itself, in order of codes."""
    own = aliased(Region)
    query = (
        select(Region)
        .join(own, (own.parent_id == Region.parent_id) & (own.level == Region.level))
        .where(own.id == region_id, Region.id != region_id, Region.valid_to.is_(None))
    )
    return [view(region) for region in db.session.scalars(query.order_by(Region.code).limit(limit))]


def families(ids: Iterable[int]) -> list[tuple[int, str, str, int | None]]:
    """Id, code, short name and parent of all provinces and of the children of these regions."""
    columns = (Region.id, Region.code, Region.short_name, Region.parent_id)
    query = select(*columns, Region.kind, Region.pinyin, Region.initials).where(
        or_(Region.parent_id.is_(None), Region.parent_id.in_(set(ids))),
        Region.valid_to.is_(None),
    )
    return [
        (row.id, row.code, english.short(row) if is_english() else row.short_name, row.parent_id)
        for row in db.session.execute(query.order_by(Region.code))
    ]


def by_codes(codes: Iterable[str]) -> list[Region]:
    """Regions with these codes, now or formerly; unknown codes are passed over."""
    wanted = set(codes)
    former = select(FormerCode.region_id).where(FormerCode.code.in_(wanted))
    query = select(Region).where(or_(Region.code.in_(wanted), Region.id.in_(former)))
    return list(db.session.scalars(query.order_by(Region.code)))


def code_of_full_name(name: str) -> str | None:
    """The code of the region that bears this full name now."""
    query = select(Region.code).where(Region.full_name == name, Region.valid_to.is_(None))
    return db.session.scalar(query.limit(1))


def full_names(codes: Iterable[str]) -> dict[str, str]:
    """Full names by code."""
    query = select(Region.code, Region.full_name).where(Region.code.in_(set(codes)))
    return {code: name for code, name in db.session.execute(query)}  # noqa: C416


def former_codes(codes: Iterable[str]) -> dict[str, int]:
    """Ids of the regions that bore these codes before, by code."""
    query = select(FormerCode.code, FormerCode.region_id).where(FormerCode.code.in_(set(codes)))
    return {row.code: row.region_id for row in db.session.execute(query)}


# The last character of a place's full name, which its pinyin and initials do without.
_ENDINGS = {"区": "qu", "县": "xian", "市": "shi", "州": "zhou", "省": "sheng", "旗": "qi"}


def _with_ending(words: str) -> list[ColumnElement[bool]]:
    """Conditions for pinyin or initials of a full name: dongpoqu, dpq."""
    found: list[ColumnElement[bool]] = []
    for ending, letters in _ENDINGS.items():
        for column, end in ((Region.pinyin, letters), (Region.initials, letters[0])):
            if words.endswith(end) and words != end:
                full = Region.name.endswith(ending)
                found.append(and_(column == words.removesuffix(end), full))
    return found


def search(text: str, limit: int = 20) -> list[RegionView]:
    """Provinces to counties whose name, short name, pinyin or initials begin so; best first."""
    words = re.sub(r"\s+", "", text).casefold()
    if not words:
        return []
    names = or_(
        Region.name.startswith(words, autoescape=True),
        Region.short_name.startswith(words, autoescape=True),
        Region.pinyin.startswith(words, autoescape=True),
        Region.initials == words,
        Region.code.startswith(words, autoescape=True),
        Region.full_name.contains(words, autoescape=True),
        *_with_ending(words),
    )
    exact = case((or_(Region.name == words, Region.short_name == words), 0), else_=1)
    # Named one by one, the levels have an index; "not a township" would read all of these.
    query = select(Region).where(names, Region.valid_to.is_(None), Region.level.in_(LEVELS[:3]))
    return [
        view(region)
        for region in db.session.scalars(query.order_by(exact, Region.code).limit(limit))
    ]


# 511402 东坡区, 东坡区（511402）
_CODE_AND_NAME = re.compile(
    r"[(\[]?(?P<before>[0-9]{6,12})?[)\]]?[(\[]?(?P<name>[^0-9()\[\]]+)[)\]]?"
    r"[(\[]?(?P<after>[0-9]{6,12})?[)\]]?"
)


class Resolver:
    """Finds regions in many rows as people write them; loads provinces to counties once.

    Understands codes of 2 to 12 digits, full names, short names (四川眉山东坡), and names with
    levels left out (四川省东坡区), as long as only one region fits.
    """

    def __init__(self) -> None:
        self._by_code: dict[str, int] = {}
        self._by_name: dict[str, list[tuple[int, str]]] = {}
        self._known: dict[str, int | str] = {}
        self._names: dict[int, tuple[str, str]] = {}
        self._counties: set[int] = set()
        self._paths: dict[int, str] = {}
        query = select(
            Region.id,
            Region.code,
            Region.name,
            Region.short_name,
            Region.full_name,
            Region.path,
            or_(Region.level == "county", Region.kind == "zone"),
        ).where(Region.level != "township", Region.valid_to.is_(None))
        for key, code, name, short, full, path, county in db.session.execute(query):
            if county:
                self._counties.add(key)
            self._by_code[code] = key
            self._paths[key] = path
            self._names[key] = (name, short)
            for known in {name, short}:
                self._by_name.setdefault(known, []).append((key, path))
            self._known[full] = key

    def find(self, text: str) -> int | str:
        """The id of the region meant, or a sentence that says why it is not clear."""
        folded = unicodedata.normalize("NFKC", text)
        compact = re.sub(r"[\s·,，、/\\\-—–>|]+", "", folded)
        if compact not in self._known:
            self._known[compact] = self._find(compact)
        return self._known[compact]

    def lies_in(self, region_id: int, area: str | None) -> bool:
        """Whether a region lies at or below the one with this path; every one where it is None."""
        if area is None:
            return True
        if region_id not in self._paths:
            query = select(Region.path).where(Region.id == region_id)
            self._paths[region_id] = db.session.scalar(query) or ""
        return self._paths[region_id].startswith(area)

    def _find(self, text: str) -> int | str:
        if text.isascii() and text.isdecimal():
            return self._find_code(text)
        both = _CODE_AND_NAME.fullmatch(text)
        if both is not None and (code := both["before"] or both["after"]):
            return self._find_both(code, both["name"])
        text = text.removeprefix("中华人民共和国").removeprefix("中国")
        fits = self._fitting(text)
        if len(fits) == 1:
            return fits[0]
        if not fits:
            return f"没有找到地区「{text[:20]}」，请写 6 位代码或全称，如 四川省眉山市东坡区。"
        names = "、".join(self._full(key) for key in fits[:3])
        return f"「{text[:20]}」有 {len(fits)} 个，请写全称或代码，如：{names}。"

    def _full(self, key: int) -> str:
        return db.session.scalar(select(Region.full_name).where(Region.id == key)) or ""

    def _find_code(self, text: str) -> int | str:
        code = text.ljust(6, "0") if len(text) in {2, 4} else text
        code = code[:6] if len(code) > 6 and set(code[6:]) <= {"0"} else code
        if code in self._by_code:
            return self._by_code[code]
        try:
            return find(code[:9]).id
        except NotFound:
            return f"没有代码为 {text[:12]} 的地区，请核对（6 位县级代码或 9 位乡镇代码）。"

    def _find_both(self, code: str, name: str) -> int | str:
        """A code beside a name: both must mean the same."""
        found = self._find_code(code)
        fits = self._fitting(name)
        if isinstance(found, int) and fits and found not in fits:
            return f"代码 {code[:12]} 是{self._full(found)}，与「{name[:20]}」不符，请核对。"
        return found

    def _fitting(self, text: str) -> list[int]:
        """Regions named by the end of the text, whose ancestors the rest names, nearest first."""
        for start in range(len(text)):
            candidates = self._by_name.get(text[start:], [])
            fits = [key for key, path in candidates if self._leads(text[:start], path)]
            if fits:
                full = [key for key in fits if self._names[key][0] == text[start:]]
                return full or fits
        return []

    def _leads(self, rest: str, path: str) -> bool:
        """Whether `rest` is made of names of ancestors in order, some left out."""
        for key in [int(part) for part in path.strip("/").split("/")][:-1]:
            for name in self._names.get(key, ()):
                if rest.startswith(name):
                    rest = rest.removeprefix(name)
                    break
        return not rest


class CountyResolver(Resolver):
    """Finds counties and functional zones, for what only they decide.

    Args:
        default: the place of rows that name none, as typed.
        area: the path of a region; places outside it are refused.

    Raises:
        Invalid: the default is no county.
    """

    def __init__(self, default: str | None = None, area: str | None = None) -> None:
        super().__init__()
        self._area = area
        self._default: int | None = None
        if default:
            found = self.place(default)
            if isinstance(found, str):
                raise Invalid({"--region": [found]})
            self._default = found

    def place(self, text: str | None) -> int | str:
        """The id of the county meant, or a sentence that says what is wrong."""
        if not text:
            return self._default or "请填地区：县（市、区）或功能区的代码或全称。"
        found = self.find(text)
        if isinstance(found, int) and found not in self._counties:
            return f"「{text[:20]}」不是县（市、区）或功能区，这里只由县级填写。"
        if isinstance(found, int) and not self.lies_in(found, self._area):
            return f"「{text[:20]}」不在您负责的地区，只能填本地区的县（市、区）。"
        return found


@dataclass(frozen=True)
class LeadingIndustryView:
    """A leading industry of a county; `value` is what the search filters by."""

    region_id: int
    code: str
    position: int
    name: str
    keywords: Sequence[str]
    source: str | None

    @property
    def value(self) -> str:
        return f"{self.code}:{self.name}"


def _industries() -> Any:
    return (
        select(
            LeadingIndustry.region_id,
            Region.code,
            LeadingIndustry.position,
            LeadingIndustry.name,
            LeadingIndustry.keywords,
            LeadingIndustry.source,
        )
        .join(Region, Region.id == LeadingIndustry.region_id)
        .order_by(Region.code, LeadingIndustry.position)
    )


def leading_industries(region_ids: Iterable[int]) -> list[LeadingIndustryView]:
    """Leading industries of these regions, by code and position."""
    query = _industries().where(LeadingIndustry.region_id.in_(set(region_ids)))
    return [LeadingIndustryView(*row) for row in db.session.execute(query)]


def all_leading_industries() -> list[LeadingIndustryView]:
    """Leading industries of all counties, by code and position."""
    return [LeadingIndustryView(*row) for row in db.session.execute(_industries())]


def industries_version() -> str | None:
    """Changes with every import of leading industries; None before the first."""
    query = select(ReferenceData.version).where(ReferenceData.name == INDUSTRIES_VERSION)
    return db.session.scalar(query)
