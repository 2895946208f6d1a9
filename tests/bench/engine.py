"""Speed and memory of the search engine on generated documents.

    python -m tests.bench.engine [documents]

Prints how fast documents are indexed, p50 and p95 of a full page (20 hits, 5 facets, up to three
filters, highlights) and of suggestions, and the memory of a process that only reads.
"""

from __future__ import annotations

import itertools
import multiprocessing
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from search_index import (
    Document,
    Engine,
    FacetRequest,
    IndexSchema,
    Range,
    SearchRequest,
    open_engine,
)

SCHEMA = IndexSchema(
    filters=("kind", "region", "field", "maturity", "mode"),
    numbers=("date", "price"),
    parts=("summary", "problem", "keywords", "owner"),
)
SYNONYMS = (
    ("技术经理人", "技术经纪人", "科技经纪人"),
    ("中试", "中间试验"),
    ("高企", "高新技术企业"),
)
REQUESTS = 1_000


def _cut(text: str) -> list[str]:
    return text.split()


_THINGS = _cut(
    "水稻 小麦 玉米 茶叶 柑橘 生猪 秸秆 沼气 变压器 轴承 陶瓷 锂电池 光伏 水泥 "
    "钢渣 污水 土壤 饲料 中药材 食用菌"
)
_DEEDS = _cut(
    "种植 加工 还田 干燥 故障诊断 回收利用 育种 养殖 检测 防治 节能 改造 发酵 "
    "提取 焊接 涂层 监测 控制 优化 设计"
)
_WAYS = _cut(
    "一种 基于深度学习的 低成本 智能化 绿色 高效 新型 县域 规模化 无人机 物联网 "
    "遥感 生物 机械化 自动 复合"
)
_ENDS = _cut("技术 方法 装置 系统 工艺 设备 模式 研究 应用 示范 中试 关键技术 技术经理人")
_PLACES = _cut("四川 山东 江西 青海 成都 济南 南昌 西宁 绵阳 潍坊 赣州 海东 德阳 临沂 九江 格尔木")
_OWNERS = _cut("大学 农业科学院 研究所 科技有限公司 职业技术学院 农机推广站 设计院 产业研究院")
_HAN = (
    "高低新旧大小多少快慢冷热干湿水土木金火气电光声磁力热核质量分合成解聚结晶体液固相"
    "变流速压温度密集散射传导感应控测算法网络模型数据图像信号频率波段微纳米线管板膜层"
    "芯片机器手臂轮轴"
)


class Generator:
    """Documents and queries recombined from a vocabulary, the same for the same seed."""

    def __init__(self, seed: int = 7) -> None:
        chance = random.Random(seed)
        made = {"".join(chance.sample(_HAN, chance.choice((2, 2, 3)))) for _ in range(6_000)}
        self._words = [*_THINGS, *_DEEDS, *sorted(made)]
        self._weights = list(itertools.accumulate(1 / (i + 50) for i in range(len(self._words))))
        self._owners = [place + owner for place in _PLACES for owner in _OWNERS]

    def documents(self, count: int, seed: int = 1) -> Iterator[Document]:
        """Yield `count` documents."""
        chance = random.Random(seed)
        for number in range(count):
            yield self._document(number, chance)

    def _some(self, chance: random.Random, count: int) -> list[str]:
        return chance.choices(self._words, cum_weights=self._weights, k=count)

    def _document(self, number: int, chance: random.Random) -> Document:
        words = self._some(chance, 60)
        title = chance.choice(_WAYS) + "".join(words[:3]) + chance.choice(_ENDS)
        sentences = ["".join(words[i : i + 6]) + chance.choice("，。；") for i in range(3, 57, 6)]
        province, county = chance.randrange(31), chance.randrange(100)
        city = county // 10
        numbers = {"date": 19_000 + chance.randrange(1_500)}
        if chance.random() < 0.6:
            numbers["price"] = chance.randrange(1, 500) * 1_000_000
        owner = chance.choice(self._owners)
        return Document(
            key=f"achievement:{number}",
            version=str(number % 7),
            title=title,
            parts={
                "summary": "".join(sentences[:7]),
                "problem": "".join(sentences[7:]),
                "keywords": " ".join(words[:5]),
                "owner": owner,
            },
            names=(owner,),
            codes=(f"ZL2019{chance.randrange(10**8):08}.{number % 10}", f"CG{number:08}"),
            phrases=tuple(words[:5]),
            filters={
                "kind": [chance.choice(("achievement", "demand"))],
                "region": [f"{province}", f"{province}.{city}", f"{province}.{county}"],
                "field": chance.sample([f"f{i}" for i in range(12)], chance.choice((1, 1, 2))),
                "maturity": [f"trl{chance.randrange(1, 10)}"],
                "mode": chance.sample([f"m{i}" for i in range(6)], 2),
            },
            numbers=numbers,
            stored={"no": f"CG{number:08}", "url": f"/achievements/CG{number:08}", "title": title},
        )

    def requests(self, count: int, seed: int = 2) -> Iterator[SearchRequest]:
        """Yield full-page requests of one to three words with up to three filters."""
        chance = random.Random(seed)
        facets = [FacetRequest(name) for name in SCHEMA.filters]
        for _ in range(count):
            filters = {
                "kind": ["achievement"],
                "region": [f"{chance.randrange(31)}"],
                "field": [f"f{i}" for i in chance.sample(range(12), 2)],
            }
            chosen = chance.sample(sorted(filters), chance.randrange(4))
            yield SearchRequest(
                query=self._query(chance),
                filters={name: filters[name] for name in chosen},
                ranges={"price": Range(lte=300_000_000)} if chance.random() < 0.1 else {},
                facets=facets,
                sort=chance.choice(("relevance", "relevance", "relevance", "-date", "price")),
            )

    def _query(self, chance: random.Random) -> str:
        words = self._some(chance, chance.choice((1, 1, 2, 3)))
        shape = chance.random()
        if shape < 0.1:
            return "".join(words)
        if shape < 0.15:
            return f"“{words[0]}”"
        if shape < 0.2:
            return chance.choice(("sichuan", "sdnykxy", "ZL20191234", "技术经理人", "茶", "中试"))
        return " ".join(words)

    def prefixes(self, count: int, seed: int = 3) -> Iterator[str]:
        """Yield beginnings of words and names as typed."""
        chance = random.Random(seed)
        for _ in range(count):
            word = chance.choice((*self._words, *self._owners, *_WAYS, "sichuan", "cd", "shandong"))
            yield word[: chance.randrange(1, len(word) + 1)]


