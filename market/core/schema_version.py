"""Whether the database has the schema that this program was written for.

Asked by every command before it touches a table, and by the web server until it was well once.
The revisions are read off the names of the migrations: Alembic itself is for upgrading.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from flask import current_app
from sqlalchemy import create_engine, inspect, make_url, pool, text
from sqlalchemy.exc import SQLAlchemyError

from market.core.db import driver_url
from market.core.errors import Busy
from market.core.settings import Settings
from market.paths import MIGRATIONS

_FITS = "schema_fits"
NO_ANSWER = "数据库打不开：请核对 MARKET_DATABASE_URL，并检查数据库服务是否在运行。"
MISSING = "数据库还没有建立，请先运行 market db upgrade。"
OLDER = "数据库的版本较旧，请先运行 market db upgrade。"
NEWER = "数据库比程序新：请安装新版本的程序，或恢复升级前的备份。"


@lru_cache(1)
def revisions() -> tuple[str, ...]:
    """The revisions that this program knows, oldest first."""
    files = (MIGRATIONS / "versions").glob("[0-9]*_*.py")
    return tuple(sorted(file.name.partition("_")[0] for file in files))


def fault(settings: Settings) -> str | None:
    """What is wrong with the database's schema, as a sentence with its remedy; None when it fits."""
    try:
        found = _revision(settings)
    except SQLAlchemyError:
        return NO_ANSWER
    if found is None:
        return MISSING
    if found == revisions()[-1]:
        return None
    return OLDER if found in revisions() else NEWER


def _revision(settings: Settings) -> str | None:
    """The revision that the database is at, None when it has no tables yet."""
    url = make_url(driver_url(settings.database_url))
    if settings.is_sqlite and not Path(url.database or "").exists():
        return None  # asking would make an empty file
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


def require(settings: Settings) -> None:
    """Go on only when the database fits this program.

    Raises:
        Busy: it does not; the message is for the operator.
    """
    if (sentence := fault(settings)) is not None:
        raise Busy(sentence)


def fits() -> bool:
    """Whether the application's database fits; once it did, it is not asked again."""
    known = current_app.extensions
    if not known.get(_FITS):
        known[_FITS] = fault(known["market"].settings) is None
    return bool(known[_FITS])
