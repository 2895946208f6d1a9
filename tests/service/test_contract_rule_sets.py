"""Rules by place and date: the nearest set, clocks that are known and unknown, thresholds."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from market.contracts import rule_sets
from market.contracts.models import RuleSet
from market.contracts.rule_sets import Amounts, due, in_force, reached
from market.core.db import db
from market.regions import queries as regions


def path(code):
    return regions.get(code).path


@pytest.mark.parametrize(
    ("code", "day", "expected"),
    [
        ("511402", date(2025, 6, 1), "national-2000-2001"),
        ("511402", date(2026, 1, 22), "national-2000-2001"),
        ("511402", date(2026, 1, 23), "national-2026"),
        ("330100", date(2026, 6, 1), "zhejiang"),
        ("120104", date(2026, 6, 1), "nankai"),
        ("120101", date(2026, 6, 1), "national-2026"),
    ],
)
def test_the_nearest_rules_of_the_day_are_in_force(app, code, day, expected):
    assert in_force(path(code), day).code == expected


def test_no_clock_is_known_today_in_sichuan(app):
    assert due(in_force(path("511402"), date(2026, 6, 1)), date(2026, 6, 1)) is None
    before = due(in_force(path("511402"), date(2025, 6, 3)), date(2025, 6, 3))
    assert (before.day, before.provisional) == (date(2025, 7, 3), False)


def test_the_draft_is_in_force_nowhere_until_it_is_enabled(app):
    draft = db.session.scalar(select(RuleSet).where(RuleSet.code == "draft-2024-12-20"))
    assert (draft.enabled, draft.confirmed) == (False, False)
    # 15 working days from Tuesday 2025-09-23: the holidays of October lie between.
    assert due(draft, date(2025, 9, 23)).day == date(2025, 10, 20)
    assert due(draft, date(2025, 9, 23), large=True).day > date(2025, 10, 20)


@pytest.mark.parametrize(
    ("place", "amounts", "contract_class", "effects"),
    [
        ("jiangsu", Amounts(5_000_000_00, 0), "service", ["list_only"]),
        ("jiangsu", Amounts(4_999_999_99, 4_999_999_99), "service", []),
        ("shandong", Amounts(10_000_000_00, None), "service", []),
        ("shandong", Amounts(10_000_000_01, None), "service", ["upper"]),
        ("shandong", Amounts(20_000_000_00, None, 9_000_000_00), "service", []),
        ("nankai", Amounts(20_000_000_00, 1), "service", []),
        ("nankai", Amounts(20_000_000_00, 1), "assignment", ["expert"]),
        ("draft-2024-12-20", Amounts(9_000_000_00, 5_000_000_00), "service", ["expert"]),
        ("draft-2024-12-20", Amounts(9_000_000_00, 4_999_999_99), "service", []),
    ],
)
def test_each_threshold_has_a_base_classes_and_an_effect(
    app, place, amounts, contract_class, effects
):
    rules = db.session.scalar(select(RuleSet).where(RuleSet.code == place))
    found = reached(rules.thresholds, contract_class, amounts)
    assert [one.effect for one in found] == effects


def test_seeding_again_changes_nothing(app):
    before = db.session.scalars(select(RuleSet.id)).all()
    rule_sets.seed()
    assert db.session.scalars(select(RuleSet.id)).all() == before
