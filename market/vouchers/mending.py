"""What is put right about a batch: another notice, payments entered wrongly, an account, a bar."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select

from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.permissions import Actor, policy
from market.core.text import fold
from market.core.unit_of_work import unit_of_work
from market.notices import queries as notices
from market.vouchers import noticed
from market.vouchers.checking import findings_of
from market.vouchers.claim_models import Bar, Batch, Claim, Payment
from market.vouchers.claiming import keep_bank
from market.vouchers.funds import unshift
from market.vouchers.locking import locked, moved
from market.vouchers.paying import claims_of
from market.vouchers.workflow import (
    BAR,
    BATCH,
    CHECK,
    CLAIM,
    MAKE_BATCH,
    PAY,
    READ_BATCH,
    READ_CLAIM,
)


def notice_again(actor: Actor, no: str) -> str:
    """Begin another notice: an objection was upheld, it was withdrawn or too short; its number."""
    with unit_of_work(actor) as work:
        row = locked(Batch, actor, READ_BATCH, no)
        work.require(MAKE_BATCH, row)
        claims = [one for one in claims_of(row) if one.state == "notice"]
        numbers = {one.notice_no for one in claims if one.notice_no}
        over = any(
            (code := notices.standing_of(one).code) in {"upheld", "gone"}
            or (code == "clear" and noticed.short(one, claims))
            for one in numbers
        )
        if row.state != "open" or not over:
            raise Conflict("现在的公示没有撤回，也没有异议成立，不能重新公示。")
        notice_no = noticed.begin(actor, row, claims)
        for one in claims:
            one.notice_no = notice_no
            one.lock_version, one.updated_at = one.lock_version + 1, clock.now()
        row.lock_version, row.updated_at = row.lock_version + 1, clock.now()
        work.record(
            "voucher_batch.notice_again", "voucher_batch", row.id, no=no,
            after={"notice": notice_no},
        )  # fmt: skip
        return notice_no


def take_back(actor: Actor, no: str) -> int:
    """Take back what was entered last of a batch's payments, all of it; how many lines.

    Raises:
        Conflict: nothing is entered, or something followed: 退票, recovery.
    """
    with unit_of_work(actor) as work:
        row = locked(Batch, actor, READ_BATCH, no)
        work.require(PAY, row)
        claims = {one.id: one for one in claims_of(row)}
        last = select(func.max(Payment.at)).where(Payment.batch_id == row.id).scalar_subquery()
        query = select(Payment).where(Payment.batch_id == row.id, Payment.at == last)
        lot = db.session.scalars(query.order_by(Payment.id)).all()
        if not lot:
            raise Conflict("这个批次没有登记过拨付。")
        moved_on = [
            one.treasury_no
            for one in lot
            if one.state != "paid" or one.claim_id not in claims
            or claims[one.claim_id].state != "paid"
        ]  # fmt: skip
        if moved_on:
            raise Conflict(f"{'、'.join(moved_on)} 之后又办过退票或追回，不能撤销登记。")
        for one in lot:
            claim = claims[one.claim_id]
            unshift(work, claim, "pay")
            numbers_back = {"no": one.treasury_no}
            db.session.delete(one)
            db.session.flush()
            flow.fire(work, CLAIM, claim, "unpay", values=moved(Claim), after=numbers_back)
        if row.state == "closed":
            flow.fire(work, BATCH, row, "reopen", values=moved(Batch))
        return len(lot)


def lift(actor: Actor, bar_id: int, reason: str) -> None:
    """End a bar before its last day, with the reason in the audit."""
    if not reason.strip():
        raise Invalid({"reason": ["请写明解除的原因。"]})
    with unit_of_work(actor) as work:
        query = select(Bar).where(Bar.id == bar_id, policy.where(actor, BAR, Bar))
        row = db.session.scalar(query.with_for_update(of=Bar))
        if row is None:
            raise NotFound("没有这条停止申领资格的记录。")
        work.require(BAR, row)
        if row.lifted_at is not None:
            raise Conflict("已经解除。")
        row.lifted_at = clock.now()
        after = {"reason": reason.strip()[:1000], "until": row.ends_on.isoformat()}
        work.record("voucher_bar.lift", "organisation", row.organisation_id, after=after)


def correct_account(actor: Actor, claim_no: str, bank: Mapping[str, str], reason: str) -> None:
    """Write the right account after 退票, by a clerk who does not pay: the claimant gave it in writing.

    Raises:
        Conflict: the money did not come back.
    """
    if not reason.strip():
        raise Invalid({"reason": ["请写明依据，例如企业的书面说明。"]})
    with unit_of_work(actor) as work:
        row = locked(Claim, actor, READ_CLAIM, claim_no)
        work.require(CHECK, row)
        if row.state != "bounced":
            raise Conflict("只有退票以后才能更正收款账户。")
        if fold(bank["holder"]) != fold(row.owner.name):
            raise Invalid({"holder": [f"户名须是收款单位「{row.owner.name}」。"]})
        before = row.bank_shown
        keep_bank(row, {name: bank[name] for name in ("holder", "bank", "account")})
        row.findings = findings_of(row)
        note = f"{before} → {row.bank_shown}；{reason.strip()[:900]}"
        flow.add_event(work, CLAIM.name, row.id, "account", note=note)
        row.lock_version, row.updated_at = row.lock_version + 1, clock.now()
        after = {"account": row.bank_shown, "reason": reason.strip()[:1000]}
        work.record("voucher_claim.account", "voucher_claim", row.id, no=claim_no,
                    before={"account": before}, after=after)  # fmt: skip
