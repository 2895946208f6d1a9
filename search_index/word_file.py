"""The words of an index in a small file of their own, to correct misspelt ones with.

words.db, SQLite, lies in the folder of a generation. The writer makes it anew from the term
dictionary and puts it in place at once; readers open it for one question at a time, so that a
process holds nothing of it in memory and nothing needs to be told of a new one.

    words   word, documents that hold it
    near    what is left of a word of three and more characters without one of them → word;
            and =jishu, the pinyin, of each word in Han characters
    sounds  Han character, each of its toneless readings
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from search_index import dictionary

NAME = "words.db"
MOST_WORDS = 300_000  # of the most documents; larger indexes have more, mostly rare names
LONGEST_HAN, SHORTEST_LATIN, LONGEST_LATIN = 8, 4, 24
_HAN = "\u3400"  # folded words from here on are Han
_BATCH = 500  # parameters of one statement
_TABLES = """
CREATE TABLE words (word TEXT PRIMARY KEY, documents INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE near (key TEXT, word TEXT, PRIMARY KEY (key, word)) WITHOUT ROWID;
CREATE TABLE sounds (reading TEXT, character TEXT, PRIMARY KEY (reading, character)) WITHOUT ROWID;
CREATE INDEX readings ON sounds (character);
"""


def write(path: Path, terms: Iterable[tuple[str, int]]) -> int:
    """Write the words among the terms of a ranking field.

    Args:
        path: of the file; replaced in one step when all is written.
        terms: term and number of its documents; bigrams among them that are no words of the
            dictionary are left out.

    Returns:
        The number of words.
    """
    from search_index.pinyin import sounds, syllables  # takes 55 MB: where indexes are written only

    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with closing(sqlite3.connect(new)) as file:
        file.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _TABLES)
        file.executemany(
            "INSERT OR IGNORE INTO words VALUES (?, ?)",
            (term for term in terms if is_word(term[0])),
        )
        _keep_most_frequent(file)
        words = [word for (word,) in file.execute("SELECT word FROM words")]
        file.executemany(
            "INSERT OR IGNORE INTO near VALUES (?, ?)",
            ((key, word) for word in words for key in near_keys(word)),
        )
        file.executemany(
            "INSERT OR IGNORE INTO near VALUES (?, ?)",
            (("=" + "".join(syllables(word)), word) for word in words if word >= _HAN),
        )
        file.executemany("INSERT INTO sounds VALUES (?, ?)", sounds())
        file.commit()
    new.replace(path)
    return len(words)


def _keep_most_frequent(file: sqlite3.Connection) -> None:
    """Leave the words of most documents; of the rarest kept, all that are equally rare go."""
    least = file.execute(
        "SELECT documents FROM words ORDER BY documents DESC LIMIT 1 OFFSET ?", (MOST_WORDS,)
    ).fetchone()
    if least is not None:
        file.execute("DELETE FROM words WHERE documents <= ?", least)


def is_word(term: str) -> bool:
    """Say whether a term of the ranking field is a word that one may misspell."""
    if term < _HAN:
        letters = term.isalpha() and term.isascii()
        return letters and SHORTEST_LATIN <= len(term) <= LONGEST_LATIN
    return dictionary.has_word(term) if len(term) == 2 else 2 < len(term) <= LONGEST_HAN


def near_keys(word: str) -> list[str]:
    """What a word leaves when it loses one character.

    Two words meet when one or both do, so that a character left out, added or exchanged is found
    as well as a wrong one. What words of two characters leave says too little.
    """
    if len(word) < 3:
        return []
    return list(dict.fromkeys(word[:at] + word[at + 1 :] for at in range(len(word))))


class WordFile:
    """The file, opened for reading."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            sqlite3.OperationalError: there is none.
        """
        # Never changed once it is in place: no locks, no look at its journal.
        address = f"file:{quote(str(path))}?mode=ro&immutable=1"
        self._file = sqlite3.connect(address, uri=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def documents(self, words: Iterable[str]) -> dict[str, int]:
        """Number of documents by word, of those words that are known."""
        rows = self._rows("SELECT word, documents FROM words WHERE word IN", words)
        return {word: documents for word, documents in rows}  # noqa: C416 - typed, dict() is not

    def near(self, keys: Iterable[str]) -> dict[str, list[str]]:
        """Words by key."""
        found: dict[str, list[str]] = {}
        for key, word in self._rows("SELECT key, word FROM near WHERE key IN", keys):
            found.setdefault(key, []).append(word)
        return found

    def readings(self, characters: Iterable[str]) -> dict[str, set[str]]:
        """Toneless readings by Han character."""
        found: dict[str, set[str]] = {}
        question = "SELECT character, reading FROM sounds WHERE character IN"
        for character, reading in self._rows(question, characters):
            found.setdefault(character, set()).add(reading)
        return found

    def sounding(self, readings: Iterable[str]) -> set[str]:
        """Han characters that may be read so."""
        rows = self._rows("SELECT character FROM sounds WHERE reading IN", readings)
        return {character for (character,) in rows}

    def _rows(self, question: str, values: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        asked = list(dict.fromkeys(values))
        for start in range(0, len(asked), _BATCH):
            batch = asked[start : start + _BATCH]
            yield from self._file.execute(f"{question} ({','.join('?' * len(batch))})", batch)
