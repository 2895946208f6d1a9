"""Tables in files: every format reads the same, headers as people write them, what we write."""

from __future__ import annotations

import datetime
import json
from urllib.parse import unquote

import openpyxl
import pytest

from market.catalogue.importer import columns
from market.core.sheets import (
    Column,
    FileRefused,
    Problem,
    check_target,
    open_table,
    write_problems,
    write_table,
    write_template,
)
from market.rooms import KINDS
from tests.service import old_xls
from tests.service.clerk import lines, sheet, text_csv

COLUMNS = [
    Column("title", "名称", required=True, also=["成果名称"]),
    Column("price", "价格（元）"),
    Column("stage", "阶段", choices=["实验室", "中试"]),
]
ROWS = [["名称", "价格（元）", "阶段"], ["泡菜", "120000", "中试"], ["茶叶", "", "实验室"]]
WANTED = [
    {"title": "泡菜", "price": "120000", "stage": "中试"},
    {"title": "茶叶", "price": "", "stage": "实验室"},
]


def read(path, columns=COLUMNS):
    """Values of all rows, and the sentences of the warnings and problems."""
    table = open_table(path, columns)
    rows = list(table.rows)
    told = [*table.warnings, *(problem for row in rows for problem in row.problems)]
    return [row.values for row in rows], [str(problem) for problem in told]


def test_xlsx(tmp_path):
    assert read(sheet(tmp_path / "a.xlsx", *ROWS)) == (WANTED, [])


def test_xls(tmp_path):
    path = old_xls.write(tmp_path / "a.xls", [*ROWS, ["菌种", 12.5]])
    values, told = read(path)
    assert values[:2] == WANTED
    assert values[2]["price"] == 12.5
    assert told == []


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-32"],
)
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_csv(tmp_path, encoding, delimiter):
    path = text_csv(tmp_path / "a.csv", *ROWS, encoding=encoding, delimiter=delimiter)
    assert read(path) == (WANTED, [])


def test_csv_oddities(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes('sep=;\r\n名称;阶段\r\n\r\n"一行\n两行";中试\r\n'.encode())
    values, told = read(path)
    assert values == [{"title": "一行\n两行", "stage": "中试"}]
    assert told == []
    path.write_bytes("名称，阶段\n泡菜，中试\n".encode())
    assert read(path)[0] == [{"title": "泡菜", "stage": "中试"}]
    path.write_bytes("名称,阶段\r泡菜,中试\r".encode())  # line ends of an old Mac
    assert read(path)[0] == [{"title": "泡菜", "stage": "中试"}]


@pytest.mark.parametrize(
    "text",
    [
        '{"名称": "泡菜"}\n\n{"title": "茶叶"}\n',
        '\ufeff{"名称": "泡菜"}\r\n{"title": "茶叶"}',
        '[{"名称": "泡菜"},\n {"title": "茶叶"}]',
        '{"total": 2, "items": [{"名称": "泡菜"}, {"title": "茶叶"}]}',
    ],
)
def test_json(tmp_path, text):
    for name in ("a.json", "a.jsonl"):
        if name == "a.jsonl" and "items" in text:
            continue
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert read(tmp_path / name) == ([{"title": "泡菜"}, {"title": "茶叶"}], [])


def test_one_json_object_over_several_lines(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"title": "泡菜"}, indent=1), encoding="utf-8")
    assert read(tmp_path / "a.json") == ([{"title": "泡菜"}], [])


def test_json_names_what_it_does_not_know(tmp_path):
    path = lines(
        tmp_path / "a.jsonl", {"title": "泡菜", "颜色": "绿"}, {"名称": "茶", "颜色": "红"}
    )
    assert read(path)[1] == ["第 1 行「颜色」：不认识这一项，未导入：「颜色」（之后各行同样）。"]
    path = lines(tmp_path / "a.jsonl", {"title": "泡菜", "名称": "茶"})
    assert "写了两次而内容不同" in read(path)[1][0]


def test_the_content_counts_not_the_ending(tmp_path):
    """A workbook under another workbook's ending is read; the clerk sees no difference."""
    new = sheet(tmp_path / "a.xlsx", *ROWS).rename(tmp_path / "new.xls")
    old = old_xls.write(tmp_path / "a.xls", ROWS).rename(tmp_path / "old.xlsx")
    named = sheet(tmp_path / "b.xlsx", *ROWS).rename(tmp_path / "named.csv")
    assert [read(path) for path in (new, old, named)] == [(WANTED, [])] * 3


@pytest.mark.parametrize(
    "header",
    [
        "名称*",
        " 名 称 ",
        "名称（必填）",
        "*名称",
        "成果名称：",
        "成果\n名称",
        "TITLE",
        "Title*",
        "ｔｉｔｌｅ",
    ],
)
def test_headers_as_people_write_them(tmp_path, header):
    values, told = read(sheet(tmp_path / "a.xlsx", [header], ["泡菜"]))
    assert values == [{"title": "泡菜"}]
    assert told == []


