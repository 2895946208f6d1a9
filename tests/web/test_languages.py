"""The site in English: every public page, found from the URL map."""

from __future__ import annotations

import re

import pytest
from flask import current_app

from market.core import languages
from market.core.languages import chinese, translate, translate_plural, url
from tests.web.conftest import check_html
from tests.web.test_pages import MOST_STATEMENTS, WRITES

HAN = re.compile("[\u3400-\u9fff]")
SPOKEN = ("alt", "aria-label", "placeholder", "title", "data-words", "data-market")
TEA, NOTHING = "%E8%8C%B6", "%E6%B2%A1%E6%9C%89%E8%BF%99%E7%A7%8D"
# One address or more for every page with something variable in its address.
EXAMPLES = {
    "/": ["/"],
    "/search": [
        "/search",
        f"/search?q={TEA}&kind=achievement&region=510000&region=511400",
        f"/search?q={NOTHING}&region=511402&kind=demand&stage=pilot",
        f"/search?q={TEA}%20{NOTHING}",
        "/search?filters=1&industry=C",
        "/search?page=3",
        "/search?region=999999&field=x&since=2026-02-30",
    ],
    "/compare": ["/compare", "/compare?no=CG2026000001&no=CG2026000002&no=CG1"],
    "/regions": ["/regions", "/regions?q=dpq", "/regions?q=zzz"],
    "/organisations": ["/organisations", "/organisations?q=zzz", "/organisations?kind=institute"],
    "/achievements/<string:no>": [f"/achievements/CG20260000{n:02}" for n in (1, 7, 27)],
    "/demands/<string:no>": ["/demands/XQ2026000001", "/demands/XQ2026000011"],
    "/achievements/<string:no>/poster": ["/achievements/CG2026000001/poster"],
    "/demands/<string:no>/poster": ["/demands/XQ2026000001/poster"],
    "/achievements/<string:no>/report": ["/achievements/CG2026000001/report"],
    "/demands/<string:no>/report": ["/demands/XQ2026000001/report"],
    "/achievements/<string:no>/inquire": ["/achievements/CG2026000001/inquire"],
    "/demands/<string:no>/inquire": ["/demands/XQ2026000001/inquire"],
    "/regions/<string:code>": [f"/regions/{code}" for code in (510000, 511400, 511402, 630000)],
    "/post/<string:side>": [
        "/post/demand",
        "/post/demand?q=zzz",
        "/post/achievement?region=511402",
        f"/post/demand?region=630000&need={TEA}",
    ],
    "/post/demand/form": [
        "/post/demand/form",
        f"/post/demand/form?region=511402&need={TEA}",
        "/post/demand/form?q=zzz",
    ],
    "/achievements/<string:no>/versions": ["/achievements/CG2026000001/versions"],
    "/demands/<string:no>/versions": ["/demands/XQ2026000001/versions"],
    "/organisations/<string:no>": ["/organisations/DW2026000001", "/organisations/DW2026000040"],
    "/bulletins": ["/bulletins", "/bulletins?region=511402", "/bulletins?region=630000"],
    "/bulletins/<string:no>": ["/bulletins/CF2026000001", "/bulletins/CF2026000002"],
    "/contracts": [
        "/contracts",
        "/contracts?region=511402",
        "/contracts?q=dpq",
        "/contracts?q=zzz",
    ],
    "/notices": [
        "/notices",
        "/notices?tab=ended&region=511402",
        "/notices?tab=announcements",
        "/notices?q=zzz&kind=price",
    ],
    "/notices/<string:no>": [f"/notices/GS20260000{n:02}" for n in (1, 3, 4, 6, 7, 9)],
    "/notices/<string:no>/object": ["/notices/GS2026000001/object"],
    "/announcements/<string:no>": [f"/announcements/GG202600000{n}" for n in (1, 3)],
    "/service-points": [
        "/service-points",
        "/service-points?region=511803&kind=service_point",
        "/service-points?region=zzz",
        "/service-points?q=zzz",
    ],
    "/service-points/<string:no>": [f"/service-points/FW202600{n:04}" for n in (1, 2, 6, 8, 16)],
    "/specialists": ["/specialists", "/specialists?region=zzz", "/specialists?q=zzz"],
    "/verify": ["/verify"],  # what it finds is walked where a contract is registered
    "/specialists/<string:no>": ["/specialists/ZJ2026000001", "/specialists/ZJ2026000006"],
    "/vouchers": [
        "/vouchers",
        "/vouchers?region=510000",
        "/vouchers?region=630000",
        "/vouchers?q=zzz",
    ],
    "/vouchers/sheets/<string:code>": [
        f"/vouchers/sheets/{code}" for code in ("yuhuan-2023", "jiangsu-2020", "anhui")
    ],
    "/vouchers/sheets/<string:code>/check": [
        "/vouchers/sheets/yuhuan-2023/check",
        "/vouchers/sheets/yuhuan-2023/check?service=service&cost_fen=1&kind=enterprise",
        "/vouchers/sheets/sichuan-2025/check?service=pilot&cost_fen=x",
        "/vouchers/sheets/anhui/check",
    ],
    "/vouchers/<string:no>": ["/vouchers/QB202600001", "/vouchers/QB202600002"],
    "/vouchers/<string:no>/check": [
        "/vouchers/QB202600002/check",
        "/vouchers/QB202600002/check?service=test&cost_fen=8000&kind=enterprise",
        "/vouchers/QB202600002/check?service=rd&cost_fen=x",
    ],
    "/en": [],
}
# Answers that are no pages for reading: pictures, and what scripts ask for.
NO_PAGES = {
    "/achievements/<string:no>/qr.svg",
    "/demands/<string:no>/qr.svg",
    "/suggest",
    "/bulletins.atom",
    "/bulletins/<string:no>/table.xlsx",
    "/bulletins/stop/<string:word>",  # signed; walked where a mail is made
    "/searches/stop/<string:word>",
    "/reports/<string:no>",  # walked where a report is made
    "/unsubscribe/<string:token>",  # signed; walked where a mail is made
    "/kept/<string:key>",  # walked where a form is kept
    "/intakes/receipt/<string:key>",  # walked where a first demand is sent
    "/objections/<string:word>",  # walked where an objection is sent
    "/post/demand/check/<string:key>",  # likewise
    "/inquire/<string:word>",  # walked where an inquiry is made
    "/invitations/<string:word>",  # walked where an invitation is made
}

