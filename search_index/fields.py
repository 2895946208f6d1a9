"""The fields of an index and what they hold of a document, the same for all engines.

    key, tie      the unique key, and a number made from it that orders ties
    check         key and version, to compare index and database without reading documents
    text          the one ranking field: title three times, then parts; words and bigrams
    triples       three Han characters in a row: substrings without looking at positions
    chars         Han characters and runs of letters and digits with positions: exact substrings
    pinyin, codes prefixes of names' pinyin; normalised identifiers
    suggest       beginning one may type, then the expression (see `suggesting`)
    f_*, n_*, s_* filters; numbers; number and tie as one text that sorts (see `sort_text`)
    payload       JSON of all that is shown

`text` weighs the title by repeating it in the same field: on 1,000 abstracts separate fields
whose scores are added ranked worse. `chars` has positions so that any substring, also one
across scripts (B超, PM2.5) or of a single character, can be found exactly; but checking
positions took 8 ms for a word of three characters in half of 100,000 documents, where its
triple takes 0.3 ms.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from search_index import dictionary, suggesting
from search_index.codes import normalise_code
from search_index.model import Document, IndexSchema
from search_index.text import PART, fold, streams

FORMAT = 2  # raise it when anything about the index changes: old ones then ask for a rebuild
TITLE_WEIGHT = 3
SEPARATOR = "\x1f"
SMALLEST, LARGEST = -(2**63), 2**63 - 1  # of a signed 64-bit field


def form(engine: str, schema: IndexSchema) -> dict[str, object]:
    """Return what an index must have been built for to serve `schema` with this engine."""
    return {
        "engine": engine,
        "format": FORMAT,
        "without": list(dictionary.missing()),  # texts are cut otherwise then
        "filters": sorted(schema.filters),
        "numbers": sorted(schema.numbers),
    }


def tie(key: str) -> int:
    """Return the number that orders documents which are otherwise equal."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest()) >> 1


def sort_text(value: int, tied: int) -> str:
    """Return a text that sorts as (value, tie) does; tantivy sorts by one field only."""
    return f"{value - SMALLEST:016x}{tied:016x}"


def check_text(key: str, version: str) -> str:
    """Return the term that says which version of a key is in the index."""
    return f"{key}{SEPARATOR}{version}"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Tokens of a text, joined with blanks."""

    text: str
    triples: str
    chars: str


def prepare(text: str) -> Prepared:
    """Fold and cut a text."""
    return Prepared(*map(" ".join, streams(fold(text))))


Values = dict[str, object]


def field_values(schema: IndexSchema, document: Document) -> Values:
    """The values of a document's fields, by field: plain values, so that any process may do it.

    Raises:
        ValueError: a filter, number or part the schema does not name, or no usable key.
    """
    _refuse_unknown(schema, document)
    tied = tie(document.key)
    names = {name: _pinyin(name) for name in document.names}
    values: Values = {
        "key": document.key,
        "check": check_text(document.key, document.version),
        "tie": tied,
        "pinyin": [" ".join(found) for found in names.values() if found],
        "codes": [code for code in map(normalise_code, document.codes) if code],
        "suggest": suggesting.entries(document),
        "payload": _payload(document, names),
    }
    _add_text(values, document)
    for name, chosen in document.filters.items():
        values[f"f_{name}"] = list(dict.fromkeys(chosen))
    for name, number in document.numbers.items():
        values[f"n_{name}"] = number
        values[f"s_{name}"] = sort_text(number, tied)
    return values


def _refuse_unknown(schema: IndexSchema, document: Document) -> None:
    for given, known in (
        (document.filters, schema.filters),
        (document.numbers, schema.numbers),
        (document.parts, schema.parts),
    ):
        if unknown := set(given) - set(known):
            raise ValueError(f"document {document.key!r}: unknown fields {sorted(unknown)}")
    if not document.key or SEPARATOR in document.key:
        raise ValueError(f"document key {document.key!r} cannot be used")


def _add_text(values: dict[str, object], document: Document) -> None:
    title = prepare(document.title)
    shown = "\n".join([document.title, *document.parts.values()])
    others = [*document.parts.values(), *(n for n in document.names if n not in shown)]
    rest = prepare(PART.join(others))  # one call: most of the time went into the many
    values["text"] = [title.text] * TITLE_WEIGHT + [rest.text]
    values["triples"] = [title.triples, rest.triples]
    # Values of their own: no phrase runs from one part into the next.
    values["chars"] = [title.chars, *rest.chars.split(PART)]


def _pinyin(name: str) -> tuple[str, ...]:
    from search_index.pinyin import name_tokens

    return name_tokens(name)


def _payload(document: Document, names: dict[str, tuple[str, ...]]) -> bytes:
    shown: dict[str, object] = {
        "k": document.key,
        "t": document.title,
        "p": dict(document.parts),
        "s": dict(document.stored),
    }
    if document.codes:
        shown["c"] = list(document.codes)
    if names:
        shown["n"] = names
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


def read_payload(stored: bytes) -> dict[str, object]:
    """Return what `field_values` stored."""
    shown: dict[str, object] = json.loads(stored.decode("utf-8", "surrogatepass"))
    return shown
