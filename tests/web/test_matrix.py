"""Every route × every role, walked from the URL map: who is let in, who is not, and that nothing
is ever written by a form that this site did not hand out."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event, select

from market.accounts.people import sessions
from market.accounts.people.models import Person, RoleGrant
from market.accounts.roles import ROLES
from market.core.db import db
from market.core.http import permission_of
from market.core.models import WorkItem
from market.core.permissions import PUBLIC, policy
from tests import people

VISITOR = "visitor"
# Samples for the variable parts of addresses; what is not named here is a number nobody has.
SAMPLES = {
    "/achievements/<string:no>": {"no": "CG2026000001"},
    "/demands/<string:no>": {"no": "XQ2026000001"},
    "/organisations/<string:no>": {"no": "DW2026000048"},
    "/notices/<string:no>": {"no": "GS2026000001"},
    "/announcements/<string:no>": {"no": "GG2026000001"},
    "/api/v1/notices/<string:no>": {"no": "GS2026000001"},
    "/regions/<string:code>": {"code": "511402"},
    "/post/<string:side>": {"side": "demand"},
    "/templates/<string:kind>": {"kind": "demands"},
    "/api/v1/taxonomies/<string:scheme>": {"scheme": "field"},
}
NOWHERE = {"string": "X0", "int": 999_999, "path": "x"}
# Tables that a refused form may touch: what was typed is kept, how often is counted, who was there.
HARMLESS = {"kept_form", "limit_hit", "login_session", "person", "api_token"}
# Every program may ask it, whatever its scopes; who brings no token is told to bring one.
FOR_EVERY_TOKEN = {"tokens.me"}
# Posts that carry their own proof in the address instead of a form token (RFC 8058).
OWN_PROOF = {"notifications.unsubscribe_now"}


def holders():
    """One demonstration account for each role, by role; and somebody without any."""
    found = {"": db.session.scalars(select(Person).where(Person.name.contains("新人"))).one()}
    for grant in db.session.scalars(select(RoleGrant).order_by(RoleGrant.id)):
        found.setdefault(grant.role, grant.person)
    return found


def address(rule):
    """The rule's address with samples in its variable parts."""
    text = rule.rule
    for start, values in SAMPLES.items():
        if text.startswith(start):
            for name, value in values.items():
                text = re.sub(rf"<[^<>]*\b{name}>", value, text)
    text = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", text)
    return re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>", lambda m: str(NOWHERE[m[1] or "string"]), text)


def routes(app, method, role):
    """(endpoint, address, permission) of all that answers this method.

    Operations of the API know tokens alone; that a session opens none of them is asked once, as
    the office of a county. role: None for pages alone.
    """
    rows = {
        (rule.endpoint, address(rule), permission_of(app, rule.endpoint))
        for rule in app.url_map.iter_rules()
        if method in rule.methods and rule.endpoint != "static_files.serve"
    }
    everything = role in (VISITOR, "county")
    return sorted(row for row in rows if everything or not row[1].startswith("/api/"))


def clients(app):
    """(role, actor, client) for a visitor and for each role."""
    yield VISITOR, PUBLIC, app.test_client()
    for role, person in holders().items():
        actor = sessions.actor_of(person)
        yield role or "nobody", actor, people.sign_in(app.test_client(), person)


def refused(response, role, path):
    """Whether an answer is what somebody gets who is not let in."""
    if path.startswith("/api/"):
        return response.status_code == 401
    if role == VISITOR:
        return response.status_code == 303 and "/login" in response.location
    return response.status_code == 403


@pytest.fixture
def written(demo):
    """Tables written to since the last `clear()`."""
    seen: set[str] = set()

    def note(_connection, _cursor, statement, _parameters, _context, _many):
        if found := re.match(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)', statement, re.I):
            seen.add(found[1])

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def test_every_role_has_a_demonstration_account(demo):
    assert set(holders()) == {"", *ROLES}


def test_every_declared_role_is_known():
    # Who holds the address of his inquiry may follow it; that is granted to nobody.
    known = {*ROLES, "public", "person", "asker_by_address"}
    unknown = {name: set(rule) - known for name, rule in policy.rules.items() if set(rule) - known}
    assert unknown == {}


def test_pages_let_in_whom_the_policy_lets_in_and_reading_writes_nothing(demo, written):
    wrong = []
    for role, actor, client in clients(demo):
        for endpoint, path, permission in routes(demo, "GET", role):
            api = path.startswith("/api/")
            allowed = policy.allows(PUBLIC if api else actor, permission)
            written.clear()
            response = client.get(path)
            if written:
                wrong.append((role, endpoint, path, sorted(written)))
            if response.status_code >= 500 and response.status_code != 503:
                wrong.append((role, endpoint, path, response.status_code))
            if refused(response, role, path) == allowed and endpoint not in FOR_EVERY_TOKEN:
                wrong.append((role, endpoint, path, permission, response.status_code))
    assert wrong == []


@pytest.mark.long
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_is_written_without_a_token_of_ours(demo, written, method):
    wrong = []
    for role, actor, client in clients(demo):
        for endpoint, path, permission in routes(demo, method, role):
            written.clear()
            response = client.open(path, method=method, data={"title": "甲", "reason": "乙"})
            if written - HARMLESS and endpoint not in OWN_PROOF:
                wrong.append((role, endpoint, sorted(written - HARMLESS)))
            api = path.startswith("/api/")
            if not policy.allows(PUBLIC if api else actor, permission):
                if not refused(response, role, path):
                    wrong.append((role, endpoint, permission, response.status_code))
            elif response.status_code < 400 and not response.location:
                wrong.append((role, endpoint, "taken", response.status_code))
    assert wrong == []


def test_numbers_that_no_database_takes_are_not_found(demo):
    client = people.sign_in(demo.test_client(), holders()["county"])
    for path in (f"/desk/bulk/{2**63}", f"/my/messages/{10**30}/read"):
        response = client.open(path, method="POST" if "read" in path else "GET")
        assert response.status_code == 404
    assert client.get(f"/desk/bulk/{2**63 - 1}").status_code == 404


def test_who_sees_a_case_on_his_desk_may_open_it(demo):
    """Desks and 我的事项 name nothing, not even by its title, that their reader may not read."""
    wrong, opened = [], 0
    for role, actor, client in clients(demo):
        seen = policy.where(actor, "monitoring:work_item:read", WorkItem)
        for item in db.session.scalars(select(WorkItem).where(seen)).all():
            status = client.get(item.url).status_code
            opened += 1
            if status != 200:
                wrong.append((role, item.url, item.state, status))
    assert wrong == []
    assert opened > 50
