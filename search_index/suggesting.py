"""What is offered while a reader types: expressions by their beginnings, the same for all engines.

A term to index is the beginning one may type, SEPARATOR, the expression as written. An engine
looks for the terms that begin with each of `lookups`, those of more documents first.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from search_index import dictionary
from search_index.model import Document
from search_index.text import fold

SEPARATOR = "\x1f"
_TITLE = "\x1c"  # stands before the beginning of a title
_LATER = "\x1e"  # stands before what begins at a later word of a name or phrase
_LONGEST = 80  # characters of an expression
_LONGEST_TYPED = 200
_READ = 12  # characters of a title or phrase that are also found by pinyin


def entries(document: Document) -> list[str]:
    """Return the terms to index for the title, names and phrases of a document."""
    from search_index.pinyin import reading  # where documents are written only

    title = _shown(document.title)
    beginnings = [fold(title), *reading(fold(title[:_READ]))]
    found = dict.fromkeys(_terms(beginnings, title, _TITLE))
    for name in document.names:
        found |= dict.fromkeys(_of_name(_shown(name)))
    for phrase in document.phrases:
        found |= dict.fromkeys(_of_phrase(_shown(phrase)))
    return list(found)


@lru_cache(2_000)  # an owner has many documents
def _of_name(name: str) -> list[str]:
    from search_index.pinyin import name_tokens

    tokens = name_tokens(name)
    whole = _terms([fold(name), *tokens[:1], *_initials(tokens)], name)
    return whole + _terms([*_later(fold(name)), *tokens], name, _LATER)


@lru_cache(10_000)
def _of_phrase(phrase: str) -> list[str]:
    from search_index.pinyin import reading

    folded = fold(phrase)
    whole = _terms([folded, *reading(folded[:_READ])], phrase)
    return whole + _terms(_later(folded), phrase, _LATER)


def _terms(beginnings: Iterable[str], shown: str, mark: str = "") -> list[str]:
    return [f"{mark}{start}{SEPARATOR}{shown}" for start in beginnings if start]


def lookups(typed: str) -> list[str]:
    """Return the beginnings of terms to look for, in this order; none for nothing to complete.

    Titles are as many as documents, and an engine walks through all that begin so. Therefore
    one or two Latin letters are not looked for in them.
    """
    folded = " ".join(fold(typed[:_LONGEST_TYPED]).split())
    if not folded:
        return []
    joined = folded.replace(" ", "").replace("'", "")  # si chuan, xi'an
    forms = [folded, joined] if joined.isalpha() and joined.isascii() else [folded]
    titles = forms if len(folded) > 2 or not folded.isascii() else []
    groups = (forms, [_TITLE + form for form in titles], [_LATER + form for form in forms])
    return list(dict.fromkeys(form for group in groups for form in group))


def shown(term: str) -> str:
    """Return the expression of a term, as it was written."""
    return term.partition(SEPARATOR)[2]


def _shown(expression: str) -> str:
    return " ".join(expression.split())[:_LONGEST]


def _initials(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """The first of a name's tokens that is not the pinyin of its end."""
    return tuple(token for token in tokens if not tokens[0].endswith(token))[:1]


def _later(folded: str) -> list[str]:
    """What begins at the second and each further word, single characters left out."""
    starts, place = [], 0
    for word in dictionary.cut(folded):
        if place and len(word) > 1:
            starts.append(folded[place:].strip())
        place += len(word)
    return starts
