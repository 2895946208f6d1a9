"""A firm that keeps its name back: nobody reads it anywhere, until it lets one receiver know."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import select

from market.accounts.models import Organisation
from market.accounts.people import sessions
from market.accounts.people.models import ApiToken
from market.catalogue import naming, queries
from market.catalogue.models import Listing, NameConsent
from market.catalogue.publishing import checking, drafts
from market.catalogue.publishing.models import Submission
from market.catalogue.schemas import DemandSchema
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.models import AuditEntry, CaseEvent, OutboxRow
from market.core.permissions import PUBLIC, SYSTEM
from market.core.unit_of_work import unit_of_work
from market.discovery import forms, suggestions
from market.discovery import queries as search
from market.discovery.indexer import Indexer
from market.matching import inquiring
from market.matching import service as inquiries
from market.matching.calls import answering
from market.matching.calls import service as calls
from market.matching.calls.schemas import AnswerSchema
from market.matching.dispatch import sending
from market.matching.dispatch import service as dispatches
from market.matching.intents import beginning
from market.matching.messages import address_of
from market.matching.names import service
from tests import people
from tests.service.clerk import lines, load
from tests.web.test_matrix import NOWHERE

NAME, SHORT, PHONE, USCC = "隐川椒麻食品有限公司", "隐川椒麻", "028-77665544", "91440300708461136T"
TITLE, PERSON = "无名袋装料包泛白的解决", "藏名工程师"
NEUTRAL = "某食品制造企业（眉山市东坡区）"
ANSWER = {"approach": "先取样再改工艺", "price": "9.6万", "months": "6", "team": "三人"}
# Where its name stands of itself, since it is registered; there its demand must not be.
REGISTER = re.compile(r"/(?:api/v1/)?(?:organisations|my/organisation|firms)|/desk|/sitemap")


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


class World:
    """A demand without a name, those who have to do with it, and their cases."""

    def __init__(self, tmp_path):
        self.firm = people.organisation(NAME, uscc=USCC, telephone=PHONE)
        self.owner = people.actor(("owner", self.firm), name="藏掌柜")
        self.asking = people.organisation("问询研究所", kind="institute")
        self.asker = people.actor(("owner", self.asking), name="问先生")
        self.stranger = people.actor(("owner", people.organisation("路人公司")), name="路人")
        self.clerk = people.actor(("county", None, "511402"), name="林经办")
        row = {
            "title": TITLE,
            "summary": "料包常温放久泛白。",
            "owner_uscc": USCC,
            "region": "511402",
        }
        row |= {
            "industries": ["C14"],
            "contact": PERSON,
            "contact_phone": PHONE,
            "name_hidden": "是",
        }
        assert load("demands", lines(tmp_path / "d.jsonl", row)).imported == 1
        self.listing = db.session.scalars(
            select(Listing).where(Listing.owner_id == self.firm)
        ).one()
        self.demand = self.listing.no
        own = Indexer()
        own.run()
        own.close()
        self.cases()

    def cases(self):
        """An inquiry with an answer, a call with a chosen answer, a dispatch, an intent."""
        asker = inquiring.member(self.asker, (self.asking, "问询研究所"))
        self.inquiry = inquiring.ask(self.asker, "demand", self.demand, asker, {"text": "几吨？"})
        inquiries.say(self.owner, self.inquiry, "两吨。")
        visiting = inquiring.visitor({"name": "何先生", "contact": "13900007777"})
        self.visit = inquiring.ask(PUBLIC, "demand", self.demand, visiting, {"text": "在哪？"})
        values = {"deadline": clock.today() + timedelta(days=9), "shows_result": True}
        self.call = calls.begin(self.owner, self.demand, values)
        calls.act(self.owner, self.call, "open", {})
        answering.save(self.asker, self.call, self.asking, ANSWER)
        said = AnswerSchema().load(ANSWER)
        self.answer = answering.send(self.asker, self.call, self.asking, said)
        number = db.session.get_one(Organisation, self.asking).no
        (self.dispatch,) = sending.send(self.clerk, self.demand, [number], {"days": 5}, {})
        told = {"answer": "interested", "text": "可以", "contact": "问", "telephone": "13812341234"}
        dispatches.answer(self.asker, self.dispatch, told)
        self.intent = beginning.begin(self.owner, self.inquiry, {"side": "buyer", "text": "谈谈"})

    def samples(self, rule):
        """The number that belongs into a variable part of an address, by what stands before it."""
        parts = {"inquiries": self.inquiry, "calls": self.call, "answers": self.answer}
        parts |= {"dispatches": self.dispatch, "intents": self.intent, "demands": self.demand}
        parts |= {"listings": self.demand, "name-consents": self.inquiry, "names": self.inquiry}
        parts |= {"organisations": db.session.get_one(Organisation, self.firm).no}
        wanted = next((no for word, no in parts.items() if f"/{word}/" in rule), "X0")
        text = rule.replace("<string:kind>", "inquiry").replace("<string:code>", "511402")
        text = text.replace("<string:word>", address_of(self.visit).rsplit("/", 1)[1])
        text = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", text)
        text = re.sub(r"<string:\w+>", wanted, text)
        return re.sub(r"<(\w+)(?:\([^)]*\))?:\w+>", lambda m: str(NOWHERE.get(m[1], "x")), text)


@pytest.fixture
def world(demo, tmp_path):
    return World(tmp_path)


def token(organisation_id):
    """A program's key for an organisation."""
    now, word = clock.now(), f"test-token-{organisation_id}-padding-padding"
    scopes = ["matching:inquiry", "matching:intent", "matching:call", "matching:call_answer"]
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        row = ApiToken(
            organisation_id=organisation_id, role="editor", label="试验", hint="test",
            token_hash=sessions.hashed(word), scopes=[*scopes, "matching:dispatch"],
            created_at=now, created_by="测试", expires_at=now + timedelta(days=9),
        )  # fmt: skip
        db.session.add(row)
    return {"Authorization": f"Bearer {word}"}


