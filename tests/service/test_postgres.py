"""The same migrations and the same unit of work on PostgreSQL."""

import pytest

from market.app import create_app
from market.core import migrate, numbers
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.unit_of_work import unit_of_work
from market.core.worker import NODES
from tests import postgres
from tests.conftest import lacking, settings_in

pytestmark = [pytest.mark.postgres, pytest.mark.long]


@pytest.fixture(scope="module")
def address():
    if not postgres.available():
        lacking("PostgreSQL 15", postgres.HOW)
    with postgres.server() as template:
        yield template.format("postgres")


def test_schema_and_writes(address, tmp_path):
    settings = settings_in(tmp_path, MARKET_DATABASE_URL=address)
    migrate.upgrade(settings)
    migrate.check(settings)
    with create_app(settings).app_context():
        with unit_of_work(SYSTEM) as work:
            work.require(NODES)
            assert list(numbers.take("CG", 3)) == [1, 2, 3]
        db.session.remove()
        db.engine.dispose()
