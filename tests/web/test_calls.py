"""Pages and API of calls: each state, bad input kept, foreign ones not found."""

import io
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from market.accounts.people import sessions
from market.accounts.people.models import ApiToken
from market.catalogue.models import Listing
from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.matching.calls import queries, service
from market.matching.calls.models import STATES, Call, CallAnswer
from tests import people
from tests.people import sign_in, token_of

WORDS = {"approach": "先取样", "price": "9.6万", "months": "6", "team": "三人"}


@pytest.fixture
def demand(demo):
    """A published demand without a call."""
    return db.session.scalars(select(Listing).where(Listing.source_id == "demo-xq-011")).one()


@pytest.fixture
def owner(demand):
    return people.person(("owner", demand.owner_id), name="需求方")


@pytest.fixture
def other(demo):
    """Somebody's browser who answers, with his organisation."""
    institute = people.organisation("甲研究所", kind="institute")
    client = demo.test_client()
    sign_in(client, people.person(("editor", institute), name="应答人"))
    return client, institute


def of_state(state):
    return db.session.scalars(select(Call).where(Call.state == state)).first()


def post(client, page, url, **values):
    token = token_of(client.get(page))
    return client.post(url, data={"csrf_token": token, **values})


def in_days(days):
    return (clock.today() + timedelta(days=days)).isoformat()


def opened(client, demand):
    """A call that this browser opened; its number."""
    page = f"/calls/new?demand={demand.no}"
    made = post(client, page, page, deadline=in_days(5), shows_result="1")
    address = made.headers["Location"]
    assert post(client, address, f"{address}/open").status_code == 303
    return address.rsplit("/", 1)[1]


@pytest.mark.parametrize("state", STATES)
def test_the_page_of_each_state(visitor, demo, state):
    call = of_state(state)
    owner = people.person(("owner", call.owner_id))
    page = sign_in(visitor, owner).get(f"/calls/{call.no}")
    assert page.status_code == 200
    assert call.title in page.text
    shown = visitor.get(f"/demands/{call.listing.no}").text
    assert (call.no in shown) == (state not in {"draft", "withdrawn"})
    stranger = people.person(("owner", people.organisation("旁人公司")))
    assert sign_in(visitor, stranger).get(f"/calls/{call.no}").status_code == 404


def test_answers_of_each_state_open_for_both_sides_alone(visitor, demo):
    for row in db.session.scalars(select(CallAnswer)).all():
        mine = people.person(("viewer", row.organisation_id))
        assert sign_in(visitor, mine).get(f"/answers/{row.no}").status_code == 200
        theirs = people.person(("viewer", row.call.owner_id))
        wanted = 200 if row.version else 404
        assert sign_in(visitor, theirs).get(f"/answers/{row.no}").status_code == wanted
    stranger = people.person(("owner", people.organisation("旁人公司")))
    assert sign_in(visitor, stranger).get(f"/answers/{row.no}").status_code == 404


def test_what_was_typed_wrong_comes_back(visitor, demand, owner):
    page = f"/calls/new?demand={demand.no}"
    sign_in(visitor, owner)
    refused = post(visitor, page, page, deadline="2020-01-01", conditions="须<b>到场</b>")
    assert refused.status_code == 422
    assert "截止日已经过了" in refused.text
    assert "须&lt;b&gt;到场&lt;/b&gt;" in refused.text
    assert "产权归属" in refused.text  # told by the demand, not asked again


def test_a_call_is_played_in_the_browser(visitor, demo, demand, owner, other):
    sign_in(visitor, owner)
    no = opened(visitor, demand)
    client, _institute = other
    shown = client.get(f"/demands/{demand.no}").text
    assert f"/calls/{no}/answer" in shown
    address = f"/calls/{no}/answer"
    refused = post(client, address, address, do="send", **{**WORDS, "price": "-3"})
    assert refused.status_code == 422
    assert 'value="-3"' in refused.text
    again = client.get(address).text
    assert 'value="-3"' in again  # kept on the other side of the line too
    sent = post(client, address, address, do="send", **WORDS)
    assert sent.status_code == 303
    assert "已送到需求方" in client.get(sent.headers["Location"]).text
    page = visitor.get(f"/calls/{no}").text
    assert "甲研究所" in page
    assert "现在不密封" in page
    assert "甲研究所" not in client.get(f"/demands/{demand.no}").text
    _pass_deadline(no)
    assert "已截止" in client.get(f"/demands/{demand.no}").text
    answer_no = sent.headers["Location"].split("/")[2].split("?")[0]
    wrong = post(visitor, f"/calls/{no}", f"/calls/{no}/choose", reason="方案好")
    assert wrong.status_code == 422
    assert "方案好" in wrong.text
    values = {"reason": "方案好", "answers": answer_no}
    assert post(visitor, f"/calls/{no}", f"/calls/{no}/choose", **values).status_code == 303
    assert "甲研究所" in visitor.get(f"/en/demands/{demand.no}").text  # the result is shown