FORMS = (
    "/report",
    "/login",
    "/register",
    "/password",
    "/form",
    "/claim",
    "/inquire",
)  # opening one sets a visitor's cookie


def unmarked(tree):
    """What a page says in Chinese without saying that it is Chinese."""

    def walk(element, marked):
        language = element.get("lang")
        marked = language == "zh-CN" if language else marked
        said = [element.get(name) for name in SPOKEN] + [element.text]
        if not marked:
            yield from (text.strip() for text in said if text and HAN.search(text))
        for child in element:
            yield from walk(child, marked)
            if not marked and child.tail and HAN.search(child.tail):
                yield child.tail.strip()

    return list(walk(tree, False))


def addresses(tree):
    """Where links and forms of a page lead, but for the link to the Chinese page."""
    for element in [*tree.iter("a"), *tree.iter("form")]:
        where = element.get("href") or element.get("action") or ""
        chinese_page = (element.get("hreflang") or "").startswith("zh")
        if where.startswith("/") and not chinese_page:
            yield where


def pages(app):
    """Addresses of all pages that exist in both languages."""
    for rule in app.url_map.iter_rules():
        if "GET" not in rule.methods or rule.rule in NO_PAGES:
            continue
        if rule.rule in EXAMPLES:
            yield from EXAMPLES[rule.rule]
        elif not languages._ONE_LANGUAGE.match(rule.rule):
            assert not rule.arguments, f"no example of an address for {rule.rule}"
            yield rule.rule


