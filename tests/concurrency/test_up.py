"""`market up`: from nothing to a serving site, and down again whole."""

import os
import signal
import time
from pathlib import Path

import pytest

from market.core.instance import maintenance
from tests.concurrency.conftest import descendants

pytestmark = [pytest.mark.net, pytest.mark.long]


def _gone(pids, seconds=20):
    end = time.monotonic() + seconds
    while any(os.path.exists(f"/proc/{pid}") for pid in pids):
        assert time.monotonic() < end, "processes are left over"
        time.sleep(0.1)


def test_up_serves_and_ends_cleanly(machine):
    up = machine.start("up", "--prepare")
    machine.wait_for("/readyz")
    machine.wait_for("/search?q=%E6%9D%80%E9%9D%92")
    family = descendants(up.pid)
    assert len(family) >= 3  # gunicorn, its process, the worker
    up.send_signal(signal.SIGINT)
    assert up.wait(30) == 0
    _gone(family)
    assert machine.get("/healthz") == 0


def test_children_end_with_a_killed_supervisor(demo_machine):
    up = demo_machine.start("up")
    demo_machine.wait_for("/readyz")
    family = descendants(up.pid)
    assert len(family) >= 3
    up.kill()
    up.wait(10)
    _gone(family)


@pytest.mark.parametrize("first", ["up", "serve"])
def test_one_site_per_instance(demo_machine, first):
    demo_machine.start(first)
    demo_machine.wait_for("/readyz")
    counters = Path(demo_machine.environment["MARKET_INSTANCE"]) / "metrics"
    before = set(counters.glob("*.db"))
    assert before
    for command in ("up", "serve"):
        second = demo_machine.run(command)
        assert second.returncode == 1
        assert "这个数据目录的网站已在运行（另一个 market up）" in second.stderr
    assert before <= set(counters.glob("*.db"))


def test_a_second_start_keeps_the_data_and_is_quick(demo_machine):
    started = time.monotonic()
    up = demo_machine.start("up", "--prepare")
    demo_machine.wait_for("/readyz")
    assert time.monotonic() - started < 30
    up.send_signal(signal.SIGTERM)
    assert up.wait(30) == 0
    assert "unchanged 80" in up.stdout.read().decode()


@pytest.mark.parametrize("victim", ["worker", "gunicorn"])
def test_when_one_dies_the_other_ends(demo_machine, victim):
    up = demo_machine.start("up")
    demo_machine.wait_for("/readyz")
    family = descendants(up.pid)
    [target] = [pid for pid in family if _is(pid, victim) and _parent(pid) == up.pid]
    os.kill(target, signal.SIGKILL)
    assert up.wait(40) == 1
    _gone(family)


def _is(pid, word):
    with open(f"/proc/{pid}/cmdline") as file:
        return word in file.read()


def _parent(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


def test_maintenance_answers_503(demo_machine):
    demo_machine.start("up")
    demo_machine.wait_for("/readyz")
    with maintenance(Path(demo_machine.environment["MARKET_INSTANCE"])):
        assert demo_machine.get("/search") == 503
        assert demo_machine.get("/healthz") == 200
    assert demo_machine.get("/search") == 200
