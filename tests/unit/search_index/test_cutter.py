"""Helper processes answer what this process would, in order, and pass on what is wrong."""

from itertools import count

import pytest

from search_index import cutter
from search_index.fields import field_values
from search_index.model import Document, IndexSchema

SCHEMA = IndexSchema(filters=("kind",), numbers=("date",), parts=("summary", "place"))


def documents(many):
    for number in range(many):
        yield Document(
            key=f"listing:{number}",
            version="1.0",
            title=f"第{number}号秸秆还田技术",
            parts={"summary": "粉碎后还田，亩产提高 5%\ud800", "place": "眉山市东坡区"},
            names=("东坡区农业科学研究所",),
            filters={"kind": ["achievement"]},
            numbers={"date": number},
            stored={"title": "中文", "none": None},
        )


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(cutter, "ALONE", 4)
    monkeypatch.setattr(cutter, "BATCH", 3)
    monkeypatch.setattr(cutter.os, "sched_getaffinity", lambda _: {0, 1})


@pytest.mark.parametrize("many", [3, 4, 20])
def test_helpers_answer_what_one_process_would(many):
    expected = [(one.key, field_values(SCHEMA, one)) for one in documents(many)]
    assert list(cutter.prepared(SCHEMA, documents(many))) == expected


def test_a_document_that_is_not_allowed():
    def wrong():
        yield from documents(10)
        yield Document("listing:10", "1", "名称", filters={"colour": ["red"]})

    with pytest.raises(ValueError, match="colour"):
        list(cutter.prepared(SCHEMA, wrong()))


def test_a_helper_that_dies_is_no_end_of_documents(monkeypatch):
    asked = count()
    real = cutter._receive

    def receive(stream):
        if next(asked) == 1:
            stream.close()
            raise EOFError("a helper that cuts texts ended")
        return real(stream)

    monkeypatch.setattr(cutter, "_receive", receive)
    with pytest.raises(EOFError):
        list(cutter.prepared(SCHEMA, documents(40)))


def test_half_an_answer_is_none(tmp_path):
    (tmp_path / "answer").write_bytes(b"\x05\x00\x00")
    with (tmp_path / "answer").open("rb") as stream, pytest.raises(EOFError):
        cutter._receive(stream)
