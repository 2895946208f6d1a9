"""What is known of a workbook before a library opens it: sizes, and cells that hold no value."""

from __future__ import annotations

from dataclasses import dataclass, field

from market.core.sheets.model import MOST_CELLS, MOST_ROWS, FileRefused

_KEPT = 10_000


@dataclass
class SheetFacts:
    """The corner of the used area (counted from 1), and what stands for cells without a value.

    `special` maps (row, column), counted from 0, to the text of an error (`#REF!`) or to
    `model.UNCACHED`: the reading library gives such cells as empty ones.
    """

    first_row: int = 0
    first_column: int = 0
    rows: int = 0
    columns: int = 0
    special: dict[tuple[int, int], str] = field(default_factory=dict)

    def use(self, row: int, column: int) -> None:
        """Note a cell with content; row and column count from 1."""
        if not self.rows:
            self.first_row, self.first_column = row, column
        self.first_row, self.first_column = (
            min(self.first_row, row),
            min(self.first_column, column),
        )
        self.rows, self.columns = max(self.rows, row), max(self.columns, column)

    def note(self, row: int, column: int, text: str) -> None:
        """Note what stands for a cell that has no value; row and column count from 1."""
        if len(self.special) < _KEPT:
            self.special[row - 1, column - 1] = text

    def judge(self) -> None:
        """Refuse a sheet that is too large. Raises FileRefused."""
        if self.rows > MOST_ROWS + 1 or self.rows * self.columns > MOST_CELLS:
            raise FileRefused(
                f"表格有 {self.rows:,} 行 {self.columns:,} 列，最多 {MOST_ROWS:,} 行、"
                f"{MOST_CELLS:,} 个单元格：请分成几个文件，并删去下方和右侧多余的行列。"
            )
