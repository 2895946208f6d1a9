"""Many hands on voucher money at once: threads of processes that do whatever comes, and tell it.

A process is forked from one that has the application ready, so that it starts at once. What was
acknowledged is written to a pipe: kind, number of the case, action, one a line.
"""

from __future__ import annotations

import collections
import itertools
import json
import os
import random
import threading
import traceback
from datetime import timedelta

from sqlalchemy import func, select

from market.core import clock
from market.core.db import db
from market.core.errors import Busy, MarketError
from market.core.permissions import SYSTEM
from market.vouchers import applying, claiming, jobs, ordering, paying, reviewing
from market.vouchers.claim_models import Claim
from market.vouchers.models import Application, Order, Voucher
from tests import people, vouchers

KINDS = {"application": Application, "voucher_order": Order, "voucher_claim": Claim}
FACE, FIRMS = 10_000, 8
FULL = 5_000  # acts
# Budgets in fen, of so many acts, of the schemes that reserve when a voucher is issued, at the
# order, at the claim.
BUDGETS = {"issue": 700_000, "order": 250_000, "claim": 250_000}
MIX = {
    "apply": 14, "grant": 15, "place": 16, "step": 24, "claim": 18, "approve": 11, "pay": 4,
    "withdraw": 2, "expire": 1,
}  # fmt: skip


