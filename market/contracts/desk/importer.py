"""The table that the national system exports: results for cleared cases, contracts of local buyers.

A row is found by its number, else by title, seller, buyer and date. It gives a case that waits for
its result that result; a contract of the area that is not here yet is recorded (补录); all else is
said and left alone. Column names are those of the system's tables; other wordings are understood.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from marshmallow import EXCLUDE, Schema
from sqlalchemy import select

from market.contracts import codes, examining, serials
from market.contracts.desk import elsewhere, register, undoing
from market.contracts.desk.workflow import IMPORT
from market.contracts.locking import version_of
from market.contracts.models import STATES, Contract
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid, MarketError
from market.core.fields import Choice, Day, Line, Yuan
from market.core.file_rows import columns_of, load_row
from market.core.importing import Checked, Importable, Kind, Options
from market.core.money import show_yuan
from market.core.permissions import SYSTEM
from market.core.sheets import Column, Row
from market.core.text import fold
from market.core.unit_of_work import unit_of_work
from market.regions import queries as regions
from market.regions.queries import RegionView
from market.service_points.pages import place_of


def _in_yuan(*names: str) -> list[str]:
    """Headers of an amount, with the unit and without; 万元 is understood where it is written."""
    return [*names, *(f"{name}（元）" for name in names)]


_HEADERS: Mapping[str, Sequence[str]] = {
    "registration_no": ["登记编号", "合同编号", "认定登记编号", "合同登记号"],
    "title": ["合同名称", "技术合同名称", "项目（合同）名称"],
    "contract_class": ["合同类型", "技术合同类别", "合同类别名称"],
    "seller": ["卖方", "卖方单位名称", "卖方单位", "让与方", "输出方"],
    "seller_uscc": ["卖方信用代码", "卖方代码", "卖方机构代码"],
    "seller_region": ["卖方地区", "卖方所在地", "卖方行政区划代码"],
    "buyer": ["买方", "买方单位名称", "买方单位", "受让方", "吸纳方"],
    "buyer_uscc": ["买方信用代码", "买方代码", "买方机构代码"],
    "buyer_region": ["买方地区", "买方所在地", "买方行政区划代码"],
    "signed_on": ["合同签订日期", "签订时间", "签约日期"],
    "registered_on": ["认定登记日期", "认定日期", "登记时间", "合同登记日期"],
    "registered_by": ["登记点", "登记机构名称", "认定登记机构", "登记处"],
    "total_fen": _in_yuan(
        "合同成交额",
        "合同成交总额",
        "合同交易总额",
        "合同成交金额",
        "成交金额",
        "合同金额",
        "成交额",
    ),
    "technical_fen": _in_yuan("技术交易额", "核定技术交易额", "技术交易金额", "其中：技术交易额"),
    "field": ["技术领域名称", "合同技术领域"],
}
_RESULT = ("registration_no", "registered_on", "registered_by", "total_fen", "technical_fen")
_MORE_FIELDS = {
    "生物医药和医疗器械": "biomedicine",
    "生物、医药和医疗器械技术": "biomedicine",
    "核应用": "nuclear",
    "农业": "agriculture",
}


class RegistrationRow(Schema):
    """A row of the national table."""

    class Meta:
        unknown = EXCLUDE

    registration_no = Line(40, required=True, metadata={"label": "合同登记编号"})
    title = Line(300, required=True, metadata={"label": "项目名称"})
    contract_class = Choice(codes.CLASSES, required=True, metadata={"label": "合同类别"})
    seller = Line(200, required=True, metadata={"label": "卖方名称"})
    seller_uscc = Line(18, metadata={"label": "卖方统一社会信用代码"})
    seller_region = Line(60, metadata={"label": "卖方行政区划"})
    buyer = Line(200, required=True, metadata={"label": "买方名称"})
    buyer_uscc = Line(18, metadata={"label": "买方统一社会信用代码"})
    buyer_region = Line(60, metadata={"label": "买方行政区划"})
    signed_on = Day(required=True, metadata={"label": "签订日期"})
    registered_on = Day(required=True, metadata={"label": "登记日期"})
    registered_by = Line(200, metadata={"label": "登记机构"})
    total_fen = Yuan(required=True, metadata={"label": "合同成交额（元）"})
    technical_fen = Yuan(required=True, metadata={"label": "技术交易额（元）"})
    field = Choice(codes.FIELDS, _MORE_FIELDS, metadata={"label": "技术领域"})


SCHEMA = RegistrationRow()


def columns() -> list[Column]:
    """The columns of the national table."""
    return columns_of(SCHEMA, _HEADERS)


class RegistrationImporter:
    """Matches rows with cases; what it may do is kept until the whole file is good."""

    def __init__(self, options: Options) -> None:
        self._area = options.only_area
        if self._area is None and options.region:
            self._area = regions.get(options.region).path
        self._seen: dict[str, int] = {}
        self._places: dict[str, RegionView | None] = {}
        self._todo: list[Checked] = []

    def check(self, rows: Sequence[Row]) -> list[Checked]:
        """Say of each row whether it is new, gives a result, or is left alone and why."""
        return [one for row in rows if (one := self._check(row)) is not None]

    def _check(self, row: Row) -> Checked | None:
        content = load_row(SCHEMA, row)
        if content is None:
            return None
        number = content["registration_no"]
        if (trouble := _mistake(content)) is not None:
            row.report(*trouble)
            return None
        if (before := self._seen.setdefault(number, row.number)) != row.number:
            row.report(
                "registration_no", f"与第 {before} 行是同一个编号，只导入一次。", warning=True
            )
            return Checked(row, "unchanged")
        held = examining.recorded(number)
        if held is not None:
            return self._known(row, content, held)
        case = self._waiting(content)
        if case is not None:
            return Checked(row, "changed", content, case.id)
        return self._new(row, content)

    def _known(self, row: Row, content: Mapping[str, Any], held: Contract) -> Checked:
        """What is recorded already is compared, never changed: amendments have their own way."""
        differ = [
            f"{label}这里是 {show_yuan(here or 0)}"
            for label, here, there in (
                ("成交额", held.total_fen, content["total_fen"]),
                ("技术交易额", held.technical_fen, content["technical_fen"]),
            )
            if here != there
        ]
        if differ:
            words = f"已录在 {held.no}，{'、'.join(differ)}，与表里不同：请按变更登记办理。"
            row.report("registration_no", words, warning=True)
        return Checked(row, "unchanged")

    def _waiting(self, content: Mapping[str, Any]) -> Contract | None:
        """The case of the area that waits for this result: by title, parties and date."""
        query = select(Contract).where(
            Contract.state == "cleared", Contract.signed_on == content["signed_on"]
        )
        wanted = tuple(fold(content[name]) for name in ("title", "seller", "buyer"))
        for case in db.session.scalars(query.order_by(Contract.id)):
            said = tuple(fold(one) for one in (case.title, case.seller_name, case.buyer_name))
            inside = self._area is None or case.office_region.path.startswith(self._area)
            if said == wanted and inside:
                return case
        return None

    def _new(self, row: Row, content: dict[str, Any]) -> Checked:
        """A contract that is not here: recorded where a party of the area is named, else said."""
        places = {side: self._place(content, side) for side in ("seller", "buyer")}
        inside = self._area is not None and any(
            place is not None and place.path.startswith(self._area) for place in places.values()
        )
        if not inside:
            words = (
                "没有与它对应的待录入合同，买卖双方也不在本地区，没有导入。"
                if self._area is not None
                else "没有与它对应的待录入合同；补录须指明地区（--region），没有导入。"
            )
            row.report("title", words, warning=True)
            return Checked(row, "unchanged")
        lost = [side for side, place in places.items() if place is None]
        if lost:
            label = "卖方" if lost[0] == "seller" else "买方"
            row.report(f"{lost[0]}_region", f"不知道{label}在哪里，没有导入：请补上行政区划代码。",
                       warning=True)  # fmt: skip
            return Checked(row, "unchanged")
        if not content.get("registered_by"):
            row.report("registered_by", "没有写登记机构，没有导入。", warning=True)
            return Checked(row, "unchanged")
        told = {f"{side}_region": place for side, place in places.items()}
        return Checked(row, "new", content | told)

    def _place(self, content: Mapping[str, Any], side: str) -> RegionView | None:
        """Where a party lies: as the table says, else where its credit code was given out."""
        code = content.get(f"{side}_uscc") or ""
        typed = content.get(f"{side}_region") or code[2:8]
        if typed not in self._places:
            self._places[typed] = place_of(typed)[0]
        return self._places[typed]

    def stage(self, run_id: int, rows: Sequence[Checked]) -> None:
        """Keep what there is to do; nothing is written before the whole file is good."""
        self._todo += rows

    def publish(self, run_id: int) -> None:
        """Write results and new records. Inside a unit of work."""
        for one in self._todo:
            try:
                if one.action == "changed":
                    case = db.session.get_one(Contract, one.existing_id)
                    values = {name: one.content.get(name) for name in _RESULT}
                    before = {"findings": dict(version_of(case).findings)}
                    examining.record(SYSTEM, case.no, values)
                    undoing.note(run_id, case, before)
                else:
                    no = elsewhere.record(SYSTEM, one.content, area=self._area)
                    made = select(Contract).where(Contract.no == no)
                    undoing.note(run_id, db.session.scalars(made).one(), None)
            except Invalid as error:
                words = "；".join(text for texts in error.fields.values() for text in texts)
                raise Conflict(f"第 {one.row.number} 行：{words}什么都没有导入。") from error
            except MarketError as error:
                raise Conflict(
                    f"第 {one.row.number} 行：{error.message}什么都没有导入。"
                ) from error

    def discard(self, run_id: int) -> bool:
        """Nothing was written."""
        self._todo.clear()
        return False

    def undo(self, run_id: int) -> Sequence[str]:
        """Take all back. Inside a unit of work. Raises Conflict: somebody went on with one."""
        if touched := undoing.since(run_id):
            raise Conflict("不能整批撤销：" + "".join(touched))
        with unit_of_work(SYSTEM) as work:  # joins the one that is open
            undoing.take_back(work, run_id)
        return []


def _mistake(content: Mapping[str, Any]) -> tuple[str, str] | None:
    """The field and the sentence of what cannot be."""
    if (trouble := serials.number_trouble(content["registration_no"])) is not None:
        return "registration_no", trouble
    if content["technical_fen"] > content["total_fen"]:
        return "technical_fen", f"技术交易额大于成交额 {show_yuan(content['total_fen'])}，请核对。"
    if content["registered_on"] > clock.today():
        return "registered_on", f"登记日期（{content['registered_on']}）还没有到，请核对。"
    return None


def _all() -> Iterator[Mapping[str, Any]]:
    """The register by the columns of the national table, for `market export`."""
    query = select(Contract).where(Contract.state.in_(register.REGISTERED))
    for row in db.session.scalars(query.order_by(Contract.id)).yield_per(500):
        yield {
            **{name: getattr(row, name) for name in ("registration_no", "title", "contract_class")},
            "seller": row.seller_name,
            "seller_region": row.seller_region.code if row.seller_region else None,
            "buyer": row.buyer_name,
            "buyer_region": row.buyer_region.code if row.buyer_region else None,
            **{
                name: getattr(row, name) for name in ("signed_on", "registered_on", "registered_by")
            },
            **{name: getattr(row, name) for name in ("total_fen", "technical_fen", "field")},
        }


def rows() -> Iterator[Mapping[str, Any]]:
    """The same in words."""
    return (SCHEMA.dump(row) for row in _all())


def shown(checked: Checked) -> Mapping[str, str]:
    """What a row will do, in words."""
    content = checked.content or checked.row.values
    does = {"changed": "录入登记结果", "new": "补录"}.get(checked.action, "不变")
    found = {
        "办理": does,
        "编号": str(content.get("registration_no") or ""),
        "项目名称": str(content.get("title") or ""),
        "卖方": str(content.get("seller") or ""),
        "买方": str(content.get("buyer") or ""),
    }
    if checked.existing_id is not None:
        case = db.session.get_one(Contract, checked.existing_id)
        found["本站合同"] = f"{case.no}（{STATES[case.state]}）"
    return {label: text for label, text in found.items() if text}


KIND = Kind(
    name="registrations",
    label="登记结果（全国系统导出表）",
    columns=columns,
    importer=RegistrationImporter,
    rows=rows,
    undoable=True,
)
IMPORTABLE = Importable(KIND, IMPORT, shown, undoing.since, county=True, public=False)
