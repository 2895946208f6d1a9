"""The pages a reader walks through, on the demonstration data."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from market.catalogue import service
from market.catalogue.models import Listing
from market.core.db import db
from market.core.permissions import SYSTEM

PAGES = [
    "/",
    "/search",
    "/search?q=%E8%8C%B6",
    "/search?kind=demand&region=510000&region=511400&stage=pilot&field=agriculture&q=%E5%8A%A0%E5%B7%A5",
    "/search?q=%E6%B2%A1%E6%9C%89%E8%BF%99%E7%A7%8D%E4%B8%9C%E8%A5%BF&region=630000&kind=demand",
    "/search?filters=1",
    "/search?page=4",
    "/achievements/CG2026000001",
    "/achievements/CG2026000027",
    "/demands/XQ2026000001",
    "/organisations",
    "/organisations?q=%E7%A0%94%E7%A9%B6&kind=institute",
    "/organisations/DW2026000040",
    "/regions",
    "/regions?q=dpq",
    "/regions/510000",
    "/regions/511400",
    "/regions/511402",
    "/post/demand",
    "/post/demand?q=%E4%B8%9C%E5%9D%A1",
    "/post/achievement?region=511402",
    "/api/v1/docs",
]
MOST_STATEMENTS = 12
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


@pytest.mark.parametrize("address", PAGES)
def test_page(visitor, statements, address):
    visitor.get(address)  # code lists are read once a minute
    statements.clear()
    response = visitor.get(address)
    assert response.status_code == 200
    real = [one for one in statements if not one.startswith(("BEGIN", "PRAGMA"))]
    assert len(real) <= MOST_STATEMENTS, real
    assert [one for one in real if one.lstrip().upper().startswith(WRITES)] == []
    assert "Set-Cookie" not in response.headers
    assert "no-store" not in response.headers.get("Cache-Control", "")
    again = visitor.get(address, headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


def test_a_reader_walks_from_home_to_a_listing(visitor):
    home = visitor.get("/").text
    assert 'name="q"' in home
    assert "/post/demand" in home
    assert "/post/achievement" in home
    results = visitor.get("/search?q=%E8%83%80%E8%A2%8B").text
    assert "胀袋</mark>" in results or "<mark>胀袋" in results
    no = db.session.scalar(select(Listing.no).where(Listing.source_id == "demo-xq-001"))
    assert f"/demands/{no}" in results
    page = visitor.get(f"/demands/{no}").text
    assert "≤" in page
    assert "0.5" in page
    assert 'href="tel:' in page
    assert "/organisations/" in page
    assert "/regions/511402" in page
    assert "演示数据" in page


def test_every_listing_shows_a_telephone(visitor):
    public = select(Listing.kind, Listing.no).where(Listing.state == "published")
    for kind, no in db.session.execute(public).all():
        assert 'href="tel:' in visitor.get(f"/{kind}s/{no}").text, no


def test_unknown_and_withdrawn(visitor):
    for address in (
        "/achievements/CG1999000001",
        "/achievements/XQ2026000001",
        "/organisations/DW1",
        "/regions/999999",
        "/post/else",
        "/templates/else.xlsx",
        "/achievements/%00",
    ):
        assert visitor.get(address).status_code == 404, address
    service.withdraw(SYSTEM, "CG2026000001", "停止转让")
    gone = visitor.get("/achievements/CG2026000001")
    assert gone.status_code == 410
    assert "撤回" in gone.text


def test_a_former_code_leads_to_the_present_region(visitor):
    from market.regions.models import FormerCode

    code = db.session.scalar(select(FormerCode.code).limit(1))
    assert visitor.get(f"/regions/{code}").status_code == 301


def test_a_vanished_page_leads_to_the_first(visitor):
    response = visitor.get("/search?q=%E8%8C%B6&page=400")
    assert response.status_code == 302
    assert "page=" not in response.headers["Location"]


@pytest.mark.parametrize(
    "address", ["/organisations", "/organisations/DW2026000040", "/en/organisations"]
)
def test_a_list_that_has_ended_leads_to_its_first_page(visitor, address):
    answer = visitor.get(f"{address}?page=99")
    assert (answer.status_code, answer.headers["Location"]) == (302, address)


@pytest.mark.parametrize("kind", ["achievements", "demands"])
def test_template_download(visitor, kind):
    response = visitor.get(f"/templates/{kind}.xlsx")
    assert response.status_code == 200
    assert response.data[:2] == b"PK"
    assert "attachment" in response.headers["Content-Disposition"]


NASTY = [
    '"',
    "“没有结束",
    "( OR AND NOT",
    "a" * 10_000,
    "茶" * 10_000,
    "😀🍵",
    "'; DROP TABLE listing; --",
    "*",
    "*:*",
    "title:茶",
    "-",
    "-茶",
    "--- ---",
    "\\",
    "\x00\x01",
    "%",
    "_",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "../../etc/passwd",
    "\ud83c",
    "OR",
    "茶 OR",
    "^~:!{}[]()&&||",
    " ",
    "　",
    "１２３ＡＢＣ",
]


@pytest.mark.parametrize("text", NASTY)
def test_any_query_gives_a_page(visitor, text):
    response = visitor.get("/search", query_string={"q": text.encode("utf-8", "surrogatepass")})
    assert response.status_code in {200, 302}
    assert "<script>alert" not in response.text


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.dictionaries(
        st.sampled_from(["q", "kind", "region", "field", "stage", "mode", "sort", "page", "x"]),
        st.text(max_size=30),
    )
)
def test_any_address_gives_a_page(visitor, asked):
    query = {key: value.encode("utf-8", "surrogatepass") for key, value in asked.items()}
    assert visitor.get("/search", query_string=query).status_code in {200, 302}


@pytest.mark.long
def test_random_walk_over_links_finds_no_broken_one(visitor):
    choice = random.Random(20261120)
    seen, queue = set(), ["/"]
    for _ in range(120):
        if not queue:
            break
        address = queue.pop(choice.randrange(len(queue)))
        response = visitor.get(address)
        to_sign_in = response.status_code == 303 and response.location.startswith("/login?")
        assert to_sign_in or response.status_code in {200, 301, 302}, address
        if response.mimetype == "text/html":
            links = re.findall(r'href="(/[^"#]*)', response.text)
            fresh = {link.replace("&amp;", "&") for link in links} - seen
            seen |= fresh
            queue += sorted(fresh)
