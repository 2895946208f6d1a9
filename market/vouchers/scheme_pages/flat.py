"""A scheme's content as a form: one flat name for each cell, and back.

A cell of a list is named by the list, the number of its row and the field, also inside of a row:
`services-1-label`, `services-1-bands-2-upto_fen`. What was typed stays as it was typed until all of
it can be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, ValidationError, fields
from werkzeug.datastructures import MultiDict

from market.core.db import db
from market.core.fields import Choices
from market.core.text import clean_line, without_controls
from market.regions import queries as regions
from market.regions.models import Region
from market.vouchers import content
from market.vouchers.codes import PAYERS
from market.vouchers.content import SchemeSchema

NONE = "none"  # what is ticked where a scheme asks for nothing at all, which is not open
EMPTY_MEANS_NONE = ("evidence", "review_chain")
MOST_CELLS = 4_000
_CODED = {"services": "s", "readings": "r", "options": "o"}
_SCHEMA = SchemeSchema()
# How the fields of a source are typed: two are called 年度上限.
_WORDS = {**content.LABELS, "cap_year_by_kind": "按申领对象的年度上限"}


@dataclass(frozen=True)
class Read:
    """What was typed. content: its stored form, None where something is wrong; errors: by cell."""

    content: dict[str, Any] | None
    errors: Mapping[str, str] = field(default_factory=dict)


def children(one: fields.Field[Any]) -> Schema | None:
    """The schema of a list's rows; None where a field is no list of rows."""
    if isinstance(one, fields.List) and isinstance(one.inner, fields.Nested):
        return one.inner.schema
    return None


def label_of(cell: str) -> str:
    """A cell's name in words: 服务目录 2 的服务名称."""
    schema: Schema | None = _SCHEMA
    words: list[str] = []
    parts = cell.split("-")
    while parts:
        one = schema.fields.get(parts.pop(0)) if schema else None
        if one is None:
            break
        number = parts.pop(0) if parts and parts[0].isdecimal() else ""
        words.append(f"{one.metadata.get('label', '')} {number}".strip())
        schema = children(one) or (one.schema if isinstance(one, fields.Nested) else None)
    return "的".join(words)


def read(sent: MultiDict[str, str], owner_region: str) -> Read:
    """Read a form. Looks up regions: call outside a unit of work.

    Args:
        owner_region: code of the region whose scheme it is; no form changes it.
    """
    if len(sent) > MOST_CELLS:
        return Read(None, {"services": "行数太多，请分开写成几个办法。"})
    reader = _Reader(sent)
    raw = reader.row(_SCHEMA, "")
    raw["owner_region"] = owner_region
    wrong = dict(reader.errors)
    try:
        found = content.load(raw)
    except ValidationError as error:
        wrong |= reader.told(error.normalized_messages())
        return Read(None, wrong)
    return Read(None, wrong) if wrong else Read(found)


