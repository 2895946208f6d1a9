"""Voucher money for tests: a scheme in force, a firm and a provider, claims on their way."""

from __future__ import annotations

import itertools
from datetime import timedelta

from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.service_points.models import Admission
from market.vouchers import claiming, reviewing, schemes
from market.vouchers.content import load
from tests import people

YEAR = clock.today().year
COUNTY = "511402"
_serial = itertools.count(1)


def scheme(budget_fen=10_000_000, region=COUNTY, **more):
    """A scheme in force with a budget; returns its number."""
    typed = {
        "title": "示范县创新券（演示）",
        "owner_region": region,
        "services": [{"code": "test", "label": "检测", "rate_bp": "30"}],
        "cap_claim_fen": "20000", "cap_year_fen": "100000", "cap_held_fen": "50000",
        "reserve_at": "claim", "payer_model": "enterprise", "claims_without_voucher": True,
        "evidence": [], "review_chain": [{"level": "county"}],
        "related_tests": ["legal_person"],
    }  # fmt: skip
    content = load({key: value for key, value in (typed | more).items() if value is not None})
    no = schemes.create(SYSTEM, region, content)
    schemes.publish(SYSTEM, no)
    schemes.set_budget(SYSTEM, no, YEAR, budget_fen, key="first")
    return no


def provider(name="检测所（演示）", code=COUNTY, **more):
    """An organisation of the directory that provides services; its id."""
    found = people.organisation(name, kind="institution", code=code, **more)
    number, now = next(_serial), clock.now()
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.add(
            Admission(
                no=f"MLT{number:06d}", kind="voucher_provider", organisation_id=found,
                region_id=people.region(code).id, valid_from=clock.today() - timedelta(days=9),
                source="名录（演示）", folded=name, created_at=now, updated_at=now,
            )
        )  # fmt: skip
    return found


def values(no, cost_fen, number=None, **more):
    """What a firm types of a claim, as its schema loads it."""
    return {
        "scheme": no,
        "items": [{"service": "test", "cost_fen": cost_fen}],
        "invoices": [{
            "number": number or f"{next(_serial):020d}", "day": clock.today(),
            "amount_fen": cost_fen,
        }],
        "bank": {"holder": "甲", "bank": "某银行", "account": f"62220000{next(_serial):08d}"},
    } | more  # fmt: skip


def submitted(actor, firm, no, cost_fen, **more):
    """A claim that was sent in; its number."""
    claim = claiming.begin(actor, firm, values(no, cost_fen, **more))
    claiming.submit(actor, claim)
    return claim


def row(no):
    """The claim as it stands."""
    db.session.rollback()
    return db.session.query(claiming.Claim).filter_by(no=no).one()


def checked(actor, no, result="valid"):
    """Type the result of checking each invoice."""
    for one in row(no).invoices:
        reviewing.check_invoice(actor, no, one.number, result, clock.today())
