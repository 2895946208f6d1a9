"""Writing tables: the same columns out as in, a template with lists, a report of problems."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from market.core.sheets.model import Column, FileRefused, Problem, readable

_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_TEMPLATE_ROWS = 2000
Notes = Sequence[tuple[str, str]]
_LONGEST_LIST = 255  # characters a spreadsheet allows in a drop-down list
_CELL = re.compile(r"[A-Z]{1,3}[0-9]+")
_LINKABLE = re.compile(r"[^#'\"<>|*?]{1,200}")


def write_table(
    path: Path,
    columns: Sequence[Column],
    rows: Iterable[Mapping[str, Any]],
    notes: Notes = (),
) -> int:
    """Write rows under the columns' Chinese headers; returns how many.

    Args:
        notes: names and texts about the table; in a workbook they make a second sheet, other
            files hold nothing but the table.

    Raises:
        FileRefused: the ending is none of .xlsx, .csv, .jsonl, or nothing can be written there.
    """
    check_target(path)
    write = _WRITERS[path.suffix.lower()]
    with _named_faults(path):
        return write(path, columns, rows, notes)


def check_target(path: Path) -> None:
    """Refuse a file that could not be written, before the work is done.

    Raises:
        FileRefused: another ending than .xlsx, .csv or .jsonl, or no such folder.
    """
    if path.suffix.lower() not in _WRITERS:
        name = readable(path.suffix or path.name)
        raise FileRefused(f"要写的文件的扩展名应为 .xlsx、.csv 或 .jsonl，现为「{name}」。")
    if not path.parent.is_dir():
        raise FileRefused(f"没有文件夹「{readable(path.parent)}」，请先建好。")
    # A library that fails while writing leaves its temporary file open: ask first.
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise _unwritable(path)


@contextmanager
def _named_faults(path: Path) -> Iterator[None]:
    from xlsxwriter.exceptions import XlsxWriterException

    try:
        yield
    except (OSError, XlsxWriterException) as error:
        raise _unwritable(path) from error


def _unwritable(path: Path) -> FileRefused:
    return FileRefused(
        f"写不了文件「{readable(path.name)}」：请检查磁盘、权限，以及它是否正被打开。"
    )


def _write_xlsx(
    path: Path,
    columns: Sequence[Column],
    rows: Iterable[Mapping[str, Any]],
    notes: Notes,
) -> int:
    import xlsxwriter

    count = 0
    with xlsxwriter.Workbook(str(path), _OPTIONS) as book:
        sheet = book.add_worksheet("数据")
        sheet.freeze_panes(1, 0)
        header = book.add_format({"bold": True, "bottom": 1})
        for place, column in enumerate(columns):
            sheet.set_column(place, place, _width(column))
            sheet.write_string(0, place, column.label, header)
        for count, row in enumerate(rows, 1):
            for place, column in enumerate(columns):
                value = row.get(column.key)
                if isinstance(value, _Link):
                    sheet.write_url(count, place, value.target, string=str(value))
                elif isinstance(value, str):  # never as a formula, a link or a number
                    sheet.write_string(count, place, value)
                elif value is not None:
                    sheet.write(count, place, value)
        if notes:
            page = book.add_worksheet("说明")
            page.set_column(1, 1, 80)
            for line, pair in enumerate(notes):
                for place, text in enumerate(pair):
                    page.write_string(line, place, text)
    return count


def _width(column: Column) -> int:
    return 40 if column.key in {"title", "summary", "problem"} else 16


def _write_csv(
    path: Path, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], _notes: Notes
) -> int:
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.label for column in columns])
        for row in rows:
            writer.writerow([_guard(row.get(column.key)) for column in columns])
            count += 1
    return count


def _guard(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula gets an apostrophe in front.

    So does one that already has such an apostrophe: reading takes one away.
    """
    if isinstance(value, str) and value.lstrip("'")[:1] in {"=", "+", "-", "@"}:
        return f"'{value}"
    return "" if value is None else value


