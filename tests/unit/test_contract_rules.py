"""Checks of a contract's fields: what refuses, what warns, and the bounds between."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from market.contracts.codes import CLASSES, SUBCLASSES, party_names, subclasses_of
from market.contracts.rules import (
    REFUSE,
    WARN,
    Facts,
    Instalment,
    Right,
    Side,
    check,
    in_service_area,
    related,
)

TODAY = date(2026, 3, 1)
SELLER = Side("研究所（演示）", "12510115DEM00033XU", region_path="/1/2/3/")
BUYER = Side("食品厂（演示）", "12371602DEM000399T", region_path="/1/2/9/")
GOOD = Facts(
    contract_class="development",
    subclass="commissioned",
    sellers=[SELLER],
    buyers=[BUYER],
    signed_on=date(2026, 1, 5),
    valid_from=date(2026, 1, 5),
    valid_to=date(2027, 1, 4),
    total_fen=280_000_00,
    technical_fen=250_000_00,
    non_technical_fen=30_000_00,
    payment="once",
    rights=[Right("none")],
)


def codes(facts: Facts) -> dict[str, str]:
    return {found.code: found.weight for found in check(facts, TODAY)}


def test_a_whole_contract_has_nothing_to_say():
    assert codes(GOOD) == {}


@pytest.mark.parametrize(
    ("change", "code", "weight"),
    [
        ({"technical_fen": 280_000_01, "non_technical_fen": None}, "technical_above_total", REFUSE),
        ({"signed_on": date(2026, 3, 2)}, "signed_future", REFUSE),
        ({"valid_to": date(2026, 1, 4)}, "term_order", REFUSE),
        ({"valid_from": None, "valid_to": date(2026, 1, 4)}, "term_before_signing", REFUSE),
        ({"buyers": [SELLER]}, "same_party", REFUSE),
        ({"subclass": "patent_licence"}, "subclass", REFUSE),
        ({"valid_to": date(2026, 2, 28)}, "term_over", WARN),
        ({"non_technical_fen": 29_999_99}, "amounts_do_not_add_up", WARN),
        ({"plan": [Instalment(279_999_99)]}, "plan_sum", WARN),
        ({"entry_fen": 1}, "entry_without_royalty", WARN),
        ({"payment": "royalty"}, "royalty_rate", WARN),
        ({"buyers": [replace(BUYER, country="DEU")]}, "foreign_party", WARN),
        ({"buyers": [replace(BUYER, country="DEU")], "is_foreign": True}, "trade_permit", WARN),
        ({"rights": [Right("invention")]}, "patent_number", WARN),
    ],
)
def test_each_check_finds_its_fault_and_no_more_than_its_weight(change, code, weight):
    assert codes(replace(GOOD, **change)).get(code) == weight
    assert code not in codes(GOOD)


def test_the_bounds_are_fine():
    fine = replace(
        GOOD, technical_fen=280_000_00, non_technical_fen=0, signed_on=TODAY, valid_to=TODAY,
        valid_from=TODAY, plan=[Instalment(200_000_00), Instalment(80_000_00)],
    )  # fmt: skip
    assert codes(fine) == {}


def test_a_plan_of_royalties_needs_no_sum():
    royalty = replace(
        GOOD, payment="entry_royalty", entry_fen=100_000_00, royalty_bp=200,
        plan=[Instalment(100_000_00)],
    )  # fmt: skip
    assert codes(royalty) == {}


def test_licences_warn_beyond_the_patent_and_never_refuse():
    licence = replace(
        GOOD,
        contract_class="licence",
        subclass="patent_licence",
        licence_kind="ordinary",
        rights=[Right("invention", "ZL202010000000.1", ends=date(2026, 12, 31))],
    )
    assert codes(licence) == {"licence_beyond_patent": WARN}
    assert codes(replace(licence, valid_to=date(2026, 12, 31))) == {}


def test_patents_change_hands_only_in_the_patent_office():
    sale = replace(
        GOOD,
        contract_class="assignment",
        subclass="patent_assignment",
        rights=[Right("invention", "ZL202010000000.1")],
    )
    assert codes(sale) == {"patent_transfer": WARN}
    assert codes(replace(sale, files=frozenset({"patent_transfer"}))) == {}


def test_services_that_transfer_rights_are_asked_about_their_class():
    service = replace(GOOD, contract_class="service", subclass="service")
    assert codes(replace(service, rights=[Right("software", "1")])) == {"class_and_right": WARN}


def test_related_parties_are_shown_with_what_they_share():
    one = replace(SELLER, legal_person="甲", telephone="138")
    other = replace(BUYER, legal_person="甲", telephone="139")
    assert related(replace(GOOD, sellers=[one], buyers=[other])) == [
        "研究所（演示）与食品厂（演示）的法定代表人相同"
    ]
    assert related(GOOD) == []


def test_a_body_serves_regions_and_units_it_names():
    assert in_service_area(SELLER, ["/1/2/"], [])
    assert not in_service_area(SELLER, ["/1/20/"], [])
    assert in_service_area(SELLER, ["/1/20/"], [SELLER.uscc])
    assert not in_service_area(replace(SELLER, uscc=""), [], ["12371602DEM000399T"])


def test_every_class_has_a_second_level_and_names_for_its_parties():
    assert {above for above, _ in SUBCLASSES.values()} == set(CLASSES)
    for code, (above, _) in SUBCLASSES.items():
        assert code in subclasses_of(above)
        assert party_names(above, code).seller != party_names(above, code).buyer
    assert party_names("service", "training").seller == "培训方"
