"""Real processes on a throw-away instance."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing

import pytest


@pytest.fixture
def port() -> int:
    """A port of this machine that is free just now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Machine:
    """Starts the `market` command on an instance and ends what it started."""

    def __init__(self, instance, port):
        self.address = f"http://127.0.0.1:{port}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "MARKET_INSTANCE": str(instance),
            "MARKET_BIND": f"127.0.0.1:{port}",
            "MARKET_DEMO": "1",
            "MARKET_LOG_LEVEL": "ERROR",
        }
        self.started: list[subprocess.Popen] = []

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start a command in the background."""
        command = [sys.executable, "-m", "market.cli", *arguments]
        process = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.started.append(process)
        return process

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run a command to its end."""
        command = [sys.executable, "-m", "market.cli", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )

    def get(self, path: str) -> int:
        """The status of a page; 0 when nobody answers."""
        try:
            with urllib.request.urlopen(self.address + path, timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def wait_for(self, path: str, status: int = 200, seconds: float = 60) -> None:
        """Wait until a page answers with a status."""
        end = time.monotonic() + seconds
        while (got := self.get(path)) != status:
            assert time.monotonic() < end, f"{path} answers {got}"
            time.sleep(0.2)

    def end(self) -> None:
        """End everything that was started, with all descendants."""
        for process in self.started:
            for child in [*descendants(process.pid), process.pid]:
                try:
                    os.kill(child, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            process.wait()
            process.stdout.close()


def descendants(pid: int) -> list[int]:
    """Process ids of all children and their children."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as file:
                    parent = int(file.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if parent == pid:
                found += [*descendants(int(entry)), int(entry)]
    return found


@pytest.fixture
def machine(tmp_path, port):
    """An empty machine."""
    machine = Machine(tmp_path / "instance", port)
    yield machine
    machine.end()


@pytest.fixture
def demo_machine(demo_settings, port):
    """A machine with the demonstration data."""
    machine = Machine(demo_settings.instance, port)
    yield machine
    machine.end()
