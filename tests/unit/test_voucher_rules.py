"""Vouchers: what schemes give, by hand to the fen and against a slow reference of another make."""

import json
from collections import Counter
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import product
from math import floor
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import Environment, FileSystemLoader
from marshmallow import ValidationError

from market.core.money import show_yuan
from market.vouchers import content, preview, rules
from market.vouchers.describing import changes, describe
from market.vouchers.facts import OPEN, REFUSE, WARN, Facts, Firm, Invoice, Item, as_json
from market.vouchers.shipped import DATA, by_code, known_for, shipped

DAY = date(2025, 5, 20)
SMALL = Firm(size="small")
ROOT = Path(__file__).parents[2]


def yuan(amount):
    fen = Fraction(str(amount)) * 100
    assert fen.denominator == 1
    return int(fen)


def claim(*items, firm=None, **more):
    bought = [Item(code, yuan(cost)) for code, cost in items]
    return Facts(day=DAY, items=bought, firm=firm or Firm(), **more)


def codes(outcome, weight=REFUSE):
    return [one.code for one in outcome.reasons if one.weight == weight]


def scheme(**values):
    """A stored scheme of one service at 30 %, capped at 200,000 a year, from what a form sends."""
    typed = {
        "title": "示例办法（演示）",
        "services": [{"code": "a", "label": "检测", "rate_bp": "30"}],
        "cap_year_fen": "20万",
    }
    return content.load(typed | values, strict=True)


# Hand-worked


def test_jiangsu_to_the_fen():
    jiangsu = by_code("jiangsu-2020").content
    found = rules.compute(jiangsu, claim(("service", "33333.33"), voucher_left_fen=yuan(100_000)))
    assert found.amount_fen == yuan("8333.33")  # a quarter is 8,333.3325
    assert [(one.label, one.amount_fen) for one in found.top_ups] == [("设区市", yuan("8333.33"))]
    used = replace(claim(("service", 40_000)), used_year_fen=yuan("92000.01"))
    assert rules.compute(jiangsu, used).amount_fen == yuan("7999.99")
    award = rules.award(jiangsu, yuan(3_000_000), used_year_fen=yuan(400_000))
    assert (award.amount_fen, award.ceiling_fen) == (None, yuan(100_000))


def test_yuhuan_in_both_readings():
    firm = Firm(region_codes=["330000", "331000", "331083"])
    facts = claim(("service", 8_000), ("service", 18_000), firm=firm, voucher_left_fen=yuan(50_000))
    stored = by_code("yuhuan-2023").content
    found = rules.compute(stored, facts)
    assert (found.eligible, found.amount_fen, found.ceiling_fen) == (True, None, yuan(22_000))
    assert [(one.label, one.amount_fen) for one in found.alternatives] == [
        ("分段累计", yuan(22_000)),
        ("全部按 50 %", yuan(17_000)),
    ]
    assert [one.words for one in found.reasons if one.code == "reading"] == [
        "读法待定：服务费超过 1 万元时，是 1 万元以内全额、超过部分 50 %，还是全部按 50 %？"
    ]
    shown = preview.result_words(found)
    assert shown == "2.2 万元（分段累计） 或 1.7 万元（全部按 50 %），读法待定"
    # The office chooses: one amount, and the trace says how it came about.
    bands, payer = stored["readings"]
    chosen = dict(stored) | {"readings": [bands | {"chosen": "marginal"}, payer]}
    found = rules.compute(chosen, facts)
    assert (found.amount_fen, found.alternatives) == (yuan(22_000), ())
    assert [(line.label, line.formula, line.amount_fen) for line in found.trace] == [
        ("1. 科技创新服务（目录待补）", "8,000 元 × 100 %", yuan(8_000)),
        ("2. 科技创新服务（目录待补）", "1 万元 × 100 % + 8,000 元 × 50 %", yuan(14_000)),
        ("各项合计", "2 项相加", yuan(22_000)),
        ("补助金额", "以上各步的结果", yuan(22_000)),
    ]


def test_shandong_in_both_tiers():
    facts = claim(("instrument", 8_000), firm=Firm(size="small"))
    found = rules.compute(by_code("shandong-2015").content, facts)
    assert [one.amount_fen for one in found.alternatives] == [yuan(3_200), yuan(4_800)]
    large = rules.compute(
        by_code("shandong-2015").content, replace(facts, firm=Firm(size="medium"))
    )
    assert (large.eligible, large.amount_fen, codes(large)) == (False, 0, ["size"])


