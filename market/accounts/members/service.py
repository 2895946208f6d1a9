"""Founding an organisation and asking to join one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from market.accounts import service as organisations
from market.accounts.members import grants
from market.accounts.members.models import Joining
from market.accounts.members.queries import load_joining
from market.accounts.members.workflow import ANSWER, ASK, JOINING, has_owner, tell_owners
from market.accounts.models import Organisation
from market.accounts.queries import by_code, find
from market.accounts.roles import EDITORS, MEMBERS
from market.accounts.verification.queries import waiting
from market.core import clock, limits, numbers
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.languages import translate
from market.core.limits import Limit
from market.core.permissions import Actor, Own, policy
from market.core.text import fold
from market.core.unit_of_work import unit_of_work
from market.core.workflow import begin, fire
from market.regions import queries as regions
from market.regions.queries import RegionView

SERIES = "JR"
_FOUNDING = Limit("founding", 5, timedelta(days=1))
_ASKING = Limit("joining", 10, timedelta(days=1))
_TAKEN = "这个统一社会信用代码刚由别人登记了：请申请加入，不用再登记一次。"


def counties(text: str) -> list[RegionView]:
    """The counties that may be meant by a name, pinyin or code; the exact name alone, if one."""
    found = [place for place in regions.search(text) if _has_firms(place)]
    exact = [one for one in found if text in (one.name, one.short_name, one.full_name, one.code)]
    return exact or found


def _has_firms(place: RegionView) -> bool:
    """Counties, and the few prefectures that have none below them."""
    if place.level != "prefecture":
        return place.level == "county"
    return not any(child.level == "county" for child in regions.children(place.id))


def county_faults(text: str, code: str | None) -> dict[str, list[str]]:
    """What is wrong with a county as typed (`code`: the one chosen of several), by field."""
    try:
        _county({"county": text, "region": code})
    except Invalid as error:
        return error.fields
    return {}


def _county(values: Mapping[str, Any]) -> int:
    found = counties(values["county"])
    if chosen := [place for place in found if place.code == values.get("region")]:
        found = chosen
    if len(found) == 1:
        return found[0].id
    if not found:
        raise Invalid({"county": ["没有找到这个县（市、区）：请写县名、拼音或 6 位代码。"]})
    raise Invalid({"region": [f"「{values['county']}」有 {len(found)} 个，请选一个。"]})


def found(actor: Actor, values: Mapping[str, Any]) -> str:
    """Found an organisation; who does it becomes its owner. Returns its number.

    Args:
        values: what `FoundSchema` loaded.

    Raises:
        Conflict: there is one with this code already, or somebody was quicker.
        Invalid: the county is not clear.
        TooMany: too many in a day.
    """
    if actor.id is None or actor.kind != "person":
        raise Denied
    place = _county(values)
    limits.take(_FOUNDING, str(actor.id), "今天登记的单位太多，请明天再试，或请科技管理部门代录。")
    keys = ("uscc", "name", "kind", "telephone", "contact", "address")
    entered = {key: values[key] for key in keys if values.get(key)} | {"region_id": place}
    try:
        with unit_of_work(actor) as work:
            key = organisations.found(actor, entered)
            row = db.session.get_one(Organisation, key)
            grants.give(work, actor.id, "owner", row)
            return row.no
    except IntegrityError as error:
        raise Conflict(_TAKEN) from error


def ask_to_join(actor: Actor, code: str, message: str | None = None) -> str:
    """Ask to act for an organisation that is there; returns the request's number.

    Raises:
        NotFound: no organisation has this credit code.
        Conflict: the person belongs to it, or has asked already.
        TooMany: too many requests in a day.
    """
    row = by_code(code)
    if row is None:
        raise NotFound("没有这个统一社会信用代码的单位。")
    if actor.id is None or actor.kind != "person":
        raise Denied
    organisation_id, person_id = row.id, actor.id
    limits.take(_ASKING, str(person_id), "今天的申请太多，请明天再试。")
    try:
        with unit_of_work(actor) as work:
            work.require(ASK)
            if grants.held(organisation_id, person_id):
                raise Conflict("您已经是这家单位的成员。")
            asked = select(Joining.no).where(
                Joining.organisation_id == organisation_id,
                Joining.person_id == person_id,
                Joining.state == "requested",
            )
            if (no := db.session.scalar(asked)) is not None:
                raise Conflict(f"您已经申请过（{no}），请等对方接受。")
            series = f"{SERIES}{clock.today().year}"
            case = Joining(
                no=f"{series}{numbers.take(series)[0]:06d}",
                organisation_id=organisation_id,
                person_id=person_id,
                message=message,
                state="requested",
                created_at=clock.now(),
            )
            db.session.add(case)
            db.session.flush()
            begin(work, JOINING, case, note=message)
            tell_owners(case)
            return case.no
    except IntegrityError as error:
        raise Conflict("您已经申请过，请等对方接受。") from error


def answer(actor: Actor, no: str, action: str, values: Mapping[str, Any]) -> None:
    """Accept or refuse a request.

    Args:
        action: "accept" or "refuse".
        values: `role` for an acceptance by an owner; `reason` for a refusal. Accepted by an
            office, since nobody manages the organisation, the person becomes its owner.

    Raises:
        NotFound, Denied, Conflict, Invalid: as with every case.
    """
    case_id = load_joining(actor, no).id
    with unit_of_work(actor) as work:
        case = db.session.get_one(Joining, case_id)
        if action == "refuse":
            fire(work, JOINING, case, "refuse", reason=values.get("reason"))
            return
        work.require(ANSWER, case)
        organisation = grants.lock(case.organisation_id)
        role = values.get("role") if has_owner(organisation.id) else "owner"
        if role not in MEMBERS:
            raise Invalid({"role": ["请选一个角色。"]})
        fire(work, JOINING, case, "accept", values={"role": role}, after={"role": role})
        grants.give(work, case.person_id, role, organisation)


def withdraw(actor: Actor, no: str) -> None:
    """Take one's own request back."""
    case_id = load_joining(actor, no).id
    with unit_of_work(actor) as work:
        fire(work, JOINING, db.session.get_one(Joining, case_id), "withdraw")


