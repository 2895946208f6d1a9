"""Searches as they stand in addresses."""

from datetime import date
from urllib.parse import parse_qsl, urlsplit

from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from market.discovery.forms import FILTERS, MOST_VALUES, SearchForm, read

_words = st.text("茶a1:-", min_size=1, max_size=6)


@given(
    st.dictionaries(st.sampled_from(sorted(FILTERS)), st.lists(_words, max_size=4, unique=True)),
    st.dates(),
    st.sampled_from(["", "newest", "price"]),
)
def test_an_address_reads_back_as_the_same_search(filters, since, sort):
    chosen = {name: tuple(values) for name, values in filters.items()}
    form = SearchForm(q="加工", since=since, sort=sort, **chosen)
    pairs = parse_qsl(urlsplit(form.address(page=3)).query)
    assert read(MultiDict(pairs)) == form.but(page=3)
    assert sorted(form.pairs()) == sorted(pair for pair in pairs if pair[0] != "page")
    assert read(MultiDict(parse_qsl(urlsplit(form.free().address()).query))) == SearchForm(
        q="加工", sort=sort
    )


def test_too_many_values_are_cut_and_said():
    given = [("industry", f"X{number}") for number in range(200)] + [("kind", "demand")]
    form = read(MultiDict(given))
    assert len(form.industry) == MOST_VALUES
    assert form.kind == ("demand",)
    assert len(form.notes) == 1
    assert "行业" in form.notes[0]
    assert "50" in form.notes[0]


def test_days_that_do_not_exist_are_left_out_and_said():
    form = read(MultiDict([("since", "0000-01-01"), ("until", "2026-06-30")]))
    assert form.since is None
    assert form.until == date(2026, 6, 30)
    assert len(form.notes) == 1
    assert "0000-01-01" in form.notes[0]
    assert "since" not in form.address()
    assert form.but().notes == ()


def test_what_narrows_a_search():
    form = SearchForm(q="茶", kind=("demand",), until=date(2026, 1, 1))
    assert form.narrowed == ["kind", "until"]
    assert SearchForm(q="茶").narrowed == []
