"""Importing and exporting rosters; an import can be undone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import aliased

from market.accounts.models import FormerUscc, Organisation
from market.accounts.roles import OFFICES
from market.accounts.rosters.models import KINDS, RosterEntry
from market.accounts.rosters.schemas import HEADERS, SCHEMA
from market.core import clock
from market.core.db import db
from market.core.file_rows import columns_of, load_row
from market.core.importing import BATCH, Checked, Importable, Kind, Options
from market.core.permissions import InArea, policy
from market.core.sheets import Column, Row
from market.core.text import fold
from market.regions import queries as regions
from market.regions.models import Region

_SAID = ("name", "number", "valid_from", "valid_to", "source")
_ELSEWHERE = (
    "这家单位不在本地区：只能导入本地区的单位（本站有的按单位所在地，没有的按信用代码第 3–8 位）。"
)
IMPORT = policy.declare("accounts:roster:import", **dict.fromkeys(OFFICES, InArea()))
Key = tuple[str, str, int, str]


def columns() -> list[Column]:
    """The columns of a file of rosters."""
    return columns_of(SCHEMA, HEADERS)


def _key(content: Mapping[str, Any]) -> Key:
    return content["uscc"], content["kind"], content["year"], content.get("title") or ""


class RosterImporter:
    """Checks rows against each other and the lists; key is list, credit code and year."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._seen: dict[Key, tuple[int, Mapping[str, Any]]] = {}
        self._replaced: list[int] = []

    def check(self, rows: Sequence[Row]) -> list[Checked]:
        """Validate a batch and say which rows are new, changed or the same."""
        good = [(row, content) for row in rows if (content := load_row(SCHEMA, row)) is not None]
        good = self._of_the_area(good)
        held = _held(content["uscc"] for _, content in good)
        return [one for row, content in good if (one := self._compare(row, content, held))]

    def _of_the_area(self, rows: list[tuple[Row, dict[str, Any]]]) -> list[Any]:
        """Those rows whose organisations an office may bring: of its own area only."""
        area = self._options.only_area
        if area is None:
            return rows
        paths = _area_paths(content["uscc"] for _, content in rows)
        good = []
        for row, content in rows:
            if paths.get(content["uscc"], "").startswith(area):
                good.append((row, content))
            else:
                row.report("uscc", _ELSEWHERE)
        return good

    def _compare(
        self, row: Row, content: dict[str, Any], held: Mapping[Key, RosterEntry]
    ) -> Checked | None:
        key = _key(content)
        number, before = self._seen.setdefault(key, (row.number, content))
        if number != row.number:
            if before == content:
                message = f"与第 {number} 行完全相同，只导入一次。"
                row.report("uscc", message, warning=True)
                return Checked(row, "unchanged")
            row.report("uscc", f"与第 {number} 行是同一名单同一年度的同一家单位，请只留一行。")
            return None
        there = held.get(key)
        if there is None:
            return Checked(row, "new", content)
        # A column that the file does not have, or leaves empty, changes nothing.
        present = {name: getattr(there, name) for name in _SAID}
        whole = present | {name: content[name] for name in _SAID if content.get(name)}
        if whole == present:
            return Checked(row, "unchanged")
        if whole["valid_from"] and whole["valid_to"] and whole["valid_to"] < whole["valid_from"]:
            row.report("valid_to", f"早于已有的有效期起（{whole['valid_from']}），请两个都填。")
            return None
        return Checked(row, "changed", content | whole, there.id)

    def stage(self, run_id: int, rows: Sequence[Checked]) -> None:
        """Insert new rows unseen; those that they replace stay until the end."""
        now = clock.now()
        places = _places(one.content["uscc"] for one in rows)
        self._replaced += [one.existing_id for one in rows if one.existing_id is not None]
        db.session.execute(
            insert(RosterEntry),
            [
                {name: one.content.get(name) for name in _SAID}
                | {
                    "kind": one.content["kind"],
                    "title": one.content.get("title") or "",
                    "uscc": one.content["uscc"],
                    "year": one.content["year"],
                    "folded_name": fold(one.content["name"])[:200],
                    "region_id": places.get(one.content["uscc"][2:8]),
                    "state": "staged",
                    "import_id": run_id,
                    "demo": self._options.demo,
                    "created_at": now,
                }
                for one in rows
            ],
        )

    def publish(self, run_id: int) -> None:
        """Put the new rows in the place of those that they replace."""
        for at in range(0, len(self._replaced), BATCH):
            ids = self._replaced[at : at + BATCH]
            _set(RosterEntry.id.in_(ids), state="replaced", replaced_by_id=run_id)
        _set(_of(run_id, "staged"), state="active")

    def discard(self, run_id: int) -> bool:
        """Delete up to a batch of staged rows."""
        ids = list(
            db.session.scalars(select(RosterEntry.id).where(_of(run_id, "staged")).limit(BATCH))
        )
        db.session.execute(delete(RosterEntry).where(RosterEntry.id.in_(ids)))
        return len(ids) == BATCH

    def undo(self, run_id: int) -> Sequence[str]:
        """Take the rows away and bring back those that they replaced."""
        later = select(RosterEntry.name).where(_of(run_id, "replaced"))
        names = list(db.session.scalars(later.limit(BATCH)))
        # What a row of this import replaced counts as replaced by whatever replaced that row.
        mine = aliased(RosterEntry)
        successor = (
            select(mine.replaced_by_id)
            .where(
                mine.import_id == run_id,
                mine.state == "replaced",
                mine.uscc == RosterEntry.uscc,
                mine.kind == RosterEntry.kind,
                mine.year == RosterEntry.year,
                mine.title == RosterEntry.title,
            )
            .correlate(RosterEntry)
            .scalar_subquery()
        )
        gone = RosterEntry.replaced_by_id == run_id
        _set(gone & successor.is_not(None), replaced_by_id=successor)
        _set(_of(run_id, "active", "replaced"), state="undone", replaced_by_id=None)
        _set(gone, state="active", replaced_by_id=None)
        if not names:
            return []
        shown = "、".join(names[:5]) + (" 等" if len(names) > 5 else "")
        return [f"有 {len(names)} 条后来又被新的导入改过，保持现在的内容：{shown}。"]


