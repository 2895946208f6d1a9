"""Tokens of organisations: who makes them, what they may do, when they end."""

from __future__ import annotations

import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import select

from market.accounts.people import tokens
from market.accounts.people.models import ApiToken
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.models import AuditEntry
from market.core.permissions import SYSTEM
from tests import people

ME, LIST = "/api/v1/me", "/api/v1/tokens"
ASKED = {"label": "成果同步", "role": "viewer", "scopes": ["accounts:token"], "days": 30}


@pytest.fixture
def own(app):
    return people.organisation("甲单位", uscc="91440300708461136T")


@pytest.fixture
def owner(own):
    return people.actor(("owner", own))


def bearer(word):
    return {"Authorization": f"Bearer {word}"}


def only():
    db.session.rollback()
    return db.session.scalars(select(ApiToken)).one()


def test_a_token_tells_who_it_is(own, owner, client):
    word = tokens.create(owner, own, ASKED)
    said = client.get(ME, headers=bearer(word))
    assert said.status_code == 200
    assert said.json["organisation"] == "甲单位"
    assert (said.json["role"], said.json["scopes"]) == ("viewer", ["accounts:token"])
    assert word not in said.text
    assert only().token_hash != word


def test_without_or_with_a_wrong_token_nobody_is_told(client, own):
    for headers in ({}, bearer("x" * 43), {"Authorization": "Basic abc"}):
        answer = client.get(ME, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert client.get(LIST, headers=headers).status_code == 401


def test_a_session_is_no_token(own, client):
    people.sign_in(client, people.person(("owner", own)))
    assert client.get(ME).status_code == 401
    assert client.get(LIST).status_code == 401


def test_only_what_its_scopes_name(own, owner, client):
    word = tokens.create(owner, own, ASKED)
    with people.unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        only_row = db.session.scalars(select(ApiToken)).one()
        only_row.scopes = ["accounts:something"]
    refused = client.get(LIST, headers=bearer(word))
    assert refused.status_code == 403
    assert "accounts:token" in refused.json["detail"]  # a program's author sees what to ask for
    assert client.get(ME, headers=bearer(word)).status_code == 200


def test_tokens_of_the_own_organisation_only(own, owner, client):
    other = people.organisation("乙单位")
    foreign = tokens.create(people.actor(("owner", other)), other, ASKED)
    word = tokens.create(owner, own, {**ASKED, "role": "editor"})
    listed = client.get(LIST, headers=bearer(word)).json
    assert [one["label"] for one in listed["items"]] == ["成果同步"]
    assert listed["total"] == 1
    theirs = client.get(ME, headers=bearer(foreign)).json["id"]
    for number in (theirs, "0", "x", "9" * 30):
        assert client.delete(f"{LIST}/{number}", headers=bearer(word)).status_code == 404
    mine = listed["items"][0]["id"]
    assert client.delete(f"{LIST}/{mine}", headers=bearer(word)).status_code == 204
    assert client.get(ME, headers=bearer(word)).status_code == 401
    assert client.get(ME, headers=bearer(foreign)).status_code == 200


def test_a_reading_token_revokes_nothing(own, owner, client):
    word = tokens.create(owner, own, ASKED)
    answer = client.delete(f"{LIST}/{only().id}", headers=bearer(word))
    assert answer.status_code == 403
    assert client.get(ME, headers=bearer(word)).status_code == 200


def test_it_ends_when_it_was_said_to(own, owner, client):
    with time_machine.travel("2026-11-20T01:00:00Z", tick=False) as now:
        word = tokens.create(owner, own, {**ASKED, "days": 1})
        now.shift(86_399)
        assert client.get(ME, headers=bearer(word)).status_code == 200
        now.shift(2)
        assert client.get(ME, headers=bearer(word)).status_code == 401
        assert tokens.listed(owner)[0].state == "已到期"


def test_only_owners_make_tokens_and_for_their_own(own):
    other = people.organisation("乙单位")
    for actor in (
        people.actor(("editor", own)),
        people.actor(("owner", other)),
        people.actor(("county", None, "511402")),
    ):
        with pytest.raises(Denied):
            tokens.create(actor, own, ASKED)
        assert tokens.listed(actor) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scopes", []),
        ("scopes", ["core:api"]),
        ("scopes", ["accounts:token:read"]),
        ("role", "county"),
        ("days", 366),
        ("days", 0),
        ("label", " "),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(own, owner, field, value):
    with pytest.raises(Invalid) as refused:
        tokens.create(owner, own, {**ASKED, field: value})
    assert list(refused.value.fields) == [field]


def test_every_scope_has_words(app):
    assert tokens.offered()
    for scope, words in tokens.labels().items():
        assert scope.count(":") == 1
        assert words


def test_twenty_are_enough_and_revoking_makes_room(own, owner):
    for _number in range(20):
        tokens.create(owner, own, ASKED)
    with pytest.raises(Conflict):
        tokens.create(owner, own, ASKED)
    key = tokens.listed(owner)[0].id
    tokens.revoke(owner, key)
    with pytest.raises(Conflict):
        tokens.revoke(owner, key)
    tokens.create(owner, own, ASKED)


def test_a_foreign_token_cannot_be_revoked(own, owner):
    tokens.create(owner, own, ASKED)
    other = people.actor(("owner", people.organisation("乙单位")))
    with pytest.raises(NotFound):
        tokens.revoke(other, only().id)


def test_making_and_revoking_are_in_the_audit_without_the_token(own, owner):
    word = tokens.create(owner, own, ASKED)
    tokens.revoke(owner, only().id)
    rows = db.session.scalars(select(AuditEntry).where(AuditEntry.object_kind == "api_token")).all()
    assert [row.action for row in rows] == ["token.created", "token.revoked"]
    assert word not in str([row.after for row in rows])


def test_from_the_command_line(own, app, client):
    from market.accounts.people.cli import token

    class Context:
        pass

    Context.app = app
    run = CliRunner().invoke
    made = run(
        token,
        ["create", "--organisation", "91440300708461136T", "--scope", "accounts:token"],
        obj=Context,
    )
    assert made.exit_code == 0, made.output
    word = made.output.strip()
    assert client.get(ME, headers=bearer(word)).json["role"] == "viewer"
    listed = run(token, ["list"], obj=Context)
    assert "甲单位" in listed.output
    assert word not in listed.output
    assert run(token, ["revoke", str(only().id)], obj=Context).exit_code == 0
    db.session.rollback()
    assert client.get(ME, headers=bearer(word)).status_code == 401


def test_an_office_gives_its_role_by_an_officer_alone(client):
    office = people.organisation("科技局", kind="office")
    asked = {**ASKED, "role": "office", "scopes": ["monitoring:work_item"]}
    with pytest.raises(Denied):
        tokens.create(people.actor(("owner", office)), office, asked)
    with pytest.raises(Denied):
        tokens.create(people.actor(("owner", office), ("county", office, "511403")), office, asked)
    clerk = people.actor(("owner", office), ("county", office, "511402"))
    head = bearer(tokens.create(clerk, office, asked))
    assert client.get(ME, headers=head).json["role"] == "county"
    assert client.get("/api/v1/work-items", headers=head).status_code == 200
    assert tokens.listed(clerk)[0].role_label.startswith("县")
    raw = people.organisation("没核验的科技局", kind="office", verified=False)
    clerk = people.actor(("owner", raw), ("county", raw, "511402"))
    with pytest.raises(Invalid):
        tokens.create(clerk, raw, asked)


def test_an_owner_lets_a_program_manage_staff(own, owner, client):
    head = bearer(
        tokens.create(owner, own, {**ASKED, "role": "owner", "scopes": ["accounts:member"]})
    )
    found = client.get("/api/v1/organisations/me/members", headers=head)
    assert (found.status_code, found.json["total"]) == (200, 1)


def test_what_a_role_has_no_use_for_is_named_in_words(own, owner):
    chosen = ["accounts:officer", "catalogue:submission", "no:such"]
    with pytest.raises(Invalid) as refused:
        tokens.create(owner, own, {**ASKED, "role": "editor", "scopes": chosen})
    said = "".join(refused.value.fields["scopes"])
    assert "「编辑」用不上：「邀请和任用本级经办」。" in said
    assert "没有这一项：「no:such」。" in said
    assert "accounts:officer" not in said
    assert "填写和送出" not in said