def test_a_header_in_wan(tmp_path):
    rows = [["名称", "价格（万元）"], ["a", 12.5], ["b", "10-20"], ["c", "12万"], ["d", "面议"]]
    values, _ = read(sheet(tmp_path / "a.xlsx", *rows, ["e"]))
    assert [row["price"] for row in values] == ["12.5万", "10-20万", "12万", "面议", ""]


def test_unknown_headers_are_named(tmp_path):
    long = "长" * 5000
    values, told = read(sheet(tmp_path / "a.xlsx", ["序号", "名称", long], [1, "泡菜", "x"], [2]))
    assert values == [{"title": "泡菜"}], "a row with nothing but its number is no row"
    assert told == [
        "A1：不认识这个表头，整列未导入：「序号」。",
        f"C1：不认识这个表头，整列未导入：「{long[:20]}」。",
    ]


def test_three_hundred_columns(tmp_path):
    head = ["名称", *(f"列{n}" for n in range(299))]
    values, told = read(sheet(tmp_path / "a.xlsx", head, ["泡菜"] * 300))
    assert values == [{"title": "泡菜"}]
    assert len(told) == 299
    assert told[-1] == "KN1：不认识这个表头，整列未导入：「列298」。"


def test_a_title_above_the_header_is_skipped(tmp_path):
    values, told = read(sheet(tmp_path / "a.xlsx", ["东坡区成果表"], [], *ROWS))
    assert values == WANTED
    assert told == ["第 1 行：不是表头，已跳过。"]


def test_notes_at_the_side(tmp_path):
    path = sheet(tmp_path / "a.xlsx", ["名称"], ["泡菜", None, "补：见附件"], ["茶", None, "同上"])
    values, told = read(path)
    assert [row["title"] for row in values] == ["泡菜", "茶"]
    assert told == ["C2：这一列没有表头，未导入。"]
    _, told = read(text_csv(tmp_path / "a.csv", ["名称", "阶段"], ["泡菜", "中试", "多出"]))
    assert told[0].startswith("C2：这一行比表头多出内容"), "in a CSV a comma moved the cells"


def test_blank_rows_and_places(tmp_path):
    def shape(page):
        page["B4"], page["B6"], page["B7"] = "名称", "泡菜", "  \n "

    path = sheet(tmp_path / "a.xlsx", shape=shape)
    table = open_table(path, COLUMNS)
    assert [(row.number, row.letters["title"]) for row in table.rows] == [(6, "B")]


def test_cells_merged_downwards_stand_in_each_row(tmp_path):
    def shape(page):
        page.merge_cells("A2:A3")

    path = sheet(
        tmp_path / "a.xlsx", ["阶段", "名称"], ["中试", "一"], ["", "二"], ["", "三"], shape=shape
    )
    assert [row.get("stage") for row in read(path)[0]] == ["中试", "中试", ""]


def test_formulas_and_errors_are_seen(tmp_path):
    def shape(page):
        page["A2"], page["B2"] = "=B1&C1", "#REF!"
        page["B2"].data_type = "e"
        page["C3"] = "=1/0"

    values, _ = read(sheet(tmp_path / "a.xlsx", ROWS[0], ["x", "y"], ["泡菜"], shape=shape))
    assert values[0]["title"].startswith("=")
    assert values[0]["price"] == "#REF!"
    assert values[1]["stage"].startswith("="), "a formula that was never calculated is not empty"
    book = old_xls.book(old_xls.cells([["名称"], []]) + old_xls.error(1, 0, 0x17))
    (tmp_path / "a.xls").write_bytes(old_xls.compound({"Workbook": book}))
    assert read(tmp_path / "a.xls")[0] == [{"title": "#REF!"}]


def test_a_formula_with_its_result_is_its_result(tmp_path):
    import xlsxwriter

    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["名称", "价格（元）"])
        page.write_formula(1, 0, '="泡"&"菜"', None, "泡菜")
        page.write_formula(1, 1, "=60*2", None, 120)
    assert read(tmp_path / "a.xlsx")[0] == [{"title": "泡菜", "price": 120.0}]


def test_the_sheet_with_the_header_is_taken(tmp_path):
    def shape(page):
        for name in ("一季度", "二季度", "空表"):
            other = page.parent.create_sheet(name)
            other.append(["名称"])
            if name != "空表":
                other.append([name])

    values, told = read(
        sheet(tmp_path / "a.xlsx", ["说明", "请看下一页"], name="封面", shape=shape)
    )
    assert values == [{"title": "一季度"}]
    assert told == ["工作表「二季度」：这次只导入工作表「一季度」，「二季度」没有导入。"]


# -- writing


@pytest.mark.parametrize("ending", [".xlsx", ".csv", ".jsonl"])
def test_what_is_written_is_read_again(tmp_path, ending):
    odd = [
        "=1+1",
        "+86 10",
        "-5",
        "@x",
        "'=x",
        "''",
        "{=A1}",
        "http://a/",
        'x,"y"\n第二行',
        "_x000D_",
    ]
    odd += ["001", "1e5", "TRUE", "2025-03-01", "internal:a", "🙂👨‍👩‍👧", "a;b\tc", "　全角", "<b>"]
    rows = [{"title": text, "price": None, "stage": "中试"} for text in odd]
    path = tmp_path / f"a{ending}"
    assert write_table(path, COLUMNS, rows) == len(rows)
    assert [row["title"] for row in read(path)[0]] == odd


