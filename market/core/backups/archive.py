"""The file of a backup: a gzipped tar, the manifest first, then exactly what the manifest lists.

manifest.json            what is in it, with sizes, hashes and counts; signed
database.sqlite|.pgdump  the database as it was at one moment
files/…                  uploaded files

The signature is made with the instance's secret key, which is never in the file: without the key
nobody can change a backup so that it still passes.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from market.core.errors import MarketError

FORMAT, VERSION = "market-backup", 1
MANIFEST, FILES = "manifest.json", "files"
DATABASES = {"sqlite": "database.sqlite", "postgresql": "database.pgdump"}
LONGEST_MANIFEST = 64 * 1024**2  # bytes
CHUNK = 1024**2  # bytes
YEARS = range(2000, 9000)  # in which a backup was made; far from where time zones run out
LEVEL = 3  # of gzip; 6 takes three times as long for a twentieth less


class BackupRefused(MarketError):
    """A backup cannot be made, or a file cannot be restored; the sentence says what to do."""

    title = "备份或恢复没有进行"


@dataclass(frozen=True)
class Member:
    """One file in the backup."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup says about itself.

    Args:
        id: names this backup, also in the audit of where it is restored.
        program: the release that made it.
        schema: the revision of the database's schema.
        engine: "sqlite" or "postgresql".
        created_at: when its making began, ISO, in UTC.
        site: the address of the site.
        counts: rows of each table.
        seals, head: number and hash of the newest seal of the audit.
        members: all files, in their order.
        key: tells keys apart without telling the key.
        signature: over all of the above.
    """

    id: str
    program: str
    schema: str
    engine: str
    created_at: str
    site: str
    counts: Mapping[str, int]
    seals: int
    head: str
    members: tuple[Member, ...]
    key: str = ""
    signature: str = ""

    def signed(self, secret: str) -> Manifest:
        """The same, signed with a secret key."""
        named = replace(self, key=key_id(secret), signature="")
        return replace(named, signature=_mac(secret, named.to_json()))

    def is_signed_by(self, secret: str) -> bool:
        """Whether it is as it was when signed with this key."""
        unsigned = replace(self, signature="")
        return hmac.compare_digest(
            self.signature.encode(), _mac(secret, unsigned.to_json()).encode()
        )

    def to_json(self) -> bytes:
        """As it stands in the file."""
        values = {"format": FORMAT, "version": VERSION} | asdict(self)
        return json.dumps(values, ensure_ascii=False, sort_keys=True, indent=1).encode()

    @property
    def size(self) -> int:
        """Bytes of everything unpacked."""
        return sum(member.size for member in self.members)


def _mac(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), b"market-backup:" + message, hashlib.sha256).hexdigest()


def key_id(secret: str) -> str:
    """A name of a key, from which the key cannot be told."""
    return _mac(secret, b"key")[:16]


def describe(name: str, path: Path) -> Member:
    """A file as a member: its size and hash."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Member(name, path.stat().st_size, digest)


