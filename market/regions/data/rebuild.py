"""Make ``divisions.csv.gz`` again from an unpacked ``china-division`` distribution.

Usage: ``python market/regions/data/rebuild.py DIST_FOLDER`` where DIST_FOLDER holds
``provinces.json``, ``cities.json``, ``areas.json`` and ``streets.json``. The same input and the
same release of pypinyin give the same rows; the same zlib gives the same bytes as well.
"""

import csv
import gzip
import io
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pypinyin import Style, lazy_pinyin, load_phrases_dict, load_single_dict

HERE = Path(__file__).resolve().parent
TARGET = HERE / "divisions.csv.gz"
READINGS = HERE / "readings.csv"

Record = dict[str, str]


class Division(NamedTuple):
    """One row of ``divisions.csv.gz``; every field is text, ``parent_code`` may be empty."""

    code: str
    name: str
    short_name: str
    level: str
    kind: str
    parent_code: str
    pinyin: str
    initials: str


class Place(NamedTuple):
    """A division before its short name is turned into letters."""

    code: str
    name: str
    short_name: str
    level: str
    kind: str
    parent_code: str


class Source(NamedTuple):
    """The four lists of the distribution, codes as printed there (2, 4, 6 and 9 digits)."""

    provinces: list[Record]
    cities: list[Record]
    areas: list[Record]
    streets: list[Record]


# Without mainland codes below them, hence missing from the statistical list.
OUTSIDE_THE_LIST = (
    Place("710000", "台湾省", "台湾", "province", "province", ""),
    Place("810000", "香港特别行政区", "香港", "province", "sar", ""),
    Place("820000", "澳门特别行政区", "澳门", "province", "sar", ""),
)

