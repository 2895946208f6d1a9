"""Who plays in tests of voucher money, and the steps that many of them take."""

from __future__ import annotations

from sqlalchemy import select

from market.core import clock
from market.core.db import db
from market.notices import service as noticing
from market.notices import starting
from market.notices.models import Notice
from market.vouchers import ordering, paying, reviewing
from market.vouchers.ledger.posting import Pot
from market.vouchers.ledger.queries import balances
from market.vouchers.models import Scheme
from tests import people, vouchers
from tests.vouchers import YEAR, checked, submitted


class Cast:
    """A firm, a provider, the county's clerks and its finance officer."""

    def __init__(self, code=vouchers.COUNTY):
        self.firm = people.organisation("甲企业（演示）", code=code)
        self.provider = vouchers.provider(code=code)
        self.office = people.organisation("科技局（演示）", kind="office", code=code)
        self.owner = people.actor(("owner", self.firm), name="甲")
        self.seller = people.actor(("owner", self.provider), name="乙")
        self.clerk = people.actor(("county", self.office, code), name="丙")
        self.finance = people.actor(("finance", self.office, code), name="丁")


def pot(no):
    found = db.session.scalars(select(Scheme).where(Scheme.no == no)).one()
    return balances(Pot(found.id, YEAR, found.region_id))


def approved(cast, no, cost_fen, **more):
    claim = submitted(cast.owner, cast.firm, no, cost_fen, **more)
    checked(cast.clerk, claim)
    reviewing.review(cast.clerk, claim, "pass")
    return claim


def run_notice(cast, batch):
    """Start the notice of a batch, let it run, and conclude it."""
    notice = db.session.scalars(select(Notice).where(Notice.subject_no == batch)).one().no
    typed = {
        "days": 5, "unit": "natural", "rule": "civil_code", "contact_name": "丙",
        "contact_telephone": "028-1234567", "contact_address": "某路 1 号",
    }  # fmt: skip
    kept = db.session.scalars(select(Notice).where(Notice.no == notice)).one()
    whole = {"title": kept.title, "content": kept.content, "channels": [], "held": "here"}
    noticing.save(cast.clerk, notice, whole | typed)
    starting.start(cast.clerk, notice, provisional_ok=True)
    return notice


def batched(cast, no, claims):
    batch = paying.open_batch(cast.clerk, no, claims, "第一批", notice=False)
    today = clock.today()
    paying.decide(
        cast.clerk,
        batch,
        meeting_no="纪要〔1〕",
        meeting_on=today,
        fund_no="文〔1〕",
        fund_on=today,
    )
    return batch


def line(claim, number, fen):
    return {
        "claim_no": claim, "treasury_no": number, "paid_on": clock.today(), "amount_fen": fen,
    }  # fmt: skip


def ordered(cast, voucher=None, price=1_000_000, worth=300_000, **more):
    """An order that was delivered and accepted; its number."""
    no = ordering.place(cast.owner, cast.firm, {
        "voucher": voucher, "provider_id": cast.provider, "service": "test", "title": "检测",
        "price_fen": price, "voucher_fen": worth, **more,
    })  # fmt: skip
    for actor, step in ((cast.seller, "confirm"), (cast.seller, "deliver"), (cast.owner, "accept")):
        ordering.act(actor, no, step)
    return no


def paid(cast, no, claims, number="GK"):
    """Bring approved claims to the treasury; the number of their batch."""
    batch = batched(cast, no, claims)
    for one in claims:
        checked(cast.clerk, one)
    paying.countersign(cast.finance, batch)
    rows = [
        line(one, f"{number}{place}", vouchers.row(one).amount_fen)
        for place, one in enumerate(claims)
    ]
    paying.record_payments(cast.finance, batch, rows)
    return batch
