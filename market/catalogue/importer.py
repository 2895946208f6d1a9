"""Importing and exporting achievements and demands.

Key of a row: `no`, else `source_id` of the owner, else owner, kind and folded title. New rows
become staged listings, changed ones pending revisions; one update points all listings of the
import at their new revision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from marshmallow import ValidationError
from sqlalchemy import Table, case, delete, func, insert, select, update
from sqlalchemy.orm import joinedload

from market.accounts import queries as accounts
from market.accounts.queries import Owner
from market.catalogue import naming, terms
from market.catalogue.content import KEYS, TERM_FIELDS, content_of, file_row, revision_values
from market.catalogue.dates import judge_row
from market.catalogue.lookups import Existing, Held, Numbered, Owners, keep_absent, last_versions
from market.catalogue.models import Listing, Revision
from market.catalogue.rules import content_hash
from market.catalogue.schemas import SCHEMAS
from market.catalogue.similar import Similar, warn_of_other_title, warn_of_same_title
from market.catalogue.undoing import changed_since, take_back
from market.core import clock, numbers, outbox
from market.core.db import Base, db
from market.core.errors import Invalid
from market.core.file_rows import columns_of, long_texts, report_mistakes
from market.core.identifiers import read_uscc
from market.core.importing import BATCH, Checked, Kind, Options
from market.core.sheets import Column, Row
from market.core.text import clean_text, title_key
from market.regions.queries import Resolver

SERIES = {"achievement": "CG", "demand": "XQ"}
IMPORT_EVENT = "listing_import"  # an outbox row that stands for all listings of an import
# What an office took down or its owner closed stays so, whatever a file says.
_ENDED = {"taken_down": "已被科技管理部门下架", "closed": "已结束"}

_ALSO = {
    "title": ["成果名称", "需求名称", "标题", "题目"],
    "summary": ["成果简介", "需求简介", "摘要", "abstract"],
    "owner_uscc": ["统一社会信用代码", "organisation_uscc", "uscc"],
    "owner_name": ["单位", "organisation", "owner", "企业名称"],
    "region": ["region_code", "所在地区代码", "地区"],
    "keywords": ["关键字"],
    "fields": ["领域"],
    "industries": ["行业"],
    "disciplines": ["discipline", "学科"],
    "stage": ["成熟度"],
    "transfer_modes": ["转让方式", "合作方式"],
}


def columns(kind: str) -> list[Column]:
    """The columns of a file of listings of this kind."""
    schema = SCHEMAS[kind]
    labels = {field.metadata["label"] for field in schema.fields.values()}

    def named(column: Column) -> Column:
        name = schema.fields[column.key].data_key or column.key
        also = [word for word in _ALSO.get(name, ()) if word not in labels]
        return replace(column, key=name, also=also)

    return [named(column) for column in columns_of(schema)]


class ListingImporter:
    """Imports one file of one kind; one object per import."""

    def __init__(self, kind: str, options: Options) -> None:
        self.kind = kind
        self.schema = SCHEMAS[kind]
        self._columns = {c.key for c in columns(kind)}
        self._long = long_texts(self.schema)
        self._needed = {c.key for c in columns(kind) if c.required}
        self.options = options
        self._resolver: Resolver | None = None
        self._default_owner: Owner | None = None
        self._default_region: int | None = None
        self._seen: dict[str, tuple[int, str]] = {}
        self._similar = Similar(kind)

    # -- checking

    def check(self, rows: Sequence[Row]) -> list[Checked]:
        """Validate a batch and say which rows are new, changed or the same."""
        self._prepare()
        loaded = [(row, self._load(row)) for row in rows]
        contents = [content for _, content in loaded]
        owners, numbered = Owners(contents), Numbered(self.kind, contents)
        good = [
            (row, content) for row, content in loaded if self._place(row, content, owners, numbered)
        ]
        for row, content in good:
            self._classify(row, content)
        held = Held(self.kind, [content for _, content in good])
        pairs = [one for row, content in good if (one := self._compare(row, content, held))]
        self._keep_absent([(checked, found) for checked, found in pairs if found is not None])
        judged = [(self._again(checked, found), found) for checked, found in pairs]
        for checked, found in judged:
            self._warn(checked, found)
        return [checked for checked, _ in judged]

    def _prepare(self) -> None:
        if self._resolver is not None:
            return
        self._resolver = Resolver()
        if self.options.region:
            found = self._resolver.find(self.options.region)
            if isinstance(found, str):
                raise Invalid({"--region": [found]})
            self._default_region = found
        if self.options.only_organisation_id is not None:
            self._default_owner = accounts.owner_by_id(self.options.only_organisation_id)
        elif self.options.organisation:
            try:
                code = read_uscc(self.options.organisation)
            except ValidationError as error:
                raise Invalid({"--organisation": [str(m) for m in error.messages]}) from error
            self._default_owner = accounts.owners_by_uscc([code]).get(code)
            if self._default_owner is None:
                sentence = f"没有代码为 {code} 的单位：请先用 market import organisations 导入。"
                raise Invalid({"--organisation": [sentence]})

    def _load(self, row: Row) -> dict[str, Any]:
        # Most cells of a row are empty. Left out, they cost nothing; a needed one is asked for.
        filled = {
            # Sites from which files come keep their texts in HTML; people who type do not.
            key: clean_text(value) if key in self._long and type(value) is str else value
            for key, value in row.values.items()
            if value not in ("", None)
        }
        try:
            return dict(self.schema.load(filled, partial=self._needed <= filled.keys()))
        except ValidationError as error:
            return self._load_rest(row, error)

    def _load_rest(self, row: Row, error: ValidationError) -> dict[str, Any]:
        """What is good of a bad row, so that all its mistakes are told at once."""
        report_mistakes(row, error)
        content: dict[str, Any] = dict(cast(dict[str, Any], error.valid_data))
        if (
            not {"price", "budget", "price_mode", "budget_mode"}
            & error.normalized_messages().keys()
        ):
            try:
                self.schema.read_prices(content)
            except ValidationError as more:
                report_mistakes(row, more)
        return content

    def _place(self, row: Row, content: dict[str, Any], owners: Owners, numbered: Numbered) -> bool:
        """Find owner and region; both are needed."""
        holder = numbered.owner(content)
        if content.get("no") and holder is None:
            row.report("no", f"没有编号为 {content['no']} 的记录；新增请留空。")
        owner = owners.named(row, content, self._default_owner) or holder
        region: int | str | None = self._default_region or (owner.region_id if owner else None)
        if content.get("region"):
            assert self._resolver is not None
            region = self._resolver.find(content["region"])
        if isinstance(region, str):
            row.report("region", region)
        if owner is None and not content.get("owner_uscc") and not content.get("owner_name"):
            row.report("owner_uscc", "请填单位统一社会信用代码或单位名称。")
        if owner is not None and isinstance(region, int):
            self._refuse_foreign(row, owner, region)
            naming.judge_row(row, content, owner.id, owner.name)
        if row.rejected or owner is None:
            return False
        if holder is not None and holder.id != owner.id:
            row.report("no", f"编号 {content['no']} 属于「{holder.name}」，不是这家单位的。")
            return False
        content["owner_id"], content["region_id"] = owner.id, region
        return True

    def _refuse_foreign(self, row: Row, owner: Owner, region: int) -> None:
        """Report a row for whose owner or place the importer does not speak."""
        assert self._resolver is not None
        column = "owner_uscc" if row.values.get("owner_uscc") else "owner_name"
        own, area = self.options.only_organisation_id, self.options.only_area
        if own is not None and owner.id != own:
            row.report(column, f"这是「{owner.name}」的；您只能导入本单位的，请改正或删去这一行。")
        if not self._resolver.lies_in(owner.region_id, area):
            row.report(
                column, f"「{owner.name}」不在您负责的地区，请由它所在地的科技管理部门导入。"
            )
        elif not self._resolver.lies_in(region, area):
            row.report("region", "这个地区不在您负责的范围内，请改正。")

    def _classify(self, row: Row, content: dict[str, Any]) -> None:
        """Turn words of code lists into codes; unknown ones stay as text with a warning."""
        for key, scheme in TERM_FIELDS.items():
            if content.get(key):
                content[key], unknown = terms.resolve(scheme, content[key])
                for word in unknown:
                    label = terms.SCHEMES[scheme]
                    message = f"「{word[:20]}」不在{label}代码表中，按原文保留，不参与筛选。"
                    row.report(key, message, warning=True)

    def _compare(
        self, row: Row, content: dict[str, Any], held: Held
    ) -> tuple[Checked, Existing | None] | None:
        """What a row means, and the listing that it means if there is one."""
        found = held.find(content)
        plain = {key: value for key, value in content.items() if key not in {*KEYS, "owner_id"}}
        digest = content_hash(plain)
        if self._repeated(row, content, found, digest):
            return None if row.rejected else (Checked(row, "unchanged"), None)
        checked = {"plain": plain, "owner_id": content["owner_id"]}
        checked["source_id"] = content.get("source_id")
        if found is None:
            judge_row(row, content, self.options, new=True)
            if row.rejected:
                return None
            if (same := held.same_title(content)) is not None:
                message = f"{same.no} 也叫这个名称；来源编号不同，按新的一条导入。"
                row.report("title", message, warning=True)
            return Checked(row, "new", checked | {"digest": digest}), None
        if found.state in _ENDED:
            row.report("title", f"{found.no} {_ENDED[found.state]}，不能由导入恢复。")
            return None
        if found.state == "withdrawn":
            row.report("title", f"{found.no} 曾撤回，导入后重新公开。", warning=True)
        same_content = found.content_hash == digest and found.state == "published"
        action = "unchanged" if same_content else "changed"
        return Checked(row, action, checked, found.id), found

    def _repeated(
        self, row: Row, content: Mapping[str, Any], found: Existing | None, digest: str
    ) -> bool:
        """A row that stands in the file twice: harmless when the same, else a mistake."""
        key = f"id:{found.id}" if found else _key(content)
        if key not in self._seen:
            self._seen[key] = (row.number, digest)
            return False
        number, before = self._seen[key]
        if before == digest:
            row.report("title", f"与第 {number} 行完全相同，只导入一次。", warning=True)
        else:
            row.report("title", f"与第 {number} 行是同一条但内容不同，请只留一行。")
        return True

    def _keep_absent(self, pairs: Sequence[tuple[Checked, Existing]]) -> None:
        """A column that the file does not have changes nothing; an empty cell clears."""
        wanted = {
            found.current_id: checked
            for checked, found in pairs
            if checked.action == "changed" and self._columns - checked.row.values.keys()
        }
        for revision in db.session.scalars(select(Revision).where(Revision.id.in_(wanted))):
            checked = wanted[revision.id]
            given = set(checked.row.values)
            if self._default_region is not None:
                given.add("region")
            keep_absent(self.schema, checked.content["plain"], content_of(revision), given)

    @staticmethod
    def _again(checked: Checked, found: Existing | None) -> Checked:
        """The same row; unchanged when what the file does not have was all that differed."""
        if found is None or checked.action != "changed" or found.state != "published":
            return checked
        same = content_hash(checked.content["plain"]) == found.content_hash
        return replace(checked, action="unchanged") if same else checked

    def _warn(self, checked: Checked, found: Existing | None) -> None:
        """Warn of a row that looks like another listing, or that does not look like its own."""
        if checked.action == "unchanged":
            return
        content = checked.content["plain"]
        if found is None:
            if self.options.compare:
                self._similar.judge(checked.row, content)
            return
        judge_row(checked.row, content, self.options, new=False)
        if self.options.by_people and not checked.content["source_id"]:
            warn_of_same_title(checked.row, found.no)
        if title_key(content["title"]) != found.folded_title:
            warn_of_other_title(checked.row, content, found.no, found.folded_title)
            if self.options.compare:
                self._similar.judge(checked.row, content, found.no)

    # -- writing

    def stage(self, run_id: int, rows: Sequence[Checked]) -> None:
        """Write new listings and pending revisions where nobody sees them."""
        moment = clock.now()
        ids = self._stage_listings(run_id, [row for row in rows if row.action == "new"], moment)
        versions = last_versions([row.existing_id for row in rows if row.existing_id is not None])
        revisions = []
        for checked in rows:
            key = ids.pop(0) if checked.existing_id is None else checked.existing_id
            plain, digest = checked.content["plain"], checked.content.get("digest")
            values = revision_values(self.kind, plain, by="导入", at=moment, digest=digest)
            values |= {"version": versions.get(key, 0) + 1, "listing_id": key}
            revisions.append(values | {"import_id": run_id})
        _insert(Revision, revisions)

    def _stage_listings(self, run_id: int, rows: Sequence[Checked], moment: Any) -> list[int]:
        if not rows:
            return []
        series = f"{SERIES[self.kind]}{clock.today().year}"
        given = numbers.take(series, len(rows))
        values = [
            {
                "no": f"{series}{number:06d}",
                "kind": self.kind,
                "owner_id": checked.content["owner_id"],
                "region_id": checked.content["plain"]["region_id"],
                "folded_title": title_key(checked.content["plain"]["title"]),
                "source_id": checked.content["source_id"],
                "state": "staged",
                "import_id": run_id,
                "demo": self.options.demo,
                "created_at": moment,
            }
            for number, checked in zip(given, rows, strict=True)
        ]
        _insert(Listing, values)
        nos = [value["no"] for value in values]
        found = db.session.execute(select(Listing.no, Listing.id).where(Listing.no.in_(nos)))
        ids = {no: key for no, key in found.all()}  # noqa: C416  (rows are not pairs to mypy)
        return [ids[no] for no in nos]

    def publish(self, run_id: int) -> None:
        """Point every listing of the import at its new revision.

        New listings, the many, got place and title key when they were staged: left out of their
        statement, the indexes over these need not be rewritten while the write lock is held.
        A withdrawn listing that comes back counts as new in this import: undoing withdraws it.
        """
        of_import = (Revision.listing_id == Listing.id, Revision.import_id == run_id)
        shown = {
            "current_id": Revision.id,
            "state": "published",
            "published_at": func.coalesce(Listing.published_at, Revision.created_at),
        }
        moved = {
            "region_id": Revision.region_id,
            "folded_title": Revision.folded_title,
            "import_id": case((Listing.state == "withdrawn", run_id), else_=Listing.import_id),
        }
        fresh = update(Listing).where(*of_import, Listing.state == "staged").values(shown)
        changed = update(Listing).where(
            *of_import, Listing.current_id != Revision.id, Listing.state.not_in(tuple(_ENDED))
        )
        for statement in (fresh, changed.values(shown | moved)):
            db.session.execute(statement.execution_options(synchronize_session=False))
        outbox.announce(IMPORT_EVENT, run_id)

    def discard(self, run_id: int) -> bool:
        """Delete up to a batch of staged revisions with their staged listings."""
        staged = select(Revision.id, Revision.listing_id).where(Revision.import_id == run_id)
        rows = db.session.execute(staged.limit(BATCH)).all()
        db.session.execute(delete(Revision).where(Revision.id.in_([row[0] for row in rows])))
        owned = select(Listing.id).where(
            Listing.id.in_([row[1] for row in rows]),
            Listing.state == "staged",
            Listing.import_id == run_id,
        )
        db.session.execute(delete(Listing).where(Listing.id.in_(owned)))
        return len(rows) == BATCH

    def undo(self, run_id: int) -> Sequence[str]:
        """Withdraw new listings; changed ones are as before, unless they were changed since."""
        since = changed_since(run_id)
        take_back(run_id)
        outbox.announce(IMPORT_EVENT, run_id)
        return since.sentences


def _key(content: Mapping[str, Any]) -> str:
    if content.get("source_id"):
        return f"source:{content['owner_id']}:{content['source_id']}"
    return f"title:{content['owner_id']}:{title_key(content['title'])}"


def _insert(model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows by one executemany: the ORM would take them apart by which values are empty."""
    table = cast(Table, model.__table__)
    db.session.connection().execute(insert(table), [dict(row) for row in rows])


def export_rows(kind: str) -> Iterator[Mapping[str, Any]]:
    """All published listings of a kind as rows of a file."""
    query = (
        select(Listing)
        .where(Listing.kind == kind, Listing.state == "published")
        .options(joinedload(Listing.owner), joinedload(Listing.region), joinedload(Listing.current))
        .order_by(Listing.id)
    )
    for listing in db.session.scalars(query).yield_per(500):
        assert listing.current is not None
        yield file_row(kind, content_of(listing.current)) | {
            "no": listing.no,
            "source_id": listing.source_id,
            "owner_uscc": listing.owner.uscc,
            "owner_name": listing.owner.name,
            "region": listing.region.code,
        }


def _kind(kind: str, name: str, label: str) -> Kind:
    return Kind(
        name,
        label,
        lambda: columns(kind),
        lambda options: ListingImporter(kind, options),
        lambda: export_rows(kind),
        undoable=True,
    )


ACHIEVEMENTS = _kind("achievement", "achievements", "科技成果")
DEMANDS = _kind("demand", "demands", "技术需求")