def test_sichuan_up_to_and_the_contract_that_gets_nothing():
    firm = Firm(region_codes=["510000"], rosters={"tech_sme": frozenset({2025})})
    facts = claim(("pilot", 60_000), ("testing", 18_000), ("rnd_contract", 280_000), firm=firm)
    stored = by_code("sichuan-2025").content
    found = rules.compute(stored, facts)
    assert (found.eligible, found.amount_fen, found.ceiling_fen) == (True, None, yuan(17_400))
    assert [line.amount_fen for line in found.trace[:3]] == [yuan(12_000), yuan(5_400), 0]
    assert found.trace[2].formula == "28 万元：这项服务不在本办法的服务目录内。"
    assert [line.most for line in found.trace[:3]] == [True, True, False]
    # The rate of the batch, once decided, makes it exact; above the sheet's it is not taken.
    exact = rules.compute(stored, replace(facts, decided={"pilot": 1500, "testing": 3000}))
    assert exact.amount_fen == yuan(9_000) + yuan(5_400)
    above = rules.compute(stored, replace(facts, decided={"pilot": 2500, "testing": 3000}))
    assert (above.amount_fen, above.ceiling_fen) == (None, yuan(17_400))
    assert "decided_rate" in codes(above, OPEN)
    # Two trainees: 30 % of 9,000 is 2,700, at most 1,000 for each.
    trainees = replace(facts, items=[Item("training", yuan(9_000), units=2)])
    assert rules.compute(stored, trainees).ceiling_fen == yuan(2_000)
    statutory = replace(facts, items=[Item("testing", yuan(18_000), None, {"statutory_test"})])
    found = rules.compute(stored, statutory)
    assert (found.eligible, found.amount_fen) == (False, 0)
    assert [one.words for one in found.reasons if one.weight == REFUSE] == [
        "法定或强制性检测，不在支持范围内。"
    ]


def test_a_decided_thirty_per_cent_of_forty_thousand():
    firm = Firm(region_codes=["510000"], rosters={"high_tech": frozenset({2025})})
    facts = claim(("testing", 40_000), firm=firm, decided={"testing": 3000})
    stored = by_code("sichuan-2025").content
    assert rules.compute(stored, facts).amount_fen == yuan(12_000)
    invoices = [Invoice("25517000000012345678", DAY, yuan(40_000), red=True)]
    stopped = rules.compute(stored, replace(facts, invoices=invoices))
    assert (stopped.amount_fen, codes(stopped)) == (0, ["red", "invoice_sum"])
    related = rules.compute(stored, replace(facts, relations=frozenset({"legal_person"})))
    assert codes(related, WARN) == ["related"]  # the sheet's own test is the same legal person


# Shipped sheets


@pytest.mark.parametrize("one", shipped(), ids=lambda one: one.code)
def test_shipped_sheets_give_what_their_kind_says(one):
    cases = preview.examples(one.content, DAY)
    found = [row.outcome for row in preview.preview(one.content, cases) if row.outcome.eligible]
    exact = [row.amount_fen for row in found if row.amount_fen is not None]
    readings = [
        [other.amount_fen for other in row.alternatives] for row in found if row.alternatives
    ]
    ceilings = [row.ceiling_fen for row in found if row.ceiling_fen is not None]
    if one.kind == "exact":
        assert len(exact) == len(found) > 0
    elif one.kind == "readings":
        assert readings
        assert all(None not in row for row in readings)
    elif one.kind == "ceiling":
        assert exact == readings == []
        assert len(ceilings) == len(found) > 0
    else:
        assert exact == readings == ceilings == []
    assert one.sheet.gaps
    assert all(source.get("words") for source in one.content["sources"])
    assert content.load(content.dump(one.content), strict=True) == one.content


def test_every_figure_of_a_shipped_sheet_has_its_source():
    told = {"title", "owner_region", "level", "sources", "gaps", "validity_unit"}
    for one in shipped():
        sourced = {name for row in one.content["sources"] for name in row["fields"]}
        assert set(one.content) - told <= sourced, one.code
        assert sourced <= set(content.SchemeSchema().fields), one.code
    assert Counter(one.kind for one in shipped()) == {
        "exact": 1,
        "readings": 2,
        "ceiling": 6,
        "gaps": 11,
    }


