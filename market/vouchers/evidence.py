"""Evidence (佐证材料) of a claim: files, each as one thing of the scheme's list."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from market.core import clock, files
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.files import Upload
from market.core.models import StoredFile
from market.core.permissions import Actor, policy
from market.core.unit_of_work import unit_of_work
from market.vouchers.claim_models import Claim
from market.vouchers.codes import EVIDENCE
from market.vouchers.locking import locked
from market.vouchers.workflow import CLAIM_MONEY, READ_CLAIM

FILES = "voucher_claim"
LARGEST = 30 * 1024 * 1024  # bytes of one file
WELCOME = ("pdf", "jpg", "png", "docx", "xlsx")
ACCEPTED = "PDF、JPG、PNG、DOCX 或 XLSX（不带宏、不设密码），每个最多 30 MB，共 20 个"
OTHER = "other"
PURPOSES = {**EVIDENCE, OTHER: "其他材料"}
EDITABLE = ("draft", "returned")


def take_in(name: str, data: bytes) -> Upload:
    """Judge a file by its content. Call outside a unit of work. Raises Invalid."""
    return files.take_in(name, data, only=WELCOME, largest=LARGEST)


def online(claim: Claim) -> frozenset[str]:
    """What needs no paper: the form that is filled in here, the provider's word on the order."""
    found = {"claim_form"}
    if claim.order is not None and claim.order.state in {"confirmed", "delivered", "accepted"}:
        found.add("provider_confirmation")
    return frozenset(found)


def files_of(claim: Claim) -> Sequence[StoredFile]:
    """The files of a claim, oldest first."""
    return files.files_of(FILES, claim.id)


def attached(claim: Claim) -> set[str]:
    """What the files of a claim prove, as codes."""
    return {one.purpose for one in files_of(claim) if one.purpose in EVIDENCE}


def add(actor: Actor, no: str, upload: Upload, purpose: str) -> StoredFile:
    """Attach a file to a draft, or to a claim that came back.

    Raises:
        NotFound, Denied: not this actor's to write. Invalid: no such purpose, or too many files.
        Conflict: it was sent in, or the same file is attached already.
    """
    if purpose not in PURPOSES:
        raise Invalid({"purpose": ["请选择这个文件是什么。"]})
    with unit_of_work(actor) as work:
        claim = locked(Claim, actor, READ_CLAIM, no)
        work.require(CLAIM_MONEY, claim)
        _refuse_sent(claim)
        if any(one.hash == upload.hash and one.purpose == purpose for one in files_of(claim)):
            raise Conflict(f"这个文件已经作为「{PURPOSES[purpose]}」附上了，不用再传。")
        row = files.attach(work, upload, FILES, claim.id, purpose=purpose)
        if purpose in EVIDENCE:
            claim.evidence = sorted({*claim.evidence, purpose})
        _touch(claim)
    return row


def remove(actor: Actor, no: str, file_no: str, version: int | None = None) -> None:
    """Take a file off a draft, or off a claim that came back.

    Raises:
        NotFound: no such file, or not this actor's. Conflict: it was sent in, or it moved.
    """
    with unit_of_work(actor) as work:
        claim = locked(Claim, actor, READ_CLAIM, no, version)
        work.require(CLAIM_MONEY, claim)
        _refuse_sent(claim)
        row = next((one for one in files_of(claim) if one.no == file_no), None)
        if row is None:
            raise NotFound("没有这个文件。")
        files.remove(work, row)
        db.session.flush()
        if row.purpose not in attached(claim):
            claim.evidence = [one for one in claim.evidence if one != row.purpose]
        _touch(claim)


def _refuse_sent(claim: Claim) -> None:
    if claim.state not in EDITABLE:
        raise Conflict("已经提交，不能再改材料；需要修改请先撤回。")


def _touch(claim: Claim) -> None:
    claim.lock_version, claim.updated_at = claim.lock_version + 1, clock.now()
    db.session.flush()


def may_have(actor: Actor, row: StoredFile) -> bool:
    """Whether somebody may have a file of a claim."""
    query = select(Claim.id).where(
        Claim.id == row.object_id, policy.where(actor, READ_CLAIM, Claim)
    )
    return db.session.scalar(query) is not None
