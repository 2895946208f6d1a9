"""The national table of registrations: results for waiting cases, local buyers, all else is said."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from market.contracts import examining, filing, locking, queries
from market.contracts.desk.importer import KIND
from market.contracts.entry_models import ContractEntry
from market.contracts.models import Contract
from market.core.db import db
from market.core.errors import Conflict
from market.core.importing import RUN, Options, run_import, undo_import
from market.core.permissions import SYSTEM
from market.core.sheets.model import FileRefused
from market.core.unit_of_work import unit_of_work
from tests import people
from tests.service.test_contracts import SELLER, values, with_text

HEAD = (
    "登记编号,合同名称,合同类型,卖方名称,卖方行政区划,买方名称,买方行政区划,签订日期,登记日期,登记机构,"
    "合同成交总额（万元）,技术交易额（元）"
)
WAITING = "2026360982000007,复合调味包常温胀袋控制,技术开发,食品研究所,360982,调味品厂,511402,2026-01-05,2026-01-20,登记处,28,240000"
LOCAL = "2026110000000008,茶叶杀青,技术服务,北京所,110101,东坡茶厂,511402,2026-01-06,2026-01-21,北京登记处,10,100000"
FOREIGN = "2026110000000009,别处的,技术服务,北京所,110101,成都厂,510104,2026-01-06,2026-01-21,北京登记处,10,100000"


@pytest.fixture
def prepared_demo(prepared_quiet):
    return prepared_quiet


@pytest.fixture
def bring(demo, tmp_path):
    def imported(*rows, head=HEAD, region="511402"):
        path = tmp_path / "export.csv"
        path.write_text("\n".join([head, *rows]), encoding="utf-8")
        return run_import(KIND, path, Options(region=region), SYSTEM, permission=RUN)

    return imported


def by_number(number):
    db.session.rollback()
    return db.session.scalar(select(Contract).where(Contract.registration_no == number))


def waiting():
    """A case of the area that waits for the result of the national system; and its office."""
    seller = people.organisation("食品研究所", kind="institute", code="360982", uscc=SELLER)
    filer = people.actor(("owner", seller))
    no = with_text(filing.begin(filer, seller, values()))
    filing.submit(filer, no)
    office = people.actor(("county", None, "360982"))
    examining.accept(office, no)
    examining.clear(office, no, {})
    return no, office


def test_results_and_contracts_of_the_area_are_taken_and_the_rest_is_said(bring):
    no, _office = waiting()
    done = bring(WAITING, region="360982")
    assert (done.updated, done.imported, done.rejected) == (1, 0, 0)
    found = by_number("2026360982000007")
    assert (found.no, found.state) == (no, "registered")
    assert (found.total_fen, found.technical_fen) == (280_000_00, 240_000_00)
    done = bring(WAITING, LOCAL, LOCAL, FOREIGN)
    assert (done.updated, done.imported, done.unchanged, done.rejected) == (0, 1, 3, 0)
    assert by_number("2026110000000008").mode == "elsewhere"
    assert by_number("2026110000000009") is None
    words = [one.message for one in done.problems]
    assert any("同一个编号" in one for one in words)
    assert any("不在本地区" in one for one in words)


def test_an_import_is_taken_back_until_somebody_went_on(bring):
    waiting()
    done = bring(WAITING, LOCAL.replace("511402", "360982"), region="360982")
    assert (done.updated, done.imported) == (1, 1)
    recorded = by_number("2026110000000008").no
    with unit_of_work(SYSTEM) as work:
        work.require(people.MAKE)
        locking.touch(queries.find(SYSTEM, recorded), shows={"title": True})
    with pytest.raises(Conflict, match=recorded):
        undo_import(done.run_id, {"registrations": KIND}, SYSTEM)
    assert by_number("2026360982000007").state == "registered", "all or nothing"


def test_what_is_taken_back_waits_again_or_is_gone(bring):
    no, office = waiting()
    before = db.session.scalar(select(func.count()).select_from(Contract))
    done = bring(WAITING, LOCAL.replace("511402", "360982"), region="360982")
    assert undo_import(done.run_id, {"registrations": KIND}, SYSTEM)[1] == []
    assert by_number("2026110000000008") is None
    assert db.session.scalar(select(func.count()).select_from(Contract)) == before
    found = queries.get(office, no)
    contract = found.contract
    assert (contract.state, contract.technical_fen) == ("cleared", 250_000_00)
    assert (contract.effective, found.version.state) == (None, "working")
    counted = select(func.sum(ContractEntry.contracts), func.sum(ContractEntry.total_fen))
    assert db.session.execute(counted).one() == (0, 0)
    again = bring(WAITING, LOCAL.replace("511402", "360982"), region="360982")
    assert (again.updated, again.imported) == (1, 1)


def test_mistakes_and_changed_columns_are_named_and_nothing_is_lost(bring):
    wrong = LOCAL.replace("2026110000000008", "202611000008").replace("100000", "100001")
    done = bring(wrong, LOCAL)
    assert (done.rejected, done.imported) == (1, 0)
    assert "12 位" in done.problems[0].message
    assert by_number("2026110000000008") is None, "a file with a mistake brings nothing"
    with pytest.raises(FileRefused) as refused:
        bring(LOCAL, head=HEAD.replace("登记日期", "备案时间").replace("登记编号", "证书号"))
    sentence = str(refused.value)
    assert all(word in sentence for word in ("合同登记编号", "登记日期", "备案时间", "证书号"))
