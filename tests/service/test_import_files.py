"""Files that are refused as a whole: quickly, with a sentence, without taking memory."""

from __future__ import annotations

import io
import json
import os
import random
import re
import struct
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest

from market.core.sheets import Column, FileRefused, open_table
from tests.service import old_xls
from tests.service.clerk import lines, sheet, text_csv

COLUMNS = [Column("title", "名称", required=True), Column("summary", "简介", required=True)]
HEAD = ["名称", "简介"]


def refusal(path) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(FileRefused) as caught:
        list(open_table(path, COLUMNS).rows)
    return str(caught.value)


def with_bytes(path, data: bytes):
    path.write_bytes(data)
    return path


def with_cells(path, xml: str, part: str = "xl/worksheets/sheet1.xml"):
    """An XLSX whose sheet holds this XML of rows."""
    good = io.BytesIO()
    sheet(good, HEAD)
    rows = f"<sheetData>{xml}</sheetData>".encode()
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            data = old.read(item)
            if item.filename == part:
                data = re.sub(rb"<sheetData>.*</sheetData>", lambda _: rows, data, flags=re.S)
            new.writestr(item.filename, data)
    return path


TEXT_ROWS = '<row r="1"><c r="A1" t="inlineStr"><is><t>名称</t></is></c></row>'


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.docx", b"x", "不支持「.docx」文件"),
        ("a.et", b"x", "另存为 XLSX"),
        ("a", b"x", "不支持「a」文件"),
        ("a.xlsx", b"", "文件是空的"),
        ("a.csv", b"", "文件是空的"),
        ("a.csv", b"\r\n \n", "没有内容"),
        ("a.jsonl", b"\n  \n", "没有内容"),
        ("a.json", b"[]", "没有内容"),
        ("a.csv", "名称,简介\n".encode(), "只有表头"),
        ("a.csv", "甲,乙\n1,2\n".encode(), "第 1 行应为表头，没有认出任何一列"),
        ("a.csv", "名称,价格\nx,1\n".encode(), "缺少必填的列：简介"),
        ("a.csv", '名称,简介\n茶,"没有收尾\n菜,好\n'.encode(), "引号"),
        ("a.csv", "名称,简介,title\na,b,c\n".encode(), "C1：表头「title」与 A1 重复"),
        ("a.csv", "名称,简介,阶段\n茶,好,中试\n菜,新".encode(), "没有传完"),
        ("a.csv", "名称,简介\n茶,好\n菜".encode("utf-16"), "没有传完"),
        ("a.csv", b"\xff\xff\xfe\x81" * 9, "文字编码"),
        ("a.csv", b"\xff\xfe\x41", "文字编码"),
        ("a.csv", b"\xff\xfe\x00\xd8\x41\x00", "文字编码"),
        ("a.xlsx", b"<html><table><tr><td>x</td></tr></table></html>", "网页（HTML）"),
        ("a.xls", b"<TABLE border=1><tr>", "网页（HTML）"),
        (
            "a.xls",
            b"<?xml?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'>",
            "2003",
        ),
        ("a.xlsx", "名称,简介\n".encode(), "像是 CSV"),
        ("a.xlsx", b"PK\x03\x04" + b"broken" * 40, "已损坏"),
        ("a.xlsx", b"\x89PNG\r\n\x1a\n\x00\x00", "不是 XLSX 或 XLS"),
        ("a.xls", old_xls.compound({"WordDocument": b"x"}), "不是表格"),
        ("a.xls", old_xls.compound({"Workbook": b"\x00"}), "已损坏"),
        ("a.xls", old_xls.compound({"Workbook": b""})[:900], "另存为 XLSX"),
        ("a.xlsx", old_xls.compound({"EncryptedPackage": b"x"}), "密码"),
        ("a.jsonl", b'{"title": ', "第 1 行不是完整的 JSON 对象"),
        ("a.jsonl", b'{"title": "a"}\n["a"]\n', "第 2 行应为 JSON 对象"),
        ("a.json", b'[{"title": "a"}', "不是完整的 JSON 数组"),
        ("a.json", b"[" * 100_000, "不是完整的 JSON 数组"),
        ("a.jsonl", b'{"title": ' + b"[" * 100_000, "第 1 行不是完整"),
        ("a.jsonl", b'{"title": ' + b"9" * 5000 + b"}", "第 1 行不是完整"),
        ("a.json", b'"text"', "应为 JSON 对象"),
    ],
)
def test_refused_with_a_sentence(tmp_path, name, data, words):
    assert words in refusal(with_bytes(tmp_path / name, data))