def shape(value):
    """The names within a structure, without what they hold."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    return [shape(one) for one in value] if isinstance(value, list) else None


def test_nothing_of_the_file_is_passed_over():
    for record, one in zip(json.loads(DATA.read_text("utf-8")), shipped(), strict=True):
        assert shape(record["content"]) == shape(one.content), one.code


def test_places_without_a_known_sheet():
    assert known_for(["630000", "630200", "630223"]) == []
    assert [one.code for one in known_for(["330000", "331000", "331083"])] == [
        "yuhuan-2023",
        "zhejiang-law",
    ]


# Content


BANDS = [{"upto_fen": "1万", "rate_bp": "100"}, {"rate_bp": "50"}]


@pytest.mark.parametrize(
    ("values", "name", "words"),
    [
        (
            {
                "services": [
                    {"code": "a", "label": "检测", "bands": [BANDS[0], BANDS[1] | {"from_fen": "8000"}]}
                ]
            },
            "services",
            "第 1 项「检测」：第 2 档从 8,000 元 起，与上一档（到 1 万元）重叠，请改为从 1 万元 起。",
        ),
        (
            {"services": [{"code": "a", "label": "检测", "bands": [BANDS[0], BANDS[0], BANDS[1]]}]},
            "services",
            "第 1 项「检测」：第 2 档到 1 万元 为止，没有超过上一档的 1 万元，两档重叠。",
        ),
        (
            {"services": [{"code": "a", "label": "检测", "bands": [BANDS[1], BANDS[1]]}]},
            "services",
            "第 1 项「检测」：第 1 档没有上限，后面不能再有一档，两档重叠。",
        ),
        (
            {"services": [{"code": "a", "label": "检测", "bands": BANDS[:1]}]},
            "services",
            "第 1 项「检测」：最后一档到 1 万元 为止，再高的费用没有比例：最后一档请不填上限。",
        ),
        (
            {"services": [{"code": "a", "label": "检测", "rate_bp": "30", "rate_max_bp": "30"}]},
            "services",
            "「检测」：补助比例、最高比例、分档只能填一种。",
        ),
        (
            {"payers": [{"payer": "buyer_region", "share": "2/3"}, {"payer": "510000", "share": "30%"}]},
            "payers",
            "分担份额合计 29/30，应为 1。",
        ),
        ({"random_check_bp": "101"}, "random_check_bp", "「101」不是 0 到 100 的百分比，请写成 30 或 2.5 %。"),
        ({"contract_done_by": "2月30日"}, "contract_done_by", "「2月30日」不是日期，请写成 07-01 或 7月1日。"),
        ({"notice_days": "5"}, "notice_unit", "公示天数请选择工作日或自然日。"),
        ({"uncapped": "是"}, "uncapped", "已写明上限，不能再选「没有上限」。"),
        (
            {"budget_total_fen": "10万", "budget_by_year": [{"year": 2025, "amount_fen": "12万"}]},
            "budget_by_year",
            "各年度合计 12 万元，超过预算总额 10 万元。",
        ),
        (
            {"readings": [{"code": "x", "question": "怎样算", "options": [{"code": "m", "label": "甲"}]}]},
            "readings",
            "「怎样算」至少要有两种不同的读法。",
        ),
    ],
)  # fmt: skip
def test_a_sheet_that_contradicts_itself_is_refused(values, name, words):
    with pytest.raises(ValidationError) as refused:
        scheme(**values)
    assert refused.value.messages == {name: [words]}


def test_what_is_open_is_told():
    points = content.open_points(by_code("yuhuan-2023").content)
    blocking = [one.words for one in points if one.blocking]
    assert blocking == [
        "读法待定：服务费超过 1 万元时，是 1 万元以内全额、超过部分 50 %，还是全部按 50 %？",
        "读法待定：由企业申请兑付，还是由服务机构申请兑付？",
        "占用额度的时点：待定",
        "可不申领直接兑付：待定",
        "佐证材料：待定",
        "审核层级：待定",
    ]
    full = scheme(
        reserve_at="issue", payer_model="enterprise", claims_without_voucher="否",
        evidence=["invoice"], review_chain=[],
    )  # fmt: skip
    assert not [one for one in content.open_points(full) if one.blocking]


# Eligibility


FIRM = Firm(rosters={"tech_sme": frozenset({2025})}, region_codes=["510000", "511400", "511402"])
ASKING = {
    "applicant_kinds": ["enterprise"],
    "applicant_regions": ["511402"],
    "applicant_rosters": ["tech_sme"],
    "applicant_sizes": ["small"],
    "claims_without_voucher": "否",
    "claim_windows": [{"opens": "11-01", "closes": "2月15日"}],
    "invoice_year": "last",
    "evidence": ["invoice", "result"],
    "clean_record": "是",
    "revenue_max_fen": "3000万",
    "effective_from": "2024-01-01",
    "effective_to": "2025-12-31",
    "lifetime_once": "是",
    "once_per_provider_per_year": "是",
    "related_tests": ["shareholding"],
    "contract_done_by": "09-30",
}


def test_what_refuses_and_what_is_open():
    stored = scheme(**ASKING)
    good = Facts(
        day=date(2025, 1, 15),
        items=[Item("a", yuan(1000))],
        firm=replace(FIRM, size="small", clean_record=True, revenue_fen=0),
        invoices=[Invoice("1", date(2024, 3, 1), yuan(1000))],
        evidence=frozenset({"invoice", "result"}),
        voucher_left_fen=yuan(500),
        voucher_ends=date(2025, 1, 15),
    )
    found = rules.compute(stored, good)
    assert (found.amount_fen, found.reasons) == (yuan(300), [])
    for change, expected in [
        ({"firm": replace(good.firm, kind="team")}, ["kind"]),
        ({"firm": replace(good.firm, size="large")}, ["size"]),
        ({"firm": replace(good.firm, region_codes=["510000"])}, ["region"]),
        ({"firm": replace(good.firm, rosters={"tech_sme": frozenset({2023})})}, ["roster"]),
        ({"firm": replace(good.firm, clean_record=False)}, ["clean_record"]),
        ({"firm": replace(good.firm, revenue_fen=yuan(30_000_001))}, ["revenue"]),
        ({"firm": replace(good.firm, barred_until=date(2025, 1, 15))}, ["barred"]),
        ({"day": date(2025, 2, 16), "voucher_ends": None}, ["window"]),
        ({"voucher_ends": date(2025, 1, 14)}, ["expired"]),
        ({"voucher_left_fen": None}, ["no_voucher"]),
        ({"evidence": frozenset({"invoice"})}, ["evidence"]),
        ({"invoices": [Invoice("1", date(2025, 1, 1), yuan(1000))]}, ["invoice_day"]),
        ({"invoices": [Invoice("1", date(2024, 1, 1), yuan(1000), currency="USD")]}, ["currency"]),
        ({"invoices": [Invoice("1", date(2024, 1, 1), yuan("999.99"))]}, ["invoice_sum"]),
        ({"done_on": date(2025, 10, 1)}, ["done_by"]),
        ({"claims_before": 1}, ["once"]),
        ({"claims_with_provider_this_year": 1}, ["once_per_provider"]),
        ({"relations": frozenset({"shareholding"})}, ["related"]),
    ]:
        found = rules.compute(stored, replace(good, **change))
        assert codes(found) == expected, change
        assert (found.eligible, found.amount_fen, found.ceiling_fen) == (False, 0, None)
        assert all(one.words.endswith("。") for one in found.reasons)
    unknown = rules.compute(stored, replace(good, firm=FIRM))
    assert codes(unknown, OPEN) == ["size", "clean_record", "revenue"]
    assert unknown.amount_fen == yuan(300)
    # Last year's list only: the sheet does not say which year counts.
    last = replace(good.firm, rosters={"tech_sme": frozenset({2024})})
    assert codes(rules.compute(stored, replace(good, firm=last)), OPEN) == ["roster"]
    applying = replace(good, stage="apply", voucher_left_fen=None, day=date(2025, 6, 1), items=())
    assert rules.eligibility(stored, applying) == []


def test_days_of_a_voucher():
    months = scheme(validity_length="3", validity_unit="month", validity_starts="apply")
    assert rules.voucher_ends(months, date(2023, 11, 30)) == date(2024, 2, 29)
    both = scheme(validity_length="90", validity_unit="day", void_at_year_end="是")
    assert rules.voucher_ends(both, date(2025, 1, 1)) == date(2025, 4, 1)
    assert rules.voucher_ends(both, date(2025, 11, 30)) == date(2025, 12, 31)
    assert rules.voucher_ends(scheme(), date(2025, 1, 1)) is None


def test_the_most_that_can_be_applied_for():
    stored = by_code("yuhuan-2023").content
    firm = Firm(region_codes=["331083"])
    facts = Facts(day=DAY, stage="apply", firm=firm)
    assert rules.voucher_limit(stored, facts).amount_fen == yuan(20_000)
    held = rules.voucher_limit(stored, facts, held_fen=yuan(35_000), issued_year_fen=yuan(60_000))
    assert held.amount_fen == yuan(15_000)
    year = rules.voucher_limit(stored, facts, issued_year_fen=yuan(100_000))
    assert year.amount_fen == 0
    away = rules.voucher_limit(stored, replace(facts, firm=Firm(region_codes=["330100"])))
    assert (away.eligible, away.amount_fen, codes(away)) == (False, 0, ["region"])


def test_what_is_kept_with_a_claim_is_plain():
    stored = scheme(
        payers=[{"payer": "buyer_region", "share": "2/3"}, {"payer": "510000", "share": "1/3"}]
    )
    kept = as_json(rules.compute(stored, claim(("a", "33.33"))))
    assert json.loads(json.dumps(kept)) == kept
    assert kept["trace"][0]["formula"] == "33.33 元 × 30 %，不足 1 分舍去"
    assert [one["share"] for one in kept["parts"]] == ["2/3", "1/3"]
    assert kept["amount_fen"] == 999


def test_what_is_held_already_is_not_asked_of_the_budget_again():
    facts = claim(("a", 10_000), budget_left_fen=0)
    assert rules.compute(scheme(), facts).amount_fen == 0
    held = replace(facts, reserved_fen=yuan(2_999))
    assert rules.compute(scheme(), held).amount_fen == yuan(2_999)


def test_without_a_cap_and_with_an_open_cut_there_is_no_exact_amount():
    facts = claim(("a", 10_000))
    open_cap = content.load(
        {"title": "无", "services": [{"code": "a", "label": "a", "rate_bp": "30"}]}
    )
    assert (
        rules.compute(open_cap, facts).amount_fen,
        rules.compute(open_cap, facts).ceiling_fen,
    ) == (None, None)
    assert rules.compute(open_cap | {"uncapped": True}, facts).amount_fen == yuan(3_000)
    cut = scheme(exhaustion="pro_rata")
    assert rules.compute(cut, facts).ceiling_fen == yuan(3_000)
    assert rules.compute(cut, replace(facts, cut_bp=8_000)).amount_fen == yuan(2_400)


# Against a slow reference

STEP = 1_000_00  # fen: bands of random schemes end at whole thousands of yuan


def random_scheme(random):
    """A stored scheme with a few services, any caps, rounding, readings and payers."""

    def maybe(value, odds=0.4):
        return value if random.random() < odds else None

    def rates():
        points = random.randint(0, 100) * random.choice([1, 25, 100])
        return random.choice([{"rate_bp": points}] * 3 + [{"rate_max_bp": points}] * 2)

    services = []
    for code in "abc"[: random.randint(1, 3)]:
        service = {"code": code, "label": code, "cap_fen": maybe(random.randint(0, 30) * 50_000)}
        if random.random() < 0.5:
            ends = sorted(random.sample(range(1, 30), random.randint(0, 3)))
            bands = [rates() | {"upto_fen": end * STEP} for end in ends] + [rates()]
            service["bands"] = [
                {**band} if random.random() < 0.96 else {"upto_fen": band.get("upto_fen")}
                for band in bands
            ]
            service["band_mode"] = random.choice(["marginal"] * 3 + ["whole"] * 3 + [None])
        else:
            service |= rates() if random.random() < 0.95 else {}
        if random.random() < 0.2:
            service |= {"unit_cap_fen": random.randint(0, 20) * 12_345, "unit": "人"}
        services.append({key: value for key, value in service.items() if value is not None})
    found = {
        "title": "随机",
        "services": services,
        "cap_claim_fen": maybe(random.randint(0, 60) * 50_001),
        "cap_year_fen": maybe(random.randint(0, 99) * 50_003, 0.6),
        "cap_year_by_size": maybe({"small": random.randint(0, 99) * 40_000}, 0.2),
        "cap_total_fen": maybe(random.randint(0, 99) * 70_000, 0.2),
        "uncapped": maybe(True, 0.1),
        "rounding_unit": random.choice([None, None, "fen", "jiao", "yuan", "hundred"]),
        "rounding_mode": random.choice(["down", "half_up"]),
        "exclusions": ["statutory_test"],
        "exhaustion": random.choice([None, None, None, "first_come", "pro_rata"]),
    }
    if random.random() < 0.3:
        options = [
            {"code": mode, "label": mode, "sets": {"band_mode": mode}}
            for mode in ("marginal", "whole")
        ]
        chosen = {"chosen": "whole"} if random.random() < 0.3 else {}
        found["readings"] = [{"code": "bands", "question": "?", "options": options} | chosen]
    if random.random() < 0.3:
        whole = random.randint(2, 9)
        one = random.randint(0, whole)
        found["payers"] = [
            {"payer": "buyer_region", "share": f"{one}/{whole}"},
            {"payer": "provider_region", "share": f"{whole - one}/{whole}"},
        ]
    return {key: value for key, value in found.items() if value is not None}


def random_facts(random, stored):
    """A claim for services of the scheme, now and then for one that it does not know."""
    bought = [one["code"] for one in stored["services"]] * 5 + ["d"]
    items = [
        Item(
            random.choice(bought),
            random.choice(
                [random.randint(0, 40 * STEP), random.randint(0, 40) * STEP, random.randint(0, 999)]
            ),
            random.choice([None, 0, 1, 3]),
            frozenset({"statutory_test"}) if random.random() < 0.1 else frozenset(),
        )
        for _ in range(random.randint(1, 3))
    ]

    def maybe(most, odds=0.3):
        return random.randint(0, most) if random.random() < odds else None

    return Facts(
        day=DAY,
        items=items,
        firm=Firm(size=random.choice(["small", "large", None])),
        used_year_fen=random.choice([0, random.randint(0, 3_000_000)]),
        used_total_fen=random.choice([0, random.randint(0, 3_000_000)]),
        voucher_left_fen=maybe(4_000_000),
        reserved_fen=maybe(2_000_000, 0.2),
        budget_left_fen=maybe(3_000_000),
        decided={
            code: random.randint(0, 5_000)
            for code in ("a", "b", "c", "a:1", "a:2", "b:1", "b:2", "b:3")
            if random.random() < 0.3
        },
        cut_bp=random.choice([None, None, 10_000, 7_777]),
    )  # fmt: skip


def slow(stored, facts):
    """What every reading gives: (fen or None, is a ceiling); None: nothing of it can be paid."""
    modes = [None]
    for reading in stored.get("readings", ()):
        modes = [reading["chosen"]] if "chosen" in reading else ["marginal", "whole"]
    known = {one["code"]: one for one in stored["services"]}
    paid = [one for one in facts.items if one.service in known and not one.exclusions]
    return {slow_sum(stored, facts, known, paid, mode) for mode in modes} if paid else None


def slow_sum(stored, facts, known, paid, mode):
    unit = {"fen": 1, "jiao": 10, "yuan": 100, "hundred": 10_000}[
        stored.get("rounding_unit", "fen")
    ]
    ceiling, by_service = False, Counter()
    for item in paid:
        service = known[item.service]
        worth, most = slow_worth(
            service, item.cost_fen, facts.decided, mode or service.get("band_mode")
        )
        if worth is None:
            return None, False
        units = worth / unit
        if stored["rounding_mode"] == "half_up":
            units += Fraction(1, 2)
        fen = min(floor(units) * unit, item.cost_fen)
        if "unit_cap_fen" in service:
            if item.units is None:
                most = True
            else:
                fen = sorted([fen, item.units * service["unit_cap_fen"]])[0]
        ceiling = ceiling or most
        by_service[item.service] += fen
    for code in by_service:
        by_service[code] = min(by_service[code], known[code].get("cap_fen", by_service[code]))
    limits = [sum(by_service.values())]
    found, capped, open_size = slow_caps(stored, facts)
    if not capped:
        return None, False
    limits += found
    ceiling = ceiling or open_size
    budget = facts.budget_left_fen if facts.reserved_fen is None else facts.reserved_fen
    limits += [one for one in (facts.voucher_left_fen, budget) if one is not None]
    least = Fraction(max(min(limits), 0))
    if facts.cut_bp is not None:
        least *= Fraction(facts.cut_bp, 10_000)
    elif stored.get("exhaustion") == "pro_rata":
        ceiling = True
    return floor(least / unit) * unit, ceiling


def slow_caps(stored, facts):
    """What caps leave, whether any cap is known, and whether the firm's size is not."""
    limits, size_open = [], False
    capped = stored.get("uncapped", False) or any("cap_fen" in one for one in stored["services"])
    used = {"claim": 0, "year": facts.used_year_fen, "total": facts.used_total_fen}
    for name in used:
        if f"cap_{name}_fen" in stored:
            limits.append(stored[f"cap_{name}_fen"] - used[name])
    small = stored.get("cap_year_by_size", {}).get("small")
    if small is not None and facts.firm.size != "large":
        limits.append(small - facts.used_year_fen)
        size_open = facts.firm.size is None
    return limits, capped or bool(limits), size_open


