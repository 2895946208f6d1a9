"""The life of an import: staged, shown at once or not at all, the same again, undone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, func, select, update

from market.catalogue import queries, service
from market.catalogue.importer import export_rows
from market.catalogue.models import Listing, Revision
from market.core import clock, importing
from market.core.db import db
from market.core.errors import Conflict, Gone, Invalid, NotFound
from market.core.models import ImportRun
from market.core.permissions import PUBLIC, SYSTEM
from market.rooms import KINDS
from tests.service.clerk import (
    CODE,
    HEADERS,
    OTHER,
    achievement,
    counts,
    lines,
    load,
    only,
    organisations,
    sentences,
    text_csv,
)


@pytest.fixture(autouse=True)
def owners(app, tmp_path):
    organisations(tmp_path)


def test_the_same_file_again_changes_nothing(tmp_path):
    path = lines(tmp_path / "a.jsonl", achievement(price="10-20万"), achievement(title="茶叶杀青"))
    assert load("achievements", path).line() == "imported 2, updated 0, unchanged 0, rejected 0"
    before = counts()
    assert load("achievements", path).line() == "imported 0, updated 0, unchanged 2, rejected 0"
    assert counts() == before == (2, 2)


def test_a_changed_row_is_a_second_version(tmp_path):
    load("achievements", lines(tmp_path / "a.jsonl", achievement()))
    result = load("achievements", lines(tmp_path / "a.jsonl", achievement(summary="改了。")))
    assert result.line() == "imported 0, updated 1, unchanged 0, rejected 0"
    assert (only().version, only().summary) == (2, "改了。")
    assert counts() == (1, 2)


def test_one_bad_row_and_nothing_shows(tmp_path, app):
    load("achievements", lines(tmp_path / "a.jsonl", achievement()))
    rows = [achievement(title=f"成果{n}") for n in range(1200)]
    changed = achievement(summary="改了。")
    result = load(
        "achievements", lines(tmp_path / "b.jsonl", changed, *rows, achievement(title=""))
    )
    assert result.line() == "imported 0, updated 0, unchanged 0, rejected 1"
    assert counts() == (1, 1), "what was staged is gone"
    assert only().version == 1
    assert db.session.scalars(select(ImportRun.state).order_by(ImportRun.id)).all()[-1] == "refused"


def test_nothing_shows_while_it_is_staged(tmp_path):
    """The numbers given out in the middle of an import answer 404."""
    seen = []
    path = lines(tmp_path / "a.jsonl", *[achievement(title=f"成果{n}") for n in range(501)])

    def look(rows):
        staged = db.session.scalars(select(Listing.no).where(Listing.state == "staged")).all()
        for no in staged[:3]:
            with pytest.raises(NotFound):
                queries.get(PUBLIC, "achievement", no)
        published = select(func.count()).where(Listing.state == "published")
        seen.append((len(staged), db.session.scalar(published)))

    importing.run_import(KINDS["achievements"], path, importing.Options(), SYSTEM, progress=look)
    assert seen == [(500, 0), (501, 0)]
    assert db.session.scalar(select(func.count()).where(Listing.state == "published")) == 501


def test_staged_in_batches_with_short_locks(tmp_path):
    sizes, path = (
        [],
        lines(tmp_path / "a.jsonl", *[achievement(title=f"成果{n}") for n in range(1100)]),
    )

    def count(_connection, _cursor, statement, parameters, _context, many):
        if statement.startswith("INSERT INTO listing_revision"):
            columns = statement.partition("VALUES")[2].count("(") or 1
            sizes.append(len(parameters) if many else columns)

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        load("achievements", path)
    finally:
        event.remove(db.engine, "before_cursor_execute", count)
    assert sum(sizes) == 1100
    assert max(sizes) <= 500


def test_keys_in_their_order(tmp_path):
    """no, else source_id, else owner and folded title."""
    load("achievements", lines(tmp_path / "a.jsonl", achievement(source_id="S1")))
    no = db.session.scalars(select(Listing.no)).one()
    again = achievement(no=f" {no.lower()} ", title="全新名称", source_id="S9")
    assert load("achievements", lines(tmp_path / "b.jsonl", again)).updated == 1
    by_source = achievement(title="又一名称", source_id="S1")
    assert load("achievements", lines(tmp_path / "b.jsonl", by_source)).updated == 1
    by_title = achievement(title="又一名称！", summary="改了。")
    assert load("achievements", lines(tmp_path / "b.jsonl", by_title)).updated == 1
    assert counts() == (1, 4)
    other = achievement(title="又一名称", source_id="S2")
    result = load("achievements", lines(tmp_path / "b.jsonl", other))
    assert result.imported == 1
    assert sentences(result) == [
        f"第 1 行「名称」：{no} 也叫这个名称；来源编号不同，按新的一条导入。"
    ]


def test_a_number_says_whose_it_is(tmp_path):
    load("achievements", lines(tmp_path / "a.jsonl", achievement(region="510722")))
    no = db.session.scalars(select(Listing.no)).one()
    bare = {"no": no, "title": "新名称", "summary": "新简介。"}
    assert load("achievements", lines(tmp_path / "b.jsonl", bare)).updated == 1
    assert only().listing.region.code == "510722", "what the file does not say stays"
    foreign = bare | {"owner_uscc": OTHER}
    result = load("achievements", lines(tmp_path / "b.jsonl", foreign))
    assert sentences(result) == [
        f"第 1 行「编号」：编号 {no} 属于「东坡区农业科学研究所」，不是这家单位的。"
    ]
    assert load("achievements", lines(tmp_path / "b.jsonl", bare), organisation=OTHER).refused
    assert load("demands", lines(tmp_path / "b.jsonl", bare)).refused, "a number of another kind"


def test_a_column_that_is_not_there_changes_nothing(tmp_path):
    whole = achievement(price="10-20万", keywords="泡菜；盐水", valid_until="2027-01-31", trl=6)
    load("achievements", lines(tmp_path / "a.jsonl", whole))
    short = text_csv(tmp_path / "b.csv", HEADERS, ["泡菜盐水循环利用", "改了。", CODE, "511402"])
    assert load("achievements", short).updated == 1
    revision = only()
    assert (revision.price_min_fen, revision.price_max_fen) == (10_000_000, 20_000_000)
    assert (revision.trl, revision.details["keywords"]) == (6, ["泡菜", "盐水"])
    assert revision.summary == "改了。"
    assert load("achievements", short).unchanged == 1
    emptied = text_csv(
        tmp_path / "c.csv", [*HEADERS, "关键词"], ["泡菜盐水循环利用", "改了。", CODE, "511402", ""]
    )
    assert load("achievements", emptied).updated == 1
    assert "keywords" not in only().details, "an empty cell clears"


def test_a_dry_run_writes_nothing(tmp_path):
    runs = db.session.scalar(select(func.count()).select_from(ImportRun))
    path = lines(tmp_path / "a.jsonl", achievement())
    assert load("achievements", path, dry_run=True).line() == (
        "imported 1, updated 0, unchanged 0, rejected 0"
    )
    assert counts() == (0, 0)
    assert db.session.scalar(select(func.count()).select_from(ImportRun)) == runs
    bad = load(
        "achievements",
        lines(tmp_path / "a.jsonl", achievement(), achievement(title="")),
        dry_run=True,
    )
    assert bad.line() == "imported 0, updated 0, unchanged 0, rejected 1"


def test_values_for_rows_that_name_none(tmp_path):
    bare = {"title": "泡菜盐水循环", "summary": "盐水过滤后回用。"}
    path = lines(tmp_path / "a.jsonl", bare)
    assert load("achievements", path).refused
    assert (
        load("achievements", path, organisation=CODE.lower(), region="四川省三台县").imported == 1
    )
    assert only().listing.region.code == "510722"
    with pytest.raises(Invalid) as caught:
        load("achievements", path, organisation="12100000400000624E")
    assert "校验位不对" in caught.value.fields["--organisation"][0]
    with pytest.raises(Invalid) as caught:
        load("achievements", path, organisation=CODE, region="鼓楼区")
    assert "有 4 个" in caught.value.fields["--region"][0]
    states = db.session.scalars(select(ImportRun.state)).all()
    assert "staging" not in states, "a refused option leaves no import behind"


# -- unfinished imports


def _leave_staged(tmp_path, heartbeat_age: timedelta) -> int:
    """An import whose process died after its first batch."""

    class Died(BaseException):
        pass

    def die(rows):
        raise Died

    path = lines(tmp_path / "dead.jsonl", *[achievement(title=f"成果{n}") for n in range(501)])
    original = importing._discard
    importing._discard = lambda *a, **k: None
    try:
        with pytest.raises(Died):
            importing.run_import(
                KINDS["achievements"], path, importing.Options(), SYSTEM, progress=die
            )
    finally:
        importing._discard = original
    db.session.rollback()
    run_id = db.session.scalars(select(ImportRun.id).where(ImportRun.state == "staging")).one()
    with importing.unit_of_work(SYSTEM) as work:
        work.require(importing.RUN)
        old = clock.now() - heartbeat_age
        db.session.execute(update(ImportRun).where(ImportRun.id == run_id).values(heartbeat_at=old))
    assert counts() == (500, 500)
    return run_id


def test_an_unfinished_import_is_removed_by_the_next(tmp_path):
    run_id = _leave_staged(tmp_path, timedelta(minutes=3))
    load("achievements", lines(tmp_path / "a.jsonl", achievement()))
    assert counts() == (1, 1)
    assert db.session.get(ImportRun, run_id).state == "abandoned"


def test_an_import_taken_for_dead_does_not_go_on(tmp_path):
    """Its rows were removed meanwhile: to show the rest would be half a file."""

    def steal(rows):
        with importing.unit_of_work(SYSTEM) as work:
            work.require(importing.RUN)
            db.session.execute(update(ImportRun).values(state="abandoned"))

    path = lines(tmp_path / "a.jsonl", achievement())
    with pytest.raises(Conflict, match="停顿太久"):
        importing.run_import(
            KINDS["achievements"], path, importing.Options(), SYSTEM, progress=steal
        )
    assert counts() == (0, 0)


# -- undoing


def _shown() -> dict[str, str]:
    return {row["title"]: row["summary"] for row in export_rows("achievement")}


def test_undo_restores(tmp_path):
    first = load("achievements", lines(tmp_path / "a.jsonl", achievement(source_id="S1")))
    changed = achievement(source_id="S1", title="改了名", region="510722", summary="改了。")
    second = load("achievements", lines(tmp_path / "b.jsonl", changed, achievement(title="新的")))
    assert second.line() == "imported 1, updated 1, unchanged 0, rejected 0"
    new = db.session.scalar(select(Listing.no).where(Listing.folded_title == "新的"))
    importing.undo_import(second.run_id, KINDS, SYSTEM)
    db.session.expire_all()
    assert _shown() == {"泡菜盐水循环利用": "盐水过滤后回用。"}
    listing = db.session.scalars(select(Listing).where(Listing.source_id == "S1")).one()
    assert (listing.folded_title, listing.region.code) == ("泡菜盐水循环利用", "511402")
    with pytest.raises(Gone):
        queries.get(PUBLIC, "achievement", new)
    with pytest.raises(Conflict, match="已经撤销过"):
        importing.undo_import(second.run_id, KINDS, SYSTEM)
    importing.undo_import(first.run_id, KINDS, SYSTEM)
    assert _shown() == {}


def test_undo_goes_past_what_was_undone_before(tmp_path):
    for text in ("一。", "二。", "三。"):
        run = load("achievements", lines(tmp_path / "a.jsonl", achievement(summary=text))).run_id
        if text == "二。":
            importing.undo_import(run, KINDS, SYSTEM)
    importing.undo_import(run, KINDS, SYSTEM)
    assert list(_shown().values()) == ["一。"], "not the version that was taken back"


def test_what_comes_back_goes_again(tmp_path):
    path = lines(tmp_path / "a.jsonl", achievement())
    importing.undo_import(load("achievements", path).run_id, KINDS, SYSTEM)
    again = load("achievements", path)
    assert again.line() == "imported 0, updated 1, unchanged 0, rejected 0"
    assert "曾撤回，导入后重新公开" in sentences(again)[0]
    assert len(_shown()) == 1
    importing.undo_import(again.run_id, KINDS, SYSTEM)
    assert _shown() == {}
    assert counts()[0] == 1, "the number stays the same through all this"


def test_undo_leaves_later_edits(tmp_path):
    load("achievements", lines(tmp_path / "a.jsonl", achievement()))
    run = load("achievements", lines(tmp_path / "a.jsonl", achievement(summary="改了。"))).run_id
    no = db.session.scalars(select(Listing.no)).one()
    service.revise(SYSTEM, no, {"summary": "手工又改。"})
    _, since = importing.undo_import(run, KINDS, SYSTEM)
    assert list(_shown().values()) == ["手工又改。"]
    assert since == [f"更新的有 1 条后来又改过，保持现在的内容：{no}。"]


def test_undo_tells_what_else_went_and_what_a_later_import_changed(tmp_path):
    rows = [achievement(title=f"泡菜工艺之{n}", source_id=f"S{n}") for n in range(7)]
    first = load("achievements", lines(tmp_path / "a.jsonl", *rows)).run_id
    later = [row | {"summary": "后来改的。"} for row in rows]
    second = load("achievements", lines(tmp_path / "a.jsonl", *later)).run_id
    third = load("achievements", lines(tmp_path / "a.jsonl", rows[0])).run_id
    assert importing.undo_import(third, KINDS, SYSTEM)[1] == []
    nos = list(db.session.scalars(select(Listing.no).order_by(Listing.id)))
    _, since = importing.undo_import(first, KINDS, SYSTEM)
    assert since == [f"新增的有 7 条后来又改过，也已撤回：{'、'.join(nos[:5])} 等。"]
    assert _shown() == {}
    assert importing.undo_import(second, KINDS, SYSTEM)[1] == []
    assert _shown() == {}, "what was withdrawn stays so"


def test_no_such_import(tmp_path):
    with pytest.raises(NotFound):
        importing.undo_import(4711, KINDS, SYSTEM)
    refused = load("achievements", lines(tmp_path / "a.jsonl", achievement(title="")))
    with pytest.raises(Conflict, match="没有通过检查"):
        importing.undo_import(refused.run_id, KINDS, SYSTEM)


def test_an_edit_during_an_import_does_not_break_it(tmp_path):
    """Somebody edits a listing between the check of its row and its staging."""
    load("achievements", lines(tmp_path / "a.jsonl", achievement()))
    no = db.session.scalars(select(Listing.no)).one()
    importer = KINDS["achievements"].importer(importing.Options())
    stage = type(importer).stage

    def late(self, run_id, rows):
        current = db.session.scalars(select(Revision)).one()
        db.session.add(
            Revision(
                **{c: getattr(current, c) for c in _COPIED},
                version=2,
                listing_id=current.listing_id,
            )
        )
        db.session.flush()
        stage(self, run_id, rows)

    type(importer).stage = late
    try:
        load("achievements", lines(tmp_path / "a.jsonl", achievement(summary="改了。")))
    finally:
        type(importer).stage = stage
    assert queries.get(PUBLIC, "achievement", no).version == 3


_COPIED = (
    "created_at",
    "created_by",
    "content_hash",
    "title",
    "folded_title",
    "summary",
    "region_id",
    "completeness",
    "details",
)
