"""For every role, every permission and every kind of thing: rows that SQL finds are the rows that
Python allows; and what everybody finds by searching is exactly what is published."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import class_mapper

from market.accounts.members.models import Joining
from market.accounts.models import Organisation
from market.accounts.people import sessions
from market.accounts.people.models import ApiToken, LoginSession, Person, RoleGrant
from market.accounts.rosters.models import RosterEntry
from market.accounts.verification.models import Verification
from market.catalogue.imports.models import ImportJob
from market.catalogue.intake.models import Intake
from market.catalogue.models import Listing, ProblemReport
from market.catalogue.publishing.models import Submission
from market.contracts.changes.models import ContractChange
from market.contracts.models import Contract
from market.contracts.office_models import RuleSet
from market.core.db import db
from market.core.models import WorkItem
from market.core.permissions import PUBLIC, Always, policy
from market.discovery import forms, queries, suggestions
from market.discovery.bulletins.models import Bulletin, BulletinSubscription
from market.discovery.saved.models import SavedSearch
from market.matching.calls.models import Call, CallAnswer
from market.matching.dispatch.models import (
    ContactOfficer,
    Dispatch,
    DispatchSetting,
    Escalation,
)
from market.matching.intents.models import Intent, IntentInvitation, Question
from market.matching.models import Inquiry, ReplyTemplate
from market.notices.models import Announcement, Notice, Objection
from market.notifications.models import InboxMessage
from market.service_points.models import Admission, Specialist
from market.vouchers.claim_models import Bar, Batch, Claim, Party
from market.vouchers.models import Application, Order, Scheme, Voucher

# Which rows each thing of a permission's name stands for.
ROWS = {
    "accounts:joining": Joining,
    "accounts:member": Organisation,
    "accounts:member:leave": RoleGrant,
    "accounts:organisation": Organisation,
    "accounts:profile": Organisation,
    "accounts:roster": RosterEntry,
    "accounts:session": LoginSession,
    "accounts:token": ApiToken,
    "accounts:verification": Verification,
    "catalogue:import": ImportJob,
    "catalogue:intake": Intake,
    "catalogue:listing": Listing,
    "catalogue:report": ProblemReport,
    "catalogue:submission": Submission,
    "contracts:contract": Contract,
    "contracts:contract_change": ContractChange,
    "contracts:number_format": Admission,
    "contracts:rule_set": RuleSet,
    "contracts:contract_change:amend": Contract,
    "contracts:contract_change:annul": Contract,
    "contracts:contract_change:cancel": Contract,
    "contracts:contract_change:review": Contract,
    "contracts:paper": Contract,
    "discovery:bulletin": Bulletin,
    "discovery:bulletin_subscription": BulletinSubscription,
    "discovery:saved": SavedSearch,
    "matching:contact_officer": ContactOfficer,
    "matching:dispatch": Dispatch,
    "matching:dispatch:pass_up": Listing,
    "matching:dispatch:send": Listing,
    "matching:dispatch:told": Listing,
    "matching:dispatch_setting": DispatchSetting,
    "matching:escalation": Escalation,
    "matching:firm": Organisation,
    "matching:call": Call,
    "matching:call_answer": CallAnswer,
    "matching:inquiry": Inquiry,
    "matching:intent": Intent,
    "matching:intent_invitation": IntentInvitation,
    "matching:intent_question": Question,
    "matching:reply_template": ReplyTemplate,
    "monitoring:work_item": WorkItem,
    "notices:announcement": Announcement,
    "notices:notice": Notice,
    "notices:objection": Objection,
    "notifications:message": InboxMessage,
    "service_points:admission": Admission,
    "service_points:specialist": Specialist,
    "vouchers:application": Application,
    "vouchers:bar": Bar,
    "vouchers:batch": Batch,
    "vouchers:claim": Claim,
    "vouchers:order": Order,
    "vouchers:party": Party,
    "vouchers:scheme": Scheme,
    "vouchers:voucher": Voucher,
}
# Asked in general or about a place that is no row of its own; only their services know what they
# mean, and tests of those ask them.
WITHOUT_ROWS = {
    "accounts:officer",
    "accounts:person",
    "accounts:self",
    "catalogue:achievements",
    "catalogue:demands",
    "catalogue:industries",
    "catalogue:local",
    "catalogue:pins",
    "catalogue:publishing",
    "catalogue:synonym",
    "contracts:registration",
    "contracts:contracts",
    "monitoring:desk",
    "monitoring:my",
    "notifications:choice",
    "service_points:files",
}
MOST = 120  # rows of a kind


def thing(permission):
    return permission.rsplit(":", 1)[0]


def everybody():
    """A visitor, everybody with a demonstration account, and everybody without one."""
    yield PUBLIC
    for person in db.session.scalars(select(Person)):
        yield sessions.actor_of(person)


def test_every_permission_with_a_condition_says_what_rows_it_is_about():
    conditional = {
        thing(name)
        for name, rule in policy.rules.items()
        if any(not isinstance(condition, Always) for condition in rule.values())
    }
    assert {one for one in conditional if not one.startswith("tests:")} <= {*ROWS, *WITHOUT_ROWS}


def test_sql_and_python_agree(demo):
    wrong, compared = [], 0
    actors = list(everybody())
    for permission in policy.rules:
        model = ROWS.get(permission) or ROWS.get(thing(permission))
        if model is None:
            continue
        key = class_mapper(model).primary_key[0]
        rows = db.session.scalars(select(model).order_by(key.desc()).limit(MOST)).all()
        ids = [getattr(row, key.name) for row in rows]
        for actor in actors:
            allowed = {
                one
                for one, row in zip(ids, rows, strict=True)
                if policy.allows(actor, permission, row)
            }
            condition = policy.where(actor, permission, model)
            compared += 1
            found = db.session.scalars(select(key).where(key.in_(ids), condition))
            if set(found) != allowed:
                wrong.append((permission, actor.label))
    assert wrong == []
    assert compared > 1_500


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
