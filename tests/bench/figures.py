"""Figures of a benchmark: what is asked, what was measured; times in interleaved rounds."""

from __future__ import annotations

import re
import statistics
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROUNDS = 5


@dataclass(frozen=True)
class Figure:
    """A line of the table. `ok` is None where nothing is asked."""

    name: str
    asked: str
    measured: str
    ok: bool | None = None


@dataclass(frozen=True)
class Times:
    """p50 and p95 in milliseconds, each the median over the rounds."""

    p50: float
    p95: float

    def __str__(self) -> str:
        return f"{self.p50:.1f} / {self.p95:.1f} ms"


def percentiles(seconds: Sequence[float]) -> Times:
    """p50 and p95 of one round."""
    return Times(statistics.median(seconds) * 1000, statistics.quantiles(seconds, n=20)[-1] * 1000)


def interleaved(
    ways: Mapping[str, Callable[[int], float]], cases: int, rounds: int = ROUNDS
) -> dict[str, Times]:
    """Time several ways of doing the same, taking turns so that noise hits all alike.

    Args:
        ways: name → function that does case number i and returns the seconds it took.
        cases: how many cases there are.

    Returns:
        Medians over the rounds of each round's p50 and p95. Who comes first changes from case
        to case: the first to touch something finds the caches cold.
    """
    found: dict[str, list[Times]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(rounds):
        spent: dict[str, list[float]] = {name: [] for name in ways}
        for case in range(cases):
            turn = (case + number) % len(names)
            for name in names[turn:] + names[:turn]:
                spent[name].append(ways[name](case))
        for name, seconds in spent.items():
            found[name].append(percentiles(seconds))
    return {
        name: Times(
            statistics.median(one.p50 for one in rounds_of),
            statistics.median(one.p95 for one in rounds_of),
        )
        for name, rounds_of in found.items()
    }


def timed(work: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def at_most(name: str, value: float, limit: float, unit: str, digits: int = 0) -> Figure:
    """A figure that may not exceed a limit."""
    measured = f"{value:,.{digits}f} {unit}".strip()
    return Figure(name, f"≤ {limit:g} {unit}".strip(), measured, value <= limit)


def at_least(name: str, value: float, limit: float, unit: str, digits: int = 0) -> Figure:
    """A figure that may not fall below a limit."""
    measured = f"{value:,.{digits}f} {unit}".strip()
    return Figure(name, f"≥ {limit:,g} {unit}".strip(), measured, value >= limit)


def plain(name: str, measured: object) -> Figure:
    """A figure of which nothing is asked."""
    return Figure(name, "", str(measured))


def memory_megabytes(pid: int | str, field: str) -> float:
    """A line of a process's status (VmHWM: peak, RssAnon: not shared with the page cache)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    found = re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found.group(1)) / 1024 if found else 0.0


def folder_megabytes(folder: Path) -> float:
    """Size of all files below a folder."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total / 1024 / 1024


def table(figures: Sequence[Figure]) -> str:
    """The figures as aligned text: figure | asked | measured | ok."""
    words = {True: "yes", False: "NO", None: ""}
    rows = [("figure", "asked", "measured", "ok")]
    rows += [(one.name, one.asked, one.measured, words[one.ok]) for one in figures]
    widths = [max(_width(row[place]) for row in rows) for place in range(4)]
    lines = [
        " | ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]
    rule = "-+-".join("-" * width for width in widths)
    return "\n".join([lines[0], rule, *lines[1:]])


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
