"""Suggestions and other spellings, as pages and API answer them."""

import pytest

from market.core.permissions import PUBLIC
from market.discovery import suggestions
from market.discovery.word_writer import LEAST_PAUSE, WordWriter


@pytest.mark.parametrize("typed", ["杀青", "shaq", "sq", "ＳＱ"])
def test_page_and_api_suggest_the_same(visitor, typed):
    for address in ("/suggest", "/api/v1/suggest"):
        answer = visitor.get(address, query_string={"q": typed})
        assert answer.status_code == 200
        assert "杀青" in answer.json["items"]
        assert len(answer.json["items"]) <= suggestions.MOST


def test_suggestions_may_be_kept_and_set_no_cookie(visitor, statements):
    answer = visitor.get("/suggest?q=茶")
    assert answer.headers["Cache-Control"] == f"public, max-age={suggestions.FRESH}"
    assert "Set-Cookie" not in answer.headers
    assert statements == []


@pytest.mark.parametrize("typed", ["", " ", "\x00", "水" * 20_000, "'--", "%", "\U0001f33e"])
@pytest.mark.parametrize("address", ["/suggest", "/api/v1/suggest"])
def test_nothing_is_suggested_for_nonsense(visitor, address, typed):
    answer = visitor.get(address, query_string={"q": typed})
    assert (answer.status_code, answer.json) == (200, {"items": []})


def test_without_the_parameter(visitor):
    for address in ("/suggest", "/suggest?q=a&q=b", "/suggest?q=%ff%fe", "/api/v1/suggest"):
        assert visitor.get(address).status_code == 200


def test_before_the_index_is_built(client):
    assert client.get("/suggest?q=茶").status_code in {200, 503}


def test_a_misspelt_search_offers_the_right_spelling(visitor):
    page = visitor.get("/search?q=茶叶杀清&kind=achievement").text
    assert "您要找的是不是" in page
    assert "q=%E8%8C%B6%E5%8F%B6%E6%9D%80%E9%9D%92" in page
    assert "kind=achievement" in page.split("您要找的是不是")[1].split("</p>")[0]


def test_a_search_for_what_is_there_offers_none(visitor):
    assert "您要找的是不是" not in visitor.get("/search?q=杀青").text
    assert "您要找的是不是" not in visitor.get("/search").text
    # Few listings have these words; fewer characters find more, but mean something else.
    for q in ("冷水鱼", "不知火", "黄化曲叶病毒"):
        assert "您要找的是不是" not in visitor.get(f"/search?q={q}").text


def test_other_spellings_are_a_way_out_with_their_number(visitor):
    answer = visitor.get("/api/v1/search?q=“连续化杀清”").json
    assert answer["total"] == 0
    assert answer["did_you_mean"] == ["“连续化杀青”"]
    assert answer["suggestions"][0]["label"] == "换成「“连续化杀青”」"
    assert answer["suggestions"][0]["note"].endswith(" 项")
    assert visitor.get("/api/v1/search?q=茶").json["did_you_mean"] == []


def test_many_found_are_not_corrected(demo, monkeypatch):
    monkeypatch.setattr(suggestions, "reader", lambda: pytest.fail("not asked"))
    assert suggestions.corrections("茶叶", suggestions.FEW) == []
    assert suggestions.corrections("", 0) == []


def test_suggestions_need_their_permission(demo):
    assert "杀青" in suggestions.suggestions(PUBLIC, "杀")


def test_the_search_boxes_name_the_address(visitor):
    for path in ("/", "/search", "/regions/510000"):
        assert 'data-suggest="/suggest"' in visitor.get(path).text


class _Engine:
    """Counts how often the words are written; fails when told to."""

    def __init__(self, fails=False):
        self.written, self.fails = 0, fails

    def refresh_words(self):
        self.written += 1
        if self.fails:
            raise OSError("disk full")
        return 1


@pytest.mark.parametrize("fails", [False, True])
def test_words_are_written_after_changes_and_not_too_often(monkeypatch, fails):
    now = 0.0
    monkeypatch.setattr("market.discovery.word_writer.time.monotonic", lambda: now)
    engine = _Engine(fails)
    words = WordWriter(engine)

    def after(seconds, changed):
        nonlocal now
        now += seconds
        if changed:
            words.changed()
        words.tend()
        words.wait()
        return engine.written

    assert after(1, True) == 0  # not at once
    assert after(LEAST_PAUSE, False) == 1
    assert after(LEAST_PAUSE, False) == 1  # nothing changed
    assert after(1, True) == 2
    assert after(1, True) == 2
    assert after(LEAST_PAUSE, False) == 3
