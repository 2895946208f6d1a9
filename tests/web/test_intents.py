"""Pages and API of intents: each page in each state, bad input kept, foreign ones not found."""

from __future__ import annotations

import io
import json
import re

import pytest
from sqlalchemy import func, select

from market.accounts.people import sessions
from market.accounts.people.models import ApiToken
from market.catalogue.models import Listing
from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.matching import inquiring
from market.matching.intents import beginning, offers, service
from market.matching.intents.models import Intent, IntentInvitation, Offer
from tests import people
from tests.web.conftest import check_html

NO = "CG2026000001"
API = "/api/v1/intents"
TYPED = {
    "transfer_mode": "licence",
    "price_mode": "entry_royalty",
    "entry_fen": "10万",
    "royalty_bp": "2",
    "royalty_base": "sales",
    "plan_when_1": "签订后",
    "plan_fen_1": "6万",
    "acceptance": "三批合格",
}
TERMS = {"transfer_mode": "licence", "price_mode": "fixed", "price_min_fen": 28_000_000}
NASTY = "</textarea><script>alert(1)</script> <b>粗</b>"


@pytest.fixture
def prepared_demo(prepared_quiet):
    """Nothing happened yet: what is found is what a test made."""
    return prepared_quiet


@pytest.fixture
def owner_id(demo):
    return db.session.scalar(select(Listing.owner_id).where(Listing.no == NO))


@pytest.fixture
def seller(owner_id):
    return people.person(("owner", owner_id), name="院方")


@pytest.fixture
def firm(demo):
    return people.organisation("需求方公司", code="511402")


@pytest.fixture
def buyer(firm):
    return people.person(("editor", firm), name="王五")


@pytest.fixture
def inquiry(buyer, firm):
    actor = sessions.actor_of(buyer)
    made = inquiring.member(actor, (firm, "需求方公司"))
    return inquiring.ask(actor, "achievement", NO, made, {"text": "想买"})


@pytest.fixture
def no(buyer, inquiry):
    return beginning.begin(sessions.actor_of(buyer), inquiry, {"side": "buyer"})


@pytest.fixture
def talking(no, seller):
    service.act(sessions.actor_of(seller), no, "accept")
    return no


@pytest.fixture
def browser(demo, visitor):
    """Opens the site as somebody."""

    def of(who):
        return people.sign_in(demo.test_client(), who)

    return of


def send(client, page, where, **typed):
    token = people.token_of(client.get(page))
    return client.post(where, data={"csrf_token": token, **typed})


def version(no):
    db.session.rollback()
    return db.session.scalar(select(Intent.lock_version).where(Intent.no == no))


def state(no):
    db.session.rollback()
    return db.session.scalar(select(Intent.state).where(Intent.no == no))


def test_from_inquiry_to_agreement_and_outcome_without_scripts(browser, buyer, seller, inquiry):
    firm, institute = browser(buyer), browser(seller)
    begin = f"/intents/begin?inquiry={inquiry}"
    assert f'href="{begin}"' in firm.get(f"/inquiries/{inquiry}").text
    made = send(firm, begin, begin, side="buyer", contract_class="licence", text="请接受")
    page = made.location
    assert firm.get(begin).location == page  # there is one already
    no = page.rpartition("/")[2]
    assert "待对方接受" in firm.get(page).text
    assert "接受，开始洽谈" not in firm.get(page).text
    assert no in institute.get("/my/intents").text
    assert no in institute.get("/my").text
    send(institute, page, f"{page}/accept", version=version(no))
    assert state(no) == "talking"
    form = institute.get(f"{page}/offer")
    assert "提出方案" in form.text
    files = {"file": (io.BytesIO(b"%PDF-1.4 x"), "条款.pdf")}
    sent = send(institute, f"{page}/offer", f"{page}/offer", version=version(no), **TYPED, **files)
    assert sent.location == f"{page}#offer"
    shown = firm.get(page).text
    assert "入门费 10 万元 + 提成" in shown
    assert "付款计划合计 6 万元" in shown
    assert "条款.pdf" in shown
    # The counter-offer begins with what lies on the table.
    again = firm.get(f"{page}/offer").text
    assert 'value="100000"' in again
    assert 'value="60000"' in again
    changed = TYPED | {"entry_fen": "8万", "plan_fen_1": "8万"}
    send(firm, f"{page}/offer", f"{page}/offer", version=version(no), **changed)
    compared = institute.get(f"{page}/versions").text
    assert "<del>入门费 10 万元 + 提成</del>" in compared
    assert institute.get(f"{page}/versions?a=1&b=9").status_code == 404
    # Yes to the version before is refused with what is new.
    late = send(institute, page, f"{page}/agree", offer=1, version=version(no))
    assert late.status_code == 409
    assert "不是最新" in late.text
    send(institute, page, f"{page}/agree", offer=2, version=version(no))
    assert state(no) == "agreed"
    assert "双方已同意这一版" in firm.get(page).text
    told = {"outcome": "signed", "contract_no": "H-1", "amount_fen": "28万"}
    send(firm, page, f"{page}/outcome", version=version(no), **told)
    assert "已签合同，合同 H-1" in institute.get(page).text
    assert no in firm.get("/my/intents?tab=agreed").text


