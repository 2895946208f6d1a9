"""The API is whole: each page act has an operation, each write its header, each refusal its document."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from sqlalchemy import select

from market.accounts.people import tokens
from market.core.api_writes import writes_of
from market.core.db import db
from market.core.http import permission_of
from market.core.models import OnceKey
from market.core.permissions import policy
from tests import people
from tests.web.test_api import API
from tests.web.test_desk import token_for

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
# Writes that ask for no If-Match and take no Idempotency-Key, and why.
PLAIN = {
    "readInquiryContact": "reads",
    "readReportContact": "reads",
    "readDispatchContact": "reads",
    "readFirmContact": "reads",
    "readObjectionContact": "reads",
    "readSpecialistContact": "reads",
    "readContractSheet": "reads",
    "readVoucherAccount": "reads",
    "readVoucherBatchAccounts": "reads",
    "unmaskIntake": "reads",
    "unmaskVerification": "reads",
    "revokeToken": "a leaked token is ended at once; there is nothing else it could mean",
    "undoBulkAction": "many at once; each is compared and answered for itself",
}
# Made under an object that is there, without asking which version of it, and why.
MADE_UNDER = {
    "editListing": "what is public stays as it is; an edit that is open is answered again",
    "inviteMember": "an invitation changes nothing of the organisation",
    "addDraftFile": "what is there stays; the draft's version moves on, so who looked must look again",
    "addNoticeFile": "what is there stays; the draft's version moves on, so who looked must look again",
    "addAnnouncementFile": "as a draft's file",
    "addCallFile": "as a draft's file",
    "addContractFile": "as a draft's file",
    "addVoucherClaimFile": "as a draft's file",
    "openVoucherAward": "a case of its own; the scheme stays, and what was asked for is refused (409)",
    "addCallAnswerFile": "as a draft's file; what was sent stays as it is",
    "addServicePointStaff": "an entry that is added; nothing that stands there changes",
    "submitVerification": "a hand-in of its own; while one is looked at it is refused (409)",
    "actOnWorkItems": "many at once; each is compared and answered for itself",
    "addContractOpinion": "a line that is added; the case's version moves on",
    "enableContractRules": "a row of the area's own; the text stays as it is",
    "sendDispatches": "new cases; the demand stays as it is, and an open one is refused (409)",
    "escalateDemand": "a case of its own; the demand stays as it is",
    "logDispatch": "a line that is added; nothing that stands there changes",
    "logFirm": "a line that is added; nothing that stands there changes",
    "askContractChange": "a case of its own; the contract stays, and an open one is refused (409)",
    "addContractChangeFile": "as a draft's file",
    "addContractReceipt": "a row that is added; nothing that stands there changes",
    "uploadIntentFile": "nobody sees it before the offer that names it",
}


def tables():
    """The tables of docs/api.md: page → operations; page → reason."""
    told = re.split(r"^## .*$", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    told = [part for part in told if re.search(r"^\| ", part, re.MULTILINE)]
    assert len(told) == 2  # a list of what is still missing would be a third
    acts, stay = (re.findall(r"^\| `([^`]+)` \| (.+) \|$", part, re.MULTILINE) for part in told)
    return {page: re.findall(r"`(\w+)`", names) for page, names in acts}, dict(stay)


@pytest.fixture
def document(client):
    return client.get(f"{API}/openapi.json").json


def operations(document):
    """(path, method, operation) of all that the document names."""
    return [
        (path, method, one)
        for path, methods in document["paths"].items()
        for method, one in methods.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]


def writing(app):
    """Operation id by its name in the document → its view."""
    found = {}
    for rule in app.url_map.iter_rules():
        if str(rule).startswith(API) and rule.methods & {"POST", "PUT", "PATCH", "DELETE"}:
            view = app.view_functions[rule.endpoint]
            found[view._apidoc["manual_doc"]["operationId"]] = (rule, view)
    return found


def test_each_page_act_has_an_operation_or_a_reason(app, document):
    acts, stay = tables()
    posts = {
        str(rule)
        for rule in app.url_map.iter_rules()
        if "POST" in rule.methods and not str(rule).startswith("/api/")
    }
    assert set(acts) | set(stay) == posts
    assert set(acts) & set(stay) == set()
    assert all(len(reason) > 5 for reason in stay.values())
    # Why a program may not, never that it cannot yet.
    assert not [reason for reason in stay.values() if re.search("目前|暂|以后|还没有", reason)]
    known = {one["operationId"] for _path, _method, one in operations(document)}
    named = {name for names in acts.values() for name in names}
    assert all(acts.values())
    assert named - known == set()
    writes = set(writing(app))
    assert writes - named == set()


def test_each_write_is_an_edit_or_makes_something(app):
    marks = {name: writes_of(view) for name, (_rule, view) in writing(app).items()}
    assert {name for name, found in marks.items() if not found} == set(PLAIN)
    for name, (rule, _view) in writing(app).items():
        if "creates" in marks[name]:
            continue
        assert name in PLAIN or "edits" in marks[name], rule
    under = {
        name
        for name, (rule, _view) in writing(app).items()
        if marks[name] == {"creates"} and ("<" in str(rule) or "/me/" in str(rule))
    }
    assert under | {"actOnWorkItems"} == set(MADE_UNDER)


def _asks(view, words):
    """Whether a view, or a function of its file that it calls, calls one of these."""
    todo, seen = [inspect.unwrap(view).__code__], set()
    around = inspect.unwrap(view).__globals__
    while todo:
        code = todo.pop()
        todo += [one for one in code.co_consts if isinstance(one, CodeType)]
        for name in set(code.co_names) - seen:
            called = around.get(name)
            if isinstance(called, FunctionType) and called.__globals__ is around:
                todo.append(called.__code__)
        seen |= set(code.co_names)
    return bool(seen & words)


def test_each_edit_compares_and_each_create_remembers(app):
    for name, (_rule, view) in writing(app).items():
        marks = writes_of(view)
        compares = _asks(view, {"require_match", "as_seen"})
        assert compares == ("edits" in marks), name
        assert _asks(view, {"create_once", "add_once"}) == ("creates" in marks), name


def test_refusals_are_documented(app, document):
    marks = {name: writes_of(view) for name, (_rule, view) in writing(app).items()}
    for path, method, one in operations(document):
        name, said = one["operationId"], set(one["responses"])
        headers = {
            each["name"]: each for each in one.get("parameters", ()) if each["in"] == "header"
        }
        if one.get("security"):
            assert {"401", "403"} <= said, name
        if "{" in path:
            assert "404" in said, name
        if "edits" in marks.get(name, ()):
            assert {"409", "412", "428"} <= said, name
            assert headers["If-Match"]["required"], name
        if "creates" in marks.get(name, ()):
            assert "409" in said, name
            assert "Idempotency-Key" in headers, name
        assert method == "get" or one.get("security") or name in {"createReport", "createInquiry"}


def test_an_operation_without_token_says_so(client, document):
    """What is documented without a token answers without; the others refuse."""
    for path, method, one in operations(document):
        address = re.sub(r"\{\w+\}", "1", path)
        answer = client.open(address, method=method.upper(), json={} if method != "get" else None)
        assert (answer.status_code == 401) == bool(one.get("security")), one["operationId"]


def test_edits_without_a_version_are_refused_before_anything_else(app, client):

    office = people.organisation("省科技厅", kind="office", code="510000")
    scopes = sorted({view.permission for _rule, view in writing(app).values()})
    heads = [
        token_for(office, "province", scopes, "510000"),
        token_for(people.organisation("甲"), "owner", scopes),
        token_for(people.organisation("乙"), "second_examiner", scopes),
    ]
    for name, (rule, view) in writing(app).items():
        if "edits" not in writes_of(view):
            continue
        address = re.sub(r"<(?:\w+:)?\w+>", "1", str(rule))
        method = (rule.methods & {"POST", "PUT", "PATCH", "DELETE"}).pop()
        codes = {
            client.open(address, method=method, json={}, headers=head).status_code for head in heads
        }
        assert 428 in codes, name
        assert codes <= {428, 403}, name


def test_a_token_can_be_given_all_that_programs_do(app):
    needed = {
        permission.rsplit(":", 1)[0]
        for rule in app.url_map.iter_rules()
        if str(rule).startswith(API)
        and "public" not in policy.rules[permission := permission_of(app, rule.endpoint)]
    }
    assert needed - set(tokens.offered()) == set()


def test_visitors_at_two_addresses_have_keys_of_their_own(demo):
    body = {"listing": "CG2026000001", "reason": "other", "text": "电话打不通"}
    client = demo.test_client()

    def report(address):
        answer = client.post(
            f"{API}/reports",
            json=body,
            headers={"Idempotency-Key": "1"},
            environ_base={"REMOTE_ADDR": address},
        )
        assert answer.status_code == 201, answer.json
        return answer.json["no"]

    mine = report("203.0.113.7")
    assert report("203.0.113.7") == mine
    assert report("203.0.113.8") != mine
    db.session.rollback()
    kept = db.session.scalars(select(OnceKey.answer)).all()
    assert len(kept) == 2
    assert not any(mine in answer for answer in kept)
