"""Forms that are for everybody take what somebody signed in sends, too."""

from __future__ import annotations

from contextvars import Context

import pytest

from market.core.http import permission_of
from market.core.permissions import PUBLIC, policy
from tests import people


def public_forms(app):
    """Addresses without a name in them at which everybody may both read and send."""
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.arguments or str(rule).startswith(("/api/", "/en/")):
            continue
        if policy.allows(PUBLIC, permission_of(app, rule.endpoint)):
            found.setdefault(str(rule), set()).update(rule.methods)
    return sorted(path for path, methods in found.items() if {"GET", "POST"} <= methods)


@pytest.fixture
def somebody(client):
    return people.sign_in(client, people.person(name="已登录的人"))


def test_the_token_of_the_page_is_taken(app, somebody):
    """Each request in a context of its own, as the server answers it: nothing outlives the page."""
    forms = public_forms(app)
    assert {"/claim", "/post/demand/form"} <= set(forms)
    tried = 0
    for path in forms:
        page = Context().run(somebody.get, path)
        if page.status_code != 200 or "csrf_token" not in page.text:
            continue  # who is signed in is led elsewhere
        tried += 1
        sent = {"csrf_token": people.token_of(page)}
        answer = Context().run(somebody.post, path, data=sent)
        assert answer.status_code != 400, path
        assert "打开得太久" not in answer.text, path
    assert tried >= 2


def test_a_token_of_nobody_is_refused(somebody):
    answer = Context().run(somebody.post, "/claim", data={"csrf_token": "x"})
    assert answer.status_code == 400
