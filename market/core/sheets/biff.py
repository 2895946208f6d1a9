"""Judging an XLS before it is opened, for the same reasons as an XLSX.

An XLS is a compound file (a small file system of sectors) with one stream of records. Formats:
[MS-CFB] and [MS-XLS], the published specifications of both.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from market.core.sheets.facts import SheetFacts
from market.core.sheets.model import MOST_CELLS, FileRefused

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END = 0xFFFFFFFA  # and above: no further sector
_MOST_SHEETS = 256
_DAMAGED = "文件内容不是完整的 XLS（可能已损坏）：请在表格软件里另存为 XLSX 再试。"
_PASSWORD = "文件加了密码，请去掉密码再导入。"

_EOF, _FILEPASS, _BOUNDSHEET, _DIMENSIONS = 0x000A, 0x002F, 0x0085, 0x0200
_BOOLERR, _MULRK = 0x0205, 0x00BD
_FORMULAS = frozenset({0x0006, 0x0206, 0x0406})
_CELLS = _FORMULAS | {0x0203, 0x0204, _BOOLERR, 0x027E, 0x00D6, 0x00FD, _MULRK}
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}


def judge_xls(path: Path) -> list[SheetFacts]:
    """Facts of each sheet in order.

    Raises:
        FileRefused: not an XLS, damaged, protected by a password, or too large.
    """
    try:
        stream = _workbook_stream(path.read_bytes())
        return _sheets(stream)
    except (struct.error, IndexError, ValueError) as error:
        raise FileRefused(_DAMAGED) from error


def _workbook_stream(data: bytes) -> bytes:
    if data[:8] != MAGIC:
        raise FileRefused(_DAMAGED)
    size = 1 << min(struct.unpack_from("<H", data, 30)[0], 16)
    first_directory, _, cutoff, first_mini = struct.unpack_from("<4I", data, 48)

    def sector(number: int) -> bytes:
        return data[(number + 1) * size : (number + 2) * size]

    table = _sector_table(data, size)

    def chain(first: int) -> bytes:
        return b"".join(sector(number) for number in _follow(table, first))

    found: dict[str, tuple[int, int]] = {}
    directory = chain(first_directory)
    for at in range(0, len(directory) - 127, 128):
        length = struct.unpack_from("<H", directory, at + 64)[0]
        name = directory[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
        first, stream_size = struct.unpack_from("<IQ", directory, at + 116)
        found.setdefault(name, (first, stream_size & 0xFFFFFFFF))
    if "EncryptedPackage" in found:
        raise FileRefused(_PASSWORD)
    book = found.get("Workbook") or found.get("Book")
    if book is None:
        raise FileRefused("文件内容不是表格（可能是改了扩展名）：请在表格软件里另存为 XLSX 再试。")
    first, length = book
    if length >= cutoff:
        return chain(first)[:length]
    minis = chain(found["Root Entry"][0]) if "Root Entry" in found else b""
    mini_table = _numbers(chain(first_mini))
    return b"".join(minis[n * 64 : n * 64 + 64] for n in _follow(mini_table, first))[:length]


def _sector_table(data: bytes, size: int) -> list[int]:
    """The chain table: for each sector the one that follows."""
    numbers = list(struct.unpack_from("<109I", data, 76))
    following, count = struct.unpack_from("<2I", data, 68)
    for _ in range(min(count, len(data) // size)):
        if following >= _END:
            break
        more = _numbers(data[(following + 1) * size : (following + 2) * size])
        numbers += more[:-1]
        following = more[-1]
    table: list[int] = []
    for number in numbers:
        if number < _END:
            table += _numbers(data[(number + 1) * size : (number + 2) * size])
    return table


def _numbers(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4]))


def _follow(table: list[int], first: int) -> Iterator[int]:
    """Sectors of a chain; one that runs in a circle is damaged."""
    left = len(table)
    while first < _END:
        if left < 0 or first >= len(table):
            raise FileRefused(_DAMAGED)
        yield first
        first, left = table[first], left - 1


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Kind and content of the records up to the next end mark."""
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<2H", stream, at)
        if kind == _EOF:
            return
        yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _sheets(stream: bytes) -> list[SheetFacts]:
    starts = []
    for kind, data in _records(stream, 0):
        if kind == _FILEPASS:
            raise FileRefused(_PASSWORD)
        if kind == _BOUNDSHEET:
            starts.append(struct.unpack_from("<I", data)[0])
    if not starts:
        raise FileRefused(_DAMAGED)
    if len(starts) > _MOST_SHEETS:
        raise FileRefused(f"工作簿有 {len(starts)} 张工作表，请只留要导入的一张。")
    sheets = [_sheet(stream, start) for start in starts]
    # The library lays out all sheets at once.
    if sum(sheet.rows * sheet.columns for sheet in sheets) > 2 * MOST_CELLS:
        raise FileRefused("工作簿里的表太多太大，请只留要导入的一张。")
    return sheets


def _sheet(stream: bytes, start: int) -> SheetFacts:
    facts = SheetFacts()
    for kind, data in _records(stream, start):
        if kind in _CELLS:
            row, column = struct.unpack_from("<2H", data)
            facts.use(row + 1, column + 1)
            if kind == _MULRK:
                facts.use(row + 1, struct.unpack_from("<H", data, len(data) - 2)[0] + 1)
            elif (error := _error(kind, data)) is not None:
                facts.note(row + 1, column + 1, error)
            if facts.rows * facts.columns > MOST_CELLS:
                facts.judge()
        elif kind == _DIMENSIONS and len(data) >= 12:
            first, last, left, right = struct.unpack_from("<2I2H", data)
            if (last - first) * (right - left) > 65536 * 256:
                raise FileRefused(_DAMAGED)
    facts.judge()
    return facts


def _error(kind: int, data: bytes) -> str | None:
    """The text of an error in a cell, if it holds one."""
    if kind == _BOOLERR and data[7]:
        return _ERRORS.get(data[6], "#VALUE!")
    if kind in _FORMULAS and data[12:14] == b"\xff\xff" and data[6] == 2:
        return _ERRORS.get(data[8], "#VALUE!")
    return None
