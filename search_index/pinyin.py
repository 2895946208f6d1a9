"""Pinyin of names and words. Imported only where documents are indexed: pypinyin takes 55 MB."""

from __future__ import annotations

import functools

from search_index import dictionary
from search_index.text import characters, fold

_LONGEST = 40  # characters of a name that are read


@functools.lru_cache(maxsize=20_000)
def name_tokens(name: str) -> tuple[str, ...]:
    """Return what a name is found by: toneless pinyin and initials, from each syllable on.

    四川大学 → sichuandaxue, chuandaxue, daxue, xue and scdx, cdx, dx: a reader's letters are
    compared with the beginnings of these. A name without Han characters has none.
    """
    folded = fold(name)[:_LONGEST]
    if folded.isascii():
        return ()
    read = syllables(folded)
    full = ["".join(read[start:]) for start in range(len(read))]
    initials = "".join(syllable[0] for syllable in read)
    short = [initials[start:] for start in range(len(initials) - 1)]
    return tuple(dict.fromkeys(full + short))


def reading(folded: str) -> tuple[str, str]:
    """Return the toneless pinyin of folded text and its initials; two empty texts without Han.

    Word by word, since words come again and again where whole titles do not: 还田 is huan tian.
    """
    if folded.isascii():
        return "", ""
    found = [syllable for word in dictionary.cut(folded) for syllable in syllables(word)]
    return "".join(found), "".join(syllable[0] for syllable in found)


@functools.lru_cache(maxsize=50_000)
def syllables(folded: str) -> tuple[str, ...]:
    """Return the toneless pinyin of folded text by syllable; letters and digits stay as they are."""
    import pypinyin

    return tuple(
        fold(syllable)
        for syllable in pypinyin.lazy_pinyin(folded, errors=_plain, v_to_u=False)
        if syllable.isascii() and syllable.isalnum()
    )


@functools.cache
def sounds() -> tuple[tuple[str, str], ...]:
    """Return each toneless reading of the common Han characters, and the character, in order."""
    import pypinyin

    found = {
        (fold(reading), character)
        for character in map(chr, range(0x4E00, 0x9FA6))
        for readings in pypinyin.pinyin(character, style=pypinyin.Style.NORMAL, heteronym=True)
        for reading in readings
    }
    return tuple(sorted(found))


def _plain(text: str) -> str:
    """What pypinyin keeps of a stretch that is not Han: its letters and digits."""
    return "".join(characters(text))
