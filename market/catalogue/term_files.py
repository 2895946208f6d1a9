"""Importing and exporting code lists: fields, industries, disciplines, synonyms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from marshmallow import EXCLUDE, Schema
from sqlalchemy import insert, select, tuple_

from market.catalogue import synonyms
from market.catalogue.models import Term
from market.catalogue.synonyms import Group
from market.catalogue.terms import SCHEMES, forget, held_groups
from market.core.db import db
from market.core.errors import Conflict
from market.core.fields import Choice, Day, Line
from market.core.file_rows import columns_of, load_row
from market.core.importing import Checked, Kind, Options
from market.core.reading import as_text
from market.core.sheets import Column, Row

_SCHEMES = {**SCHEMES, synonyms.SCHEME: "同义词"}


class TermSchema(Schema):
    """A row of a file of code list entries."""

    class Meta:
        unknown = EXCLUDE

    scheme = Choice(_SCHEMES, required=True, metadata={"label": "代码表"})
    code = Line(30, required=True, metadata={"label": "代码", "note": "同义词可空着"})
    label = Line(100, required=True, metadata={"label": "名称"})
    label_en = Line(200, metadata={"label": "英文名称"})
    parent_code = Line(30, metadata={"label": "上级代码"})
    aliases = Line(
        2000,
        metadata={"label": "别名", "note": "用 | 隔开；代码表为同义词时，填与名称同义的其他词"},
    )
    source = Line(200, metadata={"label": "来源"})
    valid_from = Day(metadata={"label": "生效日期"})
    valid_to = Day(metadata={"label": "失效日期"})


_SCHEMA = TermSchema()
_SCHEME = cast(Choice, _SCHEMA.fields["scheme"])
_OF_GROUP = ("label", "aliases", "valid_to")


def columns() -> list[Column]:
    """The columns of a file of code list entries."""
    also = {"label": ["name", "标签"], "parent_code": ["parent"]}
    return columns_of(_SCHEMA, also, optional={"scheme", "code"})


def _is_synonym(typed: Any) -> bool:
    return _SCHEME.code_of(as_text(typed or "")) == synonyms.SCHEME


class _Synonyms:
    """Which group holds a word: of the database, and of the rows seen so far."""

    def __init__(self) -> None:
        self._groups: dict[str, Group] | None = None
        self._owners: dict[str, Group] = {}

    def replace(self, codes: Iterable[str]) -> None:
        """The file brings these groups anew: what the database holds of them does not count."""
        wanted = set(codes)
        if not wanted:
            return
        if self._groups is None:
            self._groups = {group.code: group for group in held_groups()}
        for code in wanted:
            self._groups.pop(code, None)
        mine = dict(self._owners)
        self._owners = {w: group for group in self._groups.values() for w in group.folded} | mine

    def judge(self, row: Row, content: Mapping[str, Any], term: Term | None) -> None:
        """Report what is wrong with the group as it will be; one that ended holds no words."""
        if content.get("parent_code"):
            row.report("parent_code", "同义词没有上级，请空着。")
        whole: dict[str, Any] = {
            name: content.get(name) or getattr(term, name, None) for name in _OF_GROUP
        }
        if whole["valid_to"]:
            return
        group = synonyms.read(content["code"], whole["label"], whole["aliases"])
        for column, message in synonyms.faults(group, self._owners):
            row.report(column, message)
        self._owners |= dict.fromkeys(group.folded, group)


class TermImporter:
    """Imports code list entries; key is scheme and code."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._staged: list[Checked] = []
        self._seen: dict[tuple[str, str], tuple[int, Mapping[str, Any]]] = {}
        self._synonyms = _Synonyms()

    def check(self, rows: Sequence[Row]) -> list[Checked]:
        """Validate and compare with what is there."""
        loaded = [(row, self._load(row)) for row in rows]
        good = [(row, content) for row, content in loaded if content is not None]
        keys = {(content["scheme"], content["code"]) for _, content in good}
        keys |= {(c["scheme"], c["parent_code"]) for _, c in good if c.get("parent_code")}
        query = select(Term).where(tuple_(Term.scheme, Term.code).in_(keys))
        held = {(term.scheme, term.code): term for term in db.session.scalars(query)}
        self._synonyms.replace(code for scheme, code in keys if scheme == synonyms.SCHEME)
        return [one for row, content in good if (one := self._compare(row, content, held))]

    def _load(self, row: Row) -> dict[str, Any] | None:
        row.values["scheme"] = row.values.get("scheme") or self.options.scheme
        if not row.values.get("code") and _is_synonym(row.values["scheme"]):
            row.values["code"] = as_text(row.values.get("label") or "").strip()[:30]
        return load_row(_SCHEMA, row)

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
        term = held.get(key)
        if content["scheme"] == synonyms.SCHEME:
            self._synonyms.judge(row, content, term)
        if row.rejected:
            return None
        self._seen[key] = (row.number, content)
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

    def undo(self, run_id: int) -> Sequence[str]:
        """Listings refer to entries: they are corrected by another import."""
        raise Conflict("代码表的导入不能撤销：请导入更正后的文件。")


def export_rows() -> Iterator[Mapping[str, Any]]:
    """All entries as rows of a file."""
    query = select(Term).order_by(Term.scheme, Term.position, Term.code)
    for term in db.session.scalars(query).yield_per(1000):
        yield _SCHEMA.dump(term)


KIND = Kind("terms", "代码表", columns, TermImporter, export_rows)