def _write_jsonl(
    path: Path, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], _notes: Notes
) -> int:
    keys = {column.key for column in columns}
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            count += 1
            kept = {key: value for key, value in row.items() if key in keys and value is not None}
            file.write(json.dumps(kept, ensure_ascii=False) + "\n")
    return count


_WRITERS = {".xlsx": _write_xlsx, ".csv": _write_csv, ".jsonl": _write_jsonl}


def write_template(path: Path, columns: Sequence[Column]) -> None:
    """An empty XLSX to fill in: headers with notes, needed ones in bold, lists to choose from.

    Its cells are text, so that 2025.10 keeps its nought and a code its last digits.

    Raises:
        FileRefused: the ending is not .xlsx, or nothing can be written there.
    """
    if path.suffix.lower() != ".xlsx":
        raise FileRefused(f"模板文件的扩展名应为 .xlsx，现为「{readable(path.suffix)}」。")
    check_target(path)
    with _named_faults(path):
        _write_template(path, columns)


def _write_template(path: Path, columns: Sequence[Column]) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("数据")
        sheet.freeze_panes(1, 0)
        plain = book.add_format({"bottom": 1, "num_format": "@"})
        typed = book.add_format({"num_format": "@"})
        needed = book.add_format({"bottom": 1, "bold": True, "font_color": "#9c4a1a"})
        for place, column in enumerate(columns):
            sheet.set_column(place, place, _width(column), typed)
            head = column.label + ("*" if column.required else "")
            sheet.write_string(0, place, head, needed if column.required else plain)
            note = "；".join(filter(None, ["必填" if column.required else "", column.note]))
            if note:
                sheet.write_comment(0, place, note)
            _offer_choices(sheet, place, column)
        guide = book.add_worksheet("填写说明")
        guide.set_column(0, 0, 24)
        guide.set_column(1, 2, 60)
        for place, text in enumerate(("列", "怎么填", "可选内容")):
            guide.write_string(0, place, text, plain)
        for line, column in enumerate(columns, 1):
            guide.write_string(line, 0, column.label + ("（必填）" if column.required else ""))
            guide.write_string(line, 1, column.note)
            guide.write_string(line, 2, "、".join(column.choices))


def _offer_choices(sheet: Any, place: int, column: Column) -> None:
    fits = len(",".join(column.choices)) <= _LONGEST_LIST
    if column.choices and fits:
        sheet.data_validation(
            1,
            place,
            _TEMPLATE_ROWS,
            place,
            {
                "validate": "list",
                "source": list(column.choices),
                # Several may be typed with ；between them, so other text is not refused.
                "error_type": "information",
                "error_message": "不在列表中；可填多项时用；隔开。",
            },
        )


class _Link(str):
    """Text that leads somewhere when it is clicked."""

    target: str


def _link(address: str, report: Path, source: Path | None, sheet: str) -> str:
    """The address of a cell; one that opens it, where a workbook lies beside the report.

    A path to elsewhere would be one of the machine on which the report was made.
    """
    if source is None or not sheet or not _CELL.fullmatch(address):
        return address
    beside = source.resolve().parent == report.resolve().parent
    name = source.name + sheet
    if not beside or not name.isprintable() or not _LINKABLE.fullmatch(name):
        return address
    link = _Link(address)
    link.target = f"external:{source.name}#'{sheet}'!{address}"
    return link


def write_problems(
    path: Path, problems: Sequence[Problem], source: Path | None = None, sheet: str = ""
) -> None:
    """A table of problems, one a row, each with its cell's address.

    Args:
        source: the file with the problems, when it is a workbook: addresses lead into it.
        sheet: the name of its sheet.
    """
    columns = [
        Column("sheet", "工作表"),
        Column("address", "单元格"),
        Column("row", "行"),
        Column("column", "列"),
        Column("value", "原内容"),
        Column("level", "性质"),
        Column("message", "问题与改法"),
    ]
    rows = (
        {
            "sheet": sheet or None,
            "address": _link(problem.address, path, source, sheet),
            "row": problem.row,
            "column": problem.column,
            "value": problem.value,
            "level": "提醒" if problem.warning else "错误",
            "message": problem.message,
        }
        for problem in problems
    )
    write_table(path, columns, rows)
