"""The tantivy schema of an index; what its fields hold is said in `search_index.fields`."""

from __future__ import annotations

import tantivy

from search_index.model import IndexSchema


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
