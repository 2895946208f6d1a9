"""Reviewing claims by the chain of levels, with reasons by field; nobody reviews what he entered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import select

from market.core import clock
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid
from market.core.money import show_yuan
from market.core.permissions import Actor
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.vouchers.claim_models import CHECK_RESULTS, DECISIONS, Claim, Invoice, Review
from market.vouchers.claiming import AWARD, CUT, READING, approved, outcome_of, read_as
from market.vouchers.closing import end_if_done
from market.vouchers.eligible import show_bp
from market.vouchers.facts import as_json
from market.vouchers.holding import let_go, unapprove_money
from market.vouchers.knowing import refuse_barred
from market.vouchers.locking import locked, moved, today
from market.vouchers.schemes import sheet_of
from market.vouchers.sheet import Step, read
from market.vouchers.workflow import CHECK, CLAIM, READ_CLAIM, REVIEW

_ROLES = {"township": "county"}  # a township's step is done by its county's office
UNDECIDED = ("submitted", "returned")  # also what nobody sends in again can be refused
APPROVED = ("reviewed", "notice", "payable", "batched", "bounced")


def chain_of(claim: Claim) -> Sequence[Step]:
    """The levels that review a claim; empty: none."""
    return sheet_of(claim.version).review_chain or ()


def review(
    actor: Actor, no: str, decision: str, reasons: Mapping[str, str] | None = None,
    version: int | None = None,
) -> None:  # fmt: skip
    """Pass a claim at the present level, return it once with everything, or refuse it.

    What was returned and is not sent in again is refused too: what it holds is free then.

    Args:
        decision: of `DECISIONS`. reasons: field → what is wrong there; needed unless it passes.

    Raises:
        Denied: another level, or another person, has to review it.
        Conflict: the amount is open, or it was returned once already.
    """
    reasons = {name: words.strip() for name, words in (reasons or {}).items() if words.strip()}
    if decision not in DECISIONS:
        raise Invalid({"decision": ["请选择通过、退回补正或不通过。"]})
    if decision != "pass" and not reasons:
        raise Invalid({"reasons": ["请逐项写明原因，申请人会看到。"]})
    with unit_of_work(actor) as work:
        row = locked(Claim, actor, READ_CLAIM, no, version)
        refused = decision == "refuse"
        if refused and row.state not in UNDECIDED:
            refuse_approved(work, row, "；".join(reasons.values()))
            return
        if row.state != "submitted" and not refused:
            raise Conflict("这份申请现在不在审核中，请刷新后再看。")
        work.require(REVIEW, row)
        _refuse_own(actor, row)
        db.session.add(
            Review(
                claim_id=row.id, round=row.round, level=row.level, decision=decision,
                reasons=dict(reasons), person_id=actor.person_id,
                by=actor.label, at=clock.now(),
            )
        )  # fmt: skip
        words = "；".join(reasons.values())[:1000]
        if decision == "return":
            if row.round:
                raise Conflict("已经一次性告知过，不能再次退回补正；请通过或不通过。")
            values = moved(Claim, round=row.round + 1, level=0)
            flow.fire(work, CLAIM, row, "return", reason=words, values=values)
        elif refused:
            let_go(work, row, "refuse")
            flow.fire(work, CLAIM, row, "refuse", reason=words, values=moved(Claim))
        else:
            _pass(work, row)


def hindrance(actor: Actor, row: Claim) -> str:
    """Why this person may not review a claim at its present level, in a sentence; empty: he may.

    Nobody reviews what he entered, what his organisation claims, or two levels of one claim;
    what a program does, the person does who made its token.
    """
    own = actor.organisations("owner", "editor", "certifier", "viewer")
    person_id = actor.person_id
    entered = person_id is not None and person_id == row.entered_by_id
    if entered or {row.organisation_id, row.claimant_id, row.provider_id} & set(own):
        return "不能审核自己录入的、本单位的或由本单位提供服务的申请，请由另一位同事办理。"
    before = select(Review.id).where(
        Review.claim_id == row.id, Review.round == row.round, Review.decision == "pass",
        Review.person_id == person_id,
    )  # fmt: skip
    if person_id is not None and db.session.scalar(before.limit(1)) is not None:
        return "上一级审核是您办的，请由另一位同事办理。"
    chain = chain_of(row)
    if chain:
        level = chain[min(row.level, len(chain) - 1)].level
        if actor.kind != "system" and not actor.has(_ROLES.get(level, level)):
            return "现在不是您这一级审核。"
    return ""


def _refuse_own(actor: Actor, row: Claim) -> None:
    if words := hindrance(actor, row):
        raise Denied(words)


def _pass(work: UnitOfWork, row: Claim) -> None:
    chain = chain_of(row)
    if row.level + 1 < len(chain):
        flow.fire(work, CLAIM, row, "review", values=moved(Claim, level=row.level + 1))
        return
    refuse_barred(row.scheme, (row.firm, row.owner), today())
    _refuse_unchecked(row)
    outcome = outcome_of(row)
    if not outcome.eligible:
        words = "".join(one.words for one in outcome.reasons if one.weight == "refuse")
        raise Conflict(f"按办法不能通过：{words}")
    if outcome.amount_fen is None:
        most = f"最高 {show_yuan(outcome.ceiling_fen)}" if outcome.ceiling_fen else "待定"
        raise Conflict(f"金额还没有确定（{most}）：请先审定比例或选定读法。")
    fen = min(outcome.amount_fen, row.asked_fen)
    if fen <= 0:
        raise Conflict("按办法没有可兑付的金额，请不通过并写明原因。")
    values = approved(work, row, outcome, fen) | {"level": row.level + 1}
    flow.fire(work, CLAIM, row, "approve", values=values, after={"fen": fen})


def _refuse_unchecked(row: Claim) -> None:
    wrong = [one.number for one in row.invoices if one.result != "valid"]
    if wrong:
        raise Conflict(f"发票 {'、'.join(wrong)} 还没有查验结果或查验不正常，请先查验。")


def refuse_approved(work: UnitOfWork, row: Claim, reason: str) -> None:
    """Refuse a claim after its approval: an objection, a red-lettered invoice. Money goes back."""
    if row.state not in APPROVED:
        raise Conflict("现在的状态不能不通过，请刷新后再看。")
    work.require(REVIEW, row.scheme)
    unapprove_money(work, row)
    batch_id, values = row.batch_id, moved(Claim, batch_id=None)
    flow.fire(work, CLAIM, row, "refuse", reason=reason, values=values)
    end_if_done(work, batch_id)


def decide_rates(
    actor: Actor, no: str, rates: Mapping[str, int], version: int | None = None,
    readings: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Decide for a claim what the sheet leaves "up to", and how it is read where it can be read twice.

    Args:
        rates: code of the service (`testing`, `testing:2` for a band; `award`) → basis points.
        readings: code of the passage → code of the option; None: as they were.

    Raises:
        Invalid: above the sheet's "up to", or a passage or option that it does not have.
    """
    with unit_of_work(actor) as work:
        row = locked(Claim, actor, READ_CLAIM, no, version)
        work.require(REVIEW, row)
        if row.state != "submitted":
            raise Conflict("只有审核中的申请可以审定比例。")
        _refuse_own(actor, row)
        kept = {key: value for key, value in row.decided.items() if key.startswith(READING)}
        chosen = kept if readings is None else {READING + key: one for key, one in readings.items()}
        _refuse_decision(row, rates, readings or {})
        share = {CUT: row.decided[CUT]} if CUT in row.decided else {}
        if share and {**rates, **chosen, **share} != row.decided:
            raise Conflict("已经按比例核减，比例和读法不能再改。")
        row.decided = {**rates, **chosen, **share}
        db.session.flush()
        row.outcome = as_json(outcome_of(row))
        row.lock_version, row.updated_at = row.lock_version + 1, clock.now()
        work.record("voucher_claim.rates", "voucher_claim", row.id, no=no, after=dict(row.decided))


