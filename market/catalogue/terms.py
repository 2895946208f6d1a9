"""Code lists: fields, industries, disciplines. Shipped as data, extended by import."""

from __future__ import annotations

import csv
import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError
from sqlalchemy import insert, select, tuple_

from market.catalogue.models import Term
from market.core.db import db
from market.core.errors import Conflict
from market.core.fields import Choice, Day, Line, columns_of
from market.core.importing import Checked, Kind, Options
from market.core.models import ReferenceData
from market.core.permissions import SYSTEM, Always, policy
from market.core.sheets import Column, Row
from market.core.text import fold
from market.core.unit_of_work import unit_of_work

DATA = Path(__file__).parent / "data" / "terms.csv"
SCHEMES = {"field": "技术领域", "industry": "应用行业", "discipline": "学科分类"}
READ = policy.declare("catalogue:term:read", public=Always())
LOAD = policy.declare("catalogue:term:load")
FRESH = 60.0  # seconds a process believes the lists it has read


def seed() -> None:
    """Bring the shipped code lists into the database; does nothing when they are there."""
    data = DATA.read_bytes()
    version = hashlib.sha256(data).hexdigest()
    held = db.session.get(ReferenceData, "terms")
    if held is not None and held.version == version:
        return
    with unit_of_work(SYSTEM) as work:
        work.require(LOAD)
        for position, record in enumerate(csv.DictReader(data.decode("utf-8").splitlines())):
            values = {name: value or None for name, value in record.items()}
            db.session.merge(Term(position=position, **values))
        db.session.merge(ReferenceData(name="terms", version=version))
        work.record("terms.loaded", "term", 0, after={"version": version})
    _cache.clear()


@dataclass(frozen=True)
class Scheme:
    """A code list in memory: labels by code, codes by folded label and alias."""

    labels: Mapping[str, str]
    parents: Mapping[str, str | None]
    codes: Mapping[str, str]

    def code_of(self, text: str) -> str | None:
        """The code of what was typed: a code, a label, `C14 食品制造业` or an alias."""
        if text in self.labels:
            return text
        head, _, rest = text.partition(" ")
        if rest and head in self.labels:
            return head
        return self.codes.get(fold(text))


_cache: dict[str, tuple[float, Scheme]] = {}


def scheme(name: str) -> Scheme:
    """A code list; read from the database at most once a minute."""
    known = _cache.get(name)
    if known is not None and time.monotonic() - known[0] < FRESH:
        return known[1]
    query = select(Term.code, Term.label, Term.parent_code, Term.aliases)
    query = query.where(Term.scheme == name, Term.valid_to.is_(None))
    rows = db.session.execute(query.order_by(Term.position, Term.code)).all()
    codes = {fold(alias): row[0] for row in rows for alias in (row[3] or "").split("|") if alias}
    codes |= {fold(code): code for code, *_ in rows}
    # A class may bear its group's name: the upper level wins.
    codes |= {fold(label): code for code, label, *_ in reversed(rows)}
    made = Scheme({row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows}, codes)
    _cache[name] = (time.monotonic(), made)
    return made


def forget() -> None:
    """Read the lists anew at the next use."""
    _cache.clear()


def resolve(name: str, words: Iterable[str]) -> tuple[list[str], list[str]]:
    """Codes for what was typed, and the words the list does not know (kept as text)."""
    known, kept, unknown = scheme(name), [], []
    for word in words:
        if code := known.code_of(word):
            kept.append(code)
            continue
        parts = [part for part in _split(word) if part]
        if len(parts) > 1 and all(known.code_of(part) for part in parts):
            kept += [known.code_of(part) or part for part in parts]
        else:
            kept.append(word)
            unknown.append(word)
    return list(dict.fromkeys(kept)), unknown


def _split(word: str) -> list[str]:
    for separator in "、，,/ ":
        word = word.replace(separator, ";")
    return word.split(";")


def labels(name: str, codes: Iterable[str]) -> list[str]:
    """Labels of codes; text that is no code stays as it is."""
    known = scheme(name).labels
    return [known.get(code, code) for code in codes]


def entries(name: str) -> list[tuple[str, str, str | None, str | None]]:
    """Code, label, English label and parent of a list, in order."""
    query = select(Term.code, Term.label, Term.label_en, Term.parent_code)
    query = query.where(Term.scheme == name, Term.valid_to.is_(None))
    return list(db.session.execute(query.order_by(Term.position, Term.code)))


