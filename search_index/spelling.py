"""Did you mean: from what a reader typed to the same query with its misspelt words corrected.

Chinese has no blanks between words, so the wrong characters are looked for first: those that the
dictionary cannot join to a word of the index. Then every stretch around them is compared with the
words of the index (`search_index.word_file`) that differ in one character, or sound the same.
What sounds the same comes first (most slips are a wrong choice of the input method), then longer
stretches, then words of more documents. Finally the engine is asked, and only a query that finds
more than the one typed is offered.
"""

from __future__ import annotations

import itertools
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from search_index import dictionary
from search_index.text import PARTICLES, Folded, fold_traced
from search_index.word_file import (
    LONGEST_HAN,
    LONGEST_LATIN,
    NAME,
    SHORTEST_LATIN,
    WordFile,
    near_keys,
)

LONGEST_QUERY = 60  # characters; who pastes a paragraph has not mistyped a word
_LONGEST_RUN = 16  # Han characters without a blank that are looked at
_MOST_TRIED = 12  # corrected queries that the engine is asked about
_MOST_OF_RUN = (12, 4, 3)  # replacements of a run, where one, two or three runs are wrong
_SURROGATE = re.compile("[\ud800-\udfff]")
_TYPED = re.compile(r"[^\s]+")
_RUN = re.compile(
    rf"[\u3400-\u9fff]{{2,{_LONGEST_RUN}}}|(?<![a-z0-9])[a-z]{{{SHORTEST_LATIN},{LONGEST_LATIN}}}(?![a-z0-9])"
)

# How a candidate differs from what was typed, the likeliest first.
_SAME_SOUND, _ONE_CHARACTER, _ALL_SAME_SOUND, _LENGTH = range(4)

Counter = Callable[[str], int]


def correct(
    folder: Path, query: str, limit: int, *, count: Counter, documents_with: Counter
) -> list[str]:
    """Return corrected queries, best first; see `Engine.correct`.

    Args:
        folder: of the generation, where the file of words lies.
        query: as typed.
        limit: most queries returned.
        count: query → number of documents that match all of it.
        documents_with: term of the ranking field → number of documents that hold it.
    """
    typed = fold_traced(_SURROGATE.sub(" ", query[: LONGEST_QUERY + 1]))
    if limit < 1 or not 1 < len(typed.text) <= LONGEST_QUERY:
        return []
    runs = _runs(typed.text)
    if not runs:
        return []
    try:
        with WordFile(folder / NAME) as words:
            speller = _Speller(words, documents_with, [text for _, text in runs])
            found = count(query)
            replaced = speller.replacements(anywhere=not found)
    except sqlite3.DatabaseError:
        return []  # no file yet, or a generation that is just swapped away
    offered: list[str] = []
    for texts in _combined(replaced):
        candidate = _rewritten(typed, runs, texts)
        if candidate not in offered and count(candidate) > found:
            offered.append(candidate)
            if len(offered) == limit:
                break
    return offered


def _runs(folded: str) -> list[tuple[int, str]]:
    """Where the runs of Han characters and of letters stand, exclusions left out."""
    found = []
    for token in _TYPED.finditer(folded):
        if not token[0].startswith(("-", "−")):
            found += [(token.start() + run.start(), run[0]) for run in _RUN.finditer(token[0])]
    return found


