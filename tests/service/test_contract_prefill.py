"""From an agreed intent at least seven of ten fields of the form are there already."""

from __future__ import annotations

from sqlalchemy import select

from market.contracts import content, filing, flat, prefill, queries
from market.contracts.papers import texts
from market.contracts.schemas import NEEDED
from market.core.db import db
from market.matching.intents.models import Intent
from tests import people


def test_most_of_the_form_comes_from_the_intent(demo):
    shares = []
    for intent in db.session.scalars(select(Intent).where(Intent.state == "agreed")).all():
        seller = people.actor(("editor", intent.seller_id), name="经办")
        given = prefill.from_intent(seller, intent.no)
        no = filing.begin(
            seller, given.filer_id, given.values, origins=given.origins,
            intent_no=given.intent_no, listing_no=given.listing_no,
        )  # fmt: skip
        case = queries.get(seller, no)
        assert set(case.version.origins) == set(given.values)
        assert (case.contract.seller_id, case.contract.buyer_id) == (
            intent.seller_id,
            intent.buyer_id,
        )
        if given.values.get("contract_class"):
            made = texts.of_intent(seller, intent.no)
            assert (made.name, made.data[:2]) == (f"合同文本-{intent.no}.docx", b"PK")
        shares.append(1 - len(content.missing(case.version.content)) / len(NEEDED))
    assert shares
    assert min(shares) >= 0.7, shares


# The cells of the form that a contract of each class needs as a rule: what every contract says, and
# what its class adds. Rows of the plan are counted as they were agreed.
EVERY = [
    "title",
    "contract_class",
    "subclass",
    "signed_on",
    "valid_from",
    "valid_to",
    "field",
    "industry",
    "aim",
    "plan_source",
    "total_fen",
    "technical_fen",
    "payment",
    "subject",
    "ownership",
    "acceptance",
]
PARTY = ["name", "uscc", "region_code", "nature", "legal_person", "contact", "telephone", "address"]
OF_CLASS = {
    "assignment": ["rights-1-kind", "rights-1-number", "rights-1-holder"],
    "licence": ["rights-1-kind", "rights-1-number", "licence_kind", "royalty_bp", "entry_fen"],
}


def needed_cells(contract_class, typed):
    cells = EVERY + [flat.key(side, 1, one) for side in ("sellers", "buyers") for one in PARTY]
    cells += OF_CLASS.get(contract_class, ["rights-1-kind"])
    for number in flat.numbers_of("plan", typed):
        cells += [flat.key("plan", number, "what"), flat.key("plan", number, "amount_fen")]
    return cells


def test_seven_of_ten_cells_of_the_real_form_are_filled(demo):
    shares = {}
    for intent in db.session.scalars(select(Intent).where(Intent.state == "agreed")).all():
        given = prefill.from_intent(people.actor(("editor", intent.seller_id)), intent.no)
        typed = flat.write(content.unpack(content.pack(given.values)))
        cells = needed_cells(given.values["contract_class"], typed)
        shares[intent.no] = sum(bool(typed.get(one)) for one in cells) / len(cells)
    assert len(shares) >= 3
    assert min(shares.values()) >= 0.7, shares