def test_missing_and_unreadable_places(tmp_path):
    assert "打不开" in refusal(tmp_path / "nowhere.xlsx")
    (tmp_path / "folder.xlsx").mkdir()
    assert "打不开" in refusal(tmp_path / "folder.xlsx")


def test_a_protected_xls(tmp_path):
    book = old_xls.book(old_xls.cells([HEAD]), globals_=old_xls.record(0x2F, b"\x00" * 6))
    assert "密码" in refusal(with_bytes(tmp_path / "a.xls", old_xls.compound({"Workbook": book})))


def test_a_zip_that_is_no_workbook(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as package:
        package.writestr("content.xml", "<office/>")
    assert "不是 XLSX" in refusal(tmp_path / "a.xlsx")


def test_a_protected_zip(tmp_path):
    path = sheet(tmp_path / "a.xlsx", HEAD, ["a", "b"])
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    assert "密码" in refusal(with_bytes(path, bytes(data)))


@pytest.mark.parametrize("cells", ["A1:B1", "A1:A2", "B1:C2"])
def test_a_merged_header_is_named(tmp_path, cells):
    path = sheet(
        tmp_path / "a.xlsx", [*HEAD, "备注"], ["a", "b", "c"], shape=lambda s: s.merge_cells(cells)
    )
    assert f"（{cells}）" in refusal(path)


def test_a_merged_title_above_the_header_is_named(tmp_path):
    path = sheet(
        tmp_path / "a.xlsx", ["成果表"], HEAD, ["a", "b"], shape=lambda s: s.merge_cells("A1:B1")
    )
    assert "（A1:B1）" in refusal(path)


# -- too large


def quickly_refused(path, words: str, seconds: float = 5.0, megabytes: int = 60) -> None:
    """The file is refused in this time, and Python's own memory stays small."""
    tracemalloc.start()
    began = time.monotonic()
    try:
        assert words in refusal(path)
        assert time.monotonic() - began < seconds
        assert tracemalloc.get_traced_memory()[1] < megabytes * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "cell",
    [
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        "<row r='1048576'><c s='1'  r='XFD1048576'><v>1</v></c></row>",
        '<row r="2"><c r="xfd2" t="n"><v>1</v></c></row><row r="99999"><c r="A99999"><f>1</f></c></row>',
        '<row r="1000001"><c><v>1</v></c></row>',
        '<row r="2"><c s=">" r="XFD99999"><v>1</v></c></row>',
        f'<row r="2"><c s="{" " * 3000}" r="XFD99999"><v>1</v></c></row>',
    ],
)
def test_one_far_cell(tmp_path, cell):
    quickly_refused(with_cells(tmp_path / "a.xlsx", TEXT_ROWS + cell), "请分成几个文件")


@pytest.mark.parametrize(
    "cell",
    [
        '<row r="5"><c r="A5"><v>1</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>',
        '<row r="99999999999"><c r="A99999999999"><v>1</v></c></row>',
        '<row r="2"><c r="ZZZZ2"><v>1</v></c></row>',
        '<row r="5"><c r="A7"><v>1</v></c><c r="B5"><v>1</v></c></row>',
        '<row r="5"><c r="A5"><v>1</v></c><c r="B4"><v>1</v></c></row>',
        '<c r="A"><v>1</v></c>',
        '<row r="0"><c r="A0"><v>1</v></c></row>',
        "<row r='x'/>",
        "<row",
    ],
)
def test_places_that_cannot_be(tmp_path, cell):
    assert "已损坏" in refusal(with_cells(tmp_path / "a.xlsx", TEXT_ROWS + cell))


def test_formats_without_content_do_not_count(tmp_path):
    """Somebody coloured whole columns down to the last row."""
    xml = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>名称</t></is></c>'
        '<c r="B1" t="inlineStr"><is><t>简介</t></is></c></row>'
        '<row r="2"><c r="A2"><v>12345</v></c><c r="B2"><v>1</v></c><c r="XFD2" s="1"/></row>'
        '<row r="1048576"><c r="A1048576" s="1"/></row>'
    )
    rows = list(open_table(with_cells(tmp_path / "a.xlsx", xml), COLUMNS).rows)
    assert [row.values["title"] for row in rows] == [12345.0]


def bomb(path, megabytes: int):
    """A small XLSX with a part that unpacks to so many zeros."""
    sheet(path, HEAD, ["a", "b"])
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as package,
        package.open("xl/media/image1.bin", "w") as big,
    ):
        for _ in range(megabytes):
            big.write(b"\x00" * 2**20)
    return path