def _combined(replaced: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Texts for all runs, the likeliest first; a run without replacements stays as it is."""
    if not replaced:
        return
    ranked = sorted(
        itertools.product(*(enumerate(texts) for texts in replaced)),
        key=lambda chosen: sum(place for place, _ in chosen),
    )
    for chosen in ranked[:_MOST_TRIED]:
        yield tuple(text for _, text in chosen)


def _rewritten(typed: Folded, runs: Sequence[tuple[int, str]], texts: Sequence[str]) -> str:
    """What was typed, with new texts where they differ."""
    parts, rest = [], 0
    for (at, run), text in zip(runs, texts, strict=True):
        if text != run:
            start, end = typed.span(at, at + len(run))
            parts += [typed.original[rest:start], text]
            rest = end
    return " ".join("".join([*parts, typed.original[rest:]]).split())


@dataclass(frozen=True, slots=True, order=True)
class _Candidate:
    """A replacement for a stretch of a run; the smallest is the likeliest."""

    left: int  # wrong characters that it leaves
    kind: int
    shorter: int  # minus the length of the stretch
    coined: bool  # no word of the dictionary
    rarer: int  # minus the number of documents
    text: str  # the run with it


class _Speller:
    """Looks for replacements of runs in a file of words."""

    def __init__(self, words: WordFile, documents_with: Counter, runs: Sequence[str]) -> None:
        self._words = words
        self._documents_with = documents_with
        self._runs = runs
        stretches = {run[a:b] for run in runs for a, b in _stretches(run)}
        self._known = words.documents(stretches.union(runs))

    def replacements(self, *, anywhere: bool) -> list[list[str]]:
        """Texts to put for each run, the likeliest first; a run that is right stays alone.

        Nothing when no run is wrong, or so many that these are no slips.

        Args:
            anywhere: when nothing looks wrong, take every character of runs that are no words
                themselves for wrong (示范于 is two words, though not ours).
        """
        wrong = [self._wrong(run) for run in self._runs]
        if anywhere and not any(wrong):
            wrong = [set() if run in self._known else set(range(len(run))) for run in self._runs]
        count = sum(map(bool, wrong))
        if not 0 < count <= len(_MOST_OF_RUN):
            return []
        most = _MOST_OF_RUN[count - 1]
        return [
            self._of_run(run, places)[:most] if places else [run]
            for run, places in zip(self._runs, wrong, strict=True)
        ]

    def _wrong(self, run: str) -> set[int]:
        """Places of the characters that belong to no word of the index."""
        if run in self._known:
            return set()
        if run.isascii():
            return set(range(len(run)))
        places: set[int] = set()
        end = 0
        for piece in dictionary.cut(run):
            start, end = end, end + len(piece)
            if piece not in self._known and piece not in PARTICLES:
                places.update(range(start, end))
        return places

    def _of_run(self, run: str, wrong: set[int]) -> list[str]:
        candidates = []
        for start, end in _stretches(run):
            inside = wrong.intersection(range(start, end))
            if inside and run[start:end] not in self._known:
                candidates += [
                    _Candidate(
                        len(wrong) - len(inside),
                        kind,
                        start - end,
                        not dictionary.has_word(word),
                        -documents,
                        run[:start] + word + run[end:],
                    )
                    for kind, word, documents in self._like(run[start:end])
                ]
        return list(dict.fromkeys(one.text for one in sorted(candidates))) or [run]

    def _like(self, typed: str) -> Iterator[tuple[int, str, int]]:
        """Words like a stretch: how they differ, the word, its documents."""
        near = {
            word
            for words in self._words.near([typed, *near_keys(typed)]).values()
            for word in words
        }
        near.update(self._words.documents(near_keys(typed)))
        sounds = self._words.readings({*typed, *"".join(near)})
        alike = {word: _difference(typed, word, sounds) for word in near}
        for word in self._sounding(typed, sounds):
            alike.setdefault(word, _ALL_SAME_SOUND)
        documents = self._words.documents(alike)
        if len(typed) == 2:
            pairs = self._pairs(typed, sounds)
            documents |= pairs
            alike |= dict.fromkeys(pairs, _SAME_SOUND)
        for word, kind in alike.items():
            if kind is not None and word != typed and word in documents:
                yield kind, word, documents[word]

    def _pairs(self, typed: str, sounds: dict[str, set[str]]) -> dict[str, int]:
        """Pairs of characters in the index, also across words, with one of the same sound."""
        first, second = typed[0], typed[1]
        pairs = [one + second for one in self._words.sounding(sounds.get(first, ()))]
        pairs += [first + one for one in self._words.sounding(sounds.get(second, ()))]
        counts = {pair: self._documents_with(pair) for pair in pairs}
        return {pair: documents for pair, documents in counts.items() if documents}

    def _sounding(self, typed: str, sounds: dict[str, set[str]]) -> list[str]:
        """Words whose pinyin is that of the stretch, or the stretch itself."""
        read = [sorted(sounds.get(one, (one,))) for one in typed]
        spelt = ["=" + "".join(one) for one in itertools.islice(itertools.product(*read), 8)]
        return [word for words in self._words.near(spelt).values() for word in words]


def _stretches(run: str) -> list[tuple[int, int]]:
    """Begin and end of all parts of a run that may be one misspelt word."""
    if run.isascii():
        return [(0, len(run))]
    return [
        (start, end)
        for start in range(len(run) - 1)
        for end in range(start + 2, min(len(run), start + LONGEST_HAN + 1) + 1)
    ]


def _difference(typed: str, word: str, sounds: dict[str, set[str]]) -> int | None:
    """How a word differs from what was typed; None when it differs too much."""
    if len(typed) != len(word):
        return _LENGTH
    pairs = [(one, other) for one, other in zip(typed, word, strict=True) if one != other]
    silent: set[str] = set()
    if all(sounds.get(one, silent) & sounds.get(other, silent) for one, other in pairs):
        return _SAME_SOUND
    return _ONE_CHARACTER if len(pairs) == 1 or sorted(typed) == sorted(word) else None
