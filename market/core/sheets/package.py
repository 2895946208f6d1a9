"""Judging an XLSX before it is opened.

The library that reads workbooks lays out the whole used area in memory, so one cell in the last
corner of a sheet, or a small file that unpacks to gigabytes, would take the machine down. Here
every part is unpacked in pieces, counted, and read as a stream of tags.
"""

from __future__ import annotations

import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product
from pathlib import Path
from string import ascii_uppercase
from typing import IO
from xml.etree import ElementTree
from xml.parsers import expat

from market.core.sheets.facts import SheetFacts
from market.core.sheets.model import MOST_CELLS, MOST_UNPACKED, UNCACHED, FileRefused

_CHUNK = 1024 * 1024
_MOST_TAGS = 20_000_000
_MOST_STRINGS = MOST_CELLS
_MOST_MERGED = 100_000
_MOST_DIRECTORY = 5 * 1024 * 1024  # bytes of the workbook's list of sheets
_REFERENCE = re.compile(r"([A-Za-z]{1,3})(\d{1,7})")
_DAMAGED = "文件内容不是完整的 XLSX（可能已损坏）：请在表格软件里另存为 XLSX 再试。"
_TOO_MUCH = "文件解压后超过 300 MB，请分成几个文件。"
_MANY = "文件里的格式或文字过于零碎，请把内容复制到一张新表再导入。"


def judge_xlsx(path: Path) -> dict[str, SheetFacts]:
    """Facts of each worksheet by its name.

    Raises:
        FileRefused: not an XLSX, damaged, protected by a password, or too large.
    """
    try:
        with zipfile.ZipFile(path) as package, path.open("rb") as file:
            return _judge(package, file)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError) as error:
        raise FileRefused(_DAMAGED) from error
    except (expat.ExpatError, ElementTree.ParseError, NotImplementedError) as error:
        raise FileRefused(_DAMAGED) from error


def _judge(package: zipfile.ZipFile, file: IO[bytes]) -> dict[str, SheetFacts]:
    items = package.infolist()
    if any(item.flag_bits & 1 for item in items):
        raise FileRefused("文件加了密码，请去掉密码再导入。")
    if sum(item.file_size for item in items) > MOST_UNPACKED:
        raise FileRefused(_TOO_MUCH)
    parts: dict[str, SheetFacts] = {}
    directory: dict[str, bytes] = {}
    left, tags = MOST_UNPACKED, _Budget(_MOST_TAGS)
    for item in items:
        reader = _PartReader(tags)
        kept = bytearray() if item.filename in _DIRECTORY else None
        for chunk in _unpacked(file, item):
            left -= len(chunk)
            if left < 0:
                raise FileRefused(_TOO_MUCH)
            if kept is not None and len(kept) < _MOST_DIRECTORY:
                kept += chunk
            reader.feed(chunk)
        reader.close()
        if reader.facts is not None:
            parts[item.filename] = reader.facts
        if kept is not None:
            directory[item.filename] = bytes(kept)
    return _by_name(parts, directory)