def addresses(world, app):
    """Every page, feed, file and API answer that is got, with real numbers in it."""
    rules = {r.rule for r in app.url_map.iter_rules() if "GET" in r.methods}
    found = {world.samples(one) for one in rules if not one.startswith(("/static", "/en/"))}
    extra = {f"/search?q={SHORT}", f"/search?q={TITLE}", f"/api/v1/search?q={SHORT}"}
    extra |= {f"/search?q={USCC}", f"/api/v1/search?q={TITLE}", f"/search.csv?q={TITLE}"}
    extra |= {f"/compare?no={world.demand}", f"/intents/begin?inquiry={world.inquiry}"}
    extra |= {f"/intents/begin?dispatch={world.dispatch}", f"/en/demands/{world.demand}"}
    extra |= {"/my/calls?tab=answers", "/my/inquiries?tab=sent", f"/suggest?q={SHORT[:2]}"}
    return sorted(found | extra)


def read(data):
    """What stands in an answer; a workbook is a packed folder of texts."""
    if data[:2] != b"PK":
        return data.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return "".join(packed.read(one).decode("utf-8", "replace") for one in packed.namelist())


def leaks(world, app, client, headers=None, part=""):
    """Addresses on which somebody reads the name, or the demand beside the name.

    part: "api" for the answers to programs alone, "pages" for all but these; else both.
    """
    found = []
    for url in addresses(world, app):
        if part and url.startswith("/api/") != (part == "api"):
            continue
        page = client.get(url, headers=headers)
        if page.status_code != 200:
            continue
        text = read(page.get_data())
        plain = text.replace(f"q={SHORT}", "").replace(f'value="{SHORT}"', "")
        if url.startswith("/regions/"):  # the county's own list of its organisations
            plain = re.sub(rf'<a href="/organisations/\w+"[^>]*>{NAME}</a>', "", plain)
        if REGISTER.search(url):
            bad = world.demand in text and NAME in text
        elif SHORT in url:  # the words that were asked for stand on the page themselves
            bad = world.demand in text or NAME in plain
        else:
            bad = any(word in plain for word in (NAME, SHORT, PHONE, PERSON, "藏掌柜"))
        if bad or (USCC not in url and not REGISTER.search(url) and USCC in text):
            found.append(url)
    return found


@pytest.mark.long
def test_the_name_is_read_nowhere(world, demo):
    assert leaks(world, demo, demo.test_client()) == []
    for who in (world.stranger, world.asker):
        assert leaks(world, demo, people.sign_in(demo.test_client(), who), part="pages") == []
    assert leaks(world, demo, demo.test_client(), token(world.asking), "api") == []
    # What was sent to whom asked has it not either.
    rows = db.session.scalars(select(OutboxRow).where(OutboxRow.consumer == "notify"))
    others = [one for one in rows if (one.payload or {}).get("organisation_id") == world.asking]
    assert len(others) == 2
    assert not any(NAME in str(one.payload) for one in others)