def claim(path, size: int) -> None:
    """Let the directory say that the last part has this size."""
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 16 : at + 20] = struct.pack("<I", zlib.crc32(b"\x00" * size))
    data[at + 24 : at + 28] = struct.pack("<I", size)
    path.write_bytes(bytes(data))


def test_a_zip_bomb_honest_and_lying(tmp_path):
    """The second claims a kilobyte, with the right check sum of that kilobyte."""
    path = bomb(tmp_path / "a.xlsx", 310)
    assert path.stat().st_size < 2 * 2**20
    quickly_refused(path, "超过 300 MB")
    claim(path, 1024)
    with zipfile.ZipFile(path) as package:
        assert sum(item.file_size for item in package.infolist()) < 2**20
    quickly_refused(path, "超过 300 MB", seconds=15)


def test_entities_that_grow(tmp_path):
    path = tmp_path / "a.xlsx"
    sheet(path, HEAD, ["a", "b"])
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("xl/x.xml", '<!DOCTYPE a [<!ENTITY b "bbbbbbbb">]><a>&b;</a>')
    assert "已损坏" in refusal(path)


def test_too_many_rows(tmp_path):
    csv_file = tmp_path / "a.csv"
    csv_file.write_text("名称,简介\n" + "a,b\n" * 100_001, encoding="utf-8")
    quickly_refused(csv_file, "超过 100,000 行")
    many = tmp_path / "a.jsonl"
    many.write_text('{"title": "a"}\n' * 100_001, encoding="utf-8")
    quickly_refused(many, "超过 100,000 行")


def test_too_many_cells(tmp_path, monkeypatch):
    wide = tmp_path / "a.csv"
    wide.write_text("名称,简介\n" + ("," * 2100 + "\n") * 1000, encoding="utf-8")
    quickly_refused(wide, "超过 2,000,000 个单元格", seconds=10)
    monkeypatch.setattr("market.core.sheets.texts.MOST_CELLS", 2000)
    many = lines(tmp_path / "a.jsonl", *[dict.fromkeys(map(str, range(100)), 1)] * 21)
    assert "个单元格" in refusal(many)


def test_an_xls_with_far_cells(tmp_path):
    """Small, and 65,536 × 256 cells when it is laid out."""
    cells = old_xls.cells([HEAD]) + old_xls.number(65535, 255, 1.0)
    path = with_bytes(tmp_path / "a.xls", old_xls.compound({"Workbook": old_xls.book(cells)}))
    quickly_refused(path, "请分成几个文件")


def test_a_chain_of_sectors_that_runs_in_a_circle(tmp_path):
    data = bytearray(old_xls.compound({"Workbook": old_xls.book(old_xls.cells([HEAD]))}))
    at = 512 + 4 * 3
    data[at : at + 4] = struct.pack("<I", 2)
    assert "已损坏" in refusal(with_bytes(tmp_path / "a.xls", bytes(data)))


@pytest.mark.parametrize("ending", ["xlsx", "xls"])
def test_damaged_bytes_never_do_more_than_refuse(tmp_path, ending, capfd):
    chance = random.Random(7)
    path = tmp_path / f"a.{ending}"
    if ending == "xlsx":
        sheet(path, HEAD, ["a", 12.5])
    else:
        old_xls.write(path, [HEAD, ["a", 12.5]])
    good = path.read_bytes()
    outcomes = set()
    for _ in range(150):
        data = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.choice((0, 1, 255, chance.randrange(256)))
        path.write_bytes(bytes(data))
        try:
            outcomes.add(len(list(open_table(path, COLUMNS).rows)))
        except FileRefused:
            outcomes.add("refused")
    assert "refused" in outcomes
    capfd.readouterr()  # the reading library prints where it gave up


def test_a_million_characters_in_a_cell(tmp_path):
    path = text_csv(tmp_path / "a.csv", HEAD, ["名" * 10**6, "b"])
    began = time.monotonic()
    [row] = open_table(path, COLUMNS).rows
    row.report("title", "太长")
    assert len(row.problems[0].value) <= 60
    assert time.monotonic() - began < 2


def test_a_file_name_that_is_no_text(tmp_path):
    """Unpacked from a Chinese zip, a name may be bytes that are no UTF-8."""
    raw = os.fsencode(tmp_path) + b"/" + "成果".encode("gbk") + b".csv"
    with open(raw, "wb") as file:
        file.write("名称\n茶\n".encode())
    sentence = refusal(Path(os.fsdecode(raw)))
    assert json.dumps(sentence, ensure_ascii=False).encode()
