"""A throw-away instance of the market and the real processes that work on it."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from flask import Flask

from market.app import create_app
from market.core.db import db
from market.core.settings import Settings, load

START = 120.0  # seconds until a process must be ready
GRACE = 20.0  # seconds a process gets to end


class BenchError(Exception):
    """Something did not work, so that figures would mean nothing."""


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Instance:
    """An upgraded instance in a folder of its own; settings of the caller's do not count."""

    def __init__(self, folder: Path, **settings: str) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        own = {"MARKET_INSTANCE": str(folder), **settings}
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("MARKET_")
        } | own
        self.settings: Settings = load(own)
        self.run("db", "upgrade")
        self.app: Flask = create_app(self.settings)

    def command(self, *words: str) -> list[str]:
        """The `market` command with these words."""
        return [sys.executable, "-m", "market.cli", *words]

    def run(self, *words: str) -> str:
        """Run a `market` command; returns what it prints.

        Raises:
            BenchError: it failed.
        """
        done = subprocess.run(
            self.command(*words), env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BenchError(f"market {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    @contextlib.contextmanager
    def started(
        self, command: Sequence[str], log: str, **environment: str
    ) -> Iterator[subprocess.Popen[str]]:
        """A process that runs meanwhile; what it logs goes to the file `log` of the instance."""
        with (self.folder / log).open("a", encoding="utf-8") as file:
            process = subprocess.Popen(
                command,
                env=self.environment | environment,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
            try:
                yield process
                if (code := process.poll()) is not None:
                    raise BenchError(f"{' '.join(command)} ended with {code}:\n{self.logged(log)}")
            finally:
                process.terminate()
                try:
                    process.communicate(timeout=GRACE)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.communicate()

    @contextlib.contextmanager
    def worker(self) -> Iterator[None]:
        """`market worker` at work."""
        with self.started(self.command("worker"), "worker.log") as process:
            wait_for(lambda: "worker started" in self.logged("worker.log"), process)
            yield

    def logged(self, log: str) -> str:
        """What a process has logged."""
        return (self.folder / log).read_text(encoding="utf-8", errors="replace")

    def longest_write_logged(self, *logs: str) -> float:
        """The longest hold of the write lock, in seconds, that processes complained about."""
        found = [0.0]
        for log in logs:
            for line in self.logged(log).splitlines():
                match = re.search(r'"seconds": ([\d.]+)', line)
                if "write lock held long" in line and match:
                    found.append(float(match[1]))
        return max(found)

    def close(self) -> None:
        """Let go of the database and the index."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()
        if engine := self.app.extensions.pop("search", None):
            engine.close()


def wait_for(condition, process: subprocess.Popen[str], seconds: float = START) -> None:
    """Wait until a condition holds.

    Raises:
        BenchError: the process ended or time ran out.
    """
    end = time.monotonic() + seconds
    while not condition():
        if process.poll() is not None or time.monotonic() > end:
            raise BenchError(f"not ready: {process.args}")
        time.sleep(0.05)
