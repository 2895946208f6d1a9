"""Fields that read what people type."""

from __future__ import annotations

import datetime
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from market.catalogue.schemas import FORMS, SCHEMAS, STAGES, TRANSFER_MODES, price_text
from market.core.fields import (
    Choice,
    Choices,
    Day,
    Line,
    LongText,
    Month,
    Whole,
    Words,
    YesNo,
    Yuan,
)

STAGE = Choice(STAGES, {"实验室阶段": "lab"})
FORM = Choices(FORMS, {"新品种": "variety"})
MODES = Choices(TRANSFER_MODES, {"技术转让": "assignment"})
TRL = Whole(1, 9)


def refused(field, value) -> str:
    with pytest.raises(ValidationError) as caught:
        field.deserialize(value)
    return " ".join(str(message) for message in caught.value.messages)


# -- text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  泡菜 ", "泡菜"),
        (12345.0, "12345"),
        (0.1 + 0.2, "0.3"),
        (13800138000, "13800138000"),
        (datetime.date(2025, 3, 1), "2025-03-01"),
        (datetime.datetime(2025, 3, 1, 8, tzinfo=datetime.UTC), "2025-03-01"),
        (["甲", "乙"], "甲；乙"),
        ("无", "无"),
        ("🙂", "🙂"),
        ("", None),
        ("\u200b\x00 ", None),
        (None, None),
        ([], None),
        ("x = 1", "x = 1"),
        ("=提高效率=", "=提高效率="),
    ],
)
def test_line(value, text):
    assert Line().deserialize(value) == text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "TRUE"),
        ({"a": 1}, "嵌套"),
        ([["a"]], "嵌套"),
        ([{"a": 1}], "嵌套"),
        ([True], "TRUE"),
        (math.nan, "NaN"),
        ([math.inf], "NaN"),
        (912345678901234567.0, "超过 15 位"),
        ("字" * 201, "太长：201 个字，最多 200 个字"),
        ("字" * 10**6, "1,000,000 个字"),
        ("=A1&B1", "公式"),
        ("\u200b=A1", "公式"),
        ("=SUM(A1:A9)", "公式"),
        ("='一月'!B2", "公式"),
        ("#REF!", "#REF!"),
        ("#N/A", "#N/A"),
    ],
)
def test_line_refuses(value, words):
    assert words in refused(Line(), value)


def test_required():
    for value in (None, "", "  ", "\u200b", []):
        assert refused(Line(required=True), value) == "必填。"


def test_markup_that_was_typed_stays_as_text():
    for typed in ("<b>粗</b>", "<img src=x onerror=alert(1)>", "a &lt; b", "x<b 且 c>d"):
        assert LongText().deserialize(typed) == typed


# -- numbers


@pytest.mark.parametrize(
    "value", [6, 6.0, "6", "６", "TRL 6", "trl6", "TRL-6", "TRL：6级", "第6级", "6.0"]
)
def test_trl(value):
    assert TRL.deserialize(value) == 6


@pytest.mark.parametrize("value", ["0", 10, 6.5, "4-6", "六", "-6", "高", "9" * 50])
def test_trl_refuses(value):
    assert refused(TRL, value) == "应为 1 到 9 的整数。"


@pytest.mark.parametrize("nothing", ["无", "/", " — ", "N/A", "暂无", ""])
def test_nothing_is_nothing(nothing):
    for field in (TRL, Yuan(), Day(), Month(), STAGE, FORM, Words()):
        assert field.deserialize(nothing) is None


@pytest.mark.parametrize(
    ("value", "fen"), [("12万", 12_000_000), (1200.5, 120_050), (0.1 + 0.2, 30)]
)
def test_yuan(value, fen):
    assert Yuan().deserialize(value) == fen


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("面议", "「面议」不是金额，请写成 120000"),
        (-5, "「-5」是负数"),
        (1e30, "不是金额"),
        ("9" * 18, "大得不合情理"),
        (1.23456, "最多写到分"),
        (True, "TRUE"),
    ],
)
def test_yuan_refuses(value, words):
    assert words in refused(Yuan(), value)


@pytest.mark.parametrize(("value", "meant"), [("是", True), (True, True), (1.0, True), ("√", True)])
def test_yes(value, meant):
    assert YesNo().deserialize(value) is meant


@pytest.mark.parametrize("value", ["否", False, 0, "无", "Ｎ", "no"])
def test_no(value):
    assert YesNo().deserialize(value) is False


def test_yes_or_no_refuses():
    assert refused(YesNo(), "也许") == "请填「是」或「否」。"


# -- dates


@pytest.mark.parametrize(
    "value",
    [
        "2025.3",
        2025.3,
        "2025年3月",
        "2025 年 03 月",
        "2025-03",
        "2025/3",
        "2025、3",
        "２０２５．３",
        202503,
        "20250301",
        20250301.0,
        "2025年3月1日",
        "2025-3-1 08:00:00",
        "2025-03-01T08:00:00Z",
        datetime.date(2025, 3, 9),
        datetime.datetime(2025, 3, 9, tzinfo=datetime.UTC),
    ],
)
def test_month(value):
    assert Month().deserialize(value) == "2025-03"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (2025.1, "分不清 1 月还是 10 月"),
        ("2025-02-30", "没有「2025-02-30」这一天"),
        ("2025.13", "没有"),
        ("去年", "「去年」不是日期"),
        (45717, "「45717」不是日期"),
        ("1025-01", "年份 1025 不对"),
        (datetime.date(1025, 1, 1), "年份 1025 不对"),
        ("2025", "不是日期"),
    ],
)
def test_month_refuses(value, words):
    assert words in refused(Month(), value)
    assert words in refused(Day(), value)


