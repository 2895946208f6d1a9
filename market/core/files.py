"""Uploaded files: judged by their content, kept under their hash, attached to one object.

A name's ending says nothing: what a file is, its first bytes and its parts say. Pictures are drawn
anew, so that neither a camera's notes (EXIF) nor anything hidden behind the picture survives.
Content lies encrypted when the site has a file key (`core.vault`); only this module reads it.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import current_app
from sqlalchemy import func, select, update

from market.core import clock, vault
from market.core.db import db
from market.core.errors import Invalid, NotFound
from market.core.languages import N_, translate
from market.core.models import StoredFile
from market.core.text import clean_line
from market.core.unit_of_work import UnitOfWork

LARGEST = 15 * 1024 * 1024  # bytes of one file
MOST = 20  # files of one object
MOST_PIXELS = 40_000_000
WIDTHS = (320, 800, 1600)  # pixels
_QUALITY = 82
_LONGEST_NAME = 120
_PARTS = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx"}
_MOST_PARTS = 2000  # entries of a packed document
TYPES = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "png": "image/png",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
PICTURES = ("jpg", "png")
ACCEPTED = N_("PDF、JPG、PNG、DOCX 或 XLSX")


@dataclass(frozen=True)
class Upload:
    """A file that was looked at and put into the storage, not yet attached to anything."""

    name: str
    media_type: str
    size: int
    hash: str
    derived: dict[str, str] | None = None


def take_in(
    name: str, data: bytes, *, only: Sequence[str] = tuple(TYPES), largest: int = 0
) -> Upload:
    """Judge a file and put its content into the storage. Call outside a unit of work.

    Args:
        name: as the browser sent it; folders in it are dropped.
        only: kinds that are welcome here, of `TYPES`.
        largest: bytes; by default `LARGEST`.

    Raises:
        Invalid: empty, too large, or not what is welcome; the messages stand at `file`.
    """
    if not data:
        raise Invalid({"file": [translate("文件是空的。")]})
    largest = largest or LARGEST
    if len(data) > largest:
        most = largest // (1024 * 1024)
        raise Invalid({"file": [translate("文件超过 %(n)s MB，请压缩或分开上传。", n=most)]})
    if (trouble := _closed_to_readers(data)) is not None:
        raise Invalid({"file": [translate(trouble)]})
    kind = kind_of(data)
    if kind is None or kind not in only:
        words = "、".join(one.upper() for one in only)
        raise Invalid(
            {
                "file": [
                    translate("请上传 %(kinds)s 文件（按内容判断，改扩展名没有用）。", kinds=words)
                ]
            }
        )
    derived = None
    if kind in PICTURES:
        data, derived = _drawn_anew(data)
        kind = "jpg"
    return Upload(_clean_name(name, kind), TYPES[kind], len(data), _store(data), derived)


# The trailer of a PDF is never encrypted itself, and names how the rest is.
_ENCRYPTED_PDF = re.compile(rb"/Encrypt\s*(?:\d+\s+\d+\s+R|<<)")
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # old Office files, and new ones with a password


def _closed_to_readers(data: bytes) -> str | None:
    """Why those who have to read it could not, or should not open it; None when they can."""
    if data.startswith(b"%PDF-") and _ENCRYPTED_PDF.search(data):
        return N_("这份 PDF 设了密码或限制，打不开：请去掉密码，或重新打印成 PDF 再上传。")
    if data.startswith(_COMPOUND):
        return N_("这是旧格式（DOC、XLS）或设了密码的文件：请去掉密码，另存为 DOCX 或 PDF 再上传。")
    if data.startswith(b"PK\x03\x04") and b"vbaProject.bin" in data:
        return N_("这个文件里有宏：请另存为不带宏的 DOCX 或 XLSX，或打印成 PDF 再上传。")
    return None


def kind_of(data: bytes) -> str | None:
    """What the content is, of `TYPES`; None for anything else."""
    if data.startswith(b"%PDF-"):
        return "pdf"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"PK\x03\x04"):
        return _packed_kind(data)
    return None


def _packed_kind(data: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            names = packed.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return None
    if len(names) > _MOST_PARTS or "[Content_Types].xml" not in names:
        return None
    # A macro or an embedded program has no place in what offices open.
    if any(
        name.lower().endswith((".bin", ".exe", ".js", ".vbs")) and "vba" in name.lower()
        for name in names
    ):
        return None
    return next((kind for part, kind in _PARTS.items() if part in names), None)


def _drawn_anew(data: bytes) -> tuple[bytes, dict[str, str]]:
    """The picture as a clean JPEG, and smaller ones by width, each put into the storage."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    refused = Invalid({"file": [translate("这张图片打不开或太大（最多 4000 万像素），请换一张。")]})
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise refused
            upright = ImageOps.exif_transpose(opened)
            flat = Image.new("RGB", upright.size, "white")
            layer = upright.convert("RGBA")
            flat.paste(layer, mask=layer.getchannel("A"))
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ) as error:
        raise refused from error
    derived = {}
    for width in WIDTHS:
        smaller = flat.copy()
        smaller.thumbnail((width, width * 4), Image.Resampling.LANCZOS)
        derived[str(width)] = _store(_jpeg(smaller))
    flat.thumbnail((2400, 9600), Image.Resampling.LANCZOS)
    return _jpeg(flat), derived


