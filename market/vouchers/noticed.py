"""The notice of a payment batch: who is to be paid how much, and that nothing else was decided."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from market.core.db import db
from market.core.errors import Conflict, Invalid
from market.core.money import show_yuan
from market.core.permissions import Actor
from market.notices import service as noticing
from market.notices.models import UNITS, Notice
from market.notices.schemas import LONGEST_TEXT, MOST_FIELDS
from market.vouchers.claim_models import Batch, Claim
from market.vouchers.schemes import sheet_of

SUBJECT = "voucher_batch"
LABEL = "收款单位和金额"


def line(claim: Claim) -> str:
    """What the notice says of a claim: its number, who gets the money, how much."""
    return f"{claim.no} {claim.owner.name} {show_yuan(claim.total_fen)}"


def content(batch: Batch, claims: Sequence[Claim]) -> list[list[str]]:
    """What a notice says: label and text of each of its fields.

    Raises:
        Invalid: a notice has no room for as many.
    """
    texts = [""]
    for one in claims:
        whole = f"{texts[-1]}\n{line(one)}".strip()
        if len(whole) > LONGEST_TEXT:
            texts.append(line(one))
        else:
            texts[-1] = whole
    found = [["创新券办法", batch.scheme.title], ["批次", batch.title]]
    found.append(["合计", f"{len(claims)} 份，{show_yuan(sum(one.total_fen for one in claims))}"])
    found += [[LABEL if not number else f"{LABEL}（续 {number}）", text]
              for number, text in enumerate(texts)]  # fmt: skip
    if len(found) > MOST_FIELDS:
        raise Invalid({"claims": ["一份公示写不下这么多份申请，请分成几个批次。"]})
    return found


def begin(actor: Actor, batch: Batch, claims: Sequence[Claim]) -> str:
    """Begin the draft of a batch's notice, in its unit of work; returns its number."""
    subject = noticing.Subject(SUBJECT, batch.id, batch.no)
    said = content(batch, claims)
    title, term = f"{batch.title}公示", needed(claims)
    return noticing.begin_for(actor, subject, "voucher", title, said, term=term)


def needed(claims: Sequence[Claim]) -> tuple[int, str | None] | None:
    """How many days the scheme wants claims to be put up, and of which unit; None: it says nothing."""
    sheets = [sheet_of(one.version) for one in claims]
    terms = [(one.notice_days, one.notice_unit) for one in sheets if one.notice_days]
    return max(terms, key=lambda one: (one[1] == "working", one[0]), default=None)


def short(notice_no: str, claims: Sequence[Claim]) -> str:
    """How a notice was shorter than the scheme says, in a sentence; empty: it was not."""
    found = db.session.scalar(select(Notice).where(Notice.no == notice_no))
    term = needed([one for one in claims if one.notice_no == notice_no])
    if found is None or found.days is None or term is None:
        return ""
    if found.days >= term[0] and not (term[1] == "working" and found.unit == "natural"):
        return ""
    wanted, was = _words(*term), _words(found.days, found.unit)
    return f"办法规定公示 {wanted}，公示 {notice_no} 只有 {was}，请重新公示。"


def _words(days: int, unit: str | None) -> str:
    return f"{days} 个{UNITS[unit]}" if unit else f"{days} 天"


def said_by(notice_no: str) -> list[str]:
    """The lines of a notice that tell who is paid how much, as it froze them."""
    found = db.session.scalar(select(Notice).where(Notice.no == notice_no))
    rows = found.content if found is not None else []
    return [
        one.strip() for label, text in rows if label.startswith(LABEL) for one in text.split("\n")
    ]


def refuse_unsaid(notice_no: str, claims: Sequence[Claim]) -> None:
    """Refuse to go on with what the notice did not say: another payee, another sum, one left out.

    Raises:
        Conflict: with the numbers of the claims.
    """
    said = set(said_by(notice_no))
    wrong = [one.no for one in claims if one.notice_no == notice_no and line(one) not in said]
    if wrong:
        words = f"公示 {notice_no} 里没有 {'、'.join(wrong)} 现在的收款单位和金额"
        raise Conflict(f"{words}，请撤回后重新公示。")
