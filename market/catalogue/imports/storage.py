"""Uploaded tables on disk: in a folder of their own that no page serves."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

from flask import current_app
from sqlalchemy import select

from market.catalogue.imports.models import ImportJob
from market.core.db import db

_GRACE = 3600  # seconds in which a file may be there before its row


def folder() -> Path:
    """The folder of this instance."""
    instance: Path = current_app.extensions["market"].settings.instance
    return instance / "imports"


def keep(data: bytes, ending: str) -> str:
    """Write a file, whole or not at all; returns its name. Call outside a unit of work."""
    place, name = folder(), secrets.token_hex(16) + ending
    place.mkdir(parents=True, exist_ok=True)
    beside = place / f"{name}.part"
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, place / name)
    return name


def drop(name: str | None) -> None:
    """Remove a file."""
    if name:
        (folder() / name).unlink(missing_ok=True)


def drop_orphans() -> int:
    """Remove files that no import names, an hour after they came; returns how many."""
    place = folder()
    if not place.is_dir():
        return 0
    old = [one for one in place.iterdir() if one.stat().st_mtime < time.time() - _GRACE]
    named = set(db.session.scalars(select(ImportJob.stored).where(ImportJob.stored.is_not(None))))
    lost = [one for one in old if one.name not in named]
    for one in lost:
        one.unlink(missing_ok=True)
    return len(lost)
