"""Pictures and files of a listing: an edit's own until it is published, then the listing's.

What an edit takes away stays on the published page meanwhile: its number is kept in the draft.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import update

from market.catalogue.models import Listing
from market.catalogue.publishing import policies
from market.catalogue.publishing.drafts import find
from market.catalogue.publishing.models import Submission
from market.core import files
from market.core.db import db
from market.core.errors import Denied, NotFound
from market.core.models import StoredFile
from market.core.permissions import Actor, policy
from market.core.text import clean_line
from market.core.unit_of_work import UnitOfWork, unit_of_work

KIND_OF_EDIT, KIND_OF_LISTING = "submission", "listing"
TAKEN_AWAY = "-files"  # in a draft's content: numbers of the listing's files that go with it
LONGEST_CAPTION = 200
_PICTURE = "image/jpeg"


def shown_with(listing_id: int) -> Sequence[StoredFile]:
    """The files of a listing as readers see them."""
    return files.files_of(KIND_OF_LISTING, listing_id)


def files_of_edit(row: Submission) -> list[StoredFile]:
    """The files that the listing will have once this edit is published."""
    gone = row.content.get(TAKEN_AWAY, "").split()
    if row.state not in {"published", "discarded"}:
        kept = [one for one in shown_with(row.listing_id) if one.no not in gone]
        return kept + list(files.files_of(KIND_OF_EDIT, row.id))
    return list(shown_with(row.listing_id))


def add(actor: Actor, no: str, name: str, data: bytes) -> None:
    """Attach a picture or a file to a draft; the very same once only.

    Raises:
        NotFound: no such submission. Denied: it is out of the actor's hands.
        Invalid: the file is not welcome, or there are too many.
    """
    upload = take_in(actor, no, name, data)
    there = {(one.name, one.hash) for one in files_of_edit(find(actor, no))}
    if (upload.name, upload.hash) not in there:
        attach(actor, no, upload)


def take_in(actor: Actor, no: str, name: str, data: bytes) -> files.Upload:
    """Judge a file for a draft and draw a picture anew; slow, so outside of any unit of work.

    Raises:
        As `add`.
    """
    if not policy.allows(actor, policies.EDIT, find(actor, no)):
        raise Denied
    return files.take_in(name, data)


def attach(actor: Actor, no: str, upload: files.Upload, caption: str | None = None) -> None:
    """Attach what was taken in. Raises as `add`."""
    row_id = find(actor, no).id
    purpose = "image" if upload.media_type == _PICTURE else "file"
    with unit_of_work(actor) as work:
        row = db.session.get_one(Submission, row_id)
        work.require(policies.EDIT, row)
        files.attach(work, upload, KIND_OF_EDIT, row.id, purpose=purpose, caption=caption)
        row.lock_version += 1  # who looked at the files before must look again


def describe(actor: Actor, no: str, file_no: str, caption: str) -> None:
    """Say what a file of a draft shows; of what is published already the words stay.

    Raises:
        NotFound: no such submission, or no such file of it. Denied: it is out of his hands.
    """
    row_id, words = find(actor, no).id, clean_line(caption)[:LONGEST_CAPTION] or None
    with unit_of_work(actor) as work:
        row = db.session.get_one(Submission, row_id, with_for_update=True)
        work.require(policies.EDIT, row)
        own = files.files_of(KIND_OF_EDIT, row.id)
        file = next((one for one in own if one.no == file_no), None)
        if file is None:
            raise NotFound("没有这个文件。")
        if file.caption == words:
            return
        before, file.caption = file.caption, words
        row.lock_version += 1  # who looked at the files before must look again
        work.record(
            "file.described", "submission", row.id, no=no,
            before={"caption": before}, after={"file": file_no, "caption": words},
        )  # fmt: skip


def take_away(actor: Actor, no: str, file_no: str) -> None:
    """Take a file out of the draft; the published page keeps its own until the edit is out.

    Raises:
        NotFound: no such submission, or no such file of it. Denied: it is out of his hands.
    """
    row_id = find(actor, no).id
    with unit_of_work(actor) as work:
        row = db.session.get_one(Submission, row_id, with_for_update=True)
        work.require(policies.EDIT, row)
        file = next((one for one in files_of_edit(row) if one.no == file_no), None)
        if file is None:
            raise NotFound("没有这个文件。")
        row.lock_version += 1
        if file.kind == KIND_OF_EDIT:
            files.remove(work, file)
            return
        gone = [*row.content.get(TAKEN_AWAY, "").split(), file_no]
        row.content = row.content | {TAKEN_AWAY: " ".join(gone)}
        work.record("file.taken_away", "submission", row.id, no=no, after={"file": file_no})


def move_to_listing(work: UnitOfWork, row: Submission) -> None:
    """When an edit is published: its files are the listing's, those taken away are gone."""
    gone = row.content.get(TAKEN_AWAY, "").split()
    for file in shown_with(row.listing_id):
        if file.no in gone:
            files.remove(work, file)
    db.session.execute(
        update(StoredFile)
        .where(
            StoredFile.kind == KIND_OF_EDIT,
            StoredFile.object_id == row.id,
            StoredFile.removed_at.is_(None),
        )
        .values(kind=KIND_OF_LISTING, object_id=row.listing_id)
        .execution_options(synchronize_session=False)
    )


def may_have_of_edit(actor: Actor, file: StoredFile) -> bool:
    """Whether the actor may have a file of an edit: whoever sees the submission."""
    row = db.session.get(Submission, file.object_id)
    return row is not None and policy.allows(actor, policies.READ, row)


def may_have_of_listing(actor: Actor, file: StoredFile) -> bool:
    """Whether the actor may have a file of a listing: everybody while it is public, else its own
    people and the offices of the place."""
    listing = db.session.get(Listing, file.object_id)
    if listing is None:
        return False
    return listing.state in {"published", "closed"} or policy.allows(
        actor, policies.MANAGE, listing
    )
