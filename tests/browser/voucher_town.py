"""Who takes part in the walks of voucher money."""

from __future__ import annotations

from tests import people, vouchers
from tests.browser.somebody import fresh


class Town:
    """Who takes part: the county's office, its finance bureau, a firm, a house of the directory."""

    def __init__(self):
        code = vouchers.COUNTY
        self.office = people.organisation("东坡区科技局（演示）", kind="office", code=code)
        self.bureau = people.organisation("东坡区财政局（演示）", kind="office", code=code)
        self.firm = people.organisation("东坡酱菜厂（演示）", code=code, uscc="91511402MA6DEM0003")
        self.house = vouchers.provider("眉山检测所（演示）", code=code)
        self.writer = self._somebody(("county", self.office, code), "甲办法")
        self.examiner = self._somebody(("county", self.office, code), "乙审核")
        self.treasurer = self._somebody(("finance", self.bureau, code), "丙财政")
        self.owner = self._somebody(("owner", self.firm), "丁厂长")
        self.seller = self._somebody(("owner", self.house), "戊检测")

    @staticmethod
    def _somebody(role, name):
        return fresh(lambda: people.person(role, name=name))