def slow_worth(service, cost, decided, mode):
    """The rate of each thousand yuan on its own, one after the other."""
    if "bands" not in service:
        most = service.get("rate_max_bp")
        if most is not None and decided.get(service["code"], 10_001) <= most:
            return Fraction(cost * decided[service["code"]], 10_000), False
        points = service.get("rate_bp", most)
        return (
            (None, False) if points is None else (Fraction(points * cost, 10_000), most is not None)
        )
    bands = service["bands"]
    if any("rate_bp" not in band and "rate_max_bp" not in band for band in bands):
        return None, False
    if mode is None and len(bands) > 1:
        return None, False
    pieces = [STEP] * (cost // STEP) + ([cost % STEP] if cost % STEP else [])
    worth, most, reached = Fraction(0), False, 0
    for piece in pieces:
        reached += piece
        at = cost if mode == "whole" else reached
        band = next(one for one in bands if at <= one.get("upto_fen", at))
        points = band.get("rate_bp", band.get("rate_max_bp"))
        if "rate_bp" not in band:
            batch = decided.get(f"{service['code']}:{bands.index(band) + 1}")
            settled = batch is not None and batch <= points
            points, most = (batch, most) if settled else (points, True)
        worth += piece * Fraction(points, 10_000)
    return worth, most


def agree(random):
    """Compare one random scheme and one random claim with the reference."""
    stored = random_scheme(random)
    facts = random_facts(random, stored)
    found, expected = rules.compute(stored, facts), slow(stored, facts)
    if expected is None:
        assert (found.eligible, found.amount_fen) == (False, 0)
        return
    results = {(one.amount_fen, one.ceiling_fen) for one in found.alternatives} or {
        (found.amount_fen, found.ceiling_fen)
    }
    told = {(None, fen) if most else (fen, None) for fen, most in expected}
    assert found.eligible
    assert results == told, (stored, facts)
    if found.parts:
        bound = found.amount_fen if found.amount_fen is not None else found.ceiling_fen
        parts = [
            one.amount_fen if one.amount_fen is not None else one.ceiling_fen for one in found.parts
        ]
        assert sum(parts) == bound
        assert all(
            abs(p - bound * one.share) < 1 for p, one in zip(parts, found.parts, strict=True)
        )


@pytest.mark.parametrize("count", [2_900, pytest.param(10_000, marks=pytest.mark.long)])
def test_random_schemes_agree_with_the_reference(count):
    random = Random(f"创新券 {count}")
    for _ in range(count):
        agree(random)


@settings(
    max_examples=100, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(st.randoms(use_true_random=False))
def test_schemes_that_hypothesis_looks_for_agree_with_the_reference(random):
    agree(random)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=8), st.integers(0, 4 * 10**7))
