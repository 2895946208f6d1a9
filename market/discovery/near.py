"""Results from near to far: the reader's place, then what lies around it, ring by ring.

The rings of a county are itself, the rest of its prefecture, the rest of its province, all else.
No listing is in two rings, so asking them one after the other, from where a page begins, gives
the list in order without the engine knowing any distance.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from market.discovery.asking import Places, request_for
from market.discovery.engine import ask
from market.discovery.forms import SearchForm
from search_index import Hit, Page, SearchRequest

_Path = tuple[int, ...]
_ITSELF = 0  # stands below a place for what is there and in no smaller place


def find(form: SearchForm, places: Places, facets: Collection[str] = ()) -> Page:
    """Ask the engine for a page; from near to far where the search asks for that.

    Raises:
        IndexMissing: there is no index yet.
    """
    request = request_for(form, places, facets)
    if form.order != "near" or places.near is None:
        return ask(request)
    found = ask(replace(request, limit=0, offset=0))
    hits = tuple(_hits(request, places)) if found.total else ()
    return replace(found, hits=hits, next_after=None)


def in_order(form: SearchForm, places: Places, request: SearchRequest) -> list[SearchRequest]:
    """Requests whose lists, one after the other, are the whole list as the search orders it."""
    if form.order != "near" or places.near is None:
        return [request]
    filters = [{**request.filters, "region": values} for values in rings(places)]
    return [replace(request, filters=one) for one in filters]


def _hits(request: SearchRequest, places: Places) -> Iterator[Hit]:
    offset, wanted = request.offset, request.limit
    for values in rings(places):
        filters = {**request.filters, "region": values}
        asked = replace(request, filters=filters, facets=(), offset=0, limit=0, after=None)
        # Counting is cheap; skipping over thousands of hits is not.
        if offset and (total := ask(asked).total) <= offset:
            offset -= total
            continue
        hits = ask(replace(asked, offset=offset, limit=wanted)).hits
        yield from hits
        wanted, offset = wanted - len(hits), 0
        if not wanted:
            return


def rings(places: Places) -> list[list[str]]:
    """Values of the filter `region` ring by ring, inside the chosen regions; empty ones left out."""
    chain = tuple(places.near.path_ids) if places.near else ()
    chosen = [tuple(one.path_ids) for one in places.chosen.values() if str(one.id) in places.ids]
    found = [_inside([(str(chain[-1]), chain)], chosen)] if chain else []
    for depth in range(len(chain) - 1, -1, -1):
        around = chain[:depth]
        areas = [
            (str(key), (*around, key))
            for key, _code, _name, parent in places.families
            if parent == (around[-1] if around else None) and key != chain[depth]
        ]
        if around:
            areas.append((f"={around[-1]}", (*around, _ITSELF)))
        found.append(_inside(areas, chosen))
    return [values for values in found if values]


def _inside(areas: list[tuple[str, _Path]], chosen: list[_Path]) -> list[str]:
    """The parts of areas that lie in one of the chosen places; all where none is chosen."""
    if not chosen:
        return [value for value, _path in areas]
    kept = []
    for value, path in areas:
        if any(path[: len(one)] == one for one in chosen):
            kept.append(value)
        else:
            kept += [str(one[-1]) for one in chosen if one[: len(path)] == path]
    return kept
