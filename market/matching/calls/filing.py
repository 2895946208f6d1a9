"""Files of a call, which everybody may have while it is shown, and files of an answer."""

from __future__ import annotations

from market.core import files
from market.core.db import db
from market.core.errors import Conflict, NotFound
from market.core.models import StoredFile
from market.core.permissions import Actor, policy
from market.core.unit_of_work import unit_of_work
from market.matching.calls import queries
from market.matching.calls.models import Call, CallAnswer
from market.matching.calls.rules import ANSWER_FILES, CALL_FILES
from market.matching.calls.workflow import ANSWER, EDIT, READ, READ_ANSWER, VIEW


def add_to_call(actor: Actor, no: str, name: str, data: bytes) -> None:
    """Attach a file to a draft. Raises NotFound, Denied (it is open), Invalid (the file)."""
    queries.find(actor, no)
    attach_to_call(actor, no, files.take_in(name, data))


def attach_to_call(actor: Actor, no: str, upload: files.Upload) -> None:
    """Attach a file that was looked at. Raises as `add_to_call`."""
    key = queries.find(actor, no).id
    with unit_of_work(actor) as work:
        call = db.session.get_one(Call, key)
        work.require(EDIT, call)
        files.attach(work, upload, CALL_FILES, key)
        call.lock_version += 1


def take_from_call(actor: Actor, no: str, file_no: str) -> None:
    """Take a file out of a draft. Raises NotFound, Denied."""
    key = queries.find(actor, no).id
    with unit_of_work(actor) as work:
        call = db.session.get_one(Call, key)
        work.require(EDIT, call)
        files.remove(work, _of(CALL_FILES, key, file_no))
        call.lock_version += 1


def add_to_answer(actor: Actor, key: int, name: str, data: bytes) -> None:
    """Attach a file to one's answer; the owner sees it with the next version that is sent.

    Raises:
        Conflict: the deadline passed. Denied: somebody else's. Invalid: the file.
    """
    attach_to_answer(actor, key, files.take_in(name, data))


def attach_to_answer(actor: Actor, key: int, upload: files.Upload) -> None:
    """Attach a file that was looked at. Raises as `add_to_answer`."""
    with unit_of_work(actor) as work:
        row = _changeable(key)
        work.require(ANSWER, row)
        files.attach(work, upload, ANSWER_FILES, key)
        row.lock_version += 1


def take_from_answer(actor: Actor, key: int, file_no: str) -> None:
    """Take a file out of one's answer. Raises as `add_to_answer`, NotFound."""
    with unit_of_work(actor) as work:
        row = _changeable(key)
        work.require(ANSWER, row)
        files.remove(work, _of(ANSWER_FILES, key, file_no))
        row.lock_version += 1


def _changeable(key: int) -> CallAnswer:
    row = db.session.get_one(CallAnswer, key)
    if not queries.takes_answers(row.call):
        day = row.call.deadline.isoformat()
        raise Conflict(f"揭榜已于 {day} 24:00 截止，附件没有换，应答没有送出；写的已保存为草稿。")
    return row


def _of(kind: str, key: int, file_no: str) -> StoredFile:
    for one in files.files_of(kind, key):
        if one.no == file_no:
            return one
    raise NotFound("没有这个文件。")


def may_have_of_call(actor: Actor, file: StoredFile) -> bool:
    """Whether the actor may have a file of a call: everybody while the call is shown."""
    call = db.session.get(Call, file.object_id)
    if call is None:
        return False
    public = call.listing.state in {"published", "closed"} and policy.allows(actor, VIEW, call)
    return public or policy.allows(actor, READ, call)


def may_have_of_answer(actor: Actor, file: StoredFile) -> bool:
    """Whether the actor may have a file of an answer: its people, and the owner once it was sent."""
    row = db.session.get(CallAnswer, file.object_id)
    if row is None or not policy.allows(actor, READ_ANSWER, row):
        return False
    if row.organisation_id in actor.organisations():
        return True
    if row.state == "withdrawn":
        return False
    return any(file.no in one.files for one in queries.versions(row))
