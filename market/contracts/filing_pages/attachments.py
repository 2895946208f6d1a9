"""Files of a contract: taken in, taken off, and who may have them."""

from __future__ import annotations

from sqlalchemy import select

from market.contracts.filing_pages.rules import LARGEST, OFFERED, POINT, WELCOME
from market.contracts.locking import FILES, locked, touch
from market.contracts.models import Contract
from market.contracts.workflow import EDIT, READ_FILES
from market.core import files
from market.core.db import db
from market.core.errors import Conflict, Invalid, NotFound
from market.core.files import Upload
from market.core.models import StoredFile
from market.core.permissions import Actor, policy
from market.core.unit_of_work import unit_of_work


def take_in(name: str, data: bytes) -> Upload:
    """Judge a file of a contract by its content. Call outside a unit of work. Raises Invalid."""
    return files.take_in(name, data, only=WELCOME, largest=LARGEST)


def add(
    actor: Actor, no: str, upload: Upload, purpose: str, caption: str | None = None
) -> StoredFile:
    """Attach a file to a draft, or to one that came back.

    Raises:
        NotFound, Denied: not this actor's to write. Invalid: no such purpose, or too many files.
        Conflict: the same file is attached already.
    """
    if purpose not in OFFERED:
        raise Invalid({"purpose": ["请选择这个文件是什么。"]})
    with unit_of_work(actor) as work:
        contract = locked(actor, no)
        work.require(EDIT, contract)
        there = next(
            (one for one in files.files_of(FILES, contract.id) if one.hash == upload.hash), None
        )
        if there is not None:
            raise Conflict(f"这个文件已经附上了（{there.name}），不用再传。")
        row = files.attach(work, upload, FILES, contract.id, purpose=purpose, caption=caption)
        touch(contract)
    return row


def remove(actor: Actor, no: str, file_no: str, version: int | None = None) -> None:
    """Take a file off a draft, or off one that came back.

    Raises:
        NotFound: no such file, or not this actor's. Denied: it is out of his hands.
        Conflict: the contract moved since it was seen.
    """
    with unit_of_work(actor) as work:
        contract = locked(actor, no, version)
        work.require(EDIT, contract)
        row = next((one for one in files.files_of(FILES, contract.id) if one.no == file_no), None)
        if row is None or row.purpose == POINT:
            raise NotFound("没有这个文件。")
        files.remove(work, row)
        touch(contract)


def may_have(actor: Actor, row: StoredFile) -> bool:
    """Whether somebody may have a file of a contract."""
    found = db.session.scalar(
        select(Contract).where(
            Contract.id == row.object_id, policy.where(actor, READ_FILES, Contract)
        )
    )
    return found is not None