def _unpacked(file: IO[bytes], item: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content of a part, piece by piece, whatever size the directory claims.

    zipfile stops at the claimed size, other readers go on to the end of the stream: only what is
    really there counts.
    """
    file.seek(item.header_offset)
    header = file.read(30)
    if header[:4] != b"PK\x03\x04":
        raise FileRefused(_DAMAGED)
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    file.seek(name_length + extra_length, 1)
    if item.compress_type == zipfile.ZIP_STORED:
        left = item.compress_size
        while left > 0 and (data := file.read(min(_CHUNK, left))):
            left -= len(data)
            yield data
        return
    if item.compress_type != zipfile.ZIP_DEFLATED:
        raise FileRefused(_DAMAGED)
    unpacker = zlib.decompressobj(-15)
    data = b""
    while not unpacker.eof:
        data = unpacker.unconsumed_tail or file.read(65536)
        if not data:
            raise FileRefused(_DAMAGED)
        yield unpacker.decompress(data, _CHUNK)


class _Budget:
    """How many tags may still come in the whole package."""

    def __init__(self, left: int) -> None:
        self.left = left


class _PartReader:
    """Reads one part as XML if it is XML; other parts are only counted."""

    def __init__(self, tags: _Budget) -> None:
        self.facts: SheetFacts | None = None
        self._tags = tags
        self._parser: expat.XMLParserType | None = None
        self._watch: _SheetWatch | None = None
        self._begun = False

    def feed(self, chunk: bytes) -> None:
        if not self._begun and chunk.strip():
            self._begun = True
            if chunk.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
                self._parser = self._listen()
        if self._parser is not None:
            self._parser.Parse(chunk, False)
        if self._watch is not None:
            self._watch.settle()

    def close(self) -> None:
        if self._parser is not None:
            self._parser.Parse(b"", True)
        if self._watch is not None:
            self._watch.settle()
            self._watch.finish_cell()
            self.facts = self._watch.facts
            self.facts.judge()

    def _listen(self) -> expat.XMLParserType:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = _no_doctype
        parser.StartElementHandler = self._root
        return parser

    def _root(self, name: str, _attributes: dict[str, str]) -> None:
        """Choose how to go on by the outermost tag."""
        assert self._parser is not None
        kind = name.rpartition(":")[2]
        if kind == "worksheet":
            self._watch = _SheetWatch(self._parser, self._tags)
            self._parser.StartElementHandler = self._watch.start
        else:
            limit = _MOST_STRINGS if kind == "sst" else _MOST_TAGS
            self._parser.StartElementHandler = _counter(self._tags, "si", limit)


def _no_doctype(*_: object) -> None:
    raise FileRefused(_DAMAGED)


def _counter(tags: _Budget, counted: str, limit: int) -> Callable[[str, dict[str, str]], None]:
    seen = 0

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal seen
        tags.left -= 1
        seen += name.endswith(counted)
        if tags.left < 0 or seen > limit:
            raise FileRefused(_MANY)

    return start


_PLAIN = frozenset({"c", "v", "is", "t", "f", "row"})
_LETTERS = (*ascii_uppercase, *map("".join, product(ascii_uppercase, repeat=2)))  # A to ZZ


class _SheetWatch:
    """Follows the rows and cells of a worksheet."""

    def __init__(self, parser: expat.XMLParserType, tags: _Budget) -> None:
        self.facts = SheetFacts()
        self._parser = parser
        self._tags = tags
        self._merged = 0
        self._seen = 0  # tags since `settle`
        self._row = self._column = 0
        self._row_text = ""
        self._last = -1  # the last row that had a cell
        self._kind = ""
        self._formula = False
        self._text: list[str] | None = None

    def settle(self) -> None:
        """Count the tags of a chunk. Raises FileRefused when there were too many."""
        self._tags.left -= self._seen
        self._seen = 0
        if self._tags.left < 0:
            raise FileRefused(_MANY)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._seen += 1
        local = name if name in _PLAIN else name.rpartition(":")[2]
        if local == "c":
            self._cell(attributes)
        elif local == "t":
            return  # the text of a cell, which its `is` has announced
        elif local in {"v", "is"}:
            facts = self.facts
            if self._row > facts.rows or not facts.first_column <= self._column <= facts.columns:
                facts.use(self._row, self._column)
            if self._formula or self._kind == "e":
                self._text = []
                self._parser.CharacterDataHandler = self._text.append
        elif local == "f":
            self.facts.use(self._row, self._column)
            self._formula = True
        elif local == "row":
            self.finish_cell()
            given = attributes.get("r")
            self._row = int(given) if given else self._row + 1
            self._row_text = str(self._row)
            self._column = 0
        elif local == "mergeCell":
            self._merged += 1
            if self._merged > _MOST_MERGED:
                raise FileRefused(_MANY)

    def _cell(self, attributes: dict[str, str]) -> None:
        if self._text is not None or self._formula:
            self.finish_cell()
        self._kind = attributes.get("t", "")
        reference = attributes.get("r")
        column = self._column
        if (
            self._row == self._last
            and column < len(_LETTERS)
            and reference == _LETTERS[column] + self._row_text
        ):  # as nearly always: the cell after the one before
            self._column = column + 1
            return
        if reference:
            match = _REFERENCE.fullmatch(reference)
            if match is None:
                raise FileRefused(_DAMAGED)
            self._row, self._column = int(match[2]), _column_number(match[1])
        else:
            self._column += 1
        if self._row < max(1, self._last):  # the library would lose the rows before
            raise FileRefused(_DAMAGED)
        self._last, self._row_text = self._row, str(self._row)

    def finish_cell(self) -> None:
        """Judge the cell that just ended: an error, or a formula without its result."""
        if not self._formula and self._text is None:
            return
        text = "".join(self._text or ()).strip()
        if self._kind == "e":
            self.facts.note(self._row, self._column, text or "#VALUE!")
        elif self._formula and not text and self._kind != "str":
            self.facts.note(self._row, self._column, UNCACHED)
        self._formula, self._text = False, None
        self._parser.CharacterDataHandler = None


@lru_cache(1024)
def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


_DIRECTORY = ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")


def _by_name(parts: dict[str, SheetFacts], directory: dict[str, bytes]) -> dict[str, SheetFacts]:
    """Facts by the name of the sheet, through the workbook's relations."""
    if set(directory) != set(_DIRECTORY):
        raise FileRefused("文件内容不是 XLSX：请在表格软件里另存为 XLSX 再试。")
    workbook, relations = (ElementTree.fromstring(directory[name]) for name in _DIRECTORY)
    targets = {tag.get("Id"): tag.get("Target", "") for tag in relations}
    named = {}
    for tag in workbook.iter():
        if tag.tag.rpartition("}")[2] != "sheet":
            continue
        key = next((value for name, value in tag.items() if name.endswith("}id")), None)
        target = targets.get(key, "")
        part = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
        named[tag.get("name", "")] = parts.get(part, SheetFacts())
    return named
