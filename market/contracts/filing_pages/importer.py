"""Many contracts by one file: a row is a contract, with up to two sellers and three buyers.

Rows become drafts; each is then looked over, its papers attached, and sent in. The key of a row is
filer, name, first buyer and day of signing: the same file again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import delete, select

from market.accounts import queries as accounts
from market.accounts.roles import EDITORS
from market.contracts import content as fields
from market.contracts import filing, flat, prefill
from market.contracts.locking import columns_of, touch, version_of, write_parties
from market.contracts.models import STATES, Contract, ContractParty, ContractVersion
from market.contracts.rules import REFUSE, check
from market.contracts.schemas import LABELS, PARTY_LISTS, ContentSchema
from market.contracts.trace_models import ContractTrace
from market.contracts.workflow import CONTRACT
from market.core import clock
from market.core.db import db
from market.core.errors import Invalid
from market.core.identifiers import read_uscc
from market.core.importing import BATCH, Checked, Importable, Kind, Options
from market.core.models import CaseEvent, WorkItem
from market.core.money import show_yuan
from market.core.permissions import SYSTEM, Actor, Own, policy
from market.core.sheets import Column, Row

IMPORT = policy.declare("contracts:contracts:import", **dict.fromkeys(EDITORS, Own()))
_ROWS = {"sellers": 2, "buyers": 3, "thirds": 1, "rights": 2, "plan": 4}
_NOTES = {
    "title": "与合同上的一致",
    "sellers-1-name": "不填就是导入的单位自己",
    "sellers-1-region_code": "如 四川眉山东坡区，或六位代码",
    "buyers-1-region_code": "如 四川眉山东坡区，或六位代码",
    "total_fen": "元，可写 28万",
    "technical_fen": "元；成交额减去设备、材料等费用",
    "signed_on": "如 2026-03-01",
    "royalty_bp": "如 2 或 2.5，单位 %",
    "rights-1-kind": "没有涉及的选「未涉及知识产权」",
}
_NO_FILES = ("contract", "patent_transfer", "trade_permit")  # they are attached to the draft later
_DRAFTS_AT = ("/my/contracts", "我的技术合同")


def columns() -> list[Column]:
    """The columns of a file of contracts: the cells of the form."""
    plain = ContentSchema().fields
    found: list[Column] = []
    for name in LABELS:
        if name not in flat.LISTS:
            found.append(_column(name, LABELS[name], plain[name]))
            continue
        inner = flat.LISTS[name].schema.fields
        for number in range(1, _ROWS[name] + 1):
            found += [
                _column(
                    flat.key(name, number, key),
                    f"{LABELS[name]}{number}{one.metadata['label']}",
                    one,
                )
                for key, one in inner.items()
            ]
    return found


def _column(key: str, label: str, one: Any) -> Column:
    choices = list(getattr(one, "choices", {}).values())
    return Column(key, label, _NOTES.get(key, ""), key == "title", choices)


class ContractImporter:
    """Imports one file of contracts as drafts; one object per import."""

    def __init__(self, options: Options, actor: Actor = SYSTEM) -> None:
        self._options, self._actor = options, actor
        self._places = flat.PlaceFinder()
        self._owner: int | None = None
        self._party: dict[str, Any] = {}
        self._seen: dict[tuple[Any, ...], int] = {}
        self._prepared = False

    # -- checking

    def check(self, rows: Sequence[Row]) -> list[Checked]:
        """Validate a batch and say which rows are new, changed or the same."""
        self._prepare()
        loaded = [(row, found) for row in rows if (found := self._load(row)) is not None]
        held = _held({content["owner_id"] for _, content in loaded})
        return [
            one
            for row, content in loaded
            if (one := self._classify(row, content, held)) is not None
        ]

    def _prepare(self) -> None:
        """Whose contracts they are, where the file does not say. Raises Invalid."""
        if self._prepared:
            return
        self._prepared = True
        self._owner = self._options.only_organisation_id
        if self._owner is None and self._options.organisation:
            found = accounts.owners_by_uscc([self._options.organisation])
            owner = found.get(self._options.organisation)
            if owner is None:
                raise Invalid({"organisation": ["没有这个统一社会信用代码的单位。"]})
            self._owner = owner.id
        if self._owner is not None:
            self._party = prefill.party(self._owner)

    def _load(self, row: Row) -> dict[str, Any] | None:
        """What a row says; None when it has mistakes, which are told at their cells."""
        read = flat.read(row.values, self._places)
        for cell, words in read.errors.items():
            row.report(cell, words)
        values = dict(read.values)
        if not values.get("title") and "title" not in read.errors:
            row.report("title", "必填。")
        if not values["sellers"] and self._party:
            values["sellers"] = [dict(self._party)]
        owner_id = self._owner_of(row, values)
        if row.rejected or owner_id is None:
            return None
        packed = fields.pack(values)
        self._judge(row, packed)
        if row.rejected:
            return None
        return {"owner_id": owner_id, "values": values, "packed": packed}

    def _owner_of(self, row: Row, values: Mapping[str, Any]) -> int | None:
        """Whose case it is: the organisation of the import, else the first seller."""
        if self._owner is not None:
            return self._owner
        code = values["sellers"][0].get("uscc") if values["sellers"] else None
        owner = accounts.owners_by_uscc([code]).get(code) if code else None
        if owner is None and not row.rejected:
            row.report(
                "sellers-1-uscc", "本站没有这家卖方：请先登记单位，或用 --organisation 指明。"
            )
        return owner.id if owner else None

    def _judge(self, row: Row, packed: Mapping[str, Any]) -> None:
        """Tell what cannot be, and warn of what is missing or should be looked at."""
        for found in check(fields.facts(packed, _NO_FILES), clock.today()):
            if found.code != "uscc":  # told at its cell
                cell = f"{found.field}-1-name" if found.field in PARTY_LISTS else found.field
                row.report(cell, found.words, warning=found.weight != REFUSE)
        self._judge_codes(row, packed)
        missing = fields.missing(packed)
        if missing:
            words = "、".join(missing.values())
            row.report("title", f"提交前还要填：{words}。", warning=True)

    @staticmethod
    def _judge_codes(row: Row, packed: Mapping[str, Any]) -> None:
        """A credit code whose check digit is wrong was mistyped in the file: refused at its cell."""
        for name in ("sellers", "buyers"):
            for number, party in enumerate(packed.get(name, []), start=1):
                if party.get("uscc") and party.get("country", "CHN") == "CHN":
                    try:
                        read_uscc(party["uscc"])
                    except ValidationError as error:
                        row.report(flat.key(name, number, "uscc"), str(error.messages[0]))

    def _classify(
        self, row: Row, content: dict[str, Any], held: Mapping[tuple[Any, ...], Contract]
    ) -> Checked | None:
        key = _key(content["owner_id"], content["packed"])
        before = self._seen.setdefault(key, row.number)
        if before != row.number:
            row.report(
                "title", f"与第 {before} 行是同一份合同（名称、买方、签订日期相同），请只留一行。"
            )
            return None
        there = held.get(key)
        if there is None:
            return Checked(row, "new", content)
        if version_of(there).hash == fields.digest(content["packed"]):
            return Checked(row, "unchanged", content, there.id)
        if there.state != "draft":
            words = STATES[there.state]
            row.report(
                "title", f"这份合同已有（{there.no}，{words}），不能用文件改；请打开那一份办理。"
            )
            return None
        return Checked(row, "changed", content, there.id)

    # -- writing

    def stage(self, run_id: int, rows: Sequence[Checked]) -> None:
        """Write the drafts, which only their own people see. Inside a unit of work."""
        for one in rows:
            before = None
            if one.existing_id is None:
                no = self._begin(one)
            else:
                there = db.session.get_one(Contract, one.existing_id)
                no, before = there.no, dict(version_of(there).content)
                filing.save(self._actor, no, one.content["values"])
            row = db.session.scalars(select(Contract).where(Contract.no == no)).one()
            db.session.add(
                ContractTrace(
                    run_id=run_id, contract_id=row.id, version=row.lock_version, before=before
                )
            )
        db.session.flush()

    def _begin(self, one: Checked) -> str:
        values = one.content["values"]
        return filing.begin(
            self._actor,
            one.content["owner_id"],
            values,
            origins={name: "import" for name, value in values.items() if value},
            demo=self._options.demo,
        )

    def publish(self, run_id: int) -> None:
        """Nothing: drafts show to their own people only, and do so already."""

    def discard(self, run_id: int) -> bool:
        """Take back what an import that did not come to its end had written."""
        _take_back(run_id)
        return False

    def undo(self, run_id: int) -> Sequence[str]:
        """Take back all drafts, unless somebody went on with one; then name these."""
        touched = db.session.scalars(
            select(Contract.no)
            .join(ContractTrace, ContractTrace.contract_id == Contract.id)
            .where(ContractTrace.run_id == run_id)
            .where((Contract.lock_version != ContractTrace.version) | (Contract.state != "draft"))
            .order_by(Contract.id)
        ).all()
        if touched:
            names = "、".join(touched[:5]) + ("等" if len(touched) > 5 else "")
            return [f"{len(touched)} 份草稿已被改过或送出：{names}。"]
        _take_back(run_id)
        return []


def _key(owner_id: int, packed: Mapping[str, Any]) -> tuple[Any, ...]:
    columns = columns_of(packed)
    return owner_id, columns["title"], columns["buyer_name"], columns["signed_on"]


def _held(owners: set[int]) -> dict[tuple[Any, ...], Contract]:
    """Contracts of these filers that are not given up, by the key of a row; the latest of each."""
    query = select(Contract).where(
        Contract.filer_id.in_(owners), Contract.state.not_in(("withdrawn", "refused"))
    )
    return {
        (one.filer_id, one.title, one.buyer_name, one.signed_on): one
        for one in db.session.scalars(query.order_by(Contract.id))
    }


def _take_back(run_id: int) -> None:
    """Remove the drafts that an import began, restore those it wrote into. In a unit of work."""
    traces = db.session.scalars(select(ContractTrace).where(ContractTrace.run_id == run_id)).all()
    begun = [one.contract_id for one in traces if one.before is None]
    for one in traces:
        if one.before is not None:
            _restore(one.contract_id, one.before)
    db.session.execute(delete(ContractTrace).where(ContractTrace.run_id == run_id))
    for at in range(0, len(begun), BATCH):
        _remove(begun[at : at + BATCH])


def _remove(ids: Sequence[int]) -> None:
    """Remove drafts that nobody but their import touched; the audit keeps that they were there."""
    still = select(Contract.id).where(Contract.id.in_(ids), Contract.state == "draft")
    ids = list(db.session.scalars(still))
    for model in (ContractParty, ContractVersion):
        _run(delete(model).where(model.contract_id.in_(ids)))
    for kept in (CaseEvent, WorkItem):
        _run(delete(kept).where(kept.kind == CONTRACT.name, kept.object_id.in_(ids)))
    _run(delete(Contract).where(Contract.id.in_(ids)))


def _run(statement: Any) -> None:
    db.session.execute(statement.execution_options(synchronize_session=False))


def _restore(contract_id: int, before: Mapping[str, Any]) -> None:
    contract = db.session.get_one(Contract, contract_id)
    if contract.state != "draft":
        return
    row = version_of(contract)
    row.content, row.hash, row.updated_at = dict(before), fields.digest(before), clock.now()
    write_parties(contract, before)
    touch(contract, **columns_of(before))


def shown(checked: Checked) -> Mapping[str, str]:
    """What a draft will say, by label."""
    packed = checked.content.get("packed") or {}
    if not packed:
        return {"项目名称": str(checked.row.values.get("title") or "")}
    columns = columns_of(packed)
    found = {
        "项目名称": columns["title"],
        "卖方": columns["seller_name"],
        "买方": columns["buyer_name"],
        "签订日期": columns["signed_on"].isoformat() if columns["signed_on"] else "",
        "合同成交额": show_yuan(columns["total_fen"]) if columns["total_fen"] is not None else "",
    }
    return {label: text for label, text in found.items() if text}


def export_rows() -> Iterator[Mapping[str, Any]]:
    """All contracts that are filed here, as rows of a file; values about people are left out."""
    query = select(Contract).where(Contract.filer_id.is_not(None)).order_by(Contract.id)
    known = {column.key for column in columns()}
    private = ("legal_person", "contact", "telephone")
    for one in db.session.scalars(query).yield_per(BATCH):
        cells = flat.write(fields.unpack(version_of(one).content))
        yield {
            cell: text
            for cell, text in cells.items()
            if cell in known and not cell.endswith(private)
        }


def _drafts(options: Options, actor: Actor) -> ContractImporter:
    return ContractImporter(options, actor)


KIND = Kind("contracts", "技术合同", columns, ContractImporter, export_rows)
IMPORTABLE = Importable(KIND, IMPORT, shown, drafts=_drafts, drafts_at=_DRAFTS_AT)
