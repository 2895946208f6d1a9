"""An instance to restore a backup into."""

import shutil

import pytest

from tests import postgres
from tests.conftest import lacking


@pytest.fixture
def empty(store, tmp_path):
    """Settings of an instance without anything."""
    if store.name == "postgres" and shutil.which("pg_dump") is None:
        lacking("pg_dump", postgres.HOW)
    made = store.fresh(tmp_path / "new")
    yield made
    store.drop(made)
