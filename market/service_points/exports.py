"""Admissions as tables to take away: the columns of the import, everything by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import joinedload, selectinload

from market.core.db import db
from market.core.permissions import Actor
from market.service_points import rules
from market.service_points.finding import words_of
from market.service_points.models import Admission, AdmissionArea, AdmissionUnit
from market.service_points.queries import Asked, chosen, whole_rows


def rows(query: Select[Admission]) -> Iterator[Mapping[str, Any]]:
    """Rows of a file, by number, up to 20,000."""
    loaded = query.options(
        joinedload(Admission.parent),
        selectinload(Admission.powers),
        selectinload(Admission.areas).joinedload(AdmissionArea.region),
        selectinload(Admission.units).joinedload(AdmissionUnit.organisation),
        selectinload(Admission.topics),
    )
    found = db.session.scalars(loaded.order_by(Admission.no).limit(rules.MOST_ROWS))
    for row in found.yield_per(500):
        yield words_of(row)


def export(actor: Actor, asked: Asked) -> Iterator[Mapping[str, Any]]:
    """The whole list of a search as rows of a file."""
    return rows(chosen(actor, asked))


def all_of(kinds: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """All that have not ended, of these kinds, as rows of a file."""
    return rows(whole_rows().where(Admission.kind.in_(kinds), Admission.state != "ended"))
