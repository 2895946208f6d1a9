"""Files as a data officer brings them, and the way they go into the database."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import openpyxl
from sqlalchemy import func, select

from market.accounts.models import Organisation
from market.catalogue.models import Listing, Revision
from market.core.db import db
from market.core.importing import Options, run_import
from market.core.permissions import SYSTEM
from market.rooms import KINDS

CODE = "12100000400000624D"  # a public institute's real code
OTHER = "91440300708461136T"
ORGANISATIONS = [
    {"name": "东坡区农业科学研究所", "uscc": CODE, "kind": "高校院所", "region": "511402"},
    {"name": "眉山泡菜有限公司", "uscc": OTHER, "kind": "企业", "region": "511402"},
]
HEADERS = ["名称", "简介", "单位统一社会信用代码", "所在地区"]


def sheet(path: Path, *rows, name: str = "数据", shape=None) -> Path:
    """An XLSX with these rows; `shape` may do more to the worksheet."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = name
    for row in rows:
        page.append(list(row))
    if shape is not None:
        shape(page)
    book.save(path)
    return path


def text_csv(path: Path, *rows, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    """A CSV with these rows."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def lines(path: Path, *records) -> Path:
    """JSON Lines; NaN and the like are written as many tools do."""
    path.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    return path


def load(kind: str, path: Path, dry_run: bool = False, **options):
    """Import a file; the result."""
    return run_import(KINDS[kind], path, Options(**options), SYSTEM, dry_run=dry_run)


def organisations(folder: Path):
    """The two organisations that the other files speak of."""
    result = load("organisations", lines(folder / "organisations.jsonl", *ORGANISATIONS))
    assert result.line() == "imported 2, updated 0, unchanged 0, rejected 0"


def achievement(**more):
    """A row that is good."""
    row = {"title": "泡菜盐水循环利用", "summary": "盐水过滤后回用。", "owner_uscc": CODE}
    return row | {"region": "511402"} | more


def counts() -> tuple[int, int]:
    """Listings and revisions in the database."""
    return (
        db.session.scalar(select(func.count()).select_from(Listing)) or 0,
        db.session.scalar(select(func.count()).select_from(Revision)) or 0,
    )


def only() -> Revision:
    """The current revision of the only listing."""
    listing = db.session.scalars(select(Listing)).one()
    assert listing.current is not None
    return listing.current


def sentences(result) -> list[str]:
    """The problems as the command prints them."""
    return [str(problem) for problem in result.problems]


def organisation_names() -> list[str]:
    """Names of all active organisations."""
    query = select(Organisation.name).where(Organisation.state == "active")
    return list(db.session.scalars(query.order_by(Organisation.id)))
