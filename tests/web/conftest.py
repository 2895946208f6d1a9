"""Every HTML answer in a web test is parsed: broken markup fails the test."""

from __future__ import annotations

from collections import Counter

import html5lib
import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from market.core.db import db


def check_html(text):
    """Parse strictly, look for what the parser does not see; returns the tree."""
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    ids = Counter(element.get("id") for element in tree.iter() if element.get("id"))
    assert [name for name, count in ids.items() if count > 1] == []
    named = {element.get("for") for element in tree.iter("label")}
    wrapped = {field for label in tree.iter("label") for field in label.iter()}
    for field in [*tree.iter("input"), *tree.iter("select"), *tree.iter("textarea")]:
        if field.get("type") not in {"hidden", "submit"}:
            labelled = field.get("id") in named or field.get("aria-label") or field in wrapped
            assert labelled, f"a field without a label: {field.attrib}"
    for image in tree.iter("img"):
        assert image.get("alt") is not None
    return tree


class ParsingClient(FlaskClient):
    """A browser without scripts that refuses broken pages."""

    def open(self, *args, **kwargs):
        response = super().open(*args, **kwargs)
        if response.mimetype == "text/html" and response.text:
            check_html(response.text)
        return response


@pytest.fixture
def client(app):
    app.test_client_class = ParsingClient
    return app.test_client()


@pytest.fixture
def visitor(demo):
    """A reader of the demonstration site."""
    demo.test_client_class = ParsingClient
    return demo.test_client()


@pytest.fixture
def statements(demo):
    """The SQL statements since the last `clear()`."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, _parameters, _context, _many):
        if statement.split(maxsplit=1)[0] in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}:
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)
