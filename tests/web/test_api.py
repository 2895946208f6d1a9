"""The JSON API: what it answers, on the demonstration data."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from market.app import create_app
from market.catalogue import service
from market.catalogue.models import Listing
from market.catalogue.schemas import SCHEMAS
from market.core.db import db
from market.core.fields import YesNo
from market.core.permissions import SYSTEM
from market.core.settings import Settings
from market.discovery.forms import FILTERS
from market.regions.models import FormerCode, Region
from tests.conftest import let_go

API = "/api/v1"
PROBLEM = "application/problem+json"
MOST_STATEMENTS = 12
LISTS = [
    "/search?q=茶&kind=achievement&region=510000&region=511800&stage=pilot&per_page=100",
    "/search?q=没有这种东西&region=511800&kind=demand",
    "/achievements?per_page=100",
    "/demands?sort=price&q=加工",
    "/organisations?q=研究&kind=institute&region=510000&per_page=100",
    "/organisations/DW2026000034/listings",
    "/achievements/CG2026000001",
    "/demands/XQ2026000001",
    "/organisations/DW2026000034",
    "/regions",
    "/regions?q=dp",
    "/regions?parent=511400&q=东",
    "/regions/511402",
    "/taxonomies",
    "/taxonomies/industry",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory, store, prepared_demo) -> Iterator[Settings]:
    """One instance for all tests that only read."""
    folder = tmp_path_factory.mktemp("api")
    made = store.clone(prepared_demo, folder / "demo")
    shutil.copytree(prepared_demo.instance / "search", folder / "demo" / "search")
    yield made
    store.drop(made)


@pytest.fixture(scope="module")
def reader(site) -> Iterator[FlaskClient]:
    """A program that reads and never writes."""
    app = create_app(site)
    yield app.test_client()
    with app.app_context():
        let_go(app)


def problem(response, status):
    """The problem of an answer that must be one."""
    assert (response.status_code, response.mimetype) == (status, PROBLEM)
    body = response.json
    assert body["status"] == status
    assert body["request_id"] == response.headers["X-Request-Id"]
    return body


@pytest.mark.parametrize("address", LISTS)
def test_statements_are_few_and_nothing_is_written(visitor, statements, address):
    visitor.get(API + address)  # code lists are read once a minute
    statements.clear()
    response = visitor.get(API + address)
    assert (response.status_code, response.mimetype) == (200, "application/json")
    real = [one for one in statements if not one.startswith(("BEGIN", "PRAGMA"))]
    assert len(real) <= MOST_STATEMENTS, real
    assert all(one.lstrip().upper().startswith(("SELECT", "WITH")) for one in real)
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("address", LISTS)
def test_head_and_conditional_reading(reader, address):
    first = reader.get(API + address)
    again = reader.get(API + address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    head = reader.head(API + address)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Type"] == first.headers["Content-Type"]


# Search


def test_search_is_the_page_in_json(reader):
    found = reader.get(f"{API}/search?q=杀青&kind=achievement&region=511800").json
    assert (found["total"], found["total_is"], found["matched"]) == (1, "exact", "all")
    item = found["items"][0]
    assert item["title"] == "500 kg/h 绿茶鲜叶连续化杀青机组及工艺（演示）"
    assert "<mark>杀青</mark>" in item["title_html"]
    assert (item["kind"], item["stage"]) == ("achievement", "production")
    assert (item["price"], item["region_code"]) == ("60 万元", "511803")
    assert item["highlights"][0]["part"] == "解决的问题"
    assert "<mark>杀青</mark>" in item["highlights"][0]["html"]
    assert item["reasons"][0] == "名称含「杀青」"
    assert reader.get(item["url"]).status_code == 200
    assert found["suggestions"] == []


def test_every_facet_count_is_what_choosing_it_gives(reader):
    base = f"{API}/search?q=加工&kind=achievement"
    facets = reader.get(base).json["facets"]
    assert set(facets) == set(FILTERS)
    assert [one["value"] for one in facets["kind"] if one["chosen"]] == ["achievement"]
    for name in FILTERS:
        for value in facets[name][::3]:
            narrowed = reader.get(f"{base}&{name}={value['value']}").json
            assert narrowed["total"] == value["count"], (name, value)


def test_days_and_notes(reader):
    everything = reader.get(f"{API}/search").json
    assert everything["notes"] == []
    found = reader.get(f"{API}/search?since=0000-01-01&industry=Z9").json
    assert found["total"] == 0
    assert len(found["notes"]) == 2
    days = [item["date"] for item in reader.get(f"{API}/search?per_page=100").json["items"]]
    middle = sorted(days)[len(days) // 2]
    items = reader.get(f"{API}/search?since={middle}&until={middle}&per_page=100").json["items"]
    assert {item["date"] for item in items} == {middle}


def test_repeated_filters_are_alternatives(reader):
    def total(query):
        return reader.get(f"{API}/search?{query}").json["total"]

    both = total("region=511800&region=370000")
    assert both == total("region=511800") + total("region=370000")
    assert total("region=511800") < both


def test_nothing_found_names_ways_out(reader):
    found = reader.get(f"{API}/search?q=杀青&region=630000&stage=lab").json
    assert (found["total"], found["items"]) == (0, [])
    assert found["suggestions"][0]["label"] == "去掉全部筛选，只按搜索词找"
    for way in found["suggestions"]:
        assert reader.get(way["url"]).status_code == 200


def test_unknown_filter_values_find_nothing(reader):
    for query in ("region=999999", "kind=patent", "stage=later", "field=magic", "mode=gift"):
        found = reader.get(f"{API}/search?{query}")
        assert (found.status_code, found.json["total"]) == (200, 0), query
    assert reader.get(f"{API}/search?colour=red").json["total"] == 120


@pytest.mark.parametrize("path", ["search", "achievements", "organisations", "regions"])
@pytest.mark.parametrize("value", ["", "0", "-1", "abc", "1.5", "٣", "99999999999", "1e3"])
def test_pages_that_make_no_sense_are_no_error(reader, path, value):
    for name in ("page", "per_page"):
        response = reader.get(f"{API}/{path}", query_string={name: value})
        assert response.status_code == 200
        assert len(response.json["items"]) <= 100


def test_following_after_reads_everything_once(reader):
    for sort in ("newest", "price", "relevance"):
        seen, after = [], ""
        for _ in range(20):
            page = reader.get(
                f"{API}/achievements", query_string={"per_page": 7, "after": after, "sort": sort}
            ).json
            seen += [item["no"] for item in page["items"]]
            after = page["next_after"]
            if after is None:
                break
        assert len(seen) == len(set(seen)) == page["total"] == 80


def test_page_numbers_and_after_agree(reader):
    query = {"q": "加工", "per_page": 3}
    first = reader.get(f"{API}/search", query_string=query).json
    by_number = reader.get(f"{API}/search", query_string={**query, "page": 2}).json
    by_cursor = reader.get(
        f"{API}/search", query_string={**query, "after": first["next_after"]}
    ).json
    assert by_number["items"] == by_cursor["items"] != []


def _cursor(*values):
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "after", ["x", "1", "WyJ4Il0", _cursor("relevance", 20), _cursor("-date", "a", 1)]
)
def test_a_foreign_cursor_is_refused(reader, after):
    for path in ("search", "achievements", "demands", "organisations/DW2026000034/listings"):
        response = reader.get(f"{API}/{path}?sort=newest&after={after}")
        mistakes = problem(response, 422)["errors"]
        assert [one["pointer"] for one in mistakes] == ["/query/after"]
        assert "翻页标记" in mistakes[0]["message"]


def test_lists_hold_one_kind_newest_first(reader):
    for path, kind, total in (("achievements", "achievement", 80), ("demands", "demand", 40)):
        page = reader.get(f"{API}/{path}?per_page=100&kind=other").json
        assert (page["total"], len(page["items"])) == (total, total)
        assert {item["kind"] for item in page["items"]} == {kind}
        dates = [item["date"] for item in page["items"]]
        assert dates == sorted(dates, reverse=True)


def test_without_an_index_the_answer_is_try_later(app):
    response = app.test_client().get(f"{API}/search?q=茶")
    assert "索引正在建立" in problem(response, 503)["detail"]
    assert int(response.headers["Retry-After"]) > 0


# One listing


def test_a_whole_achievement(reader):
    found = reader.get(f"{API}/achievements/CG2026000001").json
    assert found["title"] == "500 kg/h 绿茶鲜叶连续化杀青机组及工艺（演示）"
    assert found["organisation"] == {
        "no": "DW2026000034",
        "uscc": "12511803DEM0003480",
        "name": "蒙山茶业科学研究所（演示）",
        "kind": "institute",
        "region_code": "511803",
    }
    assert found["region"]["full_name"] == "四川省雅安市名山区"
    assert found["contact"]["telephone"] == "0835-00000034"
    assert (found["price"], found["price_mode"]) == ("60 万元", "fixed")
    assert found["price_min_fen"] == found["price_max_fen"] == 60_000_000
    assert found["investment_fen"] == 22_000_000
    assert found["valid_until"] == "2027-12-31"
    assert (found["completeness"], found["version"], found["demo"]) == (100, 1, True)
    content = found["content"]
    assert content["stage"] == {"label": "所处阶段", "value": "production", "text": "可批量生产"}
    assert content["fields"]["value"] == ["agriculture", "manufacturing"]
    assert content["fields"]["text"] == ["农业", "先进制造"]
    assert content["investment_fen"]["value"] == 22_000_000
    assert content["investment_fen"]["text"] == "22 万元"
    assert content["price"]["value"] == {
        "mode": "fixed",
        "min_fen": 60_000_000,
        "max_fen": 60_000_000,
    }
    assert content["ip"]["value"][0] == {"kind": "发明专利", "number": "202219999011.7"}
    assert content["evaluation_date"]["value"] == "2025-09-18"


def test_every_filled_field_comes_with_its_label_and_text(reader):
    order = {kind: list(schema.fields) for kind, schema in SCHEMAS.items()}
    renamed = {"investment_fen": "investment", "fields": "fields_"}
    for path in ("achievements", "demands"):
        for item in reader.get(f"{API}/{path}?per_page=100").json["items"]:
            found = reader.get(f"{API}/{path}/{item['no']}").json
            assert all(one["label"] and one["text"] for one in found["content"].values())
            places = [order[found["kind"]].index(renamed.get(k, k)) for k in found["content"]]
            assert places == sorted(places)


def test_a_demand_has_no_investment_and_a_budget(reader):
    found = reader.get(f"{API}/demands/XQ2026000001").json
    assert (found["investment_fen"], found["price_max_fen"]) == (None, 30_000_000)
    assert found["content"]["price"]["label"] == "拟投入资金"
    assert found["content"]["deadline"]["value"] == "2027-06-30"


def test_the_title_is_as_typed(visitor, demo):
    listing = db.session.scalar(select(Listing).where(Listing.no == "CG2026000002"))
    title = "ＡＢＣ “引号” <b>粗</b> & Ⅱ型—甲"
    content = {"title": title, "summary": "简介"}
    service.revise(SYSTEM, listing.no, content)
    assert visitor.get(f"{API}/achievements/CG2026000002").json["title"] == title


def test_withdrawn_unknown_and_of_the_other_kind(visitor):
    service.withdraw(SYSTEM, "CG2026000003", "单位要求")
    gone = problem(visitor.get(f"{API}/achievements/CG2026000003"), 410)
    assert "已撤回" in gone["detail"]
    for path in (
        "achievements/CG2099000001",
        "demands/CG2026000001",
        "achievements/a%00b",
        "organisations/DW2099000001",
        "organisations/DW2099000001/listings",
        "regions/999999",
        "taxonomies/colours",
    ):
        problem(visitor.get(f"{API}/{path}"), 404)


# Organisations, regions, code lists


def test_organisations(reader):
    page = reader.get(f"{API}/organisations?kind=institute&region=511800").json
    assert page["total"] == len(page["items"]) > 0
    for item in page["items"]:
        assert (item["kind"], item["kind_label"]) == ("institute", "高校院所")
        assert item["region_code"].startswith("5118")
        assert item["region_name"].startswith("四川省雅安市")
    one = reader.get(f"{API}/organisations/{page['items'][0]['no']}").json
    assert one == page["items"][0]
    by_code = reader.get(f"{API}/organisations?q={one['uscc']}").json
    assert [item["no"] for item in by_code["items"]] == [one["no"]]
    assert reader.get(f"{API}/organisations?region=999999").json["total"] == 0
    assert reader.get(f"{API}/organisations?kind=guild").json["total"] == 0


def test_pages_of_organisations_are_complete(reader):
    total = reader.get(f"{API}/organisations").json["total"]
    seen = [
        item["no"]
        for page in range(1, 9)
        for item in reader.get(f"{API}/organisations?per_page=10&page={page}").json["items"]
    ]
    assert len(seen) == len(set(seen)) == total >= 75


def test_listings_of_an_organisation(reader):
    no = "DW2026000034"
    page = reader.get(f"{API}/organisations/{no}/listings").json
    name = reader.get(f"{API}/organisations/{no}").json["name"]
    assert page["total"] == len(page["items"]) > 0
    assert {item["owner"] for item in page["items"]} == {name}


def test_regions(reader):
    provinces = reader.get(f"{API}/regions").json
    assert (provinces["total"], provinces["items"][0]["name"]) == (34, "北京市")
    assert {item["level"] for item in provinces["items"]} == {"province"}
    below = reader.get(f"{API}/regions?parent=511400").json["items"]
    assert "511402" in {item["code"] for item in below}
    assert {item["parent"] for item in below} == {"511400"}
    county = reader.get(f"{API}/regions/511402").json
    assert [step["name"] for step in county["trail"]] == ["四川省", "眉山市", "东坡区"]
    assert county["parent"] == "511400"
    assert [one["code"] for one in reader.get(f"{API}/regions?q=dongpo").json["items"]] == [
        "511402"
    ]
    within = reader.get(f"{API}/regions?q=东&parent=511400").json["items"]
    assert {item["parent"] for item in within} == {"511400"}
    assert reader.get(f"{API}/regions?q=东&parent=630000").json["items"] != within
    problem(reader.get(f"{API}/regions?parent=999999"), 404)


def test_a_list_of_regions_that_is_cut_says_so(reader):
    cut = reader.get(f"{API}/regions?q=东&per_page=2").json
    assert (len(cut["items"]), cut["total_is"]) == (2, "at_least")
    children = reader.get(f"{API}/regions?parent=510000").json
    assert (children["total"], children["total_is"]) == (len(children["items"]), "exact")


def test_a_former_code_answers_with_the_present_region(visitor):
    row = select(FormerCode.code, Region.code).join(Region, Region.id == FormerCode.region_id)
    former, present = db.session.execute(
        row.where(FormerCode.code.not_in(select(Region.code)))
    ).first()
    assert former != present
    assert visitor.get(f"{API}/regions/{former}").json["code"] == present


def test_every_code_in_the_lists_can_be_translated(reader):
    schemes = reader.get(f"{API}/taxonomies").json
    assert schemes["total"] == len(schemes["items"])
    labels = {}
    for scheme in schemes["items"]:
        answer = reader.get(scheme["url"]).json
        assert answer["total"] == len(answer["items"]) > 0
        assert (answer["scheme"], answer["label"]) == (scheme["scheme"], scheme["label"])
        labels[scheme["scheme"]] = {item["code"]: item["label"] for item in answer["items"]}
    for facet, scheme in (("kind", "kind"), ("stage", "stage"), ("mode", "cooperation_mode")):
        for value in reader.get(f"{API}/search").json["facets"][facet]:
            assert labels[scheme][value["value"]] == value["label"]
    assert labels["field"]["agriculture"] == "农业"
    assert labels["organisation_kind"]["institute"] == "高校院所"
    assert labels["industry"]["C15"]


def test_every_choice_of_the_forms_is_a_taxonomy(reader):
    lists = [
        {item["code"]: item["label"] for item in reader.get(scheme["url"]).json["items"]}
        for scheme in reader.get(f"{API}/taxonomies").json["items"]
    ]
    for schema in SCHEMAS.values():
        for name, field in schema.fields.items():
            choices = getattr(field, "choices", None)
            if choices and not isinstance(field, YesNo):
                assert any(choices.items() <= known.items() for known in lists), name
