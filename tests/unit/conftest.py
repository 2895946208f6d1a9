"""Unit tests get no database."""

import pytest


@pytest.fixture
def app():
    pytest.fail("a unit test uses no application and no database")
