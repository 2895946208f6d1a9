"""The demonstration directory: bodies, points, institutions, brokers, experts, and their states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select

from market.core.db import db
from market.core.errors import Conflict
from market.core.importing import Options, run_import
from market.core.permissions import SYSTEM
from market.demo.files import DATA
from market.demo.play import Play, actor
from market.service_points import service, staff
from market.service_points.files import BODIES, INSTITUTIONS, POINTS
from market.service_points.finding import Finder, words_of
from market.service_points.models import Admission
from market.service_points.schemas import StaffSchema
from market.service_points.specialists.importer import BROKERS, EXPERTS

_FILES = (BODIES, POINTS, INSTITUTIONS, BROKERS, EXPERTS)


def load_directory() -> Iterator[str]:
    """Import the directory; a line for each file. Raises Conflict: it does not pass its checks."""
    for kind in _FILES:
        result = run_import(kind, DATA / f"{kind.name}.jsonl", Options(demo=True), SYSTEM)
        if result.refused:
            raise Conflict(f"演示数据有误：{result.problems[0]}")
        yield f"演示数据 {kind.label}：{result.line()}"


def scene(play: Play, line: Mapping[str, Any]) -> None:
    """An office suspends or ends an admission, names its parent, or notes who works there."""
    row = db.session.scalars(select(Admission).where(Admission.name == line["title"])).one()
    no, version, finder = row.no, row.lock_version, Finder()
    with play.step(line["ago"]):
        if line["do"] == "parent":
            held = {key: value for key, value in words_of(row).items() if value}
            said = finder.resolve(held | {"parent": line["parent"]})
            service.edit(actor(line["by"]), no, version, said)
        elif line["do"] == "staff":
            staff.add(actor(line["by"]), no, StaffSchema().load(line["said"]))
        else:
            service.do(actor(line["by"]), no, line["do"], line["reason"])
