"""Pure rules of listings: how complete one is, and what its content is for comparing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from market.catalogue.models import PRICE_BANDS
from market.core.languages import N_

# What readers look for first weighs most; the sums are 100 each.
_WEIGHTS: dict[str, tuple[tuple[str, int, str], ...]] = {
    "achievement": (
        ("problem", 12, N_("写清解决什么问题，企业第一眼看的就是它")),
        ("result", 14, N_("写出关键指标的数值和单位")),
        ("stage", 10, N_("选一个所处阶段，读者按它筛选")),
        ("price_mode", 8, N_("写明价格方式，哪怕是「面议」")),
        ("transfer_modes", 8, N_("选出可接受的转化方式")),
        ("keywords", 7, N_("加几个关键词，更容易被搜到")),
        ("fields", 6, N_("选技术领域，读者按它筛选")),
        ("industries", 5, N_("选应用行业，好推荐给对口企业")),
        ("advantage", 7, N_("和常规做法比一比，好在哪里、代价是什么")),
        ("ip", 6, N_("列出知识产权种类和号码")),
        ("investment", 4, N_("估一估用起来要投多少钱")),
        ("equipment", 3, N_("写出需要哪些设备")),
        ("adoption", 6, N_("写出在哪里用过、效果如何")),
        ("contact", 2, N_("写出由谁接洽")),
        ("valid_until", 2, N_("写出有效期，过期会提醒您确认")),
    ),
    "demand": (
        ("problem", 14, N_("写清技术难题：对象、缺陷、现在怎样")),
        ("targets", 18, N_("写出可考核指标：现值 → 目标值 单位")),
        ("background", 10, N_("写明背景与现状")),
        ("demand_type", 6, N_("选需求类型")),
        ("price_mode", 12, N_("写出拟投入资金，哪怕是「面议」")),
        ("deadline", 10, N_("写出希望什么时候完成")),
        ("keywords", 6, N_("加几个关键词，更容易被搜到")),
        ("fields", 5, N_("选技术领域")),
        ("industries", 4, N_("选所属行业")),
        ("limits", 5, N_("写出场地、法规、成本等限制")),
        ("ip_ownership", 4, N_("写明成果归谁")),
        ("solver_requirements", 3, N_("写出对解决方的要求")),
        ("existing", 3, N_("写出已经做过什么")),
    ),
}


def completeness(kind: str, content: Mapping[str, Any]) -> int:
    """How complete a listing is, 0 to 100."""
    return sum(weight for key, weight, _ in _WEIGHTS[kind] if content.get(key))


def next_improvement(kind: str, content: Mapping[str, Any]) -> tuple[str, int] | None:
    """The missing field that would add most: a sentence and the points; None when complete."""
    missing = [(weight, advice) for key, weight, advice in _WEIGHTS[kind] if not content.get(key)]
    if not missing:
        return None
    weight, advice = max(missing, key=lambda one: one[0])
    return advice, weight


def jsonable(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with dates as ISO text, empty values left out."""
    return {
        key: value.isoformat() if isinstance(value, date) else value
        for key, value in content.items()
        if value is not None
    }


def content_hash(content: Mapping[str, Any]) -> str:
    """A short fingerprint of the content; equal content has an equal one."""
    text = json.dumps(jsonable(content), sort_keys=True, ensure_ascii=False)
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def price_bands(mode: str | None, low: int | None, high: int | None) -> list[str]:
    """The bands that a price or budget touches: keys of PRICE_BANDS, or `negotiable`.

    Args:
        mode: how the price is given, a key of PRICE_MODES.
        low: lowest amount in fen.
        high: highest amount in fen; the lowest where there is none.
    """
    if low is None:
        return ["negotiable"] if mode == "negotiable" else []
    top = low if high is None else high
    return [
        key
        for key, (_, start, end) in PRICE_BANDS.items()
        if top >= start and (end is None or low < end)
    ]