def _jpeg(image: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY, optimize=True, progressive=True)  # type: ignore[attr-defined]
    return out.getvalue()


def _clean_name(name: str, kind: str) -> str:
    """The last part of the name, without what file systems stumble over, with the true ending."""
    last = re.split(r"[\\/]", clean_line(name))[-1]
    stem = re.sub(r'[<>:"|?*\x00]', "", last.rsplit(".", 1)[0]).strip(" .")
    return f"{stem[:_LONGEST_NAME] or '文件'}.{kind}"


def _folder() -> Path:
    folder: Path = current_app.extensions["market"].settings.instance / "files"
    return folder


def _path(digest: str) -> Path:
    return _folder() / digest[:2] / digest


def _store(data: bytes) -> str:
    """Put content into the storage under its hash; whole or not at all."""
    digest = hashlib.sha256(data).hexdigest()
    path = _path(digest)
    if path.exists():
        return digest
    _write(path, vault.locked(data, digest))
    return digest


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(beside, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def keep(name: str, data: bytes, kind: str) -> Upload:
    """Put a file that this site made itself into the storage. Call outside a unit of work.

    Args:
        kind: of `TYPES`.
    """
    return Upload(_clean_name(name, kind), TYPES[kind], len(data), _store(data))


def attach(
    work: UnitOfWork,
    upload: Upload,
    kind: str,
    object_id: int,
    *,
    purpose: str = "file",
    caption: str | None = None,
) -> StoredFile:
    """Attach an upload to an object. Inside a unit of work; the room has asked the policy.

    Args:
        kind, object_id: the object, e.g. "listing".
        purpose: what it is for, e.g. "licence", "image".

    Raises:
        Invalid: the object has as many files as it may.
    """
    there = select(func.count()).select_from(StoredFile)
    at = (StoredFile.kind == kind, StoredFile.object_id == object_id)
    if (db.session.scalar(there.where(*at, StoredFile.removed_at.is_(None))) or 0) >= MOST:
        raise Invalid({"file": [translate("最多 %(n)s 个文件，请先删去不用的。", n=MOST)]})
    row = StoredFile(
        no=secrets.token_hex(12),
        kind=kind,
        object_id=object_id,
        purpose=purpose,
        name=upload.name,
        media_type=upload.media_type,
        size=upload.size,
        hash=upload.hash,
        derived=upload.derived,
        caption=caption,
        created_at=clock.now(),
        created_by=work.actor.label,
    )
    db.session.add(row)
    db.session.flush()
    after = {"file": row.no, "name": row.name, "hash": row.hash}
    work.record("file.attached", kind, object_id, after=after)
    return row


def remove(work: UnitOfWork, row: StoredFile) -> None:
    """Detach a file; its content stays for the versions that showed it. Inside a unit of work."""
    row.removed_at = clock.now()
    work.record("file.removed", row.kind, row.object_id, before={"file": row.no, "name": row.name})


def files_of(kind: str, object_id: int, purpose: str | None = None) -> Sequence[StoredFile]:
    """The files of an object, oldest first."""
    query = select(StoredFile).where(
        StoredFile.kind == kind, StoredFile.object_id == object_id, StoredFile.removed_at.is_(None)
    )
    if purpose is not None:
        query = query.where(StoredFile.purpose == purpose)
    return db.session.scalars(query.order_by(StoredFile.id)).all()


def content(row: StoredFile, width: int | None = None) -> bytes:
    """The content of a file, or of the smaller picture of this width (pixels).

    Raises:
        NotFound: there is no such width, or the storage has lost the file. Locked: its key is not
            here, or it was changed.
    """
    digest = row.hash if width is None else (row.derived or {}).get(str(width))
    try:
        data = _path(digest or "").read_bytes() if digest else _missing()
    except OSError:
        return _missing()
    return vault.opened(data, digest or "")


def _missing() -> bytes:
    raise NotFound(translate("没有这个文件。"))


def lock_plain() -> tuple[int, int]:
    """Encrypt what lies plain from before there was a key; gives how many, and how many were done.

    Each file is replaced whole, so that a reader sees the one or the other.
    """
    done = already = 0
    for path in sorted(_folder().glob("??/*")):
        if not re.fullmatch(r"[0-9a-f]{64}", path.name):
            continue
        data = path.read_bytes()
        if vault.is_locked(data):
            already += 1
            continue
        _write(path, vault.locked(data, path.name))
        done += 1
    return done, already


def move(kind: str, source_id: int, target_id: int) -> None:
    """Attach all files of an object to another of its kind, which it becomes part of."""
    db.session.execute(
        update(StoredFile)
        .where(StoredFile.kind == kind, StoredFile.object_id == source_id)
        .values(object_id=target_id)
        .execution_options(synchronize_session=False)
    )
