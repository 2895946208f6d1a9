"""Register, contracts registered elsewhere, rules and numbers in the API."""

from __future__ import annotations

from typing import Any

from flask import Response

from market.contracts import queries as contracts
from market.contracts.desk import elsewhere, enabling, numbering, queries, register
from market.contracts.desk.api import SECURED, row, upload
from market.contracts.desk.api_schemas import (
    ContractLineListSchema,
    ContractLineSchema,
    ElsewhereInput,
    EnableInput,
    EndInput,
    NumbersInput,
    NumbersSchema,
    RegisterQuery,
    RuleSetListSchema,
    RuleSetSchema,
)
from market.contracts.desk.schemas import ElsewhereForm
from market.contracts.desk.workflow import (
    ENABLE,
    NUMBERS,
    OPEN_DESK,
    RECORD_ELSEWHERE,
    RULES_DESK,
)
from market.contracts.models import RuleSet
from market.core.api import MISSING, PREFIX, ApiBlueprint
from market.core.api_writes import create_once, creates, edits, require_match, tagged
from market.core.errors import Invalid
from market.core.http import current_actor
from market.core.pagination import PageOf, whole
from market.core.permissions import requires

blueprint = ApiBlueprint(
    "contract_register_api", __name__, "技术合同登记簿：登记、补录、登记规则和编号"
)


@blueprint.route("/contract-register")
@blueprint.doc(operationId="listContractRegister", summary="登记簿", security=SECURED)
@blueprint.arguments(RegisterQuery, location="query")
@blueprint.response(200, ContractLineListSchema, description="已登记的合同，登记晚的在前")
@requires(OPEN_DESK)
def registered(query: dict[str, Any]) -> PageOf[dict[str, Any]]:
    """The register as far as the token may read it."""
    found = register.search(current_actor(), query, query["page"])
    items = [row(queries.line_of(one)) for one in found.items]
    return PageOf(items, found.total, found.page, found.per_page, found.total_is)


@blueprint.route("/contract-register", methods=["POST"])
@blueprint.doc(
    operationId="recordContractElsewhere",
    summary="补录外地登记的合同",
    description="买方或卖方须在本地区；已录过的编号回答 422，并说明录在哪里。",
    security=SECURED,
)
@blueprint.arguments(ElsewhereInput)
@blueprint.response(201, ContractLineSchema, description="补录的合同")
@creates
@requires(RECORD_ELSEWHERE)
def record(values: dict[str, Any]) -> Response:
    """Record a contract that was registered elsewhere."""
    actor, scan = current_actor(), upload(values)
    resolved = elsewhere.resolve(_flat(values))

    def act() -> tuple[dict[str, Any], str]:
        no = elsewhere.record(actor, resolved, scan)
        told = ContractLineSchema().dump(row(queries.line_of(contracts.find(actor, no))))
        return told, f"{PREFIX}/contract-desk/{no}"

    return create_once(act)


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """As the form sends it. Raises Invalid: a code of the national form that is none."""
    found = {key: value for key, value in values.items() if key not in ("seller", "buyer")}
    for side in ("seller", "buyer"):
        party = values[side]
        found[side] = party["name"]
        found |= {f"{side}_{name}": party.get(name) for name in ("uscc", "region", "nature")}
    natures = ElsewhereForm().fields["seller_nature"].choices  # type: ignore[attr-defined]
    for side in ("seller", "buyer"):
        if found[f"{side}_nature"] and found[f"{side}_nature"] not in natures:
            raise Invalid({f"{side}/nature": ["没有这个单位性质代码。"]})
    return found


def _said(one: RuleSet, in_force: bool = False) -> dict[str, Any]:
    same = "id code label source valid_from valid_to clock_days clock_unit confirmed enabled"
    return {name: getattr(one, name) for name in same.split()} | {
        "region": one.region.code if one.region else None,
        "in_force": in_force,
    }


