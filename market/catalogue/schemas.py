"""The fields of achievements and demands: one rule set for forms, the API and spreadsheets.

Fields: the national achievement form and what a market needs beside it (cost of use, varieties,
terms); for demands the six core items of calls for solutions. Only title, summary, owner and
region are needed; everything else raises completeness.
"""

from __future__ import annotations

import re
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, post_load, validates_schema

from market.catalogue.models import COOPERATION_MODES, PRICE_MODES, STAGES, TRANSFER_MODES
from market.catalogue.numbers import IpItems
from market.core.fields import (
    Choice,
    Choices,
    Day,
    Line,
    LongText,
    Month,
    Whole,
    Words,
    YesNo,
    Yuan,
)
from market.core.languages import N_
from market.core.money import NotMoney, format_yuan, parse_yuan
from market.core.text import clean_line

_MODES_ALSO = {
    "研发合作": "joint",
    "合作研发": "joint",
    "合作实施": "joint",
    "委托开发": "joint",
    "技术转让": "assignment",
    "技术许可": "licence",
    "实施许可": "licence",
    "技术入股": "equity",
    "入股": "equity",
}
_STAGES_ALSO = {
    "实验室阶段": "lab",
    "研发": "lab",
    "研发阶段": "lab",
    "初期阶段": "lab",
    "小试阶段": "small_trial",
    "中试阶段": "pilot",
    "中期阶段": "pilot",
    "小批量生产": "production",
    "批量生产": "production",
    "可量产": "production",
    "产业化": "adopted",
    "产业化阶段": "adopted",
    "成熟应用阶段": "adopted",
    "成熟应用": "adopted",
    "推广应用": "adopted",
}
ATTRIBUTES = {
    "original": N_("原始性创新"),
    "absorbed": N_("国外引进消化吸收创新"),
    "developed": N_("国内技术二次开发"),
}
FORMS = {
    "technology": N_("新技术"),
    "process": N_("新工艺"),
    "product": N_("新产品"),
    "material": N_("新材料"),
    "equipment": N_("新装备"),
    "variety": N_("农业/生物新品种"),
    "mineral": N_("矿产新品种"),
    "software": N_("软件"),
    "standard": N_("标准"),
    "paper": N_("论文"),
    "book": N_("著作"),
    "report": N_("报告"),
    "other": N_("其他"),
}
EVALUATED_LEVELS = {
    "leading_world": N_("国际领先"),
    "advanced_world": N_("国际先进"),
    "leading_china": N_("国内领先"),
    "advanced_china": N_("国内先进"),
    "ordinary": N_("国内一般"),
    "none": N_("未评价"),
}
DEMAND_TYPES = {
    "research": N_("技术研发"),
    "product": N_("产品研发"),
    "upgrade": N_("技术改造"),
    "adoption": N_("成果引进"),
    "testing": N_("检测"),
    "talent": N_("人才团队"),
    "equipment": N_("设备共享"),
    "other": N_("其他"),
}
IP_OWNERSHIP = {
    "asker": N_("归需求方"),
    "solver": N_("归解决方"),
    "shared": N_("双方共有"),
    "negotiable": N_("协商确定"),
}
_RANGE = re.compile(r"^\s*(\S.*?)\s*(?:-|－|—+|–|~|～|〜|至|到)\s*(\S.*?)\s*$")
_UNIT = re.compile(r"[^\d.,]+$")
_OPEN_PRICES = frozenset({"面议", "协商", "面谈", "待议", "面议/协商", "协商确定", "价格面议"})


def read_price(text: str) -> tuple[int, int]:
    """Lowest and highest fen of `120000`, `12万` or `10-20万` (a unit at the end serves both).

    Raises:
        NotMoney: neither an amount nor a range of amounts, or the higher one first.
    """
    match = _RANGE.match(text)
    if match is None:
        amount = parse_yuan(text)
        return amount, amount
    low, high = match[1], match[2]
    unit = _UNIT.search(high)
    if unit and not _UNIT.search(low):
        low += unit[0]
    ends = parse_yuan(low), parse_yuan(high)
    if ends[0] > ends[1]:
        raise NotMoney("前一个数比后一个大")
    return ends


class PriceText(Line):
    """The price column before it is read: an amount, a range, 面议; 无 and / say nothing."""

    knows_nothing = True


