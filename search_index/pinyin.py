"""Pinyin of proper names. Imported only where documents are indexed: pypinyin takes 55 MB."""

from __future__ import annotations

import functools

from search_index.text import characters, fold

_LONGEST = 40  # characters of a name that are read


@functools.lru_cache(maxsize=20_000)
def name_tokens(name: str) -> tuple[str, ...]:
    """Return what a name is found by: toneless pinyin and initials, from each syllable on.

    四川大学 → sichuandaxue, chuandaxue, daxue, xue and scdx, cdx, dx: a reader's letters are
    compared with the beginnings of these. A name without Han characters has none.
    """
    import pypinyin

    folded = fold(name)[:_LONGEST]
    if folded.isascii():
        return ()
    syllables = [
        fold(syllable)
        for syllable in pypinyin.lazy_pinyin(folded, errors=_plain, v_to_u=False)
        if syllable.isascii() and syllable.isalnum()
    ]
    full = ["".join(syllables[start:]) for start in range(len(syllables))]
    initials = "".join(syllable[0] for syllable in syllables)
    short = [initials[start:] for start in range(len(initials) - 1)]
    return tuple(dict.fromkeys(full + short))


def _plain(text: str) -> str:
    """What pypinyin keeps of a stretch that is not Han: its letters and digits."""
    return "".join(characters(text))
