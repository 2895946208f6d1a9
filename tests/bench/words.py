"""Help with words: how fast suggestions come, and how often a slip of the pen is mended.

A slip is a word as it stands in a listing with one character exchanged: by another of the same
toneless pinyin, or in words of three and more characters by any other. Characters come from
GB 2312. What is itself a word of the listings is no slip. It is mended when the right word is
among the first three corrections.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import rjieba
from flask import Flask

from market.discovery.engine import reader
from search_index import Document
from search_index.text import fold
from tests.bench.figures import Figure, Times, at_least, at_most, percentiles, plain, timed

SLIPS, TYPED = 400, 1_000
FIRST = 3  # corrections looked at
MENDED = 90.0  # per cent
SLOWEST = 30.0  # milliseconds, p95 of suggestions
_HAN = ("\u4e00", "\u9fff")

Correct = Callable[[str, int], list[str]]


@dataclass(frozen=True)
class Slip:
    """A word and how it was typed."""

    word: str
    typed: str


def words_of(texts: Iterable[str]) -> list[str]:
    """The words of two and more Han characters in texts, as the dictionary cuts them there."""
    found = {
        word
        for text in texts
        for word in rjieba.cut(fold(text))
        if len(word) > 1 and all(_HAN[0] <= one <= _HAN[1] for one in word)
    }
    return sorted(found)


def text_of(document: Document) -> str:
    """All that a listing says."""
    return "\n".join([document.title, *document.parts.values()])


@cache
def characters() -> tuple[str, ...]:
    """The Han characters of GB 2312."""
    codes = [bytes([row, cell]) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF)]
    return tuple(filter(None, (code.decode("gb2312", "ignore") for code in codes)))


@cache
def _by_sound() -> dict[str, list[str]]:
    import pypinyin

    found = defaultdict(list)
    for character in characters():
        found[pypinyin.lazy_pinyin(character)[0]].append(character)
    return dict(found)


def slips(words: Sequence[str], count: int, seed: int, *, same_sound: bool) -> list[Slip]:
    """Make slips of randomly drawn words: of the same sound, or any in words of three and more."""
    import pypinyin

    chance = random.Random(seed)
    known = set(words)
    drawn = words if same_sound else [word for word in words if len(word) > 2]
    made: list[Slip] = []
    while drawn and len(made) < count:
        word = chance.choice(drawn)
        at = chance.randrange(len(word))
        others: Sequence[str] = characters()
        if same_sound:
            others = _by_sound().get(pypinyin.lazy_pinyin(word)[at], ())
        if not others:
            continue
        typed = word[:at] + chance.choice(others) + word[at + 1 :]
        if typed not in known:
            made.append(Slip(word, typed))
    return made


def mended(correct: Correct, made: Sequence[Slip]) -> float:
    """Per cent of slips with the right word among the first corrections."""
    right = sum(slip.word in correct(slip.typed, FIRST) for slip in made)
    return 100 * right / len(made)


def mending(
    correct: Correct, words: Sequence[str], of: str, count: int = SLIPS
) -> Iterator[Figure]:
    """Both shares over the words of some texts."""
    for label, same_sound in (("same sound", True), ("any character", False)):
        made = slips(words, count, 1, same_sound=same_sound)
        name = f"{count} slips mended, {label}, {of}"
        yield at_least(name, mended(correct, made), MENDED, "%", 1)


def typed_beginnings(documents: Sequence[Document], count: int, seed: int = 3) -> list[str]:
    """What is in the box after each key: beginnings of titles, owners, keywords, also in pinyin."""
    from search_index.pinyin import reading

    chance = random.Random(seed)
    found = []
    for _ in range(count):
        document = chance.choice(documents)
        whole = chance.choice([document.title, *document.names, *document.phrases])[:12]
        written = chance.choice([whole, whole, *filter(None, reading(fold(whole)))])
        found.append(written[: chance.randrange(1, len(written) + 1)])
    return found


def suggesting(app: Flask, beginnings: Sequence[str]) -> Times:
    """Times of GET /suggest, all hooks."""
    client = app.test_client()
    client.get("/suggest?q=a")
    return percentiles(
        [
            timed(lambda typed=typed: client.get("/suggest", query_string={"q": typed}))
            for typed in beginnings
        ]
    )


def helping(
    app: Flask, written: Sequence[Document], sample: Sequence[Document], scale: float
) -> Iterator[Figure]:
    """Suggestions and corrections in a market, inside its application context.

    Args:
        app: of the market.
        written: listings that people wrote; slips are made of their words. Words of the generated
            ones are characters drawn by lot: a wrong one often gives another such word.
        sample: of all listings; beginnings of their titles, owners and keywords are typed.
        scale: shortens it.
    """
    times = suggesting(app, typed_beginnings(sample, max(100, round(TYPED * scale))))
    yield plain("suggestions p50", f"{times.p50:.1f} ms")
    yield at_most("suggestions p95", times.p95, SLOWEST, "ms", 1)
    known = words_of(map(text_of, written))
    yield from mending(reader().correct, known, "demonstration data", scaled(SLIPS, scale))


def scaled(count: int, scale: float) -> int:
    """Fewer slips in a short run."""
    return max(20, round(count * scale))
