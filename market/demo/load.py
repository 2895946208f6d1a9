"""Loads the demonstration data through the ordinary importer, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from market.accounts.importer import KIND as ORGANISATIONS
from market.catalogue.importer import ACHIEVEMENTS, DEMANDS
from market.core.errors import Conflict
from market.core.importing import Options, run_import
from market.core.permissions import SYSTEM

DATA = Path(__file__).parent / "data"


def load_demo() -> Iterator[str]:
    """Import organisations, achievements and demands; yields a line for each.

    Raises:
        Conflict: the data of this release does not pass its own checks.
    """
    for kind in (ORGANISATIONS, ACHIEVEMENTS, DEMANDS):
        result = run_import(kind, DATA / f"{kind.name}.jsonl", Options(demo=True), SYSTEM)
        if result.refused:
            raise Conflict(f"演示数据有误：{result.problems[0]}")
        yield f"演示数据 {kind.label}：{result.line()}"
