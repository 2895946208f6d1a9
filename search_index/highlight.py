"""Marks, fragments and reasons, cut from the original text of a hit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from search_index import query as q
from search_index.codes import code_matches, normalise_code
from search_index.model import TITLE, Highlight, Reason
from search_index.text import Folded, bigrams, fold, fold_traced, runs, words

FRAGMENT = 116  # characters of the original in a fragment, without the two ellipses
_LEAD = 24  # characters shown before the first mark
_BREAK = re.compile(r"[。；;！？!?\n]")
_LATIN_PREFIX = 4  # letters from which the beginning of a longer word is a match
_MOST_WORDS = 5
_MOST_CHARACTERS = 20_000  # of a part that are looked through


@dataclass(frozen=True, slots=True)
class _Mark:
    start: int
    end: int
    text: str  # as folded


class Marker:
    """Finds in texts what one query asked for; made once per request."""

    def __init__(self, tree: q.Node) -> None:
        self._terms = q.terms(tree)
        self._codes = q.codes(tree)
        self._synonyms = q.asked_synonyms(self._terms)
        self._units = [unit.text for term in self._terms for unit in term.units]
        whole = [term.text for term in self._terms]
        self._main = _pattern([*whole, *self._units, *self._synonyms])
        self._loose: dict[str, list[re.Pattern[str] | None]] = {}

    def explain(
        self,
        title: str,
        parts: Iterable[tuple[str, str]],
        names: Mapping[str, Sequence[str]],
        codes: Sequence[str],
    ) -> tuple[str, tuple[Highlight, ...], tuple[Reason, ...]]:
        """Return the marked title, a fragment per part with marks, and the reasons.

        Args:
            title: as stored.
            parts: (part name, text) as stored, in order of display.
            names: proper name → its pinyin tokens.
            codes: identifiers as stored.
        """
        texts = {TITLE: fold_traced(title)}
        texts.update({part: fold_traced(text[:_MOST_CHARACTERS]) for part, text in parts})
        marks = self._marks(texts)
        reasons = [
            reason for part, text in texts.items() for reason in self._reasons(part, text, marks)
        ]
        reasons += self._code_reasons(codes) + self._name_reasons(names, texts.values())
        fragments = tuple(
            Highlight(part, _fragment(text, marks[part]))
            for part, text in texts.items()
            if part != TITLE and marks[part]
        )
        return _marked(texts[TITLE], marks[TITLE]), fragments, tuple(reasons)

    def _marks(self, texts: Mapping[str, Folded]) -> dict[str, list[_Mark]]:
        marks = {part: _find(self._main, text.text) for part, text in texts.items()}
        found = {mark.text for of_part in marks.values() for mark in of_part}
        for unit in self._units:
            if any(unit in text for text in found):
                continue
            for pattern in self._pieces(unit):
                more = {part: _find(pattern, text.text) for part, text in texts.items()}
                if any(more.values()):
                    marks = {part: _merge([*marks[part], *more[part]]) for part in texts}
                    break
        return marks

    def _pieces(self, unit: str) -> list[re.Pattern[str] | None]:
        """What marks a unit that does not stand in the document: its words, else its pairs."""
        if unit not in self._loose:
            self._loose[unit] = [_pattern(words(unit)), _pattern(bigrams(unit))]
        return self._loose[unit]

    def _reasons(
        self, part: str, text: Folded, marks: Mapping[str, list[_Mark]]
    ) -> Iterable[Reason]:
        plain: dict[str, None] = {}
        by_asked: dict[str, dict[str, None]] = {}
        for mark in marks[part]:
            start, end = text.span(mark.start, mark.end)
            asked = self._synonyms.get(mark.text)
            if asked is None or any(mark.text in unit for unit in self._units):
                plain.setdefault(text.original[start:end])
            else:
                by_asked.setdefault(asked, {}).setdefault(text.original[start:end])
        if plain:
            yield Reason("words", part, tuple(plain)[:_MOST_WORDS])
        for asked, found in by_asked.items():
            yield Reason("synonym", part, tuple(found)[:_MOST_WORDS], asked)

    def _code_reasons(self, codes: Sequence[str]) -> list[Reason]:
        found = tuple(
            code
            for code in codes
            if any(code_matches(asked, normalise_code(code)) for asked in self._codes)
        )
        return [Reason("code", "codes", found[:_MOST_WORDS])] if found else []

    def _name_reasons(
        self, names: Mapping[str, Sequence[str]], texts: Iterable[Folded]
    ) -> list[Reason]:
        """Names found by pinyin, or by characters when they stand in none of the texts."""
        letters = [term.text for term in self._terms if q.is_pinyin(term)]
        reasons = []
        for name, found in names.items():
            asked = next((a for a in letters if any(token.startswith(a) for token in found)), "")
            hidden = not any(name in text.original for text in texts)
            if asked or (hidden and _find(self._main, fold(name))):
                reasons.append(Reason("name", "names", (name,), asked))
        return reasons


def _pattern(needles: Iterable[str]) -> re.Pattern[str] | None:
    ordered = sorted(dict.fromkeys(filter(None, needles)), key=lambda text: (-len(text), text))
    alternatives = [expression for needle in ordered if (expression := _needle(needle))]
    return re.compile("|".join(alternatives)) if alternatives else None


def _needle(needle: str) -> str:
    """A pattern for a folded needle; what stands between its runs does not matter."""
    pieces = list(runs(needle))
    if not pieces:
        return ""
    expression = r"[\W_]*".join(re.escape(piece) for piece, _ in pieces)
    (first, first_han), (last, last_han) = pieces[0], pieces[-1]
    if not first_han:
        expression = (r"(?<!\d)" if first.isdigit() else r"(?<![a-z])") + expression
    if not last_han and last.isdigit():
        expression += r"(?!\d)"
    elif not last_han and len(last) < _LATIN_PREFIX:
        expression += r"(?![a-z])"
    return expression


def _find(pattern: re.Pattern[str] | None, text: str) -> list[_Mark]:
    if pattern is None:
        return []
    return [_Mark(match.start(), match.end(), match.group()) for match in pattern.finditer(text)]


def _merge(marks: list[_Mark]) -> list[_Mark]:
    """Join overlapping marks (pieces of one word), keeping order."""
    merged: list[_Mark] = []
    for mark in sorted(marks, key=lambda mark: (mark.start, -mark.end)):
        last = merged[-1] if merged else None
        if last is None or mark.start >= last.end:
            merged.append(mark)
        elif mark.end > last.end:
            text = last.text + mark.text[last.end - mark.start :]
            merged[-1] = _Mark(last.start, mark.end, text)
    return merged


def _marked(text: Folded, marks: Sequence[_Mark], start: int = 0, end: int | None = None) -> str:
    """Escape original[start:end] and put the marks (spans of the folded text) in."""
    end = len(text.original) if end is None else end
    pieces: list[str] = []
    at = start
    for mark in marks:
        first, last = text.span(mark.start, mark.end)
        first, last = max(first, at), min(last, end)
        if first >= last:
            continue
        pieces += [escape(text.original[at:first]), "<mark>"]
        pieces += [escape(text.original[first:last]), "</mark>"]
        at = last
    pieces.append(escape(text.original[at:end]))
    return "".join(pieces)


def _fragment(text: Folded, marks: Sequence[_Mark]) -> str:
    spans = [(text.span(mark.start, mark.end), mark.text) for mark in marks]
    best, start = (0, 0), 0
    for index, ((first, _), _found) in enumerate(spans[:50]):
        begin = _begin(text.original, first)
        inside = {found for (_, last), found in spans[index:] if last <= begin + FRAGMENT}
        score = (len(inside), sum(map(len, inside)))
        if score > best:
            best, start = score, begin
    end = min(start + FRAGMENT, len(text.original))
    before = "…" if start else ""
    after = "…" if end < len(text.original) else ""
    return before + _marked(text, marks, start, end).strip() + after


def _begin(original: str, first: int) -> int:
    """Where a fragment with its first mark at `first` begins: at a sentence if one is near."""
    if first <= _LEAD:
        return 0
    start = max(0, first - _LEAD)
    breaks = list(_BREAK.finditer(original, start, first))
    return breaks[-1].end() if breaks else start
