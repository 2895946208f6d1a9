"""What may be uploaded, and how long it is kept. No database in here."""

from __future__ import annotations

import re
from datetime import timedelta

from market.core.errors import Invalid
from market.core.sheets.model import ENDINGS
from market.core.text import clean_line

MOST_ROWS = 2_000
LARGEST = 20 * 1024 * 1024  # bytes
SHOWN_PROBLEMS = 200
KEPT_PROBLEMS = 5_000
PREVIEWED = 20
AT_A_TIME = 100  # rows between two signs of progress
MOST_OPEN = 20  # files of one owner that wait for the worker or for a decision
UNDO_DAYS = 10
KEPT = timedelta(days=UNDO_DAYS)  # files after the end of their import
SILENT = timedelta(seconds=60)  # a worker without a sign of life for so long has died
MOST_TRIES = 3
_LONGEST_NAME = 120


def clean_name(sent: str) -> tuple[str, str]:
    """The name of an upload without folders, and its ending.

    Raises:
        Invalid: the ending is none of a table.
    """
    last = re.split(r"[\\/]", clean_line(sent))[-1]
    stem, dot, ending = last.rpartition(".")
    ending = f".{ending.lower()}" if dot else ""
    if ending not in ENDINGS:
        raise Invalid({"file": ["请上传 XLSX、XLS、CSV 或 JSONL 文件。"]})
    stem = re.sub(r'[<>:"|?*\x00]', "", stem).strip(" .")
    return f"{stem[:_LONGEST_NAME] or '导入'}{ending}", ending


def judge_size(size: int) -> None:
    """Refuse an empty or too large file.

    Raises:
        Invalid: with a sentence at `file`.
    """
    if size == 0:
        raise Invalid({"file": ["文件是空的。"]})
    if size > LARGEST:
        most = LARGEST // (1024 * 1024)
        raise Invalid(
            {"file": [f"文件超过 {most} MB，请分成几个文件，每个最多 {MOST_ROWS:,} 行。"]}
        )


def too_many_rows() -> str:
    """Why a longer file is refused."""
    return f"文件超过 {MOST_ROWS:,} 行，请分成几个文件，分别上传。"
