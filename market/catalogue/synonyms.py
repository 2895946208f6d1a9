"""Groups of words that mean the same: what makes a group sensible. No database in here.

A group is an entry of the code list `synonym`: its label and its aliases. Words are compared as
the search folds them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search_index.text import characters, fold

SCHEME = "synonym"
SHORTEST, LONGEST = 2, 30  # characters of a word
MOST = 20  # words in a group


@dataclass(frozen=True)
class Group:
    """A group of synonyms; its words as typed, without repetition."""

    code: str
    label: str
    aliases: Sequence[str]

    @property
    def words(self) -> tuple[str, ...]:
        return (self.label, *self.aliases)

    @property
    def folded(self) -> dict[str, str]:
        """Each word as typed by its folded form; the first of those that fold alike."""
        return {folded(word): word for word in reversed(self.words)}


def folded(word: str) -> str:
    """A word as the search compares it."""
    return " ".join(fold(word).split())


def read(code: str, label: str, aliases: str | None) -> Group:
    """The group of an entry, whose aliases are separated by `|`."""
    words = [word.strip() for word in (aliases or "").replace("｜", "|").split("|")]
    return Group(code, label, tuple(dict.fromkeys(word for word in words if word)))


def faults(group: Group, owners: Mapping[str, Group]) -> list[tuple[str, str]]:
    """What is wrong with a group: the column and a sentence for each fault.

    Args:
        group: the group as it will be.
        owners: folded word → the other group that holds it.
    """
    found = []
    if not group.aliases:
        found.append(("aliases", "请至少填一个同义的词，用 | 隔开。"))
    if len(group.words) > MOST:
        found.append(("aliases", f"一组最多 {MOST} 个词，现有 {len(group.words)} 个。"))
    seen: set[str] = set()
    for place, word in enumerate(group.words):
        column = "aliases" if place else "label"
        if sentence := _fault_of(word):
            found.append((column, sentence))
        elif (key := folded(word)) in seen:
            found.append((column, f"「{word}」在这一组里已经有了，一个词不能是自己的同义词。"))
        elif other := owners.get(key):
            message = f"「{word}」已在「{other.label}」一组，一个词只能在一组：请并成一组。"
            found.append((column, message))
        seen.add(folded(word))
    return found


def _fault_of(word: str) -> str | None:
    """Why a word cannot be a synonym."""
    parts = characters(fold(word))
    if not parts:
        return f"「{word[:20]}」只有符号，没有字。"
    if len("".join(parts)) < SHORTEST:
        return f"「{word}」太短：同义词至少 {SHORTEST} 个字。"
    if len(word) > LONGEST:
        return f"「{word[:10]}…」太长：同义词最多 {LONGEST} 个字。"
    return None
