"""Voucher money: a claim approved beside the same statements alone; balances with a long ledger."""

from __future__ import annotations

import collections
import re
import shutil
import sqlite3
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask
from sqlalchemy import event, select

from market.app import create_app
from market.core import clock
from market.core.db import BUSY_TIMEOUT_MS, WRITE_OPTION, db
from market.core.permissions import SYSTEM, Actor
from market.core.settings import load
from market.vouchers import claiming, reviewing
from market.vouchers.ledger.models import LedgerAccount
from market.vouchers.ledger.reconcile import reconcile
from tests import people, vouchers
from tests.bench.figures import Figure, at_least, at_most, interleaved, plain, timed
from tests.bench.instance import BenchError, Instance

CLAIMS, ROWS, FEW_ROWS = 300, 1_000_000, 10_000
LEAST_SHARE, MOST_TIMES = 25.0, 3.0
REQUESTS = 100  # of a page in a round
DEFINITIONS = """\
Three copies of one SQLite database hold the same claims, sent in and checked. "Claim approved": the
service passes a claim on the first. The statements that it sends for this claim, recorded on
another copy, are sent on the second through SQLAlchemy Core in one transaction, and on the third
through the driver alone; settings are the same everywhere (WAL, synchronous FULL), the three take
turns. The statements stand above the table, each with how often it is sent for one claim. Balances:
two instances hold 1,000,000 and 10,000 lines of the ledger in the same number of accounts; a clerk
asks for the page of all balances, and for the newest, the middle and the oldest entries of accounts."""
Recorded = list[tuple[Any, Any]]