def test_bad_input_is_kept_with_a_sentence_beside_it(browser, seller, talking):
    client, page = browser(seller), f"/intents/{talking}/offer"
    wrong = {"royalty_bp": "120", "plan_fen_1": "-5", "words": NASTY, "entry_fen": "很多"}
    answer = send(client, page, page, version=version(talking), **TYPED | wrong)
    assert answer.status_code == 422
    tree = check_html(answer.text)
    kept = {one.get("name"): one.get("value") for one in tree.iter("input")}
    assert (kept["royalty_bp"], kept["plan_fen_1"], kept["entry_fen"]) == ("120", "-5", "很多")
    assert "不超过 100 %" in answer.text
    assert "<script>alert" not in answer.text
    long = send(client, page, page, version=version(talking), **TYPED | {"words": "长" * 50_000})
    assert long.status_code == 422
    assert "太长：50000 个字" in long.text
    strange = {"file": (io.BytesIO(b"MZ program"), "条款.pdf")}
    refused = send(client, page, page, version=version(talking), **TYPED, **strange)
    assert "按内容判断" in refused.text
    assert 'value="10万"' in refused.text
    stale = send(client, page, page, version=1, **TYPED)
    assert stale.status_code == 409
    assert 'value="10万"' in stale.text
    assert db.session.scalar(select(func.count()).select_from(Offer)) == 0
    case = f"/intents/{talking}"
    ended = send(client, case, f"{case}/end", ending="other", version=version(talking))
    assert ended.status_code == 422
    assert "请写明原因" in ended.text
    asked = send(client, case, f"{case}/invite", role="point", organisation="需求", version=1)
    assert "没有找到这家单位" in asked.text
    assert "名称相近的：需求方公司" in asked.text


def test_who_has_no_organisation_is_told_what_to_do_first(browser, seller):
    who = people.person(name="无单位")
    actor = sessions.actor_of(who)
    asked = inquiring.ask(actor, "achievement", NO, inquiring.member(actor, None), {"text": "问"})
    begin = f"/intents/begin?inquiry={asked}"
    page = browser(who).get(begin).text
    assert "请先登记或加入本单位" in page
    assert 'href="/my/organisation"' in page
    assert "咨询方还没有在本站登记单位" in browser(seller).get(begin).text
    stranger = people.person(("owner", people.organisation("别家")))
    assert browser(stranger).get(begin).status_code == 404
    assert browser(stranger).get("/intents/begin").status_code == 404