def test_those_who_may_read_it_do(world, demo, visitor):
    shown = visitor.get(f"/demands/{world.demand}").text
    assert NEUTRAL in shown
    view = queries.get(PUBLIC, "demand", world.demand)
    assert view.phone is None or "科技" in view.phone.name  # the office answers the telephone
    for who in (world.owner, world.clerk):
        assert NAME in people.sign_in(demo.test_client(), who).get(f"/demands/{world.demand}").text
    far = people.actor(("county", None, "511803"), name="外县")
    listing = db.session.scalars(select(Listing).where(Listing.no == world.demand)).one()
    assert naming.owner_shown(far, listing).name == NEUTRAL


def test_search_knows_it_by_no_name(world, demo):
    form = forms.SearchForm(q=NAME)
    assert world.demand not in [one.no for one in search.search(PUBLIC, form).page.items]
    assert not any(SHORT in one for one in suggestions.suggestions(PUBLIC, SHORT[:2]))
    # Lines of bulletins that were issued while the name was public.
    assert naming.neutral_names([world.demand]) == {world.demand: NEUTRAL}


def test_one_receiver_is_told_and_the_others_are_not(world, demo):
    asker = people.sign_in(demo.test_client(), world.asker)
    owner = people.sign_in(demo.test_client(), world.owner)
    page = owner.get(f"/inquiries/{world.inquiry}")
    assert "向对方公开单位名称" in page.text
    sent = {"csrf_token": people.token_of(page)}
    assert owner.post(f"/my/names/inquiry/{world.inquiry}/tell", data=sent).status_code == 303
    row = db.session.scalars(select(NameConsent)).one()
    assert (row.organisation_id, row.means, row.given_in) == (world.asking, "site", world.inquiry)
    for url in ("demands", "inquiries", "intents", "dispatches"):
        number = {"demands": world.demand, "inquiries": world.inquiry}.get(
            url, world.intent if url == "intents" else world.dispatch
        )
        assert NAME in asker.get(f"/{url}/{number}").text, url
    assert "name.told" in [one.kind for one in db.session.scalars(select(OutboxRow))]
    stranger = people.sign_in(demo.test_client(), world.stranger)
    for client in (stranger, demo.test_client()):
        for url in (
            f"/demands/{world.demand}",
            f"/search?q={TITLE}",
            f"/compare?no={world.demand}",
        ):
            assert NAME not in client.get(url).text
    lived = select(CaseEvent.kind).where(CaseEvent.action == "name_told")
    assert sorted(db.session.scalars(lived)) == ["inquiry", "listing"]
    assert "公开单位名称" in asker.get(f"/inquiries/{world.inquiry}").text
    with pytest.raises(Conflict):
        service.act(world.owner, "intent", world.intent, "tell")
    service.act(world.owner, "intent", world.intent, "keep")
    assert NAME not in asker.get(f"/demands/{world.demand}").text
    assert "收不回来" in owner.get(f"/intents/{world.intent}").text
    noted = set(db.session.scalars(select(AuditEntry.action)))
    assert {"listing.name_told", "listing.name_kept"} <= noted


def test_an_office_records_how_the_firm_consented(world, demo):
    clerk = people.sign_in(demo.test_client(), world.clerk)
    page = clerk.get(f"/dispatches/{world.dispatch}")
    assert "代录同意" in page.text
    sent = {"csrf_token": people.token_of(page)}
    address = f"/my/names/dispatch/{world.dispatch}/tell"
    assert clerk.post(address, data=sent).status_code == 422
    with pytest.raises(Invalid):
        service.act(world.clerk, "dispatch", world.dispatch, "tell")
    assert clerk.post(address, data=sent | {"means": "telephone"}).status_code == 303
    assert "电话" in clerk.get(f"/my/names/dispatch/{world.dispatch}").text
    service.act(world.clerk, "inquiry", world.visit, "tell", "paper")
    assert NAME in demo.test_client().get(address_of(world.visit)).text
    assert NAME not in demo.test_client().get(f"/demands/{world.demand}").text
    stranger = people.sign_in(demo.test_client(), world.stranger)
    assert stranger.get(f"/my/names/dispatch/{world.dispatch}").status_code == 404


def test_a_firm_does_not_name_itself_in_what_it_writes(world):
    no = drafts.begin_edit(world.owner, world.demand)
    drafts.save_draft(world.owner, no, {"problem": f"{NAME}的料包泛白"}, 1)
    row = db.session.scalars(select(Submission).where(Submission.no == no)).one()
    assert "problem" in checking.check(row).errors
    view = queries.get(PUBLIC, "demand", world.demand)
    assert (view.name_hidden, view.owner.no, view.owner.telephone) == (True, "", None)
    assert "name_hidden" in DemandSchema().fields
