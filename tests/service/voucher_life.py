"""The whole life of voucher money as a state machine, and what must hold after every step."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import time_machine
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import delete, select, update

from market.core import clock
from market.core.db import db
from market.core.errors import MarketError
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.vouchers import applying, claiming, jobs, mending, ordering, paying, reviewing, schemes
from market.vouchers.claim_models import Batch, Claim
from market.vouchers.content import load
from market.vouchers.ledger.posting import Move, Pot, Subject, open_pot, post
from market.vouchers.models import (
    Application,
    Hold,
    Order,
    Scheme,
    SchemeVersion,
    Voucher,
)
from market.vouchers.workflow import PROVE
from tests import people, vouchers
from tests.service.voucher_positions import Positions
from tests.service.voucher_proof import APPROVED, LIVE_ORDER, proved

BEGIN = datetime(2026, 3, 2, 4, tzinfo=UTC)
BUDGET, CAP_YEAR, CAP_HELD = 30_000, 24_000, 15_000
ASKED = [4_000, 11_000]  # before the first free act: below the cap of a claim, and above it
_serial = itertools.count(1)
number = st.integers(0, 7)
amount = st.integers(1, 120).map(lambda one: one * 100)


class Cast:
    """Who plays: two firms, a provider, two clerks and a finance officer."""

    def __init__(self):
        code = vouchers.COUNTY
        self.firms = [people.organisation(f"企业{one}（演示）") for one in range(2)]
        self.owners = [people.actor(("owner", one)) for one in self.firms]
        self.provider = vouchers.provider()
        self.seller = people.actor(("owner", self.provider))
        office = people.organisation("科技局（演示）", kind="office")
        self.clerk = people.actor(("county", office, code))
        self.finance = people.actor(("finance", office, code))
        self.region_id, self.city_id = (people.region(one).id for one in (code, "511400"))


def _scheme(cast, reserve_at, levels):
    content = load({
        "title": "示范县创新券（演示）", "owner_region": vouchers.COUNTY,
        "services": [{"code": "test", "label": "检测", "rate_bp": "50"}],
        "cap_claim_fen": "100", "cap_year_fen": "240", "cap_held_fen": "150",
        "reserve_at": reserve_at, "payer_model": "enterprise", "claims_without_voucher": True,
        "top_ups": [{"payer": "511400", "ratio": "1/3"}], "related_tests": [], "evidence": [],
        "review_chain": [{"level": "county"}] * levels, "validity_length": 2,
        "validity_unit": "month", "validity_starts": "issue",
    })  # fmt: skip
    now = clock.now()
    with unit_of_work(SYSTEM) as work:
        work.require(PROVE)
        row = Scheme(
            no=f"QBT{next(_serial):07d}", title=content["title"], region_id=cast.region_id,
            state="live", version=1, created_at=now, updated_at=now,
        )  # fmt: skip
        db.session.add(row)
        db.session.flush()
        db.session.add(
            SchemeVersion(
                scheme_id=row.id, version=1, content=content, state="live", created_at=now,
                published_at=now,
            )
        )  # fmt: skip
        for region, fen in ((cast.region_id, BUDGET), (cast.city_id, BUDGET // 6)):
            accounts = open_pot(Pot(row.id, BEGIN.year, region))
            moves = [Move(accounts["funding"], -fen), Move(accounts["available"], fen)]
            post(work, f"budget:{row.id}:{region}", "budget", moves, Subject("budget", row.id))
        return row.id, row.no


class Life(RuleBasedStateMachine):
    """Every act on whatever there is, in any order; `cast` and `positions` are set by the test."""

    cast: Cast
    positions: Positions | None = None

    def __init__(self):
        super().__init__()
        self.travel = time_machine.travel(BEGIN, tick=False)
        self.clock = self.travel.start()
        self.changed = False  # what was refused was rolled back

    def teardown(self):
        self.travel.stop()
        if self.positions is not None:
            return
        # Another life must not spend its time on what this one leaves behind.
        with unit_of_work(SYSTEM) as work:
            work.require(PROVE)
            db.session.execute(
                update(Voucher).where(Voucher.scheme_id == self.scheme_id).values(ends_on=None)
            )
            db.session.execute(delete(Hold).where(Hold.scheme_id == self.scheme_id))

    @initialize(
        reserve_at=st.sampled_from(["issue", "order", "claim", "approval"]),
        levels=st.sampled_from([1, 1, 1, 0]), far=st.sampled_from([0, 1, 2, 3, 4, 5, 5, 6]),
        asked=st.sampled_from(ASKED),
    )  # fmt: skip
    def begin(self, reserve_at, levels, far, asked):
        start = (reserve_at, levels, asked)
        first = next((one for one in range(far, -1, -1) if self._back(start, one)), -1) + 1
        if first == 0:
            if self.positions is not None:
                self.positions.back("cast")
            self.scheme_id, self.no = _scheme(self.cast, reserve_at, levels)
        steps = (
            None, self._issued, self._accepted, self._sent, self._approved, self._paid,
            self._bounced,
        )  # fmt: skip
        for one in range(first, far + 1):
            if steps[one] is not None:
                steps[one](asked)
            self.money_is_true()
            if self.positions is not None:
                self.positions.keep((start, one), (self.scheme_id, self.no))

    def _back(self, start, step):
        known = self.positions and self.positions.back((start, step))
        if known:
            self.scheme_id, self.no = known
        return bool(known)

    def _issued(self, fen):
        self.apply(0, fen)
        self.grant(0, False)

    def _accepted(self, fen):
        self.place(0, fen // 2 + 1, True)
        for step in ("confirm", "deliver", "accept"):
            self.on_order(0, step)

    def _sent(self, fen):
        self.claim(0, fen, "order", 0)

    def _approved(self, _fen):
        self.review(0, "pass")

    def _paid(self, _fen):
        self.batch(0, 3)

    def _bounced(self, _fen):
        self.after_payment(0, "bounce", False)

    def _pick(self, model, position, *states):
        db.session.rollback()
        query = select(model).where(model.scheme_id == self.scheme_id)
        if states:
            query = query.where(model.state.in_(states))
        rows = db.session.scalars(query.order_by(model.id)).all()
        return rows[position % len(rows)] if rows else None

    def _try(self, act, *given, **named):
        try:
            done = act(*given, **named)
        except MarketError:
            db.session.rollback()
            return None
        self.changed = True
        return done

    def _by(self, row):
        return self.cast.owners[self.cast.firms.index(row.organisation_id)]

    @rule(firm=st.integers(0, 1), fen=amount)
    def apply(self, firm, fen):
        cast = self.cast
        self._try(applying.apply, cast.owners[firm], self.no, cast.firms[firm], fen, {})

    @rule(which=number, halves=st.booleans())
    def grant(self, which, halves):
        row = self._pick(Application, which, "submitted")
        if row is not None:
            part = row.asked_fen // 2
            faces = [part, row.asked_fen - part] if halves and part else None
            self._try(applying.grant, self.cast.clerk, row.no, faces)

    @rule(which=number, act=st.sampled_from(["freeze", "thaw", "release"]))
    def on_voucher(self, which, act):
        row = self._pick(Voucher, which)
        if row is not None:
            self._try(applying.mark, self.cast.clerk, row.no, act, "核对")

    @rule(which=number, fen=amount, with_voucher=st.booleans())
    def place(self, which, fen, with_voucher):
        row = self._pick(Voucher, which) if with_voucher else None
        firm = row.organisation_id if row is not None else self.cast.firms[which % 2]
        worth = min(fen, row.left_fen) if row is not None and row.left_fen > 0 else fen
        values = {
            "voucher": row.no if row is not None else None, "scheme": self.no,
            "provider_id": self.cast.provider, "service": "test", "title": "检测",
            "price_fen": 2 * worth, "voucher_fen": worth,
        }  # fmt: skip
        self._try(ordering.place, self.cast.owners[self.cast.firms.index(firm)], firm, values)

    @rule(which=number, act=st.sampled_from(
        ["confirm", "confirm", "refuse", "deliver", "deliver", "accept", "accept", "dispute", "cancel"]
    ))  # fmt: skip
    def on_order(self, which, act):
        row = self._pick(Order, which, *LIVE_ORDER[:3])
        if row is not None:
            actor = self.cast.seller if act in {"confirm", "refuse", "deliver"} else self._by(row)
            self._try(ordering.act, actor, row.no, act, reason="说明")

    @rule(which=number, by_office=st.booleans())
    def end_order(self, which, by_office):
        """Also what was delivered or accepted and never claimed gives its money back."""
        row = self._pick(Order, which, *LIVE_ORDER)
        if row is not None:
            actor = self.cast.clerk if by_office else self._by(row)
            self._try(ordering.act, actor, row.no, "end" if by_office else "cancel", reason="说明")

    @rule(which=number, fen=amount, source=st.sampled_from(["order", "voucher", "plain"]),
          less=st.integers(0, 3))  # fmt: skip
    def claim(self, which, fen, source, less):
        row = None
        if source == "order":
            row = self._pick(Order, which, "accepted")
        elif source == "voucher":
            row = self._pick(Voucher, which)
        firm = row.organisation_id if row is not None else self.cast.firms[which % 2]
        cost = row.price_fen if isinstance(row, Order) else 2 * fen
        values = {
            "items": [{"service": "test", "cost_fen": cost}], "scheme": self.no,
            "invoices": [{"number": f"{next(_serial):020d}", "day": clock.today(), "amount_fen": cost}],
            "bank": {"holder": "甲", "bank": "某银行", "account": "6222000012345678"},
            source: row.no if row is not None else None,
        }  # fmt: skip
        if less:
            values["asked_fen"] = max(1, cost // 2 - 37 * less)
        actor = self.cast.owners[self.cast.firms.index(firm)]
        no = self._try(claiming.begin, actor, firm, values)
        if no is not None:
            self._try(claiming.submit, actor, no)

    @rule(which=number, act=st.sampled_from(["submit", "withdraw"]))
    def on_claim(self, which, act):
        row = self._pick(Claim, which)
        if row is not None:
            self._try(getattr(claiming, act), self._by(row), row.no)

    @rule(which=number, decision=st.sampled_from(["pass", "pass", "pass", "return", "refuse"]))
    def review(self, which, decision):
        row = self._pick(Claim, which, "submitted")
        if row is not None:
            no = row.no
            self._check(row, "valid")
            self._try(reviewing.review, self.cast.clerk, no, decision, {"invoices": "有误"})

    @rule(which=number)
    def refuse_late(self, which):
        row = self._pick(Claim, which, "returned", *APPROVED)
        if row is not None:
            self._try(reviewing.review, self.cast.clerk, row.no, "refuse", {"invoices": "异议成立"})

    def _check(self, row, result):
        for one in [one.number for one in row.invoices]:
            self._try(reviewing.check_invoice, self.cast.clerk, row.no, one, result, clock.today())

    @rule(which=number, far=st.integers(0, 3))
    def batch(self, which, far):
        """Put one or two claims into a batch and bring it some steps on."""
        first, second = (self._pick(Claim, which + one, "reviewed") for one in (0, 1))
        if first is not None:
            found = sorted({first.no, second.no})
            no = self._try(paying.open_batch, self.cast.clerk, self.no, found, "一批", notice=False)
            if no and far:
                self.on_batch(-1, far)

    @rule(which=number, far=st.integers(1, 3))
    def on_batch(self, which, far):
        row = self._pick(Batch, which, "open", "countersigned", "sent")
        if row is not None:
            self._bring_on(row.no, far)

    def _bring_on(self, no, far):
        db.session.rollback()
        row, day = db.session.scalars(select(Batch).where(Batch.no == no)).one(), clock.today()
        if row.state == "open":
            self._try(paying.decide, self.cast.clerk, no, meeting_no="纪要", meeting_on=day,
                      fund_no="文", fund_on=day)  # fmt: skip
        claims = db.session.scalars(select(Claim).where(Claim.batch_id == row.id)).all()
        for one in claims if far > 1 else ():
            self._check(one, "valid")
        if far > 1:
            self._try(paying.countersign, self.cast.finance, no)
        if far > 2:
            rows = [
                {"claim_no": one.no, "treasury_no": f"GK{next(_serial)}", "paid_on": clock.today(),
                 "amount_fen": one.total_fen}
                for one in claims if one.state in {"batched", "bounced"}
            ]  # fmt: skip
            self._try(paying.record_payments, self.cast.finance, no, rows)

    @rule(which=number, act=st.sampled_from(["bounce", "recover"]), again=st.booleans())
    def after_payment(self, which, act, again):
        """退票 or recovery; what came back is perhaps paid once more."""
        row = self._pick(Claim, which, "paid")
        if row is not None:
            batch = row.batch.no
            self._try(getattr(paying, act), self.cast.finance, row.no, "账号有误")
            if again:
                self._bring_on(batch, 3)

    @rule(which=number, again=st.booleans())
    def take_back(self, which, again):
        """A payment was noted wrongly: it is undone, and perhaps noted once more."""
        row = self._pick(Batch, which, "sent", "closed")
        if row is not None:
            no = row.no
            self._try(mending.take_back, self.cast.finance, no)
            if again:
                self._bring_on(no, 3)

    @rule(fen=st.integers(0, 2).map(lambda one: BUDGET * one))
    def set_budget(self, fen):
        key = f"later-{next(_serial)}"
        self._try(schemes.set_budget, SYSTEM, self.no, BEGIN.year, fen, key=key)

    @rule(days=st.sampled_from([1, 40, 70, 300, -30]))
    def time_passes(self, days):
        self.clock.move_to(clock.now() + timedelta(days=days))
        jobs.run()
        jobs.lapse_year(scheme_id=self.scheme_id)
        self.changed = True

    @invariant()
    def money_is_true(self):
        if self.changed:
            db.session.rollback()
            proved(self.scheme_id, CAP_YEAR, CAP_HELD)
            db.session.rollback()
            self.changed = False