UPDATE = policy.declare("accounts:organisation:update", **dict.fromkeys(EDITORS, Own()))
_PUBLIC = ("name", "telephone", "contact", "address", "hours", "website", "intro")


def update_own(actor: Actor, no: str, version: int, values: Mapping[str, Any]) -> int:
    """Change what an organisation says of itself in public; returns the new version.

    Args:
        version: the `lock_version` that was read before.
        values: of name (as long as nobody verified it or is about to), telephone, contact, address, hours,
            website, intro; what is not named stays.

    Raises:
        NotFound: it is not one that the actor may change.
        Conflict: somebody else changed it meanwhile.
        Invalid: the name was verified, or papers that bear it are being looked at.
    """
    organisation_id = find(actor, UPDATE, no).id
    with unit_of_work(actor) as work:
        row = grants.lock(
            organisation_id
        )  # handing in papers waits for it, and the other way round
        work.require(UPDATE, row)
        before = {key: getattr(row, key) for key in _PUBLIC if key in values}
        after = {key: value for key, value in values.items() if before.get(key, value) != value}
        if "name" in after and (reason := name_is_fixed(row)):
            raise Invalid({"name": [reason]})
        if "name" in after:
            after["folded_name"] = fold(after["name"])[:200]
        moved = db.session.execute(
            update(Organisation)
            .where(Organisation.id == row.id, Organisation.lock_version == version)
            .values(lock_version=version + 1, updated_at=clock.now(), **after)
            .execution_options(synchronize_session=False)
        )
        if not moved.rowcount:  # type: ignore[attr-defined]
            raise Conflict(translate("刚才有同事改过，请对照现在的内容再保存一次。"))
        old = {key: before[key] for key in after if key in before}
        work.record("organisation.updated", "organisation", row.id, no=no, before=old, after=after)
        work.announce("organisation", row.id)
        return version + 1


def name_is_fixed(organisation: Organisation) -> str:
    """Why its own people cannot change an organisation's name now; empty when they can."""
    if organisation.verified_at is not None:
        return translate("名称已核验；要改请联系所在县的科技管理部门。")
    no = waiting(organisation.id)
    if no is None:
        return ""
    return f"单位核验（{no}）正在办理，名称以提交的材料为准；办结或退回后才能改。"
