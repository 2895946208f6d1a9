"""What all engines agree on when they match and rank."""

from __future__ import annotations

from collections.abc import Iterable

from search_index.query import Term
from search_index.text import tokens

# A search that fewer documents of the whole index match entirely is loosened. Whether it is
# never depends on filters: else choosing a facet value could change the kind of search, and
# the count beside the value would not be what one gets. A number that was found stays alone.
LOOSEN_BELOW = 3

MAX_TOKENS = 160  # of a query that are ranked by; a pasted paragraph has more
MOST_CHARACTERS = 64  # of a unit that are looked for as one substring
ALL_FIRST = 1000.0  # lifts documents with all terms over any other score
TRIPLE_WEIGHT = 0.2
SYNONYM_WEIGHT = 0.4
CODE_SCORE = 100.0
NAME_SCORE = 2.0
_LATIN_PREFIX = 4


def is_latin_beginning(piece: str) -> bool:
    """Say whether a run is long enough to find longer words that begin with it."""
    return len(piece) >= _LATIN_PREFIX and piece.isascii() and piece.isalpha()


def query_tokens(found: Iterable[Term]) -> list[str]:
    """The tokens of terms; one that is both word and bigram counts twice, as in documents."""
    return [token for term in found for token in tokens(term.text)][:MAX_TOKENS]