def test_a_budget_is_shared_out_to_the_fen(amounts, budget):
    shares = rules.pro_rata(amounts, budget)
    assert sum(shares) == min(sum(amounts), budget)
    for share, amount in zip(shares, amounts, strict=True):
        assert share <= amount
        if sum(amounts) > budget:
            assert abs(share - Fraction(amount * budget, sum(amounts))) < 1


def test_every_fen_of_an_odd_amount_has_its_payer():
    stored = scheme(
        payers=[{"payer": "buyer_region", "share": "2/3"}, {"payer": "provider_region", "share": "1/3"}]
    )  # fmt: skip
    for fen, up in product(range(1, 50), (1, 7)):
        parts = rules.split(stored, fen * up)
        assert sum(one.amount_fen for one in parts) == fen * up
    assert [one.amount_fen for one in rules.split(stored, yuan(100))] == [6667, 3333]


# In words


def test_a_sheet_in_words_with_what_is_open():
    entries = {one.field: one for one in describe(by_code("yuhuan-2023").content)}
    services = entries["services"]
    assert services.words == (
        "科技创新服务（目录待补）：1 万元以内 100 %，1 万元以上 50 %（算法待定）"
    )
    assert services.source.startswith("玉环市科学技术局 2024-02-21 公开页")
    assert entries["validity_length"].words == "3 个月（起算日待定）"
    assert (entries["reserve_at"].words, entries["reserve_at"].is_open) == ("待定", True)
    sichuan = {one.field: one.words for one in describe(by_code("sichuan-2025").content)}
    assert sichuan["services"].splitlines()[-1] == "技术经理人培训：最高 30 %，每人最高 1,000 元"
    assert sichuan["review_chain"] == "市（州）科技局 → 科技厅"
    assert sichuan["validity_length"] == "自申领之日起 3 个月"
    fujian = {one.field: one.words for one in describe(by_code("fujian-2022").content)}
    assert (
        fujian["payers"] == "省级：份额待定，不超过费用的 30 %，每年最高 12 万元\n市县级：份额待定"
    )
    haidian = {one.field: one.words for one in describe(by_code("haidian").content)}
    assert haidian["cap_year_by_size"] == (
        "微型企业年度上限 10 万元；小型企业年度上限 30 万元；中型企业年度上限 50 万元"
    )
    shantou = {one.label: one.words for one in describe(by_code("shantou-2024").content)}
    assert shantou["停止申领资格"] == "3 年"
    for one in shipped():
        assert all(entry.words for entry in describe(one.content))


