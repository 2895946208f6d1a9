"""Alembic migrations. They run from `market db upgrade`; names are numbered in order."""
