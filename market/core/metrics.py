"""Figures for operators at /metrics, summed over the web processes."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def prepare(folder: Path) -> None:
    """Point all processes of an instance at one folder of counters, emptied at each start."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.db"):
        old.unlink(missing_ok=True)
    os.environ[FOLDER] = str(folder)


def exposition() -> bytes:
    """All counters in the text format that Prometheus reads."""
    from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, multiprocess

    if FOLDER not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return generate_latest(registry)
