"""From an agreed intent at least seven of ten fields of the form are there already."""

from __future__ import annotations

from sqlalchemy import select

from market.contracts import content, filing, prefill, queries
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
