"""Reading the demonstration's data files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


def lines(name: str) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file."""
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)