def write(target: Path, manifest: Manifest, sources: Mapping[str, Path]) -> int:
    """Write a backup under a temporary name, to disk, and give it its name; returns its bytes.

    Args:
        target: the file to make; readable by its owner alone.
        manifest: signed; lists the members.
        sources: member name → where it lies.
    """
    partial = target.with_name(target.name + ".partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, 0o600)
            with (
                gzip.GzipFile("", "wb", LEVEL, file, mtime=0) as packed,
                tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
            ):
                text = manifest.to_json()
                tar.addfile(_entry(MANIFEST, len(text)), io.BytesIO(text))
                for member in manifest.members:
                    with sources[member.name].open("rb") as source:
                        tar.addfile(_entry(member.name, member.size), source)
            file.flush()
            os.fsync(handle)
            size = file.tell()
        os.replace(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
    return size


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_manifest(path: Path) -> Manifest:
    """The manifest alone.

    Raises:
        BackupRefused: this is no backup, or one of a later kind.
    """
    with _opened(path) as (_packed, tar):
        return _manifest(path, tar)


def read(path: Path, folder: Path | None = None) -> Manifest:
    """Read a whole backup and compare every size and hash with the manifest.

    Args:
        path: the file.
        folder: an existing folder to write the members to; nothing is written without it.

    Raises:
        BackupRefused: the file is cut off, changed, or no backup.
    """
    with _opened(path) as (packed, tar):
        manifest = _manifest(path, tar)
        for member in manifest.members:
            if _read_member(tar, member, folder) != member.sha256:
                raise damaged(path, member.name)
        if tar.next() is not None:
            raise damaged(path, "清单以外的内容")
        while rest := packed.read(CHUNK):  # the checksum of gzip comes at the very end
            if rest.strip(b"\0"):
                raise damaged(path, "清单以外的内容")
    return manifest


def _read_member(tar: tarfile.TarFile, member: Member, folder: Path | None) -> str:
    """The hash of the next member, empty when it is another one."""
    source = _next(tar, member.name, member.size)
    digest = hashlib.sha256()
    if source is None:
        return ""
    with _target(folder, member.name) as file:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            if file is not None:
                file.write(chunk)
        if file is not None:
            file.flush()
            os.fsync(file.fileno())
    return digest.hexdigest()


def _next(tar: tarfile.TarFile, name: str, size: int | None = None) -> IO[bytes] | None:
    """The next member, when it is a plain file of this name and size."""
    entry = tar.next()
    tar.members = []  # type: ignore[attr-defined]  # else all are kept in memory
    if entry is None or entry.type != tarfile.REGTYPE or entry.name != name:
        return None
    fits = entry.size == size if size is not None else entry.size <= LONGEST_MANIFEST
    return tar.extractfile(entry) if fits else None


def _target(folder: Path | None, name: str) -> Any:
    if folder is None:
        return nullcontext()
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[gzip.GzipFile, tarfile.TarFile]]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise BackupRefused(f"{path} 打不开（{error.strerror}）。") from error
    try:
        with (
            file,
            gzip.GzipFile(fileobj=file, mode="rb") as packed,
            tarfile.open(mode="r|", fileobj=packed) as tar,
        ):
            yield packed, tar
    except (gzip.BadGzipFile, zlib.error, EOFError, tarfile.TarError, UnicodeError) as error:
        raise damaged(path) from error


def damaged(path: Path, where: str = "") -> BackupRefused:
    """The refusal of a file that is not as it was made."""
    place = f"（{where}）" if where else ""
    return BackupRefused(
        f"{path.name} 不是完整的备份，或已被改动{place}：请换一份备份。没有写入任何内容。"
    )


def _manifest(path: Path, tar: tarfile.TarFile) -> Manifest:
    source = _next(tar, MANIFEST)
    try:
        values = json.loads(source.read() if source else b"")
        if values.pop("format") != FORMAT:
            raise ValueError
        if values.pop("version") > VERSION:
            raise BackupRefused(f"{path.name} 由更新版本的程序制作：请先升级本程序，再恢复。")
        members = tuple(Member(**each) for each in values.pop("members"))
        manifest = Manifest(members=members, **values)
        if not _is_sound(manifest):
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise damaged(path, "清单") from error
    return manifest


def _is_sound(manifest: Manifest) -> bool:
    """Whether values have the right types and names stay inside the folder.

    Raises:
        ValueError: the moment is none.
    """
    texts = [manifest.id, manifest.program, manifest.schema, manifest.created_at, manifest.site]
    texts += [manifest.head, manifest.key, manifest.signature]
    names = [member.name for member in manifest.members]
    return (
        all(isinstance(text, str) for text in texts)
        and manifest.engine in DATABASES
        and isinstance(manifest.counts, dict)
        and all(isinstance(count, int) for count in manifest.counts.values())
        and datetime.fromisoformat(manifest.created_at).year in YEARS
        and names[:1] == [DATABASES[manifest.engine]]
        and len(set(names)) == len(names)
        and all(_is_inside(name) for name in names[1:])
        and all(isinstance(one.size, int) and one.size >= 0 for one in manifest.members)
    )


def _is_inside(name: str) -> bool:
    """Whether a name is that of an uploaded file, and cannot lead out of the folder."""
    path = PurePosixPath(name)
    plain = str(path) == name and "\0" not in name and ".." not in path.parts
    return plain and path.parts[:1] == (FILES,) and len(path.parts) > 1
