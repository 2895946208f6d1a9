"""Claiming (兑付) by firm or provider: writing, sending in, taking back; what a claim holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, select

from market.accounts.models import Organisation
from market.core import clock, masking, numbers, secrets
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.money import show_yuan
from market.core.permissions import Actor
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.vouchers import applying, caps, evidence, funds, ordering, top_ups
from market.vouchers import facts as known
from market.vouchers.checking import (
    contract_key,
    findings_of,
    invoice_key,
    refuse_used_invoices,
    wrong_invoices,
)
from market.vouchers.claim_models import BANK, CLAIM_KINDS, USED, Claim, Invoice
from market.vouchers.holding import activate, approve_money, hold, let_go, scope_of
from market.vouchers.knowing import (
    award_volume,
    barred_until,
    claims_before,
    firm_of,
    place_of,
    provider_used,
)
from market.vouchers.ledger.posting import Pot
from market.vouchers.ledger.queries import balances
from market.vouchers.locking import locked, moved, seen, today
from market.vouchers.models import Order, Scheme, Voucher
from market.vouchers.related import key_of, relations
from market.vouchers.rules import award, compute
from market.vouchers.schemes import live_version, sheet_of
from market.vouchers.sheet import Sheet, read, settled
from market.vouchers.workflow import (
    CLAIM,
    CLAIM_MONEY,
    READ_CLAIM,
    READ_ORDER,
    READ_VOUCHER,
    UNMASK,
    VIEW,
)

SERIES = "DF"
READING = "reading:"  # before the code of a passage, in what an office decided for a claim
AWARD = "award"  # the code of a provider's award, where a service has its own
CUT = ":cut"  # among what was decided: the share that is paid, in basis points
_PLAIN = ("contract_no", "service_from", "service_to")
PROMISE = (
    "承诺：所填内容和材料真实、完整；同一项支出没有用于其他财政补助；与服务机构没有未申报的关联关系；"
    "如有不实，退回资金并承担责任。"
)


def begin(actor: Actor, claimant_id: int, values: Mapping[str, Any]) -> str:
    """Begin a claim as a draft; returns its number.

    Args:
        claimant_id: the organisation that claims: the firm, or the provider of the order.
        values: of `typed.ClaimSchema`.

    Raises:
        Invalid: neither order nor scheme is named, or the wrong side claims.
    """
    with unit_of_work(actor) as work:
        claimant = db.session.get_one(Organisation, claimant_id)
        work.require(CLAIM_MONEY, claimant)
        order = seen(Order, actor, READ_ORDER, values["order"]) if values.get("order") else None
        voucher = order.voucher if order else None
        if order is None and values.get("voucher"):
            voucher = seen(Voucher, actor, READ_VOUCHER, values["voucher"])
        if order is not None or voucher is not None:
            source: Any = order or voucher
            scheme, version = source.scheme, source.version
        else:
            scheme = seen(Scheme, actor, VIEW, values.get("scheme") or "")
            version = live_version(scheme)
        firm = order.owner if order else claimant
        _refuse_side(sheet_of(version), claimant, firm, order, voucher)
        now, series = clock.now(), f"{SERIES}{clock.today().year}"
        row = Claim(
            no=f"{series}{numbers.take(series)[0]:06d}", scheme_id=scheme.id, version_id=version.id,
            organisation_id=firm.id, claimant_id=claimant.id,
            provider_id=order.provider_id if order else values.get("provider_id"),
            region_id=place_of(firm, scheme), order_id=order.id if order else None,
            voucher_id=voucher.id if voucher else None,
            year=voucher.year if voucher else today().year, items=[], evidence=[], facts={},
            decided={}, findings=[], asked_fen=1, demo=firm.demo, created_at=now, updated_at=now,
            entered_by_id=actor.person_id,
        )  # fmt: skip
        db.session.add(row)
        db.session.flush()
        _write(row, values)
        flow.begin(work, CLAIM, row)
        return row.no


def _refuse_side(
    sheet: Sheet, claimant: Organisation, firm: Organisation, order: Order | None,
    voucher: Voucher | None,
) -> None:  # fmt: skip
    if sheet.payer_model == "provider" and (order is None or claimant.id != order.provider_id):
        raise Invalid({"order": ["本办法由服务机构凭订单申请兑付。"]})
    if sheet.payer_model == "enterprise" and claimant.id != firm.id:
        raise Invalid({"order": ["本办法由企业申请兑付。"]})
    if voucher is not None and voucher.organisation_id != firm.id:
        raise Invalid({"voucher": ["这张券不是本单位的，创新券不得转让。"]})


def save(actor: Actor, no: str, values: Mapping[str, Any], version: int | None = None) -> None:
    """Write a draft, or what was returned for correction."""
    with unit_of_work(actor) as work:
        row = locked(Claim, actor, READ_CLAIM, no, version)
        work.require(CLAIM_MONEY, row)
        if row.state not in {"draft", "returned"} or row.kind == "award":
            raise Conflict("已经提交，不能再改；需要修改请先撤回。")
        _write(row, values)
        row.lock_version, row.updated_at = row.lock_version + 1, clock.now()
        work.record("voucher_claim.edit", "voucher_claim", row.id, no=no)


def _write(row: Claim, values: Mapping[str, Any]) -> None:
    row.items = [
        {**one, "exclusions": list(one.get("exclusions") or ())} for one in values["items"]
    ]
    row.evidence = sorted({*(values.get("evidence") or ()), *evidence.attached(row)})
    row.facts = dict(values.get("facts") or {})
    for name in _PLAIN:
        setattr(row, name, values.get(name))
    row.contract_key = contract_key(row.contract_no)
    if bank := values.get("bank"):
        keep_bank(row, bank)
    db.session.execute(delete(Invoice).where(Invoice.claim_id == row.id))
    for one in values.get("invoices") or ():
        code = one.get("code") or ""
        db.session.add(
            Invoice(
                claim_id=row.id, key=invoice_key(code, one["number"]), code=code,
                number=one["number"], day=one["day"], amount_fen=one["amount_fen"],
                currency=one.get("currency") or "CNY",
                own_result=one.get("own_result"), own_on=one.get("own_on"),
            )
        )  # fmt: skip
    db.session.flush()
    db.session.refresh(row, ["invoices"])
    # A draft is asked for what it will give: papers that are still to come take nothing from it.
    facts = replace(facts_of(row, related=False), evidence=None, invoices=None)
    outcome = compute(row.version.content, facts)
    bound = outcome.ceiling_fen if outcome.amount_fen is None else outcome.amount_fen
    row.outcome = known.as_json(outcome)
    if row.state == "returned":
        if (asked := values.get("asked_fen")) and asked != row.asked_fen:
            words = f"补正时不能改申请金额（{show_yuan(row.asked_fen)}）；要改请撤回后重新申请。"
            raise Invalid({"asked_fen": [words]})
        db.session.flush()
        return
    _refuse_above_voucher(row, values.get("asked_fen"))
    row.asked_fen = values.get("asked_fen") or bound or sum(one["cost_fen"] for one in row.items)
    if row.voucher is not None and row.order is not None:
        row.asked_fen = min(row.asked_fen, row.order.voucher_fen)
    db.session.flush()


def _refuse_above_voucher(row: Claim, asked_fen: int | None) -> None:
    """What is typed is never made less in silence: more than the voucher gives is told."""
    most = _voucher_left(row)
    if most is not None and asked_fen and asked_fen > most:
        words = f"券只够 {show_yuan(most)}，申请兑付的金额不能超过；不填就按算出的金额申请。"
        raise Invalid({"asked_fen": [words]})


def keep_bank(row: Claim, bank: Mapping[str, str]) -> None:
    """Where the money goes: sealed, with what stands for the account and what is shown of it."""
    row.bank = secrets.seal(json.dumps(bank, ensure_ascii=False), BANK)
    row.bank_key = key_of(bank["account"])
    row.bank_shown = f"{bank['bank']} {masking.mask_account(bank['account'])}"


def outcome_of(row: Claim, *, related: bool = True) -> known.Outcome:
    """What the rules give for a claim as it stands."""
    if row.kind == "award":
        return _award_of(row)
    return compute(read_as(row), facts_of(row, related=related))


def read_as(row: Claim) -> Sheet:
    """The sheet of a claim's version as it is read, where needed as the office chose for this claim."""
    sheet = read(row.version.content)
    readings = tuple(
        replace(one, chosen=one.chosen or row.decided.get(f"{READING}{one.code}"))
        for one in sheet.readings
    )
    return settled(replace(sheet, readings=readings))


