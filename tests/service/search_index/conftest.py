"""One contract for all engines: every test below here runs on each of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from search_index import ENGINES, Document, Engine, IndexSchema, Page, SearchRequest, open_engine

SCHEMA = IndexSchema(
    filters=("kind", "region", "field"),
    numbers=("date", "price"),
    parts=("summary", "keywords", "owner"),
)
SYNONYMS = (("技术经理人", "技术经纪人", "科技经纪人"), ("高企", "高新技术企业"))


def doc(key: str, title: str = "", summary: str = "", **more: object) -> Document:
    """A document with little in it."""
    given: dict[str, object] = {"version": "1", "parts": {"summary": summary}, **more}
    return Document(key=key, title=title, **given)  # type: ignore[arg-type]


def keys(page: Page) -> list[str]:
    """The keys of a page's hits."""
    return [hit.key for hit in page.hits]


@pytest.fixture(params=ENGINES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def open_index(name: str, folder: Path):
    """Open further engines over the same folder; all are closed at the end."""
    opened: list[Engine] = []

    def open_one(writable: bool = False, schema: IndexSchema = SCHEMA) -> Engine:
        engine = open_engine(name, folder, schema, synonyms=SYNONYMS, writable=writable)
        opened.append(engine)
        return engine

    yield open_one
    for engine in reversed(opened):
        engine.close()


@pytest.fixture
def engine(open_index: Callable[..., Engine]) -> Engine:
    """The writer of an empty index."""
    return open_index(writable=True)


@pytest.fixture
def find(engine: Engine):
    """Search and return the keys found by relevance."""

    def found(query: str, **more: object) -> list[str]:
        return keys(engine.search(SearchRequest(query, **more)))  # type: ignore[arg-type]

    return found
