"""Sets of documents: an int with a bit for each, so that "and" and counting are single steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def bits(documents: Iterable[int], count: int) -> int:
    """Return documents, given by number, as a set."""
    found = bytearray(count // 8 + 1)
    for number in documents:
        found[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(found, "little")


def members(found: int) -> Iterator[int]:
    """Yield the documents of a set, in order."""
    for place, byte in enumerate(as_bytes(found, found.bit_length())):
        if byte:
            start = place << 3
            for bit in _BITS[byte]:
                yield start + bit


def as_bytes(found: int, count: int) -> bytes:
    """Return a set of up to `count` documents as bytes, in which looking up one is fast."""
    return found.to_bytes(count // 8 + 1, "little")


_BITS = [tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256)]