def milliseconds(times: Sequence[float]) -> str:
    """Return p50 and p95 of times in seconds."""
    cuts = statistics.quantiles(times, n=20)
    return f"p50 {statistics.median(times) * 1000:.1f} ms  p95 {cuts[-1] * 1000:.1f} ms"


def anonymous_megabytes() -> int:
    """Return the anonymous memory of this process: what it does not share with the page cache."""
    rollup = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    found = re.search(r"^Anonymous:\s+(\d+) kB", rollup, re.MULTILINE)
    return int(found.group(1)) // 1024 if found else 0


def read(folder: str, requests: int = REQUESTS) -> None:
    """Measure reading in a process of its own."""
    generator = Generator()
    before = anonymous_megabytes()
    with open_engine("tantivy", folder, SCHEMA, synonyms=SYNONYMS) as engine:
        engine.search(SearchRequest("开门"))
        opened = anonymous_megabytes()
        for name, times in _times(engine, generator, requests):
            print(f"{name:12} {milliseconds(times)}")
        print(
            f"anonymous memory: {before} MB before, {opened} MB after the first request, "
            f"{anonymous_megabytes()} MB after {requests} pages and {requests} suggestions"
        )
        print("pypinyin loaded:", "pypinyin" in sys.modules)


def _times(
    engine: Engine, generator: Generator, count: int
) -> Iterator[tuple[str, Sequence[float]]]:
    pages = []
    for request in generator.requests(count):
        start = time.perf_counter()
        engine.search(request)
        pages.append(time.perf_counter() - start)
    yield "full page", pages
    suggestions = []
    for prefix in generator.prefixes(count):
        start = time.perf_counter()
        engine.suggest(prefix)
        suggestions.append(time.perf_counter() - start)
    yield "suggestions", suggestions


def main() -> None:
    """Build an index, then measure reading, checking and small changes."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    generator = Generator()
    with tempfile.TemporaryDirectory() as folder:
        with open_engine("tantivy", folder, SCHEMA, writable=True) as engine:
            documents = list(generator.documents(count))
            start = time.perf_counter()
            engine.rebuild(documents)
            spent = time.perf_counter() - start
            print(f"rebuild      {count / spent:,.0f} documents/s ({spent:.1f} s)", engine.stats())
            start = time.perf_counter()
            report = engine.check((document.key, document.version) for document in documents)
            print(f"check        {time.perf_counter() - start:.2f} s, ok: {report.ok}")
            times = []
            for batch in range(20):
                start = time.perf_counter()
                engine.apply(documents[batch * 50 : batch * 50 + 50])
                times.append(time.perf_counter() - start)
            print(f"apply of 50  {milliseconds(times)}", engine.stats())
        # A fresh process: what building left in memory is not the reader's.
        process = multiprocessing.get_context("spawn").Process(target=read, args=(folder,))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
