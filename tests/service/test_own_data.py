"""The export of one's own data holds what every room keeps of a person, and of nobody else."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, update

from market.accounts.people.models import Person
from market.catalogue.imports.models import ImportJob
from market.catalogue.intake.models import Intake
from market.catalogue.intake.queries import TELEPHONE
from market.catalogue.publishing.models import Submission
from market.core.db import db
from market.core.models import CaseEvent
from market.core.permissions import SYSTEM
from market.core.secrets import seal, unseal
from market.core.unit_of_work import unit_of_work
from market.discovery.bulletins import jobs as bulletin_jobs
from market.discovery.bulletins.models import BulletinSubscription
from market.discovery.saved import service as saved_service
from market.discovery.saved.models import SavedSearch
from market.matching.dispatch.models import ContactLine, ContactOfficer, Dispatch
from market.matching.intents.models import IntentMessage, Offer
from market.matching.models import Inquiry, InquiryMessage
from market.notices import objecting
from market.notices.models import Notice
from market.notifications.models import InboxMessage
from tests import people


def _steps(kind):
    """Who took the steps of a kind of case."""
    return select(CaseEvent.actor_id).where(
        CaseEvent.kind == kind, CaseEvent.actor_kind == "person"
    )


HEADINGS = {
    "填写的成果与需求": select(Submission.person_id),
    "批量导入": select(ImportJob.person_id),
    "发出的咨询": select(Inquiry.asker_person_id),
    "咨询里写的话": select(InquiryMessage.person_id),
    "消息": select(InboxMessage.person_id),
    "办理的揭榜": _steps("call"),
    "办理的应答": _steps("call_answer"),
    "对接意向里写的话": select(IntentMessage.person_id),
    "提出的方案": select(Offer.person_id),
    "发出的推荐": select(Dispatch.sent_by_id),
    "联系的企业": select(ContactOfficer.person_id),
    "写的联系记录": select(ContactLine.by_id),
    "办理的技术合同": _steps("contract"),
    "办理的技术合同变更": _steps("contract_change"),
    "填写的公示": select(Notice.edited_by_id),
    "订阅的搜索": select(SavedSearch.person_id),
    "订阅的简报": select(BulletinSubscription.person_id),
}


def kept_of(app, person_id):
    return app.extensions["market"].of_person(person_id)


@pytest.mark.parametrize("heading", HEADINGS)
def test_each_heading_counts_ones_own_rows(demo, heading):
    owners = [key for key in db.session.scalars(HEADINGS[heading]) if key is not None]
    assert owners, "the demonstration has some"
    for person_id in {*list(db.session.scalars(select(Person.id)))[:10], *owners[:10]}:
        assert len(kept_of(demo, person_id)[heading]) == owners.count(person_id)


def test_what_was_told_by_telephone_is_found_by_the_number_one_proved(demo):
    case = db.session.scalars(select(Intake).where(Intake.telephone.is_not(None))).first()
    number, no = unseal(case.telephone, TELEPHONE), case.no
    caller = people.person()
    assert kept_of(demo, caller.id)["来电与代录"] == []
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        mobile = {"mobile": seal(number, "person.mobile")}
        db.session.execute(update(Person).where(Person.id == caller.id).values(mobile))
    found = kept_of(demo, caller.id)
    assert no in {one["编号"] for one in found["来电与代录"]}
    json.dumps(found, ensure_ascii=False)


def test_an_objection_is_ones_own_only_under_ones_name(demo):
    running = db.session.scalars(
        select(Notice.no).where(Notice.state == "running", Notice.anonymous_ok)
    ).first()
    who = people.actor(name="何明")
    said = {"text": "完成人名单里没有我", "consent": True}
    objecting.send(who, running, {**said, "anonymous": True})
    assert kept_of(demo, who.id)["提出的异议"] == []
    objecting.send(who, running, {**said, "name": "何明", "telephone": "13800000011"})
    (kept,) = kept_of(demo, who.id)["提出的异议"]
    assert "13800000011" not in json.dumps(kept)  # sealed; he knows it, the file need not


def test_closing_an_account_ends_what_it_subscribed(demo):
    kept = db.session.scalars(select(BulletinSubscription.person_id)).first()
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        db.session.execute(update(Person).where(Person.id == kept).values(state="closed"))
    bulletin_jobs.forget_closed()
    saved_service.forget_closed()
    found = kept_of(demo, kept)
    assert found["订阅的简报"] == found["订阅的搜索"] == []
