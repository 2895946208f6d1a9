"""Inquiries through the API: both sides, versions, sent once."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select

from market.accounts.people import sessions
from market.accounts.people.models import ApiToken
from market.catalogue.models import Listing
from market.core import clock
from market.core.db import db
from market.core.permissions import PUBLIC, SYSTEM
from market.core.unit_of_work import unit_of_work
from market.matching import inquiring
from market.matching.models import Inquiry
from tests import people

API = "/api/v1/inquiries"
NO = "CG2026000001"


@pytest.fixture
def prepared_demo(prepared_quiet):
    """Nothing happened yet: what is found is what a test made."""
    return prepared_quiet


@pytest.fixture
def token(demo):
    """Make a program's key for an organisation; returns the header."""

    def of(organisation_id, role="editor", scopes=("matching:inquiry",), region_id=None):
        word = f"test-token-{organisation_id}-{role}-{len(scopes)}-padding"
        now = clock.now()
        with unit_of_work(SYSTEM) as work:
            work.require(people.MAKE)
            row = ApiToken(
                organisation_id=organisation_id,
                role=role,
                label="试验",
                hint="test",
                token_hash=sessions.hashed(word),
                scopes=list(scopes),
                region_id=region_id,
                created_at=now,
                created_by="测试",
                expires_at=now.replace(year=now.year + 1),
            )
            db.session.add(row)
        return {"Authorization": f"Bearer {word}"}

    return of


@pytest.fixture
def owner_id(demo):
    return db.session.scalar(select(Listing.owner_id).where(Listing.no == NO))


@pytest.fixture
def owner(token, owner_id):
    return token(owner_id)


@pytest.fixture
def asker(token):
    return token(people.organisation("需求方公司"))


@pytest.fixture
def api(demo):
    return demo.test_client()


def ask(api, asker, **more):
    body = {"listing": NO, "text": "能不能先试用？"}
    return api.post(API, json=body, headers=asker | more)


def test_asked_answered_closed(api, owner, asker):
    made = ask(api, asker)
    assert made.status_code == 201
    where = made.headers["Location"]
    assert (made.json["side"], made.json["asker"]) == ("asker", "需求方公司")
    assert {one["action"] for one in made.json["actions"]} == {"write", "close", "withdraw"}
    read = api.get(where, headers=owner)
    assert read.json["side"] == "owner"
    tag = {"If-Match": read.headers["ETag"]}
    answered = api.post(f"{where}/messages", json={"text": "可以。"}, headers=owner | tag)
    assert answered.json["state"] == "answered"
    assert [one["side"] for one in answered.json["messages"]] == ["asker", "owner"]
    stale = api.post(f"{where}/close", json={"outcome": "solved"}, headers=asker | tag)
    assert stale.status_code == 412
    tag = {"If-Match": answered.headers["ETag"]}
    body = {"outcome": "solved", "amount_fen": 100}
    closed = api.post(f"{where}/close", json=body, headers=asker | tag)
    assert (closed.json["state"], closed.json["outcome_amount_fen"]) == ("closed", 100)
    tag = {"If-Match": closed.headers["ETag"]}
    opened = api.post(f"{where}/actions", json={"action": "reopen"}, headers=asker | tag)
    assert opened.json["state"] == "new"


def test_the_same_key_asks_once(api, asker):
    key = {"Idempotency-Key": "k-1"}
    first, second = ask(api, asker, **key), ask(api, asker, **key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert json.loads(first.text) == json.loads(second.text)
    assert db.session.scalar(select(func.count()).select_from(Inquiry)) == 1


def test_lists_hold_the_own_of_each_side(api, owner, asker, token):
    no = ask(api, asker).json["no"]
    for headers, side in ((owner, "received"), (asker, "sent")):
        found = api.get(f"{API}?side={side}", headers=headers).json
        assert (found["total"], [one["no"] for one in found["items"]]) == (1, [no])
        assert api.get(f"{API}?state=closed", headers=headers).json["total"] == 0
    assert api.get(f"{API}?side=sent", headers=owner).json["total"] == 0
    stranger = token(people.organisation("旁人"))
    assert api.get(API, headers=stranger).json["total"] == 0
    assert api.get(f"{API}/{no}", headers=stranger).status_code == 404
    tag = {"If-Match": "*"}
    guessed = api.post(f"{API}/{no}/messages", json={"text": "猜"}, headers=stranger | tag)
    assert guessed.status_code == 404


@pytest.mark.parametrize(
    ("place", "body", "status"),
    [
        ("messages", {"text": ""}, 422),
        ("messages", {"text": "长" * 50_000}, 422),
        ("messages", {"text": "好", "more": 1}, 422),
        ("close", {"outcome": "perhaps"}, 422),
        ("close", {"outcome": "elsewhere"}, 422),
        ("close", {"outcome": "solved", "amount_fen": -1}, 422),
        ("close", {"outcome": "solved", "amount_fen": 1.5}, 422),
        ("actions", {"action": "fly"}, 422),
        ("actions", {"action": "withdraw"}, 403),
        ("actions", {"action": "remove"}, 422),
        ("actions", {"action": "restore"}, 409),
    ],
)
def test_wrong_input_is_told(api, owner, asker, place, body, status):
    no = ask(api, asker).json["no"]
    answer = api.post(f"{API}/{no}/{place}", json=body, headers=owner | {"If-Match": "*"})
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"


def test_edits_say_which_version_they_mean(api, owner, asker):
    no = ask(api, asker).json["no"]
    answer = api.post(f"{API}/{no}/messages", json={"text": "好"}, headers=owner)
    assert answer.status_code == 428


def test_without_a_token_or_its_scope_nothing_is_read(api, owner_id, token):
    assert api.get(API).status_code == 401
    assert api.post(API, json={"listing": NO, "text": "问"}).status_code == 401
    other = token(owner_id, scopes=("catalogue:listing",))
    assert api.get(API, headers=other).status_code == 403


def test_contacts_of_visitors_are_read_by_the_owner_only(api, owner, asker):
    values = {"name": "李四", "contact": "13812341234", "text": "问"}
    visitor = inquiring.visitor(values)
    no = inquiring.ask(PUBLIC, "achievement", NO, visitor, values)
    read = api.get(f"{API}/{no}", headers=owner)
    assert "13812341234" not in read.text
    assert api.post(f"{API}/{no}/contact", json={}, headers=owner).status_code == 422
    shown = api.post(f"{API}/{no}/contact", json={"reason": "打电话"}, headers=owner)
    assert shown.json == {"name": "李四", "telephone": "13812341234", "email": ""}
    assert api.post(f"{API}/{no}/contact", json={}, headers=asker).status_code == 404