def test_every_page_speaks_english(visitor):
    wrong = {}
    walked = sorted(set(pages(current_app)))
    assert len(walked) > 35
    for address in walked:
        response = visitor.get(f"/en{address}")
        assert response.status_code == 200, address
        assert '<html lang="en">' in response.text
        tree = check_html(response.text)
        if found := unmarked(tree):
            wrong[address] = found
    assert wrong == {}, "\n".join(
        f"{address}: {' | '.join(said)}" for address, said in wrong.items()
    )


def test_english_pages_read_little_and_write_nothing(visitor, statements):
    for address in sorted(set(pages(current_app))):
        visitor.get(f"/en{address}")  # names and code lists are read now and then
        statements.clear()
        response = visitor.get(f"/en{address}")
        real = [one for one in statements if not one.startswith(("BEGIN", "PRAGMA"))]
        assert len(real) <= MOST_STATEMENTS, (address, real)
        assert [one for one in real if one.lstrip().upper().startswith(WRITES)] == []
        form = address.split("?")[0].endswith(FORMS)
        assert "Set-Cookie" not in response.headers or form


def test_links_of_english_pages_stay_english(visitor):
    wrong = set()
    for address in sorted(set(pages(current_app))):
        for where in addresses(check_html(visitor.get(f"/en{address}").text)):
            if not where.startswith("/en/") and not languages._ONE_LANGUAGE.match(
                where.split("?")[0]
            ):
                wrong.add((address, where))
    assert wrong == set()


def test_links_of_chinese_pages_stay_chinese(visitor):
    for address in sorted(set(pages(current_app))):
        tree = check_html(visitor.get(address).text)
        assert tree.get("lang") == "zh-CN"
        strays = [link.get("href") for link in tree.iter("a") if link.get("hreflang") != "en"]
        assert [one for one in strays if (one or "").startswith("/en")] == [], address


def test_chinese_without_a_mark_would_be_noticed():
    tree = check_html(
        '<!doctype html><html lang="en"><title>x</title><p aria-label="甲">a<b lang="zh-CN">乙</b>丙'
    )
    assert unmarked(tree) == ["甲", "丙"]


def test_a_page_names_itself_in_the_other_language(visitor):
    page = visitor.get(f"/search?q={TEA}&kind=demand&x=%3C").text
    tree = check_html(page)
    [link] = [link for link in tree.iter("a") if link.get("hreflang") == "en"]
    assert link.get("href") == f"/en/search?q={TEA}&kind=demand&x=%3C"
    there = check_html(visitor.get(link.get("href")).text)
    [back] = [
        link for link in there.iter("a") if link.get("hreflang") == "zh-CN" and link.get("lang")
    ]
    assert back.get("href") == f"/search?q={TEA}&kind=demand&x=%3C"
    alternates = [
        {one.get("hreflang"): one.get("href") for one in found.iter("link") if one.get("hreflang")}
        for found in (tree, there)
    ]
    assert alternates[0] == alternates[1]
    assert set(alternates[0]) == {"zh-CN", "en", "x-default"}
    assert alternates[0]["x-default"] == alternates[0]["zh-CN"]
    assert alternates[0]["en"].endswith(link.get("href"))


def test_each_language_may_be_kept_by_caches(visitor):
    chinese_page, english = visitor.get("/regions"), visitor.get("/en/regions")
    for response in (chinese_page, english):
        assert "Set-Cookie" not in response.headers
        assert "Accept-Language" not in response.headers.get("Vary", "")
        assert "public" in response.headers["Cache-Control"]
    assert chinese_page.headers["ETag"] != english.headers["ETag"]
    again = visitor.get("/en/regions", headers={"If-None-Match": english.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/en", "/en/"),
        (f"/en/search?q={TEA}&page=400", f"/en/search?q={TEA}"),
    ],
)
def test_redirects_stay_english(visitor, asked, leads_to):
    response = visitor.get(asked)
    assert response.status_code in {301, 302, 308}
    assert response.headers["Location"].removeprefix("http://localhost") == leads_to


