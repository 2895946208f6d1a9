"""Three administrators apart: what each may do, and to whom."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

import market
from market.accounts.administration import labels, permissions, queries, rules, service
from market.accounts.administration.cli import admin
from market.accounts.people import service as accounts
from market.accounts.people import sessions
from market.accounts.people.models import LoginSession, Person, RecoveryCode, RoleGrant
from market.accounts.people.rules import Contact, read_contact
from market.accounts.roles import ADMINISTRATORS, ROLES
from market.core import audit, clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound
from market.core.masking import mask_contact
from market.core.models import AuditEntry, OutboxRow
from market.core.permissions import SYSTEM, policy
from market.core.secrets import unseal
from market.core.settings import SettingsError, load
from market.core.unit_of_work import unit_of_work
from tests import people

REASON = {"reason": "任命文件（演示）"}


@pytest.fixture
def system(app):
    return people.actor(("system_admin",))


@pytest.fixture
def security(app):
    return people.actor(("security_admin",))


@pytest.fixture
def auditor(app):
    return people.actor(("audit_admin",))


def state(person):
    db.session.rollback()
    return db.session.get_one(Person, person.id).state


def audited(action):
    db.session.rollback()
    return db.session.scalars(select(AuditEntry).where(AuditEntry.action == action)).all()


def held(person):
    db.session.rollback()
    query = select(RoleGrant.role).where(
        RoleGrant.person_id == person.id, RoleGrant.ended_at.is_(None)
    )
    return sorted(db.session.scalars(query))


def test_each_administrator_has_his_own_and_nothing_else(app):
    own = {
        "system_admin": {permissions.SEE_PEOPLE, accounts.SUSPEND},
        "security_admin": {
            permissions.SEE_GRANTS,
            permissions.GRANT,
            permissions.END,
            permissions.RESET_SECOND_FACTOR,
        },
        "audit_admin": {permissions.READ_AUDIT, permissions.EXPORT_AUDIT},
    }
    named = set().union(*own.values())
    for role in ADMINISTRATORS:
        actor = people.actor((role,))
        assert {one for one in named if policy.allows(actor, one)} == own[role]
    for role in set(ROLES) - set(ADMINISTRATORS):
        actor = people.actor((role, people.organisation(f"单位{role}"), "511402"))
        assert not any(policy.allows(actor, one) for one in named)
    # Business declares nothing for administrators.
    declared = {name for name, rule in policy.rules.items() if set(rule) & set(ADMINISTRATORS)}
    assert [one for one in declared if one.startswith(("catalogue:", "matching:"))] == []


def test_a_suspended_account_is_out_at_once_and_comes_back(system):
    person = people.person(name="李四")
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        sessions.open_session(work, db.session.get_one(Person, person.id))
    accounts.suspend(system, person.id, "账号被他人使用")
    assert state(person) == "suspended"
    assert db.session.scalar(select(LoginSession.ended_at)) is not None
    assert audited("person.suspended")[0].after["reason"] == "账号被他人使用"
    with pytest.raises(Conflict):
        accounts.suspend(system, person.id, "再来一次")
    accounts.resume(system, person.id, "已换手机")
    assert state(person) == "active"


def test_nobody_suspends_himself_or_without_the_role(system, security):
    with pytest.raises(Conflict):
        accounts.suspend(system, system.id, "自己停用")
    with pytest.raises(Denied):
        accounts.suspend(security, system.id, "越权停用")
    with pytest.raises(NotFound):
        accounts.suspend(system, 999_999, "没有此人")


def test_contacts_are_masked_and_found_exactly(system):
    person = people.person(name="王五")
    number = unseal(person.mobile, "person.mobile")
    shown = queries.person(system, person.id)
    assert shown.mobile == f"{number[:3]}****{number[-4:]}"
    typed = read_contact(f"+86 {number[:3]}-{number[3:7]} {number[7:]}")
    assert queries.find_person(system, typed, permissions.SEE_PEOPLE) == person.id
    part = Contact("mobile", number[:-1])
    assert queries.find_person(system, part, permissions.SEE_PEOPLE) is None
    assert mask_contact("anna@x.cn") == "a***@x.cn"


@pytest.mark.parametrize(
    "text", ["", "1391234567", "张三", "a@b", "139123456789", "x" * 300 + "@x.cn"]
)
def test_what_is_no_contact(text):
    assert read_contact(text) is None


def test_people_come_fifty_a_page(system):
    for _ in range(51):
        people.person()
    first, more = queries.people(system)
    rest, none = queries.people(system, before=more)
    assert (len(first), len(rest), none) == (50, 2, None)
    assert not {one.id for one in first} & {one.id for one in rest}


# -- grants


def test_a_role_for_an_organisation_and_its_end(security):
    person, firm = people.person(), people.organisation("甲企业（演示）", uscc="91511402MA0000000X")
    key = service.give(
        security, person.id, {"role": "owner", "organisation": "91511402ma0000000x"} | REASON
    )
    row = db.session.get_one(RoleGrant, key)
    assert (row.organisation_id, row.valid_from, row.reason) == (
        firm,
        clock.today(),
        REASON["reason"],
    )
    with pytest.raises(Conflict):
        service.give(
            security, person.id, {"role": "owner", "organisation": "91511402MA0000000X"} | REASON
        )
    service.end(security, key, "离职")
    assert held(person) == []
    with pytest.raises(Conflict):
        service.end(security, key, "离职")
    assert [one.after["person"] for one in audited("grant.given")] == [person.id]
    assert audited("grant.ended")[0].after["reason"] == "离职"


def test_offices_get_a_region_of_their_level(security):
    person = people.person()
    places = {"county": "511402", "prefecture": "511400", "province": "510000"}
    for role in places:
        for level, code in places.items():
            wanted = {"role": role, "region": code} | REASON
            if role == level:
                assert service.give(security, person.id, wanted)
            else:
                with pytest.raises(Invalid) as error:
                    service.give(security, person.id, wanted)
                assert set(error.value.fields) == {"region"}
    assert held(person) == sorted(places)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"role": "owner"}, "organisation"),
        ({"role": "county"}, "region"),
        ({"role": "county", "region": "没有这个县"}, "region"),
        ({"role": "owner", "organisation": "没有"}, "organisation"),
        ({"role": "expert", "region": "511402"}, "region"),
        ({"role": "expert", "valid_from": clock.today() - timedelta(days=1)}, "valid_from"),
        ({"role": "expert", "valid_to": clock.today() - timedelta(days=1)}, "valid_to"),
    ],
)
def test_what_does_not_fit_is_named(security, values, field):
    person = people.person()
    with pytest.raises(Invalid) as error:
        service.give(security, person.id, values | REASON)
    assert set(error.value.fields) == {field}
    assert held(person) == []


@pytest.mark.parametrize("role", ADMINISTRATORS)
def test_administrators_are_nothing_else_in_both_directions(security, role):
    officer, administrator = people.person(("county", None, "511402")), people.person((role,))
    with pytest.raises(Invalid):
        service.give(security, officer.id, {"role": role} | REASON)
    for other in ({"role": "expert"}, {"role": "county", "region": "511402"}):
        with pytest.raises(Invalid) as error:
            service.give(security, administrator.id, other | REASON)
        assert "不能兼任" in error.value.fields["role"][0]
    assert held(administrator) == [role]
    assert held(officer) == ["county"]


def test_a_role_that_begins_later_excludes_too(security):
    person = people.person()
    later = {"role": "expert", "valid_from": clock.today() + timedelta(days=30)}
    service.give(security, person.id, later | REASON)
    with pytest.raises(Invalid):
        service.give(security, person.id, {"role": "audit_admin"} | REASON)


def test_nobody_grants_to_himself_or_ends_his_own(security, system):
    with pytest.raises(Denied):
        service.give(security, security.id, {"role": "expert"} | REASON)
    own = db.session.scalar(select(RoleGrant.id).where(RoleGrant.person_id == security.id))
    with pytest.raises(Denied):
        service.end(security, own, "自己")
    with pytest.raises(Denied):
        service.give(system, security.id, {"role": "expert"} | REASON)
    suspended = people.person(state="suspended")
    with pytest.raises(Conflict):
        service.give(security, suspended.id, {"role": "expert"} | REASON)


# -- the audit


def test_a_lost_second_factor_is_reset_by_another(security, system):
    """Who lost the device and the codes has no way in by himself."""
    now = clock.now()
    lost = people.person(("county", None, "511402"), totp="x", totp_at=now, totp_last_step=1)
    lost_id = lost.id
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        sessions.open_session(work, db.session.get_one(Person, lost_id), second_factor=True)
        db.session.add(RecoveryCode(person_id=lost_id, code_hash="y"))
    with pytest.raises(Denied):
        service.reset_second_factor(system, lost_id, "本人到场")
    with pytest.raises(Invalid):
        service.reset_second_factor(security, lost_id, " ")
    service.reset_second_factor(security, lost_id, "本人持身份证到场")
    db.session.rollback()
    person = db.session.get_one(Person, lost_id)
    assert (person.totp, person.totp_at, person.totp_last_step) == (None, None, None)
    open_ones = select(LoginSession.id).where(LoginSession.ended_at.is_(None))
    assert list(db.session.scalars(open_ones.where(LoginSession.person_id == lost_id))) == []
    assert db.session.scalars(select(RecoveryCode)).all() == []
    (entry,) = audited("person.second_factor_reset")
    assert (entry.object_id, entry.after["reason"]) == (lost_id, "本人持身份证到场")
    told = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "person.second_factor"))
    assert [row.payload["people"] for row in told] == [[lost_id]]
    with pytest.raises(Conflict):
        service.reset_second_factor(security, lost_id, "再来一次")


def test_nobody_resets_his_own_second_factor(app):
    own = people.person(("security_admin",), totp="x", totp_at=clock.now())
    actor = sessions.actor_of(own)
    with pytest.raises(Denied, match="另一位"):
        service.reset_second_factor(actor, actor.id, "手机丢了")
    assert db.session.get_one(Person, actor.id).totp == "x"


def test_the_audit_is_searched_by_what_it_says(auditor, security):
    person = people.person()
    key = service.give(security, person.id, {"role": "expert"} | REASON)
    service.end(security, key, "离任")

    def found(**wanted):
        return [one.action for one in queries.entries(auditor, wanted)[0]]

    assert found(action="grant") == ["grant.ended", "grant.given"]
    assert found(action="grant.given") == ["grant.given"]
    assert found(action="gran") == []
    assert found(actor=security.label, kind="grant") == ["grant.ended", "grant.given"]
    assert found(actor="别人") == []
    today = clock.today()
    assert len(found(since=today, until=today, kind="grant")) == 2
    assert found(until=today - timedelta(days=1), kind="grant") == []
    assert found(since=today + timedelta(days=1)) == []
    for other in (
        security,
        people.actor(("system_admin",)),
        people.actor(("province", None, "510000")),
    ):
        with pytest.raises(Denied):
            queries.entries(other, {})


def test_an_export_is_in_the_audit_and_not_in_itself(auditor, security):
    service.give(security, people.person().id, {"role": "expert"} | REASON)
    last = service.note_export(auditor, {"kind": "grant"}, "csv")
    rows = list(queries.entry_rows(auditor, {}, last))
    assert [one["action"] for one in rows][-1] == "grant.given"
    assert audited("audit.exported")[0].after == {"kind": "grant", "format": "csv", "rows": 1}
    with pytest.raises(Denied):
        service.note_export(security, {}, "csv")


def test_too_much_for_one_file_is_refused(auditor, security, monkeypatch):
    monkeypatch.setattr(rules, "MOST_EXPORTED", 1)
    key = service.give(security, people.person().id, {"role": "expert"} | REASON)
    service.end(security, key, "离任")
    with pytest.raises(Invalid) as error:
        service.note_export(auditor, {}, "csv")
    assert set(error.value.fields) == {"since"}


def test_entries_are_kept_for_six_months_at_least(tmp_path):
    where = {"MARKET_INSTANCE": str(tmp_path)}
    assert load(where).audit_days >= 184
    with pytest.raises(SettingsError):
        load(where | {"MARKET_AUDIT_DAYS": "183"})


def test_the_chain_is_told(auditor):
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        work.record("test.done", "test", 1)
    tail = queries.chain(auditor).tail
    assert tail >= 1
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        assert audit.seal_batch() == tail
    assert queries.chain(auditor).tail == 0


# -- the first ones


class Given:
    def __init__(self, app):
        self.app = app


def create(app, *words, typed="一个很长的密码 2026\n"):
    return CliRunner().invoke(admin, ["create", *words], input=typed, obj=Given(app))


def test_the_first_administrator_comes_from_the_command_line(app):
    answer = create(app, "--role", "system_admin", "--name", "赵六", "--mobile", "13800001234")
    assert answer.exit_code == 0, answer.output
    assert "13800001234" not in answer.output
    person = db.session.scalars(select(Person)).one()
    assert person.password_hash.startswith("$argon2")
    assert held(person) == ["system_admin"]
    again = create(app, "--role", "audit_admin", "--name", "赵六", "--mobile", "138 0000 1234")
    assert again.exit_code != 0
    assert held(person) == ["system_admin"]


def test_a_person_without_roles_becomes_one_and_keeps_the_password(app):
    with app.app_context():
        person = people.person(password_hash="kept")
        number = unseal(person.mobile, "person.mobile")
    assert (
        create(
            app, "--role", "audit_admin", "--name", "张三", "--mobile", number, typed=""
        ).exit_code
        == 0
    )
    db.session.rollback()
    assert db.session.get_one(Person, person.id).password_hash == "kept"
    assert held(person) == ["audit_admin"]


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        (["--mobile", "13800001234"], "short\n"),
        (["--mobile", "13800001234"], "aaaaaaaaaaaa\n"),
        (["--mobile", "13800001234"], ""),
        (["--mobile", "1380000"], "一个很长的密码 2026\n"),
        (["--mobile", "13800001234", "--email", "a@x.cn"], "一个很长的密码 2026\n"),
        ([], "一个很长的密码 2026\n"),
        (["--email", "13800001234"], "一个很长的密码 2026\n"),
    ],
)
def test_the_command_takes_no_half_administrator(app, words, typed):
    answer = create(app, "--role", "system_admin", "--name", "赵六", *words, typed=typed)
    assert answer.exit_code == 2
    assert db.session.scalar(select(func.count()).select_from(Person)) == 0


def test_every_act_of_the_audit_has_words(app):
    """By what the sources record; cases by their tables."""
    sources = [path.read_text() for path in (Path(market.__file__).parent).rglob("*.py")]
    recorded = {
        word
        for text in sources
        for word in re.findall(
            r'(?:record|audit\.add)\(\s*(?:[\w.]+,\s*)?"([a-z_]+\.[a-z_]+)"', text
        )
    }
    assert len(recorded) > 60
    workflows = app.extensions["market"].workflows
    for name, workflow in workflows.items():
        recorded |= {f"{name}.{one.action}" for one in workflow.transitions} | {f"{name}.begin"}
    assert [one for one in recorded if labels.action_label(one, workflows) == one] == []
    assert labels.action_label("nobody.knows", workflows) == "nobody.knows"
