"""How alike two titles are, and which of many are alike. Pure: no database, no index.

Titles are compared by the pairs of neighbouring characters of their keys (`title_key`): the
Dice coefficient, twice the shared pairs over all pairs of both. A changed character costs two
pairs, an added word its own. Titles made of the same characters in another order count as just
alike, since in a short title a moved word breaks too many pairs.
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Iterable
from typing import Generic, TypeVar

ALIKE = 0.8  # from here on two titles may mean the same thing
DIFFERENT = 0.3  # below this a title was probably typed into the wrong row
SHORTEST = 4  # characters of titles whose order may differ
Item = TypeVar("Item")


def _pairs(key: str) -> Counter[str]:
    """Pairs of neighbouring characters with how often each stands there."""
    return Counter(map(operator.add, key, key[1:])) if len(key) > 1 else Counter([key])


def _overlap(left: Counter[str], right: Counter[str]) -> float:
    return 2 * (left & right).total() / (left.total() + right.total())


def _bag(key: str) -> str:
    """The characters of a key in a fixed order; nothing of a very short one."""
    return "".join(sorted(key)) if len(key) >= SHORTEST else ""


def likeness(left: str, right: str) -> float:
    """How alike two title keys are, from 0 to 1."""
    score = _overlap(_pairs(left), _pairs(right))
    return max(score, ALIKE) if _bag(left) and _bag(left) == _bag(right) else score


class Alike(Generic[Item]):
    """Titles of a file as they come; finds those that are alike without comparing each with each.

    Two titles that are alike share two thirds of the pairs of either: with a title's rarest
    pairs, one more than a third of them, at least one is shared.
    """

    def __init__(self) -> None:
        self._held: list[tuple[str, Item]] = []
        self._places: dict[str, list[int]] = {}
        self._bags: dict[str, int] = {}

    def add(self, key: str, item: Item) -> None:
        """Keep a title."""
        for pair in _pairs(key):
            self._places.setdefault(pair, []).append(len(self._held))
        if bag := _bag(key):
            self._bags.setdefault(bag, len(self._held))
        self._held.append((key, item))

    def find(self, key: str) -> tuple[float, Item] | None:
        """The title most alike among those kept, None when none is alike."""
        best: tuple[float, Item] | None = None
        for place in self._candidates(key):
            held, item = self._held[place]
            score = likeness(key, held)
            if score >= ALIKE and (best is None or score > best[0]):
                best = score, item
        return best

    def _candidates(self, key: str) -> Iterable[int]:
        """Places of titles that share one of the rarest pairs or all characters, in order."""
        wanted = _pairs(key)
        # Pairs that an alike title shares at least; not one more by rounding.
        shared = math.ceil(wanted.total() * ALIKE / (2 - ALIKE) - 1e-9)
        places = {self._bags[bag]} if (bag := _bag(key)) in self._bags else set()
        taken = 0
        for pair in sorted(wanted, key=lambda pair: len(self._places.get(pair, ()))):
            places.update(self._places.get(pair, ()))
            taken += wanted[pair]
            if taken > wanted.total() - shared:
                break
        return sorted(places)
