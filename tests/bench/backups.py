"""Section `backup`: 100,000 listings backed up while others write, restored elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench import search
from tests.bench.figures import Figure, at_most, folder_megabytes, memory_megabytes, plain
from tests.bench.instance import BenchError, Instance

LISTINGS = 100_000
LONGEST_HOLD, MOST_MINUTES = 1.0, 5.0  # s, min
EDITOR = Path(__file__).parents[1] / "concurrency" / "edit_forever.py"
DEFINITIONS = """\
backup     `market backup` from start to end, the worker running and an editor writing one
           listing after the other
write lock another process tries BEGIN IMMEDIATE every 100 ms; its longest wait for the lock
restore    `market restore` into an empty folder, from start to end: checking, database, index,
           comparing index and database, verifying the audit's chain
memory     VmHWM of the process"""


@dataclass(frozen=True)
class Run:
    """A command that ran: what it printed, seconds, peak memory in MB."""

    said: str
    seconds: float
    memory: float


def run(folder: Path, scale: float) -> Iterator[Figure]:
    """All figures of this section; `scale` lessens the listings."""
    instance = Instance(folder / "market")
    count = max(300, round(LISTINGS * scale))
    list(search.fill(instance, count))
    path, keys = folder / "backup.tar.gz", folder / "keys.json"
    with instance.worker():
        made, wait = _back_up(instance, path, keys)
    instance.close()
    sizes = {
        "database": (instance.folder / "market.db").stat().st_size / 1e6,
        "index": _index_megabytes(instance.folder),
        "backup": path.stat().st_size / 1e6,
    }
    yield plain("listings", f"{count:,}")
    yield plain("size of database / index / backup", _megabytes(sizes.values()))
    each = [size / count * 10_000 for size in sizes.values()]
    yield plain("the same per 10,000 listings", _megabytes(each))
    yield plain("backup made while others write", f"{made.seconds:.1f} s")
    yield at_most("longest wait for the write lock", wait, LONGEST_HOLD, "s", 2)
    yield plain("peak memory of the backup", f"{made.memory:.0f} MB")
    new = instance.environment | {"MARKET_INSTANCE": str(folder / "elsewhere")}
    restored = _measured(instance.command("restore", str(path), "--keys", str(keys)), new)
    for words in (("search", "check"), ("audit", "verify")):
        _measured(instance.command(*words), new)
    minutes = restored.seconds / 60
    yield at_most("restored, index and checks included", minutes, MOST_MINUTES, "min", 1)
    yield plain("peak memory of the restore", f"{restored.memory:.0f} MB")


def _megabytes(sizes) -> str:
    return " / ".join(f"{size:,.0f}" for size in sizes) + " MB"


def _index_megabytes(folder: Path) -> float:
    """The present generation of the index: another may lie beside it until the next swap."""
    present = (folder / "search" / "current").read_text().strip()
    return folder_megabytes(folder / "search" / present)


def _back_up(instance: Instance, path: Path, keys: Path) -> tuple[Run, float]:
    """Back up while an editor writes; returns the run and the longest wait for the write lock."""
    probe = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.lock_probe", str(instance.folder / "market.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    edited = instance.folder / "edited"
    with edited.open("w") as file:
        editor = subprocess.Popen(
            [sys.executable, str(EDITOR), "1"], env=instance.environment, stdout=file
        )
    try:
        end = time.monotonic() + 60
        while not edited.stat().st_size:
            if editor.poll() is not None or time.monotonic() > end:
                raise BenchError("the editor does not write")
            time.sleep(0.05)
        before = edited.stat().st_size
        command = instance.command("backup", str(path), "--keys", str(keys))
        made = _measured(command, instance.environment)
        if edited.stat().st_size == before:
            raise BenchError("the editor was held up by the backup")
        report = json.loads(probe.communicate("stop\n")[0])
    finally:
        for process in (editor, probe):
            process.kill()
            process.wait()
    return made, report["longest"]


def _measured(command: list[str], environment: Mapping[str, str]) -> Run:
    """Run a command to its end.

    Raises:
        BenchError: it failed.
    """
    started, peak = time.perf_counter(), 0.0
    process = subprocess.Popen(
        command,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while process.poll() is None:
        peak = max(peak, memory_megabytes(process.pid, "VmHWM"))
        time.sleep(0.02)
    said = process.communicate()[0]
    if process.returncode:
        raise BenchError(f"{' '.join(command)}: {said}")
    return Run(said, time.perf_counter() - started, peak)
