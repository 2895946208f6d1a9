"""Pages of a list: 20 listings or 25 table rows, a total that is exact up to 10,000."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

LISTINGS_PER_PAGE = 20
ROWS_PER_PAGE = 25
MOST_PER_PAGE = 100
EXACT_UP_TO = 10_000

T = TypeVar("T")


@dataclass(frozen=True)
class PageOf(Generic[T]):
    """One page of a list. `total_is` is "exact" or "at_least" (beyond 10,000)."""

    items: Sequence[T]
    total: int
    page: int
    per_page: int
    total_is: str = "exact"
    next_after: str | None = None

    @property
    def pages(self) -> int:
        """How many pages can be reached by number."""
        return max(1, -(-min(self.total, EXACT_UP_TO) // self.per_page))

    def window(self) -> list[int | None]:
        """Page numbers to show, None for a gap; the first and the last are always there."""
        near = {1, self.pages} | {self.page + step for step in (-2, -1, 0, 1, 2)}
        shown = sorted(number for number in near if 1 <= number <= self.pages)
        row: list[int | None] = []
        for number in shown:
            if row and row[-1] is not None and number - row[-1] > 1:
                row.append(None)
            row.append(number)
        return row


def whole(items: Sequence[T]) -> PageOf[T]:
    """A list that is short enough to be one page."""
    return PageOf(items, len(items), 1, max(len(items), 1))