def test_where_nothing_can_be_written(tmp_path):
    with pytest.raises(FileRefused, match="扩展名"):
        write_table(tmp_path / "a.xls", COLUMNS, [])
    with pytest.raises(FileRefused, match="没有文件夹"):
        check_target(tmp_path / "nowhere" / "a.xlsx")
    (tmp_path / "folder.xlsx").mkdir()
    with pytest.raises(FileRefused, match="写不了"):
        write_table(tmp_path / "folder.xlsx", COLUMNS, [])
    with pytest.raises(FileRefused, match="xlsx"):
        write_template(tmp_path / "a.csv", COLUMNS)


def test_the_template_has_lists_and_notes(tmp_path):
    write_template(tmp_path / "a.xlsx", columns("achievement"))
    page = openpyxl.load_workbook(tmp_path / "a.xlsx")["数据"]
    heads = {cell.value: cell for cell in page[1]}
    assert heads["名称*"].font.b
    assert "必填" in heads["名称*"].comment.text
    assert "GB/T 4754" in heads["应用行业"].comment.text
    lists = {
        str(one.sqref).split(":")[0]: one.formula1 for one in page.data_validations.dataValidation
    }
    place = heads["所处阶段"].column_letter
    assert lists[f"{place}2"] == '"实验室,小试,中试,可批量生产,已推广"'
    assert lists[f"{heads['可先用后转'].column_letter}2"] == '"是,否"'
    month = heads["研究起始"].column
    formats = [
        one.number_format for one in page.column_dimensions.values() if one.min <= month <= one.max
    ]
    assert formats == ["@"], "2025.10 keeps its nought in a cell of text"


def test_the_report(tmp_path):
    problems = [
        Problem(7, "名称", "B7", "=x", "必填。"),
        Problem(8, "", "第 8 行", "", "怪", True),
    ]
    write_problems(tmp_path / "r.xlsx", problems)
    rows = list(openpyxl.load_workbook(tmp_path / "r.xlsx").active.iter_rows(values_only=True))
    assert rows[0] == ("工作表", "单元格", "行", "列", "原内容", "性质", "问题与改法")
    assert rows[1] == (None, "B7", 7, "名称", "=x", "错误", "必填。")
    assert rows[2][5] == "提醒"


LINKS = [
    ("r.xlsx", "成果 1.xlsx", "数据", "成果 1.xlsx#'数据'!B7"),
    ("out/r.xlsx", "成果.xlsx", "数据", None),
    ("r.xlsx", "成果#1.xlsx", "数据", None),
    ("r.xlsx", "成果.xlsx", "一'二", None),
    ("r.xlsx", "成果.csv", "", None),
    ("r.xlsx", "坏\udc80.xlsx", "数据", None),
    ("r.xlsx", "长" * 200 + ".xlsx", "数据", None),
]


def test_an_address_in_the_report_opens_its_cell(tmp_path, subtests):
    (tmp_path / "out").mkdir()
    for report, source, name, expected in LINKS:
        with subtests.test(str((report, ascii(source), name))):
            problem = Problem(7, "名称", "B7", "x", "必填。")
            path = tmp_path / report
            write_problems(
                path, [problem, Problem(0, "", "全表", "", "怪")], tmp_path / source, name
            )
            page = openpyxl.load_workbook(path).active
            link = page["B2"].hyperlink
            found = f"{link.target}#{link.location}" if link else None
            assert (found and unquote(found)) == expected
            assert (page["A2"].value or "", page["B2"].value) == (name, "B7")
            assert page["B3"].hyperlink is None


def test_dates_and_times_come_as_such(tmp_path):
    day = datetime.date(2025, 3, 1)
    values, _ = read(sheet(tmp_path / "a.xlsx", ["名称"], [day], [datetime.time(8)], [True]))
    assert values[0]["title"] == datetime.date(2025, 3, 1)
    assert values[2]["title"] is True


def test_the_template_of_every_kind(tmp_path, subtests):
    """Each has a list to choose from, a note at what is needed, and says what each column is."""
    for name, kind in KINDS.items():
        with subtests.test(name):
            write_template(tmp_path / f"{name}.xlsx", kind.columns())
            book = openpyxl.load_workbook(tmp_path / f"{name}.xlsx")
            page, guide = book["数据"], book["填写说明"]
            lists = {str(one.sqref).split(":")[0] for one in page.data_validations.dataValidation}
            assert lists == {
                f"{cell.column_letter}2"
                for cell, column in zip(page[1], kind.columns(), strict=True)
                if column.choices
            }
            assert lists or name == "experts"
            needed = [cell for cell in page[1] if cell.value.endswith("*")]
            assert needed
            assert all("必填" in cell.comment.text for cell in needed)
            assert guide.max_row == len(kind.columns()) + 1
            assert [guide.cell(line, 1).value for line in range(2, guide.max_row + 1)] == [
                column.label + ("（必填）" if column.required else "") for column in kind.columns()
            ]
