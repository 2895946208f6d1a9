"""Handing out uploaded files: as attachments, with nothing in them allowed to run."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, current_app, request
from sqlalchemy import select

from market.core import files
from market.core.db import db
from market.core.errors import NotFound
from market.core.http import current_actor
from market.core.languages import translate
from market.core.models import StoredFile
from market.core.permissions import Actor, Always, policy, requires
from market.core.unit_of_work import unit_of_work

blueprint = Blueprint("files", __name__)
# Whether this reader may have this file, the room of its object says (`Room.files`).
READ = policy.declare("core:file:read", public=Always())
_CLOSED = "default-src 'none'; sandbox"


@blueprint.get("/files/<string:no>")
@requires(READ)
def download(no: str) -> Response:
    """A file, or with `?w=` a smaller picture."""
    return handed_out(find(current_actor(), no), request.args.get("w", ""))


def find(actor: Actor, no: str) -> StoredFile:
    """The file with this number, when the room of its object lets the actor have it.

    Raises:
        NotFound: there is none, or it is not for him.
    """
    row = db.session.scalar(select(StoredFile).where(StoredFile.no == no))
    if row is None or row.removed_at is not None:
        raise NotFound(translate("没有这个文件。"))
    gate = current_app.extensions["market"].file_gates.get(row.kind)
    if gate is None or not gate(actor, row):
        raise NotFound(translate("没有这个文件。"))
    return row


def handed_out(row: StoredFile, width: str = "") -> Response:
    """The content of a file as an attachment. Raises NotFound: there is no such width."""
    data = files.content(row, int(width) if width.isdecimal() and len(width) < 6 else None)
    if row.kind in current_app.extensions["market"].logged_files:
        with unit_of_work(current_actor()) as work:
            work.require(READ)
            after = {"file": row.no, "name": row.name, "hash": row.hash}
            work.record("file.read", row.kind, row.object_id, after=after)
    response = Response(data, mimetype=row.media_type)
    response.headers["Content-Security-Policy"] = _CLOSED
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(row.name)}"
    if current_actor().kind == "public":
        response.headers["Cache-Control"] = "private, max-age=600"
    return response
