"""Reading a table: the file is judged before it is opened, the header before any row."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from market.core.sheets.model import (
    ENDINGS,
    MOST_CELLS,
    MOST_ROWS,
    MOST_UNPACKED,
    Column,
    FileRefused,
    Problem,
    Row,
)
from market.core.text import fold

_LONGEST_CELL = 16 * 1024 * 1024
_ROW = re.compile(rb'<row [^>]*?\br="(\d+)"')
_FAR_CELL = re.compile(rb'<c r="[A-Z]{3}')
_CHUNK = 4 * 1024 * 1024


@dataclass
class Table:
    """A readable table: rows in order, and what is odd about its header."""

    rows: Iterator[Row]
    warnings: list[Problem]


def open_table(path: Path, columns: Sequence[Column]) -> Table:
    """Open a file whose header names `columns` in Chinese or English.

    Raises:
        FileRefused: wrong ending, empty, damaged, too large, merged or missing header; the
            message names the place and says how to mend it.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise FileRefused(
            f"不支持「{path.suffix or path.name}」文件，请另存为 XLSX、XLS、CSV、JSONL 或 JSON。"
        )
    try:
        size = path.stat().st_size
    except OSError as error:
        raise FileRefused(f"打不开文件 {path.name}：请检查路径是否正确。") from error
    if size == 0:
        raise FileRefused("文件是空的，请检查是否选错了文件。")
    if size > MOST_UNPACKED:
        raise FileRefused("文件超过 300 MB，请分成几个文件。")
    if ending in {".jsonl", ".json"}:
        return Table(_json_rows(path, columns), [])
    grid = _sheet_grid(path, ending) if ending != ".csv" else _csv_grid(path)
    return _with_header(grid, columns, letters=ending != ".csv")


def _with_header(
    grid: Iterator[tuple[int, Sequence[Any]]], columns: Sequence[Column], *, letters: bool
) -> Table:
    head = next(((n, row) for n, row in grid if any(str(c).strip() for c in row)), None)
    if head is None:
        raise FileRefused("文件里没有内容，第一行应为表头。")
    number, cells = head
    known = {fold(name): c for c in columns for name in (c.label, c.key, *c.also)}
    places: dict[int, Column] = {}
    warnings: list[Problem] = []
    for place, cell in enumerate(cells):
        header = str(cell).strip()
        column = known.get(fold(header.removesuffix("*"))) if header else None
        address = f"{_letter(place)}{number}" if letters else f"第 {place + 1} 列"
        if column is None:
            if header:
                message = f"不认识这个表头，整列未导入：「{header[:20]}」。"
                warnings.append(Problem(number, "", address, header[:60], message, True))
        elif column in places.values():
            raise FileRefused(f"{address}：表头「{header}」重复，请删去一列。")
        else:
            places[place] = column
    _require(places, columns, number)
    return Table(_rows(grid, places, letters), warnings)


def _require(places: dict[int, Column], columns: Sequence[Column], number: int) -> None:
    if not places:
        expected = "、".join(c.label for c in columns[:6])
        raise FileRefused(
            f"第 {number} 行应为表头，没有认出任何一列。表头应如：{expected}……"
            "（market template 可生成模板）。"
        )
    missing = [c.label for c in columns if c.required and c not in places.values()]
    if missing:
        raise FileRefused(f"表头缺少必填的列：{'、'.join(missing)}。")


def _rows(
    grid: Iterator[tuple[int, Sequence[Any]]], places: dict[int, Column], letters: bool
) -> Iterator[Row]:
    addresses = {c.key: _letter(place) for place, c in places.items()} if letters else {}
    labels = {c.key: c.label for c in places.values()}
    keys = [(place, c.key) for place, c in places.items()]
    for count, (number, cells) in enumerate(_filled(grid), 1):
        if count > MOST_ROWS:
            raise FileRefused(f"超过 {MOST_ROWS:,} 行，请分成几个文件导入。")
        values = {key: cells[place] for place, key in keys if place < len(cells)}
        yield Row(number, values, addresses, labels)


def _filled(grid: Iterator[tuple[int, Sequence[Any]]]) -> Iterator[tuple[int, Sequence[Any]]]:
    return ((number, cells) for number, cells in grid if any(cell != "" for cell in cells))


