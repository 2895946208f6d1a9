"""Plain functions of dispatch: the points of a proposal, terms, what a contact shows.

The points are the office's own order of proposals, no rule of law; they are shown with each proposal
and kept with each dispatch, so that anybody can add them up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from market.core.masking import mask_name, mask_telephone

FOLLOW_UP = (
    3  # working days after an answer in which the office should ring: the house's own target
)
LATEST_CALL = timedelta(days=92)
CONTACT_KEPT = timedelta(days=180)  # after the last step (个人信息保护法 art. 19)
LINE_KEPT = timedelta(days=365)  # the persons in a firm's own log

WORD_POINTS, MOST_WORD_POINTS = 12, 36
FIELD_POINTS = 15
INDUSTRY_POINTS = {0: 15, 1: 10, 2: 5}  # by steps in the tree of GB/T 4754
STAGE_POINTS = {"adopted": 10, "production": 10, "pilot": 7, "small_trial": 4, "lab": 2}
# By how many levels (province, prefecture, county) two places share.
REGION_POINTS = {0: 0, 1: 4, 2: 7, 3: 10}
REGION_WORDS = {0: "省外", 1: "同省", 2: "同市（州）", 3: "同县（市、区）"}
PRICE_POINTS, OPEN_PRICE_POINTS = 10, 5
MOST_ANSWER_POINTS, QUICK_POINTS = 6, 4
QUICK = 3 * 24 * 60  # minutes
LABELS = {
    "shared": "共有词",
    "field": "技术领域",
    "industry": "行业",
    "stage": "所处阶段",
    "region": "地区",
    "price": "价格",
    "record": "以往答复",
}


@dataclass(frozen=True)
class Part:
    """A part of a score: whole points, and the words for them."""

    code: str
    points: int
    words: str

    @property
    def sentence(self) -> str:
        """As shown: 共有词：胀袋、复合调味 +24."""
        return f"{LABELS.get(self.code, self.code)}：{self.words} +{self.points}"


@dataclass(frozen=True)
class Record:
    """What a recipient did with earlier dispatches. minutes: on average until its answers."""

    sent: int = 0
    answered: int = 0
    minutes: int | None = None


@dataclass(frozen=True)
class Side:
    """What is compared of a demand or an achievement.

    industries: each code with those above it, the highest first. price: lowest and highest fen, of
    a demand its budget. path: ids of its region from the province down.
    """

    fields: Collection[str] = ()
    industries: Sequence[Sequence[str]] = ()
    stage: str = ""
    price_mode: str = ""
    price: tuple[int, int] | None = None
    path: Sequence[int] = ()


def parts_of(
    demand: Side,
    offer: Side,
    shared: Sequence[str],
    record: Record,
    labels: Mapping[str, Mapping[str, str]],
) -> list[Part]:
    """The points of a proposal, in the order in which they are shown; their sum is the score.

    Args:
        shared: words that both have. labels: "field", "industry", "stage" → code → words.
    """
    return [
        _shared(shared),
        _field(demand, offer, labels["field"]),
        _industry(demand, offer, labels["industry"]),
        _stage(offer, labels["stage"]),
        _region(demand.path, offer.path),
        _price(demand, offer),
        _record(record),
    ]


def score_of(parts: Sequence[Part]) -> int:
    """The sum of the parts."""
    return sum(one.points for one in parts)


def _shared(words: Sequence[str]) -> Part:
    return Part(
        "shared", min(MOST_WORD_POINTS, WORD_POINTS * len(words)), "、".join(words) or "没有"
    )


def _field(demand: Side, offer: Side, labels: Mapping[str, str]) -> Part:
    both = [code for code in demand.fields if code in offer.fields]
    if both:
        return Part("field", FIELD_POINTS, f"同为{labels.get(both[0], both[0])}")
    unknown = not demand.fields or not offer.fields
    return Part("field", 0, "未填写" if unknown else "不同")


def _industry(demand: Side, offer: Side, labels: Mapping[str, str]) -> Part:
    """By the shortest way between two codes through the tree; a code and the one above it: 1."""
    best: tuple[int, str] | None = None
    for one in demand.industries:
        for other in offer.industries:
            shared = _common(one, other)
            # The letter alone (C: all of manufacturing) joins what has nothing to do with each other.
            if shared < min(2, len(one), len(other)):
                continue
            steps = max(len(one), len(other)) - shared
            if best is None or steps < best[0]:
                best = steps, one[shared - 1]
    if best is None:
        unknown = not demand.industries or not offer.industries
        return Part("industry", 0, "未填写" if unknown else "不同")
    points = INDUSTRY_POINTS.get(best[0], 0)
    words = labels.get(best[1], best[1])
    return Part("industry", points, f"同为{words}" if best[0] == 0 else f"同属{words}")


def _common(one: Sequence[Any], other: Sequence[Any]) -> int:
    """How many members two chains share from their beginning."""
    count = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    return count


def _stage(offer: Side, labels: Mapping[str, str]) -> Part:
    points = STAGE_POINTS.get(offer.stage, 0)
    return Part("stage", points, labels.get(offer.stage, "") or "未填写")


def _region(here: Sequence[int], there: Sequence[int]) -> Part:
    levels = min(_common(here, there), 3)
    return Part("region", REGION_POINTS[levels], REGION_WORDS[levels])


def _price(demand: Side, offer: Side) -> Part:
    if offer.price is None:
        open_ = offer.price_mode == "negotiable"
        return Part("price", OPEN_PRICE_POINTS if open_ else 0, "面议" if open_ else "未填写")
    if demand.price is None:
        return Part("price", OPEN_PRICE_POINTS, "预算面议")
    within = offer.price[0] <= demand.price[1]
    return Part("price", PRICE_POINTS if within else 0, "在预算内" if within else "高于预算")


def _record(record: Record) -> Part:
    if not record.sent:
        return Part("record", 0, "还没有推荐过")
    points = round(MOST_ANSWER_POINTS * min(record.answered, record.sent) / record.sent)
    words = f"推荐 {record.sent} 次，答复 {record.answered} 次"
    if record.answered and record.minutes is not None:
        points += QUICK_POINTS if record.minutes <= QUICK else 0
        words += f"，平均 {-(-record.minutes // 1440)} 天内"
    return Part("record", points, words)


def stored(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Parts as they are kept with a dispatch."""
    return [asdict(one) for one in parts]


def read_parts(kept: Sequence[Mapping[str, Any]] | None) -> list[Part]:
    """Parts as they were kept."""
    return [Part(str(one["code"]), int(one["points"]), str(one["words"])) for one in kept or ()]


def shown_contact(name: str, telephone: str) -> str:
    """A person as pages show him: 张* 138****1234."""
    return " ".join(text for text in (mask_name(name), mask_telephone(telephone)) if text)
