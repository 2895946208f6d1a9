"""A small XLS by hand: no library at hand writes the format any more.

A compound file of 512-byte sectors: the chain table, the directory, then the workbook's records
([MS-CFB], [MS-XLS]).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

FREE, END, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<2H", kind, len(data)) + data


def _bof(kind: int) -> bytes:
    return record(0x0809, struct.pack("<4H2I", 0x0600, kind, 0, 0, 0, 0))


def label(row: int, column: int, text: str) -> bytes:
    body = struct.pack("<4HB", row, column, 0, len(text), 1) + text.encode("utf-16-le")
    return record(0x0204, body)


def number(row: int, column: int, value: float) -> bytes:
    return record(0x0203, struct.pack("<3Hd", row, column, 0, value))


def error(row: int, column: int, code: int) -> bytes:
    return record(0x0205, struct.pack("<3H2B", row, column, 0, code, 1))


def cells(rows: Iterable[Sequence[object]]) -> bytes:
    made = b""
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            if isinstance(value, (int, float)):
                made += number(row, column, value)
            elif value:
                made += label(row, column, str(value))
    return made


def book(sheet: bytes, *, globals_: bytes = b"") -> bytes:
    """The record stream of a workbook with one sheet."""
    name = "数据".encode("utf-16-le")
    head = _bof(0x0005) + globals_ + record(0x0042, struct.pack("<H", 1200))
    place = len(head) + 4 + 8 + len(name) + 4
    head += record(0x0085, struct.pack("<IHBB", place, 0, 2, 1) + name) + record(0x000A)
    return head + _bof(0x0010) + sheet + record(0x000A)


def compound(streams: dict[str, bytes]) -> bytes:
    """A compound file; each stream is padded to 4,096 bytes, below which another table rules."""
    padded = {name: data + b"\x00" * (4096 - len(data)) for name, data in streams.items()}
    table, body, entries = [TABLE, END], b"", []
    for name, data in padded.items():
        first = len(table)
        sectors = -(-len(data) // 512)
        table += [*range(first + 1, first + sectors), END]
        body += data + b"\x00" * (sectors * 512 - len(data))
        entries.append(_entry(name, 2, first, len(data)))
    assert len(table) <= 128, "one sector of the chain table serves these tests"
    table += [FREE] * (128 - len(table))
    directory = _entry("Root Entry", 5, END, 0) + b"".join(entries)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 16
    header += struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, END, 0, END, 0)
    header += struct.pack("<109I", 0, *[FREE] * 108)
    sectors = struct.pack("<128I", *table) + directory.ljust(512, b"\x00") + body
    return header + sectors


def _entry(name: str, kind: int, first: int, size: int) -> bytes:
    text = (name + "\x00").encode("utf-16-le")
    entry = text.ljust(64, b"\x00") + struct.pack("<H2B3I", len(text), kind, 1, FREE, FREE, FREE)
    if kind == 5:
        entry = entry[:76] + struct.pack("<I", 1)
    return entry.ljust(116, b"\x00") + struct.pack("<IQ", first, size)


def write(path: Path, rows: Iterable[Sequence[object]]) -> Path:
    """An XLS file with these rows."""
    path.write_bytes(compound({"Workbook": book(cells(rows))}))
    return path
