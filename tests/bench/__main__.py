"""`make bench`: figures of speed and quality beside what is asked of them.

    python -m tests.bench [search|import|backup|desk|dispatch|saved|contracts|papers|ledger] [--scale 0.01] [--strict]

One temporary folder is used and removed. Exits with 1 on errors, and with --strict also when a
figure is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.bench import backups, contracts, desk, dispatches, imports, ledger, papers, saved, search
from tests.bench.figures import Figure, at_most, folder_megabytes, table

SECTIONS: Mapping[str, tuple[Callable[[Path, float], Iterator[Figure]], str]] = {
    "search": (search.run, search.DEFINITIONS),
    "import": (imports.run, imports.DEFINITIONS),
    "backup": (backups.run, backups.DEFINITIONS),
    "desk": (desk.run, desk.DEFINITIONS),
    "dispatch": (dispatches.run, dispatches.DEFINITIONS),
    "saved": (saved.run, saved.DEFINITIONS),
    "contracts": (contracts.run, contracts.DEFINITIONS),
    "papers": (papers.run, papers.DEFINITIONS),
    "ledger": (ledger.run, ledger.DEFINITIONS),
}
MOST_MINUTES, MOST_MEGABYTES = 10, 3072


def run_section(name: str, folder: Path, scale: float) -> list[Figure]:
    """The figures of a section, its time and its space."""
    started = time.perf_counter()
    figures = []
    for figure in SECTIONS[name][0](folder, scale):
        print(f"{name}: {figure.name}: {figure.measured}", file=sys.__stderr__, flush=True)
        figures.append(figure)
    minutes = (time.perf_counter() - started) / 60
    figures.append(at_most(f"section {name}, time", minutes, MOST_MINUTES, "min", 1))
    size = folder_megabytes(folder)
    figures.append(at_most(f"section {name}, disk", size, MOST_MEGABYTES, "MB"))
    return figures


def failed(figures: list[Figure], strict: bool) -> bool:
    """Whether the run fails for a missed figure."""
    return strict and any(one.ok is False for one in figures)


def main() -> int:
    """Run the sections asked for and print one table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("sections", nargs="*", metavar="section", help=" | ".join(SECTIONS))
    scale = float(os.environ.get("MARKET_BENCH_SCALE", "1"))
    parser.add_argument("--scale", type=float, default=scale, help="share of the full size")
    parser.add_argument("--strict", action="store_true", help="fail when a figure is missed")
    given = parser.parse_args()
    names = given.sections or list(SECTIONS)
    if unknown := set(names) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="market-bench-") as folder:
        for name in names:
            part = Path(folder) / name
            part.mkdir()
            # Everything is logged as in production; the lines go to a file.
            with (part / "bench.log").open("w", encoding="utf-8") as log:
                try:
                    with contextlib.redirect_stderr(log):
                        figures += run_section(name, part, given.scale)
                except Exception:
                    traceback.print_exc()
                    return 1
    print(f"share of the full size: {given.scale:g}; {os.cpu_count()} processors\n")
    print(table(figures))
    for name in names:
        print(f"\n{name}:\n{SECTIONS[name][1]}")
    return int(failed(figures, given.strict))


if __name__ == "__main__":
    sys.exit(main())
