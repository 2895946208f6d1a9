"""What forms and files name by words: organisations, regions, parents, fields; and back to words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import current_app
from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from market.accounts import queries as accounts
from market.accounts.models import Organisation
from market.core.db import db
from market.core.errors import Invalid
from market.core.identifiers import read_uscc
from market.core.text import fold
from market.regions.models import Region
from market.regions.queries import Resolver
from market.service_points import rules
from market.service_points.models import BODY, POWERS, Admission, AdmissionTopic, SpecialistTopic

_CODE = re.compile(r"[0-9A-Za-z]{18}")
_NUMBER = re.compile(r"DW\d{10}", re.IGNORECASE)


def field_names() -> Mapping[str, str]:
    """Labels of the technical fields by code, in the language of the page."""
    names: Mapping[str, str] = current_app.extensions["market"].terms("field")
    return names


def chosen_fields(typed: str) -> list[str]:
    """Codes of the fields that a form holds, by code or label."""
    codes = {label: code for code, label in field_names().items()}
    return [codes.get(word, word) for word in typed.split("；") if word]


class Finder:
    """Finds what is named; one object serves one form or one import.

    Each method returns what is meant, or a sentence that says why it is not clear.
    """

    def __init__(self) -> None:
        self._regions: Resolver | None = None
        self._fields: dict[str, str] | None = None

    def region(self, text: str) -> int | str:
        """A region by code or name, townships too."""
        self._regions = self._regions or Resolver()
        found = self._regions.find(text)
        return found if isinstance(found, int) else self._township(text) or found

    def _township(self, text: str) -> int | None:
        """A township by its full name, its name behind that of its county, or a name of its own."""
        assert self._regions is not None
        words = re.sub(r"[\s·,，、/\\—–-]+", "", unicodedata.normalize("NFKC", text))
        ends = [words[at:] for at in range(len(words) - 1)]
        query = select(Region.id, Region.name, Region.path).where(
            Region.name.in_(ends), Region.level == "township", Region.valid_to.is_(None)
        )
        fits = []
        for key, name, path in db.session.execute(query):
            if name == words:  # alone: as long as no other has this name
                fits.append(key)
                continue
            above = self._regions.find(words.removesuffix(name))
            if isinstance(above, int) and f"/{above}/" in path:
                fits.append(key)
        return fits[0] if len(fits) == 1 else None

    def organisation(self, text: str) -> Organisation | str:
        """An active organisation by credit code, number, or full name."""
        words = unicodedata.normalize("NFKC", text).strip()
        if _NUMBER.fullmatch(words):
            return self._one(Organisation.no == words.upper(), words)
        compact = re.sub(r"[\s._-]", "", words)
        if _CODE.fullmatch(compact):
            try:
                row = accounts.by_code(read_uscc(compact))
            except ValidationError as error:
                return str(error.messages[0])
            return row or f"本站没有信用代码为 {compact.upper()} 的单位，请先录入这家单位。"
        return self._one(Organisation.folded_name == fold(words)[:200], words)

    @staticmethod
    def _one(condition: Any, words: str) -> Organisation | str:
        query = select(Organisation).where(Organisation.state == "active", condition)
        rows = db.session.scalars(query.options(joinedload(Organisation.region)).limit(3)).all()
        if len(rows) == 1:
            return rows[0]
        if not rows:
            return f"本站没有「{words[:30]}」这家单位：请核对，或先录入这家单位。"
        return f"有几家单位都叫「{words[:30]}」，请写统一社会信用代码。"

    @staticmethod
    def parent(text: str) -> Admission | str:
        """A registration body by its number, its name, or its organisation's name or credit code."""
        words = unicodedata.normalize("NFKC", text).strip()
        query = select(Admission).join(Admission.owner).where(Admission.kind == BODY)
        query = query.where(
            (Admission.no == words.upper())
            | (Organisation.folded_name == fold(words)[:200])
            | (Organisation.uscc == words.upper())
            | (Organisation.no == words.upper())
            | (Admission.name == text.strip())
        )
        rows = db.session.scalars(query.order_by(Admission.id)).all()
        standing = [row for row in rows if row.state != "ended"]
        if len(standing) == 1:
            return standing[0]
        if standing:
            return f"有几家登记机构都叫「{words[:30]}」，请写编号（FW…）。"
        if rows:
            return rules.ended_trouble(rows[-1].title, rows[-1].no)
        return f"没有编号或名称为「{words[:30]}」的登记机构：上级须是在册的登记机构，请先录入它。"

    def fields(self, words: Iterable[str]) -> list[str] | str:
        """Codes of technical fields, in order."""
        if self._fields is None:
            names = current_app.extensions["market"].terms("field")
            self._fields = {fold(label): code for code, label in names.items()}
            self._fields |= {fold(code): code for code in names}
        found = []
        for word in words:
            code = self._fields.get(fold(word))
            if code is None:
                return f"没有「{word[:20]}」这个技术领域，请从列表中选。"
            found.append(code)
        return list(dict.fromkeys(found))

    def resolve(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The same values with ids in the place of names; only of the keys that are there.

        Raises:
            Invalid: something is not clear, at its field.
        """
        found = dict(values)
        wrong: dict[str, list[str]] = {}
        for key, meant in (
            ("region", self.region),
            ("organisation", self.organisation),
            ("parent", self.parent),
            ("fields", self.fields),
        ):
            if found.get(key):
                self._put(found, wrong, key, meant(found[key]))
        for key, each in (("areas", self.region), ("units", self.organisation)):
            if found.get(key):
                self._put_all(found, wrong, key, [each(word) for word in found[key]])
        if wrong:
            raise Invalid(wrong)
        return found

    @staticmethod
    def _put(found: dict[str, Any], wrong: dict[str, list[str]], key: str, one: Any) -> None:
        if isinstance(one, str):
            wrong[key] = [one]
        else:
            found[key] = one

    @staticmethod
    def _put_all(
        found: dict[str, Any], wrong: dict[str, list[str]], key: str, meant: Sequence[Any]
    ) -> None:
        unclear = [one for one in meant if isinstance(one, str)]
        if unclear:
            wrong[key] = unclear[:3]
        else:
            found[key] = list(dict.fromkeys(meant))


def topics_of(rows: Iterable[AdmissionTopic | SpecialistTopic], sort: str) -> list[str]:
    """The values of one sort: codes of fields, or names of industries."""
    return [row.value for row in rows if row.sort == sort]


def powers_held(row: Admission) -> list[str]:
    """What it may do, in the order of the list of its kind."""
    held = {one.power for one in row.powers}
    return [power for power in POWERS.get(row.kind, ()) if power in held]


def words_of(row: Admission) -> dict[str, Any]:
    """An admission as forms and files write it: everything by name, nothing by id."""
    names = current_app.extensions["market"].terms("field")
    plain = (
        "no kind name valid_from valid_to source authority address hours telephone latitude"
        " longitude note mode amount_base amount_meaning"
    )
    found: dict[str, Any] = {key: getattr(row, key) for key in plain.split()}
    return found | {
        "organisation": row.owner.uscc or row.owner.no,
        "parent": row.parent.no if row.parent else None,
        "region": row.region.full_name,
        "areas": [one.region.full_name for one in row.areas],
        "units": [one.organisation.uscc or one.organisation.no for one in row.units],
        "powers": powers_held(row),
        "amount": row.amount_fen,
        "fields": [names.get(code, code) for code in topics_of(row.topics, "field")],
        "industries": topics_of(row.topics, "industry"),
    }


def ids_of(row: Admission) -> dict[str, Any]:
    """An admission as an import keeps it for being taken back: ids, codes, and dates as text."""
    words = words_of(row)
    plain = {
        key: value.isoformat() if hasattr(value, "isoformat") else value
        for key, value in words.items()
    }
    return plain | {
        "region": row.region_id,
        "parent": row.parent_id,
        "areas": [one.region_id for one in row.areas],
        "units": [one.organisation_id for one in row.units],
        "fields": topics_of(row.topics, "field"),
    }
