"""Importing and exporting organisations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from marshmallow import ValidationError
from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.orm import joinedload

from market.accounts.models import FormerUscc, Organisation
from market.accounts.schemas import OrganisationSchema
from market.core import clock, numbers, outbox
from market.core.db import db
from market.core.errors import Conflict
from market.core.file_rows import columns_of, long_texts, report_mistakes
from market.core.importing import BATCH, Checked, Kind, Options
from market.core.sheets import Column, Row
from market.core.text import clean_text, fold
from market.regions.queries import Resolver

SERIES = "DW"
_SCHEMA = OrganisationSchema()
_LONG = long_texts(_SCHEMA)
_PLAIN = [
    "source_id",
    "name",
    "uscc",
    "kind",
    "supervising",
    "telephone",
    "contact",
    "address",
    "hours",
    "website",
    "intro",
]
_COLUMNS = [*_PLAIN, "region_id"]


def columns() -> list[Column]:
    """The columns of a file of organisations."""
    also = {"region": ["region_code", "所在地区代码", "地区"], "name": ["名称"]}
    return columns_of(_SCHEMA, also, optional={"region"})


class OrganisationImporter:
    """Checks rows against each other and the database; one object per import.

    Key of a row: `no`, else `uscc`, else `source_id`, else the folded name within the region.
    New rows are staged; changed ones are kept until the end, since few change at once.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self._resolver: Resolver | None = None
        self._changes: list[Checked] = []
        self._seen: dict[str, tuple[int, Mapping[str, Any]]] = {}

    def check(self, rows: Sequence[Row]) -> list[Checked]:
        """Validate a batch and say which rows are new, changed or the same."""
        self._resolver = self._resolver or Resolver()
        loaded = [(row, self._load(row)) for row in rows]
        good = [(row, content) for row, content in loaded if content is not None]
        held = _Held(content for _, content in good)
        return [one for row, content in good if (one := self._compare(row, content, held))]

    def _load(self, row: Row) -> dict[str, Any] | None:
        if self.options.region and not row.values.get("region"):
            row.values["region"] = self.options.region
        try:
            content: dict[str, Any] = dict(_SCHEMA.load(_plain(row.values)))
        except ValidationError as error:
            report_mistakes(row, error)
            content = dict(cast(dict[str, Any], error.valid_data))  # its other mistakes count too
        if content.get("region"):
            assert self._resolver is not None
            region = self._resolver.find(content.pop("region"))
            if isinstance(region, str):
                row.report("region", region)
            content["region_id"] = region
        if not content.get("telephone") and content.get("kind") != "office":
            message = "没有电话：读者只能打给所在县的科技管理部门，请补上办公电话。"
            row.report("telephone", message, warning=True)
        return None if row.rejected else content

    def _compare(self, row: Row, content: dict[str, Any], held: _Held) -> Checked | None:
        existing = held.find(content)
        if content.get("no") and existing is None:
            row.report("no", f"没有编号为 {content['no']} 的单位；新增请留空。")
            return None
        if (had := held.by_former.get(content.get("uscc") or "")) is not None:
            now = had.uscc or "未填写"
            row.report("uscc", f"这是{had.name}（{had.no}）的曾用代码，现用 {now}。")
            return None
        owner = held.by_uscc.get(content.get("uscc") or "")
        if existing is not None and owner is not None and owner is not existing:
            row.report("uscc", f"这个代码属于另一家单位：{owner.name}（{owner.no}）。")
            return None
        if (before := self._before(row, content, existing)) is not None:
            return self._repeated(row, content, before)
        if existing is None:
            return Checked(row, "new", content)
        # A column that the file does not have, or leaves empty, changes nothing.
        present = {name: getattr(existing, name) for name in _COLUMNS}
        whole = present | {name: content[name] for name in _COLUMNS if content.get(name)}
        action = "unchanged" if whole == present else "changed"
        return Checked(row, action, whole, existing.id)

    def _before(
        self, row: Row, content: dict[str, Any], existing: Organisation | None
    ) -> tuple[int, Mapping[str, Any]] | None:
        """An earlier row of the file that means the same organisation; else this one is kept."""
        name = f"name:{_folded(content['name'])}:{content['region_id']}"
        code = content.get("uscc")
        if existing is not None:
            keys = [f"id:{existing.id}"]
        elif code:
            keys = [f"uscc:{code}"]
        elif content.get("source_id"):
            keys = [f"source:{content['source_id']}"]
        else:
            keys = [name]
        found = next((self._seen[key] for key in keys if key in self._seen), None)
        # The same name with another code is another organisation, without a code it is the same.
        namesake = self._seen.get(name)
        if found is None and namesake and not (code and namesake[1].get("uscc")):
            found = namesake
        if found is None:
            entry = (row.number, content)
            self._seen |= dict.fromkeys([*keys, name], entry)
            if code:
                self._seen[f"uscc:{code}"] = entry
        return found

    @staticmethod
    def _repeated(
        row: Row, content: Mapping[str, Any], before: tuple[int, Mapping[str, Any]]
    ) -> Checked | None:
        number, first = before
        if first == content:
            row.report("name", f"与第 {number} 行完全相同，只导入一次。", warning=True)
            return Checked(row, "unchanged")
        row.report("name", f"与第 {number} 行是同一家单位但内容不同，请只留一行。")
        return None

    def stage(self, run_id: int, rows: Sequence[Checked]) -> None:
        """Insert new rows unseen, keep the changed ones for the end."""
        moment = clock.now()
        fresh = [row for row in rows if row.action == "new"]
        self._changes += [row for row in rows if row.action == "changed"]
        if not fresh:
            return
        series = f"{SERIES}{clock.today().year}"
        given = numbers.take(series, len(fresh))
        db.session.execute(
            insert(Organisation),
            [
                {name: checked.content.get(name) for name in _PLAIN}
                | {
                    "no": f"{series}{number:06d}",
                    "folded_name": _folded(checked.content["name"]),
                    "region_id": checked.content["region_id"],
                    # A list with credit codes comes from an authority or the operator.
                    "verified_at": moment if checked.content.get("uscc") else None,
                    "demo": self.options.demo,
                    "state": "staged",
                    "import_id": run_id,
                    "created_at": moment,
                    "updated_at": moment,
                }
                for number, checked in zip(given, fresh, strict=True)
            ],
        )

    def publish(self, run_id: int) -> None:
        """Show the new rows and write the changed ones."""
        moment = clock.now()
        db.session.execute(
            update(Organisation)
            .where(Organisation.import_id == run_id, Organisation.state == "staged")
            .values(state="active")
        )
        if not self._changes:
            return
        db.session.execute(
            update(Organisation),
            [
                {
                    **checked.content,
                    "id": checked.existing_id,
                    "folded_name": _folded(checked.content["name"]),
                    "updated_at": moment,
                }
                for checked in self._changes
            ],
        )
        ids = [checked.existing_id for checked in self._changes if checked.existing_id]
        for at in range(0, len(ids), BATCH):
            db.session.execute(
                update(Organisation)
                .where(Organisation.id.in_(ids[at : at + BATCH]))
                .values(lock_version=Organisation.lock_version + 1)
                .execution_options(synchronize_session=False)
            )
        for key in ids:
            outbox.announce("organisation", key)

    def discard(self, run_id: int) -> bool:
        """Delete up to a batch of staged rows."""
        staged = select(Organisation.id).where(
            Organisation.import_id == run_id, Organisation.state == "staged"
        )
        ids = list(db.session.scalars(staged.limit(BATCH)))
        db.session.execute(delete(Organisation).where(Organisation.id.in_(ids)))
        return len(ids) == BATCH

    def undo(self, run_id: int) -> Sequence[str]:
        """Owners may have listings by now; they are corrected by another import."""
        raise Conflict("单位的导入不能撤销：请导入更正后的文件。")


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose long texts, which may come in HTML, are plain."""
    return {
        key: clean_text(value) if key in _LONG and isinstance(value, str) else value
        for key, value in values.items()
    }


def _folded(name: str) -> str:
    """The folded name as the table holds it; folding can make a text longer."""
    return fold(name)[:200]


class _Held:
    """The organisations in the database that a batch may mean."""

    def __init__(self, contents: Iterable[Mapping[str, Any]]) -> None:
        wanted = list(contents)
        names = {_folded(content["name"]) for content in wanted}
        query = select(Organisation).where(
            Organisation.state == "active",
            or_(
                Organisation.no.in_({c["no"].upper() for c in wanted if c.get("no")}),
                Organisation.uscc.in_({c["uscc"] for c in wanted if c.get("uscc")}),
                Organisation.source_id.in_({c["source_id"] for c in wanted if c.get("source_id")}),
                Organisation.folded_name.in_(names),
            ),
        )
        rows = db.session.scalars(query).all()
        former = (
            select(FormerUscc.code, Organisation)
            .join(Organisation, Organisation.id == FormerUscc.organisation_id)
            .where(FormerUscc.code.in_({c["uscc"] for c in wanted if c.get("uscc")}))
        )
        self.by_former = {code: row for code, row in db.session.execute(former)}  # noqa: C416
        self.by_no = {row.no: row for row in rows}
        self.by_uscc = {row.uscc: row for row in rows if row.uscc}
        self.by_source = {row.source_id: row for row in rows if row.source_id}
        self.by_name = {(row.folded_name, row.region_id): row for row in rows}

    def find(self, content: Mapping[str, Any]) -> Organisation | None:
        """The organisation that a row means, by the first key it has."""
        if content.get("no"):
            return self.by_no.get(content["no"].upper())
        if content.get("uscc"):
            if found := self.by_uscc.get(content["uscc"]):
                return found
        elif content.get("source_id") and (found := self.by_source.get(content["source_id"])):
            return found
        found = self.by_name.get((_folded(content["name"]), content["region_id"]))
        # The same name with another code is another organisation.
        if found and found.uscc and content.get("uscc") and found.uscc != content["uscc"]:
            return None
        return found


def export_rows() -> Iterator[Mapping[str, Any]]:
    """All active organisations as rows of a file."""
    query = (
        select(Organisation)
        .where(Organisation.state == "active")
        .options(joinedload(Organisation.region))
        .order_by(Organisation.id)
    )
    for row in db.session.scalars(query).yield_per(500):
        yield {**_SCHEMA.dump(row), "region": row.region.code}


KIND = Kind("organisations", "单位", columns, OrganisationImporter, export_rows)
