"""Numbers of intellectual property as they stand in files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from market.catalogue.numbers import IpItems, patent_check_digit, read_ip, read_patent

FIELD = IpItems(20, longest=100, comma=False)
INVENTION = {"kind": "发明专利", "number": "202010566088.9"}


def refused(value) -> str:
    with pytest.raises(ValidationError) as caught:
        FIELD.deserialize(value)
    return " ".join(caught.value.messages)


@pytest.mark.parametrize(
    "number",
    [
        "201811564288.X",
        "202010566088.9",
        "201510958772.0",
        "202510942578.7",
        "200510096239.4",
        "202322865413.3",
    ],
)
def test_published_numbers_have_these_check_digits(number):
    digits, _, check = number.partition(".")
    assert patent_check_digit(digits) == check
    assert read_patent(number)[1] == number


@pytest.mark.parametrize(
    "text",
    [
        "202010566088.9",
        "2020105660889",
        "202010566088",
        "专利号：ZL 2020 1 0566088.9",
        "ZL202010566088.9（授权公告号 CN111604000B）",
        "发明专利（202010566088.9）",
        "发明专利申请号 CN202010566088.9",
        "发明 ＺＬ２０２０１０５６６０８８．９",
        "\u200bzl202010566088.9 ",
    ],
)
def test_one_patent_in_many_ways(text):
    assert FIELD.deserialize(text) == [INVENTION]


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("实用新型专利ZL202322865413.3", "实用新型", "202322865413.3"),
        ("85100001", "发明专利", f"85100001.{patent_check_digit('85100001')}"),
        ("2018SR123456 号", "软件著作权", "2018SR123456"),
        ("软著登字第1234567号", "软件著作权", "1234567"),
        ("计算机软件著作权登记号 2018SR123456", "软件著作权", "2018SR123456"),
        ("软件著作权", "软件著作权", ""),
        ("CNA20191234.5", "植物新品种权", "CNA20191234.5"),
        ("品种权 CNA20191000123", "植物新品种权", "CNA20191000123"),
        ("集成电路布图设计 BS.195001234", "集成电路布图设计", "BS.195001234"),
        ("技术秘密", "技术秘密", ""),
    ],
)
def test_other_rights(text, kind, number):
    assert read_ip(text) == {"kind": kind, "number": number}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("授权公告号 CN1234567B", "「授权公告号 CN1234567B」是公开或公告号，请填申请号"),
        ("CN111604000A", "是公开或公告号"),
        ("202010566088.8", "校验位不对，请核对（末位应为 9）"),
        ("202040566088.9", "第 5 位的种类不对"),
        ("实用新型 202010566088.9", "按号码是发明专利，与所写的实用新型不符"),
        ("发明专利", "请写出专利号"),
        ("发明专利3项", "「发明专利3项」不是专利号"),
        ("PCT/CN2020/123456", "不是专利号"),
        ("٢٠٢٠١٠٥٦٦٠٨٨", "看不出种类"),
        ("已申请", "看不出种类"),
        ([{"foo": 1}], "kind, number"),
        ([{"kind": ["a"], "number": "1"}], "kind, number"),
        ([["a"]], "嵌套"),
        ("A" * 150_000, "太长"),
        ("；".join(f"2018SR{n:06}" for n in range(21)), "太多：21 项，最多 20 项"),
    ],
)
def test_a_sentence_for_what_is_no_number(text, words):
    assert words in refused(text)


def test_several_in_one_cell():
    both = [INVENTION, {"kind": "发明专利", "number": "201811564288.X"}]
    assert FIELD.deserialize("ZL202010566088.9、ZL201811564288.X") == both
    assert FIELD.deserialize("ZL202010566088.9；发明专利 201811564288.X；202010566088.9") == both
    assert FIELD.deserialize([INVENTION, "ZL 201811564288.X"]) == both
    assert FIELD.deserialize("无") is None


@given(st.integers(2003, 2099), st.sampled_from("12389"), st.integers(0, 9_999_999))
def test_numbers_go_out_and_come_in(year, kind, serial):
    digits = f"{year}{kind}{serial:07}"
    written = f"ZL {digits[:4]} {digits[4:]}.{patent_check_digit(digits)}"
    items = FIELD.deserialize(written)
    assert FIELD.deserialize(FIELD._serialize(items, "ip", None)) == items


@given(st.text(max_size=60))
def test_any_text_is_a_right_or_a_sentence(text):
    try:
        items = FIELD.deserialize(text)
    except ValidationError as error:
        " ".join(error.messages).encode()  # a sentence that can be written anywhere
    else:
        assert FIELD.deserialize(FIELD._serialize(items, "ip", None)) == items


@given(st.integers(0, 10**12 - 1), st.sampled_from("0123456789X"), st.sampled_from(["", "ZL"]))
def test_plainly_written_numbers_mean_what_others_mean(number, check, before):
    digits = f"{number:012}"
    for end in (check, patent_check_digit(digits)):
        answers = []
        for text in (f"{before}{digits}.{end}", f"{before} {digits}.{end}"):
            try:
                answers.append(FIELD.deserialize(text))
            except ValidationError as error:
                answers.append("".join(error.messages).replace(" ", ""))
        assert answers[0] == answers[1]
