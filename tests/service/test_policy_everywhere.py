"""For every role, every permission and every kind of thing: rows that SQL finds are the rows that
Python allows; and what everybody finds by searching is exactly what is published."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.orm import class_mapper

from market.accounts.people import sessions
from market.accounts.people.models import Person
from market.catalogue.models import Listing
from market.core.db import Base, db
from market.core.permissions import PUBLIC, policy
from market.discovery import forms, queries, suggestions

# Models that answer what conditions ask; every one that has the methods counts.
ASKED = ("within", "owned_by")


def kinds():
    """The models that the policy can be asked about."""
    models = [mapper.class_ for mapper in Base.registry.mappers]
    return sorted(
        (model for model in models if all(hasattr(model, name) for name in ASKED)),
        key=lambda model: model.__name__,
    )


def everybody():
    """A visitor, everybody with a demonstration account, and everybody without one."""
    yield PUBLIC
    for person in db.session.scalars(select(Person)):
        yield sessions.actor_of(person)


def _states(model):
    return "state" in inspect(model).columns


def test_sql_and_python_agree(demo):
    wrong, compared = [], 0
    actors = list(everybody())
    for model in kinds():
        key = class_mapper(model).primary_key[0]
        rows = db.session.scalars(select(model).limit(400)).all()
        for permission in policy.rules:
            for actor in actors:
                try:
                    condition = policy.where(actor, permission, model)
                    allowed = {row.id for row in rows if policy.allows(actor, permission, row)}
                except AttributeError:
                    continue  # a permission about another kind, which asks what this one cannot say
                ids = [row.id for row in rows]
                query = select(key).where(key.in_(ids), condition)
                compared += 1
                if set(db.session.scalars(query)) != allowed:
                    wrong.append((model.__name__, permission, actor.label))
    assert wrong == []
    assert compared > 5_000


@pytest.fixture
def published(demo):
    """Numbers of the published listings, and one that is not any more."""
    return set(db.session.scalars(select(Listing.no).where(Listing.state == "published")))


def test_everybody_searches_exactly_what_is_published(demo, published):
    """Found = allowed ∩ published, in lists, facet counts, feeds and suggestions, for every role."""
    with demo.test_request_context("/search"):
        for actor in everybody():
            form = forms.read({})
            page = queries.search(actor, form)
            assert page.page.total == len(published)
            kinds_facet = next(one for one in page.facets if one.name == "kind")
            assert sum(value.count for value in kinds_facet.values) == len(published)
            assert suggestions.suggestions(actor, "茶")
