"""How text becomes something one can search: folding, runs, words and bigrams.

The same folding is applied to documents and queries and never to what is stored or shown. It
works character by character on purpose: a word-by-word conversion (as OpenCC does for whole
sentences) would fold the same word differently in different surroundings, and each folded
character can be traced back to the one it came from, which highlights need.
"""

from __future__ import annotations

import functools
import itertools
import operator
import re
import unicodedata
from dataclasses import dataclass

from search_index import dictionary

# Han characters, with the two signs that stand in the middle of words.
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af\u3005\u3007"
_RUN = re.compile(rf"([{_HAN}]+)|(\d+|(?:(?![{_HAN}])[^\W\d_])+)")
PART = "\x1f"  # stands between texts that are cut together; a run in the stream of `streams`
_RUN_OR_PART = re.compile(rf"{_RUN.pattern}|{PART}")
_ALNUM = re.compile(rf"(?:(?![{_HAN}])[^\W_])+")
_FIRST_HAN = "\u3400"  # folded words from here on are Han, with hardly an exception

# One-character words that carry no meaning of their own; a reader who types 水稻的种植 asks for
# 水稻 and 种植. Used only to cut long query words, never when indexing.
PARTICLES = frozenset("的地得之和与及或等在对于为中用以其了是有将把被让从向由")

LONGEST_RUN = 64  # characters of a run of letters or digits that are looked at

# A word up to this many characters must stand in a document as it was typed; a longer one is
# looked for by its parts.
WHOLE_WORD = 3


class _FoldTable(dict[int, str]):
    """Code point → folded text, filled as characters are met."""

    def __init__(self) -> None:
        self.uneven: set[str] = set()  # characters that do not fold to exactly one

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_character(chr(code))
        if len(folded) != 1:
            self.uneven.add(chr(code))
        return folded


@functools.cache
def _simplified() -> dict[str, str]:
    """Traditional Han character → simplified one, for those that differ."""
    if not dictionary.HAS_OPENCC:
        return {}
    import opencc

    characters = [chr(code) for code in (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000))]
    converted = opencc.OpenCC("t2s").convert("\n".join(characters)).split("\n")
    return {old: new for old, new in zip(characters, converted, strict=True) if old != new}


def _fold_character(character: str) -> str:
    if "\ud800" <= character <= "\udfff":  # a lone surrogate cannot be stored as UTF-8
        return " "
    folded = unicodedata.normalize("NFKC", character).casefold()
    if folded < "\u0250" or "\u1e00" <= folded < "\u1f00" or "\u0300" <= folded < "\u0370":
        decomposed = unicodedata.normalize("NFD", folded)
        folded = "".join(part for part in decomposed if not "\u0300" <= part < "\u0370")
    return "".join(_simplified().get(part, part) for part in folded)


_TABLE = _FoldTable()


def fold(text: str) -> str:
    """Fold `text`: full width to half, case, accents, traditional to simplified characters."""
    return text.translate(_TABLE)


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text that remembers where each of its characters came from."""

    original: str
    text: str
    origins: list[int] | None  # index in `original` per folded character; None: the same index

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Map a non-empty span of `text` to the span of `original` it came from."""
        if self.origins is None:
            return start, end
        return self.origins[start], self.origins[end - 1] + 1


def fold_traced(text: str) -> Folded:
    """Fold `text` and keep the way back to its characters."""
    folded = fold(text)
    if _TABLE.uneven.isdisjoint(text):
        return Folded(text, folded, None)
    origins = [index for index, sign in enumerate(text) for _ in _TABLE[ord(sign)]]
    return Folded(text, folded, origins)


def runs(folded: str) -> list[tuple[str, bool]]:
    """Return the runs of folded text with whether they are Han; letters and digits apart."""
    return [(han or other, bool(han)) for han, other in _RUN.findall(folded)]


def characters(folded: str) -> list[str]:
    """Return the positional stream: each Han character, each run of letters, each of digits.

    A phrase over it is an exact substring search that also works across scripts (B超, PM2.5).
    """
    stream: list[str] = []
    for han, other in _RUN.findall(folded):
        if han:
            stream.extend(han)
        else:
            stream.append(other[:LONGEST_RUN])
    return stream


def bigrams(folded: str) -> list[str]:
    """Return the pairs of neighbouring Han characters of each run."""
    return [
        first + second
        for han, _ in _RUN.findall(folded)
        for first, second in itertools.pairwise(han)
    ]


def trigrams(folded: str) -> list[str]:
    """Return the triples of neighbouring Han characters of each run."""
    return [han[i : i + 3] for han, _ in _RUN.findall(folded) for i in range(len(han) - 2)]


def words(folded: str) -> list[str]:
    """Return dictionary words (long ones with the words inside them) and letter/digit runs."""
    found = [
        word for word in dictionary.cut_for_search(folded) if len(word) > 1 and word >= _FIRST_HAN
    ]
    for run in _ALNUM.findall(folded):
        found.append(run[:LONGEST_RUN])
        pieces = _RUN.findall(run)
        if len(pieces) > 1:
            found.extend(piece[:LONGEST_RUN] for _, piece in pieces if len(piece) > 1)
    return found


def tokens(folded: str) -> list[str]:
    """Return what the ranking field holds for folded text: words, then bigrams."""
    return words(folded) + bigrams(folded)


def streams(folded: str) -> tuple[list[str], list[str], list[str]]:
    """Return `tokens`, `trigrams` and `characters` of folded text, looking for its runs once.

    Each PART in the text is also in the last list, so that several texts cost one call and the
    places of their characters can be told apart.
    """
    pairs: list[str] = []
    triples: list[str] = []
    stream: list[str] = []
    for han, other in _RUN_OR_PART.findall(folded):
        if han:
            of_run = list(map(operator.add, han, han[1:]))
            pairs += of_run
            triples += map(operator.add, of_run, han[2:])
            stream += han
        else:
            stream.append(other[:LONGEST_RUN] or PART)
    return words(folded) + pairs, triples, stream


def units(folded_word: str) -> list[str]:
    """Cut one folded query word into the parts that a document must contain.

    Short words stay whole. A longer Han run is cut into dictionary words, so that 秸秆还田技术
    also finds 秸秆粉碎后还田的技术; a stray single character is joined to the word after it (or
    before it, at the end), since a name unknown to the dictionary falls into such pieces.
    """
    parts: list[str] = []
    kept: list[int] = []  # where the pieces that stay together begin and end
    for match in _RUN.finditer(folded_word):
        if match[1] is None or len(match[1]) <= WHOLE_WORD:
            kept = [kept[0] if kept else match.start(), match.end()]
            continue
        if kept:
            parts.append(folded_word[slice(*kept)])
            kept = []
        parts.extend(_cut(match[1]))
    if kept:
        parts.append(folded_word[slice(*kept)])
    return parts


def _cut(run: str) -> list[str]:
    pieces: list[str] = []
    pending = ""  # single characters that wait for a word after them
    apart = True  # whether a particle or the beginning stands before what is pending
    for word in dictionary.cut(run):
        if len(word) > 1:
            pieces.append(pending + word)
            pending, apart = "", False
        elif word not in PARTICLES:
            pending += word
        else:
            _settle(pieces, pending, apart)
            pending, apart = "", True
    _settle(pieces, pending, apart)
    return pieces or [run]


def _settle(pieces: list[str], pending: str, apart: bool) -> None:
    if pending and not apart and len(pending) == 1:
        pieces[-1] += pending
    elif pending:
        pieces.append(pending)
