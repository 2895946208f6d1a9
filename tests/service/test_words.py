"""Misspelt words are mended and words of two characters found, on whole markets of text."""

from __future__ import annotations

import itertools
import os
import random
from pathlib import Path

import pytest

from market.catalogue.documents import SCHEMA, SEARCHABLE
from search_index import ENGINES, SearchRequest, open_engine
from search_index.text import fold
from tests.bench import relevance
from tests.bench.words import mended, slips, text_of, words_of

LEAST = 90.0  # per cent of slips
SAMPLE = 500  # words of two characters of the abstracts


@pytest.fixture
def documents(demo):
    """What the demonstration data says, as it is indexed."""
    return [one for ids in SEARCHABLE.batches() for one in SEARCHABLE.load(ids).values()]


@pytest.fixture(params=ENGINES)
def engine(request, documents, tmp_path):
    """The demonstration data in an index of each engine."""
    with open_engine(request.param, tmp_path / "words", SCHEMA, writable=True) as engine:
        engine.rebuild(documents)
        yield engine


@pytest.fixture(scope="module")
def papers():
    """Abstracts of real papers, where a file of them is named."""
    name = os.environ.get(relevance.FILE)
    if not name:
        pytest.skip(f"{relevance.FILE} names no file of abstracts")
    return list(relevance.documents(relevance.read_papers(Path(name))))


@pytest.fixture(scope="module", params=ENGINES)
def papers_engine(request, papers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("papers")
    with open_engine(request.param, folder, SCHEMA, writable=True) as engine:
        engine.rebuild(papers)
        yield engine


def holders(documents, words):
    """For each word the keys of the documents it stands in, as a reader sees it."""
    texts = {one.key: fold(text_of(one)) for one in documents}
    return {word: {key for key, text in texts.items() if word in text} for word in words}


def lost(engine, expected):
    """Words that are not found in every document they stand in."""
    missing = {}
    for word, keys in expected.items():
        found: set[str] = set()
        request = SearchRequest(word, match="all", limit=200, highlight=False)
        while request.offset < 2_000:
            hits = engine.search(request).hits
            found.update(hit.key for hit in hits)
            if len(hits) < 200:
                break
            request = SearchRequest(
                word, match="all", limit=200, highlight=False, offset=request.offset + 200
            )
        if not keys <= found:
            missing[word] = keys - found
    return missing


@pytest.mark.parametrize("same_sound", [True, False], ids=["same sound", "any character"])
def test_slips_in_words_of_the_demonstration_data_are_mended(engine, documents, same_sound):
    made = slips(words_of(map(text_of, documents)), 400, 7, same_sound=same_sound)
    assert len(made) == 400
    assert mended(engine.correct, made) >= LEAST


@pytest.mark.parametrize("same_sound", [True, False], ids=["same sound", "any character"])
def test_slips_in_words_of_abstracts_are_mended(papers_engine, papers, same_sound):
    made = slips(words_of(map(text_of, papers)), 400, 7, same_sound=same_sound)
    assert mended(papers_engine.correct, made) >= LEAST


def test_every_word_of_two_characters_is_found(engine, documents):
    words = {word for word in words_of(map(text_of, documents)) if len(word) == 2}
    names = {fold(name) for one in documents for name in one.names}
    words |= {
        first + second
        for name in names
        for first, second in itertools.pairwise(name)
        if (first + second).isalpha() and not (first + second).isascii()
    }
    assert len(words) > 2_000
    assert lost(engine, holders(documents, sorted(words))) == {}


def test_words_of_two_characters_are_found_in_abstracts(papers_engine, papers):
    words = [word for word in words_of(map(text_of, papers)) if len(word) == 2]
    drawn = random.Random(3).sample(words, SAMPLE)
    assert lost(papers_engine, holders(papers, drawn)) == {}
