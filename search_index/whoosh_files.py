"""What is used of whoosh, and its files made fit: mapped instead of copied, safe on the disk."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    # Whoosh is from 2016. A newer Python warns of its source when it compiles it, which happens
    # here only if the installer did not.
    warnings.simplefilter("ignore")
    from whoosh.codec.whoosh3 import W3Codec, W3Segment
    from whoosh.columns import Column, CompressedBytesColumn, NumericColumn, VarBytesColumn
    from whoosh.fields import Schema
    from whoosh.filedb.compound import CompoundStorage
    from whoosh.filedb.filestore import FileStorage
    from whoosh.filedb.filetables import OrderedHashReader, OrderedHashWriter
    from whoosh.filedb.structfile import BufferFile
    from whoosh.index import TOC

__all__ = [
    "TOC",
    "Column",
    "CompressedBytesColumn",
    "Files",
    "NumericColumn",
    "OrderedHashReader",
    "OrderedHashWriter",
    "Schema",
    "Storage",
    "VarBytesColumn",
    "W3Codec",
    "W3Segment",
]


class _View(io.RawIOBase):
    """A part of a mapped file, read like a file."""

    def __init__(self, part: memoryview) -> None:
        self._part, self._at = part, 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        found = self._part[self._at : self._at + len(target)]
        target[: len(found)] = found
        self._at += len(found)
        return len(found)

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self._part)}[whence]
        self._at = start + place
        return self._at

    def tell(self) -> int:
        return self._at


class _Mapped(BufferFile):
    """A file inside a mapped segment; whoosh's own class would copy it into memory."""

    def __init__(self, part: memoryview) -> None:
        self._buf = part
        self.file = _View(part)
        self.onclose, self.is_real, self.is_closed = None, False, False

    def get(self, place: int, length: int | None) -> bytes:
        return bytes(self._buf[place : None if length is None else place + length])


class Files(CompoundStorage):
    """The files inside a segment, mapped."""

    def open_file(self, name: str, *args: object, **more: object) -> BufferFile:
        start, length = self.range(name)
        return _Mapped(memoryview(self._source)[start : start + length])


class Storage(FileStorage):
    """The folder of an index."""

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
        """Put a table of contents in place, once all it names is safe on the disk."""
        for name in [*self.list(), "."]:
            if name == oldname or name.endswith((".seg", ".")):
                _sync(Path(self.folder) / name)
        super().rename_file(oldname, newname, safe)
        _sync(Path(self.folder))


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
