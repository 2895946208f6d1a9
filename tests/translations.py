"""The list of English words: brought up to date from templates and code, and compiled.

`make translations` runs it; what it prints still has to be translated in the .po file.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
PO = ROOT / "market" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
MO = PO.with_suffix(".mo")
# Written as it stands, so that the file changes only where words change.
HEADER = """\
# English words of the public pages. The key is the Chinese text; see docs/contributors.md.
msgid ""
msgstr ""
"Language: en\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
# Functions whose first word is to be translated; the plural one takes two.
KEYWORDS = DEFAULT_KEYWORDS | {
    "N_": None,
    "translate": None,
    "status_tag": None,
    "translate_plural": (1, 2),
}
PLACES = {
    ROOT / "market": [("**.py", "python")],
    ROOT / "templates": [("**.html", "jinja2"), ("**.xml", "jinja2")],
}


def used() -> Catalog:
    """What templates and code say, without translations."""
    found = Catalog(locale="en", charset="utf-8")
    for folder, methods in PLACES.items():
        options = {
            pattern: {"silent": "false"} for pattern, method in methods if method == "jinja2"
        }
        for _name, _line, message, _comments, _context in extract_from_dir(
            folder, methods, options, KEYWORDS
        ):
            if message:
                found.add(message)
    return found


def held() -> Catalog:
    """The list as it is kept."""
    with PO.open("rb") as file:
        catalog = read_po(file, locale="en")
    catalog.creation_date = catalog.revision_date = _SOME_DAY
    return catalog


def compiled(catalog: Catalog) -> bytes:
    """The list as the program reads it."""
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def keep(catalog: Catalog) -> None:
    """Write the list and compile it."""
    file = BytesIO()
    write_po(
        file,
        catalog,
        width=0,
        omit_header=True,
        sort_output=True,
        no_location=True,
        ignore_obsolete=True,
    )
    PO.write_bytes(HEADER.encode() + file.getvalue())
    MO.write_bytes(compiled(held()))


def main() -> None:
    """Bring the list up to date and print what lacks a translation."""
    catalog = held()
    catalog.update(used(), no_fuzzy_matching=True, update_creation_date=False)
    keep(catalog)
    lacking = [str(one.id) for one in catalog if one.id and not (one.string and all(one.string))]
    sys.stdout.write("".join(f"{words}\n" for words in lacking))


if __name__ == "__main__":
    main()