def _letter(place: int) -> str:
    """Column letters of a spreadsheet: 0 → A, 26 → AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _sheet_grid(path: Path, ending: str) -> Iterator[tuple[int, Sequence[Any]]]:
    from python_calamine import CalamineError, CalamineWorkbook

    if ending == ".xlsx":
        _judge_zip(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
        if not book.sheet_names:
            raise FileRefused("工作簿里没有工作表。")
        sheet = book.get_sheet_by_index(0)
    except (CalamineError, OSError, ValueError) as error:
        raise FileRefused(
            "文件打不开：可能已损坏、加了密码，或内容不是表格。请在表格软件里另存为 XLSX 再试。"
        ) from error
    if sheet.total_height > MOST_ROWS + 1 or sheet.total_height * sheet.total_width > MOST_CELLS:
        _too_large(sheet.total_height, sheet.total_width)
    for first, last in sheet.merged_cell_ranges or ():
        if first[0] == 0:
            area = f"{_letter(first[1])}{first[0] + 1}:{_letter(last[1])}{last[0] + 1}"
            raise FileRefused(f"表头有合并单元格（{area}）：请取消合并，表头只占第一行。")
    start = (sheet.start or (0, 0))[0]
    return ((start + n, cells) for n, cells in enumerate(sheet.iter_rows(), 1))


def _too_large(rows: int, columns: int) -> None:
    raise FileRefused(
        f"表格有 {rows:,} 行 {columns:,} 列，最多 {MOST_ROWS:,} 行、{MOST_CELLS:,} 个单元格："
        "请分成几个文件，并删去下方和右侧多余的行列。"
    )


def _judge_zip(path: Path) -> None:
    """Refuse an XLSX that unpacks to too much, or has cells far away, before it is opened."""
    try:
        with zipfile.ZipFile(path) as package:
            if sum(item.file_size for item in package.infolist()) > MOST_UNPACKED:
                raise FileRefused("文件解压后超过 300 MB，请分成几个文件。")
            left = MOST_UNPACKED
            for item in package.infolist():
                left = _judge_part(package, item, left)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError) as error:
        raise FileRefused(
            "文件内容不是 XLSX（可能是改了扩展名，或已损坏）：请在表格软件里另存为 XLSX 再试。"
        ) from error
    except RuntimeError as error:  # what zipfile says of an encrypted part
        raise FileRefused("文件加了密码，请去掉密码再导入。") from error


def _judge_part(package: zipfile.ZipFile, item: zipfile.ZipInfo, left: int) -> int:
    is_sheet = item.filename.startswith("xl/worksheets/") and item.filename.endswith(".xml")
    tail = b""
    with package.open(item) as part:
        while chunk := part.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise FileRefused("文件解压后超过 300 MB，请分成几个文件。")
            if is_sheet:
                seen = tail + chunk
                if _FAR_CELL.search(seen):
                    raise FileRefused("有内容在第 702 列以外，请删去右侧多余的列。")
                last = max((int(m) for m in _ROW.findall(seen)), default=0)
                if last > MOST_ROWS + 1:
                    _too_large(last, 1)
                tail = chunk[-200:]
    return left


def _decode(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileRefused("看不懂文件的文字编码，请另存为 UTF-8 的 CSV 或 XLSX。")


def _csv_grid(path: Path) -> Iterator[tuple[int, Sequence[Any]]]:
    text = _decode(path.read_bytes()).replace("\x00", "")
    head = text[: text.find("\n") + 1] or text
    delimiter = max(",\t;", key=head.count)
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            # Our own files guard cells that begin like a formula with an apostrophe.
            plain = [c[1:] if c[:1] == "'" and c[1:2] in "=+-@" else c for c in cells]
            yield reader.line_num, plain
    except csv.Error as error:
        raise FileRefused(f"第 {reader.line_num} 行的引号或分隔符有误，请检查。") from error


def _json_rows(path: Path, columns: Sequence[Column]) -> Iterator[Row]:
    known = {fold(name): c.key for c in columns for name in (c.label, c.key, *c.also)}
    labels = {c.key: c.label for c in columns}
    for count, (number, record) in enumerate(_records(_decode(path.read_bytes())), 1):
        if count > MOST_ROWS:
            raise FileRefused(f"超过 {MOST_ROWS:,} 行，请分成几个文件导入。")
        if not isinstance(record, dict):
            raise FileRefused(f'第 {number} 行应为 JSON 对象，如 {{"title": "…"}}。')
        values = {known[fold(k)]: v for k, v in record.items() if fold(k) in known}
        yield Row(number, values, {}, labels)


def _records(text: str) -> Iterator[tuple[int, Any]]:
    """The objects of JSON Lines, or of one array, numbered from 1."""
    if text.lstrip()[:1] == "[":
        try:
            yield from enumerate(json.loads(text), 1)
        except ValueError as error:
            raise FileRefused("文件不是完整的 JSON 数组。") from error
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise FileRefused(f"第 {number} 行不是完整的 JSON 对象。") from error
