"""Sheets of a workbook, XLSX or XLS, after it was judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from market.core.sheets import biff
from market.core.sheets.facts import SheetFacts
from market.core.sheets.model import FileRefused
from market.core.sheets.package import judge_xlsx

Range = tuple[tuple[int, int], tuple[int, int]]  # first and last (row, column), from 0
Grid = Iterator[tuple[int, Sequence[Any]]]
_UNREADABLE = "文件打不开：可能已损坏，或内容不是表格。请在表格软件里另存为 XLSX 再试。"
_PASSWORD = "文件加了密码，请去掉密码再导入。"


@dataclass(frozen=True)
class Sheet:
    """A sheet: its name, its merged areas, its rows with their numbers from 1."""

    name: str
    merged: Sequence[Range]
    grid: Grid


def is_workbook(head: bytes) -> bool:
    """Whether a file that begins so is an XLSX or an XLS, whatever it is called."""
    return head[:4] in {b"PK\x03\x04", b"PK\x05\x06"} or head[:8] == biff.MAGIC


def what_else(head: bytes) -> str:
    """A sentence about a file that is called a workbook and is none."""
    text = head.lower()
    if b"urn:schemas-microsoft-com:office:spreadsheet" in text:
        return "文件内容是「XML 表格 2003」：请在表格软件里打开，另存为 XLSX 再导入。"
    if b"<html" in text or b"<table" in text or b"<!doctype" in text:
        return "文件内容是网页（HTML），不是工作簿：请在表格软件里打开，另存为 XLSX 再导入。"
    if b"\x00" not in head and (b"," in head or b"\t" in head or b";" in head):
        return "文件内容是文本（像是 CSV），不是工作簿：请把扩展名改为 .csv 再导入。"
    return "文件内容不是 XLSX 或 XLS（可能是改了扩展名，或已损坏）：请另存为 XLSX 再试。"


def open_sheets(path: Path) -> Iterator[Sheet]:
    """The sheets of a workbook in order, each loaded when it is asked for.

    Raises:
        FileRefused: damaged, protected, or too large; before the workbook is opened.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum

    with path.open("rb") as file:
        compound = file.read(8) == biff.MAGIC
    facts: Sequence[SheetFacts] | dict[str, SheetFacts]
    facts = biff.judge_xls(path) if compound else judge_xlsx(path)
    try:
        with path.open("rb") as file:
            book = CalamineWorkbook.from_filelike(file)
        for place, meta in enumerate(book.sheets_metadata):
            if meta.typ != SheetTypeEnum.WorkSheet:
                continue
            about = facts.get(meta.name) if isinstance(facts, dict) else facts[place]
            if about is None or (about.rows == 0 and not compound):
                continue
            sheet = book.get_sheet_by_index(place)
            left = (sheet.start or (0, 0))[1]
            merged = sheet.merged_cell_ranges or ()
            yield Sheet(meta.name, merged, _rows(sheet.iter_rows(), left, about))
    except PasswordError as error:
        raise FileRefused(_PASSWORD) from error
    except (CalamineError, OSError, ValueError, IndexError) as error:
        raise FileRefused(_UNREADABLE) from error
    except BaseException as error:
        # The library is written in Rust: a fault in it arrives as a class that is no Exception.
        if type(error).__name__ == "PanicException":
            raise FileRefused(_UNREADABLE) from error
        raise


def _rows(cells: Any, left: int, facts: SheetFacts) -> Grid:
    """Rows with what stands for errors and uncalculated formulas put in.

    The library gives rows from the first of the sheet on, but only from the first used column.
    """
    special: dict[int, list[tuple[int, str]]] = {}
    for (row, column), text in facts.special.items():
        special.setdefault(row, []).append((column, text))
    for row, values in enumerate(cells):
        yield row + 1, _with([""] * left + values, special.pop(row, ()))
    for row in sorted(special):  # rows that hold nothing else
        yield row + 1, _with([], special[row])


def _with(values: list[Any], special: Sequence[tuple[int, str]]) -> list[Any]:
    for column, text in special:
        values += [""] * (column + 1 - len(values))
        values[column] = text
    return values
