"""The commands a clerk types: exit codes, the last line, the report, the template and back."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import islice

import openpyxl
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from market.catalogue.models import Listing
from market.catalogue.service import revise
from market.cli import cli
from market.core import clock
from market.core.db import db
from market.core.permissions import SYSTEM
from market.core.sheets import write_table
from market.rooms import KINDS
from tests.service.clerk import (
    CODE,
    HEADERS,
    achievement,
    counts,
    lines,
    load,
    organisation_names,
    organisations,
    sheet,
)


@pytest.fixture
def market(app, settings, monkeypatch):
    """Runs `market …` in this process, on the test's database."""
    from market import cli as module

    monkeypatch.setattr(module._Context, "app", property(lambda self: app))

    def run(*arguments):
        result = CliRunner().invoke(cli, [str(one) for one in arguments])
        db.session.rollback()
        return result

    return run


def test_a_good_file(market, tmp_path):
    organisations(tmp_path)
    result = market("import", "achievements", lines(tmp_path / "a.jsonl", achievement()))
    assert result.exit_code == 0
    assert result.stdout == "imported 1, updated 0, unchanged 0, rejected 0\n"
    assert "market undo" in result.stderr
    number = result.stderr.split("market undo ")[1].split()[0]
    no = db.session.scalars(select(Listing.no)).one()
    revise(SYSTEM, no, {"summary": "手工改过。"})
    told = market("undo", number).stdout.splitlines()
    assert "新增 1 条已撤回" in told[0]
    assert told[1:] == [f"新增的有 1 条后来又改过，也已撤回：{no}。"]


def test_a_bad_file_and_its_report(market, tmp_path):
    organisations(tmp_path)
    rows = [[f"成果{n}", "", CODE, "511402"] for n in range(30)]
    report = tmp_path / "report.xlsx"
    path = sheet(tmp_path / "a.xlsx", HEADERS, *rows, ["好的", "简介。", CODE, "511402"])
    result = market("import", "achievements", path, "--report", report)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "imported 0, updated 0, unchanged 0, rejected 30"
    assert "错误 B2「简介」：必填。" in result.stderr
    assert "共 30 条" in result.stderr
    page = openpyxl.load_workbook(report).active
    addresses = [row[:2] for row in page.iter_rows(min_row=2, values_only=True)]
    assert addresses == [("数据", f"B{n}") for n in range(2, 32)], "every problem with its address"
    assert page["B31"].hyperlink.target == "a.xlsx"
    assert counts() == (0, 0)


def test_a_dry_run(market, tmp_path):
    organisations(tmp_path)
    path = lines(tmp_path / "a.jsonl", achievement())
    result = market("import", "achievements", path, "--dry-run")
    assert result.exit_code == 0
    assert "尚未导入" in result.stderr
    assert counts() == (0, 0)


def test_from_template_to_market(market, tmp_path):
    """Template, filled in by a clerk, imported; twice."""
    for kind, row in (
        (
            "organisations",
            {"单位名称*": "东坡区农业科学研究所", "统一社会信用代码": CODE.lower()}
            | {"单位类型*": "高校院所", "所在地区": "东坡区"},
        ),
        (
            "achievements",
            {"名称*": "泡菜盐水循环", "简介*": "盐水过滤后回用。"}
            | {
                "单位统一社会信用代码": CODE,
                "所处阶段": "中试",
                "可先用后转": "是",
                "研究起始": "2025.10",
            },
        ),
        (
            "demands",
            {"名称*": "胀袋率控制", "简介*": "夏季胀袋。", "单位名称": "东坡区农业科学研究所"}
            | {"拟投入资金（元）": "20-30万", "完成时限": "2027年3月"},
        ),
        (
            "regions",
            {"代码*": "511402A", "名称*": "经济开发区", "层级*": "乡镇（街道）"}
            | {"上级代码": "511402", "类型": "zone"},
        ),
        ("terms", {"代码表": "技术领域", "代码": "pickles", "名称*": "泡菜工艺"}),
        ("terms", {"代码表": "同义词", "名称*": "甲词", "别名": "乙词"}),
        (
            "leading-industries",
            {"地区": "东坡区", "位置*": "1", "产业名称": "泡菜", "关键词": "泡菜；盐渍"},
        ),
        ("pins", {"地区": "东坡区", "位置*": "1", "编号": f"CG{clock.today().year}000001"}),
    ):
        path = tmp_path / f"{kind}.xlsx"
        assert market("template", kind, path).exit_code == 0
        unfilled = market("import", kind, path)
        assert unfilled.exit_code == 1, "an empty template is refused"
        book = openpyxl.load_workbook(path)
        page = book["数据"]
        heads = {cell.value: cell.column for cell in page[1]}
        for head, value in row.items():
            page.cell(2, heads[head], value)
        book.save(path)
        for line in ("imported 1, updated 0", "imported 0, updated 0, unchanged 1"):
            result = market("import", kind, path)
            assert result.exit_code == 0, result.output
            assert result.stdout.startswith(line), result.output


