"""我想对接, as a browser without scripts sends it: each page in each state."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update

from market.catalogue.models import Listing
from market.core import clock
from market.core.db import db
from market.core.permissions import PUBLIC, SYSTEM
from market.core.unit_of_work import unit_of_work
from market.matching import inquiring, queries, reply_templates, service
from market.matching.messages import address_of
from market.matching.models import Inquiry, InquiryMessage
from tests import people
from tests.web.conftest import check_html

NO = "CG2026000009"
ADDRESS = f"/achievements/{NO}/inquire"
TYPED = {
    "name": "李四",
    "firm": "李记茶厂",
    "contact": "138 1234 1234",
    "text": "想用在 200 亩茶园，\n能不能先试？",
    "reach": "下午",
    "consent": "1",
}
NASTY = "</textarea><script>alert(1)</script> \u202eevil\u202c <b>粗</b>"


@pytest.fixture
def prepared_demo(prepared_quiet):
    """Nothing happened yet: what is found is what a test made."""
    return prepared_quiet


@pytest.fixture
def owner_id(demo):
    return db.session.scalar(select(Listing.owner_id).where(Listing.no == NO))


@pytest.fixture
def owner(demo, owner_id):
    return people.person(("owner", owner_id), name="管理员")


@pytest.fixture
def firm(demo):
    return people.organisation("需求方公司")


@pytest.fixture
def asker(firm):
    return people.person(("editor", firm), name="王五")


@pytest.fixture
def officer(demo):
    code = db.session.scalars(select(Listing).where(Listing.no == NO)).one().region.code
    return people.person(("county", None, code), name="经办")


@pytest.fixture
def browser(demo, visitor):
    """Opens the site as somebody."""

    def of(who):
        return people.sign_in(demo.test_client(), who)

    return of


@pytest.fixture
def no(asker, firm):
    """An inquiry of the firm."""
    from market.accounts.people import sessions

    actor = sessions.actor_of(asker)
    made = inquiring.member(actor, (firm, "需求方公司"))
    return inquiring.ask(actor, "achievement", NO, made, {"text": "能不能先试用？"})


def send(client, address, action="", **typed):
    form = client.get(address)
    where = address.partition("?")[0] + action
    return client.post(where, data={"csrf_token": people.token_of(form), **typed})


def count(model=Inquiry):
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model))


def typed_again(page, names):
    tree = check_html(page.text)
    found = {}
    for name in names:
        field = next(
            one
            for one in tree.iter()
            if one.get("name") == name and one.tag in {"input", "textarea"}
        )
        if field.tag == "textarea":
            found[name] = (field.text or "").removeprefix("\n")
        elif field.get("type") == "checkbox":
            found[name] = "1" if field.get("checked") is not None else ""
        else:
            found[name] = field.get("value")
    return found


# The listing


def test_a_listing_has_the_button_and_stays_cacheable(visitor):
    for address in (f"/achievements/{NO}", "/demands/XQ2026000001"):
        page = visitor.get(address)
        assert f'href="{address}/inquire"' in page.text
        assert "csrf_token" not in page.text
        assert "public" in page.headers["Cache-Control"]
        assert "答复（近一年" not in page.text
    assert 'href="/en/demands/XQ2026000001/inquire"' in visitor.get("/en" + address).text


def test_the_usual_time_stands_on_listing_and_organisation(visitor, statements, owner, asker, firm):
    from market.accounts.people import sessions

    actor, answering = sessions.actor_of(asker), sessions.actor_of(owner)
    with time_machine.travel(clock.now() - timedelta(days=9)) as now:
        for _ in range(3):
            made = inquiring.member(actor, (firm, "需求方公司"))
            no = inquiring.ask(actor, "achievement", NO, made, {"text": "问"})
            now.shift(timedelta(hours=5))
            service.say(answering, no, "答")
    listing = db.session.scalars(select(Listing).where(Listing.no == NO)).one()
    organisation = f"/organisations/{listing.owner.no}"
    db.session.rollback()
    for address in (f"/achievements/{NO}", organisation):
        visitor.get(address)
        statements.clear()
        assert "通常 5 小时内答复（近一年 3 件）" in visitor.get(address).text
        real = [one for one in statements if not one.startswith(("BEGIN", "PRAGMA"))]
        assert len(real) <= 12
        assert sum("owner_reply" in one for one in real) == 1


# Asking without an account


@pytest.mark.parametrize("address", [ADDRESS, "/demands/XQ2026000001/inquire", f"/en{ADDRESS}"])
def test_a_visitor_asks_and_follows_by_an_address(visitor, address):
    answer = send(visitor, address, **TYPED)
    assert answer.status_code == 303
    where = answer.headers["Location"]
    assert where.startswith("/en/inquire/DJ" if "/en" in address else "/inquire/DJ")
    page = visitor.get(where)
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert "13812341234" not in page.text
    assert "138****1234" in page.text
    assert "能不能先试？" in page.text
    assert count() == 1
    # Another browser may, too; nobody else finds it.
    assert visitor.application.test_client().get(where).status_code == 200
    assert visitor.get(where[:-1] + ("0" if where[-1] != "0" else "1")).status_code == 404


def test_sent_twice_it_is_one_inquiry(visitor):
    form = visitor.get(ADDRESS)
    from re import search

    once = search(r'name="once" value="([^"]+)"', form.text)[1]
    data = {"csrf_token": people.token_of(form), "once": once, **TYPED}
    first, second = (visitor.post(ADDRESS, data=data) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    assert count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"contact": ""}, "contact"),
        ({"contact": "12345"}, "contact"),
        ({"text": ""}, "text"),
        ({"text": "长" * 50_000}, "text"),
        ({"consent": ""}, "consent"),
        ({"website": "http://spam.example"}, "website"),
    ],
)
def test_mistakes_stand_beside_their_field_and_nothing_is_lost(visitor, change, field):
    typed = TYPED | change
    answer = send(visitor, ADDRESS, **typed)
    assert answer.status_code == 422
    tree = check_html(answer.text)
    links = [one.get("href") for one in tree.find(".//div[@class='error-summary']").iter("a")]
    assert links == [f"#{field}"]
    assert tree.find(f".//*[@id='{field}']").get("aria-invalid") == "true"
    assert typed_again(answer, TYPED) == {name: typed[name] for name in TYPED}
    assert count() == 0


def test_markup_is_shown_as_text(visitor, browser, owner):
    answer = send(visitor, ADDRESS, **TYPED | {"text": NASTY, "name": '"><b>', "firm": NASTY[:90]})
    where = answer.headers["Location"]
    number = where.rsplit("/", 1)[1].partition("-")[0]
    signed = browser(owner)
    for page in (
        visitor.get(where),
        signed.get(f"/inquiries/{number}"),
        signed.get("/my/inquiries"),
    ):
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "\u202e" not in page.text


def test_a_wrong_token_brings_the_form_back_filled(visitor):
    visitor.get(ADDRESS)
    answer = visitor.post(ADDRESS, data={"csrf_token": "x", **TYPED})
    assert answer.status_code == 400
    assert typed_again(answer, TYPED) == TYPED
    assert count() == 0


def test_too_many_are_refused_and_kept_in_the_form(visitor):
    for number in range(5):
        assert send(visitor, ADDRESS, **TYPED | {"text": f"第 {number} 次"}).status_code == 303
    answer = send(visitor, ADDRESS, **TYPED)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert typed_again(answer, TYPED) == TYPED


def test_a_withdrawn_listing_says_so_with_ways_out(visitor):
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.execute(update(Listing).where(Listing.no == NO).values(state="withdrawn"))
    token = people.token_of(visitor.get("/demands/XQ2026000001/inquire"))
    for answer in (
        visitor.get(ADDRESS),
        visitor.post(ADDRESS, data={"csrf_token": token, **TYPED}),
    ):
        assert answer.status_code == 410
        assert "已撤回" in answer.text
        assert "/post/demand" in answer.text
    assert count() == 0
    assert visitor.get("/achievements/CG2026999999/inquire").status_code == 404


def test_a_visitor_writes_again_and_closes(visitor, owner):
    from market.accounts.people import sessions

    where = send(visitor, ADDRESS, **TYPED).headers["Location"]
    number = where.rsplit("/", 1)[1].partition("-")[0]
    service.say(sessions.actor_of(owner), number, "可以先试三个月。")
    page = visitor.get(where)
    assert "可以先试三个月。" in page.text
    assert "对方已答复" in page.text
    empty = send(visitor, where, "/say", text="", version="2")
    assert empty.status_code == 422
    stale = send(visitor, where, "/say", text="费用呢？", version="1")
    assert stale.status_code == 409
    assert typed_again(stale, ["text"]) == {"text": "费用呢？"}
    assert send(visitor, where, "/say", text="费用呢？", version="2").status_code == 303
    wrong = send(visitor, where, "/close", outcome="elsewhere", amount="很多", version="3")
    assert wrong.status_code == 422
    assert typed_again(wrong, ["amount"]) == {"amount": "很多"}
    assert "与谁解决" in wrong.text
    good = {"outcome": "elsewhere", "outcome_with": "某大学", "amount": "28万", "version": "3"}
    assert send(visitor, where, "/close", **good).status_code == 303
    page = visitor.get(where)
    assert "28 万元" in page.text
    assert "站外解决" in page.text
    assert send(visitor, where, "/reopen").status_code == 303
    assert send(visitor, where, "/withdraw").status_code == 303
    for action in ("assign", "remove", "contact", "nonsense"):
        assert send(visitor, ADDRESS, **TYPED).status_code == 303
        token = people.token_of(visitor.get(ADDRESS))
        refused = visitor.post(f"{where}/{action}", data={"csrf_token": token, "reason": "x"})
        assert refused.status_code == 404


def test_after_thirty_days_the_address_says_so(visitor):
    with time_machine.travel(clock.now() - timedelta(days=31)):
        values = {"name": "李", "contact": "13812341234", "text": "问"}
        number = inquiring.ask(PUBLIC, "achievement", NO, inquiring.visitor(values), values)
    page = visitor.get(address_of(number))
    assert page.status_code == 410
    assert "30 天" in page.text


# Signed in


def test_who_is_signed_in_is_not_asked_who_he_is(browser, asker, firm):
    client = browser(asker)
    form = client.get(ADDRESS)
    assert "以需求方公司的名义" in form.text
    for name in ("name", "contact", "consent", "firm"):
        assert f'name="{name}"' not in form.text
    answer = send(client, ADDRESS, text="能先试吗？")
    page = client.get(answer.headers["Location"])
    assert "咨询已送到发布单位" in page.text
    assert "需求方公司 · 王五" in page.text
    made = db.session.scalars(select(Inquiry)).one()
    assert (made.asker_id, made.asker_person_id) == (firm, asker.id)
    assert made.no in client.get("/my/inquiries?tab=sent").text


def test_somebody_without_an_organisation_asks_in_his_own_name(browser):
    client = browser(people.person(name="赵六"))
    answer = send(client, ADDRESS, text="能先试吗？", firm="赵家合作社")
    assert "赵家合作社 · 赵六" in client.get(answer.headers["Location"]).text
    assert client.get("/my/inquiries").status_code == 200


def test_of_several_organisations_one_is_chosen(browser, firm):
    other = people.organisation("另一家公司")
    client = browser(people.person(("owner", firm), ("editor", other)))
    page = check_html(client.get(ADDRESS).text)
    numbers = {one.text: one.get("value") for one in page.iter("option")}
    send(client, ADDRESS, text="问", asker=numbers["另一家公司"])
    assert db.session.scalars(select(Inquiry)).one().asker_id == other


def test_ones_own_listing_is_not_asked_about(browser, owner):
    client = browser(owner)
    assert "不用向自己咨询" in client.get(ADDRESS).text
    token = people.token_of(client.get("/demands/XQ2026000001/inquire"))
    answer = client.post(ADDRESS, data={"csrf_token": token, "text": "问自己"})
    assert answer.status_code == 409
    assert count() == 0


def test_an_owner_answers_and_a_colleague_who_was_slower_is_told(browser, owner, no):
    client = browser(owner)
    listed = client.get("/my/inquiries")
    assert no in listed.text
    assert "件待答复" in listed.text
    assert send(client, f"/inquiries/{no}", "/say", text="可以。", version="1").status_code == 303
    late = send(client, f"/inquiries/{no}", "/say", text="不可以。", version="1")
    assert late.status_code == 409
    assert "可以。" in late.text
    assert typed_again(late, ["text", "version"]) == {"text": "不可以。", "version": "2"}
    assert count(InquiryMessage) == 2


def test_a_template_fills_the_box_and_is_edited_on_its_page(browser, owner, owner_id, no):
    client = browser(owner)
    page = "/my/inquiries/templates"
    wrong = send(client, page, title="寄样", text="")
    assert wrong.status_code == 422
    assert typed_again(wrong, ["title"]) == {"title": "寄样"}
    assert send(client, page, title="寄样", text="请把样品寄到……").status_code == 303
    from market.accounts.people import sessions

    [held] = reply_templates.of(sessions.actor_of(owner), [owner_id])
    key = held.id
    db.session.rollback()
    assert "请把样品寄到……</textarea>" in client.get(f"/inquiries/{no}?template={key}").text
    changed = send(client, page, id=str(key), title="", text="新的内容")
    assert changed.status_code == 422
    assert f'id="text-{key}"' in changed.text
    assert send(client, page, id=str(key), title="寄样品", text="新的内容").status_code == 303
    assert send(client, page, f"/{key}/delete").status_code == 303
    assert send(client, page, f"/{key}/delete").status_code == 404


def test_contacts_are_masked_until_somebody_asks(visitor, browser, owner, officer):
    where = send(visitor, ADDRESS, **TYPED).headers["Location"]
    number = where.rsplit("/", 1)[1].partition("-")[0]
    client = browser(owner)
    page = client.get(f"/inquiries/{number}")
    assert "138****1234" in page.text
    assert "13812341234" not in page.text
    assert send(client, f"/inquiries/{number}", "/contact").status_code == 422
    shown = send(client, f"/inquiries/{number}", "/contact", reason="打电话")
    assert "13812341234" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    office = browser(officer)
    refused = send(office, f"/inquiries/{number}", "/contact", reason="")
    assert refused.status_code == 422
    assert "13812341234" not in refused.text
    assert "13812341234" in send(office, f"/inquiries/{number}", "/contact", reason="催办").text


def test_an_office_sees_its_area_reminds_and_notes(browser, officer, owner, no):
    client = browser(officer)
    assert no in client.get("/desk/inquiries").text
    page = client.get(f"/inquiries/{no}")
    assert "提醒发布单位答复" in page.text
    assert "/say" in page.text
    assert "办结这件咨询" not in page.text
    assert send(client, f"/inquiries/{no}", "/remind").status_code == 303
    again = send(client, f"/inquiries/{no}", "/remind")
    assert again.status_code == 409
    assert "今天已提醒" in again.text
    assert send(client, f"/inquiries/{no}", "/say", text="请尽快", version="1").status_code == 303
    assert "请尽快" in browser(owner).get(f"/inquiries/{no}").text
    elsewhere = browser(people.person(("county", None, "630000")))
    assert no not in elsewhere.get("/desk/inquiries").text
    assert elsewhere.get(f"/inquiries/{no}").status_code == 404


@pytest.mark.parametrize("state", ["new", "answered", "closed", "withdrawn", "spam"])
def test_every_side_sees_every_state(browser, owner, asker, officer, no, state):
    from market.accounts.people import sessions

    ours, theirs = sessions.actor_of(owner), sessions.actor_of(asker)
    if state == "answered":
        service.say(ours, no, "答")
    elif state == "closed":
        service.close(theirs, no, {"outcome": "solved", "amount": 100})
    elif state == "withdrawn":
        service.act(theirs, no, "withdraw")
    elif state == "spam":
        service.act(ours, no, "remove", reason="与本信息无关")
    offered = {}
    for name, who in (("owner", owner), ("asker", asker), ("officer", officer)):
        page = browser(who).get(f"/inquiries/{no}")
        assert page.status_code == 200
        tree = check_html(page.text)
        offered[name] = {
            one.get("action").rsplit("/", 1)[1]
            for one in tree.iter("form")
            if (one.get("action") or "").startswith(f"/inquiries/{no}/")
        }
    opened = state in {"new", "answered"}
    assert offered["owner"] == {"contact"} | (
        {"say", "close", "assign", "remove"} if opened else set()
    ) | ({"reopen"} if state == "closed" else set())
    assert offered["asker"] == ({"say", "close", "withdraw"} if opened else set()) | (
        {"reopen_own"} if state == "closed" else set()
    )
    assert offered["officer"] == {"contact", "say"} | ({"remove"} if opened else set()) | (
        {"remind"} if state == "new" else set()
    ) | ({"restore"} if state == "spam" else set())


def test_foreign_inquiries_are_not_found(browser, visitor, no):
    stranger = browser(people.person(("owner", people.organisation("旁人"))))
    assert stranger.get(f"/inquiries/{no}").status_code == 404
    token = people.token_of(stranger.get(ADDRESS))
    for action in ("say", "close", "assign", "contact", "remind", "nonsense"):
        data = {"csrf_token": token, "text": "猜", "outcome": "solved", "reason": "猜"}
        assert stranger.post(f"/inquiries/{no}/{action}", data=data).status_code in {403, 404}
    assert no not in stranger.get("/my/inquiries?tab=closed").text
    assert visitor.get(f"/inquiries/{no}").status_code == 303  # to sign in first
    assert visitor.get("/my/inquiries").status_code == 303
    assert count(InquiryMessage) == 1


def test_reopening_posts_what_the_button_says(browser, asker, no):
    client = browser(asker)
    send(client, f"/inquiries/{no}", "/close", outcome="unsolved", version="1")
    assert send(client, f"/inquiries/{no}", "/reopen_own").status_code == 303
    from market.accounts.people import sessions

    assert queries.get(sessions.actor_of(asker), no).inquiry.state == "new"


def test_lists_read_little(browser, statements, owner, asker, firm):
    from market.accounts.people import sessions

    actor = sessions.actor_of(asker)
    for number in range(12):
        made = inquiring.member(actor, (firm, "需求方公司"))
        inquiring.ask(actor, "achievement", NO, made, {"text": f"问 {number}"})
    client = browser(owner)
    client.get("/my/inquiries")
    statements.clear()
    page = client.get("/my/inquiries")
    real = [one for one in statements if not one.startswith(("BEGIN", "PRAGMA"))]
    assert page.text.count('tag-wait">待答复') == 12
    assert len(real) <= 12, real


def test_what_one_asked_stands_on_my(browser, owner, asker, no):
    mine = browser(asker).get("/my").text
    assert 'id="asked"' in mine
    assert f'href="/inquiries/{no}"' in mine.split('id="asked"')[1]
    assert 'id="asked"' not in browser(owner).get("/my").text


def test_an_office_answers_on_the_page_of_an_unclaimed_owner(browser, officer, asker, no):
    """Until it is claimed, the office's words stand in the owner's place, marked as such."""
    client = browser(officer)
    page = client.get(f"/inquiries/{no}")
    assert "由部门代为答复" in page.text
    assert "提醒发布单位答复" not in page.text
    form = {"csrf_token": people.token_of(page), "text": ""}
    empty = client.post(f"/inquiries/{no}/answer_for", data=form)
    assert empty.status_code == 422
    assert 'href="#text-answer_for"' in empty.text
    sent = client.post(f"/inquiries/{no}/answer_for", data=form | {"text": "可以试用。"})
    assert sent.status_code == 303
    assert "代答 · 经办" in client.get(f"/inquiries/{no}").text
    assert "代答 · 经办" in browser(asker).get(f"/inquiries/{no}").text
