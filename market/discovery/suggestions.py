"""Help with words: completing what is being typed, and other spellings of what found little."""

from __future__ import annotations

from market.core.permissions import Actor, Always, policy
from market.discovery.engine import reader

SUGGEST = policy.declare("discovery:suggestion:read", public=Always())

MOST = 8  # suggestions shown at once
LONGEST = 100  # characters of what is typed that are looked at
FRESH = 300  # seconds that browsers and proxies may keep suggestions
FEW = 5  # listings with all words, below which other spellings are looked for


def suggestions(actor: Actor, typed: str) -> list[str]:
    """Titles, owners and keywords of published listings that complete what is typed.

    Args:
        typed: the beginning of a word, as written, in pinyin or in initials.

    Raises:
        IndexMissing: there is no index yet.
    """
    policy.require(actor, SUGGEST)
    return reader().suggest(typed[:LONGEST], MOST)


def corrections(q: str, exact: int = 0) -> list[str]:
    """Whole queries that may have been meant, best first; each finds more than `q` does.

    Args:
        q: as typed.
        exact: listings found with all its words. A slip finds few, and only then other
            spellings are looked for: the ordinary search costs nothing more.
    """
    found = reader().correct(q) if q and exact < FEW else []
    # With fewer characters one always finds more: 「冷水」 is no other spelling of 「冷水鱼」.
    return [one for one in found if not (exact and _is_part(one, q))]


def _is_part(part: str, whole: str) -> bool:
    """Whether a text is another with characters left out."""
    rest = iter(whole)
    return all(character in rest for character in part)
