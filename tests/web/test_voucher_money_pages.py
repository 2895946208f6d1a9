"""Pages of voucher money that concern several claims at once: the treasury's file, awards, cuts."""

from __future__ import annotations

from io import BytesIO

import pytest
from sqlalchemy import select

from market.core import clock
from market.core.db import db
from market.vouchers import paying
from market.vouchers.claim_models import Payment
from market.vouchers.ledger.reconcile import reconcile
from tests import people, vouchers
from tests.voucher_cast import approved, batched
from tests.vouchers import checked, row
from tests.web.test_voucher_offices import HERE, Offices


@pytest.fixture
def offices(app):
    return Offices(app)


def test_a_file_of_the_treasury_pays_several_batches_or_none(offices):
    o, today = offices, clock.today().isoformat()
    claims = []
    for title in ("甲办法（演示）", "乙办法（演示）"):
        no = vouchers.scheme(title=title)
        one = approved(o, no, 1_000_000)
        batch = batched(o, no, [one])
        checked(o.clerk, one)
        paying.countersign(o.finance, batch)
        claims.append(one)
    waits = approved(o, no, 1_000_000)
    batched(o, no, [waits])
    page = o.purse.get(f"{HERE}/treasury")
    assert "甲办法（演示）" in page.text
    assert f"{HERE}/treasury" in o.purse.get(f"{HERE}?tab=pay").text
    assert o.desk.get(f"{HERE}/treasury").status_code == 403
    assert o.purse.get(f"{HERE}/treasury.xlsx").data[:2] == b"PK"

    def sent(*lines):
        head = "兑付编号,国库凭证号,拨付日期,拨付金额"
        return {"file": (BytesIO("\n".join([head, *lines]).encode()), "国库.csv")}

    first, second = (
        f"{one},{number},{today},3000" for one, number in zip(claims, "ab", strict=True)
    )
    wrong = o.post(
        o.purse, "treasury", 422,
        **sent(first, second, second, f"DF0,c,{today},1", f"{waits},d,{today},3000",
               f"{claims[1]},a,{today},3000"),
    )  # fmt: skip
    for words in (
        f"第 4 行：{claims[1]} 重复", "第 5 行：待拨付的批次里没有 DF0", "第 6 行", "财政会签后",
        "第 7 行：国库凭证号 a 重复", "4 处不对",
    ):  # fmt: skip
        assert words in wrong
    assert "请选择国库的拨付表" in o.post(o.purse, "treasury", 422)
    assert db.session.scalars(select(Payment)).all() == []
    o.post(o.purse, "treasury", **sent(first, second))
    assert [row(one).state for one in claims] == ["paid", "paid"]
    assert [row(one).batch.state for one in claims] == ["closed", "closed"]
    far = people.sign_in(
        o.app.test_client(), people.person(("finance", None, "511403"), name="外县")
    )
    assert "甲办法" not in far.get(f"{HERE}/treasury").text
    assert reconcile().true
