"""One bad cell after another: each is named with its place, and nothing of the file shows."""

from __future__ import annotations

import math

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
    sheet,
    text_csv,
)

MORE = [
    *HEADERS,
    "单位名称",
    "技术领域",
    "投入估算（元）",
    "研究起始",
    "知识产权",
    "关键词",
    "价格（元）",
]
GOOD = ["泡菜盐水循环", "盐水过滤后回用。", CODE, "511402"]

# Column → what stands in it → what is said of it.
CELLS = [
    ("A", "", "A2「名称」：必填。"),
    ("A", "泡", "A2「名称」：太短：请至少写 2 个字。"),
    ("A", "长" * 201, "A2「名称」：太长：201 个字，最多 200 个字。"),
    ("A", "=A1&B1", "A2「名称」：单元格里是公式"),
    ("A", "#REF!", "A2「名称」：单元格公式出错（#REF!）"),
    ("A", True, "A2「名称」：应为文字或数值"),
    ("B", "  \u200b ", "B2「简介」：必填。"),
    ("B", "字" * 5001, "B2「简介」：太长：5001 个字，最多 5000 个字。"),
    (
        "C",
        "12100000400000624E",
        "C2「单位统一社会信用代码」：统一社会信用代码「12100000400000624E」校验位不对",
    ),
    (
        "C",
        "1210000040000062",
        "C2「单位统一社会信用代码」：统一社会信用代码应为 18 位，现为 16 位。",
    ),
    ("C", 121000004000006240.0, "C2「单位统一社会信用代码」：数字超过 15 位"),
    ("C", "91510000DEM0000019", "C2「单位统一社会信用代码」："),
    ("D", "火星", "D2「所在地区」：没有找到地区「火星」"),
    ("D", "鼓楼区", "D2「所在地区」：「鼓楼区」有 4 个，请写全称或代码，如："),
    ("D", "999999", "D2「所在地区」：没有代码为 999999 的地区"),
    ("E", "没有这家公司", "与代码不符"),
    ("G", "面议", "G2「投入估算（元）」：「面议」不是金额"),
    ("G", "10-20万", "G2「投入估算（元）」：「10-20万」不是金额"),
    ("G", -5, "G2「投入估算（元）」：「-5」是负数"),
    ("H", 2025.1, "H2「研究起始」：「2025.1」是数字，分不清 1 月还是 10 月"),
    ("H", "2025-02-30", "H2「研究起始」：没有「2025-02-30」这一天"),
    ("I", "授权公告号 CN1234567B", "I2「知识产权」：「授权公告号 CN1234567B」是公开或公告号"),
    ("J", "；".join(map(str, range(31))), "J2「关键词」：太多：31 个，最多 30 个。"),
    ("K", "12万3", "K2「价格（元）」：「12万3」不是金额"),
    ("K", "9" * 25, "K2「价格（元）」：「99999999999999999999」大得不合情理"),
]


def test_each_bad_cell_is_named(app, tmp_path):
    organisations(tmp_path)
    for number, (letter, value, words) in enumerate(CELLS):
        row = [*GOOD, *[""] * (len(MORE) - len(GOOD))]
        row[ord(letter) - 65] = value
        result = load("achievements", sheet(tmp_path / f"{number}.xlsx", MORE, row), dry_run=True)
        assert words in " ".join(sentences(result)), (letter, value)
        assert result.rejected == (words != "与代码不符"), (letter, value)
    assert counts() == (0, 0)


UNDERSTOOD = [
    ("C", " 12100000400000624d "),
    ("C", "".join(chr(ord(letter) + 0xFEE0) for letter in CODE) + "\u200b"),
    ("C", "1210 0000 4000 0062 4D"),
    ("C", "12100000-400000624-D"),
    ("D", "四川眉山东坡"),
    ("D", "四川省眉山市东坡区"),
    ("D", "四川省东坡区"),
    ("D", "中国 四川省/眉山市/东坡区"),
    ("D", 511402.0),
    ("D", "５１１４０２"),
    ("D", "511402000000"),
    ("D", "511402 东坡区"),
    ("D", "东坡区（511402）"),
    ("D", ""),
]


def test_what_a_person_understands_is_understood(app, tmp_path):
    """All these files mean the same row; the first imports it, the others change nothing."""
    organisations(tmp_path)
    load("achievements", sheet(tmp_path / "first.xlsx", HEADERS, GOOD))
    for number, (letter, value) in enumerate(UNDERSTOOD):
        row = list(GOOD)
        row[ord(letter) - 65] = value
        result = load("achievements", sheet(tmp_path / f"{number}.xlsx", HEADERS, row))
        assert result.line().startswith("imported 0, updated 0, unchanged 1"), (
            value,
            sentences(result),
        )


RECORDS = [
    ({"title": math.nan}, "第 1 行「名称」：不是有效的数值（NaN"),
    ({"title": {"zh": "x"}}, "第 1 行「名称」：应为文字，不能是嵌套的对象"),
    ({"title": ["a", ["b"]]}, "第 1 行「名称」：应为文字，不能是嵌套"),
    ({"trl": math.inf}, "第 1 行「技术就绪度（TRL）」：不是有效的数值"),
    ({"title": False}, "第 1 行「名称」：应为文字或数值"),
    ({"title": None}, "第 1 行「名称」：必填。"),
    ({"ip": [{"foo": 1}]}, "第 1 行「知识产权」：知识产权应写成"),
    ({"no": "CG2020000001"}, "第 1 行「编号」：没有编号为 CG2020000001 的记录"),
    ({"owner_uscc": None, "owner_name": "无此单位"}, "没有名为「无此单位」的单位"),
    ({"owner_uscc": None}, "请填单位统一社会信用代码或单位名称"),
    ({"owner_uscc": "91310000MA1FL0QL5D"}, "统一社会信用代码"),
    ({"started": "2025.5", "finished": "2025.3"}, "「研究结束」：早于研究起始（2025-05）"),
]