# Headings of the statistical list that gather counties; nobody lives in a place of that name.
PLACEHOLDER_CITIES = frozenset({"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})

MUNICIPALITIES = frozenset({"11", "12", "31", "50"})

# Cut from the end of a name in pairs of (ending of the full name, kind); first match wins.
PREFECTURE_KINDS = (
    ("自治州", "autonomous_prefecture"),
    ("地区", "prefecture"),
    ("盟", "league"),
    ("市", "prefecture_city"),
)
COUNTY_KINDS = (
    ("自治县", "autonomous_county"),
    ("自治旗", "autonomous_banner"),
    ("神农架林区", "special"),
    ("六枝特区", "special"),
    ("行政委员会", "special"),
    ("县", "county"),
    ("区", "district"),
    ("市", "county_city"),
    ("旗", "banner"),
)

# A people's name inside a place name either ends in 族 or, if long, may stand alone.
PEOPLES_WITH_ZU = (
    "各|蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|拉祜|水|"
    "东乡|纳西|景颇|柯尔克孜|土|达斡尔|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|怒|乌孜别克|"
    "俄罗斯|鄂温克|德昂|保安|裕固|京|塔塔尔|独龙|鄂伦春|赫哲|门巴|珞巴|基诺|高山"
)
PEOPLES_ALONE = (
    "蒙古|维吾尔|哈萨克|柯尔克孜|塔吉克|锡伯|达斡尔|鄂温克|鄂伦春|俄罗斯|乌孜别克|塔塔尔|门巴|珞巴"
)
PEOPLES = re.compile(f"^(.{{2,}}?)(?:(?:{PEOPLES_WITH_ZU})族|{PEOPLES_ALONE})+$")

# Banners that are told apart by a direction or are themselves named after a coloured flag.
BANNER_KEPT_WHOLE = re.compile(r"(?:[前后左右中]|[白黄蓝红])旗$")
STREET_ENDING = re.compile(r"(?:街道办事处|街道地区|街道|地区办事处|地区)$")
STATISTICAL_ENDING = re.compile(r"(?:街道办事处|街道|(?<![乡小])镇|乡)$")
RURAL_ENDING = re.compile(r"(?:镇|民族乡|乡|民族苏木|苏木)$")

ZONE_ABBREVIATIONS = (
    ("高新技术产业开发区", "高新区"),
    ("高新技术产业园区", "高新区"),
    ("高新技术开发区", "高新区"),
    ("高技术产业开发区", "高新区"),
    ("经济技术开发区", "经开区"),
    ("经济开发区", "经开区"),
    ("管委会", ""),
)

# Names whose spoken form no rule gives.
SHORT_NAMES = {
    "130107": "井陉矿区",
    "460321": "西沙",
    "460322": "南沙",
    "460323": "中沙",
    "429021": "神农架",
    "520203": "六枝",
}


def read_source(folder: Path) -> Source:
    """Read the four lists.

    :param folder: the unpacked ``dist`` folder.
    :raises FileNotFoundError: when a list is missing.
    """
    names = ("provinces", "cities", "areas", "streets")
    lists = [json.loads((folder / f"{name}.json").read_text("utf-8")) for name in names]
    return Source(*lists)


def without_people(stem: str) -> str:
    """Drop the peoples' names at the end of a stem: 恩施土家族苗族 gives 恩施."""
    found = PEOPLES.match(stem)
    if found:
        return found.group(1)
    return stem.removesuffix("族")


def cut(name: str, ending: str) -> str:
    """Drop an ending where at least two characters remain; 理县 and 城区 stay whole."""
    stem = name.removesuffix(ending)
    return stem if len(stem) >= 2 else name


def kind_by_ending(name: str, kinds: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """The (ending, kind) of a name; an unknown form of county is ``special``."""
    for ending, kind in kinds:
        if name.endswith(ending):
            return ending, kind
    return "", "special"


def province_places(provinces: list[Record]) -> Iterator[Place]:
    """Provinces, municipalities and autonomous regions, then the three outside the list."""
    for row in provinces:
        name = row["name"]
        if name.endswith("自治区"):
            kind, short = "autonomous_region", without_people(name.removesuffix("自治区"))
        elif row["code"] in MUNICIPALITIES:
            kind, short = "municipality", name.removesuffix("市")
        else:
            kind, short = "province", name.removesuffix("省")
        yield Place(row["code"] + "0000", name, short, "province", kind, "")
    yield from OUTSIDE_THE_LIST


def prefecture_places(cities: list[Record]) -> Iterator[Place]:
    """Prefecture-level divisions without the placeholder headings."""
    for row in cities:
        name = row["name"]
        if name in PLACEHOLDER_CITIES:
            continue
        ending, kind = kind_by_ending(name, PREFECTURE_KINDS)
        short = cut(name, ending)
        if kind == "autonomous_prefecture":
            short = without_people(short)
        parent = row["provinceCode"] + "0000"
        yield Place(row["code"] + "00", name, short, "prefecture", kind, parent)


def is_zone(code: str) -> bool:
    """Whether a six-digit code is a statistical zone (last two digits 71 to 79)."""
    return 71 <= int(code[4:]) <= 79


def zone_short_name(name: str, province: str, prefecture: str) -> str:
    """河北唐山芦台经济开发区 gives 唐山芦台经开区; the prefecture is cut to its short form."""
    bare = re.sub("(?:市|盟|地区)$", "", prefecture)
    if name.startswith(province + bare):
        name = name.removeprefix(province)
    if name.startswith(prefecture):
        name = bare + name.removeprefix(prefecture)
    for ending, abbreviation in ZONE_ABBREVIATIONS:
        if name.endswith(ending):
            return name.removesuffix(ending) + abbreviation
    return name


def county_short_name(code: str, name: str, ending: str, kind: str) -> str:
    """What people say for a county-level division: 东坡, 互助, 理县, 科尔沁左翼中旗."""
    if code in SHORT_NAMES:
        return SHORT_NAMES[code]
    if kind == "banner":
        return name if BANNER_KEPT_WHOLE.search(name) else cut(name.replace("联合旗", "旗"), "旗")
    if kind in ("autonomous_county", "autonomous_banner"):
        return without_people(name.removesuffix(ending))
    if kind == "district":
        for long_ending in ("新区", "矿区"):
            if name.endswith(long_ending) and len(name) >= 4:
                return name.removesuffix(long_ending)
        return without_people(cut(name, ending)) if name.endswith("族区") else cut(name, ending)
    return cut(name, ending)


def county_places(source: Source) -> Iterator[Place]:
    """County-level divisions; a city without counties has no row of its own here."""
    provinces = {place.code: place.short_name for place in province_places(source.provinces)}
    cities = {row["code"]: row["name"] for row in source.cities}
    for row in source.areas:
        code, name, city = row["code"], row["name"], cities[row["cityCode"]]
        if name == city:
            continue
        province = row["provinceCode"] + "0000"
        parent = province if city in PLACEHOLDER_CITIES else row["cityCode"] + "00"
        if is_zone(code):
            short = zone_short_name(name, provinces[province], city)
            yield Place(code, name, short, "county", "zone", parent)
            continue
        ending, kind = kind_by_ending(name, COUNTY_KINDS)
        short = county_short_name(code, name, ending, kind)
        yield Place(code, name, short, "county", kind, parent)


def township_kind(code: str, name: str) -> str:
    """The kind by the class digit of the code, see the README; the name tells townships apart."""
    number = int(code[6:])
    if number < 100:
        return "street"
    if number < 200:
        return "town"
    if number >= 400:
        return "statistical"
    if name.endswith("苏木"):
        return "sumu"
    return "ethnic_township" if name.endswith("族乡") else "township"


def township_short_name(name: str, kind: str, city: str, county: str) -> str:
    """白马镇 gives 白马, 当阳市淯溪镇 gives 淯溪, 沙后所满族镇 gives 沙后所, 九镇 stays whole."""
    if kind == "statistical":
        stem = STATISTICAL_ENDING.sub("", name)
        return stem if len(stem) >= 2 else name
    local = name.removeprefix(city).removeprefix(county)
    ending = STREET_ENDING if kind == "street" else RURAL_ENDING
    for full in (local, name):
        stem = ending.sub("", full)
        if kind != "street" and (found := PEOPLES.match(stem)):
            stem = found.group(1)
        if len(stem) >= 2:
            return stem
    return name


def is_township_placeholder(row: Record, county: str) -> bool:
    """Rows that stand for villages without a township, or repeat the county (金门县)."""
    return row["name"].endswith("直辖村级区划") or row["name"] == county


def township_places(source: Source) -> Iterator[Place]:
    """Townships below their county, or below the prefecture where that has no counties."""
    cities = {row["code"]: row["name"] for row in source.cities}
    areas = {row["code"]: row["name"] for row in source.areas}
    for row in source.streets:
        county, city = areas[row["areaCode"]], row["cityCode"]
        if is_township_placeholder(row, county):
            continue
        parent = city + "00" if county == cities[city] else row["areaCode"]
        kind = township_kind(row["code"], row["name"])
        short = township_short_name(row["name"], kind, cities[city], county)
        yield Place(row["code"], row["name"], short, "township", kind, parent)


class Reading(NamedTuple):
    """Syllables of a name that the general dictionary reads in another way.

    Scope ``all`` corrects the dictionary itself, ``place`` only a county or above of that name.
    """

    name: str
    syllables: str
    scope: str


def read_readings(path: Path = READINGS) -> list[Reading]:
    """Read the exceptions.

    :raises ValueError: when there is not one syllable for each character.
    """
    with path.open(encoding="utf-8", newline="") as file:
        readings = [Reading(**row) for row in csv.DictReader(file)]
    for reading in readings:
        if len(reading.syllables.split(" ")) != len(reading.name):
            raise ValueError(f"bad reading: {reading}")
    return readings


def correct_dictionary(readings: list[Reading]) -> None:
    """Give pypinyin the readings of scope ``all``, for this process only."""
    for name, syllables, scope in readings:
        if scope == "all" and len(name) == 1:
            load_single_dict({ord(name): syllables})
        elif scope == "all":
            load_phrases_dict({name: [[syllable] for syllable in syllables.split(" ")]})


def syllables_of(place: Place, readings: Mapping[str, str]) -> list[str]:
    """Toneless syllables of the short name, plain letters a to z, ü written v."""
    if place.level != "township" and place.short_name in readings:
        return readings[place.short_name].split(" ")
    letters = lazy_pinyin(place.short_name, style=Style.NORMAL, errors="ignore")
    return [re.sub("[^a-z]", "", syllable) for syllable in letters]


def spelled(place: Place, readings: Mapping[str, str]) -> Division:
    """The finished row of a place."""
    syllables = [syllable for syllable in syllables_of(place, readings) if syllable]
    initials = "".join(syllable[0] for syllable in syllables)
    return Division(*place, "".join(syllables), initials)


def check(rows: list[Division], readings: Mapping[str, str]) -> None:
    """Refuse a table with repeated codes, orphans, empty fields or readings that nothing uses.

    :raises ValueError: with the first offender.
    """
    codes = {row.code for row in rows}
    if len(codes) != len(rows):
        raise ValueError("a code occurs twice")
    for row in rows:
        orphan = row.parent_code not in codes if row.parent_code else row.level != "province"
        if orphan or not all((row.short_name, row.pinyin, row.initials)):
            raise ValueError(f"bad row: {row}")
    used = {row.short_name for row in rows if row.level != "township"}
    if unused := readings.keys() - used:
        raise ValueError(f"readings of unknown places: {sorted(unused)}")


def divisions(source: Source, readings: list[Reading]) -> list[Division]:
    """All rows, parents before children, each level in the order of its codes."""
    correct_dictionary(readings)
    places = {reading.name: reading.syllables for reading in readings if reading.scope == "place"}
    levels = (
        province_places(source.provinces),
        prefecture_places(source.cities),
        county_places(source),
        township_places(source),
    )
    rows = [spelled(place, places) for level in levels for place in sorted(level)]
    check(rows, places)
    return rows


def packed(rows: list[Division]) -> bytes:
    """The rows as a gzip-compressed CSV file without name or time stamp inside."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Division._fields)
    writer.writerows(rows)
    return gzip.compress(text.getvalue().encode("utf-8"), compresslevel=9, mtime=0)


def main(folder: Path) -> None:
    """Write ``divisions.csv.gz`` beside this script and print the number of rows."""
    rows = divisions(read_source(folder), read_readings())
    TARGET.write_bytes(packed(rows))
    print(f"{TARGET.name}: {len(rows)} rows, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: rebuild.py DIST_FOLDER")
    main(Path(sys.argv[1]))
