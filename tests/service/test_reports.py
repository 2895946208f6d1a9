"""Readers report mistakes: kept for the office, limited, personal values sealed."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from market.catalogue import problems, queries, service
from market.catalogue.cli import reports
from market.catalogue.models import Listing, ProblemReport
from market.catalogue.problems import ReportSchema
from market.core import audit, clock, secrets
from market.core.db import db
from market.core.errors import Denied, NotFound, TooMany
from market.core.forms import read_form
from market.core.models import AuditEntry
from market.core.permissions import PUBLIC, SYSTEM


@pytest.fixture
def prepared_demo(prepared_quiet):
    """The market before any case."""
    return prepared_quiet


NO = "CG2026000001"
GOOD = {"reason": "wrong", "text": "效果写错了", "contact": "028-3816 0000"}


def report(no=NO, kind="achievement", address="192.0.2.7", **values):
    return service.report_problem(PUBLIC, kind, no, GOOD | values, address=address)


def kept():
    return db.session.scalars(select(ProblemReport).order_by(ProblemReport.id)).all()


def loaded(**typed):
    return read_form(ReportSchema(), MultiDict(typed))


def test_a_report_is_kept_and_the_contact_is_sealed(demo):
    number = report()
    row = kept()[0]
    assert (row.no, row.reason, row.text, row.state) == (number, "wrong", "效果写错了", "new")
    assert row.listing.no == NO
    assert "3816" not in row.contact
    assert secrets.unseal(row.contact, problems.CONTACT) == "028-3816 0000"
    assert secrets.unseal(row.contact, "another purpose") is None
    assert "192.0.2.7" not in row.sender
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.action, entry.object_no) == ("listing.reported", NO)
    assert entry.after == {"report": number, "reason": "wrong"}
    assert audit.verify().broken is None


def test_numbers_cannot_be_counted_up():
    numbers = {problems.new_number() for _ in range(50)}
    assert len(numbers) == 50
    assert all(len(number) == 14 and not set("01ILO") & set(number) for number in numbers)


def test_five_an_hour_from_one_address_and_again_later(demo):
    with time_machine.travel("2026-11-20 12:10:00+00:00", tick=False) as now:
        for number in range(5):
            report(no=f"CG202600000{number + 1}")
        with pytest.raises(TooMany, match="一小时内已报告 5 次"):
            report(text="第六次")
        report(address="192.0.2.8")
        now.shift(timedelta(minutes=61))
        report()
    assert len(kept()) == 7


def test_the_hour_goes_on_over_midnight(demo):
    with time_machine.travel("2026-11-20 15:50:00+00:00", tick=False) as now:  # 23:50 in China
        for number in range(5):
            report(no=f"CG202600000{number + 1}")
        now.shift(timedelta(minutes=20))
        with pytest.raises(TooMany):
            report()


def test_a_button_pressed_twice_is_one_report(demo):
    with time_machine.travel("2026-11-20 15:58:00+00:00", tick=False) as now:  # 23:58 in China
        number = report()
        now.shift(timedelta(minutes=3))
        assert report() == number
        others = {report(text="别的"), report(contact=None)}
        others |= {report(address="192.0.2.8"), report(no="CG2026000002")}
        now.shift(timedelta(minutes=8))
        others.add(report())
    assert number not in others
    assert len(kept()) == 1 + len(others) == 6


def test_addresses_of_one_ipv6_network_count_as_one(demo):
    for number in range(5):
        report(no=f"CG202600000{number + 1}", address=f"2001:db8:1:2::{number}")
    with pytest.raises(TooMany):
        report(no="CG2026000006", address="2001:db8:1:2:ffff::1")
    report(address="2001:db8:1:3::1")


def test_twenty_a_day_about_one_listing(demo):
    with time_machine.travel("2026-11-20 02:00:00+00:00", tick=False) as now:
        for number in range(20):
            report(address=f"192.0.2.{number}")
        with pytest.raises(TooMany, match="今天已收到很多报告"):
            report(address="198.51.100.1")
        report(no="CG2026000002", address="198.51.100.1")
        now.shift(timedelta(hours=25))
        report(address="198.51.100.1")


def test_what_is_not_public_cannot_be_reported(demo):
    service.withdraw(SYSTEM, "CG2026000002", "停止")
    for no, kind in (
        ("CG2026000002", "achievement"),
        ("CG1", "achievement"),
        (NO, "demand"),
    ):
        with pytest.raises(NotFound):
            report(no=no, kind=kind)
    assert kept() == []


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({}, "reason", "请选择哪里有问题"),
        ({"reason": "else"}, "reason", "不在选项中"),
        ({"reason": "other"}, "text", "请写明是什么问题"),
        ({"reason": "wrong", "text": "长" * 1001}, "text", "最多 1000 个字"),
        ({"reason": "wrong", "contact": "1" * 101}, "contact", "最多 100 个字"),
    ],
)
def test_mistakes_of_the_form(app, typed, field, words):
    form = loaded(**typed)
    assert words in form.errors[field][0]
    assert all(form.typed[name] == value for name, value in typed.items())


def test_lines_of_the_text_stay_lines(app):
    form = loaded(reason="other", text=" 第一行\r\n第二行\x00 ")
    assert form.values["text"] == "第一行\n第二行"
    assert form.typed["text"] == "第一行\r\n第二行"


def test_the_office_sees_the_reports_of_its_area(demo):
    rows = select(Listing.no, Listing.region_id).order_by(Listing.id)
    no, region_id = db.session.execute(rows).first()
    mine, other = report(no=no), report(no=_elsewhere(region_id), address="192.0.2.9")
    path = db.session.get_one(Listing, 1).region.path
    assert [one.no for one in queries.open_reports(SYSTEM, path)] == [mine]
    assert [one.no for one in queries.open_reports(SYSTEM)] == [mine, other]
    with pytest.raises(Denied):
        queries.open_reports(PUBLIC)
    with pytest.raises(Denied):
        service.unmask_contacts(PUBLIC, [1])


def _elsewhere(region_id):
    query = select(Listing.no).where(Listing.region_id != region_id, Listing.kind == "achievement")
    return db.session.scalar(query.order_by(Listing.id))


def test_the_name_of_a_withdrawn_listing_is_not_told(demo):
    number = report()
    assert queries.follow_report(PUBLIC, number).title != NO
    service.withdraw(SYSTEM, NO, "名称里有个人信息")
    assert queries.follow_report(PUBLIC, number).title == NO


def test_a_number_tells_how_the_report_stands(demo):
    number = report()
    found = queries.follow_report(PUBLIC, number.lower())
    assert (found.no, found.state, found.reason) == (number, "待处理", "内容有误")
    with pytest.raises(NotFound):
        queries.follow_report(PUBLIC, "BC2222")


@pytest.fixture
def command(demo, monkeypatch):
    """Runs `market reports …` in this process, on the test's database."""
    from market import cli as module

    monkeypatch.setattr(module._Context, "app", property(lambda self: demo))

    def run(*arguments):
        done = CliRunner().invoke(reports, arguments, obj=module._Context())
        db.session.rollback()
        assert done.exit_code == 0, done.output
        return done.output

    return run


