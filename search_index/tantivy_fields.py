"""How documents lie in a tantivy index.

    key, tie      the unique key, and a number made from it that orders ties
    check         key and version, to compare index and database without reading documents
    text          the one ranking field: title three times, then parts; words and bigrams
    triples       three Han characters in a row: substrings without looking at positions
    chars         Han characters and runs of letters and digits with positions: exact substrings
    pinyin, codes prefixes of names' pinyin; normalised identifiers
    suggest       folded expression, then the expression as written
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
from collections.abc import Iterable
from dataclasses import dataclass

import tantivy

from search_index.codes import normalise_code
from search_index.model import Document, IndexSchema
from search_index.text import fold, streams

FORMAT = 1  # raise it when anything about the index changes: old ones then ask for a rebuild
TITLE_WEIGHT = 3
SEPARATOR = "\x1f"
_LONGEST_SUGGESTION = 80
SMALLEST, LARGEST = -(2**63), 2**63 - 1  # of a signed 64-bit field


def form(schema: IndexSchema) -> dict[str, object]:
    """Return what an index must have been built for to serve `schema`."""
    return {
        "engine": "tantivy",
        "format": FORMAT,
        "filters": sorted(schema.filters),
        "numbers": sorted(schema.numbers),
    }


def tantivy_schema(schema: IndexSchema) -> tantivy.Schema:
    """Return the tantivy schema of an index."""
    builder = tantivy.SchemaBuilder()

    def text(name: str, tokenizer: str, option: str = "basic", fast: bool = False) -> None:
        builder.add_text_field(name, fast=fast, tokenizer_name=tokenizer, index_option=option)

    text("key", "raw")
    text("check", "raw")
    text("text", "whitespace", "freq")
    text("triples", "whitespace")
    text("chars", "whitespace", "position")
    text("pinyin", "whitespace")
    text("codes", "raw")
    text("suggest", "raw")
    builder.add_integer_field("tie", indexed=True, fast=True)
    for name in schema.filters:
        text(f"f_{name}", "raw", fast=True)
    for name in schema.numbers:
        builder.add_integer_field(f"n_{name}", indexed=True, fast=True)
        text(f"s_{name}", "raw", fast=True)
    builder.add_bytes_field("payload", stored=True)
    return builder.build()


def tie(key: str) -> int:
    """Return the number that orders documents which are otherwise equal."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest()) >> 1


def sort_text(value: int, tied: int) -> str:
    """Return a text that sorts as (value, tie) does; the engine sorts by one field only."""
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
        "suggest": list(_suggestions(document, names)),
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
    prepared = [prepare(other) for other in others]
    values["text"] = [title.text] * TITLE_WEIGHT + [other.text for other in prepared]
    values["triples"] = [title.triples, *(other.triples for other in prepared)]
    values["chars"] = [title.chars, *(other.chars for other in prepared)]


def _pinyin(name: str) -> tuple[str, ...]:
    from search_index.pinyin import name_tokens

    return name_tokens(name)


def _suggestions(document: Document, names: dict[str, tuple[str, ...]]) -> Iterable[str]:
    found: dict[str, None] = {}
    for shown in (document.title, *document.names, *document.phrases):
        shown = " ".join(shown.split())[:_LONGEST_SUGGESTION]
        beginnings = [fold(shown)]
        if tokens_of_name := names.get(shown):
            beginnings += [tokens_of_name[0], _initials(tokens_of_name)]
        for beginning in filter(None, beginnings):
            found.setdefault(f"{beginning}{SEPARATOR}{shown}")
    return found


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


def _initials(found: tuple[str, ...]) -> str:
    """The first of a name's tokens that is not the pinyin of its end."""
    full = found[0]
    return next((token for token in found if not full.endswith(token)), "")


def read_payload(stored: bytes) -> dict[str, object]:
    """Return what `field_values` stored."""
    shown: dict[str, object] = json.loads(stored.decode("utf-8", "surrogatepass"))
    return shown
