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
from market.core.permissions import SYSTEM
from market.core.secrets import seal, unseal
from market.core.unit_of_work import unit_of_work
from market.matching.models import Inquiry, InquiryMessage
from market.notifications.models import InboxMessage
from tests import people

HEADINGS = {
    "填写的成果与需求": select(Submission.person_id),
    "批量导入": select(ImportJob.person_id),
    "发出的咨询": select(Inquiry.asker_person_id),
    "咨询里写的话": select(InquiryMessage.person_id),
    "消息": select(InboxMessage.person_id),
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