def test_a_former_code_leads_to_the_english_page(visitor):
    from sqlalchemy import select

    from market.core.db import db
    from market.regions.models import FormerCode

    code = db.session.scalar(select(FormerCode.code).limit(1))
    response = visitor.get(f"/en/regions/{code}")
    assert response.status_code == 301
    assert response.headers["Location"].startswith("/en/regions/")


@pytest.mark.parametrize(
    "address",
    ["/en/api/v1/search", "/en/static/x.css", "/en/healthz", "/en/metrics", "/en/en/", "/enx"],
)
def test_what_has_one_language_has_one_address(visitor, address):
    assert visitor.get(address).status_code == 404


def test_errors_speak_english(visitor):
    for address in ("/en/no-such-page", "/en/achievements/CG1999000001", "/en/regions/999999"):
        response = visitor.get(address)
        assert response.status_code == 404
        assert "Page not found" in response.text
        assert unmarked(check_html(response.text)) == []


def test_the_api_stays_chinese(visitor):
    assert "没有" in visitor.get("/api/v1/achievements/CG1999000001").get_json()["detail"]


def test_languages_do_not_leak_from_one_request_to_the_next(visitor):
    assert "Regions" in visitor.get("/en/regions").text
    assert "各地市场" in visitor.get("/regions").text
    assert "Skip to content" in visitor.get("/en/regions").text


def test_places_have_english_names(visitor):
    assert "Dongpo District" in visitor.get("/en/regions/511402").text
    assert "Ya&#39;an" in visitor.get("/en/regions/510000").text
    assert "Dongpo District, Meishan, Sichuan" in visitor.get("/en/search?region=511402").text


def test_prices_and_terms_are_english(visitor):
    page = visitor.get("/en/search?kind=achievement").text
    assert re.search(r"\d,000 yuan", page)
    assert "万元</b>" not in page
    assert "Agriculture" in page
    assert visitor.get("/search?kind=achievement").text.count("yuan") == 0


@pytest.fixture
def english(app):
    """Inside a request for an English page."""
    with app.test_request_context("/regions", environ_overrides={"market.language": "en"}):
        yield


@pytest.mark.usefixtures("english")
def test_texts_from_outside_are_escaped_and_never_formatted(app):
    say = app.jinja_env.from_string
    assert say("{{ _(text) }}").render(text="100 %(x)s <b>") == "100 %(x)s &lt;b&gt;"
    assert say("{{ _('') }}|{{ _(text) }}").render(text="各地市场") == "|Regions"
    found = say("{{ _('没有找到「%(q)s」', q=q) }}").render(q="<i>%s")
    assert found == "&#34;&lt;i&gt;%s&#34; was not found"


@pytest.mark.usefixtures("english")
def test_addresses_plurals_and_marks():
    assert url("/search?kind=demand") == "/en/search?kind=demand"
    assert url("/en/search") == "/en/search"
    for other in ("/api/v1/docs", "/static/a.css", "//x.cn/", "https://x.cn/", "#main", "?q=1"):
        assert url(other) == other
    assert translate_plural("%(num)s 项", "%(num)s 项", 1) == "1 listing"
    assert translate_plural("%(num)s 项", "%(num)s 项", 1234) == "1,234 listings"
    assert chinese("茶") == ' lang="zh-CN"'
    assert chinese(["tea", "茶"]) == ' lang="zh-CN"'
    assert chinese("tea", None) == ""


def test_outside_a_request_all_is_chinese(app):
    assert translate("各地市场") == "各地市场"
    assert translate_plural("%(num)s 项", "%(num)s 项", 2) == "2 项"
    assert url("/search") == "/search"
