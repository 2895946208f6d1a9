"""What a new member, a new firm and a new officer meet first, and what they are told is wrong."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from market.accounts.administration import service as administration
from market.accounts.members import grants, queries, staff
from market.accounts.models import Organisation
from market.accounts.people import sessions
from market.accounts.people.models import Invitation, RoleGrant
from market.accounts.rules import kind_doubt
from market.accounts.verification import service as verifications
from market.catalogue.publishing import drafts
from market.core.db import db
from market.core.errors import Invalid, NotFound
from market.core.models import WorkItem
from market.core.secrets import unseal
from market.notifications.models import InboxMessage
from tests import messages, people
from tests.people import sign_in, token_of
from tests.service.clerk import CODE, OTHER

PDF = b"%PDF-1.4 licence"
DECLARED = {"legal_representative": "李四光", "registered_address": "东坡区某街 1 号"}


@pytest.fixture
def prepared_demo(prepared_quiet):
    """Nothing happened yet: what is found is what a test made."""
    return prepared_quiet


@pytest.fixture
def firm(app):
    return people.organisation("甲公司", verified=False)


def no_of(key):
    return db.session.get(Organisation, key).no


def send(client, address, at="", **typed):
    return client.post(address, data={"csrf_token": token_of(client.get(at or address)), **typed})


def test_a_merger_is_looked_at_and_made_on_its_page(client):
    one, two = people.organisation("甲", uscc=CODE), people.organisation("甲（又一次）")
    clerk = sign_in(client, people.person(("county", None, "511402")))
    address = f"/desk/organisations/{no_of(two)}/merge"
    page = clerk.get(f"{address}?target={CODE}")
    actions = re.findall(r'<form action="([^"]+)"', page.text)
    assert actions.count(address) == 2, actions
    assert send(clerk, address, f"{address}?target={CODE}", target=no_of(one)).status_code == 303
    db.session.rollback()
    assert db.session.get(Organisation, two).merged_into_id == one


def test_templates_go_to_the_organisation_that_the_page_names(client):
    first, second = people.organisation("甲"), people.organisation("乙")
    owner = sign_in(client, people.person(("owner", first), ("owner", second)))
    for key in (first, second):
        page = owner.get(f"/my/inquiries/templates?organisation={no_of(key)}")
        assert f'action="/my/inquiries/templates?organisation={no_of(key)}"' in page.text


def test_who_is_invited_by_telephone_gets_the_link(app, firm):
    staff.invite(people.actor(("owner", firm)), no_of(firm), "13900001111", "editor")
    messages.sent(app)
    text = "".join(messages.files(app, "sms").values())
    word = re.search(r"/invitations/([\w-]+)", text)[1]
    new = people.actor()
    assert staff.accept_invitation(new, word) == no_of(firm)
    given = db.session.scalars(select(RoleGrant).where(RoleGrant.person_id == new.id)).one()
    assert given.granted_by == db.session.scalars(select(Invitation.created_by)).one()


def test_who_has_an_account_finds_the_invitation_there(client, app, firm):
    known, other = people.person(), people.person()
    mobile = unseal(known.mobile, "person.mobile")
    staff.invite(people.actor(("owner", firm)), no_of(firm), mobile, "editor")
    key = db.session.scalars(select(Invitation.id)).one()
    messages.sent(app)
    db.session.rollback()
    told = db.session.scalars(select(InboxMessage)).one()
    assert (told.person_id, told.url) == (known.id, f"/my/invitations/{key}")
    stranger = sign_in(app.test_client(), other)
    assert stranger.get(f"/my/invitations/{key}").status_code == 404
    assert "邀请您担任" not in stranger.get("/my").text
    with pytest.raises(NotFound):
        staff.accept_invitation(sessions.actor_of(other), key)
    own = sign_in(client, known)
    assert f'href="/my/invitations/{key}"' in own.get("/my").text
    assert send(own, f"/my/invitations/{key}").status_code == 303
    assert f'href="/my/invitations/{key}"' not in own.get("/my").text


def test_a_new_firm_is_told_what_comes_next(client, firm):
    owner = sign_in(client, people.person(("owner", firm)))
    step = f"/my/organisation/verification?no={no_of(firm)}"
    assert step in owner.get("/my").text
    verifications.keep_licence(people.actor(("owner", firm)), no_of(firm), "执照.pdf", PDF)
    verifications.submit(people.actor(("owner", firm)), no_of(firm), DECLARED)
    assert step not in owner.get("/my").text


def test_a_code_comes_with_the_papers_and_nobody_is_verified_without(client, firm):
    people.organisation("乙", uscc=OTHER)
    owner, clerk = people.actor(("owner", firm)), people.actor(("county", None, "511402"))
    verifications.keep_licence(owner, no_of(firm), "执照.pdf", PDF)
    with pytest.raises(Invalid) as told:
        verifications.submit(owner, no_of(firm), DECLARED | {"uscc": OTHER})
    assert list(told.value.fields) == ["uscc"]
    case = verifications.submit(owner, no_of(firm), DECLARED)
    page = sign_in(client, people.person(("county", None, "511402"))).get(f"/verifications/{case}")
    assert "为什么没有统一社会信用代码" in page.text
    with pytest.raises(Invalid):
        verifications.decide(clerk, case, "verify", {})
    back = {"field": "uscc", "rule": "须填代码", "reason": "请补代码"}
    verifications.decide(clerk, case, "return", back)
    verifications.submit(owner, no_of(firm), {"uscc": CODE})
    verifications.decide(clerk, case, "verify", {})
    db.session.rollback()
    row = db.session.get(Organisation, firm)
    assert (row.uscc, row.verified_at is not None) == (CODE, True)


def test_all_that_is_wrong_is_told_at_once_and_named(client, firm):
    owner = sign_in(client, people.person(("owner", firm)))
    page = send(owner, "/my/organisation/verification", account="12")
    for words in ("请上传营业执照", "请填写法定代表人", "请填写注册地址", "银行账号应为"):
        assert words in page.text
    page = send(owner, "/my/organisation/new", uscc=CODE, county="没这个县")
    for words in ("单位名称：必填。", "办公电话：必填。", "没有找到这个县"):
        assert words in page.text


def test_a_code_of_another_kind_is_pointed_out(client):
    firm = people.organisation("假院所", kind="institute", uscc=OTHER, verified=False)
    page = sign_in(client, people.person(("owner", firm))).get("/my/organisation")
    assert "登记的是企业" in page.text
    assert kind_doubt(OTHER, "enterprise", "企业") == kind_doubt(None, "institute", "院所") == ""


def test_drafts_of_who_leaves_go_to_a_colleague(client, firm):
    people.person(("owner", firm))
    leaver, stays = people.person(("editor", firm)), people.person(("editor", firm))
    author = sessions.actor_of(leaver)
    drafts.create_draft(author, "demand", firm, {}, region_id=people.region("511402").id)
    row = db.session.get(Organisation, firm)
    assert queries.count_open_work(row, leaver.id) == 1
    assert len(queries.some_open_work(row, leaver.id)) == 1
    owner = sign_in(client, people.person(("owner", firm)))
    page = send(
        owner, f"/my/organisation/members/{leaver.id}/end", f"/my/organisation/members/{leaver.id}"
    )
    assert (page.status_code, "请选一位同事接办" in page.text) == (422, True)
    assert (
        staff.end_membership(people.actor(("owner", firm)), no_of(firm), leaver.id, stays.id) == 1
    )
    db.session.rollback()
    assert db.session.scalars(select(WorkItem.owner_assignee_id)).one() == stays.id
    assert not grants.held(firm, leaver.id)


def test_a_new_officer_is_told(app, client):
    person = people.person()
    security = people.actor(("security_admin",))
    given = {"role": "county", "region": "511402", "reason": "新来的经办"}
    administration.give(security, person.id, given)
    messages.sent(app)
    db.session.rollback()
    told = db.session.scalars(select(InboxMessage)).one()
    assert (told.person_id, "东坡区" in told.text) == (person.id, True)
