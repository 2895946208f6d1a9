"""Alembic's entry: the same models and database address as the application."""

from alembic import context
from sqlalchemy import JSON, BigInteger, String, create_engine, event, pool

import market.rooms  # noqa: F401  (imports every table)
from market.core.db import Base, UtcDateTime, driver_url

config = context.config


def _begin_plainly(connection):
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _render(kind, item, _context):
    """Write our own column types by their names, so that migrations read like the models."""
    if kind != "type":
        return False
    if isinstance(item, UtcDateTime):
        return "UtcDateTime()"
    if item._variant_mapping:
        names = {BigInteger: "RowId", JSON: "Document", String: "path_column()"}
        return names.get(type(item), False)
    return False


def run() -> None:
    """Run the migrations in one transaction."""
    url = driver_url(config.attributes["url"])
    if url.startswith("sqlite"):
        engine = create_engine(
            url, poolclass=pool.NullPool, connect_args={"isolation_level": None, "timeout": 30}
        )
        event.listen(engine, "begin", _begin_plainly)
    else:
        engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=_render,
            transactional_ddl=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    engine.dispose()


run()
