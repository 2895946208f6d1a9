"""Filters on pages: groups with 「更多」, a page for one group, everything kept, nonsense said."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qsl

import pytest

from market.discovery.forms import FILTERS

PAGES = [
    "/search?facet=industry",
    "/search?facet=industry&within=%E5%88%B6%E9%80%A0&industry=A&q=%E5%8A%A0%E5%B7%A5",
    "/search?facet=region&within=dpq&region=510000&stage=pilot",
    "/search?facet=leading",
    "/search?facet=date&date=30d",
    "/search?facet=price_band&page=1",
    "/search?facet=field&within=%E6%B2%A1%E6%9C%89",
    "/search?filters=1&since=2026-01-01&industry=C&date=2026&leading=x&near=1",
    "/search?region=511402&leading=511402:%E6%B3%A1%E8%8F%9C&industry=C13&owner_kind=enterprise",
    "/post/demand?need=%E6%9D%80%E9%9D%92&region=511402",
]
MOST_STATEMENTS = 12


def _fields(text, form):
    """What a browser would send of a form: hidden fields and ticked boxes."""
    inside = re.search(rf'<form[^>]*id="{form}".*?</form>', text, re.S)[0]
    fields = re.findall(r"<input[^>]*>", inside)
    fields += [one for one in re.findall(r"<input[^>]*>", text) if f'form="{form}"' in one]
    found = set()
    for field in fields:
        given = {key: unescape(value) for key, value in re.findall(r'(\w+)="([^"]*)"', field)}
        if given.get("type") == "hidden" or " checked" in field:
            found.add((given["name"], given["value"]))
    return found


@pytest.mark.parametrize("address", PAGES)
def test_page(visitor, statements, address):
    visitor.get(address)  # code lists are read once a minute
    statements.clear()
    response = visitor.get(address)
    assert response.status_code == 200
    real = [one for one in statements if not one.startswith(("BEGIN", "PRAGMA"))]
    assert len(real) <= MOST_STATEMENTS, real
    assert "Set-Cookie" not in response.headers


CHOSEN = [
    ("kind", "achievement"),
    ("region", "510000"),
    ("industry", "C"),
    ("industry", "A"),
    ("field", "agriculture"),
    ("stage", "production"),
    ("stage", "pilot"),
    ("price_band", "negotiable"),
    ("date", "365d"),
    ("since", "2020-01-01"),
    ("sort", "price"),
]


@pytest.mark.parametrize(
    ("more", "form"), [("", "search"), ("filters=1", "filters-form"), ("facet=field", "facet-form")]
)
def test_nothing_chosen_is_lost_by_sending_the_form(visitor, more, form):
    pairs = "&".join(f"{name}={value}" for name, value in CHOSEN)
    sent = _fields(visitor.get(f"/search?{pairs}&{more}").text, form)
    missing = set(CHOSEN) - sent
    # The full page of filters has fields for days, with what was chosen in them.
    assert missing <= ({("since", "2020-01-01")} if form == "filters-form" else set())


def test_the_in_list_search_keeps_what_was_chosen(visitor):
    text = visitor.get("/search?industry=A&q=%E5%8A%A0%E5%B7%A5&facet=industry&within=制造").text
    assert ("industry", "A") in _fields(text, "facet-form")
    shown = re.findall(r'<label for="f-industry-\d+"><span[^>]*>([^<]+)', text)
    assert shown
    assert all("制造" in label for label in shown)
    plain = visitor.get("/search?facet=region&within=东坡").text
    assert "四川省眉山市东坡区" in plain
    nothing = visitor.get("/search?facet=field&within=没有这种").text
    assert "没有含「没有这种」的选项有信息" in nothing
    assert re.search(r'href="/search\?facet=field">看全部选项', nothing)


def test_a_long_group_leads_to_its_own_page(visitor):
    text = visitor.get("/search").text
    fieldset = re.search(r'id="facet-leading".*?</fieldset>', text, re.S)[0]
    assert fieldset.count("<li") == 8
    assert re.search(r'<button[^>]* name="facet" value="leading">更多（还有 \d+ 个）', fieldset)
    whole = visitor.get("/search?facet=leading").text
    assert re.search(r'id="facet-leading".*?</fieldset>', whole, re.S)[0].count("<li") > 8
    assert "<title>按主导产业筛选" in whole


def test_chosen_filters_stand_in_words_and_can_be_taken_away(visitor):
    text = visitor.get("/search?price_band=5to20&price_band=negotiable&owner_kind=institute").text
    assert "价格为5–20 万元或面议，单位类型为高校院所" in text
    rest = re.search(r'href="/search\?([^"]*)"><span[^>]*>价格：面议', text)[1]
    assert parse_qsl(unescape(rest)) == [("price_band", "5to20"), ("owner_kind", "institute")]
    assert re.search(r'class="clear" href="/search"', text)


NONSENSE = {
    "industry=Z99": "没有「Z99」这个行业",
    "since=0000-00-00": "没有按起始日期「0000-00-00」筛选",
    "until=昨天": "没有按截止日期「昨天」筛选",
    "since=2026-05-01&until=2026-04-01": "起始日期在截止日期之后",
    "date=0000": "没有「0000」这个发布时间",
    "leading=没有的产业": "没有主导产业为「没有的产业」",
    "price_band=<b>": "没有「&lt;b&gt;」这个价格",
}


@pytest.mark.parametrize("query", NONSENSE)
def test_nonsense_is_said_in_a_sentence(visitor, query):
    for more in ("", "&filters=1"):
        response = visitor.get(f"/search?{query}{more}")
        assert response.status_code == 200
        assert NONSENSE[query] in response.text
    assert visitor.get(f"/api/v1/search?{query}").json["notes"]


def test_two_hundred_filters_and_far_pages(visitor):
    many = "&".join(f"{name}=v{number}" for name in FILTERS for number in range(200))
    response = visitor.get(f"/search?{many}")
    assert response.status_code == 200
    assert "一次最多选 50 个" in response.text
    assert visitor.get(f"/search?{many}&facet=industry").status_code == 200
    for page in ("1000000000", "-1", "99999", "x"):
        for more in ("", "&facet=leading"):
            answer = visitor.get(f"/search?q=茶&page={page}{more}", follow_redirects=True)
            assert answer.status_code == 200
    assert visitor.get("/search?facet=nothing").status_code == 200
    assert visitor.get("/search?facet=leading&page=99").status_code == 302


def test_the_demand_page_shows_what_was_searched_for(visitor):
    nothing = visitor.get("/search?q=没有这种东西&region=511402").text
    link = re.search(r'href="(/post/demand\?[^"]*)"', nothing)[1]
    page = visitor.get(unescape(link)).text
    assert "您刚才找的是「没有这种东西」" in page
    assert "四川省眉山市东坡区" in page
    assert 'href="tel:' in page
    assert ("need", "没有这种东西") in set(
        re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    )


def test_the_sentence_of_a_loosened_search_promises_only_parts(visitor):
    page = visitor.get("/search?q=碳纤维风筝").text
    assert "含「碳纤维风筝」的部分词语" in page
    assert "没有一项含全部词语" in page
    assert "的部分词语" not in visitor.get("/search?q=杀青").text
