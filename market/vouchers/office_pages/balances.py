"""额度与收支: figures from the balances of accounts alone, entries paged by key below them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from market.accounts.roles import OFFICES
from market.core.db import db, under
from market.core.errors import NotFound
from market.core.money import yuan_number
from market.core.permissions import Actor, policy
from market.core.sheets import Column
from market.regions.models import Region
from market.vouchers.claim_models import Claim
from market.vouchers.ledger.models import ENTRY_KINDS, KINDS, LedgerAccount, LedgerEntry, LedgerLine
from market.vouchers.models import Order, Scheme, Voucher
from market.vouchers.workflow import READ_BOOKS

FIGURES = {
    "funding": "年度预算",
    "reserved": "已占用额度",
    "approved": "已审定待拨付",
    "paid": "已拨付",
    "recovered": "已追回",
    "available": "可用额度",
}
MOST_POTS = 500
PER_PAGE = 50
COLUMNS = (
    Column("scheme", "创新券办法"),
    Column("year", "年度"),
    Column("payer", "出资地区"),
    *(Column(kind, f"{label}（元）") for kind, label in FIGURES.items()),
)
_SUBJECTS: Mapping[str, Any] = {"voucher": Voucher, "order": Order, "claim": Claim}
_WORDS = {"voucher": "创新券", "order": "服务订单", "claim": "兑付申请", "budget": "年度预算"}


@dataclass(frozen=True)
class PotLine:
    """A scheme's money of a year and payer: fen and account by kind."""

    scheme: Scheme
    year: int
    region: Region
    fen: Mapping[str, int]
    accounts: Mapping[str, int]

    def share(self, kind: str, width: int) -> int:
        """How wide a figure is drawn, of a whole that is `width` wide."""
        return self.fen[kind] * width // max(self.fen["funding"], 1)

    @property
    def parts(self) -> list[tuple[str, int, int]]:
        """For the drawing: kind, where it begins, how wide it is, of a thousand."""
        found, at = [], 0
        for kind in ("paid", "approved", "reserved", "recovered", "available"):
            wide = self.share(kind, 1_000)
            if wide:
                found.append((kind, at, wide))
            at += wide
        return found


def _allowed(actor: Actor) -> ColumnElement[bool]:
    """Accounts of schemes that the actor may look into, and what regions of his area pay for others."""
    areas = [] if actor.kind == "system" else actor.areas(*OFFICES, "finance")
    own = [under(Region.path, path) for path in areas]
    return or_(policy.where(actor, READ_BOOKS, Scheme), *own)


def pots(actor: Actor, year: int | None = None, scheme_no: str = "") -> list[PotLine]:
    """The figures of each scheme, year and payer, the newest year first; two statements."""
    query = (
        select(LedgerAccount, Scheme, Region)
        .join(Scheme, Scheme.id == LedgerAccount.scheme_id)
        .join(Region, Region.id == LedgerAccount.region_id)
        .where(_allowed(actor))
        .order_by(LedgerAccount.year.desc(), Scheme.id, Region.code, LedgerAccount.id)
        .limit(MOST_POTS * len(KINDS))
    )
    if year is not None:
        query = query.where(LedgerAccount.year == year)
    if scheme_no:
        query = query.where(Scheme.no == scheme_no)
    found: dict[tuple[int, int, int], PotLine] = {}
    for account, scheme, region in db.session.execute(query):
        key = (account.year, scheme.id, region.id)
        line = found.setdefault(key, PotLine(scheme, account.year, region, {}, {}))
        fen = -account.balance_fen if account.kind == "funding" else account.balance_fen
        line.fen[account.kind] = fen  # type: ignore[index]
        line.accounts[account.kind] = account.id  # type: ignore[index]
    return list(found.values())


def rows(lines: Sequence[PotLine]) -> Iterator[dict[str, Any]]:
    """The same as rows of a table."""
    for one in lines:
        yield {
            "scheme": one.scheme.title,
            "year": one.year,
            "payer": one.region.full_name,
            **{kind: yuan_number(one.fen[kind]) for kind in FIGURES},
        }


@dataclass(frozen=True)
class EntryLine:
    """A line of an account in words. fen: what it adds to the figure; url: the page of its subject."""

    entry: LedgerEntry
    fen: int
    kind: str
    subject: str
    url: str


@dataclass(frozen=True)
class Account:
    """An account with a page of its lines, the newest first. older: the key of the next page."""

    account: LedgerAccount
    scheme: Scheme
    region: Region
    label: str
    fen: int
    lines: Sequence[EntryLine]
    older: int | None


def account(actor: Actor, account_id: int, before: int | None = None) -> Account:
    """An account and the entries its figure was counted from. Raises NotFound."""
    query = (
        select(LedgerAccount, Scheme, Region)
        .join(Scheme, Scheme.id == LedgerAccount.scheme_id)
        .join(Region, Region.id == LedgerAccount.region_id)
        .where(LedgerAccount.id == account_id, _allowed(actor))
    )
    found = db.session.execute(query).first()
    if found is None:
        raise NotFound("没有这个账户。")
    row, scheme, region = found
    sign = -1 if row.kind == "funding" else 1
    wanted = select(LedgerLine, LedgerEntry).join(
        LedgerEntry, LedgerEntry.id == LedgerLine.entry_id
    )
    wanted = wanted.where(LedgerLine.account_id == row.id)
    if before is not None:
        wanted = wanted.where(LedgerLine.entry_id < before)
    page = db.session.execute(wanted.order_by(LedgerLine.entry_id.desc()).limit(PER_PAGE + 1)).all()
    shown = page[:PER_PAGE]
    numbers = _numbers([entry for _line, entry in shown])
    lines = [_line(entry, sign * line.amount_fen, numbers) for line, entry in shown]
    older = shown[-1][1].id if len(page) > PER_PAGE else None
    return Account(row, scheme, region, FIGURES[row.kind], sign * row.balance_fen, lines, older)


def _numbers(entries: Sequence[LedgerEntry]) -> dict[tuple[str, int], str]:
    """The numbers of what entries are about; a statement for each kind of it."""
    found: dict[tuple[str, int], str] = {}
    for kind, model in _SUBJECTS.items():
        ids = {one.subject_id for one in entries if one.subject_kind == kind}
        if ids:
            rows = db.session.execute(select(model.id, model.no).where(model.id.in_(ids)))
            found |= {(kind, key): no for key, no in rows}
    return found


def _line(entry: LedgerEntry, fen: int, numbers: Mapping[tuple[str, int], str]) -> EntryLine:
    no = numbers.get((entry.subject_kind, entry.subject_id), "")
    url = f"/desk/vouchers/claims/{no}" if entry.subject_kind == "claim" and no else ""
    words = f"{_WORDS.get(entry.subject_kind, entry.subject_kind)} {no}".strip()
    return EntryLine(entry, fen, ENTRY_KINDS[entry.kind], words, url)
