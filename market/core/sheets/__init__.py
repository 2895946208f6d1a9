"""Tables that people keep in files: XLSX, XLS, CSV and JSON Lines, in and out."""

from market.core.sheets.model import Column, FileRefused, Problem, Row
from market.core.sheets.reader import Table, open_table
from market.core.sheets.writer import (
    check_target,
    write_problems,
    write_table,
    write_template,
)

__all__ = [
    "Column",
    "FileRefused",
    "Problem",
    "Row",
    "Table",
    "check_target",
    "open_table",
    "write_problems",
    "write_table",
    "write_template",
]