def test_an_invitation_shows_little_until_it_is_taken(browser, seller, buyer, talking):
    point_id = people.organisation("好帮手服务点", code="511402", kind="institution")
    point = people.person(("point_staff", point_id), name="服务员")
    firm, institute, helper = browser(buyer), browser(seller), browser(point)
    page = f"/intents/{talking}"
    offers.offer(sessions.actor_of(seller), talking, TERMS)
    named = {"role": "point", "organisation": "好帮手服务点", "note": "看条款"}
    send(firm, page, f"{page}/invite", version=version(talking), **named)
    key = db.session.scalar(select(IntentInvitation.id))
    mine = f"/intents/invitations/{key}"
    assert "邀请参与对接" in institute.get("/my").text
    send(institute, page, f"{mine}/consent")
    invited = helper.get(mine).text
    assert "需求方公司" in invited
    assert "28 万元" not in invited
    assert helper.get(page).status_code == 404
    joined = send(helper, mine, f"{mine}/join")
    assert joined.location == page
    shown = helper.get(page).text
    assert "28 万元" in shown
    assert "同意这版方案" not in shown
    assert f"{page}/offer" not in shown
    assert helper.get(f"{page}/offer").status_code in {403, 404}
    send(helper, page, f"{page}/say", text="可以帮忙拟合同", version=version(talking))
    assert "可以帮忙拟合同" in firm.get(page).text
    assert talking in helper.get("/my/intents").text


def test_whom_to_invite_is_chosen_from_the_directory(browser, seller, buyer, talking):
    firm, page = browser(buyer), f"/intents/{talking}"
    assert f'href="{page}/invite"' in firm.get(page).text
    choose = f"{page}/invite?role=point"
    nobody = firm.get(f"{choose}&q=没有这样的").text
    assert f'href="{page}#invite-by-name"' in nobody
    found = firm.get(f"{choose}&q=服务").text
    no = re.search(r'name="organisation" value="(DW\d+)"', found)[1]
    entry = re.search(r'href="(/service-points/\w+)">看名录', found)[1]
    sent = send(
        firm, choose, f"{page}/invite", role="point", organisation=no, version=version(talking)
    )
    assert sent.location == page
    assert f'href="{entry}">名录' in browser(seller).get(page).text
    assert f'value="{no}"' not in firm.get(f"{choose}&q=服务").text  # asked already
    assert firm.get(f"{page}/invite?role=broker&q=技术").status_code == 200
    assert browser(people.person(name="旁人")).get(f"{page}/invite").status_code in {403, 404}


def test_an_office_sees_state_and_outcome_but_no_terms(browser, seller, buyer, talking):
    office = browser(people.person(("county", None, "511402"), name="经办"))
    page = f"/intents/{talking}"
    offers.offer(sessions.actor_of(seller), talking, TERMS | {"words": "底线"})
    assert talking in office.get("/desk/intents").text
    shown = office.get(page).text
    assert "未经单位允许" in shown
    assert "28 万元" not in shown
    assert "底线" not in shown
    assert office.get(f"{page}/versions").status_code == 404
    send(office, page, f"{page}/say", text="请抓紧", version=version(talking))
    send(office, page, f"{page}/remind", version=version(talking))
    assert "请抓紧" in browser(buyer).get(page).text
    send(browser(buyer), page, f"{page}/show", version=version(talking))
    assert "28 万元" in office.get(page).text


def test_lists_cost_the_same_however_long(demo, browser, buyer, seller, firm, statements):
    actor = sessions.actor_of(buyer)
    office = browser(people.person(("county", None, "511402"), ("owner", people.organisation())))
    client, counts = browser(buyer), []
    for _ in range(2):
        for _ in range(3):
            made = inquiring.member(actor, (firm, "需求方公司"))
            asked = inquiring.ask(actor, "achievement", NO, made, {"text": "想买"})
            beginning.begin(actor, asked, {"side": "buyer"})
        for who, path in ((client, "/my/intents"), (office, "/desk/intents")):
            db.session.rollback()
            who.get(path)
            statements.clear()
            assert who.get(path).text.count("/intents/YX") in {3, 6}
            counts.append(len([one for one in statements if one.startswith("SELECT")]))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 12


