"""What providers are awarded beside the price (服务机构奖励): reviewed and paid as claims are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from market.accounts.models import Organisation
from market.core import clock, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.permissions import Actor
from market.core.unit_of_work import UnitOfWork, unit_of_work
from market.vouchers import caps, claiming
from market.vouchers.claim_models import Claim
from market.vouchers.claiming import AWARD, SERIES, keep_bank, outcome_of
from market.vouchers.facts import Outcome, as_json
from market.vouchers.knowing import award_volume, awarded_volume, place_of
from market.vouchers.locking import locked, seen
from market.vouchers.models import Scheme
from market.vouchers.rules import award
from market.vouchers.schemes import live_version, sheet_of
from market.vouchers.sheet import Award
from market.vouchers.workflow import CLAIM, CLAIM_MONEY, OPEN_AWARD, VIEW


@dataclass(frozen=True)
class Standing:
    """A provider in a year of a scheme: what it was paid for and nobody asked an award for yet."""

    provider: Organisation
    volume_fen: int
    outcome: Outcome
    claims: Sequence[Claim]
    bank_shown: str | None

    @property
    def most_fen(self) -> int:
        """What it may be awarded for that, at most."""
        return self.outcome.ceiling_fen or self.outcome.amount_fen or 0


def terms_of(scheme: Scheme) -> Award | None:
    """What a scheme in force says of awards; None: nothing."""
    return sheet_of(live_version(scheme)).award if scheme.state == "live" else None


def standings(scheme: Scheme, year: int) -> list[Standing]:
    """Providers with paid services or awards in a year, by name; none where nothing is awarded.

    Who may read the scheme's books may read this: the caller asks.
    """
    if terms_of(scheme) is None:
        return []
    sheet = sheet_of(live_version(scheme))
    same = (Claim.scheme_id == scheme.id, Claim.year == year)
    sold = select(Claim.provider_id).where(*same, Claim.kind == "claim", Claim.state == "paid")
    asked = select(Claim.claimant_id).where(*same, Claim.kind == AWARD)
    query = select(Organisation).where(Organisation.id.in_(sold.union(asked)))
    found = []
    for one in db.session.scalars(query.order_by(Organisation.name, Organisation.id)):
        volume = awarded_volume(scheme.id, one.id, year)
        used = caps.used(caps.scope_of(sheet, scheme, award=True), one.id, year).claimed_fen
        claims = select(Claim).where(*same, Claim.kind == AWARD, Claim.claimant_id == one.id,
                                     Claim.state != "draft")  # fmt: skip
        rows = db.session.scalars(claims.order_by(Claim.id)).all()
        bank = _bank_before(one.id)
        found.append(
            Standing(
                one, volume, award(sheet, volume, used), rows, bank.bank_shown if bank else None
            )
        )
    return found


def begin(
    actor: Actor, provider_id: int, scheme_no: str, year: int, bank: Mapping[str, str]
) -> str:
    """Begin a claim for the award of a year as a draft; returns its number.

    Its volume is what was paid of the provider's services so far, but what it asked for before.
    It is sent in, reviewed, put on notice and paid like every claim.

    Args:
        bank: of `typed.BankSchema`.

    Raises:
        Conflict: the scheme awards nothing, or there is nothing to award for.
    """
    with unit_of_work(actor) as work:
        provider = db.session.get_one(Organisation, provider_id)
        work.require(CLAIM_MONEY, provider)
        row = _draft(work, provider, seen(Scheme, actor, VIEW, scheme_no), year)
        keep_bank(row, bank)
        flow.begin(work, CLAIM, row)
        return row.no


def open_for(
    actor: Actor, scheme_no: str, provider_no: str, year: int, bank: Mapping[str, str] | None
) -> str:
    """Enter the award of a year for a provider, by the office; it waits for a colleague's review.

    Args:
        bank: of `typed.BankSchema`; None: the account of the provider's last claim.

    Raises:
        Conflict: the scheme awards nothing, or there is nothing to award for.
        Invalid: no account is known; no such provider.
    """
    with unit_of_work(actor) as work:
        scheme = locked(Scheme, actor, OPEN_AWARD, scheme_no)
        work.require(OPEN_AWARD, scheme)
        provider = db.session.scalar(select(Organisation).where(Organisation.no == provider_no))
        if provider is None:
            raise Invalid({"provider": ["没有这个服务机构。"]})
        row = _draft(work, provider, scheme, year)
        if bank is not None:
            keep_bank(row, bank)
        elif (before := _bank_before(provider.id)) is not None:
            row.bank, row.bank_key = before.bank, before.bank_key
            row.bank_shown = before.bank_shown
        else:
            raise Invalid({"account": ["请填写服务机构的收款账户。"]})
        flow.begin(work, CLAIM, row)
        claiming.send(work, row, "enter")
        return row.no


def _bank_before(provider_id: int) -> Claim | None:
    """The provider's last claim with an account that the money did not come back from."""
    query = select(Claim).where(
        Claim.claimant_id == provider_id,
        Claim.bank.is_not(None),
        Claim.submitted_at.is_not(None),
        Claim.state != "bounced",
    )
    return db.session.scalar(query.order_by(Claim.id.desc()).limit(1))


def _draft(work: UnitOfWork, provider: Organisation, scheme: Scheme, year: int) -> Claim:
    version = live_version(scheme)
    if sheet_of(version).award is None:
        raise Conflict("本办法没有规定服务机构奖励。")
    now, series = clock.now(), f"{SERIES}{clock.today().year}"
    row = Claim(
        no=f"{series}{numbers.take(series)[0]:06d}", scheme_id=scheme.id, scheme=scheme,
        version_id=version.id, version=version, organisation_id=provider.id,
        claimant_id=provider.id, kind=AWARD, region_id=place_of(provider, scheme), year=year,
        items=[], evidence=[], facts={}, decided={}, findings=[], asked_fen=1,
        demo=provider.demo, created_at=now, updated_at=now,
        entered_by_id=work.actor.person_id,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    if not (volume := award_volume(row)):
        raise Conflict(f"{year} 年没有可申请奖励的已拨付服务。")
    row.items = [{"service": AWARD, "cost_fen": volume, "exclusions": []}]
    outcome = outcome_of(row)
    row.asked_fen = outcome.ceiling_fen or outcome.amount_fen or 0
    if not row.asked_fen:
        raise Invalid({"year": ["按办法没有可奖励的金额（比例待定，或已到年度上限）。"]})
    row.outcome = as_json(outcome)
    return row