def service_labels(row: Claim) -> dict[str, str]:
    """What the items of a claim are called, by code."""
    return {one.code: one.label for one in read_as(row).services} | {AWARD: CLAIM_KINDS[AWARD]}


def _award_of(row: Claim) -> known.Outcome:
    own = row.asked_fen if _counted(row) else 0
    counted = caps.used(scope_of(row), row.organisation_id, row.year).claimed_fen
    volume = sum(one["cost_fen"] for one in row.items)
    return award(read_as(row), volume, counted - own, row.decided.get(AWARD))


def facts_of(row: Claim, *, related: bool = True) -> known.Facts:
    """A claim as the rules ask for it. related: whether relations count, that an office judges."""
    sheet = sheet_of(row.version)
    day = clock.local(row.submitted_at).date() if row.submitted_at else today()
    scope, own = scope_of(row), row.asked_fen if _counted(row) else 0
    before, with_provider = claims_before(row)
    begun = row.order.created_at if row.order is not None else row.created_at
    linked = related and row.provider is not None
    holder = funds.holder_of(sheet, row)
    reserved = funds.held(holder) if holder is not None and holder != ("claim", row.id) else None
    if holder == ("claim", row.id) and _counted(row):
        reserved = funds.held(holder)
    pot, cut = Pot(row.scheme_id, row.year, row.scheme.region_id), row.decided.get(CUT)
    # Of several payers each has its pot, and a cut was made to what there is: the ledger refuses.
    # What is shared at the approval does not go to who asked first.
    shared = sheet.exhaustion == "pro_rata" and holder is None
    one_pot = not sheet.payers and cut is None and not shared
    return known.Facts(
        day=day, year=row.year,
        items=[
            known.Item(one["service"], one["cost_fen"], one.get("units"), frozenset(one["exclusions"]))
            for one in row.items
        ],
        firm=firm_of(row.firm, row.scheme, day, row.facts),
        invoices=[
            known.Invoice(one.number, one.day, one.amount_fen, one.code, one.currency,
                          "red" in (one.result, one.again) or "void" in (one.result, one.again))
            for one in row.invoices
        ],
        evidence=frozenset(row.evidence) | evidence.online(row),
        voucher_left_fen=_voucher_left(row), voucher_ends=row.voucher.ends_on if row.voucher else None,
        done_on=row.service_to, reserved_fen=reserved,
        budget_left_fen=balances(pot).get("available", 0) if one_pot else None,
        provider_used_year_fen=provider_used(row), cut_bp=cut,
        asked_fen=row.asked_fen if cut is not None else None,
        used_year_fen=caps.used(scope, row.organisation_id, row.year).claimed_fen - own,
        used_total_fen=caps.used(scope, row.organisation_id, caps.EVER).claimed_fen - own,
        decided=rates_of(row), claims_before=before, claims_with_provider_this_year=with_provider,
        relations=frozenset(relations(row.firm, row.provider, begun)) if linked and row.provider else frozenset(),
    )  # fmt: skip


