"""The words of a digest, in its language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import current_app

from market.catalogue.queries import PATHS
from market.core.languages import in_language, url_in
from market.core.messages import tell
from market.discovery.saved.messages import MORE, NEWS, stop_word
from market.discovery.saved.models import RHYTHMS
from search_index import Hit

NAMED = 15  # listings that the mail names; its page has the rest
_LONGEST_TITLE = 60


def tell_news(row: Any, total: int, hits: Sequence[Hit], until: datetime) -> None:
    """Ask for the message of one digest. Call inside a unit of work.

    Args:
        row: id, person_id, name, rhythm and language of the search.
        total: how many listings are new; hits: the best of them.
        until: the end of the time that the digest is about.
    """
    lines = [_line(hit.stored, row.language) for hit in hits[:NAMED]]
    if (more := total - len(lines)) > 0:
        lines.append(in_language(MORE, row.language) % {"n": more})
    tell(
        NEWS,
        about=("saved_search", row.id),
        url=f"/my/searches/{row.id}",
        values={
            "name": row.name,
            "n": total,
            "rhythm": in_language(RHYTHMS[row.rhythm], row.language),
            "lines": "\n".join(lines),
        },
        people=[row.person_id],
        spoken=row.language,
        stop=f"/searches/stop/{stop_word(row.id)}",
        event=until.isoformat(),
    )


def _line(stored: Mapping[str, Any], language: str) -> str:
    """Title, place and price of a listing, and its address."""
    base = current_app.extensions["market"].settings.base_url
    title = str(stored["title"])
    if len(title) > _LONGEST_TITLE:
        title = title[: _LONGEST_TITLE - 1] + "…"
    facts = [str(stored["region"])]
    if stored.get("price"):
        facts.append(in_language(str(stored["price"]), language))
    address = url_in(f"/{PATHS[str(stored['kind'])]}/{stored['no']}", language)
    return f"· {title}（{'，'.join(facts)}）\n  {base}{address}"
