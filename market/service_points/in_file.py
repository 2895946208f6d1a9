"""Bodies of one file among each other: a parent may stand in any row of the file that names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError
from sqlalchemy import select

from market.core.db import db
from market.core.errors import Invalid
from market.core.sheets import Row
from market.core.text import fold
from market.service_points import checks
from market.service_points.checks import Coming
from market.service_points.finding import Finder, words_of
from market.service_points.models import Admission
from market.service_points.rules import Above

Existing = Callable[[Mapping[str, Any]], Admission | None]
Node = tuple[str, int]  # ("row", its number) or ("held", the id of an admission)


@dataclass(frozen=True)
class _Planned:
    """A row as far as others need it. above: None of a row that cannot be understood."""

    parent: str
    above: Above | None
    existing_id: int | None


class InFile:
    """The rows of a file that may be parents of others; one object serves one import."""

    def __init__(self, schema: Schema, finder: Finder, existing: Existing) -> None:
        self._schema, self._finder, self._existing = schema, finder, existing
        self._rows: dict[int, _Planned] = {}
        self._named: dict[str, list[int]] = {}
        self._held: dict[int, int] = {}  # id of an admission that a row is about → the row
        self._above: dict[Node, Node | None] = {}

    def foresee(self, rows: Sequence[Row]) -> None:
        """Look at all rows before the first is judged; says nothing about their mistakes."""
        if not any(row.values.get("parent") for row in rows):
            return
        for row in rows:
            try:
                loaded = {k: v for k, v in self._schema.load(row.values).items() if v is not None}
            except ValidationError as error:
                loaded = {k: v for k, v in (error.valid_data or {}).items() if v is not None}  # type: ignore[union-attr]
            self._plan(row.number, loaded)

    def _plan(self, number: int, loaded: dict[str, Any]) -> None:
        parent = loaded.pop("parent", "")
        owner = self._finder.organisation(loaded.get("organisation") or "")
        if isinstance(owner, str):
            return
        there, above = None, None
        try:
            content = self._finder.resolve(loaded)
            if (there := self._existing(content)) is not None:
                held = {key: value for key, value in words_of(there).items() if value}
                held.pop("parent", None)
                content = self._finder.resolve(held) | content
            above = checks.planned(content, content.get("name") or owner.name)
        except (Invalid, KeyError):
            pass  # its own check says what is wrong with it
        self._rows[number] = _Planned(parent, above, there.id if there is not None else None)
        if there is not None:
            self._held[there.id] = number
        names = {owner.name, owner.uscc or "", owner.no, loaded.get("name") or ""}
        for name in {fold(one) for one in names if one}:
            self._named.setdefault(name, []).append(number)

    def parent(self, text: str) -> Admission | Coming | str:
        """The parent of this name, in the directory or in the file; or why it is not clear."""
        found = self._finder.parent(text)
        if isinstance(found, Admission):
            at = self._held.get(found.id)
            return found if at is None else self._coming(at)
        numbers = self._named.get(fold(text), [])
        if not numbers:
            return found
        if len(numbers) > 1:
            rows = "、".join(map(str, numbers[:3]))
            return f"第 {rows} 行都叫「{text[:30]}」，说不清是哪一家，请给它们不同的对外名称。"
        return self._coming(numbers[0])

    def _coming(self, number: int) -> Coming | str:
        row = self._rows[number]
        if row.above is None:
            return f"它的上级在第 {number} 行，那一行有问题，请先改那一行。"
        return Coming(number, row.above, row.existing_id)

    def circle(self, number: int) -> str | None:
        """A sentence when the parents of a row lead back to it."""
        trail: list[Node] = [("row", number)]
        while (after := self._after(trail[-1])) is not None and after not in trail:
            trail.append(after)
        if after != trail[0]:
            return None
        if len(trail) == 1:
            return "它不能作自己的上级。"
        rows = [f"第 {key} 行" for sort, key in [*trail, trail[0]] if sort == "row"]
        return f"上下级连成了一圈（{' → '.join(rows)}）：请改其中一行的上级。"

    def depth(self, number: int) -> int:
        """How many parents a row has above it: rows are written from the top down."""
        trail: list[Node] = [("row", number)]
        while (after := self._after(trail[-1])) is not None and after not in trail:
            trail.append(after)
        return len(trail)

    def _after(self, node: Node) -> Node | None:
        """The parent of a row or of an admission, as it will be after the import."""
        if node not in self._above:
            self._above[node] = self._look(node)
        return self._above[node]

    def _look(self, node: Node) -> Node | None:
        sort, key = node
        if sort == "row":
            row = self._rows.get(key)
            if row is None:
                return None
            if row.parent:
                found = self.parent(row.parent)
                if isinstance(found, Coming):
                    return "row", found.number
                return self._node(found.id) if isinstance(found, Admission) else None
            key = row.existing_id or 0
        above = db.session.scalar(select(Admission.parent_id).where(Admission.id == key))
        return self._node(above) if above is not None else None

    def _node(self, admission_id: int) -> Node:
        at = self._held.get(admission_id)
        return ("held", admission_id) if at is None else ("row", at)