def test_bad_values_in_json(app, tmp_path, subtests):
    organisations(tmp_path)
    for record, words in RECORDS:
        with subtests.test(str((record, words))):
            result = load(
                "achievements", lines(tmp_path / "a.jsonl", achievement(**record)), dry_run=True
            )
            assert words in " ".join(sentences(result))
            assert result.rejected == 1


def test_titles_come_back_as_typed(app, tmp_path):
    organisations(tmp_path)
    titles = [
        "<b>粗体</b>不去掉  两个空格　全角",
        "'; DROP TABLE listing; --",
        "👨\u200d👩\u200d👧 家庭农场🙂",
        "x<y & y>z &lt;",
        "𠮷野家",
    ]
    records = [achievement(title=f" \x00{title}\u200b ") for title in titles]
    records += [achievement(title=12345.0), achievement(title="坏" + chr(0xD800) + "字")]
    result = load("achievements", lines(tmp_path / "a.jsonl", *records))
    assert result.line() == "imported 7, updated 0, unchanged 0, rejected 0"
    from market.catalogue.importer import export_rows

    kept = [row["title"] for row in export_rows("achievement")]
    assert kept == [*titles, "12345", "坏字"]


def test_words_of_two_vocabularies(app, tmp_path):
    """A known alias becomes the code; what the list does not know stays, with a reminder."""
    organisations(tmp_path)
    record = achievement(fields="生物医药及健康；卫生事业发展", form="新技术;新装备;其他()")
    result = load("achievements", lines(tmp_path / "a.jsonl", record))
    assert sentences(result) == [
        "第 1 行「技术领域」：「卫生事业发展」不在技术领域代码表中，按原文保留，不参与筛选。"
    ]
    assert only().details["fields"] == ["biomedicine", "卫生事业发展"]
    assert only().details["form"] == ["technology", "equipment", "other"]


def test_a_summary_pasted_from_a_page(app, tmp_path):
    organisations(tmp_path)
    record = achievement(summary=r"<p>背景&nbsp;一</p>\n做法 &lt;5%<br>效果")
    load("achievements", lines(tmp_path / "a.jsonl", record))
    assert only().summary == "背景 一\n做法 <5%\n效果"


def test_identical_rows_once_different_ones_refused(app, tmp_path):
    organisations(tmp_path)
    again = ["泡菜 盐水循环！", *GOOD[1:]]
    path = sheet(tmp_path / "a.xlsx", HEADERS, GOOD, ["", " ", "", ""], GOOD)
    result = load("achievements", path)
    assert result.line() == "imported 1, updated 0, unchanged 1, rejected 0"
    assert sentences(result) == ["A4「名称」：与第 2 行完全相同，只导入一次。"]
    result = load("achievements", sheet(tmp_path / "b.xlsx", HEADERS, GOOD, again))
    assert result.line() == "imported 0, updated 0, unchanged 0, rejected 1"
    assert sentences(result) == ["A3「名称」：与第 2 行是同一条但内容不同，请只留一行。"]


def test_two_organisations_of_one_name(app, tmp_path):
    """The same name in two counties: the code must say which is meant."""
    rows = [["单位名称", "单位类型", "所在地区"]]
    rows += [["丰收合作社", "合作社", code] for code in ("511402", "510722")]
    load("organisations", text_csv(tmp_path / "o.csv", *rows))
    record = achievement(owner_uscc=None, owner_name="丰收合作社")
    result = load("achievements", lines(tmp_path / "a.jsonl", record), dry_run=True)
    assert "有 2 家单位叫「丰收合作社」，请填信用代码" in sentences(result)[0]


def test_a_name_that_differs_from_the_code(app, tmp_path):
    organisations(tmp_path)
    record = achievement(owner_uscc=OTHER, owner_name="东坡区农业科学研究所")
    result = load("achievements", lines(tmp_path / "a.jsonl", record))
    assert sentences(result) == [
        "第 1 行「单位名称」：与代码不符，按代码归于「眉山泡菜有限公司」。"
    ]


def test_errors_are_never_crowded_out_by_reminders(app, tmp_path, monkeypatch):
    monkeypatch.setattr("market.core.importing.KEPT_WARNINGS", 5)
    monkeypatch.setattr("market.core.importing.KEPT_ERRORS", 3)
    organisations(tmp_path)
    records = [achievement(title=f"成果{n}", fields=f"怪{n}") for n in range(10)]
    records += [achievement(title="")] * 4
    result = load("achievements", lines(tmp_path / "a.jsonl", *records), dry_run=True)
    told = sentences(result)
    assert result.rejected == 4
    assert [one.endswith("必填。") for one in told[:3]] == [True] * 3
    assert len(told) == 9
    assert told[-1] == "全表：另有 6 条没有列出，改正后再导入会看到。"
