"""Loads the demonstration data through the ordinary importer, once."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from market.accounts.importer import KIND as ORGANISATIONS
from market.catalogue.importer import ACHIEVEMENTS, DEMANDS
from market.catalogue.models import Listing
from market.catalogue.pins import KIND as PINS
from market.core.db import db
from market.core.errors import Conflict
from market.core.importing import Kind, Options, run_import
from market.core.permissions import SYSTEM
from market.demo.cases import load_cases
from market.demo.directory import load_directory
from market.demo.people import load_people
from market.regions.industries import KIND as LEADING_INDUSTRIES

DATA = Path(__file__).parent / "data"


def load_demo() -> Iterator[str]:
    """Fill the demonstration market, with cases at work; a line for each kind. Raises as below."""
    yield from load_market()
    yield load_cases()


def load_market() -> Iterator[str]:
    """Import leading industries, organisations, listings, pins, make accounts; nothing happened yet.

    Raises:
        Conflict: the data of this release does not pass its own checks.
    """
    for kind in (LEADING_INDUSTRIES, ORGANISATIONS, ACHIEVEMENTS, DEMANDS):
        yield _load(kind, DATA / f"{kind.name}.jsonl")
    with tempfile.TemporaryDirectory() as folder:
        numbered = Path(folder) / "pins.jsonl"
        numbered.write_text("\n".join(_numbered_pins()), encoding="utf-8")
        yield _load(PINS, numbered)
    yield load_people()
    yield from load_directory()


def _load(kind: Kind, path: Path) -> str:
    result = run_import(kind, path, Options(demo=True), SYSTEM)
    if result.refused:
        raise Conflict(f"演示数据有误：{result.problems[0]}")
    return f"演示数据 {kind.label}：{result.line()}"


def _numbered_pins() -> Iterator[str]:
    """The pins with the public numbers that their listings were given when imported."""
    query = select(Listing.source_id, Listing.no).where(Listing.demo)
    nos = {source: no for source, no in db.session.execute(query)}  # noqa: C416
    for line in (DATA / "pins.jsonl").read_text(encoding="utf-8").splitlines():
        pin = json.loads(line)
        yield json.dumps(pin | {"no": nos[pin.pop("source_id")]}, ensure_ascii=False)
