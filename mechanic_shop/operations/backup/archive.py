"""The file that a backup is: what is in it, and how it is written and read."""

from __future__ import annotations

import gzip
import json
import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from io import BytesIO
from pathlib import Path
from typing import IO, Any

FORMAT = 1
MANIFEST = "manifest.json"
DATA = "database"
CHUNK_BYTES = 1 << 20
#: What a gzip or tar file that is cut off or changed may raise when it is read.
DAMAGE = (OSError, EOFError, tarfile.TarError, zlib.error, ValueError, KeyError)


class BackupError(Exception):
    """The backup or the restore cannot be carried out; the message says why."""


@dataclass(frozen=True)
class Table:
    """The rows of a table: how many, and a digest of all of them in order."""

    rows: int
    sha256: str


Tables = dict[str, Table]


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself; ``kind`` is ``sqlite`` or ``mysql``."""

    made_at: str
    kind: str
    collation: str
    sha256: str
    tables: Tables

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())

    def to_json(self) -> bytes:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """:raises ValueError: if it is of another format"""
        facts: dict[str, Any] = json.loads(text)
        if facts.pop("format") != FORMAT:
            raise ValueError("another format")
        tables = {name: Table(**each) for name, each in facts.pop("tables").items()}
        return cls(tables=tables, **facts)


def digest_of(file: Path) -> str:
    with file.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def pack(target: Path, manifest: Manifest, data: Path) -> None:
    """Write a new file that only its owner can read, and have it on the disk."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as raw:
        with (
            gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=6) as packed,
            tarfile.open(fileobj=packed, mode="w") as tar,
        ):
            _add(tar, MANIFEST, manifest.to_json())
            tar.add(data, DATA, filter=_without_owner)
        raw.flush()
        os.fsync(raw.fileno())


def unpack(archive: Path, data: Path) -> Manifest:
    """Write the data of a backup to a file, and return the manifest.

    :raises BackupError: if it is no backup, or not a whole one
    """
    try:
        with _members(archive) as (manifest_stream, data_stream):
            manifest = Manifest.from_json(manifest_stream.read())
            digest = _copy(data_stream, data)
    except FileNotFoundError as error:
        raise BackupError(f"There is no file {archive}.") from error
    except DAMAGE as error:
        raise BackupError(f"{archive} is no whole backup: {error}") from error
    if digest != manifest.sha256:
        raise BackupError(f"{archive} is damaged: its digest is another.")
    return manifest


@contextmanager
def _members(archive: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    with gzip.open(archive) as packed, tarfile.open(fileobj=packed, mode="r:") as tar:
        manifest, data = tar.extractfile(MANIFEST), tar.extractfile(DATA)
        if manifest is None or data is None:
            raise ValueError("a member is no file")
        yield manifest, data
        # To the very end, where it says whether all of it has arrived.
        while packed.read(CHUNK_BYTES):
            pass


def _copy(source: IO[bytes], target: Path) -> str:
    digest = sha256()
    with target.open("wb") as copy:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            copy.write(chunk)
    return digest.hexdigest()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    tar.addfile(member, BytesIO(content))


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
