"""What providers are awarded beside the price (服务机构奖励): reviewed and paid as claims are."""

from __future__ import annotations

from collections.abc import Mapping

from market.accounts.models import Organisation
from market.core import clock, numbers
from market.core import workflow as flow
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.permissions import Actor
from market.core.unit_of_work import unit_of_work
from market.vouchers.claim_models import Claim
from market.vouchers.claiming import AWARD, SERIES, keep_bank, outcome_of
from market.vouchers.facts import as_json
from market.vouchers.knowing import award_volume, place_of
from market.vouchers.locking import seen
from market.vouchers.models import Scheme
from market.vouchers.schemes import live_version, sheet_of
from market.vouchers.workflow import CLAIM, CLAIM_MONEY, VIEW


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
        scheme = seen(Scheme, actor, VIEW, scheme_no)
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
            entered_by_id=actor.id if actor.kind == "person" else None,
        )  # fmt: skip
        db.session.add(row)
        db.session.flush()
        if not (volume := award_volume(row)):
            raise Conflict(f"{year} 年没有可申请奖励的已拨付服务。")
        row.items = [{"service": AWARD, "cost_fen": volume, "exclusions": []}]
        keep_bank(row, bank)
        outcome = outcome_of(row)
        row.asked_fen = outcome.ceiling_fen or outcome.amount_fen or 0
        if not row.asked_fen:
            raise Invalid({"year": ["按办法没有可奖励的金额（比例待定，或已到年度上限）。"]})
        row.outcome = as_json(outcome)
        flow.begin(work, CLAIM, row)
        return row.no
