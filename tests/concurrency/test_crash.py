"""Killed with -9 at any point, nothing acknowledged is lost and the index catches up."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from market.app import create_app
from market.catalogue.models import Listing
from market.core.db import db
from tests.concurrency.conftest import descendants
from tests.conftest import let_go

pytestmark = [pytest.mark.net, pytest.mark.long]
EDITS = 200
EDITOR = Path(__file__).parent / "edit_forever.py"


def _edit_until_killed(machine, seed, edits, delay):
    """Run an editor, kill it -9 a moment after so many edits; returns what it acknowledged."""
    command = [sys.executable, str(EDITOR), str(seed)]
    editor = subprocess.Popen(command, env=machine.environment, stdout=subprocess.PIPE, text=True)
    done = []
    for line in editor.stdout:
        done.append(line.split())
        if len(done) == edits:
            break
    time.sleep(delay)
    editor.send_signal(signal.SIGKILL)
    done += [line.split() for line in editor.stdout.read().splitlines() if len(line.split()) == 2]
    editor.stdout.close()
    editor.wait()
    return [(no, int(version)) for no, version in done]


def test_kill_9_of_writer_and_worker_while_editing(demo_machine, demo_settings):
    choice = random.Random(20261120)
    acknowledged = {}
    total = 0
    while total < EDITS:
        worker = demo_machine.start("worker")
        # Sometimes during start, sometimes in the middle of writing the index.
        time.sleep(choice.uniform(0.2, 3.0))
        done = _edit_until_killed(
            demo_machine, choice.randrange(10**6), choice.randint(15, 40), choice.uniform(0, 0.05)
        )
        total += len(done)
        for no, version in done:
            acknowledged[no] = max(version, acknowledged.get(no, 0))
        time.sleep(choice.uniform(0, 1.0))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    demo_machine.start("worker")
    checked = demo_machine.run("search", "check", "--wait", "60")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    verified = demo_machine.run("audit", "verify")
    assert verified.returncode == 0, verified.stdout
    _all_versions_are_there(demo_settings, acknowledged)


def _all_versions_are_there(settings, acknowledged):
    app = create_app(settings)
    with app.app_context():
        for no, version in acknowledged.items():
            listing = db.session.scalar(select(Listing).where(Listing.no == no))
            assert listing.current.version >= version, no
        let_go(app)


def test_a_killed_web_process_is_replaced(demo_machine):
    up = demo_machine.start("up")
    demo_machine.wait_for("/readyz")
    web = [pid for pid in descendants(up.pid) if _is_web_process(pid, up.pid)]
    os.kill(web[0], signal.SIGKILL)
    demo_machine.wait_for("/search?q=%E8%8C%B6")
    assert up.poll() is None


def _is_web_process(pid, supervisor):
    with open(f"/proc/{pid}/stat") as file:
        parent = int(file.read().rsplit(")", 1)[1].split()[1])
    with open(f"/proc/{pid}/cmdline") as file:
        return "gunicorn" in file.read() and parent != supervisor


def test_ten_thousand_characters_get_a_page_from_the_real_server(demo_machine):
    demo_machine.start("up")
    demo_machine.wait_for("/readyz")
    for text in ("a", "%E8%8C%B6"):
        assert demo_machine.get("/search?q=" + text * 10_000) == 200
        assert demo_machine.get("/api/v1/search?q=" + text * 10_000) == 200
