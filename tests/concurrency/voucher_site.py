"""Firms, a provider and an office at work with vouchers on a running site, by requests of the API."""

from __future__ import annotations

import collections
import http.client
import itertools
import json
import threading
import time
from datetime import timedelta

from sqlalchemy import func, select, update

from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.vouchers import applying, schemes
from market.vouchers.models import Voucher
from market.vouchers.workflow import PROVE
from tests import people, vouchers
from tests.web.test_desk import token_for

FACE = 10_000
OWN = ["vouchers:application", "vouchers:voucher", "vouchers:order", "vouchers:claim"]
DESK = [*OWN, "vouchers:batch"]


class Town:
    """A scheme with plenty of money, who uses it, and vouchers that the worker is to end."""

    def __init__(self, hands):
        code, more = vouchers.COUNTY, {"cap_claim_fen": "1000", "cap_year_fen": None}
        more |= {"cap_held_fen": None, "related_tests": []}
        self.scheme = vouchers.scheme(budget_fen=10**9, reserve_at="issue", **more)
        self.old = vouchers.scheme(budget_fen=10**9, reserve_at="issue", **more)
        self.provider = vouchers.provider()
        office = people.organisation("科技局（演示）", kind="office")
        self.firm = people.organisation("乙厂（演示）")
        self.tokens = {
            "office": token_for(office, "county", DESK, code),
            "provider": token_for(self.provider, "owner", OWN),
            **{
                number: token_for(people.organisation(f"企业{number}（演示）"), "owner", OWN)
                for number in range(hands)
            },
        }
        self.serial, self.year = itertools.count(1), clock.today().year
        db.session.rollback()

    def give_the_worker(self, count):
        """Vouchers that ended yesterday, and money of last year that nobody asked for."""
        no = applying.apply(SYSTEM, self.old, self.firm, FACE * count, {})
        numbers = applying.grant(SYSTEM, no, [FACE] * count)
        with unit_of_work(SYSTEM) as work:
            work.require(PROVE)
            yesterday = clock.today() - timedelta(days=1)
            ended = update(Voucher).where(Voucher.no.in_(numbers)).values(ends_on=yesterday)
            db.session.execute(ended.execution_options(synchronize_session=False))
        key = f"past:{next(self.serial)}"
        schemes.set_budget(SYSTEM, self.old, self.year - 1, FACE, key=key)
        db.session.rollback()

    def waiting(self):
        """How many vouchers the worker has yet to end."""
        db.session.rollback()
        late = (Voucher.ends_on < clock.today(), Voucher.state == "issued")
        found = db.session.scalar(select(func.count()).select_from(Voucher).where(*late))
        db.session.rollback()
        return found


class Refused(Exception):
    """The site answered with another status than asked for."""


class Hand(threading.Thread):
    """A firm that lives from application to batch again and again, until nobody answers any more.

    It begins when somebody answers; `over` says that nobody will.
    """

    def __init__(self, town, port, number):
        super().__init__()
        self.over = False
        self.town, self.number, self.port = town, number, port
        self.told, self.wrong, self.counts = [], [], collections.Counter()

    def run(self):
        while not self.over:
            try:
                self._live()
            except Refused:
                self.counts["refused"] += 1
            except (OSError, http.client.HTTPException):
                if self.told:
                    return
                time.sleep(0.05)

    def _ask(self, who, path, **body):
        """What is answered to a request; only a connection of its own tells that it is over."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            head = {"Content-Type": "application/json", "If-Match": "*", **self.town.tokens[who]}
            method = body.pop("method", "POST")
            connection.request(method, f"/api/v1{path}", json.dumps(body), head)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status == 503 and answer.headers["Retry-After"]:
            self.counts["busy"] += 1
            raise Refused(text)
        if answer.status not in {200, 201}:
            self.wrong.append((path, answer.status, text.decode()))
            raise Refused(text)
        self.counts["done"] += 1
        return json.loads(text)

    def _did(self, kind, no, action):
        self.told.append((kind, no, action))

    def _live(self):
        firm, today = self.number, clock.today().isoformat()
        no = self._ask(firm, "/my/voucher-applications", scheme=self.town.scheme, asked_fen=FACE)[
            "no"
        ]
        self._did("application", no, "begin")
        self._ask("office", f"/voucher-desk/applications/{no}/grant")
        self._did("application", no, "grant")
        voucher = self._ask(firm, f"/vouchers/applications/{no}", method="GET")["vouchers"][0]
        order = self._ask(
            firm, "/my/voucher-orders", voucher=voucher, provider="检测所（演示）", service="test",
            title="检测", price_fen=FACE, voucher_fen=FACE * 3 // 10,
        )["no"]  # fmt: skip
        self._did("voucher_order", order, "begin")
        for who, step in (("provider", "confirm"), ("provider", "deliver"), (firm, "accept")):
            self._ask(who, f"/vouchers/orders/{order}/actions", action=step)
            self._did("voucher_order", order, step)
        claim = self._ask(firm, "/my/voucher-claims", order=order)["no"]
        self._did("voucher_claim", claim, "begin")
        number = f"{next(self.town.serial):020d}"
        self._ask(
            firm, f"/vouchers/claims/{claim}", method="PUT",
            items=[{"service": "test", "cost_fen": FACE}],
            invoices=[{"number": number, "day": today, "amount_fen": FACE}],
            bank={"holder": "甲", "bank": "某银行", "account": f"62220000123456{firm:02d}"},
        )  # fmt: skip
        self._ask(firm, f"/vouchers/claims/{claim}/actions", action="submit", promise=True)
        self._did("voucher_claim", claim, "submit")
        desk = f"/voucher-desk/claims/{claim}"
        self._ask("office", f"{desk}/invoices", number=number, result="valid", on=today)
        self._ask("office", f"{desk}/review", decision="pass")
        self._did("voucher_claim", claim, "approve")
        self._ask(
            "office", "/voucher-batches", scheme=self.town.scheme, title="一批", claims=[claim],
            notice=False,
        )  # fmt: skip
        self._did("voucher_claim", claim, "notice")