def test_day():
    assert Day().deserialize("2024年2月") == datetime.date(2024, 2, 29)
    assert Day().deserialize("2025.10.1") == datetime.date(2025, 10, 1)
    for word in ("长期", "长期有效", "至今"):
        assert Day().deserialize(word) is None
        assert "确切的日期" in refused(Day(required=True), word)


# -- lists


@pytest.mark.parametrize(
    ("value", "code"),
    [("中试", "pilot"), (" pilot ", "pilot"), ("实验室阶段", "lab"), ("实验室", "lab")],
)
def test_choice(value, code):
    assert STAGE.deserialize(value) == code


def test_a_code_that_reads_like_nothing_is_kept():
    one = Choice({"none": "计划外"})
    assert [one.deserialize(text) for text in ("none", "计划外", "无")] == ["none", "none", None]


def test_choice_names_what_there_is():
    assert refused(STAGE, "快好了") == (
        "「快好了」不在选项中，可选：实验室、小试、中试、可批量生产、已推广。"
    )


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ("新技术;新装备;其他()", ["technology", "equipment", "other"]),
        ("新技术；农业/生物新品种", ["technology", "variety"]),
        ("新技术、农业/生物新品种，新工艺", ["technology", "variety", "process"]),
        ("新技术 新工艺/新产品", ["technology", "process", "product"]),
        ("其他（光伏组件）", ["光伏组件"]),
        ("其它：光伏", ["光伏"]),
        ("新技术\n新技术", ["technology"]),
        (["新技术", "software"], ["technology", "software"]),
    ],
)
def test_choices(value, codes):
    assert FORM.deserialize(value) == codes


def test_choices_refuse():
    assert "「捐赠」不在选项中" in refused(MODES, "转让；捐赠")
    assert "「其他」不在选项中" in refused(MODES, "其他")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("泡菜；盐水;循环", ["泡菜", "盐水", "循环"]),
        ("泡菜、盐水，循环,泡菜/酱", ["泡菜", "盐水", "循环", "酱"]),
        ("TCP/IP；路由", ["TCP/IP", "路由"]),
        ("TCP/IP；", ["TCP/IP"]),
        (r"泡菜\n盐水|循环", ["泡菜", "盐水", "循环"]),
        (["TCP/IP", "a、b", None, 5.0], ["TCP/IP", "a、b", "5"]),
        ("；；", None),
    ],
)
def test_words(value, words):
    assert Words().deserialize(value) == words


def test_thirty_keywords():
    assert len(Words().deserialize("；".join(map(str, range(30))))) == 30
    assert refused(Words(), "；".join(map(str, range(31)))) == "太多：31 个，最多 30 个。"
    assert "每个最多 60 个字" in refused(Words(), "字" * 61)


# -- whatever stands in a cell

CELL = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.text(max_size=40)
    | st.sampled_from(
        ["其他(", "12万", "2025.", "10-", "ZL", "TRL", "CN1", "=", chr(0xD800), "１２"]
    )
)
ANY = CELL | st.lists(CELL, max_size=4) | st.dictionaries(st.text(max_size=3), CELL, max_size=2)


@given(st.sampled_from(sorted(SCHEMAS)), st.data())
def test_any_cell_is_read_or_named(kind, data):
    """Whatever stands in the cells of a row, it is a value or a sentence about the field."""
    schema = SCHEMAS[kind]
    keys = sorted(field.data_key or name for name, field in schema.fields.items())
    row = data.draw(st.dictionaries(st.sampled_from(keys), ANY, max_size=6))
    good = {"title": "名称", "summary": "简介"}
    try:
        loaded = schema.load(good | row)
    except ValidationError as error:
        named = error.normalized_messages()
        "".join(str(message) for messages in named.values() for message in messages).encode()
        unknown = set(named) - set(keys)
    else:
        unknown = set()
        price = price_text(loaded.get("price_min_fen"), loaded.get("price_max_fen"))
        written = schema.dump(loaded | {"price": price})
        assert schema.load({k: v for k, v in written.items() if v is not None}) == loaded
    assert not unknown, "a sentence belongs to a column"


def test_what_is_remembered_is_the_same_again():
    words = Words(5)
    first = words.deserialize("水稻、小麦")
    first.append("changed by whoever got it")
    assert words.deserialize("水稻、小麦") == ["水稻", "小麦"]
    for _ in range(2):
        assert Day().deserialize("2025.3") == datetime.date(2025, 3, 31)
        assert YesNo().deserialize("否") is False
        with pytest.raises(ValidationError):
            TRL.deserialize("10")
    line = Line(50)
    for number in range(2_000):
        line.deserialize(f"第 {number} 行")
    assert len(line._read) <= 500


CELL = st.one_of(
    st.text(max_size=12),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.sampled_from(
        ["", "面议", "定价", "12万", "10-20万", "2025.3", "中试", "无", "=A1", "水稻；小麦"]
    ),
    st.datetimes(),
)


# How fast rows are made up says nothing of the code, only of what else the machine does.
@pytest.mark.parametrize("kind", SCHEMAS)
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_rows_are_read_as_marshmallow_reads(kind, data):
    schema = SCHEMAS[kind]
    keys = [field.data_key or name for name, field in schema.fields.items()]
    row = data.draw(st.dictionaries(st.sampled_from([*keys, "other"]), CELL, max_size=12))

    def read(partial):
        try:
            return list(schema.load(row, partial=partial).items())
        except ValidationError as error:
            return error.normalized_messages(), error.valid_data

    assert read(True) == read(tuple(schema.fields))  # a list of fields takes marshmallow's own way