def _dumped(said: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = RuleSetSchema().dump(said)
    return told


def _rule_sets() -> dict[int, dict[str, Any]]:
    """All that the page shows, by id."""
    actor = current_actor()
    found: dict[int, dict[str, Any]] = {}
    for area in enabling.areas(actor, enabling.places(actor)):
        rows = [*area.own, *enabling.to_enable(area.region.path)]
        if area.in_force is not None:
            rows.append(area.in_force)
        for one in rows:
            found[one.id] = _said(one, one is area.in_force)
    return found


@blueprint.route("/contract-rules")
@blueprint.doc(operationId="listContractRules", summary="登记规则", security=SECURED)
@blueprint.response(200, RuleSetListSchema, description="施行的、本地区启用的和可以启用的")
@requires(RULES_DESK)
def rules() -> PageOf[dict[str, Any]]:
    """Rules of the own area."""
    return whole(list(_rule_sets().values()))


@blueprint.route("/contract-rules/<int:key>")
@blueprint.doc(operationId="getContractRules", summary="一套登记规则", security=SECURED)
@blueprint.response(200, RuleSetSchema, description="规则")
@blueprint.alt_response(404, MISSING)
@requires(RULES_DESK)
def one_rule_set(key: int) -> Response:
    """A rule set."""
    one = enabling.find(key)
    told = _rule_sets().get(key) or _said(one)
    return tagged(_dumped(told), one.lock_version)


@blueprint.route("/contract-rules/<int:key>/enable", methods=["POST"])
@blueprint.doc(
    operationId="enableContractRules",
    summary="在本地区启用一套未确认的规则",
    description="另立本地区自己的一套，从施行日期起用；已受理和已决定的合同不变。",
    security=SECURED,
)
@blueprint.arguments(EnableInput)
@blueprint.response(201, RuleSetSchema, description="本地区的规则")
@blueprint.alt_response(404, MISSING)
@creates
@requires(ENABLE)
def enable(values: dict[str, Any], key: int) -> Response:
    """Put an unconfirmed text in force in one's own area."""
    actor, paper = current_actor(), upload(values)

    def act() -> tuple[dict[str, Any], str]:
        made = enabling.enable(actor, key, values["area"], values, paper)
        return _dumped(_said(enabling.find(made))), f"{PREFIX}/contract-rules/{made}"

    return create_once(act)


@blueprint.route("/contract-rules/<int:key>/end", methods=["POST"])
@blueprint.doc(operationId="endContractRules", summary="停用本地区启用的规则", security=SECURED)
@blueprint.arguments(EndInput)
@blueprint.response(200, RuleSetSchema, description="停用后的规则")
@blueprint.alt_response(404, MISSING)
@edits
@requires(ENABLE)
def end(values: dict[str, Any], key: int) -> Response:
    """Give what one's office enabled its last day."""
    version = enabling.find(key).lock_version
    require_match(version)
    enabling.end(current_actor(), key, values, version)
    one = enabling.find(key)
    return tagged(_dumped(_said(one)), one.lock_version)


def _numbers(no: str) -> dict[str, Any]:
    found = numbering.of(numbering.find(current_actor(), no))
    told: dict[str, Any] = NumbersSchema().dump(
        {"body": found.body.no}
        | {name: getattr(found, name) for name in ("pattern", "body_code", "given", "upcoming")}
    )
    return told


@blueprint.route("/contract-numbers/<string:no>")
@blueprint.doc(operationId="getContractNumbers", summary="登记机构怎样编号", security=SECURED)
@blueprint.response(200, NumbersSchema, description="格式和下一个号")
@blueprint.alt_response(404, MISSING)
@requires(NUMBERS)
def numbers(no: str) -> Response:
    """How a body writes its numbers."""
    return tagged(_numbers(no))


@blueprint.route("/contract-numbers/<string:no>", methods=["PUT"])
@blueprint.doc(operationId="setContractNumbers", summary="改编号格式", security=SECURED)
@blueprint.arguments(NumbersInput)
@blueprint.response(200, NumbersSchema, description="改后的格式")
@blueprint.alt_response(404, MISSING)
@edits
@requires(NUMBERS)
def set_numbers(values: dict[str, Any], no: str) -> Response:
    """Say how numbers are written from a year on."""
    actor = current_actor()
    require_match(_numbers(no))
    numbering.set_format(actor, no, values)
    return tagged(_numbers(no))
