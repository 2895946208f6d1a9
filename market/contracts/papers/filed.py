"""The papers of a filing: application form, receipt, letters, and the list of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from market.contracts import queries
from market.contracts.codes import (
    AIMS,
    FIELDS,
    FILE_PURPOSES,
    IP_KINDS,
    LICENCE_KINDS,
    NATURES,
    OWNERSHIP,
    PAYMENTS,
    PLANS,
    REFUSALS,
    ROYALTY_BASES,
    party_names,
)
from market.contracts.locking import FILES
from market.contracts.models import Contract, Deficiency
from market.contracts.papers.models import ISSUED, ContractPaper
from market.contracts.papers.sheets import (
    Rows,
    common,
    day,
    filed_version,
    iso_day,
    issuer,
    local_day,
    numbered,
    whole_class,
    yuan,
)
from market.contracts.schemas import LABELS, PARTY_LISTS
from market.core import files
from market.core.db import db
from market.core.errors import NotFound
from market.core.models import CaseEvent
from market.regions import queries as regions

_PARTY = (
    ("name", "名称"),
    ("uscc", "统一社会信用代码"),
    ("country", "国别"),
    ("region_code", "行政区划"),
    ("nature", "单位性质"),
    ("legal_person", "法定代表人"),
    ("contact", "经办人"),
    ("telephone", "电话"),
    ("address", "地址"),
)


def _choice(words: Mapping[str, str]) -> Callable[[Any], str]:
    return lambda value: words.get(value or "", "")


def _yes(value: Any) -> str:
    return {True: "是", False: "否"}.get(value, "")


def _rate(points: Any) -> str:
    return "" if points is None else f"{points / 100:g} %"


# How a field's value is written; what is not named stands as it is.
_SHOWN: dict[str, Callable[[Any], str]] = {
    "licence_kind": _choice(LICENCE_KINDS),
    "field": _choice(FIELDS),
    "aim": _choice(AIMS),
    "plan_source": _choice(PLANS),
    "payment": _choice(PAYMENTS),
    "royalty_base": _choice(ROYALTY_BASES),
    "ownership": _choice(OWNERSHIP),
    "industry": queries.industry,
    "royalty_bp": _rate,
    "is_foreign": _yes,
    "is_related": _yes,
    **dict.fromkeys(("signed_on", "effective_on", "valid_from", "valid_to"), day),
    **dict.fromkeys(
        (
            "total_fen",
            "technical_fen",
            "non_technical_fen",
            "entry_fen",
            "new_input_fen",
            "new_output_fen",
        ),
        yuan,
    ),
}
_HEAD = (
    "title",
    "contract_class",
    "licence_kind",
    "signed_on",
    "signed_at",
    "effective_on",
    "valid_from",
    "valid_to",
    "term_months",
    "is_foreign",
    "is_related",
    "secrecy",
    "plan_source",
    "field",
    "aim",
    "industry",
    "broker",
)
_MONEY = (
    "total_fen",
    "technical_fen",
    "non_technical_fen",
    "non_technical_words",
    "payment",
    "entry_fen",
    "royalty_bp",
    "royalty_base",
    "currency",
    "exchange",
    "new_input_fen",
    "new_output_fen",
)
_NEEDED_LINES = {"title", "contract_class", "signed_on", "total_fen", "technical_fen", "payment"}
_TEXTS = ("subject", "ownership", "acceptance", "dispute")


def _lines(content: Mapping[str, Any], names: Iterable[str]) -> Rows:
    """Labels and values; lines that most contracts have no use for only where they are filled."""
    found = []
    for name in names:
        value = content.get(name)
        if name == "contract_class":
            words = whole_class(value, content.get("subclass"))
        else:
            words = _SHOWN[name](value) if name in _SHOWN else str(value or "")
        if words or name in _NEEDED_LINES:
            found.append([LABELS[name], words])
    return found


def application(contract: Contract) -> dict[str, Any]:
    """技术合同登记申请表, with all that was filled in."""
    _version, content = filed_version(contract)
    titles = party_names(content.get("contract_class", ""), content.get("subclass", ""))
    called = {"sellers": f"卖方（{titles.seller}）", "buyers": f"买方（{titles.buyer}）"}
    sellers = content.get("sellers", [])
    return {
        **common(contract),
        "head": _lines(content, _HEAD),
        "sides": [
            {
                "title": called.get(name, LABELS[name]),
                "parties": [_party(row) for row in content[name]],
            }
            for name in PARTY_LISTS
            if content.get(name)
        ],
        "rights": _rights(content.get("rights", [])),
        "money": _lines(content, _MONEY),
        "plan": [
            [day(row.get("when")), row.get("what", ""), yuan(row["amount_fen"])]
            for row in content.get("plan", [])
        ],
        "texts": _lines(content, _TEXTS),
        "seller-title": called["sellers"],
        "seller": sellers[0]["name"] if sellers else "",
    }


def _party(row: Mapping[str, Any]) -> Rows:
    shown = dict(row)
    places = regions.by_codes([row["region_code"]]) if row.get("region_code") else []
    if places:
        shown["region_code"] = f"{places[0].full_name}（{places[0].code}）"
    if shown.get("country") == "CHN":
        del shown["country"]
    shown["nature"] = NATURES.get(row.get("nature") or "", "")
    return [[label, shown[name]] for name, label in _PARTY if shown.get(name)]


def _rights(rows: Sequence[Mapping[str, Any]]) -> Rows:
    return [
        [
            IP_KINDS.get(row["kind"], ""),
            row.get("number", ""),
            row.get("holder", ""),
            day(row.get("ends")),
        ]
        for row in rows
    ] or [["", "", "", ""]]


def acceptance(contract: Contract) -> dict[str, Any]:
    """受理单: what was accepted, which files came with it, by when it is decided."""
    attached = files.files_of(FILES, contract.id)
    return {
        **common(contract),
        "filer": contract.filer.name if contract.filer else contract.seller_name,
        "rows": [
            ["项目名称", contract.title],
            ["合同类别", whole_class(contract.contract_class, contract.subclass)],
            ["卖方", contract.seller_name],
            ["买方", contract.buyer_name],
            ["提交日期", local_day(contract.submitted_at)],
            ["受理日期", day(contract.accepted_on)],
            ["受理机构", issuer(contract)],
        ],
        "files": numbered(
            [[one.name, _purpose(one.purpose), iso_day(one.created_at)] for one in attached]
        ),
        "clock": _clock(contract),
        "day": day(contract.accepted_on),
    }


def _purpose(code: str) -> str:
    return FILE_PURPOSES.get(code, "其他材料")


def _clock(contract: Contract) -> str:
    if contract.due is None:
        return (
            "本地适用的办理时限没有确切的规定，不设截止日；"
            "办理天数从受理之日算起，可以在办理过程中查看。"
        )
    source = f"按《{contract.rule_set.label}》，" if contract.rule_set else ""
    later = "（节假日安排公布后可能调整）" if contract.due_provisional else ""
    return f"{source}在 {day(contract.due)} 前作出决定{later}。"


def last_round(contract_id: int) -> int:
    """How often something was asked for; 0: never."""
    query = select(func.max(Deficiency.round)).where(Deficiency.contract_id == contract_id)
    return db.session.scalar(query) or 0


def deficiency(contract: Contract, number: int | None = None) -> dict[str, Any]:
    """补正告知书 of one round; without a number the latest. Raises NotFound."""
    number = number or last_round(contract.id)
    rows = db.session.scalars(
        select(Deficiency)
        .where(Deficiency.contract_id == contract.id, Deficiency.round == number)
        .order_by(Deficiency.id)
    ).all()
    if not rows:
        raise NotFound("这份合同没有补正告知。")
    restarts = contract.rule_set is not None and contract.rule_set.restarts
    return {
        **common(contract),
        "letter": f"{contract.no}-补{number}",
        "filer": contract.filer.name if contract.filer else contract.seller_name,
        "subject": contract.title,
        "missing": [
            f"【{LABELS[row.field]}】{row.words}" if row.field in LABELS else row.words
            for row in rows
        ],
        "after": "办理时限自补齐之日起重新计算。" if restarts else "",
        "day": local_day(rows[0].created_at),
    }


def refusal(contract: Contract) -> dict[str, Any]:
    """不予登记告知书: the standard reason, and what the examiners wrote."""
    event = db.session.scalars(
        select(CaseEvent)
        .where(
            CaseEvent.kind == "contract",
            CaseEvent.object_id == contract.id,
            CaseEvent.action == "refuse",
        )
        .order_by(CaseEvent.id.desc())
        .limit(1)
    ).one()
    reason = REFUSALS[contract.refusal or "other"]
    words = (event.reason or "").removeprefix(reason).removeprefix("：")
    return {
        **common(contract),
        "filer": contract.filer.name if contract.filer else contract.seller_name,
        "subject": contract.title,
        "reason": reason,
        "words": words,
        "day": local_day(event.at),
    }


def dossier(contract: Contract) -> dict[str, Any]:
    """卷内目录: papers and attached files in the order of time."""
    filer = contract.filer.name if contract.filer else contract.seller_name
    office = issuer(contract)
    rows: list[tuple[datetime, str, str, str]] = []  # when, name, by whom, note
    if contract.submitted_at:
        rows.append((contract.submitted_at, "技术合同登记申请表", filer, ""))
    for one in files.files_of(FILES, contract.id):
        rows.append((one.created_at, f"{_purpose(one.purpose)}：{one.name}", filer, ""))
    rounds = select(Deficiency.round, func.min(Deficiency.created_at)).where(
        Deficiency.contract_id == contract.id
    )
    for number, at in db.session.execute(rounds.group_by(Deficiency.round)):
        rows.append((at, "补正告知书", office, f"第 {number} 次"))
    events = select(CaseEvent).where(
        CaseEvent.kind == "contract",
        CaseEvent.object_id == contract.id,
        CaseEvent.action.in_(("accept", "refuse")),
    )
    named = {"accept": "技术合同登记受理单", "refuse": "不予登记告知书"}
    for event in db.session.scalars(events):
        rows.append((event.at, named[event.action], office, ""))
    issued = select(ContractPaper).where(
        ContractPaper.contract_id == contract.id, ContractPaper.state == ISSUED
    )
    for paper in db.session.scalars(issued):
        rows.append((paper.created_at, "技术合同登记证明", office, f"第 {paper.edition} 版"))
    rows.sort(key=lambda row: row[0])
    return {
        **common(contract),
        "rows": [
            ["项目名称", contract.title],
            ["卖方", contract.seller_name],
            ["买方", contract.buyer_name],
            ["合同登记编号", contract.registration_no or ""],
        ],
        "files": numbered([[name, who, iso_day(at), "", note] for at, name, who, note in rows]),
    }
