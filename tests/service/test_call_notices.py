"""The notice of a call's result: it waits, goes on, falls back; the last minute; who may."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from market.accounts.models import Organisation
from market.catalogue import naming
from market.catalogue.models import Listing, Revision
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.permissions import PUBLIC, SYSTEM
from market.core.unit_of_work import unit_of_work
from market.matching.calls import answering, queries, service
from market.matching.calls.models import Call, CallAnswer
from market.matching.calls.schemas import AnswerSchema
from market.matching.intents import beginning, offers
from market.matching.intents import service as intents
from market.notices import objecting, starting
from market.notices import queries as notices
from market.notices import service as notice_service
from market.notices.models import Notice
from tests import people

NOON = "2026-03-02 04:00:00+00:00"
WORDS = {"approach": "先取样", "price": "9.6万", "months": "6", "team": "三人"}
FILLED = {
    "days": 5,
    "unit": "natural",
    "rule": "civil_code",
    "contact_name": "科技股",
    "contact_telephone": "028-00000001",
    "contact_address": "演示路 1 号",
    "anonymous_ok": True,
}


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


@pytest.fixture
def at():
    """Noon of a day in China, which a test moves on."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def demand(demo):
    return db.session.scalars(select(Listing).where(Listing.source_id == "demo-xq-001")).one()


@pytest.fixture
def owner(demand, at):
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        firm = db.session.get_one(Organisation, demand.owner_id)
        firm.verified_at, firm.signs_inside = clock.now(), False
    return people.actor(("owner", demand.owner_id), name="需求方")


def row_of(model, no):
    db.session.rollback()
    return db.session.scalars(select(model).where(model.no == no)).one()


@pytest.fixture
def proposed(owner, demand):
    """A call whose choice waits for its notice, which is a draft; with its two answers."""
    values = {"deadline": clock.today(), "wants_notice": True}
    no = service.begin(owner, demand.no, values)
    service.act(owner, no, "open", {})
    made = []
    for name in ("甲研究所", "乙公司"):
        own = people.organisation(name)
        who = people.actor(("owner", own))
        answering.save(who, no, own, WORDS)
        made.append(answering.send(who, no, own, AnswerSchema().load(WORDS)))
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        past = clock.today() - timedelta(days=1)
        db.session.execute(update(Call).where(Call.no == no).values(deadline=past))
    chosen = {"answers": made[:1], "reason": "方案可行", "shows_price": True}
    service.act(owner, no, "choose", chosen)
    return no, made


def started(owner, no):
    """The number of the call's notice, which runs now."""
    notice = row_of(Call, no).notice_no
    content = row_of(Notice, notice).content
    notice_service.save(owner, notice, {**FILLED, "content": content})
    starting.start(owner, notice)
    return notice


def test_the_choice_waits_and_holds_when_nobody_objects(owner, proposed, demand, at):
    no, (first, second) = proposed
    assert row_of(Call, no).state == "proposed"
    assert row_of(CallAnswer, first).state == "proposed"
    draft = row_of(Notice, row_of(Call, no).notice_no)
    told = dict(draft.content)
    assert (draft.kind, draft.subject_kind, draft.subject_no) == ("challenge_result", "call", no)
    assert told["揭榜单位"] == "甲研究所"
    assert told["选定理由"] == "方案可行"
    assert "9.6 万元" in told["报价"]
    public = queries.of_demand(demand.id)
    assert (public.chosen, public.notice, public.shows_result) == ([], None, False)
    with pytest.raises(Conflict, match="还没有开始"):
        service.act(owner, no, "confirm", {})
    notice = started(owner, no)
    assert queries.of_demand(demand.id).notice == notice
    for action, words in (("confirm", "还没有期满"), ("rechoose", "先撤回公示")):
        with pytest.raises(Conflict, match=words):
            service.act(owner, no, action, {"reason": "想改"})
    assert {one.action for one in queries.get(owner, no).actions} == set()
    service.settle_noticed()
    assert row_of(Call, no).state == "proposed"
    at.move_to(row_of(Notice, notice).ends_at)
    service.settle_noticed()  # whether or not the worker noted the end of the notice
    assert row_of(Call, no).state == "chosen"
    assert [row_of(CallAnswer, one).state for one in (first, second)] == ["chosen", "lost"]
    assert queries.of_demand(demand.id).chosen == ["甲研究所"]


