"""Files that people bring: kept, checked by the worker, decided, taken back."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from market.accounts.rosters.models import RosterEntry
from market.catalogue.imports import jobs, queries, rules, service, storage
from market.catalogue.imports.models import ImportJob
from market.catalogue.models import Listing
from market.catalogue.publishing import service as publishing
from market.catalogue.publishing.models import Submission
from market.core import clock
from market.core.db import db
from market.core.errors import Conflict, Denied, Invalid, NotFound, TooMany
from market.core.models import AuditEntry, CaseEvent, ImportRun, WorkItem
from market.core.permissions import SYSTEM, Actor
from market.core.unit_of_work import unit_of_work
from market.core.workflow import timeline
from market.regions.models import LeadingIndustry
from tests import people
from tests.service.clerk import CODE, OTHER

ROW = {"title": "川茶机采技术", "summary": "一台机器顶二十个人采茶。"}
CLEARED = {"cleared": "1"}


def lines(*rows):
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def rows(count, word="茶园"):
    return [
        {"title": f"{word}第 {n} 号技术", "summary": f"{word}里第 {n} 件事。"} for n in range(count)
    ]


@pytest.fixture
def institute(app):
    return people.organisation("雅安院（演示）", kind="institute", code="511803")


@pytest.fixture
def editor(institute):
    return people.actor(("editor", institute))


def bring(actor, *content, kind="achievements", name="成果.jsonl", scope=""):
    return service.upload(actor, kind, scope, name, lines(*content))


def work():
    while jobs.run_one():
        pass


def state(no):
    db.session.rollback()
    return db.session.scalars(select(ImportJob).where(ImportJob.no == no)).one()


def change(**values):
    with unit_of_work(SYSTEM) as current:
        current.require(people.MAKE)
        db.session.execute(update(ImportJob).values(values))


def published():
    db.session.rollback()
    query = select(func.count()).select_from(Listing).where(Listing.state == "published")
    return db.session.scalar(query)


def test_a_file_is_checked_shown_imported_and_taken_back(editor, institute):
    no = bring(editor, ROW, *rows(2))
    assert state(no).state == "waiting"
    work()
    job = state(no)
    assert (job.state, job.added, job.rows_total, job.rows_seen) == ("checked", 3, 3, 3)
    assert job.preview[0]["cells"]["名称"] == ROW["title"]
    assert published() == 0
    assert db.session.scalar(select(WorkItem.side).where(WorkItem.no == no)) == "owner"
    service.act(editor, no, "import", CLEARED)
    work()
    job = state(no)
    assert (job.state, job.mode, job.added) == ("done", "publish", 3)
    assert published() == 3
    assert set(db.session.scalars(select(Listing.owner_id))) == {institute}
    service.act(editor, no, "undo")
    assert state(no).state == "undone"
    assert published() == 0
    done = list(db.session.scalars(select(AuditEntry.action).where(AuditEntry.object_no == no)))
    assert done == [
        f"import_job.{one}" for one in ("begin", "check", "pass", "import", "finish", "undo")
    ]


def test_nothing_goes_public_without_a_confidentiality_review(editor):
    no = bring(editor, ROW)
    work()
    for given in (None, {"cleared": "", "cleared_no": "BM-7"}):
        with pytest.raises(Invalid) as refused:
            service.act(editor, no, "import", given)
        assert "cleared" in refused.value.fields
    assert state(no).state == "checked"
    service.act(editor, no, "import", CLEARED | {"cleared_no": "BM-7", "cleared_by": "王审"})
    note = db.session.scalar(select(CaseEvent.note).where(CaseEvent.action == "import"))
    assert note == "已确认保密审查，审查表 BM-7，审查人 王审"
    work()
    assert published() == 1


def test_where_a_sign_off_is_wanted_another_signer_lets_the_rows_go_public(app):
    own = people.organisation("签发院（演示）", kind="institute", code="511803", signs_inside=True)
    owner, editor = people.actor(("owner", own)), people.actor(("editor", own))
    signer = people.actor(("certifier", own))
    no = bring(owner, ROW)
    work()
    for somebody in (owner, editor):
        assert "import" not in [one.action for one in queries.actions(somebody, state(no))]
        with pytest.raises(Denied):
            service.act(somebody, no, "import", CLEARED)
    with pytest.raises(Denied):
        service.act(signer, no, "draft")
    service.act(signer, no, "import", CLEARED)
    work()
    assert (state(no).state, published()) == ("done", 1)


def test_every_problem_stands_at_its_cell_and_nothing_is_imported(editor):
    no = bring(
        editor, ROW, {"title": "", "summary": "没有名称。"}, {"title": "甲乙", "stage": "差不多"}
    )
    work()
    job = state(no)
    assert (job.state, job.rejected) == ("refused", 2)
    assert {problem["row"] for problem in job.problems if not problem["warning"]} == {2, 3}
    assert job.problem_count == len(job.problems)
    with pytest.raises(Conflict):
        service.act(editor, no, "import", CLEARED)
    assert published() == 0


def test_a_new_row_that_is_over_is_refused(editor):
    no = bring(editor, ROW | {"valid_until": "2020-01-01"})
    work()
    assert state(no).state == "refused"
    assert "已经过去" in state(no).problems[0]["message"]
    asked = bring(editor, ROW | {"deadline": "2020-01-01"}, kind="demands")
    work()
    assert (state(asked).state, state(asked).warned) == ("checked", 1)


def test_what_a_row_of_the_same_title_changes_is_said_and_shown(editor):
    no = bring(editor, ROW)
    work()
    service.act(editor, no, "import", CLEARED)
    work()
    again = bring(editor, ROW | {"summary": "一台机器顶三十个人。"})
    work()
    job = state(again)
    assert (job.changed, job.warned) == (1, 1)
    assert "同名" in job.problems[0]["message"]
    (row,) = job.preview
    assert row["cells"] == {
        "名称": ROW["title"],
        "简介": f"原：{ROW['summary']}；改为：一台机器顶三十个人。",
    }


def test_rows_of_another_organisation_are_refused(editor):
    people.organisation("别家（演示）", kind="institute", code="511803")
    no = bring(editor, ROW | {"owner_name": "别家（演示）"})
    work()
    assert state(no).state == "refused"
    assert "只能导入本单位的" in state(no).problems[0]["message"]


def test_an_office_imports_for_its_area_only(app):
    people.organisation("名山企业（演示）", code="511803")
    people.organisation("东坡企业（演示）", code="511402")
    office = people.actor(("county", None, "511803"))
    no = bring(
        office, ROW | {"owner_name": "名山企业（演示）"}, ROW | {"owner_name": "东坡企业（演示）"}
    )
    work()
    job = state(no)
    assert job.state == "refused"
    assert [problem["row"] for problem in job.problems] == [2]
    assert "不在您负责的地区" in job.problems[0]["message"]
    elsewhere = {"owner_name": "名山企业（演示）", "region": "511402"}
    no = bring(office, ROW | elsewhere)
    work()
    assert "不在您负责的范围" in state(no).problems[0]["message"]


def test_an_office_fills_the_places_of_its_county(app):
    office = people.actor(("county", None, "511803"))
    row = {"position": 1, "name": "川茶", "keywords": "茶叶；茶园"}
    no = bring(office, row, kind="leading-industries")
    far = bring(office, row | {"region": "511402"}, kind="leading-industries")
    work()
    assert state(far).state == "refused"
    service.act(office, no, "import", CLEARED)
    work()
    assert state(no).state == "done"
    assert db.session.scalar(select(LeadingIndustry.name)) == "川茶"
    with pytest.raises(Conflict, match="不能撤销"):
        service.act(office, no, "undo")


def test_who_may_import_what(editor, institute):
    with pytest.raises(Denied):
        bring(editor, ROW, kind="pins")
    with pytest.raises(Invalid):
        bring(editor, ROW, kind="rosters-of-another-planet")
    with pytest.raises(Denied):
        bring(people.actor(("viewer", institute)), ROW)
    with pytest.raises(Denied):
        bring(people.actor(), ROW)
    assert list(storage.folder().glob("*")) == []


def test_another_organisations_import_is_not_there(editor):
    no = bring(editor, ROW)
    other = people.actor(("owner", people.organisation("别家（演示）")))
    office = people.actor(("county", None, "511803"))
    for actor in (other, office):
        with pytest.raises(NotFound):
            queries.find(actor, no)
        with pytest.raises(NotFound):
            service.act(actor, no, "discard")
        assert queries.mine(actor) == ([], None)


def test_the_same_file_waits_once_and_changes_nothing_later(editor):
    no = bring(editor, ROW)
    assert bring(editor, ROW) == no
    work()
    service.act(editor, no, "import", CLEARED)
    work()
    again = bring(editor, ROW)
    assert again != no
    work()
    job = state(again)
    assert (job.state, job.added, job.unchanged) == ("checked", 0, 1)
    assert [one.action for one in queries.actions(editor, job)] == ["discard"]
    with pytest.raises(Conflict, match="不用导入"):
        service.act(editor, again, "import", CLEARED)


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("程序.exe", b"MZ", "file"),
        ("没有扩展名", b"a", "file"),
        ("空.csv", b"", "file"),
        ("大.csv", b"x" * (rules.LARGEST + 1), "file"),
    ],
)
def test_what_is_no_table_is_not_even_kept(editor, name, data, field):
    with pytest.raises(Invalid) as error:
        service.upload(editor, "achievements", "", name, data)
    assert set(error.value.fields) == {field}
    assert not storage.folder().exists()


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7 a paper",
        b"\xff\xd8\xff picture",
        b"PK\x03\x04 broken",
        b"\x00\x01\x02",
        "甲,乙\n1,2".encode(),
    ],
)
def test_other_content_under_the_name_of_a_table_is_refused_with_a_sentence(editor, data):
    no = service.upload(editor, "achievements", "", "成果.xlsx", data)
    work()
    job = state(no)
    assert job.state == "refused"
    assert job.fault


def test_a_package_of_ten_thousand_parts_and_a_bomb_are_refused(editor):
    many, bomb = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(many, "w") as packed:
        for number in range(10_000):
            packed.writestr(f"xl/worksheets/sheet{number}.xml", "")
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
        with packed.open("xl/workbook.xml", "w", force_zip64=True) as part:
            for _ in range(320):
                part.write(b" " * 1024 * 1024)
    for data in (many.getvalue(), bomb.getvalue()):
        no = service.upload(editor, "achievements", "", "成果.xlsx", data)
        work()
        assert state(no).state == "refused"
        assert state(no).fault


def test_two_workers_take_a_file_once(editor, app):
    no = bring(editor, *rows(3))
    done = []

    def one():
        with app.app_context():
            done.append(jobs.run_one())

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state(no).state == "checked"
    checks = [entry for entry in timeline("import_job", state(no).id) if entry.action == "check"]
    assert len(checks) == 1


def test_folders_in_a_name_go_nowhere(editor):
    no = bring(editor, ROW, name="..\\..\\etc/../passwd<x>.JSONL")
    assert state(no).file_name == "passwdx.jsonl"
    assert [one.parent for one in storage.folder().iterdir()] == [storage.folder()]


def test_a_longer_file_is_refused_whole(editor):
    no = bring(editor, *rows(rules.MOST_ROWS + 1))
    work()
    assert state(no).state == "refused"
    assert "2,000" in state(no).fault


def test_files_wait_for_each_other(editor):
    first, second = bring(editor, ROW), bring(editor, *rows(1))
    assert queries.ahead(state(second)) == 1
    assert jobs.run_one()
    assert (state(first).state, state(second).state) == ("checked", "waiting")


def test_too_many_that_wait_are_not_taken(editor):
    for number in range(rules.MOST_OPEN):
        bring(editor, *rows(1, f"第 {number} 个"))
    with pytest.raises(TooMany):
        bring(editor, ROW)


def _die_while_checking(monkeypatch):
    def killed(*_values, **_more):
        raise KeyboardInterrupt  # nothing of ours catches it, as nothing catches a kill

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "run_import", killed)
        with pytest.raises(KeyboardInterrupt):
            jobs.run_one()


def test_a_file_whose_worker_died_is_checked_again(editor, monkeypatch):
    no = bring(editor, ROW)
    _die_while_checking(monkeypatch)
    jobs.free_dead()
    assert state(no).state == "checking"  # it may still be alive
    change(heartbeat_at=clock.now() - rules.SILENT - timedelta(seconds=1))
    jobs.free_dead()
    assert state(no).state == "waiting"
    work()
    assert state(no).state == "checked"


def test_a_file_that_kills_its_worker_each_time_is_given_up(editor, monkeypatch):
    no = bring(editor, ROW)
    for _ in range(rules.MOST_TRIES):
        _die_while_checking(monkeypatch)
        change(heartbeat_at=clock.now() - timedelta(hours=1))
        jobs.free_dead()
    assert state(no).state == "failed"
    service.act(editor, no, "again")
    work()
    assert state(no).state == "checked"


def test_a_worker_that_died_between_showing_and_saying_so_shows_nothing_twice(editor, monkeypatch):
    no = bring(editor, ROW)
    work()
    service.act(editor, no, "import", CLEARED)
    with monkeypatch.context() as patched:
        patched.setattr(
            jobs._Held, "end", lambda *_a, **_m: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            jobs.run_one()
    assert published() == 1
    change(heartbeat_at=clock.now() - timedelta(hours=1))
    work()
    job = state(no)
    assert (job.state, job.added) == ("done", 1)
    assert db.session.scalar(select(func.count()).select_from(ImportRun)) == 1
    service.act(editor, no, "undo")
    assert published() == 0


def test_who_gives_up_a_file_in_the_workers_hand_stops_it(editor, monkeypatch):
    no = bring(editor, *rows(rules.AT_A_TIME * 2))
    beat = jobs._Held.beat

    def given_up(held, **values):
        if values.get("rows_seen"):
            service.act(editor, no, "discard")
        beat(held, **values)

    monkeypatch.setattr(jobs._Held, "beat", given_up)
    work()
    assert state(no).state == "discarded"
    assert state(no).rows_seen == 0


def test_who_lost_the_right_meanwhile_imports_nothing(institute):
    person = people.person(("editor", institute))
    from market.accounts.people import sessions
    from market.accounts.people.models import Person

    no = bring(sessions.actor_of(person), ROW)
    with unit_of_work(SYSTEM) as current:
        current.require(people.MAKE)
        db.session.execute(update(Person).values(state="suspended"))
    work()
    job = state(no)
    assert job.state == "failed"
    assert "没有导入的权限" in job.fault


def test_an_import_that_was_changed_since_is_not_taken_back(editor):
    no = bring(editor, ROW)
    work()
    service.act(editor, no, "import", CLEARED)
    work()
    later = bring(editor, ROW | {"summary": "一台机器顶三十个人采茶。"})
    work()
    service.act(editor, later, "import", CLEARED)
    work()
    with pytest.raises(Conflict, match="有人又改过"):
        service.act(editor, no, "undo")
    assert state(no).state == "done"
    service.act(editor, later, "undo")
    assert published() == 1


def test_after_ten_days_it_stays_and_the_file_goes(editor):
    no = bring(editor, ROW)
    work()
    service.act(editor, no, "import", CLEARED)
    work()
    assert not service.forget_old()
    assert (storage.folder() / state(no).stored).is_file()
    change(finished_at=clock.now() - rules.KEPT - timedelta(minutes=1))
    with pytest.raises(Conflict, match="10 天"):
        service.act(editor, no, "undo")
    service.forget_old()
    assert state(no).stored is None
    assert list(storage.folder().iterdir()) == []


def test_files_without_an_import_go_after_an_hour(editor):
    import os
    import time

    no = bring(editor, ROW)
    lost = storage.folder() / "lost.csv"
    lost.write_bytes(b"x")
    os.utime(lost, (time.time() - 7200,) * 2)
    service.forget_old()
    assert [one.name for one in storage.folder().iterdir()] == [state(no).stored]


def test_a_thread_carries_it_out(editor, app):
    no = bring(editor, ROW)
    runner = jobs.Runner()
    assert runner.run() is False
    runner.wait()
    assert state(no).state == "checked"


def test_a_visitor_has_nothing_to_import_for(app):
    assert queries.scopes(Actor("public", "访客")) == []


# -- drafts


@pytest.fixture
def firm(app):
    return people.organisation("甲企业（演示）", code="511803")


@pytest.fixture
def clerk(firm):
    return people.actor(("owner", firm))


def drafts(states=("draft",)):
    db.session.rollback()
    return db.session.scalars(
        select(Submission).where(Submission.state.in_(states)).order_by(Submission.id)
    ).all()


def test_an_enterprises_rows_become_drafts(clerk, firm):
    marked = f"<p>{ROW['summary']}</p>"
    no = bring(clerk, ROW | {"source_id": "A1", "price": "3万", "summary": marked}, *rows(1))
    work()
    job = state(no)
    assert (job.state, job.added) == ("checked", 2)
    assert [one.action for one in queries.actions(clerk, job)] == ["draft", "discard"]
    with pytest.raises(Denied):
        service.act(clerk, no, "import")
    service.act(clerk, no, "draft")
    work()
    assert (state(no).state, published()) == ("done", 0)
    made = drafts()
    assert [(one.organisation_id, one.source) for one in made] == [(firm, "import")] * 2
    assert made[0].content["price"] == "3万"
    assert made[0].content["summary"] == ROW["summary"]  # plain, as it would be published
    again = bring(clerk, ROW | {"source_id": "A1", "price": "3万"}, *rows(1))
    work()
    assert (state(again).added, state(again).changed, state(again).unchanged) == (0, 0, 2)
    service.act(clerk, no, "undo")
    assert drafts() == []
    assert db.session.scalar(select(WorkItem.id).where(WorkItem.kind == "submission")) is None


def test_drafts_that_somebody_went_on_with_stay(clerk):
    no = bring(clerk, ROW)
    work()
    service.act(clerk, no, "draft")
    work()
    made = drafts()[0]
    publishing.save_draft(clerk, made.no, {"summary": "改过了。"}, made.lock_version)
    with pytest.raises(Conflict, match=made.no):
        service.act(clerk, no, "undo")
    assert len(drafts()) == 1
    assert state(no).state == "done"


def test_a_second_file_writes_into_the_drafts_and_back(clerk):
    first = bring(clerk, ROW)
    work()
    service.act(clerk, first, "draft")
    work()
    second = bring(clerk, ROW | {"summary": "顶三十个人。"})
    work()
    assert (state(second).added, state(second).changed) == (0, 1)
    service.act(clerk, second, "draft")
    work()
    assert [one.content["summary"] for one in drafts()] == ["顶三十个人。"]
    service.act(clerk, second, "undo")
    assert [one.content["summary"] for one in drafts()] == [ROW["summary"]]


def test_an_institute_may_keep_drafts_of_what_is_published(editor):
    first = bring(editor, ROW)
    work()
    service.act(editor, first, "import", CLEARED)
    work()
    second = bring(editor, ROW | {"summary": "顶三十个人。"})
    work()
    service.act(editor, second, "draft")
    work()
    assert published() == 1
    assert [one.content["summary"] for one in drafts()] == ["顶三十个人。"]
    listing = db.session.scalars(select(Listing)).one()
    assert listing.current.summary == ROW["summary"]


def test_drafts_of_a_worker_that_died_go(clerk, monkeypatch):
    no = bring(clerk, ROW)
    work()
    service.act(clerk, no, "draft")
    with monkeypatch.context() as patched:
        patched.setattr(
            jobs._Watched, "publish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            jobs.run_one()
    assert drafts() == []
    change(heartbeat_at=clock.now() - timedelta(hours=1))
    work()
    assert (state(no).state, len(drafts())) == ("done", 1)


def test_an_office_brings_rosters_of_its_own_area_only(app):
    """By the organisation where it is known here, else by where the code was given out."""
    from tests.service.test_rosters import local_code, row

    people.organisation("甲公司", uscc=CODE, code="511402")
    people.organisation("乙公司", uscc=OTHER, code="511403")
    officer = people.actor(("county", None, "511402"))
    firm = people.actor(("editor", people.organisation()))
    with pytest.raises(Denied):
        bring(firm, row(), kind="rosters")
    no = bring(officer, row(), row(uscc=local_code()), row(uscc=OTHER), kind="rosters")
    work()
    job = state(no)
    assert (job.state, job.rejected) == ("refused", 1)
    (problem,) = job.problems
    assert (problem["row"], problem["column"]) == (3, "统一社会信用代码")
    assert "不在本地区" in problem["message"]
    no = bring(officer, row(number="GR1"), row(uscc=local_code(), name="新公司"), kind="rosters")
    work()
    assert state(no).preview[0]["cells"]["编号"] == "GR1"
    service.act(officer, no, "import")
    work()
    entries = select(RosterEntry.name).where(RosterEntry.state == "active").order_by(RosterEntry.id)
    assert list(db.session.scalars(entries)) == ["甲公司", "新公司"]
    service.act(officer, no, "undo")
    assert list(db.session.scalars(entries)) == []
    assert state(no).state == "undone"
