"""The query language: what a reader types, parsed once into a small tree.

Words (all are asked for), "phrases" in any quotation marks, -exclusions, alternatives with OR,
| or 或 as separate words (binding tighter than the blank: 水稻 小麦 OR 玉米 asks for 水稻 and one
of the others). Nothing is a syntax error; what makes no sense is read as plain words. The
amount of work is bounded by MAX_CHARACTERS and MAX_UNITS, what goes beyond is not read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from search_index import dictionary
from search_index.codes import code_in, is_long_code
from search_index.text import characters, fold, units

MAX_CHARACTERS = 400  # after folding
MAX_UNITS = 64

_QUOTES = '"“”„‟「」『』＂'
_TOKEN = re.compile(
    rf"(?P<minus>[-－−]*)[{_QUOTES}](?P<phrase>[^{_QUOTES}]*)[{_QUOTES}]"
    rf"|(?P<bar>\|+|｜+)"
    rf"|(?P<word>[^\s{_QUOTES}|｜]+)"
)
_SEPARATORS = re.compile(r"(?<!\d)[,，]|[,，](?!\d)|[、;；()（）\x00-\x1f\x7f]")
_OR = frozenset({"OR", "ＯＲ", "或", "或者"})
_AND = frozenset({"AND", "&", "&&", "＆"})


@dataclass(frozen=True, slots=True)
class Unit:
    """Folded text a document must contain, or one of its synonyms instead."""

    text: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase: all units are asked for, or the code it may be."""

    text: str
    units: tuple[Unit, ...]
    phrase: bool = False
    code: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """A number typed with blanks."""

    code: str


@dataclass(frozen=True, slots=True)
class Not:
    """Exclusion."""

    child: Term


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every child; without children: every document."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one child."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """A query that no document can match (an emoji, for example)."""


Node = Term | Code | Not | AllOf | AnyOf | Nothing
EVERYTHING = AllOf(())


class Synonyms:
    """Groups of expressions that mean the same, looked up by folded text."""

    def __init__(self, groups: Sequence[Sequence[str]] = ()) -> None:
        self._others: dict[str, tuple[str, ...]] = {}
        for group in groups:
            members = list(dict.fromkeys(fold(member).strip() for member in group))
            for member in filter(None, members):
                known = self._others.get(member, ())
                others = [other for other in members if other and other != member]
                self._others[member] = tuple(dict.fromkeys([*known, *others]))
        self._longest = max(map(len, self._others), default=0)

    def units(self, word: str) -> list[Unit]:
        """Cut a folded word into units, a member of a group being one unit with its synonyms.

        A member inside a longer word counts only where the word's own cut leaves it whole:
        登记 is found in 登记证书, but not in a longer dictionary word that happens to hold it.
        """
        if word in self._others:
            return [Unit(word, self._others[word])]
        found: list[Unit] = []
        rest = 0
        for start, end in self._members(word):
            found.extend(map(Unit, units(word[rest:start])))
            found.append(Unit(word[start:end], self._others[word[start:end]]))
            rest = end
        found.extend(map(Unit, units(word[rest:])))
        return found

    def _members(self, word: str) -> Iterator[tuple[int, int]]:
        if not self._others or len(word) < 2:
            return
        ends: list[int] = []
        for piece in dictionary.cut(word):
            ends.append((ends[-1] if ends else 0) + len(piece))
        borders = [0, *ends]
        start_at = 0
        for start in borders:
            if start < start_at:
                continue
            for end in reversed(borders):
                if start < end <= start + self._longest and word[start:end] in self._others:
                    yield start, end
                    start_at = end
                    break


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Literal["term", "or"]
    node: Term | Not | None = None


def parse(query: str, synonyms: Synonyms | None = None) -> Node:
    """Parse what a reader typed.

    Args:
        query: any text at all.
        synonyms: groups to add to the words (phrases mean exactly what they say).

    Returns:
        The tree; EVERYTHING for a query without words, Nothing for one of mere symbols.
    """
    synonyms = synonyms or Synonyms()
    text = query[: MAX_CHARACTERS * 4]
    children = _grouped(_tokens(text, synonyms))
    if not children and text.strip() in _OR:  # alone it joins nothing: a word like any other
        word = fold(text.strip())
        children = [Term(word, tuple(synonyms.units(word)))]
    tree: Node = _joined(children)
    if is_long_code(text) and len(children) > 1:
        return AnyOf((tree, Code(code_in(text))))
    if not children and any(unicodedata.category(sign)[0] in "SLNM" for sign in _bare(text)):
        return Nothing()
    return tree


def _bare(text: str) -> str:
    return fold(text).replace("|", "").replace("+", "").replace("&", "")


def _joined(children: list[Node]) -> Node:
    return children[0] if len(children) == 1 else AllOf(tuple(children))


def _grouped(tokens: Iterator[_Token]) -> list[Node]:
    """Join neighbours with OR between them; an OR without two sides is left out."""
    groups: list[list[Node]] = []
    joining = False
    for token in tokens:
        if token.kind == "or":
            joining = bool(groups)
        elif token.node is not None:
            if joining:
                groups[-1].append(token.node)
            else:
                groups.append([token.node])
            joining = False
    return [group[0] if len(group) == 1 else AnyOf(tuple(group)) for group in groups]


def _tokens(text: str, synonyms: Synonyms) -> Iterator[_Token]:
    characters_left, units_left = MAX_CHARACTERS, MAX_UNITS
    for match in _TOKEN.finditer(text):
        if match["bar"]:
            yield _Token("or")
            continue
        phrase = match["phrase"] is not None
        for piece in [match["phrase"]] if phrase else _SEPARATORS.split(match["word"]):
            if not phrase and piece in _OR:
                yield _Token("or")
            if not phrase and piece in _OR | _AND:
                continue
            excluded = bool(match["minus"]) if phrase else piece[:1] in {"-", "－", "−"}
            folded = fold(piece).strip(" -−")[:characters_left]
            term = _term(folded, phrase, synonyms, units_left)
            if term is None:
                continue
            characters_left -= len(folded)
            units_left -= len(term.units)
            yield _Token("term", Not(term) if excluded else term)
            if characters_left <= 0 or units_left <= 0:
                return


def _term(folded: str, phrase: bool, synonyms: Synonyms, most: int) -> Term | None:
    if not characters(folded):
        return None
    found = [Unit(folded)] if phrase else synonyms.units(folded)
    return Term(folded, tuple(found[:most]), phrase, code_in(folded))


def terms(node: Node) -> list[Term]:
    """Return the terms asked for, exclusions left out, in the order typed."""
    if isinstance(node, Term):
        return [node]
    if isinstance(node, AllOf | AnyOf):
        return [term for child in node.children for term in terms(child)]
    return []


def codes(node: Node) -> list[str]:
    """Return the normalised codes asked for."""
    if isinstance(node, Term):
        return [node.code] if node.code else []
    if isinstance(node, Code):
        return [node.code]
    if isinstance(node, AllOf | AnyOf):
        return [code for child in node.children for code in codes(child)]
    return []


def asked_synonyms(found: Sequence[Term]) -> Mapping[str, str]:
    """Return synonym → the word it stands for, of terms."""
    return {
        synonym: unit.text for term in found for unit in term.units for synonym in unit.synonyms
    }


def is_pinyin(term: Term) -> bool:
    """Say whether a term may be the pinyin or the initials of a name."""
    return not term.phrase and len(term.text) > 1 and term.text.isascii() and term.text.isalpha()