def rates_of(row: Claim) -> dict[str, int]:
    """The rates that an office decided for a claim."""
    return {code: points for code, points in row.decided.items() if not code.startswith(READING)}


def _counted(row: Claim) -> bool:
    return row.submitted_at is not None and row.state not in {"draft", "withdrawn", "refused"}


def _voucher_left(row: Claim) -> int | None:
    if row.voucher is None:
        return None
    if row.order is not None:
        return row.order.voucher_fen
    return row.voucher.left_fen + (row.voucher_fen if _counted(row) else 0)


def submit(
    actor: Actor, no: str, version: int | None = None, *, promised: bool = False
) -> None:  # fmt: skip
    """Send a claim in: everything that can be refused now is, each in a sentence.

    Args:
        promised: whether who sends it gave the promise (承诺) on the page; it is kept in the timeline.

    Raises:
        Invalid: above voucher, cap or rules; wrong invoices; evidence missing.
        Conflict: an invoice is used elsewhere; voucher, cap or budget do not suffice any more.
    """
    with unit_of_work(actor) as work:
        row = locked(Claim, actor, READ_CLAIM, no, version)
        work.require(CLAIM_MONEY, row)
        send(work, row, "submit", promised=promised)


def send(work: UnitOfWork, row: Claim, action: str, *, promised: bool = False) -> None:
    """Refuse or send in a claim that is held, in a unit of work. action: of the table of states."""
    if row.voucher is not None:
        applying.refuse_ended(row.voucher)
    if row.order is not None:
        ordering.used_by_claim(row.order)
        _refuse_second(row)
    if row.kind == AWARD and sum(one["cost_fen"] for one in row.items) > award_volume(row):
        raise Conflict("这些服务额已经申请过奖励，请重新填写。")
    if row.bank is None:
        raise Invalid({"bank": ["请填写收款账户。"]})
    if barred_until(row.claimant_id, row.scheme.region.path_ids, today()):
        raise Invalid({"claim": ["已停止申领资格，不能申请兑付。"]})
    if wrong := wrong_invoices(row):
        raise Invalid({"invoices": wrong})
    refuse_used_invoices(row)
    if promised:
        row.evidence = sorted({*row.evidence, "promise"})
    again = row.state == "returned"  # what it holds it kept; it may not ask for more
    _refuse(row, outcome_of(row, related=False), again)
    outcome = known.as_json(top_ups.told(row, outcome_of(row)))
    if not again:
        hold(work, row, today())
    values = moved(
        Claim, submitted_at=row.submitted_at or clock.now(), level=0, outcome=outcome,
        findings=findings_of(row), voucher_fen=row.voucher_fen,
    )  # fmt: skip
    activate(row.invoices)
    flow.fire(work, CLAIM, row, action, values=values, after={"fen": row.asked_fen},
              note=PROMISE if promised else None)  # fmt: skip
    if action == "submit" and not sheet_of(row.version).review_chain:
        pass_unreviewed(work, row)  # what an office entered a colleague looks at all the same


