"""What an office does with a scheme beside writing its fields: each an act of `schemes`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.permissions import Actor, policy
from market.core.unit_of_work import unit_of_work
from market.regions.models import Region
from market.vouchers import reviewing, schemes
from market.vouchers.claim_models import CLAIM_KINDS, Claim
from market.vouchers.claiming import AWARD
from market.vouchers.codes import PAYERS
from market.vouchers.models import Scheme, SchemeVersion
from market.vouchers.scheme_pages import books, queries
from market.vouchers.sheet import Service, read, settled
from market.vouchers.workflow import MANAGE, READ_CLAIM

MOST_PAYERS = 400  # of a province: all its cities and counties
# What belongs to another place's sheet and says nothing of one's own.
_FOREIGN = (
    "document", "effective_from", "effective_to", "budget_total_fen", "budget_by_year", "sources",
)  # fmt: skip


def begin(actor: Actor, region_code: str, base: str, title: str = "") -> str:
    """A new scheme as a draft; returns its number.

    Args:
        base: empty; `sheet:<code>` of a shipped sheet; `scheme:<no>` of another of one's schemes.

    Raises:
        Invalid: no title, or no such base.
    """
    content = base_of(actor, base, region_code)
    content = {**content, "owner_region": region_code}
    if title:
        content["title"] = title
    if not content.get("title"):
        raise Invalid({"title": ["必填。"]})
    return schemes.create(actor, region_code, content, demo=False)


def base_of(actor: Actor, base: str, region_code: str) -> dict[str, Any]:
    """The content that a new scheme begins with. Raises Invalid."""
    kind, _, name = base.partition(":")
    if not base:
        return {}
    if kind == "sheet":
        found = dict(queries.sheet_named(name).content)
    elif kind == "scheme":
        scheme = queries.find(actor, name, MANAGE)
        found = dict(queries.working_version(scheme).content)
    else:
        raise Invalid({"base": ["没有这份办法。"]})
    theirs = found.get("owner_region")
    if theirs != region_code:
        found = {name: value for name, value in found.items() if name not in _FOREIGN}
        if found.get("applicant_regions") == [theirs]:
            found["applicant_regions"] = [region_code]
    return found


def copy_version(actor: Actor, no: str, number: int, version: int | None = None) -> int:
    """Write the next version from an older one.

    Raises:
        Conflict: another version is being written. NotFound: no such version.
    """
    scheme = queries.find(actor, no, MANAGE)
    if schemes.draft_of(scheme) is not None:
        raise Conflict("新版本正在编写，请先发布或改好它。")
    wanted = [one for one in queries.versions(scheme) if one.version == number]
    if not wanted:
        raise Invalid({"version": ["没有这个版本。"]})
    return schemes.save_draft(actor, no, wanted[0].content, version)


def publish(actor: Actor, no: str, day: date, version: int | None = None) -> int:
    """Put the draft in force with the day from which it holds; the number of the version.

    Raises:
        Conflict: a later version cannot begin before its day: until then the older one holds.
    """
    with unit_of_work(actor):
        scheme = queries.find(actor, no, MANAGE)
        draft = schemes.draft_of(scheme)
        if draft is None:
            raise Conflict("没有待施行的草稿。")
        if scheme.state == "live" and day > clock.today():
            words = f"现在仍按第 {scheme.version} 版受理；到 {day} 再发布这一版。"
            raise Invalid({"effective_from": [words]})
        ends = read(draft.content).effective_to
        if ends is not None and day > ends:
            raise Invalid({"effective_from": [f"晚于有效期止（{ends}）。"]})
        if draft.content.get("effective_from") != day.isoformat():
            content = {**draft.content, "effective_from": day.isoformat()}
            schemes.save_draft(actor, no, content, version)
            version = None if version is None else version + 1
        return schemes.publish(actor, no, version)


def choose_reading(
    actor: Actor, no: str, reading: str, option: str, version: int | None = None
) -> int:
    """Choose how a passage is read, in the version that is written; its number.

    Raises:
        Invalid: no such question or answer.
    """
    scheme = queries.find(actor, no, MANAGE)
    content = dict(queries.working_version(scheme).content)
    rows = [dict(row) for row in content.get("readings", ())]
    for row in rows:
        if row["code"] != reading:
            continue
        if option and option not in {one["code"] for one in row["options"]}:
            raise Invalid({"option": ["请选一种读法。"]})
        row["chosen"] = option
        if not option:
            del row["chosen"]
        return schemes.save_draft(actor, no, {**content, "readings": rows}, version)
    raise Invalid({"reading": ["没有这个问题。"]})


def set_budget(
    actor: Actor,
    no: str,
    year: int,
    amount_fen: int,
    region_code: str = "",
    *,
    key: str,
    seen_fen: int | None = None,
) -> None:
    """Raise or cut a budget to an amount.

    Args:
        seen_fen: what it was when the actor looked; None: not asked.

    Raises:
        Conflict: it was changed meanwhile, or would be cut below what is reserved and spent.
    """
    with unit_of_work(actor):
        scheme = queries.find(actor, no, MANAGE)
        region = region_code or scheme.region.code
        there = [
            one.total_fen
            for one in books.budgets_of(scheme)
            if (one.year, one.region_code) == (year, region)
        ]
        if seen_fen is not None and seen_fen != sum(there):
            raise Conflict("这笔预算刚有改动，请看新的数；您写的还在，仍要改请再点一次。")
        schemes.set_budget(actor, no, year, amount_fen, region, key=key)


def payer_regions(scheme: Scheme, content: Mapping[str, Any]) -> list[Region]:
    """Who may have a budget in a scheme: its own region, payers by name, regions that have one.

    Where a firm's or a provider's own place pays or adds: all cities and counties of the region.
    """
    sheet = read(content)
    named = {one.payer for one in sheet.payers} | {one.payer for one in sheet.top_ups}
    codes = {scheme.region.code, *named} | {one.region_code for one in books.budgets_of(scheme)}
    wanted: ColumnElement[bool] = Region.code.in_(codes)
    if named & PAYERS.keys():
        inside = Region.path.startswith(scheme.region.path, autoescape=True)
        wanted = or_(wanted, and_(inside, Region.level.in_(("prefecture", "county"))))
    query = select(Region).where(wanted).order_by(Region.code).limit(MOST_PAYERS)
    return list(db.session.scalars(query))


def shares(scheme: Scheme) -> dict[str, str]:
    """Pages of a scheme in force that not every scheme has: end of the address → what it is called."""
    if not scheme.version:
        return {}
    sheet = settled(queries.public_version(scheme).content)
    found = {"cut": "按比例核减"} if sheet.exhaustion == "pro_rata" else {}
    return found | ({"awards": "服务机构奖励"} if sheet.award is not None else {})


def to_decide(content: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """What is "up to" in a sheet: key of the rate, words, highest rate in basis points."""
    found: list[tuple[str, str, int]] = []
    sheet = settled(content)
    for one in sheet.services:
        found += _highest(one)
    terms = sheet.award
    if terms is not None and terms.rate_bp is None and terms.rate_max_bp is not None:
        found.append((AWARD, CLAIM_KINDS[AWARD], terms.rate_max_bp))
    return found


def _highest(one: Service) -> list[tuple[str, str, int]]:
    if not one.bands:
        return [] if one.rate_max_bp is None else [(one.code, one.label, one.rate_max_bp)]
    return [
        (f"{one.code}:{number}", f"{one.label}，第 {number} 档", band.rate_max_bp)
        for number, band in enumerate(one.bands, start=1)
        if band.rate_max_bp is not None
    ]


def undecided(actor: Actor, scheme: Scheme) -> Sequence[Claim]:
    """Claims under review of the scheme, whose rates may be decided, oldest first."""
    query = (
        select(Claim)
        .where(
            policy.where(actor, READ_CLAIM, Claim),
            Claim.scheme_id == scheme.id,
            Claim.state == "submitted",
        )
        .order_by(Claim.id)
    )
    return db.session.scalars(query).all()


def decide_rates(actor: Actor, no: str, rates: Mapping[str, int]) -> int:
    """Decide what a sheet leaves "up to", for all claims of the scheme under review; how many.

    Args:
        rates: by keys of `to_decide`, in basis points.

    Raises:
        Invalid: above what the sheet allows. Conflict: no claim is under review.
    """
    with unit_of_work(actor):
        scheme = queries.find(actor, no, MANAGE)
        claims = undecided(actor, scheme)
        if not claims:
            raise Conflict("没有审核中的申请。")
        known = {version: _limits(version) for version in {one.version_id for one in claims}}
        strange = rates.keys() - {key for limits in known.values() for key in limits}
        if strange:
            raise Invalid({key: ["办法没有这项最高比例。"] for key in sorted(strange)})
        done = 0
        for claim in claims:
            limits = known[claim.version_id]
            fitting = _fitting(claim, rates, limits)
            if over := [key for key, bp in fitting.items() if bp > limits[key]]:
                raise Invalid({key: ["高于办法的最高比例。"] for key in over})
            if fitting:
                reviewing.decide_rates(actor, claim.no, fitting)
                done += 1
        if not done:
            raise Conflict("审核中的申请都没有用到这几项服务。")
        return done


def _fitting(claim: Claim, rates: Mapping[str, int], limits: Mapping[str, int]) -> dict[str, int]:
    """What of the rates concerns a claim, beside what was decided for it before."""
    bought = {item["service"] for item in claim.items}
    wanted = {key: bp for key, bp in rates.items() if key.partition(":")[0] in bought}
    if not wanted.keys() & limits.keys():
        return {}
    both = {**claim.decided, **wanted}
    return {key: bp for key, bp in both.items() if key in limits}


def _limits(version_id: int) -> dict[str, int]:
    content = db.session.get_one(SchemeVersion, version_id).content
    return {key: most for key, _words, most in to_decide(content)}
