"""Pages around a listing, tables, feeds and maps, as browsers and machines fetch them."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree as ET

import openpyxl
import pytest

from market.catalogue import service
from market.core.permissions import SYSTEM
from tests.web.conftest import check_html
from tests.web.test_pages import MOST_STATEMENTS, WRITES

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
A, D = "/achievements/CG2026000001", "/demands/XQ2026000001"
PAGES = [
    f"{A}/poster",
    f"{D}/poster",
    f"/en{A}/poster",
    "/compare",
    "/compare?no=CG2026000001",
    "/compare?no=CG2026000001&no=CG2026000002&no=CG2026000003&no=XQ2026000001&no=XQ2026000002",
    "/en/compare?no=CG2026000001&no=XQ2026000001&no=%3Cb%3E",
    "/feed.atom",
    "/feed.atom?q=%E8%8C%B6&kind=demand&region=510000",
    "/sitemap.xml",
    "/sitemap-pages.xml",
    "/sitemap-1.xml",
    "/robots.txt",
]


@pytest.mark.parametrize("address", PAGES)
def test_page(visitor, statements, address):
    visitor.get(address)
    statements.clear()
    response = visitor.get(address)
    assert response.status_code == 200
    real = [one for one in statements if not one.startswith(("BEGIN", "PRAGMA"))]
    assert len(real) <= MOST_STATEMENTS, real
    assert [one for one in real if one.lstrip().upper().startswith(WRITES)] == []
    assert "Set-Cookie" not in response.headers
    again = visitor.get(address, headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("address", [f"{A}/qr.svg", "/search.csv?q=1", "/search.xlsx?q=1"])
def test_files_write_nothing(visitor, statements, address):
    response = visitor.get(address)
    assert response.status_code == 200
    assert len(statements) <= MOST_STATEMENTS + 4  # BEGIN and PRAGMA among them
    assert [one for one in statements if one.lstrip().upper().startswith(WRITES)] == []
    assert "Set-Cookie" not in response.headers


def test_what_is_not_there(visitor):
    for address in (
        "/achievements/CG1999000001/poster",
        "/achievements/XQ2026000001/qr.svg",
        "/demands/%00/report",
        "/reports/BC22",
        "/sitemap-0.xml",
        "/sitemap-99.xml",
        "/search.pdf",
    ):
        assert visitor.get(address).status_code == 404, address
    service.withdraw(SYSTEM, "CG2026000001", "停止")
    for page in ("poster", "qr.svg", "report"):
        assert visitor.get(f"{A}/{page}").status_code == 410
    assert "已撤回" in visitor.get("/compare?no=CG2026000001").text


def test_a_listing_leads_to_all_that_is_around_it(visitor):
    page = visitor.get(D).text
    for address in (f"{D}/poster", f"{D}/report", "/compare?no=XQ2026000001"):
        assert f'href="{address}"' in page
        assert visitor.get(address).status_code == 200
    assert "可能对路的成果" in page
    english = visitor.get(f"/en{D}").text
    assert f'href="/en{D}/report"' in english


def test_the_code_holds_the_address_of_the_page(visitor, monkeypatch):
    made = []
    import segno

    original = segno.make
    monkeypatch.setattr(
        segno, "make", lambda text, **how: made.append(text) or original(text, **how)
    )
    response = visitor.get(f"{A}/qr.svg")
    assert response.mimetype == "image/svg+xml"
    assert made == [f"http://127.0.0.1:8000{A}"]
    assert ET.fromstring(response.text).tag == "{http://www.w3.org/2000/svg}svg"
    assert response.headers["Cache-Control"] == "public, max-age=86400"


def test_a_poster_has_what_a_reader_at_a_board_needs(visitor):
    page = visitor.get(f"{A}/poster").text
    tree = check_html(page)
    assert "demo-print" in tree.find(".//body").get("class")
    assert "演示数据" in page
    assert 'href="tel:' in page
    assert f'src="{A}/qr.svg"' in page
    assert "60 万元" in page
    assert "CG2026000001" in page


def test_comparing_works_as_a_plain_form(visitor):
    tree = check_html(visitor.get("/search?kind=achievement").text)
    form = tree.find(".//form[@id='compare']")
    assert form.get("method") == "get"
    boxes = [one for one in tree.iter("input") if one.get("form") == "compare"]
    assert len(boxes) == 20
    chosen = [box.get("value") for box in boxes[:3]]
    page = visitor.get(form.get("action"), query_string=[("no", no) for no in chosen]).text
    table = check_html(page).find(".//table")
    heads = [head.get("scope") for head in table.iter("th")]
    assert heads.count("col") == 4
    assert heads.count("row") > 5
    assert set(re.findall(r"CG20260\d{5}(?=</span>)", page)) == set(chosen)


def test_numbers_that_cannot_be_compared_are_named_not_run(visitor):
    page = visitor.get("/compare?no=cg2026000001&no=<b>&no=" + "x" * 3000).text
    assert "&lt;B&gt;" in page
    assert "<B>" not in page
    assert "500 kg/h" in page
    many = "&".join(f"no=CG{number:010}" for number in range(300))
    assert visitor.get(f"/compare?{many}").status_code == 200


def test_tables_of_a_search(visitor):
    page = visitor.get("/search?q=%E8%8C%B6&stage=pilot").text
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/search\.[^"]+)', page)}
    assert {link.partition("?")[0] for link in links} == {"/search.csv", "/search.xlsx"}
    text = visitor.get(next(link for link in links if "csv" in link))
    assert text.mimetype == "text/csv"
    assert text.data[:3] == b"\xef\xbb\xbf"
    assert "attachment" in text.headers["Content-Disposition"]
    book = visitor.get(next(link for link in links if "xlsx" in link))
    sheet = openpyxl.load_workbook(io.BytesIO(book.data))["数据"]
    shown = int(re.search(r"显示 (\d+) 项", page)[1])
    assert sheet.max_row - 1 == shown == len(text.text.splitlines()) - 1
    assert visitor.get("/search.xlsx?page=9&since=0000-01-01&region=x&sort=y").status_code == 200


@pytest.mark.parametrize("address", ["/feed.atom", "/feed.atom?q=%E8%8C%B6&kind=achievement"])
def test_a_feed_is_atom(visitor, address):
    response = visitor.get(address)
    assert response.mimetype == "application/atom+xml"
    feed = ET.fromstring(response.text)
    assert feed.tag == f"{ATOM}feed"
    ids = [entry.find(f"{ATOM}id").text for entry in feed.iter(f"{ATOM}entry")]
    assert len(ids) == len(set(ids)) > 3
    for part in [feed, *feed.iter(f"{ATOM}entry")]:
        for name in ("id", "title", "updated"):
            assert part.find(f"{ATOM}{name}").text
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", part.find(f"{ATOM}updated").text)
    for entry in feed.iter(f"{ATOM}entry"):
        assert entry.find(f"{ATOM}author/{ATOM}name").text
        link = entry.find(f"{ATOM}link").get("href").removeprefix("http://127.0.0.1:8000")
        assert visitor.get(link).status_code == 200


def test_pages_name_their_feed(visitor):
    def feed_of(address):
        return (
            check_html(visitor.get(address).text)
            .find(".//link[@type='application/atom+xml']")
            .get("href")
        )

    assert feed_of("/") == "/feed.atom"
    assert feed_of("/regions/511402") == "/feed.atom?region=511402"
    assert feed_of("/search?q=%E8%8C%B6&sort=price") == "/feed.atom?q=%E8%8C%B6"
    assert feed_of("/en/regions/511402") == "/feed.atom?region=511402"


def test_the_map_leads_to_pages_that_are_there(visitor):
    robots = visitor.get("/robots.txt").text
    assert "Sitemap: http://127.0.0.1:8000/sitemap.xml" in robots
    assert "Disallow: /api/" in robots
    index = ET.fromstring(visitor.get("/sitemap.xml").text)
    parts = [one.text.removeprefix("http://127.0.0.1:8000") for one in index.iter(f"{MAP}loc")]
    assert parts == ["/sitemap-pages.xml", "/sitemap-1.xml"]
    addresses = []
    for part in parts:
        urls = ET.fromstring(visitor.get(part).text).iter(f"{MAP}loc")
        addresses += [one.text.removeprefix("http://127.0.0.1:8000") for one in urls]
    assert len(addresses) == len(set(addresses)) > 120
    for address in addresses[::17]:
        assert visitor.get(address).status_code == 200
