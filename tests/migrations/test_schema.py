"""The migrated schema equals the models, forwards and backwards."""

from alembic import command

from market.core import migrate


def test_migrations_make_the_models(tmp_path, store):
    settings = store.fresh(tmp_path)
    migrate.upgrade(settings)
    migrate.check(settings)


def test_down_and_up_again(tmp_path, store):
    settings = store.fresh(tmp_path)
    migrate.upgrade(settings)
    command.downgrade(migrate.config(settings), "base")
    migrate.upgrade(settings)
    migrate.check(settings)
