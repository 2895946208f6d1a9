"""Files whose rows fill numbered places of a region: its leading industries, its pins.

The key of a row is region and place. What a row names leaves the place that it had before, and
a row that names nothing empties its place: so a region never has more than there are places,
and a file may be imported again or in parts without harm.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError
from sqlalchemy import delete, insert, or_, select

from market.core.db import db
from market.core.errors import Conflict
from market.core.fields import Whole
from market.core.file_rows import load_row
from market.core.importing import Checked
from market.core.sheets import Row


class Place(Whole):
    """A place from 1 to `highest`."""

    def __init__(self, highest: int, **more: Any) -> None:
        super().__init__(1, highest, **more)
        self.choices = {str(place): str(place) for place in range(1, highest + 1)}

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> int:
        try:
            return super()._deserialize(value, attr, data, **more)
        except ValidationError as error:
            most = f"应为 1 到 {self.highest} 的整数：每个县最多 {self.highest} 个。"
            raise ValidationError(most) from error


@dataclass(frozen=True)
class Filling:
    """What a good row says: the columns that fill a place, None to empty it.

    `shown` is how sentences call what is in the place.
    """

    region_id: int
    position: int
    values: Mapping[str, Any] | None
    shown: str = ""


class SlotImporter(ABC):
    """Imports rows of `model`, a table with `region_id` and `position`.

    identity: the column whose value stands at most once in a region. named: the key of the
    cell that holds it.
    """

    model: Any
    schema: Schema
    identity: str
    named: str

    def __init__(self) -> None:
        self._staged: list[Filling] = []
        self._places: dict[tuple[int, int], tuple[int, Mapping[str, Any] | None]] = {}
        self._identities: dict[tuple[int, Any], int] = {}

    @abstractmethod
    def fill(self, loaded: Sequence[tuple[Row, dict[str, Any]]]) -> list[tuple[Row, Filling]]:
        """Find out what rows mean; rows with a problem are reported and left out."""

    @abstractmethod
    def show(self, held: Any) -> str:
        """How sentences call what is in a place now."""

    def complete(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a new row of the table."""
        return dict(values)

    def published(self, run_id: int) -> None:  # noqa: B027  (optional)
        """What else is to be done, inside the same unit of work."""

    def check(self, rows: Sequence[Row]) -> list[Checked]:
        """Validate and compare with what is there."""
        loaded = [
            (row, content) for row in rows if (content := load_row(self.schema, row)) is not None
        ]
        good = [(row, one) for row, one in self.fill(loaded) if not row.rejected]
        query = select(self.model).where(
            self.model.region_id.in_({filling.region_id for _, filling in good})
        )
        held = {(one.region_id, one.position): one for one in db.session.scalars(query)}
        return [done for row, one in good if (done := self._compare(row, one, held)) is not None]

    def _compare(
        self, row: Row, filling: Filling, held: Mapping[tuple[int, int], Any]
    ) -> Checked | None:
        place = (filling.region_id, filling.position)
        if place in self._places:
            number, before = self._places[place]
            if before == filling.values:
                row.report("position", f"与第 {number} 行完全相同，只导入一次。", warning=True)
                return Checked(row, "unchanged")
            row.report("position", f"与第 {number} 行是同一个县的同一个位置，请只留一行。")
            return None
        if filling.values is not None and not self._named_once(row, filling):
            return None
        self._places[place] = (row.number, filling.values)
        now = held.get(place)
        if filling.values is None:
            return self._empty(row, filling, now)
        if now is None:
            return Checked(row, "new", {"filling": filling})
        same = all(getattr(now, name) == value for name, value in filling.values.items())
        return Checked(row, "unchanged" if same else "changed", {"filling": filling})

    def _named_once(self, row: Row, filling: Filling) -> bool:
        assert filling.values is not None
        key = (filling.region_id, filling.values[self.identity])
        number = self._identities.setdefault(key, row.number)
        if number != row.number:
            row.report(
                self.named, f"「{filling.shown}」在第 {number} 行已经写过，同一个县只写一次。"
            )
        return number == row.number

    def _empty(self, row: Row, filling: Filling, now: Any) -> Checked:
        if now is None:
            return Checked(row, "unchanged")
        message = f"空着：取消第 {filling.position} 位的「{self.show(now)}」。"
        row.report(self.named, message, warning=True)
        return Checked(row, "changed", {"filling": filling})

    def stage(self, run_id: int, rows: Sequence[Checked]) -> None:
        """Keep the rows until the end."""
        self._staged += [checked.content["filling"] for checked in rows]

    def publish(self, run_id: int) -> None:
        """Empty the places and those that the same things had before, then fill."""
        by_region: dict[int, list[Filling]] = {}
        for filling in self._staged:
            by_region.setdefault(filling.region_id, []).append(filling)
        fresh = []
        for region_id, fillings in by_region.items():
            named = [one.values[self.identity] for one in fillings if one.values is not None]
            places = [one.position for one in fillings]
            moved = getattr(self.model, self.identity).in_(named)
            either = or_(self.model.position.in_(places), moved)
            db.session.execute(delete(self.model).where(self.model.region_id == region_id, either))
            fresh += [
                self.complete(one.values) | {"region_id": region_id, "position": one.position}
                for one in fillings
                if one.values is not None
            ]
        if fresh:
            db.session.execute(insert(self.model), fresh)
        self.published(run_id)

    def discard(self, run_id: int) -> bool:
        """Nothing was written."""
        return False

    def undo(self, run_id: int) -> Sequence[str]:
        """What was in the places before is not kept."""
        raise Conflict("这类导入不能撤销：请导入更正后的文件。")