class _Copy:
    """An application on a copy of an instance's database."""

    def __init__(self, source: Path, folder: Path) -> None:
        folder.mkdir()
        for name in ("market.db", "secret_key"):
            if (source / name).exists():
                shutil.copy(source / name, folder / name)
        self.path = folder / "market.db"
        self.app: Flask = create_app(load({"MARKET_INSTANCE": str(folder)}))

    def close(self) -> None:
        """Let go of the database."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()


def _prepare(folder: Path, count: int) -> tuple[Actor, list[str]]:
    """An instance with so many claims that wait for their approval: who approves, their numbers."""
    instance = Instance(folder)
    with instance.app.app_context():
        firms = [people.organisation(f"企业{one}（演示）") for one in range(20)]
        no = vouchers.scheme(
            budget_fen=10**12, cap_year_fen=None, cap_claim_fen="20000", cap_held_fen=None
        )
        clerk = people.actor(("county", None, vouchers.COUNTY))
        nos = []
        for number in range(count):
            firm = firms[number % len(firms)]
            claim = claiming.begin(SYSTEM, firm, vouchers.values(no, 100_000 + number))
            claiming.submit(SYSTEM, claim)
            vouchers.checked(clerk, claim)
            nos.append(claim)
        db.session.rollback()
    instance.close()
    return clerk, nos


def _record(copy: _Copy, clerk: Actor, nos: list[str]) -> tuple[list[Recorded], list[Recorded]]:
    """What approving sends for each claim: as Core has it, and as the driver gets it."""
    core: list[Recorded] = []
    raw: list[Recorded] = []
    with copy.app.app_context():
        engine = db.engine

        def before(_conn: Any, element: Any, many: Any, given: Any, _options: Any) -> None:
            core[-1].append((element, many or given or None))

        def sent(
            _conn: Any, _cursor: Any, statement: str, given: Any, _context: Any, many: bool
        ) -> None:
            if not statement.startswith("BEGIN"):
                raw[-1].append((statement, list(given) if many else (given,)))

        event.listen(engine, "before_execute", before)
        event.listen(engine, "before_cursor_execute", sent)
        try:
            for no in nos:
                core.append([])
                raw.append([])
                reviewing.review(clerk, no, "pass")
        finally:
            event.remove(engine, "before_execute", before)
            event.remove(engine, "before_cursor_execute", sent)
    return core, raw


def _shown(statement: str) -> str:
    words = " ".join(statement.split()).replace(" | ", " ¦ ")
    return re.sub(r"^SELECT .*? FROM", "SELECT … FROM", words)[:150]


def _tell(raw: Recorded) -> None:
    """Print the statements of one claim, each with how often it is sent."""
    counted = collections.Counter(_shown(statement) for statement, _ in raw)
    sys.stdout.write("claim approved sends:\n")
    for words, times in counted.items():
        sys.stdout.write(f"  {times} × {words}\n")
    sys.stdout.write("\n")


def _approvals(folder: Path, count: int) -> Iterator[Figure]:
    clerk, nos = _prepare(folder / "prepared", count)
    with ExitStack() as opened:
        made = []
        for name in ("recorded", "service", "core"):
            made.append(_Copy(folder / "prepared", folder / name))
            opened.callback(made[-1].close)
        core, raw = _record(made[0], clerk, nos)
        service, alone = made[1], made[2]
        shutil.copy(folder / "prepared" / "market.db", folder / "raw.db")
        driver = _driver(folder / "raw.db")
        opened.callback(driver.close)
        _tell(raw[-1])
        kinds = collections.Counter(one.lstrip()[:6].upper() for one, _ in raw[-1])
        words = ", ".join(f"{times} {kind}" for kind, times in sorted(kinds.items()))
        yield plain("SQL statements of a claim approved", f"{len(raw[-1])}: {words}")
        with alone.app.app_context():
            engine = db.engine
        ways = {
            "service": lambda case: _by_service(service, clerk, nos[case]),
            "core": lambda case: timed(lambda: _by_core(engine, core[case])),
            "raw": lambda case: timed(lambda: _by_driver(driver, raw[case])),
        }
        yield from _compared(_turns(ways, count))
        _same_end(service, alone)


def _turns(ways: dict[str, Callable[[int], float]], count: int) -> dict[str, float]:
    """Median seconds of each way; each claim once, who comes first changes."""
    names = list(ways)
    spent: dict[str, list[float]] = {name: [] for name in names}
    for case in range(count):
        turn = case % len(names)
        for name in names[turn:] + names[:turn]:
            spent[name].append(ways[name](case))
    return {name: statistics.median(seconds) for name, seconds in spent.items()}


def _compared(medians: dict[str, float]) -> Iterator[Figure]:
    for name, label in (
        ("service", "claim approved through the service, p50"),
        ("core", "its statements through SQLAlchemy Core, p50"),
        ("raw", "its statements through the driver, p50"),
    ):
        yield plain(label, f"{medians[name] * 1000:.1f} ms")
    share = medians["core"] / medians["service"] * 100
    yield at_least("speed of the service beside Core", share, LEAST_SHARE, "%")
    share = medians["raw"] / medians["service"] * 100
    yield plain("speed of the service beside the driver", f"{share:.0f} %")


def _by_service(copy: _Copy, clerk: Actor, no: str) -> float:
    with copy.app.app_context():
        seconds = timed(lambda: reviewing.review(clerk, no, "pass"))
        db.session.remove()
    return seconds


def _by_core(engine: Any, statements: Recorded) -> None:
    options = {WRITE_OPTION: SimpleNamespace(wrote=False)}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        for element, given in statements:
            done = connection.execute(element, given)
            if done.returns_rows:
                done.all()


def _driver(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for words in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}", "journal_mode = WAL", "foreign_keys = ON",
        "synchronous = FULL",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {words}")
    return connection


def _by_driver(connection: sqlite3.Connection, statements: Recorded) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for words, rows in statements:
        for given in rows:
            connection.execute(words, given).fetchall()
    connection.execute("COMMIT")


def _same_end(service: _Copy, alone: _Copy) -> None:
    """Both ways led to the same money, so that they did the same work."""
    found = []
    for one in (service, alone):
        with one.app.app_context():
            query = select(LedgerAccount.id, LedgerAccount.balance_fen).order_by(LedgerAccount.id)
            found.append(db.session.execute(query).all())
            assert reconcile().true
            db.session.remove()
    assert found[0] == found[1]


PAGES = ("", "/{account}", "/{account}?before={middle}", "/{account}?before={first}")


class _Books:
    """An instance whose ledger holds so many lines, in the accounts of eight schemes."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.instance = Instance(folder)
        self.app = self.instance.app
        with self.app.app_context():
            for _ in range(8):
                vouchers.scheme(budget_fen=10**12)
            db.session.rollback()
            query = select(LedgerAccount.id).where(LedgerAccount.kind == "available")
            self.accounts = db.session.scalars(query.order_by(LedgerAccount.id)).all()
            clerk = people.person(("county", None, vouchers.COUNTY), name="李经办")
            self.client = people.sign_in(self.app.test_client(), clerk)
            db.session.remove()
        self.instance.close()
        _fill(folder / "market.db", self.accounts, rows // 2)
        self.middle, self.first = rows // 4, 60

    def get(self, page: str, case: int) -> None:
        """A page of `PAGES`. Raises BenchError when it does not come."""
        account = self.accounts[case % len(self.accounts)]
        path = page.format(account=account, middle=self.middle, first=self.first)
        answer = self.client.get(f"/desk/vouchers/balances{path}")
        if answer.status_code != 200:
            raise BenchError(f"{path}: {answer.status}")


def _fill(path: Path, available: Sequence[int], entries: int) -> None:
    """Entries that reserve a fen each: two lines, balances to match."""
    now = clock.now().replace(tzinfo=None).isoformat(sep=" ")
    connection = _driver(path)
    connection.execute("BEGIN IMMEDIATE")
    first = connection.execute("SELECT max(id) FROM ledger_entry").fetchone()[0] + 1
    connection.executemany(
        "INSERT INTO ledger_entry (id, key, kind, subject_kind, subject_id, actor_kind, actor_label,"
        " at) VALUES (?, ?, 'reserve', 'claim', ?, 'system', '系统', ?)",
        ((first + one, f"bench:{one}", one, now) for one in range(entries)),
    )
    reserved = {
        account: connection.execute(
            "SELECT b.id FROM ledger_account a JOIN ledger_account b ON b.scheme_id = a.scheme_id"
            " AND b.year = a.year AND b.region_id = a.region_id WHERE a.id = ? AND b.kind = 'reserved'",
            (account,),
        ).fetchone()[0]
        for account in available
    }
    connection.executemany(
        "INSERT INTO ledger_line (entry_id, account_id, amount_fen) VALUES (?, ?, ?)",
        (
            (first + one, account, fen)
            for one in range(entries)
            for account, fen in (
                (available[one % len(available)], -1),
                (reserved[available[one % len(available)]], 1),
            )
        ),
    )
    connection.execute(
        "UPDATE ledger_account SET balance_fen ="
        " (SELECT coalesce(sum(amount_fen), 0) FROM ledger_line WHERE account_id = ledger_account.id)"
    )
    connection.execute("COMMIT")
    connection.close()


def _balances(folder: Path, rows: int, requests: int) -> Iterator[Figure]:
    with ExitStack() as opened:
        made = {}
        for name, count in (("many", rows), ("few", FEW_ROWS)):
            made[name] = _Books(folder / name, count)
            opened.callback(made[name].instance.close)

        yield plain("lines of the ledger", f"{rows:,} / {FEW_ROWS:,}")
        yield from _pages(made["many"], made["few"], requests)
        with made["many"].app.app_context():
            found = []
            seconds = timed(lambda: found.append(reconcile()))
            assert found[0].true
            db.session.remove()
        yield plain("reconcile over all lines", f"{seconds:.1f} s")


def _pages(many: _Books, few: _Books, requests: int) -> Iterator[Figure]:
    def way(books: _Books, page: str) -> Callable[[int], float]:
        return lambda case: timed(lambda: books.get(page, case))

    ratios = {}
    for page in PAGES:
        times = interleaved({"many": way(many, page), "few": way(few, page)}, requests)
        ratios[page] = times["many"].p95 / times["few"].p95
        if page == "":
            yield plain("page of balances with all lines p50 / p95", times["many"])
            yield plain("page of balances with few lines p50 / p95", times["few"])
            yield at_most("balances, p95 with all / with few", ratios[page], MOST_TIMES, "times", 2)
    worst = max(ratios, key=lambda page: ratios[page])
    figure = at_most("the same, worst page of entries too", ratios[worst], MOST_TIMES, "times", 2)
    yield Figure(figure.name, figure.asked, f"{figure.measured} (balances{worst})", figure.ok)


def run(folder: Path, scale: float) -> Iterator[Figure]:
    """All figures; `scale`: share of the 300 claims and 1,000,000 lines."""
    yield from _approvals(folder, max(20, int(CLAIMS * scale)))
    requests = max(10, int(REQUESTS * min(1, scale * 10)))
    yield from _balances(folder, max(FEW_ROWS, int(ROWS * scale)), requests)