def _pass_deadline(no):
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        past = clock.today() - timedelta(days=1)
        db.session.execute(update(Call).where(Call.no == no).values(deadline=past))


def test_a_late_answer_is_told_and_kept(visitor, demand, owner, other):
    sign_in(visitor, owner)
    no = opened(visitor, demand)
    client, institute = other
    address = f"/calls/{no}/answer"
    token = token_of(client.get(address))
    _pass_deadline(no)
    late = client.post(address, data={"csrf_token": token, "do": "send", **WORDS})
    assert late.status_code == 409
    assert "24:00 截止" in late.text
    assert "先取样" in late.text
    db.session.rollback()
    call = db.session.scalars(select(Call).where(Call.no == no)).one()
    assert queries.own_answer(call, institute).typed["approach"] == "先取样"
    file = (io.BytesIO(b"%PDF-1.4 late"), "方案.pdf")
    more = {"csrf_token": token, "do": "send", **WORDS, "approach": "改了再发", "file": file}
    late = client.post(address, data=more, content_type="multipart/form-data")
    assert late.status_code == 409
    assert "应答没有送出" in late.text
    assert "改了再发" in late.text


def test_fifty_thousand_characters_are_refused_and_kept(visitor, demand, owner, other):
    sign_in(visitor, owner)
    no = opened(visitor, demand)
    client, institute = other
    address = f"/calls/{no}/answer"
    values = {**WORDS, "approach": "长" * 50_000}
    assert post(client, address, address, do="send", **values).status_code == 422
    db.session.rollback()
    call = db.session.scalars(select(Call).where(Call.no == no)).one()
    assert len(queries.own_answer(call, institute).typed["approach"]) == 50_000


def test_autosave_keeps_and_tells_the_version(visitor, demand, owner, other):
    sign_in(visitor, owner)
    no = opened(visitor, demand)
    client, _institute = other
    token = token_of(client.get(f"/calls/{no}/answer"))
    data = {"csrf_token": token, "approach": "半句"}
    saved = client.post(f"/calls/{no}/answer/save", data=data)
    assert saved.json["lock_version"] >= 1
    assert "半句" in client.get(f"/calls/{no}/answer").text
    assert client.post(f"/calls/{no}/answer/save", data={}).status_code == 400


def test_one_does_not_answer_oneself_nor_without_an_organisation(visitor, demand, owner):
    sign_in(visitor, owner)
    no = opened(visitor, demand)
    refused = visitor.get(f"/calls/{no}/answer")
    assert refused.status_code == 403
    assert "不能由本单位应答" in refused.text
    sign_in(visitor, people.person())
    assert visitor.get(f"/calls/{no}/answer").status_code == 403
    assert visitor.get("/calls/JB2026999999/answer").status_code == 404


def test_lists(visitor, demo):
    call = of_state("open")
    sign_in(visitor, people.person(("owner", call.owner_id)))
    assert call.no in visitor.get("/my/calls").text
    assert visitor.get("/my/calls?tab=answers").status_code == 200
    sign_in(visitor, people.person(("county", None, call.region.code)))
    assert call.no in visitor.get("/desk/calls").text


def bearer(organisation_id, *scopes):
    """A program's key for an organisation, as a header."""
    word = f"test-token-{organisation_id}-{len(scopes)}-padding-padding"
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.add(
            ApiToken(
                organisation_id=organisation_id,
                role="editor",
                label="试验",
                hint="test",
                token_hash=sessions.hashed(word),
                scopes=[*scopes, "matching:call", "matching:call_answer"],
                created_at=clock.now(),
                created_by="测试",
                expires_at=clock.now() + timedelta(days=30),
            )
        )
    return {"Authorization": f"Bearer {word}"}