class TermSchema(Schema):
    """A row of a file of code list entries."""

    class Meta:
        unknown = EXCLUDE

    scheme = Choice(SCHEMES, required=True, metadata={"label": "代码表"})
    code = Line(30, required=True, metadata={"label": "代码"})
    label = Line(100, required=True, metadata={"label": "名称"})
    label_en = Line(200, metadata={"label": "英文名称"})
    parent_code = Line(30, metadata={"label": "上级代码"})
    aliases = Line(2000, metadata={"label": "别名", "note": "用 | 隔开"})
    source = Line(200, metadata={"label": "来源"})
    valid_from = Day(metadata={"label": "生效日期"})
    valid_to = Day(metadata={"label": "失效日期"})


_SCHEMA = TermSchema()


def columns() -> list[Column]:
    """The columns of a file of code list entries."""
    also = {"label": ["name", "标签"], "parent_code": ["parent"]}
    return [
        Column(key, label, note, required and key != "scheme", choices, also.get(key, ()))
        for key, label, note, required, choices in columns_of(_SCHEMA)
    ]


class TermImporter:
    """Imports code list entries; key is scheme and code."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._staged: list[Checked] = []
        self._seen: dict[tuple[str, str], tuple[int, Mapping[str, Any]]] = {}

    def check(self, rows: Sequence[Row]) -> list[Checked]:
        """Validate and compare with what is there."""
        loaded = [(row, self._load(row)) for row in rows]
        good = [(row, content) for row, content in loaded if content is not None]
        keys = {(content["scheme"], content["code"]) for _, content in good}
        keys |= {(c["scheme"], c["parent_code"]) for _, c in good if c.get("parent_code")}
        query = select(Term).where(tuple_(Term.scheme, Term.code).in_(keys))
        held = {(term.scheme, term.code): term for term in db.session.scalars(query)}
        return [one for row, content in good if (one := self._compare(row, content, held))]

    def _load(self, row: Row) -> dict[str, Any] | None:
        row.values["scheme"] = row.values.get("scheme") or self.options.scheme
        try:
            return {k: v for k, v in _SCHEMA.load(row.values).items() if v is not None}
        except ValidationError as error:
            for key, messages in error.normalized_messages().items():
                row.report(str(key), " ".join(str(message) for message in messages))
            return None

    def _compare(
        self, row: Row, content: dict[str, Any], held: Mapping[tuple[str, str], Term]
    ) -> Checked | None:
        key = (content["scheme"], content["code"])
        if key in self._seen:
            number, first = self._seen[key]
            if first == content:
                row.report("code", f"与第 {number} 行完全相同，只导入一次。", warning=True)
                return Checked(row, "unchanged")
            row.report("code", f"与第 {number} 行是同一个代码但内容不同，请只留一行。")
            return None
        above = (content["scheme"], content.get("parent_code", ""))
        if above == key:
            row.report("parent_code", "上级不能是这一条自己。")
        elif above[1] and above not in held and above not in self._seen:
            row.report("parent_code", f"没有代码为 {above[1]} 的上级，请先导入它或排在前面。")
        if row.rejected:
            return None
        self._seen[key] = (row.number, content)
        term = held.get(key)
        if term is None:
            return Checked(row, "new", content)
        # A column that the file does not have, or leaves empty, changes nothing.
        same = all(getattr(term, name) == value for name, value in content.items())
        return Checked(row, "unchanged" if same else "changed", content)

    def stage(self, run_id: int, rows: Sequence[Checked]) -> None:
        """Keep the rows until the end."""
        self._staged += rows

    def publish(self, run_id: int) -> None:
        """Write all rows after the ones that are there."""
        names = list(_SCHEMA.fields)
        fresh = [
            {name: checked.content.get(name) for name in names} | {"position": 10_000}
            for checked in self._staged
            if checked.action == "new"
        ]
        if fresh:
            db.session.execute(insert(Term), fresh)
        for checked in self._staged:
            if checked.action == "changed":
                db.session.merge(Term(**checked.content))
        forget()

    def discard(self, run_id: int) -> bool:
        """Nothing was written."""
        return False

    def undo(self, run_id: int) -> None:
        """Listings refer to entries: they are corrected by another import."""
        raise Conflict("代码表的导入不能撤销：请导入更正后的文件。")


def export_rows() -> Iterator[Mapping[str, Any]]:
    """All entries as rows of a file."""
    query = select(Term).order_by(Term.scheme, Term.position, Term.code)
    for term in db.session.scalars(query).yield_per(1000):
        yield _SCHEMA.dump(term)


KIND = Kind("terms", "代码表", columns, TermImporter, export_rows)
