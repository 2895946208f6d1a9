"""A county's own market: its page and its part of the API."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from market.catalogue import service
from market.catalogue.models import Listing
from market.core.db import db
from market.core.permissions import SYSTEM
from tests.web.conftest import check_html

COUNTIES = ["511803", "511402", "371623", "630223"]


def texts(page, css_id):
    """Links of the section under this heading: text and address."""
    tree = check_html(page.text)
    for section in tree.iter("section"):
        if section.get("aria-labelledby") == css_id:
            return [
                ("".join(link.itertext()).strip(), link.get("href")) for link in section.iter("a")
            ]
    return []


def total(visitor, address):
    """How many listings the search behind a link has."""
    query = parse_qs(urlsplit(address).query)
    return visitor.get("/api/v1/search", query_string=query).json["total"]


def test_pins_come_first_and_leave_with_their_listing(visitor):
    page = visitor.get("/regions/511803")
    pins = texts(page, "pins")
    assert [title for title, _ in pins] == [
        "500 kg/h 绿茶鲜叶连续化杀青机组及工艺（演示）",
        "丘陵茶园自走履带式采茶修剪一体机（演示）",
    ]
    assert page.text.index('id="pins"') < page.text.index('id="industries"')
    assert page.text.index('id="industries"') < page.text.index('id="new-achievements"')
    assert "三家茶厂跑过三个春茶季" in page.text
    assert visitor.get(pins[0][1]).status_code == 200
    service.withdraw(SYSTEM, pins[0][1].rsplit("/", 1)[1], "测试")
    assert texts(visitor.get("/regions/511803"), "pins") == pins[1:]


@pytest.mark.parametrize("code", COUNTIES)
def test_every_figure_is_that_of_the_list_it_opens(visitor, code):
    page = visitor.get(f"/regions/{code}")
    industries = texts(page, "industries")
    assert 2 <= len(industries) <= 5
    figures = re.findall(r'href="(/search\?kind=[^"]+)"[^>]*>\s*<[^>]*>([\d,]+)<', page.text)
    assert len(figures) == 2
    shown = [(address, number) for address, number in figures]
    shown += [(address, re.search(r"(\d+) ?项?$", text)[1]) for text, address in industries]
    for address, number in shown:
        assert total(visitor, address.replace("&amp;", "&")) == int(number.replace(",", "")), (
            address
        )
    assert any(int(number) for _, number in shown)


def test_neighbours_lie_in_the_same_prefecture(visitor):
    names = [text for text, _ in texts(visitor.get("/regions/511803"), "neighbours")]
    assert "雨城区" in names
    assert "名山区" not in names
    for text, address in texts(visitor.get("/regions/511421"), "neighbours"):
        count = re.search(r"(\d+) 项$", text)
        expected = total(visitor, f"/search?region={address.rsplit('/', 1)[1]}")
        assert (int(count[1]) if count else 0) == expected
    assert texts(visitor.get("/regions/510000"), "neighbours") == []


def test_a_county_without_any_of_it(visitor):
    page = visitor.get("/regions/513425")
    assert texts(page, "pins") == texts(page, "industries") == []


def test_a_page_costs_few_statements(visitor, statements):
    for address in ("/regions/511402", "/regions/511400", "/regions/510000", "/en/regions/511402"):
        statements.clear()
        assert visitor.get(address).status_code == 200
        assert len(statements) <= 12, statements


def test_the_api_tells_the_same(visitor):
    county = visitor.get("/api/v1/regions/511803").json
    assert county["leading_industries"][0] == {
        "position": 1,
        "name": "川茶",
        "keywords": ["川茶", "绿茶", "茶园", "采茶", "杀青", "藏茶", "茶叶"],
        "source": "演示数据（参照四川省县域创新政策中的川茶、川菜全产业链）",
        "value": "511803:川茶",
    }
    assert visitor.get("/api/v1/regions/510000").json["leading_industries"] == []
    pins = visitor.get(county["pins_url"]).json
    assert (pins["total"], pins["total_is"]) == (2, "exact")
    no = db.session.scalar(select(Listing.no).where(Listing.source_id == "demo-cg-001"))
    assert pins["items"][0] == {
        "kind": "achievement",
        "no": no,
        "title": "500 kg/h 绿茶鲜叶连续化杀青机组及工艺（演示）",
        "url": f"/achievements/{no}",
        "note": "三家茶厂跑过三个春茶季，能耗有实测",
    }
    assert visitor.get("/api/v1/regions/999999/pins").status_code == 404