def test_the_command_lists_and_each_look_at_a_contact_is_audited(command):
    number = report(text="第一行\n第二行")
    report(contact=None, address="192.0.2.9")
    code = kept()[0].listing.region.code

    def looks():
        query = select(func.count()).where(AuditEntry.action == "report.contact_read")
        return db.session.scalar(query)

    plain = command("--region", code)
    assert number in plain
    assert "3816" not in plain
    assert "留有联系方式" in plain
    assert "待处理 2 条" in plain
    assert "待处理 0 条" in command("--region", "650000")
    assert looks() == 0
    assert "028-3816 0000" in command("--contacts")
    assert looks() == 1


def test_a_changed_key_loses_the_contacts_not_the_reports(demo, monkeypatch):
    number = report()
    identity = kept()[0].id
    market = demo.extensions["market"]
    changed = type(market.settings)(**{**vars(market.settings), "secret_key": "k" * 40})
    monkeypatch.setattr(market, "settings", changed)
    assert service.unmask_contacts(SYSTEM, [identity]) == {identity: None}
    assert queries.open_reports(SYSTEM)[0].no == number


def test_sealing_differs_each_time_and_pseudonyms_do_not(app):
    assert secrets.seal("138", "a") != secrets.seal("138", "a")
    assert secrets.pseudonym("138", "a") == secrets.pseudonym("138", "a")
    assert secrets.pseudonym("138", "a") != secrets.pseudonym("138", "b")
    assert problems.sender_on("x", clock.now()) != problems.sender_on(
        "x", clock.now() - timedelta(days=1)
    )


def test_old_reports_tell_nothing_of_their_senders(demo):
    report()
    for days, told in ((1, (True, True)), (3, (False, True)), (181, (False, False))):
        with time_machine.travel(clock.now() + timedelta(days=days), tick=False):
            assert service.forget_reporters() is False
        db.session.rollback()
        [one] = kept()
        assert (bool(one.sender), one.contact is not None) == told
        assert one.text == GOOD["text"]
