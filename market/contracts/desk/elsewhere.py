"""外地登记（补录）: the buyer's county records a contract that was registered in another place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from market.accounts.roles import OFFICES
from market.contracts import content as fields
from market.contracts import examining
from market.contracts.codes import SUBCLASSES
from market.contracts.desk.service import SCAN
from market.contracts.desk.workflow import RECORD_ELSEWHERE
from market.contracts.filing import SERIES, add_version
from market.contracts.locking import FILES, columns_of, write_parties
from market.contracts.models import Contract
from market.contracts.workflow import CONTRACT
from market.core import clock, files, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Denied, Invalid
from market.core.files import Upload
from market.core.permissions import Actor
from market.core.unit_of_work import unit_of_work
from market.regions.models import Region, path_ids
from market.regions.queries import RegionView
from market.service_points.pages import place_of

_SAME = ("title", "contract_class", "subclass", "field", "signed_on", "total_fen", "technical_fen")
_RESULT = ("registration_no", "registered_by", "registered_on", "total_fen", "technical_fen")


def area_of(actor: Actor) -> str:
    """The path of the region whose office the actor works for. Raises Denied: for none."""
    areas = actor.areas(*OFFICES)
    if not areas:
        raise Denied
    return areas[0]


def resolve(values: Mapping[str, Any]) -> dict[str, Any]:
    """The form's values with the places that were typed found.

    Raises:
        Invalid: a place that is unknown, or that several bear.
    """
    wrong: dict[str, list[str]] = {}
    found = dict(values)
    for side in ("seller", "buyer"):
        typed = values.get(f"{side}_region") or ""
        place, meant = place_of(typed)
        if place is None:
            more = "、".join(f"{one.full_name}（{one.code}）" for one in meant[:5])
            words = (
                f"「{typed[:20]}」有几个，请写六位代码：{more}。"
                if meant
                else (f"没有「{typed[:20]}」这个地区，请写县（市、区）名或六位代码。")
            )
            wrong[f"{side}_region"] = [words]
        found[f"{side}_region"] = place
    if wrong:
        raise Invalid(wrong)
    return found


def record(
    actor: Actor, values: Mapping[str, Any], scan: Upload | None = None, *, area: str | None = None
) -> str:
    """Record a contract that was registered elsewhere; gives its number here.

    Args:
        values: of `schemas.ElsewhereForm`, places resolved.
        area: path of the recording county's region; by default the actor's own.

    Raises:
        Invalid: by field; neither party lies in the area; the number is recorded already.
    """
    area = area or area_of(actor)
    _refuse_foreign(values, area)
    packed = fields.pack(_content(values))
    with unit_of_work(actor) as work:
        office = db.session.get_one(Region, path_ids(area)[-1])
        now = clock.now()
        contract = Contract(
            no=f"{SERIES}{clock.today().year}{numbers.take(SERIES)[0]:06d}",
            mode="elsewhere",
            state="draft",
            office_region_id=office.id,
            office_region=office,
            shows={},
            created_at=now,
            updated_at=now,
            **columns_of(packed),
        )
        work.require(RECORD_ELSEWHERE, contract)
        db.session.add(contract)
        db.session.flush()
        add_version(actor, contract, 1, packed, {})
        write_parties(contract, packed)
        flow.begin(work, CONTRACT, contract, note="补录外地登记的合同")
        examining.record(actor, contract.no, {name: values.get(name) for name in _RESULT})
        if scan is not None:
            files.attach(work, scan, FILES, contract.id, purpose=SCAN)
        return contract.no


def _refuse_foreign(values: Mapping[str, Any], area: str) -> None:
    """Refuse what concerns no party of the area, and a pair that cannot be. Raises Invalid."""
    places: list[RegionView] = [values["buyer_region"], values["seller_region"]]
    if not any(one.path.startswith(area) for one in places):
        raise Invalid({"buyer_region": ["买方和卖方都不在本地区：由买方所在的县补录。"]})
    chosen = values.get("subclass")
    if chosen and SUBCLASSES[chosen][0] != values.get("contract_class"):
        raise Invalid({"subclass": ["二级类别不属于所选的合同类别，请重新选择。"]})


def _content(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values.get(name) for name in _SAME} | {
        "sellers": [_party(values, "seller")],
        "buyers": [_party(values, "buyer")],
    }


def _party(values: Mapping[str, Any], side: str) -> dict[str, Any]:
    return {
        "name": values[side],
        "uscc": values.get(f"{side}_uscc"),
        "country": "CHN",
        "region_code": values[f"{side}_region"].code,
        "nature": values.get(f"{side}_nature"),
    }
