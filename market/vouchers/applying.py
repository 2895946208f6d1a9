"""Applying for vouchers (申领), issuing them with numbers, freezing and giving back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import update

from market.accounts.models import Organisation
from market.accounts.roles import MEMBERS
from market.core import clock, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid
from market.core.money import show_yuan
from market.core.permissions import Actor
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.vouchers import caps, funds
from market.vouchers.calculating import year_caps
from market.vouchers.facts import Facts, Outcome, as_json
from market.vouchers.knowing import firm_of, place_of, refuse_barred
from market.vouchers.ledger.posting import Pot
from market.vouchers.ledger.queries import balances
from market.vouchers.locking import locked, moved, seen, today
from market.vouchers.models import VOUCHER_STATES, Application, Scheme, Voucher
from market.vouchers.rules import voucher_ends, voucher_limit
from market.vouchers.schemes import live_version, sheet_of
from market.vouchers.sheet import Sheet
from market.vouchers.workflow import (
    APPLICATION,
    APPLY,
    FREEZE,
    GRANT,
    READ_APPLICATION,
    READ_VOUCHER,
    VIEW,
    VOUCHER,
)

SERIES, VOUCHERS = "SL", "KJQ"


def apply(
    actor: Actor, scheme_no: str, organisation_id: int, asked_fen: int, facts: Mapping[str, Any],
    purpose: str = "",
) -> str:  # fmt: skip
    """Ask for vouchers of a scheme; returns the number of the application.

    Args:
        facts: what the firm declares, by names of `knowing.DECLARED`.

    Raises:
        Invalid: more than it may have, or not within the scheme: each in a sentence.
    """
    with unit_of_work(actor) as work:
        scheme = seen(Scheme, actor, VIEW, scheme_no)
        version = live_version(scheme)
        firm = db.session.get_one(Organisation, organisation_id)
        work.require(APPLY, firm)
        if firm.verified_at is None:
            raise Conflict("单位通过核验后才能申领。")
        if asked_fen <= 0:
            raise Invalid({"asked": ["申领金额须大于零。"]})
        outcome = _limit(sheet_of(version), scheme, firm, facts, today())
        if not outcome.eligible:
            raise Invalid(
                {"asked": [one.words for one in outcome.reasons if one.weight == "refuse"]}
            )
        if outcome.amount_fen is not None and asked_fen > outcome.amount_fen:
            words = f"现在最多可申领 {show_yuan(outcome.amount_fen)}。"
            raise Invalid({"asked": [words]})
        now, series = clock.now(), f"{SERIES}{clock.today().year}"
        row = Application(
            no=f"{series}{numbers.take(series)[0]:06d}", scheme_id=scheme.id, version_id=version.id,
            organisation_id=firm.id, region_id=place_of(firm, scheme), asked_fen=asked_fen,
            purpose=purpose or None, facts=dict(facts), outcome=as_json(outcome), demo=firm.demo,
            created_at=now, updated_at=now,
        )  # fmt: skip
        db.session.add(row)
        db.session.flush()
        flow.begin(work, APPLICATION, row)
        return row.no


def look(scheme: Scheme, firm: Organisation, facts: Mapping[str, Any]) -> Outcome:
    """What a firm may apply for now by a scheme, and why or why not. Raises Conflict: it is closed."""
    return _limit(sheet_of(live_version(scheme)), scheme, firm, facts, today())


def _limit(
    sheet: Sheet, scheme: Scheme, firm: Organisation, facts: Mapping[str, Any], day: date
) -> Outcome:
    counted = caps.used(caps.scope_of(sheet, scheme), firm.id, day.year)
    left = balances(Pot(scheme.id, day.year, scheme.region_id)).get("available", 0)
    asked = Facts(
        day=day, stage="apply", firm=firm_of(firm, scheme, day, facts), budget_left_fen=left
    )
    held = caps.used(caps.scope_of(sheet, scheme), firm.id, caps.EVER).held_fen
    return voucher_limit(sheet, asked, held, counted.issued_fen)


def withdraw(actor: Actor, no: str, version: int | None = None) -> None:
    """Take an application back before it is decided."""
    with unit_of_work(actor) as work:
        row = locked(Application, actor, READ_APPLICATION, no, version)
        flow.fire(work, APPLICATION, row, "withdraw", values=moved(Application))


def _refuse_own(actor: Actor, row: Application) -> None:
    if row.organisation_id in actor.organisations(*MEMBERS):
        raise Denied("不能办理本单位的申领，请由另一位同事办理。")


def refuse(actor: Actor, no: str, reason: str, version: int | None = None) -> None:
    """Give no vouchers, with the reason."""
    with unit_of_work(actor) as work:
        row = locked(Application, actor, READ_APPLICATION, no, version)
        work.require(GRANT, row.scheme)
        _refuse_own(actor, row)
        flow.fire(work, APPLICATION, row, "refuse", reason=reason, values=moved(Application))


def grant(
    actor: Actor, no: str, faces: list[int] | None = None, version: int | None = None
) -> list[str]:
    """Issue vouchers for an application; returns their numbers.

    Args:
        faces: amounts of the vouchers, together at most what was asked; None: one over all of it.

    Raises:
        Conflict: the cap on what is held or the budget does not suffice any more.
    """
    with unit_of_work(actor) as work:
        row = locked(Application, actor, READ_APPLICATION, no, version)
        work.require(GRANT, row.scheme)
        _refuse_own(actor, row)
        faces = faces or [row.asked_fen]
        total, day = sum(faces), today()
        refuse_barred(row.scheme, [row.owner], day)
        if any(fen <= 0 for fen in faces) or total > row.asked_fen:
            raise Invalid({"faces": ["券面金额须大于零，合计不超过申领金额。"]})
        sheet = sheet_of(row.version)
        firm = firm_of(row.owner, row.scheme, day, row.facts)
        scope = caps.scope_of(sheet, row.scheme)
        asked = Facts(day=day, stage="apply", firm=firm)
        most = min((one[1] for one in year_caps(sheet, asked)), default=None)
        caps.count(scope, row.organisation_id, day.year, "issued_fen", total, most, "年度上限")
        caps.count(scope, row.organisation_id, caps.EVER, "held_fen", total, sheet.cap_held_fen,
                   "持有上限")  # fmt: skip
        values = moved(Application, granted_fen=total)
        flow.fire(work, APPLICATION, row, "grant", values=values, after={"fen": total})
        return [_issue(work, sheet, row, fen, day) for fen in faces]


def _issue(work: UnitOfWork, sheet: Sheet, row: Application, fen: int, day: date) -> str:
    now, series = clock.now(), f"{VOUCHERS}{row.scheme_id}-{day.year}"
    starts = {"apply": clock.local(row.created_at).date(), "issue": day}
    start = starts.get(sheet.validity_starts or "issue")
    voucher = Voucher(
        no=f"{VOUCHERS}{day.year}{row.scheme_id:04d}{numbers.take(series)[0]:06d}",
        scheme_id=row.scheme_id, version_id=row.version_id, application_id=row.id,
        organisation_id=row.organisation_id, region_id=row.region_id, year=day.year, face_fen=fen,
        issued_on=day, ends_on=voucher_ends(sheet, start) if start else None, demo=row.demo,
        created_at=now, updated_at=now,
    )  # fmt: skip
    db.session.add(voucher)
    db.session.flush()
    if sheet.reserve_at == "issue":
        parts = funds.parts_of(sheet, row.scheme, row.owner, None, fen)
        key = f"voucher:{voucher.id}:issue"
        funds.reserve(work, ("voucher", voucher.id), row.scheme, day.year, parts, key)
    flow.begin(work, VOUCHER, voucher)
    return voucher.no


def hold(work: UnitOfWork, voucher: Voucher, fen: int, day: date) -> None:
    """Hold a part of a voucher for an order or a claim.

    Raises:
        Conflict: it has expired, is frozen, or is not worth as much any more.
    """
    refuse_ended(voucher, day)
    left = Voucher.face_fen - Voucher.held_fen - Voucher.spent_fen
    done = db.session.execute(
        update(Voucher)
        .where(Voucher.id == voucher.id, Voucher.state.in_(("issued", "used")), left >= fen)
        .values(held_fen=Voucher.held_fen + fen)
        .execution_options(synchronize_session=False)
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        db.session.refresh(voucher)
        raise Conflict(f"创新券余额 {show_yuan(voucher.left_fen)}，不够 {show_yuan(fen)}。")
    db.session.refresh(voucher)
    if voucher.state == "issued":
        flow.fire(work, VOUCHER, voucher, "use", values=moved(Voucher))


def refuse_ended(voucher: Voucher, day: date | None = None) -> None:
    """Refuse a voucher that is frozen or has ended; day: also one whose last day is over.

    Raises:
        Conflict: the voucher cannot be used now.
    """
    if day is not None and voucher.ends_on is not None and day > voucher.ends_on:
        raise Conflict(f"创新券已于 {voucher.ends_on} 过期。")
    if voucher.state in {"frozen", "expired", "released"}:
        raise Conflict(f"创新券 {voucher.no} {VOUCHER_STATES[voucher.state]}，不能使用。")


def unhold(voucher: Voucher, held_fen: int, spent_fen: int = 0) -> None:
    """End a hold; what was spent of it stays spent. Below zero takes that back."""
    db.session.execute(
        update(Voucher)
        .where(Voucher.id == voucher.id)
        .values(held_fen=Voucher.held_fen - held_fen, spent_fen=Voucher.spent_fen + spent_fen)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(voucher)


def mark(actor: Actor, no: str, action: str, reason: str, version: int | None = None) -> None:
    """Freeze, thaw or release a voucher.

    Args:
        action: freeze, thaw or release (额度退回: only when no order or claim uses it).
    """
    with unit_of_work(actor) as work:
        voucher = locked(Voucher, actor, READ_VOUCHER, no, version)
        work.require(FREEZE, voucher)
        if action == "release":
            if voucher.held_fen:
                raise Conflict("还有订单或兑付申请在用这张券。")
            give_back(work, voucher, "release", reason)
            return
        flow.fire(work, VOUCHER, voucher, action, reason=reason, values=moved(Voucher))


def give_back(work: UnitOfWork, voucher: Voucher, action: str, reason: str | None = None) -> int:
    """End a voucher that nothing uses; its budget is available again. Returns the amount."""
    left, sheet = voucher.left_fen, sheet_of(voucher.version)
    flow.fire(work, VOUCHER, voucher, action, reason=reason, values=moved(Voucher),
              after={"fen": left})  # fmt: skip
    funds.release(work, ("voucher", voucher.id), f"voucher:{voucher.id}:end")
    scope = caps.scope_of(sheet, voucher.scheme)
    caps.count(scope, voucher.organisation_id, caps.EVER, "held_fen", -left, None, "持有上限")
    return left
