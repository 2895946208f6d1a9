"""From approved claims to paid ones: batch, draw, notice, meeting, countersign, treasury, 退票."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from random import SystemRandom
from typing import Any

from sqlalchemy import select

from market.core import clock, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid
from market.core.permissions import Actor, policy
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.notices import queries as notices
from market.vouchers import noticed, treasury_lines
from market.vouchers.checking import refuse_unchecked
from market.vouchers.claim_models import Bar, Batch, Claim, Payment
from market.vouchers.closing import UNPAID
from market.vouchers.funds import shift
from market.vouchers.knowing import refuse_barred
from market.vouchers.ledger.models import LedgerEntry
from market.vouchers.locking import locked, moved, today
from market.vouchers.models import Scheme
from market.vouchers.schemes import sheet_of
from market.vouchers.workflow import (
    BAR,
    BATCH,
    CHECK,
    CLAIM,
    MAKE_BATCH,
    PAY,
    READ_BATCH,
    READ_CLAIM,
    SETTLE,
)

SERIES = "PF"


def open_batch(
    actor: Actor, scheme_no: str, claim_nos: Sequence[str], title: str, *, notice: bool = True
) -> str:
    """Put approved claims together and begin their notice; returns the number of the batch.

    Args:
        notice: whether a notice is begun; a scheme that gives its days always has one.

    Raises:
        Conflict: a claim is not approved yet, or stands in another batch.
    """
    with unit_of_work(actor) as work:
        scheme = locked(Scheme, actor, MAKE_BATCH, scheme_no)
        now, series = clock.now(), f"{SERIES}{clock.today().year}"
        row = Batch(
            no=f"{series}{numbers.take(series)[0]:05d}", scheme_id=scheme.id, scheme=scheme,
            region_id=scheme.region_id, region=scheme.region, title=title, demo=scheme.demo,
            created_at=now, updated_at=now,
        )  # fmt: skip
        work.require(MAKE_BATCH, row)
        db.session.add(row)
        db.session.flush()
        claims = [locked(Claim, actor, READ_CLAIM, no) for no in sorted(set(claim_nos))]
        if not claims or any(one.scheme_id != scheme.id for one in claims):
            raise Invalid({"claims": ["请选择本办法下审核通过的申请。"]})
        needed = notice or any(sheet_of(one.version).notice_days for one in claims)
        notice_no = noticed.begin(actor, row, claims) if needed else None
        _draw(claims)
        for one in claims:
            values = moved(Claim, batch_id=row.id, notice_no=notice_no, drawn=one.drawn)
            flow.fire(work, CLAIM, one, "notice", values=values)
        flow.begin(work, BATCH, row)
        return row.no


def _draw(claims: Sequence[Claim]) -> None:
    """Draw for the random check (抽查): the share rounded up, at least one."""
    rates = [sheet_of(one.version).random_check_bp for one in claims]
    points = max((one for one in rates if one), default=0)
    count = -(-len(claims) * points // 10_000)
    drawn = set(SystemRandom().sample(range(len(claims)), count))
    for position, one in enumerate(claims):
        one.drawn = position in drawn if points else None


def note_check(actor: Actor, claim_no: str, words: str) -> None:
    """Write what the random check of a drawn claim found."""
    if not words.strip():
        raise Invalid({"words": ["请写明抽查情况。"]})
    with unit_of_work(actor) as work:
        row = locked(Claim, actor, READ_CLAIM, claim_no)
        work.require(CHECK, row)
        if not row.drawn:
            raise Conflict("这份申请没有被抽中。")
        row.checked_on, row.check_words = today(), words.strip()[:1000]
        row.lock_version, row.updated_at = row.lock_version + 1, clock.now()
        work.record("voucher_claim.drawn", "voucher_claim", row.id, no=claim_no)


def claims_of(batch: Batch) -> Sequence[Claim]:
    """The claims of a batch, held, in order."""
    query = select(Claim).where(Claim.batch_id == batch.id).order_by(Claim.id)
    held = query.with_for_update(of=Claim).execution_options(populate_existing=True)
    return db.session.scalars(held).all()


def decide(
    actor: Actor, no: str, *, meeting_no: str, meeting_on: date, fund_no: str, fund_on: date
) -> None:
    """Enter the office meeting (纪要) and the fund document (文号) after the notice.

    Raises:
        Conflict: the notice has not run, runs, or has an objection; a drawn claim is unchecked.
    """
    with unit_of_work(actor) as work:
        row = locked(Batch, actor, READ_BATCH, no)
        claims = claims_of(row)
        if not claims:
            raise Conflict("这个批次里没有申请。")
        for notice_no in sorted({one.notice_no for one in claims if one.notice_no}):
            _refuse_unclear(notice_no)
            if words := noticed.short(notice_no, claims):
                raise Conflict(words)
            noticed.refuse_unsaid(notice_no, claims)
        if unchecked := [one.no for one in claims if one.drawn and one.checked_on is None]:
            raise Conflict(f"{'、'.join(unchecked)} 被抽中，还没有抽查结果。")
        if not (meeting_no.strip() and fund_no.strip()) or max(meeting_on, fund_on) > today():
            raise Invalid({"meeting_no": ["请填写会议纪要编号、文号和不晚于今天的日期。"]})
        if fund_on < meeting_on:
            raise Invalid({"fund_on": ["资金文件的日期早于会议日期，请核对。"]})
        _refuse_barred(claims)
        values = moved(
            Batch, meeting_no=meeting_no.strip(), meeting_on=meeting_on, fund_no=fund_no.strip(),
            fund_on=fund_on,
        )  # fmt: skip
        flow.fire(work, BATCH, row, "decide", values=values)
        for one in claims:
            if one.state == "notice":
                flow.fire(work, CLAIM, one, "decide", values=moved(Claim))


def _refuse_barred(claims: Sequence[Claim], day: date | None = None) -> None:
    for one in claims:
        refuse_barred(one.scheme, (one.firm, one.owner), day or today())


def _refuse_unclear(notice_no: str) -> None:
    standing = notices.standing_of(notice_no, hold=True)
    words = {
        "draft": "公示还没有开始",
        "running": "公示还没有期满",
        "objection_open": "还有异议没有答复",
        "upheld": "异议成立，请处理后重新公示",
        "gone": "公示已撤回",
    }
    if standing.code != "clear":
        raise Conflict(f"{words.get(standing.code, '公示没有结果')}（{notice_no}），批次须等待。")


def countersign(actor: Actor, no: str) -> None:
    """The finance office countersigns; it is never who made the batch.

    Raises:
        Conflict: a claim is not decided, or an invoice was not checked a second time.
    """
    with unit_of_work(actor) as work:
        row = locked(Batch, actor, READ_BATCH, no)
        claims = claims_of(row)
        if not claims or any(one.state != "payable" for one in claims):
            raise Conflict("批次里有申请还没有经会议审定。")
        if actor.person_id in {one.entered_by_id for one in claims} - {None}:
            raise Denied("批次里有您录入的申请，请由另一位同事会签。")
        _refuse_barred(claims)
        refuse_unchecked(claims, None)
        flow.fire(work, BATCH, row, "countersign", values=moved(Batch))
        for one in claims:
            flow.fire(work, CLAIM, one, "batch", values=moved(Claim))


def record_payments(actor: Actor, no: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Enter what the treasury paid, typed or from a file: all lines or none; how many.

    Args:
        rows: of `typed.PaymentSchema`; `line`, if given: where it stands in its file.

    Raises:
        Invalid: an unknown or repeated line, another amount, a number used before.
        Conflict: an invoice is not valid any more, or the money would go to somebody who is barred.
    """
    with unit_of_work(actor) as work:
        row = locked(Batch, actor, READ_BATCH, no)
        work.require(PAY, row)
        if row.state not in {"countersigned", "sent"}:
            raise Conflict("财政会签后才能登记拨付。")
        claims = {one.no: one for one in claims_of(row)}
        if troubles := treasury_lines.troubles(row, claims, rows):
            raise Invalid({"rows": troubles})
        refuse_unchecked([claims[one["claim_no"]] for one in rows], row.fund_on)
        for one in rows:  # what the treasury paid before the bar began is noted all the same
            _refuse_barred([claims[one["claim_no"]]], one["paid_on"])
        flow.fire(work, BATCH, row, "pay", values=moved(Batch))
        at = clock.now()  # what was entered together can be taken back together
        for one in rows:
            _pay(work, row, claims[one["claim_no"]], one, at)
        if not any(one.state in UNPAID for one in claims_of(row)):
            flow.fire(work, BATCH, row, "close", values=moved(Batch))
        return len(rows)


