"""From the engine's hits to what a result list shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup

from market.catalogue.models import KINDS, STAGES
from market.catalogue.queries import PART_LABELS, PATHS
from market.core.languages import is_english
from market.core.languages import translate as _
from market.regions import queries as regions
from search_index import Hit, Reason

NAMED_WORDS = 4  # of one reason


@dataclass(frozen=True)
class Card:
    """One result. `title_html` and highlights come from the engine, escaped, words marked."""

    kind: str
    kind_label: str
    no: str
    url: str
    title: str
    title_html: Markup
    problem: str
    best: str
    stage_label: str
    price_label: str
    mode_labels: Sequence[str]
    region_name: str
    region_code: str
    owner_name: str
    updated: date
    deadline: date | None
    call_until: date | None
    trial: bool
    demo: bool
    expired: bool
    highlights: Sequence[tuple[str, Markup]]
    reasons: Sequence[str]


def cards_of(hits: Sequence[Hit], today: date) -> list[Card]:
    """The cards of hits; on an English page with the English names of their places."""
    codes = [str(hit.stored["region_code"]) for hit in hits]
    places = regions.english_names(codes) if is_english() else {}
    return [card(hit, today, places) for hit in hits]


def card(hit: Hit, today: date, places: Mapping[str, str] | None = None) -> Card:
    """The card of a hit; `places`: names of regions by code that replace the stored ones."""
    stored: Mapping[str, Any] = hit.stored
    deadline, until = stored.get("deadline"), stored.get("valid_until")
    called = date.fromisoformat(stored["call_until"]) if stored.get("call_until") else None
    return Card(
        kind=stored["kind"],
        kind_label=KINDS[stored["kind"]],
        no=stored["no"],
        url=f"/{PATHS[stored['kind']]}/{stored['no']}",
        title=stored["title"],
        title_html=Markup(hit.title_html),
        problem=stored["problem"],
        best=stored["best"],
        stage_label=STAGES.get(stored.get("stage") or "", ""),
        price_label=stored.get("price") or "",
        mode_labels=stored["modes"],
        region_name=(places or {}).get(stored["region_code"], stored["region"]),
        region_code=stored["region_code"],
        owner_name=stored["owner"],
        updated=date.fromisoformat(stored["date"]),
        deadline=date.fromisoformat(deadline) if deadline else None,
        call_until=called if called is not None and called >= today else None,
        trial=stored["trial"],
        demo=stored["demo"],
        expired=until is not None and date.fromisoformat(until) < today,
        highlights=[
            (PART_LABELS.get(one.part, one.part), Markup(one.html)) for one in hit.highlights
        ],
        reasons=[_sentence(reason) for reason in hit.reasons],
    )


def _sentence(reason: Reason) -> str:
    """Why it was found, as a reader says it."""
    quoted = (_("「%(word)s」", word=word) for word in reason.words[:NAMED_WORDS])
    words = _("、").join(quoted)
    part = _(PART_LABELS.get(reason.part, reason.part))
    if reason.kind == "code":
        return _("编号符合 %(words)s", words=words)
    if reason.kind == "name":
        return _("拼音符合 %(words)s", words=words)
    if reason.kind == "synonym":
        return _(
            "%(part)s含%(words)s（与「%(asked)s」同义）", part=part, words=words, asked=reason.asked
        )
    return _("%(part)s含%(words)s", part=part, words=words)
