"""Pages of schemes: read by everybody, written, tried and put in force by offices."""

from __future__ import annotations

import pytest

from market.vouchers.shipped import shipped


@pytest.fixture(scope="module")
def prepared_demo(prepared_quiet):
    return prepared_quiet


def test_everybody_reads_what_is_known(visitor):
    visitor.application.testing = True
    page = visitor.get("/vouchers?region=510000").text
    assert "四川" in page
    assert "本省暂无已收录的办法" in visitor.get("/vouchers?region=630000").text
    for one in shipped():
        for start in ("/vouchers", "/en/vouchers"):
            assert visitor.get(f"{start}/sheets/{one.code}").status_code == 200
            assert visitor.get(f"{start}/sheets/{one.code}/check").status_code == 200