def _refuse_decision(row: Claim, rates: Mapping[str, int], readings: Mapping[str, str]) -> None:
    known = {
        one.code: {option.code for option in one.options} if one.chosen is None else set()
        for one in read(row.version.content).readings
    }
    if any(code not in known.get(question, ()) for question, code in readings.items()):
        raise Invalid({"readings": ["办法里没有这种读法，或已经由办法选定。"]})
    highest = open_rates(row)
    wrong = {
        f"rate_{code}": [f"办法写的是最高 {show_bp(highest[code])}。"]
        for code, points in rates.items()
        if code in highest and not 0 <= points <= highest[code]
    }
    if unknown := set(rates) - set(highest):
        wrong["rates"] = [f"办法里没有待定的比例 {'、'.join(sorted(unknown))}。"]
    if wrong:
        raise Invalid(wrong)


def open_rates(row: Claim) -> dict[str, int]:
    """Code of a service of the claim, or of its band → the highest rate, where the sheet says "up to".

    A provider's award has the code `AWARD`.
    """
    if row.kind == "award":
        terms = read_as(row).award
        most = terms.rate_max_bp if terms is not None and terms.rate_bp is None else None
        return {} if most is None else {AWARD: most}
    bought = {one["service"] for one in row.items}
    found: dict[str, int] = {}
    for one in read_as(row).services:
        if one.code not in bought:
            continue
        rows = [(one.code, one.rate_bp, one.rate_max_bp)]
        if one.bands:
            rows = [
                (f"{one.code}:{n}", band.rate_bp, band.rate_max_bp)
                for n, band in enumerate(one.bands, start=1)
            ]
        found |= {code: most for code, exact, most in rows if exact is None and most is not None}
    return found


def check_invoice(actor: Actor, no: str, number: str, result: str, on: date) -> None:
    """Type the result of checking an invoice; after approval it is the second check.

    Args:
        result: of `CHECK_RESULTS`; on: the day of the check.
    """
    if result not in CHECK_RESULTS:
        raise Invalid({"result": ["请选择查验结果。"]})
    if on > today():
        raise Invalid({"on": ["查验日期不能晚于今天。"]})
    with unit_of_work(actor) as work:
        row = locked(Claim, actor, READ_CLAIM, no)
        work.require(CHECK, row)
        found = next((one for one in row.invoices if one.number == number), None)
        if found is None:
            raise Invalid({"number": ["这份申请没有这张发票。"]})
        if on < found.day:
            raise Invalid({"on": [f"查验日期不能早于开票日期 {found.day.isoformat()}。"]})
        _note(found, result, on, second=row.state in APPROVED)
        row.lock_version, row.updated_at = row.lock_version + 1, clock.now()
        after = {"invoice": number, "result": result, "on": on.isoformat()}
        work.record("voucher_claim.invoice", "voucher_claim", row.id, no=no, after=after)


def _note(found: Invoice, result: str, on: date, *, second: bool) -> None:
    if second:
        found.again, found.again_on = result, on
    else:
        found.result, found.checked_on = result, on
