"""Columns, rows, and what may be wrong with a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from market.core.text import clean_line

MOST_ROWS = 100_000
MOST_CELLS = 2_000_000
MOST_UNPACKED = 300 * 1024 * 1024  # bytes
ENDINGS = (".xlsx", ".xls", ".csv", ".jsonl", ".json")
UNCACHED = "=FORMULA()"  # stands for a formula that was never calculated
_SHOWN = 60  # characters of a cell that a report repeats


class FileRefused(Exception):
    """The file as a whole cannot be read; the message says why and how to mend it."""


def too_large(rows: int, cells: int) -> FileRefused:
    """The refusal of a table with too many rows or cells."""
    size = f"超过 {MOST_ROWS:,} 行" if rows > MOST_ROWS else f"超过 {MOST_CELLS:,} 个单元格"
    return FileRefused(f"{size}，请分成几个文件导入。")


@dataclass(frozen=True)
class Column:
    """A column: `key` is the English header, `label` the Chinese one, `also` other headers."""

    key: str
    label: str
    note: str = ""
    required: bool = False
    choices: Sequence[str] = ()
    also: Sequence[str] = ()


@dataclass(frozen=True)
class Problem:
    """Something about one cell, for a person to mend. Warnings refuse nothing."""

    row: int
    column: str
    address: str
    value: str
    message: str
    warning: bool = False

    def __str__(self) -> str:
        place = self.address or f"第 {self.row} 行"
        name = f"「{self.column}」" if self.column else ""
        return f"{place}{name}：{self.message}"


@dataclass
class Row:
    """A row of a file: raw values by column key, and the problems found so far."""

    number: int
    values: dict[str, Any]
    letters: Mapping[str, str]
    labels: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def report(self, key: str, message: str, *, warning: bool = False) -> None:
        """Note a problem with the cell of a column."""
        letter = self.letters.get(key, "")
        address = f"{letter}{self.number}" if letter else f"第 {self.number} 行"
        label = self.labels.get(key, key)
        self.report_at(address, label, self.values.get(key), message, warning=warning)

    def report_at(
        self, address: str, label: str, value: Any, message: str, *, warning: bool = False
    ) -> None:
        """Note a problem with a cell that belongs to no column."""
        shown = "" if value is None else readable(value)
        if value == UNCACHED:  # what the cell holds is not known, and this it does not hold
            shown = "（没有结果的公式）"
        text = clean_line(message)
        self.problems.append(Problem(self.number, label, address, shown, text, warning))

    @property
    def rejected(self) -> bool:
        """Whether a problem is more than a warning."""
        return any(not problem.warning for problem in self.problems)


def readable(value: Any) -> str:
    """The beginning of a value, free of what neither a screen nor a file can take."""
    return clean_line(str(value)[: 4 * _SHOWN])[:_SHOWN]
