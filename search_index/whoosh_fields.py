"""How the fields of `search_index.fields` lie in a whoosh index: as terms and as columns.

key, text, triples, pinyin, codes, suggest, f_*   terms; of text and chars also how often
chars             terms, and a column with all of them in order, in which phrases are looked for
has               which number fields a document has
n_*, tie          columns; `tie` orders what is equal
length            column: the number of tokens in text, for ranking
check, payload    columns
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from search_index.fields import LARGEST, SMALLEST, Values

Terms = dict[str, Mapping[str, int]]
Columns = dict[str, object]


def terms_and_columns(values: Values) -> tuple[Terms, Columns]:
    """Return the terms of a document by field, with their counts, and its columns.

    Raises:
        ValueError: a number that does not fit into 64 bits.
    """
    given: Mapping[str, Any] = values
    text = Counter(" ".join(given["text"]).split())
    terms: Terms = {
        "key": {given["key"]: 1},
        "text": text,
        "triples": _once(" ".join(given["triples"]).split()),
        "chars": Counter(" ".join(given["chars"]).split()),
        "pinyin": _once(" ".join(given["pinyin"]).split()),
        "codes": _once(given["codes"]),
        "suggest": _once(given["suggest"]),
    }
    columns: Columns = {
        "payload": given["payload"],
        "check": given["check"].encode("utf-8", "surrogatepass"),
        "chars": "\n".join(map(phrase_text, given["chars"])).encode(),
        "tie": given["tie"],
        "length": text.total(),
    }
    for name, value in given.items():
        if name.startswith("f_"):
            terms[name] = _once(value)
        elif name.startswith("n_"):
            if not SMALLEST <= value <= LARGEST:
                raise ValueError(f"document {given['key']!r}: {name[2:]} is too large a number")
            columns[name] = value
    terms["has"] = _once([name for name in columns if name.startswith("n_")])
    return terms, columns


def phrase_text(stream: str) -> str:
    """Return a stream of `search_index.text.characters`, joined, as it is looked for in another."""
    return f" {stream} "


def _once(terms: Sequence[str]) -> Mapping[str, int]:
    return dict.fromkeys(terms, 1)
