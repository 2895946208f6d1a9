"""Terms of intents: limits, and what an offer says in words; plain functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from market.catalogue.models import PRICE_MODES
from market.core.money import show_yuan
from market.matching.intents.models import BASES, MODES, OWNERSHIP

REOPENED_WITHIN = timedelta(days=90)
ANSWER_DAYS = 5  # working days in which an intent or an invitation should be answered
ASKED_AFTER = (30, 180)  # days after which both sides are asked what became of it
OUTCOME_DAYS = 15  # days in which they should tell
SAME_AGAIN = timedelta(minutes=10)  # in which the same words or terms are one thing sent twice
MOST_PLAN_ROWS = 12
MOST_INVITED = 3  # brokers and service points that take part in one intent
MOST_OFFERS = 60
MOST_FILES = 5  # of one offer
LONGEST_WORDS = 2000  # characters
LONGEST_MESSAGE = 2000
# What pages and programs may ask for, beside offers, messages and outcomes.
ACTIONS = ("accept", "decline", "withdraw", "end", "reopen", "swap", "show", "hide")
INVITATION_ACTIONS = ("consent", "object", "join", "refuse", "leave", "remove", "again")
WHOLE = 10_000  # basis points of 100 %

# Labels of what an offer says, in the order in which pages show and compare it.
LABELS: dict[str, str] = {
    "transfer_mode": "转化方式",
    "price": "价格",
    "royalty": "提成",
    "plan": "付款计划",
    "delivery_on": "交付日期",
    "acceptance": "验收方式",
    "ownership": "产权归属",
    "valid_until": "方案有效期至",
    "words": "其他约定",
}


def percent(basis_points: int) -> str:
    """A rate in words: 2 %, 2.5 %, 0.25 %."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0") + " %" if rest else f"{whole} %"


def price_words(offer: Mapping[str, Any]) -> str:
    """What it costs: 面议, 28 万元, 20 万元 – 30 万元, 入门费 10 万元 + 提成."""
    mode, low, high = offer["price_mode"], offer.get("price_min_fen"), offer.get("price_max_fen")
    if mode == "entry_royalty":
        return f"入门费 {show_yuan(offer.get('entry_fen') or 0)} + 提成"
    if low is None or high is None:
        return PRICE_MODES[mode]
    return show_yuan(low) if low == high else f"{show_yuan(low)} – {show_yuan(high)}"


def in_words(offer: Mapping[str, Any]) -> dict[str, str]:
    """What an offer says, by the names of `LABELS`; what it does not say is left out."""
    rate, base = offer.get("royalty_bp"), offer.get("royalty_base")
    found = {
        "transfer_mode": MODES[offer["transfer_mode"]],
        "price": price_words(offer),
        "royalty": f"按{BASES[base]}的 {percent(rate)}" if rate and base else "",
        "plan": "；".join(plan_words(offer.get("plan") or ())),
        "delivery_on": _day(offer.get("delivery_on")),
        "acceptance": offer.get("acceptance") or "",
        "ownership": OWNERSHIP.get(offer.get("ownership") or "", ""),
        "valid_until": _day(offer.get("valid_until")),
        "words": offer.get("words") or "",
    }
    return {name: text for name, text in found.items() if text}


def plan_words(plan: Sequence[Mapping[str, Any]]) -> list[str]:
    """The rows of a plan of payments, each as one line."""
    return [
        " ".join(filter(None, (row.get("when"), row.get("what"), show_yuan(row["fen"]))))
        for row in plan
    ]


def _day(value: date | str | None) -> str:
    return value.isoformat() if isinstance(value, date) else value or ""


def warnings(offer: Mapping[str, Any], today: date) -> list[str]:
    """What both sides should look at again; none of it is refused.

    Source: practice of registration (packages of patents and know-how, estimates): a plan that
    does not add up and a royalty without an entry fee are warned about, never blocked.
    """
    found, plan = [], offer.get("plan") or []
    total = sum(row["fen"] for row in plan)
    mode, low, high = offer["price_mode"], offer.get("price_min_fen"), offer.get("price_max_fen")
    if mode == "entry_royalty":
        low = high = offer.get("entry_fen")
    if plan and low is not None and high is not None and not low <= total <= high:
        named = "入门费" if mode == "entry_royalty" else "价格"
        found.append(f"付款计划合计 {show_yuan(total)}，与{named} {_span(low, high)} 不一致。")
    if mode != "entry_royalty" and offer.get("royalty_bp"):
        found.append("写了提成，而价格方式不是「入门费+提成」。")
    if offer["transfer_mode"] in {"consulting", "service"} and offer.get("royalty_bp"):
        found.append("技术咨询、技术服务一般不提成，请核对转化方式。")
    delivery = offer.get("delivery_on")
    if isinstance(delivery, date) and delivery < today:
        found.append("交付日期已经过去。")
    return found


def _span(low: int, high: int) -> str:
    return show_yuan(low) if low == high else f"{show_yuan(low)} – {show_yuan(high)}"