class Cast:
    """Three schemes, eight firms, a provider, clerks and a finance officer.

    Args:
        acts: how many are to come; the budgets are cut to them.
    """

    def __init__(self, acts=FULL):
        self.budgets = {at: fen * acts // FULL // FACE * FACE for at, fen in BUDGETS.items()}
        code = vouchers.COUNTY
        big = {"cap_claim_fen": "1000", "cap_year_fen": None, "cap_held_fen": None}
        self.schemes = {
            at: vouchers.scheme(
                budget_fen=fen, reserve_at=at, related_tests=[], **big,
                **({"validity_length": 1, "validity_unit": "day", "validity_starts": "issue"}
                   if at == "issue" else {}),
            )
            for at, fen in self.budgets.items()
        }  # fmt: skip
        self.firms = [people.organisation(f"企业{one}（演示）") for one in range(FIRMS)]
        self.owners = [people.actor(("owner", one)) for one in self.firms]
        self.provider = vouchers.provider()
        self.seller = people.actor(("owner", self.provider))
        office = people.organisation("科技局（演示）", kind="office")
        self.clerk = people.actor(("county", office, code))
        self.finance = people.actor(("finance", office, code))
        # More is asked for than there is before the race begins.
        for number in range(self.budgets["issue"] * 2 // FACE):
            applying.apply(SYSTEM, self.schemes["issue"], self.firms[number % FIRMS], FACE, {})
        db.session.rollback()


class Hand:
    """One thread: does acts of the mix until its number is reached."""

    def __init__(self, cast, seed, told):
        self.cast, self.chance, self.told = cast, random.Random(seed), told
        self.serial = (f"{seed:08d}{one:012d}" for one in itertools.count(1))
        self.counts = collections.Counter()
        self.wrong: list[str] = []

    def run(self, count):
        names, weights = list(MIX), list(MIX.values())
        for _ in range(count):
            name = self.chance.choices(names, weights)[0]
            try:
                getattr(self, name)()
                self.counts["done"] += 1
            except Busy:
                self.counts["busy"] += 1
            except MarketError as error:
                self.counts["refused"] += 1
                self.counts["short"] += "不足" in error.message
            except Exception:
                self.wrong.append(traceback.format_exc()[-3000:])
            finally:
                db.session.remove()

    def _tell(self, kind, no, action):
        self.told(f"{kind} {no} {action}\n")

    def _some(self, model, *states):
        """A number of a case in one of these states, and its organisation; picked by chance."""
        rows = select(model.no, model.organisation_id).order_by(func.random()).limit(1)
        if states:
            rows = rows.where(model.state.in_(states))
        found = db.session.execute(rows).first()
        db.session.rollback()
        if found is None:
            raise MarketError("nothing there yet")
        return found

    def _owner(self, firm):
        return self.cast.owners[self.cast.firms.index(firm)]

    def apply(self):
        which = self.chance.randrange(FIRMS)
        self.counts["asked issue"] += FACE
        no = applying.apply(
            self.cast.owners[which], self.cast.schemes["issue"], self.cast.firms[which], FACE, {}
        )
        self._tell("application", no, "begin")

    def grant(self):
        no, _ = self._some(Application, "submitted")
        applying.grant(self.cast.clerk, no)
        self._tell("application", no, "grant")

    def place(self):
        values = {
            "provider_id": self.cast.provider, "service": "test", "title": "检测",
            "price_fen": FACE, "voucher_fen": FACE * 3 // 10,
        }  # fmt: skip
        if self.chance.random() < 0.5:
            voucher, firm = self._some(Voucher, "issued", "used")
            values["voucher"] = voucher
        else:
            firm = self.chance.choice(self.cast.firms)
            values["scheme"] = self.cast.schemes["order"]
            self.counts["asked order"] += values["voucher_fen"]
        no = ordering.place(self._owner(firm), firm, values)
        self._tell("voucher_order", no, "begin")

    def step(self):
        state, action = self.chance.choice(
            [("placed", "confirm"), ("confirmed", "deliver"), ("delivered", "accept")]
        )
        no, firm = self._some(Order, state)
        ordering.act(self._owner(firm) if action == "accept" else self.cast.seller, no, action)
        self._tell("voucher_order", no, action)

    def claim(self):
        values = {
            "scheme": self.cast.schemes["claim"],
            "items": [{"service": "test", "cost_fen": FACE}],
            "invoices": [{"number": next(self.serial), "day": clock.today(), "amount_fen": FACE}],
            "bank": {"holder": "甲", "bank": "某银行", "account": "6222000012345678"},
        }  # fmt: skip
        if self.chance.random() < 0.5:
            values["order"], firm = self._some(Order, "accepted")
        else:
            firm = self.chance.choice(self.cast.firms)
            self.counts["asked claim"] += FACE * 3 // 10
        no = claiming.begin(self._owner(firm), firm, values)
        claiming.submit(self._owner(firm), no)
        self._tell("voucher_claim", no, "submit")

    def _checked(self, no):
        numbers = [one.number for one in vouchers.row(no).invoices]
        for one in numbers:
            reviewing.check_invoice(self.cast.clerk, no, one, "valid", clock.today())

    def approve(self):
        no, _ = self._some(Claim, "submitted")
        self._checked(no)
        reviewing.review(self.cast.clerk, no, "pass")
        self._tell("voucher_claim", no, "approve")

    def pay(self):
        first, _ = self._some(Claim, "reviewed", "batched")
        scheme = vouchers.row(first).scheme.no
        day = clock.today()
        batch = paying.open_batch(self.cast.clerk, scheme, [first], "一批", notice=False)
        paying.decide(self.cast.clerk, batch, meeting_no="纪要", meeting_on=day, fund_no="文",
                      fund_on=day)  # fmt: skip
        self._checked(first)
        paying.countersign(self.cast.finance, batch)
        fen = vouchers.row(first).amount_fen
        rows = [
            {"claim_no": first, "treasury_no": next(self.serial), "paid_on": day, "amount_fen": fen}
        ]
        paying.record_payments(self.cast.finance, batch, rows)
        self._tell("voucher_claim", first, "pay")

    def withdraw(self):
        no, firm = self._some(Claim, "submitted")
        claiming.withdraw(self._owner(firm), no)
        self._tell("voucher_claim", no, "withdraw")

    def expire(self):
        if self.chance.random() < 0.3:
            jobs.expire(clock.today() + timedelta(days=2))
        else:
            self.apply()


def fork(app, cast, seed, threads, count):
    """A process with so many threads that each do so many acts: its id, and where it tells them.

    The caller has let go of the database: a connection does not outlive a fork. The last line of
    what is told is the sum, as JSON; it is missing when the process was killed.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, os.fdopen(reading)
    os.close(reading)
    try:
        _work(app, cast, seed, threads, count, lambda line: os.write(writing, line.encode()))
    except BaseException:
        os.write(writing, json.dumps({"wrong": [traceback.format_exc()[-3000:]]}).encode())
    finally:
        os._exit(0)


def _work(app, cast, seed, threads, count, told):
    hands = [Hand(cast, seed * 100 + one, told) for one in range(threads)]

    def run(hand):
        with app.app_context():
            hand.run(count)
            db.session.remove()

    started = [threading.Thread(target=run, args=(one,)) for one in hands]
    for one in started:
        one.start()
    for one in started:
        one.join()
    total = sum((one.counts for one in hands), collections.Counter())
    told(json.dumps({**total, "wrong": [words for one in hands for words in one.wrong]}) + "\n")
