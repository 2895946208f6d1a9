"""Section `import`: a spreadsheet of 50,000 achievements by `market import`, twice."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from market.accounts.importer import KIND as ORGANISATIONS
from market.catalogue.importer import ACHIEVEMENTS
from market.core.db import db
from market.core.importing import Options, run_import
from market.core.permissions import SYSTEM
from market.core.sheets import write_table
from market.discovery import indexer
from market.discovery.engine import reader, ready
from tests.bench.figures import Figure, at_least, at_most, memory_megabytes, plain
from tests.bench.instance import BenchError, Instance
from tests.bench.listings import World, write_jsonl

ROWS = 50_000
SLOWEST, MOST_MEMORY, LONGEST_HOLD = 1_000, 500, 1.0  # rows/s, MB, s
LONGEST_WAIT = 540.0  # seconds
DEFINITIONS = """\
file       XLSX of 50,000 rows and 22 columns, hardly a cell empty, 300 owners
rows/s     from starting `market import achievements FILE` until the running worker has indexed
           all rows; that `search check` then finds no difference is asked, but not timed
memory     VmHWM of the import process
write lock another process tries BEGIN IMMEDIATE every 100 ms; its longest wait for the lock,
           and the longest "write lock held long" in the logs of import and worker
again      the same file once more: nothing changes"""


def run(folder: Path, scale: float) -> Iterator[Figure]:
    """All figures of this section; `scale` shortens the file."""
    count = max(500, round(ROWS * scale))
    instance = Instance(folder / "market")
    path = folder / "achievements.xlsx"
    with instance.app.app_context():
        world = World.read()
        owners = write_jsonl(folder / "owners.jsonl", world.owners)
        if run_import(ORGANISATIONS, owners, Options(), SYSTEM).refused:
            raise BenchError("the owners were refused")
        used = {key for row in world.rows("achievement", 50, 3) for key in row}
        columns = [one for one in ACHIEVEMENTS.columns() if one.key in used]
        write_table(path, columns, world.rows("achievement", count, 3))
        db.session.remove()
    with instance.worker():
        _wait_until_quiet(instance)
        first = _import(instance, path, f"imported {count}, updated 0, unchanged 0, rejected 0")
        again = _import(instance, path, f"imported 0, updated 0, unchanged {count}, rejected 0")
    logged = instance.longest_write_logged("worker.log", "import.log")
    instance.close()
    yield plain("rows / size of the file", f"{count:,} / {path.stat().st_size / 1e6:.1f} MB")
    yield at_least("rows imported and indexed", count / first.indexed, SLOWEST, "rows/s")
    yield plain("of this the command alone", f"{count / first.command:,.0f} rows/s")
    waited = max(first.indexed - first.command, 0.001)
    yield plain("of this indexing after it", f"{count / waited:,.0f} rows/s")
    peak = max(first.memory, again.memory)
    yield at_most("peak memory of the import", peak, MOST_MEMORY, "MB")
    yield at_most("longest wait for the write lock", first.wait, LONGEST_HOLD, "s", 2)
    yield plain("longest write logged (none below 1 s)", f"{logged:.2f} s" if logged else "none")
    yield plain("same file again, unchanged", f"{count / again.command:,.0f} rows/s")


@dataclass(frozen=True)
class Run:
    """One run of the command: seconds, MB, seconds."""

    command: float
    indexed: float
    memory: float
    wait: float


def _wait_until_quiet(instance: Instance) -> None:
    end = time.monotonic() + LONGEST_WAIT
    with instance.app.app_context():
        while not (ready() and "index rebuilt" in instance.logged("worker.log")):
            if time.monotonic() > end:
                raise BenchError("the worker built no index")
            time.sleep(0.1)


def _import(instance: Instance, path: Path, expected: str) -> Run:
    """Import the file while another process looks how long the write lock is held."""
    probe = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.lock_probe", str(instance.folder / "market.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        started = time.perf_counter()
        said, memory = _command(instance, path)
        command = time.perf_counter() - started
        if said.strip().splitlines()[-1:] != [expected]:
            raise BenchError(f"import: {said}{instance.logged('import.log')}")
        with instance.app.app_context():
            if not indexer.wait_until_done(LONGEST_WAIT):
                raise BenchError("the worker did not finish")
            indexed = time.perf_counter() - started
            if not indexer.check(reader()).ok:
                raise BenchError("index and database differ")
        report = json.loads(probe.communicate("stop\n")[0])
    finally:
        probe.kill()
        probe.wait()
    return Run(command, indexed, memory, report["longest"])


def _command(instance: Instance, path: Path) -> tuple[str, float]:
    """Run `market import`; returns what it prints and its peak memory in MB."""
    with (instance.folder / "import.log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            instance.command("import", "achievements", str(path)),
            env=instance.environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, memory_megabytes(process.pid, "VmHWM"))
            time.sleep(0.02)
        return process.communicate()[0], peak
