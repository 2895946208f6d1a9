"""Reading a table: the file is judged before it is opened, the header before any row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from market.core.sheets import books, texts
from market.core.sheets.books import Grid, Range
from market.core.sheets.model import (
    ENDINGS,
    MOST_ROWS,
    MOST_UNPACKED,
    Column,
    FileRefused,
    Problem,
    Row,
    readable,
    too_large,
)
from market.core.text import fold

_HEADER_WITHIN = 5  # rows that may stand above the header: a title, who filled it in
_MARKS = re.compile(r"必填|选填|可选")
_WAN = "万元"
_BARE_AMOUNT = re.compile(r"[\d,，.\s~～\-－—–至到]+")


class _NothingHere(FileRefused):
    """This sheet has no known header or no rows; another one may."""


@dataclass
class Table:
    """A readable table: rows in order, and what is odd about its header."""

    rows: Iterator[Row]
    warnings: list[Problem]
    sheet: str = ""  # its name in a workbook


def open_table(path: Path, columns: Sequence[Column]) -> Table:
    """Open a file whose header names `columns` in Chinese or English.

    What is inside counts, not the ending alone: a workbook named .csv is read as a workbook.

    Raises:
        FileRefused: wrong ending, empty, damaged, too large, merged or missing header, no rows;
            the message names the place and says how to mend it.
    """
    name, ending = readable(path.name), path.suffix.lower()
    if ending not in ENDINGS:
        raise FileRefused(
            f"不支持「{readable(path.suffix) or name}」文件，"
            "请另存为 XLSX、XLS、CSV、JSONL 或 JSON。"
        )
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4096)
    except (OSError, ValueError) as error:
        raise FileRefused(f"打不开文件 {name}：请检查路径是否正确、能否读取。") from error
    if size == 0:
        raise FileRefused("文件是空的，请检查是否选错了文件。")
    if size > MOST_UNPACKED:
        raise FileRefused("文件超过 300 MB，请分成几个文件。")
    if books.is_workbook(head):
        return _workbook(path, columns)
    if ending in {".xlsx", ".xls"}:
        raise FileRefused(books.what_else(head))
    if ending == ".csv":
        return _with_rows(_with_header(texts.csv_grid(path), columns, _Layout(ragged=False)))
    return _with_rows(Table(texts.json_rows(path, columns), []))


def _with_rows(table: Table) -> Table:
    """The same table; refused when nothing stands below its header."""
    first = next(table.rows, None)
    if first is None:
        raise _NothingHere("只有表头，没有数据行：请检查是否选错了文件或工作表。")
    return Table(chain([first], table.rows), table.warnings)


def _workbook(path: Path, columns: Sequence[Column]) -> Table:
    """The first sheet with a known header; others that have one are named in a warning."""
    chosen, name, chosen_name = None, "", ""
    refusal: FileRefused | None = None
    for sheet in books.open_sheets(path):
        try:
            table = _with_header(sheet.grid, columns, _Layout(sheet.merged))
            if chosen is None:
                chosen, name = _with_rows(table), readable(sheet.name)[:20]
                chosen_name = sheet.name
            elif next(table.rows, None) is not None:
                chosen.warnings.append(_other_sheet(readable(sheet.name)[:20], name))
        except FileRefused as error:
            if chosen is None and not isinstance(error, _NothingHere):
                raise
            refusal = refusal or error
    if chosen is None:
        raise refusal or FileRefused("文件里没有内容，第一行应为表头。")
    return replace(chosen, sheet=chosen_name)


def _other_sheet(other: str, name: str) -> Problem:
    message = f"这次只导入工作表「{name}」，「{other}」没有导入。"
    return Problem(0, "", f"工作表「{other}」", "", message, True)


@dataclass(frozen=True)
class _Layout:
    """What a grid may look like: merged areas, and whether rows may be longer than the header."""

    merged: Sequence[Range] = ()
    ragged: bool = True


@dataclass
class _Header:
    """Where the columns stand, and where the row is blank."""

    number: int
    places: dict[int, Column]
    width: int
    blank: list[int] = field(default_factory=list)
    in_wan: set[int] = field(default_factory=set)
    warnings: list[Problem] = field(default_factory=list)


def _with_header(grid: Grid, columns: Sequence[Column], layout: _Layout) -> Table:
    known = {fold(name): c for c in columns for name in (c.label, c.key, *c.also)}
    above: list[Problem] = []
    for count, (number, cells) in enumerate(_filled(grid)):
        header = _header(number, cells, known)
        _refuse_merged(number, layout.merged)
        if header.places:
            _require(header, columns)
            warnings = above + header.warnings
            return Table(_rows(grid, header, layout, warnings), warnings)
        message = "不是表头，已跳过。"
        above.append(Problem(number, "", f"第 {number} 行", readable(cells[0]), message, True))
        if count + 1 == _HEADER_WITHIN:
            break
    if not above:
        raise _NothingHere("文件里没有内容，第一行应为表头。")
    expected = "、".join(c.label for c in columns[:6])
    raise _NothingHere(
        f"第 {above[0].row} 行应为表头，没有认出任何一列。表头应如：{expected}……"
        "（market template 可生成模板）。"
    )


def _header(number: int, cells: Sequence[Any], known: Mapping[str, Column]) -> _Header:
    """Which columns a row names; the same one twice is refused."""
    header = _Header(number, {}, len(cells))
    taken: dict[str, str] = {}
    for place, cell in enumerate(cells):
        name = str(cell).strip()
        if not name:
            header.blank.append(place)
            continue
        address = f"{letters(place)}{number}"
        column = _named(name, known)
        if column is None and (column := _in_yuan(name, known)) is not None:
            header.in_wan.add(place)
        if column is None:
            message = f"不认识这个表头，整列未导入：「{readable(name)[:20]}」。"
            header.warnings.append(Problem(number, "", address, readable(name), message, True))
        elif column.key in taken:
            raise FileRefused(
                f"{address}：表头「{readable(name)[:20]}」与 {taken[column.key]} 重复，请删去一列。"
            )
        else:
            header.places[place] = column
            taken[column.key] = address
    return header


def _named(name: str, known: Mapping[str, Column]) -> Column | None:
    """The column that a header means: `名称`, `名称*`, `名称（必填）`."""
    return known.get(fold(name)) or known.get(fold(_MARKS.sub("", name)))


def _in_yuan(name: str, known: Mapping[str, Column]) -> Column | None:
    """A column that is kept in 元 and here headed 万元."""
    return _named(name.replace(_WAN, "元"), known) if _WAN in name else None


def _refuse_merged(number: int, merged: Sequence[Range]) -> None:
    for first, last in merged:
        if first[0] < number <= last[0] + 1:
            area = f"{letters(first[1])}{first[0] + 1}:{letters(last[1])}{last[0] + 1}"
            raise FileRefused(f"表头有合并单元格（{area}）：请取消合并，删去标题行，表头只占一行。")


def _require(header: _Header, columns: Sequence[Column]) -> None:
    present = {column.key for column in header.places.values()}
    missing = [c.label for c in columns if c.required and c.key not in present]
    if missing:
        words = f"第 {header.number} 行的表头缺少必填的列：{'、'.join(missing)}。"
        if unknown := [one.value for one in header.warnings]:
            # A system that renamed its columns: which ones it has now says what to do.
            words += f"没有认出的表头：{'、'.join(unknown[:10])}。"
        raise FileRefused(words)


def _rows(grid: Grid, header: _Header, layout: _Layout, warnings: list[Problem]) -> Iterator[Row]:
    addresses = {c.key: letters(place) for place, c in header.places.items()}
    labels = {c.key: c.label for c in header.places.values()}
    count = 0
    headless: set[int] = set()
    for number, cells in _unmerged(grid, layout.merged):
        values = {
            column.key: _in_unit(cells[place] if place < len(cells) else "", place in header.in_wan)
            for place, column in header.places.items()
        }
        if all(_blank(value) for value in values.values()):
            continue
        count += 1
        if count > MOST_ROWS:
            raise too_large(count, 0)
        row = Row(number, values, addresses, labels)
        _report_headless(row, cells, header, layout, headless)
        yield row


def _report_headless(
    row: Row, cells: Sequence[Any], header: _Header, layout: _Layout, seen: set[int]
) -> None:
    """Cells below no header: notes at the side of a sheet, or a comma too much in a CSV."""
    if len(cells) <= header.width and not header.blank:
        return
    for place in (*header.blank, *range(header.width, len(cells))):
        if place >= len(cells) or _blank(cells[place]) or place in seen:
            continue
        address = f"{letters(place)}{row.number}"
        if layout.ragged or place < header.width:
            seen.add(place)
            message = "这一列没有表头，未导入。"
            row.report_at(address, "", cells[place], message, warning=True)
        else:
            message = "这一行比表头多出内容，后面的格可能错位：含逗号的内容请用英文双引号括起来。"
            row.report_at(address, "", cells[place], message)
            return


def _in_unit(value: Any, wan: bool) -> Any:
    """A bare number below a header in 万元 gets the unit."""
    if not wan or _blank(value) or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return f"{value:.15g}万"
    return f"{value}万" if _BARE_AMOUNT.fullmatch(str(value)) else value


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _filled(grid: Grid) -> Grid:
    return ((number, cells) for number, cells in grid if not all(_blank(cell) for cell in cells))


def _unmerged(grid: Grid, merged: Sequence[Range]) -> Grid:
    """Rows in which a cell merged downwards stands in each of its rows, as a reader sees it."""
    starts: dict[int, list[tuple[int, int]]] = {}
    for (top, left), (bottom, right) in merged:
        if left == right and top < bottom:
            starts.setdefault(top + 1, []).append((left, bottom + 1))
    running: dict[int, tuple[int, Any]] = {}  # column → last row, value
    for number, cells in grid:
        filled = list(cells)
        for column, (last, value) in list(running.items()):
            if number > last:
                del running[column]
            elif column < len(filled) and _blank(filled[column]):
                filled[column] = value
        for column, last in starts.get(number, ()):
            if column < len(filled) and not _blank(filled[column]):
                running[column] = (last, filled[column])
        yield number, filled


def letters(place: int) -> str:
    """Column letters of a spreadsheet: 0 → A, 26 → AA."""
    made = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        made = chr(65 + rest) + made
    return made