class ListingSchema(Schema):
    """What achievements and demands share. Loading gives JSON-able values, codes and fen."""

    class Meta:
        unknown = EXCLUDE

    def _deserialize(self, data: Any, *, error_store: Any, partial: Any = None, **more: Any) -> Any:
        """What marshmallow's own does, for a row whose needed cells are filled.

        That one takes a dozen steps for each field of the schema, present or not; files have rows
        by the thousand, most of whose cells are empty.
        """
        if partial is not True or more.get("many"):
            return super()._deserialize(data, error_store=error_store, partial=partial, **more)
        found = {}
        for name, field in self.load_fields.items():
            key = field.data_key or name
            if key not in data:
                continue
            try:
                found[field.attribute or name] = field.deserialize(data[key], key, data)
            except ValidationError as error:
                error_store.store_error(error.messages, key)
        return found

    no = Line(20, metadata={"label": N_("编号"), "note": "本站编号；新增时留空，更新时照填"})
    source_id = Line(
        100, metadata={"label": N_("来源编号"), "note": "您自己系统里的编号，便于再次导入时更新"}
    )
    title = Line(
        200,
        shortest=2,
        required=True,
        metadata={"label": N_("名称"), "note": "说清做什么，不写代号"},
    )
    summary = LongText(
        5000,
        required=True,
        metadata={"label": N_("简介"), "note": "背景、做法、效果，300 字左右最好"},
    )
    owner_uscc = Line(
        40, metadata={"label": N_("单位统一社会信用代码"), "note": "18 位；与单位名称填一项"}
    )
    owner_name = Line(200, metadata={"label": N_("单位名称"), "note": "须先导入或登记过这家单位"})
    region = Line(
        100, metadata={"label": N_("所在地区"), "note": "6 位代码或全称；空则按单位所在地"}
    )
    keywords = Words(30, metadata={"label": N_("关键词"), "note": "用；隔开，最多 30 个"})
    fields_ = Words(
        10,
        comma=False,
        data_key="fields",
        attribute="fields",
        metadata={"label": N_("技术领域"), "scheme": "field"},
    )
    industries = Words(
        10,
        comma=False,
        metadata={"label": N_("应用行业"), "scheme": "industry", "note": "GB/T 4754"},
    )
    disciplines = Words(
        10,
        comma=False,
        metadata={"label": N_("学科分类"), "scheme": "discipline", "note": "GB/T 13745"},
    )
    problem = LongText(2000, metadata={"label": N_("解决的问题")})
    price_mode = Choice(PRICE_MODES, metadata={"label": N_("价格方式")})
    price = PriceText(60, metadata={"label": N_("价格（元）"), "note": "120000、12万 或 10万-20万"})
    contact = Line(100, metadata={"label": N_("联系人"), "note": "岗位或姓名；姓名须本人同意公开"})
    contact_phone = Line(60, metadata={"label": N_("联系电话"), "note": "空则用单位电话"})
    valid_until = Day(metadata={"label": N_("有效期至")})
    source = Line(200, metadata={"label": N_("信息来源")})

    @post_load
    def read_prices(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Turn the two price columns into mode, lowest and highest fen."""
        given = {key: value for key, value in data.items() if value is not None}
        text, mode = given.pop("price", None), given.get("price_mode")
        if text and clean_line(text) in _OPEN_PRICES:
            # 定价 beside 面议 says nothing of an amount.
            text = None
            given["price_mode"] = mode if mode == "entry_royalty" else "negotiable"
        elif text:
            given["price_min_fen"], given["price_max_fen"] = self._amounts(text)
            several = given["price_min_fen"] != given["price_max_fen"]
            if mode in {None, "negotiable", "fixed"}:
                given["price_mode"] = "range" if several else "fixed"
        elif mode in {"fixed", "range", "entry_royalty"}:
            label = self.fields["price"].metadata["label"]
            raise ValidationError(f"选了「{PRICE_MODES[mode]}」就要填{label}。", self._price_key())
        return given

    def _price_key(self) -> str:
        """The column that a fault of the price belongs to: `price`, in demands `budget`."""
        return self.fields["price"].data_key or "price"

    def _amounts(self, text: str) -> tuple[int, int]:
        try:
            return read_price(text)
        except NotMoney as error:
            raise ValidationError(
                f"「{clean_line(text)[:20]}」{error}，请写成 120000、12万 或 10万-20万，单位为元。",
                self._price_key(),
            ) from error


class AchievementSchema(ListingSchema):
    """A research outcome on offer."""

    result = LongText(2000, metadata={"label": N_("结果与数据"), "note": "关键指标的数值和单位"})
    advantage = LongText(2000, metadata={"label": N_("与常规做法相比")})
    stage = Choice(STAGES, _STAGES_ALSO, metadata={"label": N_("所处阶段")})
    trl = Whole(1, 9, metadata={"label": N_("技术就绪度（TRL）"), "note": "1–9，可不填"})
    transfer_modes = Choices(TRANSFER_MODES, _MODES_ALSO, metadata={"label": N_("转化方式")})
    trial = YesNo(metadata={"label": N_("可先用后转")})
    royalty = Line(200, metadata={"label": N_("提成说明"), "note": "如 销售额的 2%，5 年"})
    terms = LongText(1000, metadata={"label": N_("合作条件")})
    equipment = LongText(1000, metadata={"label": N_("所需设备")})
    site = LongText(1000, metadata={"label": N_("场地与水电条件")})
    throughput = Line(200, metadata={"label": N_("处理能力")})
    investment = Yuan(metadata={"label": N_("投入估算（元）"), "note": "用起来一次要投多少"})
    payback = Whole(1, 600, metadata={"label": N_("回收期（月）")})
    licences = LongText(500, metadata={"label": N_("所需许可")})
    ip = IpItems(
        20,
        longest=100,
        comma=False,
        metadata={"label": N_("知识产权"), "note": "如 发明专利 202010566088.9；多项用；隔开"},
    )
    variety_approval_no = Line(100, metadata={"label": N_("品种审定或登记编号")})
    variety_right_no = Line(100, metadata={"label": N_("品种权号")})
    suitable_region = Line(300, metadata={"label": N_("适宜区域")})
    suitable_altitude = Line(100, metadata={"label": N_("适宜海拔")})
    suitable_salinity = Line(100, metadata={"label": N_("适宜含盐量")})
    accumulated_temperature = Line(100, metadata={"label": N_("所需积温")})
    completing_units = Words(
        20, longest=100, comma=False, metadata={"label": N_("完成单位"), "note": "按顺序，用；隔开"}
    )
    started = Month(metadata={"label": N_("研究起始"), "note": "如 2023-03"})
    finished = Month(metadata={"label": N_("研究结束")})
    attribute = Choice(ATTRIBUTES, metadata={"label": N_("成果属性")})
    form = Choices(
        FORMS, {"新品种": "variety", "农业新品种": "variety"}, metadata={"label": N_("体现形式")}
    )
    level = Choice(EVALUATED_LEVELS, metadata={"label": N_("成果水平")})
    registration_no = Line(40, metadata={"label": N_("成果登记号")})
    evaluation_method = Line(100, metadata={"label": N_("评价方式")})
    evaluation_by = Line(200, metadata={"label": N_("评价单位")})
    evaluation_date = Day(metadata={"label": N_("评价日期")})
    evaluation_no = Line(100, metadata={"label": N_("评价报告编号")})
    adoption = LongText(2000, metadata={"label": N_("应用情况")})

    @validates_schema
    def check_order(self, data: dict[str, Any], **_: Any) -> None:
        """The research may not end before it began."""
        started, finished = data.get("started"), data.get("finished")
        if started and finished and finished < started:
            raise ValidationError(f"早于研究起始（{started}）。", "finished")


class DemandSchema(ListingSchema):
    """A problem that an enterprise, cooperative or office wants solved."""

    demand_type = Choice(DEMAND_TYPES, metadata={"label": N_("需求类型")})
    problem = LongText(2000, metadata={"label": N_("技术难题")})
    background = LongText(2000, metadata={"label": N_("背景与现状")})
    targets = Words(
        20,
        longest=200,
        comma=False,
        metadata={"label": N_("可考核指标"), "note": "如 胀袋率：3.2% → ≤0.5%；多项用；隔开"},
    )
    existing = LongText(2000, metadata={"label": N_("已有基础")})
    limits = LongText(2000, metadata={"label": N_("限制条件")})
    price_mode = Choice(
        {key: PRICE_MODES[key] for key in ("negotiable", "fixed", "range")},
        data_key="budget_mode",
        metadata={"label": N_("预算方式")},
    )
    price = PriceText(
        60,
        data_key="budget",
        metadata={"label": N_("拟投入资金（元）"), "note": "300000、30万、20万-30万 或 面议"},
    )
    deadline = Day(metadata={"label": N_("完成时限")})
    ip_ownership = Choice(IP_OWNERSHIP, metadata={"label": N_("产权归属")})
    solver_requirements = LongText(1000, metadata={"label": N_("对解决方的要求")})
    cooperation_modes = Choices(COOPERATION_MODES, _MODES_ALSO, metadata={"label": N_("合作方式")})
    name_hidden = YesNo(
        metadata={
            "label": N_("不公开单位名称"),
            "note": "选「是」：公开的页面只写「某……企业（县）」，联系电话改为当地科技管理部门；"
            "逐个同意后才告诉对方",
        }
    )


SCHEMAS: dict[str, ListingSchema] = {
    "achievement": AchievementSchema(),
    "demand": DemandSchema(),
}


def price_text(low: int | None, high: int | None) -> str | None:
    """The price column of a file: `120000` or `100000-200000`."""
    if low is None or high is None:
        return None
    return format_yuan(low) if low == high else f"{format_yuan(low)}-{format_yuan(high)}"