def test_foreign_and_unknown_intents_are_not_found(browser, talking):
    stranger = browser(people.person(("owner", people.organisation("别家"))))
    for path in (talking, f"{talking}/offer", f"{talking}/versions", "YX2026999999"):
        assert stranger.get(f"/intents/{path}").status_code == 404
    token = people.token_of(stranger.get("/my/organisation"))
    for action in ("accept", "say", "agree", "nonsense"):
        sent = stranger.post(f"/intents/{talking}/{action}", data={"csrf_token": token})
        assert sent.status_code == 404
    assert stranger.get("/intents/invitations/1").status_code == 404


@pytest.fixture
def token(demo):
    """Make a program's key for an organisation; returns the header."""

    def of(organisation_id, scopes=("matching:intent", "matching:intent_invitation")):
        word = f"test-token-{organisation_id}-padding-padding"
        now = clock.now()
        with unit_of_work(SYSTEM) as work:
            work.require(people.MAKE)
            db.session.add(
                ApiToken(
                    organisation_id=organisation_id,
                    role="editor",
                    label="试验",
                    hint="test",
                    token_hash=sessions.hashed(word),
                    scopes=list(scopes),
                    created_at=now,
                    created_by="测试",
                    expires_at=now.replace(year=now.year + 1),
                )
            )
        return {"Authorization": f"Bearer {word}"}

    return of


def test_programs_of_both_sides_agree(visitor, token, inquiry, firm, owner_id):
    ours = token(firm, ("matching:intent", "matching:inquiry"))
    theirs = token(owner_id)
    key = {"Idempotency-Key": "a"}
    body = {"inquiry": inquiry, "side": "buyer", "contract_class": "licence"}
    made = visitor.post(API, json=body, headers=ours | key)
    assert made.status_code == 201
    assert visitor.post(API, json=body, headers=ours | key).get_json() == made.get_json()
    page = f"{API}/{made.get_json()['no']}"

    def post(who, where, body):
        tag = {"If-Match": visitor.get(page, headers=who).headers["ETag"]}
        return visitor.post(f"{page}/{where}", json=body, headers=who | tag)

    assert (
        visitor.post(f"{page}/actions", json={"action": "accept"}, headers=theirs).status_code
        == 428
    )
    old = {"If-Match": '"v99"'}
    refused = visitor.post(f"{page}/actions", json={"action": "accept"}, headers=theirs | old)
    assert refused.status_code == 412
    assert post(theirs, "actions", {"action": "accept"}).get_json()["state"] == "talking"
    for wrong in ({"price_min_fen": -1}, {"royalty_bp": 10_001}, {"price_mode": "gift"}):
        answer = post(theirs, "offers", TERMS | wrong)
        assert answer.status_code == 422
        assert next(iter(wrong)) in json.dumps(answer.get_json())
    plan = [{"when": "签订后", "fen": 1_000}]
    sent = visitor.post(f"{page}/files?name=条款.pdf", data=b"%PDF-1.4 x", headers=theirs)
    named = {"files": [sent.get_json()["no"]]}
    assert visitor.get(f"/files/{named['files'][0]}", headers=theirs).status_code == 404
    assert post(ours, "offers", TERMS | named).status_code == 422  # the other side's file
    offered = post(theirs, "offers", TERMS | {"plan": plan} | named).get_json()
    assert offered["offers"][0]["warnings"]
    assert [one["name"] for one in offered["offers"][0]["files"]] == ["条款.pdf"]
    assert post(ours, "messages", {"text": "看过了"}).get_json()["messages"][0]["side"] == "buyer"
    agreed = post(ours, "agreement", {"version": 1}).get_json()
    assert (agreed["state"], agreed["agreed"]["terms"]["price_max_fen"]) == ("agreed", 28_000_000)
    told = post(ours, "outcomes", {"outcome": "signed", "amount_fen": 5}).get_json()
    assert told["outcomes"][0]["amount_fen"] == 5
    listed = visitor.get(f"{API}?state=agreed", headers=theirs).get_json()
    assert (listed["total"], listed["items"][0]["side"]) == (1, "seller")
    stranger = token(people.organisation("别家"))
    assert visitor.get(page, headers=stranger).status_code == 404
