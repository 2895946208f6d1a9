"""Any order of acts leaves the money of vouchers true: a state machine over their whole life."""

import gc
import os

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from market.core.db import db
from tests import vouchers
from tests.service.voucher_life import BEGIN, Cast, Life
from tests.service.voucher_positions import Positions

LONG_STEPS = int(os.environ.get("MARKET_LIFE_STEPS", "6"))  # of each of the two thousand lives


@pytest.fixture
def life(app):
    with time_machine.travel(BEGIN, tick=False):
        Life.cast = Cast()
    if db.engine.dialect.name == "sqlite":
        Life.positions = Positions(vouchers.COUNTY)
        Life.positions.keep("cast", None)
    gc.freeze()  # what the application is made of need not be looked through again and again
    yield Life
    gc.unfreeze()
    if Life.positions is not None:
        Life.positions.close()
        Life.positions = None


def lived(machine, runs, steps):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs, stateful_step_count=steps, derandomize=True, deadline=None,
            database=None, suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )  # fmt: skip


def test_money_is_true_after_every_step(life):
    lived(life, 300, 3)


@pytest.mark.long
def test_money_is_true_after_every_step_of_two_thousand_lives(life):
    if life.positions is None:
        pytest.skip("one hand alone: what PostgreSQL adds are locks, which the 300 lives pass too")
    lived(life, 2000, LONG_STEPS)