def _command(settings, *arguments) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "MARKET_INSTANCE": str(settings.instance),
        "MARKET_DATABASE_URL": settings.database_url,
    }
    return subprocess.run(
        [sys.executable, "-m", "market.cli", *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_refused_file_in_a_process_of_its_own(app, settings, tmp_path):
    """What main() makes of a refusal: a sentence, the last line, exit status 1."""
    path = sheet(tmp_path / "a.xlsx", ["甲", "乙"], ["1", "2"])
    done = _command(settings, "import", "achievements", path)
    assert done.returncode == 1
    assert done.stdout == "imported 0, updated 0, unchanged 0, rejected 0\n"
    assert "第 1 行应为表头" in done.stderr
    assert "Traceback" not in done.stderr


# -- out and in again

FULL = {
    "source_id": "S1",
    "keywords": ["TCP/IP", "泡菜、酱", "a,b"],
    "fields": ["农业", "卫生事业发展"],
    "industries": ["C14", "酿造（手工）"],
    "disciplines": "食品科学技术",
    "problem": "盐水\n外排",
    "price": "10-20万",
    "contact": "=科研处=",
    "contact_phone": "+86 28 0000",
    "valid_until": "长期",
    "result": "p<0.05 & 'x' \"y\"，α≥1；β；",
    "stage": "实验室阶段",
    "trl": "TRL 6",
    "transfer_modes": "转让；作价投资",
    "trial": "否",
    "investment": "1,200.50",
    "payback": "24 个月",
    "ip": "发明专利 202010566088.9；2018SR123456；技术秘密",
    "completing_units": ["甲所", "乙公司/丙公司"],
    "started": "2023.10",
    "finished": "2025年3月",
    "form": "新技术;农业/生物新品种;其他(光伏)",
    "evaluation_date": "2025-04",
    "level": "国内领先",
}
DEMAND = {
    "budget": "面议",
    "deadline": "2027年3月",
    "targets": ["胀袋率：3.2% → ≤0.5%", "-5 ℃"],
    "keywords": ["TCP/IP"],
    "cooperation_modes": "技术服务、委托开发",
    "ip_ownership": "双方共有",
    "demand_type": "检测",
}


@pytest.mark.parametrize("ending", ["xlsx", "csv", "jsonl"])
def test_what_goes_out_comes_in_unchanged(market, tmp_path, ending):
    organisations(tmp_path)
    plain = achievement(title="' =1+1 <b>🙂  两格", summary="@第一段\n-第二段")
    good = load("achievements", lines(tmp_path / "a.jsonl", achievement(**FULL), plain))
    assert good.imported == 2, good.problems
    assert load("demands", lines(tmp_path / "d.jsonl", achievement(**DEMAND))).imported == 1
    for kind, rows in (("organisations", 2), ("achievements", 2), ("demands", 1), ("terms", 216)):
        path = tmp_path / f"{kind}.{ending}"
        assert market("export", kind, path).exit_code == 0
        before = counts()
        result = market("import", kind, path)
        assert result.stdout == f"imported 0, updated 0, unchanged {rows}, rejected 0\n", (
            result.stderr
        )
        assert counts() == before


def test_regions_go_out_and_come_in_unchanged(market, tmp_path):
    """Provinces to counties; forty thousand townships more would say nothing new."""
    path, kind = tmp_path / "regions.csv", KINDS["regions"]
    count = write_table(path, kind.columns(), islice(kind.rows(), 3400))
    result = market("import", "regions", path)
    assert result.stdout == f"imported 0, updated 0, unchanged {count}, rejected 0\n"


def test_real_abstracts(market, tmp_path):
    """A thousand real abstracts, as a data officer gets them: no owner, no region in the file."""
    from tests.conftest import lacking

    name = os.environ.get("MARKET_BENCH_ABSTRACTS")
    if not name:
        pytest.skip("MARKET_BENCH_ABSTRACTS names no file of abstracts")
    if not os.path.exists(name):
        lacking(name, "MARKET_BENCH_ABSTRACTS names a file that is not there")
    organisations(tmp_path)
    options = ["--organisation", CODE, "--region", "511402"]
    with open(name, encoding="utf-8") as file:
        count = sum(1 for _ in file)
    for line in (f"imported {count}, updated 0", f"imported 0, updated 0, unchanged {count}"):
        result = market("import", "achievements", name, *options)
        assert result.exit_code == 0, result.stderr
        assert result.stdout.startswith(line)
    assert organisation_names()[0] == "东坡区农业科学研究所"


def test_all_mistakes_of_a_row_are_told_at_once(app, tmp_path):
    organisations(tmp_path)
    bad = achievement(stage="胡说", region="火星", price="一万多", owner_uscc="9" * 18)
    told = " ".join(
        str(one) for one in load("achievements", lines(tmp_path / "a.jsonl", bad)).problems
    )
    for word in ("胡说", "火星", "一万多", "信用代码"):
        assert word in told


def test_the_report_never_overwrites_the_file_itself(market, tmp_path):
    organisations(tmp_path)
    path = lines(tmp_path / "a.jsonl", achievement())
    before = path.read_bytes()
    result = market("import", "achievements", path, "--report", path)
    assert result.exit_code != 0
    assert path.read_bytes() == before


def test_undo_is_offered_only_where_there_is_one(market, tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"scheme": "field", "code": "x1", "label": "新领域"}\n')
    assert "market undo" not in market("import", "terms", path).output
