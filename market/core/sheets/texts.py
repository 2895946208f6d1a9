"""Tables in text files: CSV in any usual encoding, JSON Lines and JSON."""

from __future__ import annotations

import codecs
import csv
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from market.core.sheets.model import (
    MOST_CELLS,
    MOST_ROWS,
    Column,
    FileRefused,
    Row,
    too_large,
)
from market.core.text import clean_line, fold

_LONGEST_CELL = 16 * 1024 * 1024
_CHUNK = 1024 * 1024
_BOMS = (  # UTF-32 first: its mark begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


def encoding_of(path: Path) -> str:
    """The encoding of a text file: by its mark, else UTF-8, else GB18030, else UTF-16.

    Raises:
        FileRefused: it is none of these.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    marked = next((name for mark, name in _BOMS if head.startswith(mark)), None)
    if marked:
        guesses = [marked]
    elif b"\x00" in head:
        little = head[1::2].count(0) > head[::2].count(0)
        guesses = ["utf-16-le" if little else "utf-16-be"]
    else:
        guesses = ["utf-8", "gb18030"]
    for name in guesses:
        if _decodes(path, name):
            return name
    raise FileRefused("看不懂文件的文字编码，请另存为 UTF-8 的 CSV 或 XLSX。")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            return False
    return True


# -- CSV


def csv_grid(path: Path) -> Iterator[tuple[int, Sequence[Any]]]:
    """Records of a CSV file, numbered as a spreadsheet shows them.

    The file is read once through before the first record is given, so that a fault at its end
    is known before anything is done with its beginning.

    Raises:
        FileRefused: unreadable text, quotes that do not match, too many rows or cells, an end
            in the middle of a row.
    """
    encoding = encoding_of(path)
    delimiter, skipped = _delimiter(path, encoding)
    csv.field_size_limit(_LONGEST_CELL)
    rows = cells = last = 0
    widths: Counter[int] = Counter()
    for record in _csv_records(path, encoding, delimiter):
        last = len(record)
        widths[last] += 1
        rows += any(record)
        cells += last
        if rows > MOST_ROWS + 1 or cells > MOST_CELLS:
            raise too_large(rows, cells)
    if last < min(widths.keys() - {0, last}, default=0) and widths[last] == 1:
        _refuse_broken_end(path, last)
    for number, record in enumerate(_csv_records(path, encoding, delimiter), 1):
        if number > skipped:
            # Our own files guard cells that begin like a formula with an apostrophe.
            yield number, [c[1:] if c[:1] == "'" and _is_guarded(c) else c for c in record]


def _refuse_broken_end(path: Path, width: int) -> None:
    """The last row is the shortest of all: without a line break after it the rest is missing."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4))
        end = file.read()
    if not end.rstrip(b"\0").endswith((b"\n", b"\r")):
        raise FileRefused(
            f"最后一行只有 {width} 格，也没有换行，文件可能没有传完：请重新取得完整的文件；"
            "若确实完整，请在末尾加一个换行，或另存为 XLSX。"
        )


def _is_guarded(cell: str) -> bool:
    return cell.lstrip("'")[:1] in {"=", "+", "-", "@"}


def _csv_records(path: Path, encoding: str, delimiter: str) -> Iterator[list[str]]:
    with path.open(encoding=encoding, newline="") as file:
        # strict: a quote that is never closed would swallow the rest of the file.
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            yield from reader
        except csv.Error as error:
            raise FileRefused(
                f"第 {reader.line_num} 行附近的引号不成对或内容太长，请检查，"
                "或在表格软件里另存为 XLSX。"
            ) from error


def _delimiter(path: Path, encoding: str) -> tuple[str, int]:
    """What separates the cells, and how many lines at the beginning only say so."""
    with path.open(encoding=encoding) as file:
        for number, line in enumerate(_lines(file), 1):
            text = line.strip("\n")
            if number == 1 and len(text) == 5 and text.lower().startswith("sep="):
                return text[4], 1
            if text.strip():
                best = max(",\t;", key=text.count)
                return (best if best in text else "，" if "，" in text else ","), 0
    return ",", 0


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(_LONGEST_CELL):
        yield line


# -- JSON


def json_rows(path: Path, columns: Sequence[Column]) -> Iterator[Row]:
    """Rows of JSON Lines, of one array, or of an object with one array.

    Raises:
        FileRefused: unreadable text, a line that is no object, too many rows or cells.
    """
    known = {fold(name): c.key for c in columns for name in (c.label, c.key, *c.also)}
    labels = {c.key: c.label for c in columns}
    strange: set[str] = set()
    cells = count = 0
    for count, (number, record) in enumerate(_records(path, known), 1):
        if not isinstance(record, dict):
            raise FileRefused(f'第 {number} 行应为 JSON 对象，如 {{"title": "…"}}。')
        cells += len(record)
        if count > MOST_ROWS or cells > MOST_CELLS:
            raise too_large(count, cells)
        row = Row(number, {}, {}, labels)
        for name, value in record.items():
            _take(row, name, value, known, strange)
        yield row
    if not count:
        raise FileRefused("文件里没有内容。")


def _take(row: Row, name: str, value: Any, known: Mapping[str, str], strange: set[str]) -> None:
    key = known.get(fold(name))
    if key is None:
        if len(strange) < 100 and name not in strange:
            strange.add(name)
            short = clean_line(name)[:20]
            message = f"不认识这一项，未导入：「{short}」（之后各行同样）。"
            row.report_at(f"第 {row.number} 行", short, value, message, warning=True)
    elif key in row.values and row.values[key] != value:
        row.values[key] = None
        row.report(key, f"写了两次而内容不同（另一次写作「{clean_line(name)[:20]}」）。")
    else:
        row.values[key] = value


def _records(path: Path, known: Mapping[str, str]) -> Iterator[tuple[int, Any]]:
    """The objects with their number: of the line in JSON Lines, else of the object."""
    encoding = encoding_of(path)
    with path.open(encoding=encoding) as file:
        first = next((line for line in _lines(file) if line.strip()), "")
    if path.suffix.lower() == ".json" or first.lstrip()[:1] == "[":
        whole = _whole(path, encoding, known)
        if whole is not None:
            yield from enumerate(whole, 1)
            return
    _count_lines(path, encoding)
    with path.open(encoding=encoding, newline="\n") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, _parsed(line, f"第 {number} 行不是完整的 JSON 对象。")


def _whole(path: Path, encoding: str, known: Mapping[str, str]) -> list[Any] | None:
    """The records of a file that is one JSON value; None for JSON Lines named .json.

    An object that holds none of the columns but one list of objects is a wrapper around it.
    """
    text = path.read_text(encoding=encoding)
    try:
        value = _parsed(text, "")
    except FileRefused:
        if text.lstrip()[:1] == "[":
            raise FileRefused("文件不是完整的 JSON 数组。") from None
        return None
    if isinstance(value, dict):
        lists = [v for v in value.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
        wrapper = len(lists) == 1 and not any(fold(name) in known for name in value)
        return lists[0] if wrapper else [value]
    return value if isinstance(value, list) else [value]


def _count_lines(path: Path, encoding: str) -> None:
    with path.open(encoding=encoding, newline="\n") as file:
        count = sum(not line.isspace() for line in file)
    if count > MOST_ROWS:
        raise too_large(count, 0)


def _parsed(text: str, message: str) -> Any:
    try:
        return json.loads(text, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise FileRefused(message) from error


def _constant(name: str) -> float:
    """NaN and Infinity are no JSON, but tools write them: the field refuses them by name."""
    return {"NaN": math.nan, "Infinity": math.inf}.get(name, -math.inf)
