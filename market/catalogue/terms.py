"""Code lists: fields, industries, disciplines, synonyms. Shipped as data, extended by import."""

from __future__ import annotations

import csv
import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from market.catalogue import synonyms
from market.catalogue.models import Term
from market.catalogue.synonyms import Group
from market.core.db import db
from market.core.languages import is_english
from market.core.models import ReferenceData
from market.core.permissions import SYSTEM, Always, policy
from market.core.text import fold
from market.core.unit_of_work import unit_of_work

DATA = Path(__file__).parent / "data" / "terms.csv"
SCHEMES = {"field": "技术领域", "industry": "应用行业", "discipline": "学科分类"}
READ = policy.declare("catalogue:term:read", public=Always())
LOAD = policy.declare("catalogue:term:load")
FRESH = 60.0  # seconds a process believes the lists it has read


def seed() -> None:
    """Bring the shipped code lists into the database; does nothing when they are there."""
    data = DATA.read_bytes()
    version = hashlib.sha256(data).hexdigest()
    held = db.session.get(ReferenceData, "terms")
    if held is not None and held.version == version:
        return
    with unit_of_work(SYSTEM) as work:
        work.require(LOAD)
        for position, record in enumerate(csv.DictReader(data.decode("utf-8").splitlines())):
            values = {name: value or None for name, value in record.items()}
            db.session.merge(Term(position=position, **values))
        db.session.merge(ReferenceData(name="terms", version=version))
        work.record("terms.loaded", "term", 0, after={"version": version})
    forget()


@dataclass(frozen=True)
class Scheme:
    """A code list in memory: labels by code, codes by folded label and alias."""

    labels: Mapping[str, str]
    parents: Mapping[str, str | None]
    codes: Mapping[str, str]
    english: Mapping[str, str]

    def code_of(self, text: str) -> str | None:
        """The code of what was typed: a code, a label, `C14 食品制造业` or an alias."""
        if text in self.labels:
            return text
        head, _, rest = text.partition(" ")
        if rest and head in self.labels:
            return head
        return self.codes.get(fold(text))


_cache: dict[str, tuple[float, Scheme]] = {}
_groups: list[tuple[float, tuple[tuple[str, ...], ...]]] = []


def scheme(name: str) -> Scheme:
    """A code list; read from the database at most once a minute."""
    known = _cache.get(name)
    if known is not None and time.monotonic() - known[0] < FRESH:
        return known[1]
    query = select(Term.code, Term.label, Term.parent_code, Term.aliases, Term.label_en)
    query = query.where(Term.scheme == name, Term.valid_to.is_(None))
    rows = db.session.execute(query.order_by(Term.position, Term.code)).all()
    codes = {fold(alias): row[0] for row in rows for alias in (row[3] or "").split("|") if alias}
    codes |= {fold(code): code for code, *_ in rows}
    # A class may bear its group's name: the upper level wins.
    codes |= {fold(label): code for code, label, *_ in reversed(rows)}
    made = Scheme(
        labels={row[0]: row[1] for row in rows},
        parents={row[0]: row[2] for row in rows},
        codes=codes,
        english={row[0]: row[4] or row[1] for row in rows},
    )
    _cache[name] = (time.monotonic(), made)
    return made


def forget() -> None:
    """Read the lists anew at the next use."""
    _cache.clear()
    _groups.clear()


def synonym_groups() -> tuple[tuple[str, ...], ...]:
    """Groups of words that mean the same; read from the database at most once a minute."""
    if _groups and time.monotonic() - _groups[0][0] < FRESH:
        return _groups[0][1]
    made = tuple(group.words for group in held_groups())
    _groups[:] = [(time.monotonic(), made)]
    return made


def held_groups() -> list[Group]:
    """The groups of synonyms in force."""
    query = select(Term.code, Term.label, Term.aliases)
    query = query.where(Term.scheme == synonyms.SCHEME, Term.valid_to.is_(None))
    return [synonyms.read(*row) for row in db.session.execute(query.order_by(Term.code))]


def resolve(name: str, words: Iterable[str]) -> tuple[list[str], list[str]]:
    """Codes for what was typed, and the words the list does not know (kept as text)."""
    known, kept, unknown = scheme(name), [], []
    for word in words:
        if code := known.code_of(word):
            kept.append(code)
            continue
        parts = [part for part in _split(word) if part]
        if len(parts) > 1 and all(known.code_of(part) for part in parts):
            kept += [known.code_of(part) or part for part in parts]
        else:
            kept.append(word)
            unknown.append(word)
    return list(dict.fromkeys(kept)), unknown


def _split(word: str) -> list[str]:
    for separator in "、，,/ ":
        word = word.replace(separator, ";")
    return word.split(";")


def labels(name: str, codes: Iterable[str]) -> list[str]:
    """Labels of codes; text that is no code stays as it is."""
    known = scheme(name).labels
    return [known.get(code, code) for code in codes]


def names(name: str) -> Mapping[str, str]:
    """Labels by code in the language of the page; Chinese where there is no English one."""
    known = scheme(name)
    return known.english if is_english() else known.labels


def entries(name: str) -> list[tuple[str, str, str | None, str | None]]:
    """Code, label, English label and parent of a list, in order."""
    query = select(Term.code, Term.label, Term.label_en, Term.parent_code)
    query = query.where(Term.scheme == name, Term.valid_to.is_(None))
    return list(db.session.execute(query.order_by(Term.position, Term.code)))
