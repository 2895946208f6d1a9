"""Stories 4, 5 and 7 up to their intents, page after page as browsers without scripts send them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from market.accounts.models import Organisation
from market.accounts.people.models import Person
from market.catalogue.models import Listing
from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.demo.play import actor
from market.matching.calls.models import Call
from market.matching.intents.models import Intent
from tests import people

ENDED = "双方已同意这一版"


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


class Reader:
    """Somebody's browser."""

    def __init__(self, app, who):
        self.client = people.sign_in(app.test_client(), who)

    def see(self, path):
        """The text of a page that there is."""
        page = self.client.get(path)
        assert page.status_code == 200, path
        return page.text

    def send(self, path, where=None, **typed):
        """Send the form of a page with its counter; the address that it leads to."""
        page = self.client.get(path)
        seen = re.search(r'name="version" value="(\d+)"', page.text)
        counter = {"version": seen[1]} if seen else {}
        sent = self.client.post(
            where or path, data={"csrf_token": people.token_of(page), **counter, **typed}
        )
        assert sent.status_code == 303, sent.text
        return sent.location.partition("#")[0].partition("?")[0]


@pytest.fixture
def reader(demo):
    """Opens the site as one of the demonstration accounts, or as a new person."""

    def of(who):
        if isinstance(who, str):
            who = db.session.get_one(Person, actor(who).id)
        return Reader(demo, who)

    return of


def listing(source_id):
    return db.session.scalars(select(Listing.no).where(Listing.source_id == source_id)).one()


def organisation(uscc):
    return db.session.scalars(select(Organisation).where(Organisation.uscc == uscc)).one()


def agreed(seller, buyer, page, **terms):
    """An intent that was accepted comes to an offer and to a yes; what was agreed on."""
    seller.send(f"{page}/offer", **terms)
    buyer.send(page, f"{page}/agree", offer="1")
    assert ENDED in buyer.see(page)
    assert ENDED in seller.see(page)
    db.session.rollback()
    no = page.rpartition("/")[2]
    intent = db.session.scalars(select(Intent).where(Intent.no == no)).one()
    assert intent.state == "agreed"
    return intent.frozen["terms"]


def test_fresh_pork_finds_its_institute_through_the_county(reader):
    """Story 4: the cooperative's demand is recommended, answered, and agreed on for 68,000."""
    no, there = listing("demo-xq-003"), organisation("12630105DEM000452F")
    clerk = reader(people.person(("county", None, "630223"), name="互助经办"))
    page = f"/desk/demands/{no}/dispatch"
    assert there.name in clerk.see(page)  # the search proposes it
    assert clerk.send(page, days="5", to=there.no) == page
    institute, coop = reader("liaison.institutes"), reader("coop.owner")
    case = re.search(r'href="(/dispatches/TJ\d+)"', clerk.see(page))[1]
    said = "贴体包装加冰温，三十天菌落合格；先做一批。"
    told = {"answer": "interested", "text": said, "contact": "宋工", "telephone": "13900001111"}
    institute.send(case, f"{case}/answer", **told)
    # The owner is told who was asked and what was answered, and nothing of the office's own.
    clerk.send(case, f"{case}/log", kind="call", text="催过两次", day=clock.today().isoformat())
    shown = coop.see(f"/my/listings/{no}")
    assert there.name in shown
    assert said in shown
    assert "催过两次" not in shown
    assert "宋工" not in shown
    assert said not in institute.see(f"/demands/{no}")
    begin = f"/intents/begin?dispatch={case.rpartition('/')[2]}"
    assert said in institute.see(begin)
    intent = institute.send(begin, side="seller", contract_class="service", text=said)
    coop.send(intent, f"{intent}/accept")
    terms = {"transfer_mode": "service", "price_mode": "fixed", "price_min_fen": "68000"}
    assert agreed(institute, coop, intent, **terms)["price_min_fen"] == 6_800_000


def test_wolfberries_are_dried_under_licence(reader):
    """Story 5: an inquiry becomes a licence for 100,000 and 2 % of sales."""
    no = listing("demo-cg-002")
    firm, institute = reader("liaison.firms"), reader("liaison.institutes")
    asker = organisation("91632822DEM000647L").no
    about = f"/achievements/{no}/inquire"
    inquiry = firm.send(about, text="想把鲜果干燥从 60 小时缩到 30 小时。", asker=asker)
    institute.send(inquiry, f"{inquiry}/say", text="可以许可，五年。")
    begin = f"/intents/begin?inquiry={inquiry.rpartition('/')[2]}"
    assert 'value="licence" selected' in firm.see(begin)  # as the achievement says
    intent = firm.send(begin, side="buyer", contract_class="licence")
    institute.send(intent, f"{intent}/accept")
    offer = f"{intent}/offer"
    assert 'value="entry_royalty" selected' in institute.see(offer)
    terms = {"entry_fen": "10万", "royalty_bp": "2 %", "royalty_base": "sales"}
    kept = agreed(
        institute, firm, intent, transfer_mode="licence", price_mode="entry_royalty", **terms
    )
    assert (kept["entry_fen"], kept["royalty_bp"]) == (10_000_000, 200)


def test_a_county_government_calls_for_its_grassland(reader):
    """Story 7: the government is the owner; a call, an answer, chosen, advice for 96,000."""
    no = listing("demo-xq-004")
    county, institute = reader("county.hongyuan"), reader("grassland.owner")
    day = (clock.today() + timedelta(days=5)).isoformat()
    call = county.send(f"/calls/new?demand={no}", deadline=day, shows_result="1")
    county.send(call, f"{call}/open")
    said = {"approach": "分区分级，先沙障后种草。", "price": "9.6万", "months": "6", "team": "五人"}
    answer = institute.send(f"{call}/answer", do="send", **said)
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        past = clock.today() - timedelta(days=1)
        db.session.execute(update(Call).where(Call.no == call[7:]).values(deadline=past))
    county.send(call, f"{call}/choose", reason="方案合适", answers=answer.rpartition("/")[2])
    begin = f"/intents/begin?answer={answer.rpartition('/')[2]}"
    intent = county.send(begin, side="buyer", contract_class="consulting")
    institute.send(intent, f"{intent}/accept")
    terms = {"transfer_mode": "consulting", "price_mode": "fixed", "price_min_fen": "96000"}
    assert agreed(institute, county, intent, **terms)["price_min_fen"] == 9_600_000