class _Reader:
    def __init__(self, sent: MultiDict[str, str]) -> None:
        self.errors: dict[str, str] = {}
        self._sent = {
            name: [text for one in sent.getlist(name) if (text := without_controls(one).strip())]
            for name in sent
        }
        self._rows: dict[str, list[int]] = {}

    def row(self, schema: Schema, prefix: str) -> dict[str, Any]:
        """The raw values below a prefix, by the schema's names; blank ones left out."""
        found: dict[str, Any] = {}
        for name, one in schema.fields.items():
            key = one.data_key or name
            value = self._value(one, prefix + key)
            if value is not None:
                found[key] = value
        return found

    def _value(self, one: fields.Field[Any], cell: str) -> Any:
        inner = children(one)
        if inner is not None:
            return self._list(inner, cell)
        if isinstance(one, fields.Nested):
            return self.row(one.schema, f"{cell}-") or None
        texts = self._sent.get(cell, [])
        if isinstance(one, Choices):
            return [] if texts == [NONE] else [text for text in texts if text != NONE] or None
        if isinstance(one, fields.List):
            lines = [line.strip() for text in texts for line in text.splitlines()]
            return self._lines(cell, [line for line in lines if line]) or None
        if not texts:
            return None
        return self._payer(cell, texts[0]) if cell.endswith("-payer") else texts[0]

    def _list(self, inner: Schema, cell: str) -> list[dict[str, Any]] | None:
        rows: list[dict[str, Any]] = []
        numbers: list[int] = []
        taken = {self._sent.get(f"{cell}-{n}-code", [""])[0] for n in self.numbers(cell)}
        name = cell.rpartition("-")[2]
        for number in self.numbers(cell):
            row = self.row(inner, f"{cell}-{number}-")
            if not row.keys() - {"code"}:
                continue
            if name in _CODED and not row.get("code"):
                row["code"] = _free(_CODED[name], taken)
                taken.add(row["code"])
            rows.append(row)
            numbers.append(number)
        self._rows[cell] = numbers
        if not rows and self._sent.get(f"{cell}-{NONE}"):
            return []
        return rows or None

    def numbers(self, cell: str) -> list[int]:
        """The numbers of the rows of a list of which something was sent."""
        start = f"{cell}-"
        found = {
            name[len(start) :].partition("-")[0]
            for name, texts in self._sent.items()
            if texts and name.startswith(start)
        }
        return sorted(
            int(one) for one in found if one.isascii() and one.isdecimal() and len(one) < 4
        )

    def _lines(self, cell: str, lines: list[str]) -> list[str]:
        if cell.endswith("-fields"):
            known = {words: name for name, words in _WORDS.items()}
            return [known.get(line, line) for line in lines]
        if cell != "applicant_regions":
            return lines
        codes = []
        for line in lines:
            code, words = place_code(line)
            if words:
                self.errors[cell] = words
            codes.append(code)
        return codes

    def _payer(self, cell: str, text: str) -> str:
        known = {words: code for code, words in PAYERS.items()}
        if text in PAYERS or text in known:
            return known.get(text, text)
        code, words = place_code(text)
        if words:
            self.errors[cell] = words
        return code

    def told(self, messages: Mapping[Any, Any], cell: str = "") -> dict[str, str]:
        """marshmallow's messages by cell."""
        found: dict[str, str] = {}
        for key, inner in messages.items():
            at = self._place(cell, key)
            if isinstance(inner, Mapping):
                found |= self.told(inner, at)
            else:
                words = inner if isinstance(inner, str) else "".join(map(str, inner))
                found[at] = found.get(at, "") + words
        return found

    def _place(self, cell: str, key: Any) -> str:
        if isinstance(key, int):
            numbers = self._rows.get(cell)
            return cell if numbers is None else f"{cell}-{numbers[key]}"
        return f"{cell}-{key}" if cell else str(key)


def _free(letter: str, taken: set[str]) -> str:
    return next(code for n in range(1, 1_000) if (code := f"{letter}{n}") not in taken)


def place_code(text: str) -> tuple[str, str]:
    """The code of a place that was typed, and what is wrong with it."""
    typed = clean_line(text)[:100]
    first = typed.split()[0] if typed.split() else ""
    if first.isdecimal() and regions.by_codes([first]):
        return first, ""
    exact = regions.code_of_full_name(typed)
    if exact is not None:
        return exact, ""
    found = regions.Resolver().find(typed)
    if isinstance(found, int):
        return db.session.get_one(Region, found).code, ""
    return typed, found


def write(stored: Mapping[str, Any]) -> MultiDict[str, str]:
    """The cells of a stored content, as the form shows them."""
    cells: MultiDict[str, str] = MultiDict()
    _write(cells, _SCHEMA, content.dump(stored), "")
    return cells


def _write(
    cells: MultiDict[str, str], schema: Schema, values: Mapping[str, Any], prefix: str
) -> None:
    for name, one in schema.fields.items():
        key = one.data_key or name
        value, cell = values.get(key), prefix + key
        if value is None:
            continue
        inner = children(one)
        if inner is not None:
            _write_rows(cells, inner, value, cell)
        elif isinstance(one, fields.Nested):
            _write(cells, one.schema, value, f"{cell}-")
        elif isinstance(one, Choices):
            cells.setlist(cell, list(value) or [NONE])
        elif isinstance(one, fields.List):
            cells[cell] = "\n".join(_lines(cell, value))
        elif cell.endswith("-payer"):
            cells[cell] = PAYERS.get(value) or _named([value])[0]
        else:
            cells[cell] = str(value).lower() if isinstance(value, bool) else str(value)


def _write_rows(
    cells: MultiDict[str, str], inner: Schema, rows: Sequence[Mapping[str, Any]], cell: str
) -> None:
    if not rows:
        cells[f"{cell}-{NONE}"] = "1"
    ends = ""
    for number, row in enumerate(rows, start=1):
        # A band of which nothing is known but where it begins would look like no row at all.
        shown = row or {"from_fen": ends}
        _write(cells, inner, shown, f"{cell}-{number}-")
        ends = str(row.get("upto_fen", ""))


def _lines(cell: str, values: Sequence[str]) -> list[str]:
    if cell.endswith("-fields"):
        return [_WORDS.get(name, name) for name in values]
    return _named(values) if cell == "applicant_regions" else list(values)


def _named(codes: Sequence[str]) -> list[str]:
    names = regions.full_names(codes)
    return [f"{code} {names[code]}" if code in names else code for code in codes]
