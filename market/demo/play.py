"""Demonstration cases happen within seconds and are then dated back, so that desks look lived in.

Each step of a case is taken by a demonstration person through the ordinary services, and says how
many hours ago it is to have happened. `Play` notes when a step really ended; `date_back` gives every
time that was written meanwhile the moment of its step. The audit keeps the true times.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import DateTime, inspect, or_, select

from market.accounts.models import Organisation
from market.accounts.people.models import Person
from market.accounts.people.sessions import actor_of
from market.accounts.verification.models import Verification
from market.accounts.verification.service import TARGET
from market.catalogue.intake.models import Intake
from market.catalogue.intake.service import RING_WITHIN
from market.catalogue.models import Listing, NameConsent, Revision
from market.catalogue.publishing.models import Submission
from market.catalogue.publishing.rules import REVIEW_DAYS
from market.contracts.changes.models import ContractReceipt
from market.contracts.entry_models import ContractEntry
from market.contracts.models import Contract, ContractVersion, Deficiency
from market.core import clock, holidays
from market.core.calendar import DueDate, add_working_days
from market.core.db import UtcDateTime, db
from market.core.messages import CONSUMER
from market.core.models import CaseEvent, OutboxRow, WorkItem
from market.core.permissions import PUBLIC, Actor
from market.core.secrets import pseudonym
from market.core.unit_of_work import UnitOfWork
from market.core.workflow import Workflow
from market.discovery.bulletins.models import BulletinSubscription
from market.discovery.saved.models import SavedSearch
from market.matching import reply_times
from market.matching.calls.models import CallAnswerVersion
from market.matching.dispatch.models import ContactLine, ContactOfficer, Dispatch
from market.matching.intents.models import IntentMessage
from market.matching.intents.models import Offer as IntentOffer
from market.matching.intents.models import Outcome as IntentOutcome
from market.matching.models import Inquiry, InquiryMessage
from market.matching.rules import minutes_between
from market.monitoring import service as desks
from market.notifications.models import InboxMessage
from market.notifications.notifying import notify
from market.vouchers.claim_models import Bar, Payment, Review
from market.vouchers.models import Rating, SchemeVersion

Told = tuple[str, str, int, str]  # kind, about what, its id, and which event
# Due dates that are kept, with the working days they leave; the others follow from other times.
SPANS = {Submission: REVIEW_DAYS, Verification: TARGET, Intake: RING_WITHIN}

# Days that were chosen in a step move with it: the time that the step wrote, and their names.
DAYS = {
    Dispatch: ("updated_at", ("next_call", "last_word_on")),
    ContactOfficer: ("updated_at", ("next_call",)),
    ContactLine: ("at", ("day", "next_call")),
    Contract: ("updated_at", ("accepted_on",)),
}


class Play:
    """Cases in the making: who acts, and when it is to have happened."""

    def __init__(self) -> None:
        self.began = clock.now()
        self._ends: list[datetime] = []
        self._moments: list[datetime] = []
        self._told: dict[Told, datetime] = {}

    @contextmanager
    def step(self, hours_ago: float) -> Iterator[None]:
        """What is done within is to have happened so long ago."""
        yield
        self._ends.append(clock.now())
        self._moments.append(self.began - timedelta(hours=hours_ago))

    def moment_of(self, written: datetime) -> datetime:
        """The moment of the step that wrote this time; other times stay as they are."""
        if not self._ends or not self.began <= written <= self._ends[-1]:
            return written
        return self._moments[bisect_left(self._ends, written)]

    def deliver(self) -> None:
        """Carry messages into inboxes, noting when they were asked for. Call before `date_back`."""
        rows = db.session.scalars(select(OutboxRow).where(OutboxRow.consumer == CONSUMER))
        for row in rows:
            asked = row.payload or {}
            about = (str(asked["about"]), row.object_id)
            self._told[row.kind, *about, str(asked["event"])] = row.created_at
        while notify():
            pass

    def date_back(self, work: UnitOfWork) -> None:
        """Date back what was written since the beginning, and the due dates that hang on it."""
        workflows: dict[str, Workflow] = current_app.extensions["market"].workflows
        cases = list(dict.fromkeys(one.model for one in workflows.values()))
        others = (
            Listing,
            Revision,
            CaseEvent,
            InquiryMessage,
            Organisation,
            ContactLine,
            CallAnswerVersion,
            IntentOffer,
            IntentMessage,
            IntentOutcome,
            SavedSearch,
            BulletinSubscription,
            NameConsent,
            ContractVersion,
            Deficiency,
            ContractEntry,
            ContractReceipt,
            SchemeVersion,
            Review,
            Payment,
            Bar,
            Rating,
        )
        for model in dict.fromkeys((*cases, *others)):
            for row in self._touched(model):
                self._move(row)
        for message in self._touched(InboxMessage):
            told = (message.kind, message.about, message.about_id, message.event)
            message.created_at = self.moment_of(self._told.get(told, message.created_at))
        db.session.flush()
        _count_answers()
        for item in self._touched(WorkItem):
            self._move(item)
            workflow = workflows[item.kind]
            shown = workflow.item(db.session.get_one(workflow.model, item.object_id))
            if shown is not None:
                item.due, item.provisional = shown.due, shown.provisional
        db.session.flush()

    def _touched(self, model: Any) -> list[Any]:
        """Rows with a time that was written since the beginning."""
        times = [getattr(model, name) for name in _times(model)]
        return list(
            db.session.scalars(select(model).where(or_(*(at >= self.began for at in times))))
        )

    def _move(self, row: Any) -> None:
        chosen, days = DAYS.get(type(row), ("", ()))
        written: datetime | None = getattr(row, chosen, None)
        for name in _times(type(row)):
            value = getattr(row, name)
            if value is not None:
                setattr(row, name, self.moment_of(value))
        for name in days:
            day: date | None = getattr(row, name)
            if day is not None and written is not None:
                back = clock.local(written).date() - clock.local(getattr(row, chosen)).date()
                setattr(row, name, day - back)
        if isinstance(row, Dispatch):
            _date_answer(row)
        span = SPANS.get(type(row))
        if span is not None and row.due is not None:
            submitted = row.submitted_at if isinstance(row, Submission) else None
            start = submitted or row.updated_at
            due = _due(start, span)
            row.due, row.provisional = due.day, due.provisional


def _date_answer(row: Dispatch) -> None:
    """By when an answer was asked for, and when it came."""
    due = _due(row.created_at, row.days)
    row.due, row.provisional = due.day, due.provisional
    if row.answered_at is not None:
        row.answered_on = clock.local(row.answered_at).date()
        row.answer_minutes = minutes_between(row.created_at, row.answered_at)


def _times(model: Any) -> list[str]:
    columns = inspect(model).columns
    return [one.key for one in columns if isinstance(one.type, UtcDateTime | DateTime)]


def _due(start: datetime, span: int) -> DueDate:
    day = clock.local(start).date()
    return add_working_days(day, span, holidays.overrides(day, day + timedelta(days=60)))


def _count_answers() -> None:
    """How long askers waited, now that the times are what they are to be."""
    answered = select(Inquiry).where(Inquiry.demo, Inquiry.first_answer_at.is_not(None))
    owners = set()
    for inquiry in db.session.scalars(answered):
        assert inquiry.first_answer_at is not None
        inquiry.answer_minutes = minutes_between(inquiry.created_at, inquiry.first_answer_at)
        owners.add(inquiry.owner_id)
    db.session.flush()
    for owner in sorted(owners):
        reply_times.count_again(owner)


# Who and what the cases are about.


def actor(login: str) -> Actor:
    """A demonstration person by the first part of the login, as he may act now; "public": nobody."""
    if login == "public":
        return PUBLIC
    key = pseudonym(f"{login}@demo.example", "person.email")
    return actor_of(db.session.scalars(select(Person).where(Person.email_key == key)).one())


def own_organisation(who: Actor) -> Organisation:
    """The organisation for which somebody acts first."""
    return db.session.get_one(Organisation, who.organisations()[0])


def listing(source_id: str) -> Listing:
    """A demonstration listing by the number of its file."""
    query = select(Listing).where(Listing.source_id == source_id, Listing.demo)
    return db.session.scalars(query).one()


def assign(workflow: str, no: str, step: Mapping[str, Any]) -> None:
    """An officer gives a case to a colleague, on the desk."""
    query = select(WorkItem.id).where(WorkItem.kind == workflow, WorkItem.no == no)
    item_id, to = db.session.scalars(query).one(), actor(step["to"]).id
    assert to is not None
    desks.assign(actor(step["by"]), item_id, to)