def _refuse(row: Claim, outcome: known.Outcome, again: bool) -> None:
    if not outcome.eligible:
        raise Invalid({"claim": [one.words for one in outcome.reasons if one.weight == "refuse"]})
    bound = outcome.ceiling_fen if outcome.amount_fen is None else outcome.amount_fen
    if bound is not None and row.asked_fen > bound and not again:
        raise Invalid({"asked": [f"按办法最多可兑付 {show_yuan(bound)}，见计算明细。"]})
    if bound == 0:
        raise Invalid({"asked": ["按办法没有可兑付的金额，见计算明细。"]})


def _refuse_second(row: Claim) -> None:
    """An order is claimed once, unless the claim before it was refused or taken back."""
    others = select(Claim.no).where(
        Claim.order_id == row.order_id, Claim.id != row.id, Claim.state.in_(USED)
    )
    if other := db.session.scalar(others.limit(1)):
        raise Conflict(f"订单 {row.order.no if row.order else ''} 已由 {other} 申请兑付。")


def pass_unreviewed(work: UnitOfWork, row: Claim) -> None:
    """Approve a claim of a scheme without review levels, where the amount is exact."""
    outcome = outcome_of(row)
    if not outcome.eligible or outcome.amount_fen is None:
        return  # an office decides what the sheet leaves open
    fen = min(outcome.amount_fen, row.asked_fen)
    flow.fire(
        work, CLAIM, row, "auto", values=approved(work, row, outcome, fen), after={"fen": fen}
    )


def approved(work: UnitOfWork, row: Claim, outcome: known.Outcome, fen: int) -> dict[str, Any]:
    """Bring a claim's money to what is approved; the columns that change with it."""
    added = approve_money(work, row, fen)
    whole = replace(outcome, trace=[*outcome.trace, *top_ups.lines(added)])
    return moved(
        Claim, amount_fen=fen, top_up_fen=top_ups.total(added), outcome=known.as_json(whole)
    )


def withdraw(actor: Actor, no: str, version: int | None = None) -> None:
    """Take a claim back before it is approved."""
    with unit_of_work(actor) as work:
        row = locked(Claim, actor, READ_CLAIM, no, version)
        if row.state in {"submitted", "returned"}:
            let_go(work, row, "withdraw")
        flow.fire(work, CLAIM, row, "withdraw", values=moved(Claim))


def bank_of(actor: Actor, no: str, reason: str) -> dict[str, str]:
    """The account in full, with the reason in the audit."""
    if not reason.strip():
        raise Invalid({"reason": ["请写明查看的理由。"]})
    with unit_of_work(actor) as work:
        row = db.session.scalars(select(Claim).where(Claim.no == no)).one_or_none()
        work.require(UNMASK, row)
        if row is None or row.bank is None:
            raise Invalid({"claim": ["没有填写收款账户。"]})
        work.record(
            "voucher_claim.unmask", "voucher_claim", row.id, no=no, after={"reason": reason}
        )
        found: dict[str, str] = json.loads(secrets.unseal(row.bank, BANK) or "{}")
        return found