def test_programs_do_the_same(visitor, demo, demand, owner, other):
    _client, institute = other
    ours = bearer(demand.owner_id)
    theirs = bearer(institute)
    api = demo.test_client()
    body = {"demand": demand.no, "deadline": in_days(3)}
    key = {"Idempotency-Key": "one"}
    made = api.post("/api/v1/calls", json=body, headers={**ours, **key})
    assert made.status_code == 201
    assert api.post("/api/v1/calls", json=body, headers={**ours, **key}).json == made.json
    address = made.headers["Location"]
    tag = {"If-Match": api.get(address, headers=ours).headers["ETag"]}
    act = {"action": "open"}
    assert api.post(f"{address}/actions", json=act, headers=ours).status_code == 428
    assert api.post(f"{address}/actions", json=act, headers={**ours, **tag}).status_code == 200
    assert api.post(f"{address}/actions", json=act, headers={**ours, **tag}).status_code == 412
    assert api.get(address).json["state"] == "open"  # everybody may read it
    sent = {"call": made.json["no"], "approach": "甲", "months": 3, "team": "乙"}
    wrong = api.post("/api/v1/call-answers", json={**sent, "price_fen": -1}, headers=theirs)
    assert wrong.status_code == 422
    answer = api.post("/api/v1/call-answers", json={**sent, "price_fen": 105}, headers=theirs)
    assert answer.status_code == 201
    assert answer.json["price_fen"] == 105
    received = api.get(f"{address}/answers", headers=ours).json
    assert [one["no"] for one in received["items"]] == [answer.json["no"]]
    assert api.get(f"{address}/answers", headers=theirs).status_code in {403, 404}
    (listed,) = api.get("/api/v1/calls", headers=ours).json["items"]
    assert listed["no"] == made.json["no"]
    (listed,) = api.get("/api/v1/call-answers", headers=theirs).json["items"]
    assert listed["approach"] == "甲"
    own = answer.headers["Location"]
    tag = {"If-Match": api.get(own, headers=theirs).headers["ETag"]}
    assert api.delete(own, headers={**theirs, **tag}).json["state"] == "withdrawn"


def test_programs_choose_under_a_notice_and_finish(visitor, demo, demand, owner, other):
    _client, institute = other
    ours, api = bearer(demand.owner_id), demo.test_client()
    more = bearer(demand.owner_id, "notices:notice", "catalogue:listing")
    body = {"demand": demand.no, "deadline": in_days(3), "wants_notice": True}
    made = api.post("/api/v1/calls", json=body, headers=ours)
    assert (made.json["shows_result"], made.json["notice"]) == (True, None)
    address = made.headers["Location"]

    def act(headers, action, **values):
        tag = {"If-Match": api.get(address, headers=headers).headers["ETag"]}
        values = {"action": action, **values}
        return api.post(f"{address}/actions", json=values, headers={**headers, **tag})

    assert act(ours, "open").status_code == 200
    sent = {"call": made.json["no"], "approach": "甲", "months": 3, "team": "乙"}
    answer = api.post("/api/v1/call-answers", json=sent, headers=bearer(institute)).json["no"]
    _pass_deadline(made.json["no"])
    chosen = {"answers": [answer], "reason": "方案可行"}
    assert act(ours, "choose", **chosen).status_code == 403  # may not put up notices
    proposed = act(more, "choose", **chosen).json
    assert (proposed["state"], proposed["notice"][:2]) == ("proposed", "GS")
    public = api.get(address).json  # a draft is nobody else's business
    assert (public["state"], public["notice"], public["decision"]) == ("proposed", None, None)
    assert act(more, "confirm").status_code == 409
    page = sign_in(visitor, owner).get(f"/calls/{made.json['no']}").text
    assert f"/my/notices/{proposed['notice']}" in page
    assert "方案可行" in visitor.get(f"/my/notices/{proposed['notice']}").text
    assert act(more, "rechoose", reason="换一家").json["state"] == "closed"


def test_a_demand_that_is_called_is_marked_and_found_by_it(visitor, demo):
    called = of_state("open")
    until = called.deadline.isoformat()
    for page in ("/search?call=open", "/en/search?call=open"):
        text = visitor.get(page).text
        assert called.listing.no in text
        assert of_state("closed").listing.no not in text
        assert f'datetime="{until}"' in text
    found = visitor.get("/api/v1/search?call=open").json
    assert [(one["no"], one["call_until"]) for one in found["items"]] == [
        (called.listing.no, until)
    ]
    assert [one["value"] for one in found["facets"]["call"]] == ["open"]
    assert 'term="call"' in visitor.get("/feed.atom?call=open").text
    assert until in visitor.get("/search.csv?call=open").text
    address = f"/demands/{called.listing.no}"
    assert "截止日 <time" in visitor.get(address).text
    assert visitor.get(f"/api/v1{address}").json["call_until"] == until
    _pass_deadline(called.no)
    service.close_over()
    assert "截止日 <time" not in visitor.get(address).text