@pytest.mark.parametrize(("finding", "state"), [("not_upheld", "chosen"), ("upheld", "closed")])
def test_an_objection_of_the_last_second_is_waited_for(owner, proposed, at, finding, state):
    no, (first, _second) = proposed
    notice = started(owner, no)
    end = row_of(Notice, notice).ends_at
    at.move_to(end - timedelta(seconds=1))
    said = {"text": "这家单位没有做过", "anonymous": True}
    objection = objecting.send(PUBLIC, notice, said)
    at.move_to(end)
    with pytest.raises(Conflict, match="24:00 结束"):
        objecting.send(PUBLIC, notice, said)
    service.settle_noticed()
    assert row_of(Call, no).state == "proposed"
    assert queries.get(owner, no).next_words.startswith("答复公示收到的异议")
    with pytest.raises(Conflict, match="没有答复"):
        service.act(owner, no, "confirm", {})
    answer = {"finding": finding, "answer": "已核实", "published": "已核实"}
    objecting.answer(owner, objection, answer)
    service.settle_noticed()
    assert row_of(Call, no).state == state
    if state == "closed":
        assert row_of(CallAnswer, first).state == "sent"
        assert row_of(Call, no).decision is None
        # Choosing once more begins another notice, and the old one binds no more.
        service.act(owner, no, "choose", {"answers": [first], "reason": "补了材料"})
        assert row_of(Call, no).notice_no != notice
        service.settle_noticed()
        assert row_of(Call, no).state == "proposed"


def test_a_notice_that_is_given_up_leads_back(owner, proposed):
    no, (first, _second) = proposed
    draft = row_of(Call, no).notice_no
    service.act(owner, no, "rechoose", {"reason": "选错了"})
    assert row_of(Notice, draft).state == "discarded"
    assert row_of(CallAnswer, first).state == "sent"
    service.act(owner, no, "choose", {"answers": [first], "reason": "还是它"})
    notice = started(owner, no)
    notice_service.act(owner, notice, "withdraw", "写错了")
    service.settle_noticed()
    assert row_of(Call, no).state == "closed"
    assert notices.standing_of(notice).code == "gone"


def test_story_7_a_county_government_calls_chooses_agrees_and_its_demand_is_solved(demo, at):
    demand = db.session.scalars(select(Listing).where(Listing.source_id == "demo-xq-004")).one()
    assert demand.owner.kind == "office"
    no_, place = demand.no, demand.region.code
    office = people.actor(
        ("owner", demand.owner_id), ("county", demand.owner_id, place), name="县府办"
    )
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.get_one(Organisation, demand.owner_id).verified_at = clock.now()
    no = service.begin(office, no_, {"deadline": clock.today(), "wants_notice": True})
    service.act(office, no, "open", {})
    institute = people.organisation("草地研究所", kind="institute")
    solver = people.actor(("owner", institute))
    answering.save(solver, no, institute, WORDS)
    made = answering.send(solver, no, institute, AnswerSchema().load(WORDS))
    at.shift(timedelta(days=1))
    service.close_over()
    service.act(office, no, "choose", {"answers": [made], "reason": "分级方案可行"})
    at.move_to(row_of(Notice, started(office, no)).ends_at)
    service.settle_noticed()
    values = {"side": "buyer", "contract_class": "consulting"}
    intent = beginning.begin(office, made, values, "answer")
    intents.act(solver, intent, "accept")
    terms = {
        "transfer_mode": "consulting",
        "price_mode": "fixed",
        "price_min_fen": 9_600_000,
        "plan": [{"when": "验收后", "what": "全款", "fen": 9_600_000}],
        "acceptance": "通过评审",
        "ownership": "buyer",
    }
    version = offers.offer(solver, intent, terms)
    assert offers.agree(office, intent, version)
    service.act(office, no, "finish", {})
    ended = row_of(Listing, no_)
    assert (ended.state, ended.outcome, ended.outcome_with) == ("closed", "solved", "草地研究所")
    assert offers.agreed(solver, intent)


def test_a_firm_that_keeps_its_name_back_is_not_named_by_a_notice(owner, demand):
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        revision = db.session.get_one(Revision, demand.current_id)
        revision.details = {**revision.details, naming.HIDDEN: True}
    values = {"deadline": clock.today(), "wants_notice": True}
    with pytest.raises(Invalid, match="改正") as refused:
        service.begin(owner, demand.no, values)
    assert "不公开单位名称" in refused.value.fields["wants_notice"][0]
    no = service.begin(owner, demand.no, {**values, "wants_notice": False})
    with pytest.raises(Invalid):
        service.edit(owner, no, values)
    assert not row_of(Call, no).wants_notice
