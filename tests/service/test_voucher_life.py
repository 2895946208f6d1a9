"""Any order of acts leaves the money of vouchers true: a state machine over their whole life."""

import gc

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from market.core.db import db
from tests.service.voucher_life import BEGIN, Cast, Life


@pytest.fixture
def life(app):
    if db.engine.dialect.name == "sqlite":
        connection = db.engine.raw_connection()  # the only one of the pool, without a transaction
        connection.cursor().execute("PRAGMA synchronous = OFF")
        connection.close()
    with time_machine.travel(BEGIN, tick=False):
        Life.cast = Cast()
    gc.freeze()  # what the application is made of need not be looked through again and again
    yield Life
    gc.unfreeze()


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
    lived(life, 2000, 20)