def record_file(actor: Actor, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Enter lines of the treasury for several batches: all lines or none; batch → how many.

    Args:
        rows: as `record_payments` takes them.

    Raises:
        Invalid: with every trouble of every line, in the order of the file.
    """
    with unit_of_work(actor):
        lots, wrong = treasury_lines.by_batch(rows, policy.where(actor, PAY, Batch))
        for no, lot in lots.items():
            try:
                record_payments(actor, no, lot)
            except Invalid as error:
                wrong += error.fields["rows"]
            except Conflict as error:
                places = "、".join(treasury_lines.place(one, lot) for one in lot)
                wrong.append(f"{places}（批次 {no}）：{error.message}")
        if wrong:
            raise Invalid({"rows": sorted(wrong, key=treasury_lines.position)})
        return {no: len(lot) for no, lot in lots.items()}


def _pay(
    work: UnitOfWork, batch: Batch, claim: Claim, one: Mapping[str, Any], at: datetime
) -> None:
    # Counted by the ledger: a payment that was taken back leaves its entry, and no row.
    before = select(LedgerEntry.id).where(
        LedgerEntry.subject_kind == "claim", LedgerEntry.subject_id == claim.id,
        LedgerEntry.kind == "pay",
    )  # fmt: skip
    times = len(db.session.scalars(before).all())
    db.session.add(
        Payment(
            claim_id=claim.id, batch_id=batch.id, region_id=batch.region_id,
            treasury_no=one["treasury_no"], paid_on=one["paid_on"], amount_fen=one["amount_fen"], at=at,
        )
    )  # fmt: skip
    shift(work, claim, "approved", "paid", "pay", f"pay:{times}")
    flow.fire(work, CLAIM, claim, "pay", values=moved(Claim), after={"no": one["treasury_no"]})


def _payment(claim: Claim) -> Payment:
    query = select(Payment).where(Payment.claim_id == claim.id, Payment.state == "paid")
    found = db.session.scalar(query)
    if found is None:
        raise Conflict("这份申请现在没有拨付记录。")
    return found


def bounce(actor: Actor, claim_no: str, reason: str) -> None:
    """The bank sent the money back (退票); it may be paid again."""
    with unit_of_work(actor) as work:
        claim = locked(Claim, actor, READ_CLAIM, claim_no)
        work.require(PAY, claim.batch)
        payment = _payment(claim)
        payment.state, payment.reason = "bounced", reason
        shift(work, claim, "paid", "approved", "bounce", f"bounce:{payment.id}")
        flow.fire(work, CLAIM, claim, "bounce", reason=reason, values=moved(Claim))
        if claim.batch is not None and claim.batch.state in {"closed", "sent"}:
            flow.fire(work, BATCH, claim.batch, "reopen", values=moved(Batch))


def recover(actor: Actor, claim_no: str, reason: str, bar_until: date | None = None) -> None:
    """The money came back from a firm that should not have had it (追回), and the firm is barred.

    Args:
        bar_until: last day of the bar; None: as many years as the scheme says, or no bar.
    """
    with unit_of_work(actor) as work:
        claim = locked(Claim, actor, READ_CLAIM, claim_no)
        work.require(SETTLE, claim.scheme)
        payment = _payment(claim)
        payment.state, payment.reason = "recovered", reason
        shift(work, claim, "paid", "recovered", "recover", "recover")
        flow.fire(work, CLAIM, claim, "recover", reason=reason, values=moved(Claim))
        years = sheet_of(claim.version).bar_years
        if bar_until is None and years:
            begins = today()
            last = 28 if (begins.month, begins.day) == (2, 29) else begins.day
            bar_until = begins.replace(year=begins.year + years, day=last)
        if bar_until is not None:
            _bar(work, claim.claimant_id, claim.scheme.region_id, bar_until, reason, claim.id)


def bar(actor: Actor, organisation_id: int, scheme_no: str, until: date, reason: str) -> int:
    """Stop an organisation from applying and claiming in the scheme's region (停止申领资格); its id."""
    with unit_of_work(actor) as work:
        scheme = locked(Scheme, actor, BAR, scheme_no)
        work.require(BAR, scheme)
        return _bar(work, organisation_id, scheme.region_id, until, reason, None)


def _bar(
    work: UnitOfWork, organisation_id: int, region_id: int, until: date, reason: str,
    claim_id: int | None,
) -> int:  # fmt: skip
    if not reason.strip() or until < today():
        raise Invalid({"reason": ["请写明原因和不早于今天的截止日期。"]})
    row = Bar(
        organisation_id=organisation_id, region_id=region_id, begins_on=today(), ends_on=until,
        reason=reason, claim_id=claim_id, by=work.actor.label, at=clock.now(),
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    after = {"until": until.isoformat(), "reason": reason}
    work.record("voucher_bar.set", "organisation", organisation_id, after=after)
    return row.id
