"""Identifiers: patent numbers, credit codes, public numbers."""

from __future__ import annotations

from search_index.text import fold

PREFIX_FROM = 6  # a number typed so far finds the ones that begin with it


def normalise_code(code: str) -> str:
    """Return `code` as compared: half width, upper case, letters and digits only, no leading ZL.

    Blanks, hyphens and the dot before a patent's check digit are written or left out at will.
    """
    compact = "".join(filter(str.isalnum, fold(code))).upper()
    return compact[2:] if compact.startswith("ZL") and compact[2:3].isdigit() else compact


def code_in(text: str) -> str:
    """Return the normalised code that `text` may be, or an empty text when it cannot be one."""
    code = normalise_code(text)
    return code if 3 <= len(code) <= 64 and any(map(str.isdigit, code)) else ""


def is_long_code(text: str) -> bool:
    """Say whether a query of several words is one number typed with blanks."""
    code = normalise_code(text)
    return (
        8 <= len(code) <= 32 and code.isascii() and sum(map(str.isdigit, code)) * 4 >= len(code) * 3
    )


def code_matches(asked: str, code: str) -> bool:
    """Say whether the normalised `asked` finds the normalised `code`."""
    return code == asked or (len(asked) >= PREFIX_FROM and code.startswith(asked))
