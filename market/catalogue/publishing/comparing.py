"""Two versions of a listing, field by field, with what was taken out and what was put in."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_CLAUSES = re.compile(r"[^。；，、！？;,!?\n]*[。；，、！？;,!?\n]?")
_TOKENS = re.compile(r"[\d.,]+|[A-Za-z]+|.", re.DOTALL)  # a number is changed as a whole
_SHORT = 400  # characters of a clause that is compared letter by letter
_MOST_CLAUSES = 3000  # beyond this a text is shown whole on both sides


@dataclass(frozen=True)
class Piece:
    """A run of text: `kind` is "same", "out" or "in"."""

    kind: str
    text: str


@dataclass(frozen=True)
class Difference:
    """A field that differs."""

    key: str
    label: str
    pieces: Sequence[Piece]


def differences(
    labels: Mapping[str, str], before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[Difference]:
    """The fields that differ, in the order of `labels`. Texts as pages show them."""
    found = []
    for key, label in labels.items():
        old, new = said(before.get(key)), said(after.get(key))
        if old != new:
            found.append(Difference(key, label, pieces(old, new)))
    return found


def said(value: Any) -> str:
    """A value as one text."""
    if isinstance(value, list):
        return "；".join(map(str, value))
    return "" if value is None else str(value)


def pieces(before: str, after: str) -> list[Piece]:
    """The two texts as one: clauses that differ, and within short ones the letters."""
    old = [part for part in _CLAUSES.findall(before) if part]
    new = [part for part in _CLAUSES.findall(after) if part]
    if max(len(old), len(new)) > _MOST_CLAUSES:
        return _joined([Piece("out", before), Piece("in", after)])
    found: list[Piece] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        left, right = "".join(old[a:b]), "".join(new[c:d])
        if tag == "equal":
            found.append(Piece("same", left))
        elif left and right and max(len(left), len(right)) <= _SHORT:
            found += _letters(left, right)
        else:
            found += [Piece("out", left), Piece("in", right)]
    return _joined(found)


def _letters(left: str, right: str) -> list[Piece]:
    old, new = _TOKENS.findall(left), _TOKENS.findall(right)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < 0.4:  # letters in common by chance only confuse
        return [Piece("out", left), Piece("in", right)]
    found: list[Piece] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            found.append(Piece("same", "".join(old[a:b])))
        else:
            found += [Piece("out", "".join(old[a:b])), Piece("in", "".join(new[c:d]))]
    return found


def _joined(found: Sequence[Piece]) -> list[Piece]:
    """Without empty pieces, neighbours of one kind as one."""
    rows: list[Piece] = []
    for piece in found:
        if not piece.text:
            continue
        if rows and rows[-1].kind == piece.kind:
            rows[-1] = Piece(piece.kind, rows[-1].text + piece.text)
        else:
            rows.append(piece)
    return rows