def _of(run_id: int, *states: str) -> Any:
    return (RosterEntry.import_id == run_id) & RosterEntry.state.in_(states)


def _set(which: Any, **values: Any) -> None:
    change = update(RosterEntry).where(which).values(**values)
    db.session.execute(change.execution_options(synchronize_session=False))


def _held(codes: Iterable[str]) -> dict[Key, RosterEntry]:
    """What the lists say now of these organisations, by key."""
    query = select(RosterEntry).where(
        RosterEntry.uscc.in_(set(codes)), RosterEntry.state == "active"
    )
    rows = db.session.scalars(query)
    return {(row.uscc, row.kind, row.year, row.title): row for row in rows}


def _places(codes: Iterable[str]) -> dict[str, int]:
    """The regions that gave these credit codes out, by their six digits (GB 32100-2015)."""
    wanted = {code[2:8] for code in codes}
    found = regions.former_codes(wanted)
    return found | {place.code: place.id for place in regions.by_codes(wanted)}


def _area_paths(codes: Iterable[str]) -> dict[str, str]:
    """Where organisations lie, by credit code; those unknown here, where the code was given out."""
    wanted = set(codes)
    places = _places(wanted)
    by_id = dict(
        db.session.execute(
            select(Region.id, Region.path).where(Region.id.in_(set(places.values())))
        ).all()
    )
    found = {code: by_id[places[code[2:8]]] for code in wanted if code[2:8] in places}
    own = select(Organisation.uscc, Region.path).join(Region, Region.id == Organisation.region_id)
    active = own.where(Organisation.state == "active")
    former = (
        active.join(FormerUscc, FormerUscc.organisation_id == Organisation.id)
        .where(FormerUscc.code.in_(wanted))
        .with_only_columns(FormerUscc.code, Region.path)
    )
    for query in (former, active.where(Organisation.uscc.in_(wanted))):
        found |= {code: path for code, path in db.session.execute(query) if code}
    return found


def shown(checked: Checked) -> Mapping[str, str]:
    """What an entry will say, by label; a row that changes nothing is shown as it is typed."""
    if not checked.content:
        values = checked.row.values
        return {"单位": str(values.get("name") or ""), "年度": str(values.get("year") or "")}
    content = checked.content
    until = [str(content[name]) for name in ("valid_from", "valid_to") if content.get(name)]
    found = {
        "名单": content.get("title") or KINDS[content["kind"]],
        "单位": content["name"],
        "信用代码": content["uscc"],
        "年度": str(content["year"]),
        "编号": content.get("number") or "",
        "有效期": " 至 ".join(until),
        "来源": content.get("source") or "",
    }
    return {label: text for label, text in found.items() if text}


def since(run_id: int) -> Sequence[str]:
    """What another import changed after this one, which therefore cannot be taken back on a page."""
    later = select(RosterEntry.name).where(_of(run_id, "replaced")).limit(BATCH)
    names = list(db.session.scalars(later))
    if not names:
        return []
    shown = "、".join(names[:5]) + (" 等" if len(names) > 5 else "")
    return [f"有 {len(names)} 条后来又被新的导入改过：{shown}。"]


def file_row(entry: RosterEntry) -> dict[str, Any]:
    """An entry as a row of a file."""
    row: dict[str, Any] = SCHEMA.dump(entry)
    return row | {"title": entry.title or None}


def export_rows() -> Iterator[Mapping[str, Any]]:
    """All entries in force as rows of a file."""
    query = select(RosterEntry).where(RosterEntry.state == "active").order_by(RosterEntry.id)
    for entry in db.session.scalars(query).yield_per(BATCH):
        yield file_row(entry)


KIND = Kind("rosters", "名单库", columns, RosterImporter, export_rows, undoable=True)
IMPORTABLE = Importable(KIND, IMPORT, shown, since)