def test_what_a_version_changed():
    full = {
        "notice_days": "5", "notice_unit": "工作日", "rounding_unit": "yuan", "rounding_mode": "down",
        "claim_windows": [{"opens": "11-01", "closes": "02-15"}], "contract_done_by": "09-30",
        "budget_by_year": [{"year": "2025", "amount_fen": "100万"}], "review_chain": [],
        "effective_from": "2025-01-01", "random_check_bp": "5",
    }  # fmt: skip
    found = changes(scheme(), scheme(**full, cap_year_fen="30万"))
    assert [(one.label, one.before, one.after) for one in found] == [
        ("施行日期", "", "2025-01-01"),
        ("年度预算", "", "2025 年 100 万元"),
        ("年度上限", "20 万元", "30 万元"),
        ("兑付受理时间", "", "每年 11 月 1 日至 2 月 15 日"),
        ("合同履行截止", "", "9 月 30 日"),
        ("审核层级", "", "不设审核层级"),
        ("公示天数", "", "5 个工作日"),
        ("抽查比例", "", "5 %"),
        ("取整单位", "", "元，舍去尾数"),
    ]


def test_past_cases_tried_again():
    facts = claim(("a", 10_000))
    cases = [preview.Case("旧案", facts, yuan(3_000)), preview.Case("另一件", facts, yuan(2_500))]
    tried = preview.preview(scheme(), cases)
    assert [(one.words, one.differs) for one in tried] == [("3,000 元", False), ("3,000 元", True)]
    words = {
        one.case.label: one.words
        for one in preview.preview(scheme(**ASKING), preview.examples(scheme(**ASKING), DAY))
    }
    assert words["检测，6 万元"] == "1.8 万元"
    assert words["检测，100 万元"] == "20 万元"
    assert (
        words["外地企业"] == words["规模不符：微型"] == words["企业与服务机构有关联"] == "不予兑付"
    )


# The table of the trace


def test_the_trace_as_a_table():
    templates = Environment(loader=FileSystemLoader(ROOT / "templates"), autoescape=True)
    templates.globals |= {"yuan": show_yuan, "price": str, "zh": lambda *_texts: ""}
    templates.globals["_"] = lambda text, **values: text % values if values else text
    macros = templates.get_template("vouchers/_trace.html").module
    found = rules.compute(scheme(), claim(("a", 60_000), ("x<y", 100)))
    page = str(macros.trace_table(found))
    assert page == str(macros.trace_table(as_json(found)))
    assert "x&lt;y" in page
    assert '<td data-label="金额" class="money">1.8 万元</td>' in page
    assert page.count("<tr>") == 1 + len(found.trace)
    both = rules.compute(by_code("shandong-2015").content, claim(("instrument", 8_000), firm=SMALL))
    page = str(macros.trace_table(both))
    assert page.count("（读法待定）</caption>") == page.count("<table") == 2
    ceiling = rules.compute(by_code("fujian-2022").content, claim(("service", 10_000)))
    assert str(macros.result(ceiling)) == "最高 5,000 元"
