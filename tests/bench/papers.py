"""Papers: how long one page takes to set, and to sign, in a process that has set one before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from market.contracts.papers import signing
from market.contracts.papers.typesetting import typeset
from market.core import clock
from tests import papers
from tests.bench.figures import Figure, at_most, percentiles, plain
from tests.bench.instance import Instance

TIMES, MOST = 200, 150.0  # ms
DEFINITIONS = """\
A certificate and an information sheet of one page, set by typst as PDF/A-2b from data that differs
each time; the first one of the process apart, since it reads the font. Signed: with pyHanko and a key
on the curve P-256, the file of the key opened each time."""
_QR = '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"><path d="M0 0h1v1h-1z"/></svg>'


def _data(number: int) -> dict[str, object]:
    return {
        "no": f"HT2026{number:06d}",
        "issuer": "某县技术合同登记处",
        "marks": [],
        "footer": "县域技术市场",
        "edition": "第 1 版",
        "void": None,
        "registered-by": "某县技术合同登记处",
        "qr": _QR,
        "verify": {
            "address": "https://market.example/verify",
            "no": str(number),
            "code": "ABCDEFGH",
        },
        "day": "2026年1月5日",
        "rows": [
            ["合同登记编号", f"2026511402{number:06d}"],
            ["项目名称", f"复合调味包常温胀袋控制第 {number} 期"],
            *[[f"第 {at} 项", "食品研究所、调味品厂、280,000.00 元"] for at in range(9)],
        ],
    }


def _times(work: Callable[[int], object], count: int) -> list[float]:
    found = []
    for number in range(count):
        started = time.perf_counter()
        work(number)
        found.append(time.perf_counter() - started)
    return found


def run(folder: Path, scale: float) -> Iterator[Figure]:
    """All figures; `scale`: share of the papers."""
    count = max(20, int(TIMES * scale))
    started = time.perf_counter()
    typeset("certificate", _data(0), clock.now())
    yield plain("first paper of a process", f"{(time.perf_counter() - started) * 1000:.0f} ms")
    for kind, name in (("certificate", "certificate"), ("information", "information sheet")):
        spent = percentiles(
            _times(lambda at, kind=kind: typeset(kind, _data(at), clock.now()), count)
        )
        yield at_most(f"{name}, one page, p95", spent.p95, MOST, "ms", 1)
    instance = Instance(folder / "market")
    try:
        with instance.app.app_context():
            path, _certificate = papers.key_file(folder / "key.p12")
            market = instance.app.extensions["market"]
            market.settings = replace(
                market.settings, signing_key=str(path), signing_password="secret"
            )
            made = typeset("certificate", _data(0), clock.now())
            signing.sign(made, "x")
            spent = percentiles(_times(lambda _at: signing.sign(made, "x"), count // 4))
            yield plain("signing a certificate, p50 / p95", str(spent))
    finally:
        instance.close()
