"""The check before one applies: at most six questions, without an account, nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from marshmallow import EXCLUDE, Schema

from market.core.fields import Choice, Choices, Line, Yuan
from market.core.languages import N_, translate
from market.regions import queries as regions
from market.regions.queries import RegionView
from market.vouchers import preview
from market.vouchers.codes import APPLICANTS, EXCLUSIONS, RELATIONS, ROSTERS, SIZES
from market.vouchers.facts import Facts, Firm, Item, Outcome
from market.vouchers.rules import compute
from market.vouchers.scheme_pages.flat import place_code
from market.vouchers.sheet import Sheet, settled

NOWHERE = "nowhere"  # on none of the lists


class CheckForm(Schema):
    """What is asked; what a sheet does not depend on is not asked."""

    class Meta:
        unknown = EXCLUDE

    kind = Choice(APPLICANTS, metadata={"label": N_("您是")})
    size = Choice(SIZES, metadata={"label": N_("企业规模")})
    region = Line(100, metadata={"label": N_("在哪里")})
    rosters = Choices({**ROSTERS, NOWHERE: N_("都不在")}, metadata={"label": N_("在哪些名单上")})
    service = Line(40, required=True, metadata={"label": N_("要买什么服务")})
    cost_fen = Yuan(required=True, metadata={"label": N_("大约多少钱")})


@dataclass(frozen=True)
class Questions:
    """Which of the six a sheet asks, each with what may be answered."""

    kinds: Sequence[tuple[str, str]]
    sizes: Sequence[tuple[str, str]]
    region: bool
    rosters: Sequence[tuple[str, str]]
    services: Sequence[tuple[str, str]]

    @property
    def count(self) -> int:
        """How many there are."""
        asked = (self.kinds, self.sizes, self.region, self.rosters, self.services)
        return 1 + sum(bool(one) for one in asked)


@dataclass(frozen=True)
class Checked:
    """The answer: the outcome with its trace, and what nobody can know before."""

    outcome: Outcome
    words: str
    facts: Facts
    not_asked: Sequence[str]


def questions(content: Mapping[str, Any]) -> Questions:
    """What a sheet depends on."""
    sheet = settled(content)
    by_size = sheet.applicant_sizes or sheet.cap_year_by_size
    by_kind = sheet.applicant_kinds or sheet.cap_year_by_kind
    rosters = [(code, ROSTERS[code]) for code in sheet.applicant_rosters]
    return Questions(
        kinds=list(APPLICANTS.items()) if by_kind else [],
        sizes=list(SIZES.items()) if by_size else [],
        region=bool(sheet.applicant_regions),
        rosters=[*rosters, (NOWHERE, N_("都不在"))] if rosters else [],
        services=[(one.code, one.label) for one in sheet.services],
    )


def missing(asked: Questions, values: Mapping[str, Any]) -> dict[str, list[str]]:
    """What must be answered, since no sheet can be told without; messages by field."""
    found = {}
    if asked.kinds and not values.get("kind"):
        found["kind"] = [translate("请选一项。")]
    if asked.rosters and not values.get("rosters"):
        found["rosters"] = [translate("请选：在哪个名单上，或都不在。")]
    if values.get("service") and values["service"] not in dict(asked.services):
        found["service"] = [translate("请选一项。")]
    if words := wrong_place(values):
        found["region"] = [words]
    return found


def wrong_place(values: Mapping[str, Any]) -> str:
    """Why it is not clear which place was typed; empty: it is, or none was."""
    return place_code(values["region"])[1] if values.get("region") else ""


def place_of(values: Mapping[str, Any]) -> RegionView | None:
    """The place that was typed."""
    if not values.get("region"):
        return None
    code, wrong = place_code(values["region"])
    return None if wrong else regions.get(code)


def check(content: Mapping[str, Any], values: Mapping[str, Any], day: date) -> Checked:
    """What the sheet gives for the answers; what was not answered is not guessed.

    Args:
        values: of `CheckForm`, whose service is one of the sheet's.
    """
    sheet = settled(content)
    facts = Facts(
        day=day,
        stage="order",
        firm=_firm(values, day),
        items=[Item(values["service"], values["cost_fen"])],
    )
    outcome = compute(sheet, facts)
    return Checked(outcome, preview.result_words(outcome), facts, _not_asked(sheet))


def _firm(values: Mapping[str, Any], day: date) -> Firm:
    place = place_of(values)
    years = frozenset({day.year, day.year - 1})
    chosen = values.get("rosters") or []
    return Firm(
        kind=values.get("kind") or "enterprise",
        size=values.get("size"),
        rosters={code: years for code in chosen if code != NOWHERE},
        region_codes=[code for code, _name in place.trail] if place else (),
    )


def _not_asked(sheet: Sheet) -> list[str]:
    """What decides as well and is looked at when one applies."""
    found = [EXCLUSIONS[code] for code in sheet.exclusions]
    return found + [RELATIONS[code] for code in sheet.related_tests]
