"""Rows of files of listings and organisations, and searches for them, from fixed seeds."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from stdnum.cn.uscc import calc_check_digit

from market.catalogue import terms
from market.catalogue.models import PRICE_BANDS, STAGES
from market.catalogue.numbers import patent_check_digit
from market.core.db import db
from market.discovery.forms import SearchForm
from market.regions.models import Region
from tests.bench.generator import OWNERS, PLACES, Vocabulary

ORGANISATIONS = 300
Row = Mapping[str, Any]


def patent(chance: random.Random) -> str:
    """A patent number as people write it."""
    digits = f"20{chance.randrange(10, 25)}1{chance.randrange(10**7):07}"
    return f"ZL{digits}.{patent_check_digit(digits)}"


def organisations(regions: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Rows of owners, each with a credit code and a name of its own."""
    chance = random.Random(11)
    rows = []
    for number in range(ORGANISATIONS):
        body = f"12100000BNCH{number:05}"
        code = body + calc_check_digit(body)
        name = f"{chance.choice(PLACES)}{chance.choice(OWNERS)}{number:03}"
        region = chance.choice(regions)[0]
        rows.append({"name": name, "uscc": code, "kind": "高校院所", "region": region})
    return rows


@dataclass(frozen=True)
class World:
    """What rows and searches are made of: places, code lists, owners."""

    counties: Sequence[tuple[str, str]]  # code, full name
    wider: Sequence[str]  # codes of provinces and prefectures
    fields: Sequence[tuple[str, str]]  # code, label
    industries: Sequence[tuple[str, str]]
    owners: Sequence[Mapping[str, Any]]

    @classmethod
    def read(cls) -> World:
        """From the reference data of the application in force."""
        query = select(Region.level, Region.code, Region.full_name)
        query = query.where(Region.valid_to.is_(None), Region.level != "township")
        places = db.session.execute(query.order_by(Region.code)).all()
        counties = [(code, name) for level, code, name in places if level == "county"]
        return cls(
            counties=counties,
            wider=[code for level, code, _ in places if level != "county"],
            fields=sorted(terms.scheme("field").labels.items()),
            industries=sorted(terms.scheme("industry").labels.items()),
            owners=organisations(counties),
        )

    def rows(self, kind: str, count: int, seed: int) -> Iterator[dict[str, Any]]:
        """Rows of a file of achievements or demands, about twenty cells each."""
        chance, vocabulary = random.Random(seed), Vocabulary()
        made = self._achievement if kind == "achievement" else self._demand
        for number in range(count):
            words = vocabulary.some(chance, 84)
            row = self._common(number, chance, vocabulary, words)
            yield row | made(chance, vocabulary, words)

    def _common(
        self, number: int, chance: random.Random, vocabulary: Vocabulary, words: list[str]
    ) -> dict[str, Any]:
        owner = chance.choice(self.owners)
        county = chance.choice(self.counties)
        row = {
            "source_id": f"B-{number:06}",
            "title": vocabulary.title(chance, words[:3]),
            "summary": "".join(vocabulary.sentences(chance, words[3:45])),
            "problem": "".join(vocabulary.sentences(chance, words[45:57])),
            "region": county[number % 2],
            "keywords": "；".join(words[:5]),
            "fields": chance.choice(self.fields)[1],
            "industries": chance.choice(self.industries)[1],
            "contact": "科研管理处",
            "contact_phone": f"010-{chance.randrange(10**8):08}",
            "valid_until": f"2027-{chance.randrange(1, 13):02}",
        }
        return row | (
            {"owner_uscc": owner["uscc"]} if number % 3 else {"owner_name": owner["name"]}
        )

    @staticmethod
    def _achievement(
        chance: random.Random, vocabulary: Vocabulary, words: list[str]
    ) -> dict[str, Any]:
        price = chance.randrange(1, 500)
        mode = chance.choice(("面议", "定价", "区间"))
        prices = {"面议": None, "定价": f"{price}万", "区间": f"{price}-{price * 2}万"}
        return {
            "result": "".join(words[57:60]) + f"由 {price} 降到 {price / 3:.1f}",
            "advantage": "".join(vocabulary.sentences(chance, words[60:72])),
            "stage": chance.choice(sorted(STAGES.values())),
            "trl": chance.randrange(1, 10),
            "price_mode": mode,
            "price": prices[mode],
            "transfer_modes": "；".join(chance.sample(("合作开发", "转让", "许可"), 2)),
            "investment": f"{price * 3}万",
            "ip": patent(chance),
            "adoption": "".join(vocabulary.sentences(chance, words[72:84])),
        }

    @staticmethod
    def _demand(chance: random.Random, vocabulary: Vocabulary, words: list[str]) -> dict[str, Any]:
        return {
            "demand_type": chance.choice(("技术研发", "技术改造", "成果引进")),
            "background": "".join(vocabulary.sentences(chance, words[57:69])),
            "targets": f"{words[70]}：{chance.randrange(9, 99)} → ≤ {chance.randrange(1, 9)} %",
            "limits": "".join(vocabulary.sentences(chance, words[72:84])),
            "budget_mode": "定价",
            "budget": f"{chance.randrange(1, 300)}万",
            "deadline": f"2027-{chance.randrange(1, 13):02}",
            "cooperation_modes": chance.choice(("合作开发", "技术咨询", "技术服务")),
        }

    def searches(self, count: int, seed: int = 2) -> Iterator[SearchForm]:
        """Searches with up to three filters, mostly first pages, one in twenty-five in vain."""
        chance, vocabulary = random.Random(seed), Vocabulary()
        for number in range(count):
            filters = {
                "kind": (chance.choice(("achievement", "achievement", "demand")),),
                "region": (self._place(chance),),
                "field": tuple(code for code, _ in chance.sample(self.fields, 2)),
                "stage": tuple(chance.sample(sorted(STAGES), 2)),
                "industry": (chance.choice(self.industries)[0],),
                "price_band": tuple(chance.sample(sorted(PRICE_BANDS), 2)),
                "owner_kind": ("enterprise", "institute"),
                "date": (chance.choice(("30d", "365d")),),
            }
            chosen = chance.sample(sorted(filters), chance.randrange(4))
            q = vocabulary.query(chance, (patent(chance)[:8], f"CG2026{number:06}"))
            if number % 25 == 24:
                q = f"“{q.strip('“”')}{chance.choice(vocabulary.words)}龘”"
            yield SearchForm(
                q=q,
                sort=chance.choice(("", "", "", "", "", "", "newest", "price")),
                page=chance.choice((1, 1, 1, 1, 1, 1, 1, 1, 2, 3)),
                **{name: filters[name] for name in chosen},
            )

    def _place(self, chance: random.Random) -> str:
        """A province mostly, else a prefecture or a county."""
        county, _ = chance.choice(self.counties)
        province = county[:2] + "0000"
        return chance.choice((*[province] * 4, chance.choice(self.wider), county))


def write_jsonl(path: Path, rows: Iterator[Row] | Sequence[Row]) -> Path:
    """Write rows as JSON Lines; empty cells are left out."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            kept = {key: value for key, value in row.items() if value is not None}
            file.write(json.dumps(kept, ensure_ascii=False) + "\n")
    return path
