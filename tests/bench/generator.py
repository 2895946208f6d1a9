"""Words, titles and queries recombined from a vocabulary, the same for the same seed."""

from __future__ import annotations

import itertools
import random


def _cut(text: str) -> list[str]:
    return text.split()


THINGS = _cut(
    "水稻 小麦 玉米 茶叶 柑橘 生猪 秸秆 沼气 变压器 轴承 陶瓷 锂电池 光伏 水泥 "
    "钢渣 污水 土壤 饲料 中药材 食用菌"
)
DEEDS = _cut(
    "种植 加工 还田 干燥 故障诊断 回收利用 育种 养殖 检测 防治 节能 改造 发酵 "
    "提取 焊接 涂层 监测 控制 优化 设计"
)
WAYS = _cut(
    "一种 基于深度学习的 低成本 智能化 绿色 高效 新型 县域 规模化 无人机 物联网 "
    "遥感 生物 机械化 自动 复合"
)
ENDS = _cut("技术 方法 装置 系统 工艺 设备 模式 研究 应用 示范 中试 关键技术 技术经理人")
PLACES = _cut("四川 山东 江西 青海 成都 济南 南昌 西宁 绵阳 潍坊 赣州 海东 德阳 临沂 九江 格尔木")
OWNERS = _cut("大学 农业科学院 研究所 科技有限公司 职业技术学院 农机推广站 设计院 产业研究院")
_HAN = (
    "高低新旧大小多少快慢冷热干湿水土木金火气电光声磁力热核质量分合成解聚结晶体液固相"
    "变流速压温度密集散射传导感应控测算法网络模型数据图像信号频率波段微纳米线管板膜层"
    "芯片机器手臂轮轴"
)


class Vocabulary:
    """Six thousand words, the first ones far more frequent than the last."""

    def __init__(self, seed: int = 7) -> None:
        chance = random.Random(seed)
        made = {"".join(chance.sample(_HAN, chance.choice((2, 2, 3)))) for _ in range(6_000)}
        self.words = [*THINGS, *DEEDS, *sorted(made)]
        self._weights = list(itertools.accumulate(1 / (i + 50) for i in range(len(self.words))))

    def some(self, chance: random.Random, count: int) -> list[str]:
        """Draw words."""
        return chance.choices(self.words, cum_weights=self._weights, k=count)

    def title(self, chance: random.Random, words: list[str]) -> str:
        """A title that holds these words."""
        return chance.choice(WAYS) + "".join(words) + chance.choice(ENDS)

    def sentences(self, chance: random.Random, words: list[str]) -> list[str]:
        """Sentences of six words each."""
        return [
            "".join(words[i : i + 6]) + chance.choice("，。；") for i in range(0, len(words), 6)
        ]

    def query(self, chance: random.Random, codes: tuple[str, ...] = ()) -> str:
        """One to three words; now and then run together, a phrase, a number or a pinyin."""
        words = self.some(chance, chance.choice((1, 1, 2, 3)))
        shape = chance.random()
        if shape < 0.1:
            return "".join(words)
        if shape < 0.15:
            return f"“{words[0]}”"
        if shape < 0.2:
            others = (*codes, "sichuan", "sdnykxy", "技术经理人", "茶", "中试")
            return chance.choice(others)
        return " ".join(words)
