"""Every HTML answer in a web test is parsed: broken markup fails the test."""

import html5lib
import pytest


def check_html(text):
    """Parse strictly; returns the tree."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(text)


@pytest.fixture
def client(app):
    from flask.testing import FlaskClient

    class ParsingClient(FlaskClient):
        def open(self, *args, **kwargs):
            response = super().open(*args, **kwargs)
            if response.mimetype == "text/html" and response.text:
                check_html(response.text)
            return response

    app.test_client_class = ParsingClient
    return app.test_client()
