"""Ten things a new reader looks for, on a phone's width, with the keyboard alone: `docs/tasks.md`.

Each starts on the home page and ends at what was wanted.
"""

import io

import pytest
from python_calamine import CalamineWorkbook

pytestmark = [pytest.mark.browser, pytest.mark.net, pytest.mark.long]

SAUCE = "常温复合调味包“初菌控制＋酸度栅栏”防胀袋工艺（演示）"
HONEYSUCKLE = "金银花带式杀青—分级热风连续烘干机组（演示）"
SEA_BUCKTHORN = "沙棘果低温离心分离全果油与去酸果汁技术（演示）"
BRINE = "泡菜盐渍废水纳滤分盐与蒸发浓缩回用（演示）"
FERMENT = "泡菜直投式复合乳酸菌剂与 12 h 启动工艺（演示）"
DARK_TEA = "藏茶渥堆温湿度翻堆策略（演示）"
GREEN_TEA = "500 kg/h 绿茶鲜叶连续化杀青机组及工艺（演示）"
PLUCKER = "丘陵茶园自走履带式采茶修剪一体机（演示）"
COUNTY = "您在哪个县"
# How many keys a task may take, typing included: what it takes now and a little more.
MOST_KEYS = {1: 35, 2: 45, 3: 45, 4: 80, 5: 60, 6: 60, 7: 48, 8: 95, 9: 45, 10: 55}


@pytest.fixture
def task(reader, request, shot):
    """The reader of one task, who must not have needed more keys than a person puts up with."""
    yield reader
    number = int(request.node.name.split("_")[1])
    shot(reader.page, f"task-{number}")
    assert reader.presses <= MOST_KEYS[number]


def opened(reader, title):
    """The listing is open, and the telephone to call is on the first screen."""
    assert reader.heading() == title
    assert reader.page.locator("a[href^='tel:']").first.bounding_box()["y"] < 800


def find_county(reader, initials, name):
    """From the home page to the page of a county, by the initials of its name."""
    reader.tab_to("textbox", COUNTY)
    reader.write(initials)
    reader.go()
    reader.open(name)
    assert reader.heading() == f"{name}技术市场"


def test_1_by_a_word_of_two_characters(task):
    task.search("胀袋")
    task.open(SAUCE)
    opened(task, SAUCE)


def test_2_by_the_initials_of_a_name(task):
    task.tab_to("combobox", "要解决什么问题")
    task.write("qcnykxy")
    task.page.wait_for_selector("[role=option] >> text=泉城农业科学院")
    task.press("ArrowDown")
    task.go()
    task.open(HONEYSUCKLE)
    opened(task, HONEYSUCKLE)


def test_3_by_a_misspelt_word(task):
    task.search("沙吉")
    task.open("沙棘")
    task.open(SEA_BUCKTHORN)
    opened(task, SEA_BUCKTHORN)


def test_4_by_the_leading_industry_of_a_county(task):
    find_county(task, "dpq", "东坡区")
    task.open("泡菜 10")
    task.open(BRINE)
    opened(task, BRINE)


def test_5_by_price(task):
    task.search("泡菜")
    task.open("筛选")
    task.filter("价格", "5–20 万元")
    task.open(FERMENT)
    opened(task, FERMENT)


def test_6_by_stage(task):
    task.search("茶")
    task.open("筛选")
    task.filter("所处阶段", "小试")
    task.open(DARK_TEA)
    opened(task, DARK_TEA)


@pytest.mark.parametrize("number", ["CG2026000001", "ZL202219999011.7"])
def test_7_by_number(task, number):
    task.search(number)
    assert task.page.locator(".result").count() == 1
    task.open(GREEN_TEA)
    opened(task, GREEN_TEA)


def test_8_near_the_own_county(task):
    find_county(task, "pyx", "平邑县")
    task.skip()
    task.tab_to("button", "设为我的县")
    task.press("Enter")
    task.page.wait_for_selector("text=已记在本机")
    task.search("杀青", box="在平邑县范围内找")
    task.open("地区：山东省临沂市平邑县")
    first = task.page.locator(".result-title a").first
    assert first.inner_text() != HONEYSUCKLE
    task.open("从平邑县开始由近到远")
    assert first.inner_text() == HONEYSUCKLE
    task.open(HONEYSUCKLE)
    opened(task, HONEYSUCKLE)


def test_9_from_nothing_found_to_a_demand(task):
    task.search("蚕茧缫丝")
    assert task.page.inner_text(".found-total") == "没有找到"
    task.open("发布需求")
    task.skip()
    task.tab_to("textbox", COUNTY)
    task.write("dpq")
    task.go()
    assert "已选：四川省眉山市东坡区" in task.page.inner_text("main")
    assert task.page.input_value("#post-q") == "蚕茧缫丝"
    assert "您刚才找的是「蚕茧缫丝」" in task.page.inner_text("main")
    assert "028-00000001" in task.page.inner_text(".answers")


def test_10_compare_two_and_take_them_away(task):
    """The table of results as a file; the comparison as an address for somebody else."""
    task.search("杀青")
    task.skip()
    for title in (GREEN_TEA, HONEYSUCKLE):
        task.tab_to("checkbox", title)
        task.press("Space")
    task.tab_to("link", "导出表格（XLSX）")
    with task.page.expect_download() as download:
        task.press("Enter")
    with open(download.value.path(), "rb") as file:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(file.read())).get_sheet_by_index(0)
    cells = [cell for row in sheet.to_python() for cell in row]
    assert GREEN_TEA in cells
    assert HONEYSUCKLE in cells
    task.tab_to("button", "对比所选", key="Shift+Tab")
    task.go()
    assert task.heading() == "并排对比"
    compared = task.page.locator("thead a[href^='/achievements/']").all_inner_texts()
    assert compared == [GREEN_TEA, HONEYSUCKLE]
    task.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    task.skip()
    task.tab_to("button", "复制链接")
    task.press("Enter")
    task.page.wait_for_selector("text=已复制")
    assert task.page.evaluate("navigator.clipboard.readText()") == task.page.url
