"""How a backup is made and brought back, whatever the database is."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from django.utils import timezone

from .archive import BackupError, Manifest, digest_of, pack, unpack
from .databases import Store


def save(store: Store, target: Path) -> Manifest:
    """Write a backup to a new file, which is there as a whole or not at all.

    :raises BackupError: if the file exists, or the database cannot be saved
    """
    if target.exists():
        raise BackupError(f"{target} exists already.")
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the last step is within one file system.
    with TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        data, draft = Path(folder, "data"), Path(folder, "draft")
        made_at = timezone.now().isoformat(timespec="seconds")
        collation = store.collation()
        store.save(data)
        manifest = Manifest(
            made_at=made_at,
            kind=store.kind,
            collation=collation,
            sha256=digest_of(data),
            tables=store.tables_in(data),
        )
        pack(draft, manifest, data)
        _give_name(draft, target)
    return manifest


def restore(store: Store, archive: Path, *, replace: bool = False) -> Manifest:
    """Fill an empty or missing database from a backup, and compare every row.

    What does not become the same is removed again. A database that is replaced is gone
    by then; its backup is the one that the operator made before.

    :raises BackupError: if the file is damaged or of another kind of database, if there
        are tables already and ``replace`` is false, or if the result differs
    """
    with TemporaryDirectory(prefix="mechanic-shop-restore-") as folder:
        data = Path(folder, "data")
        manifest = unpack(archive, data)
        if manifest.kind != store.kind:
            raise BackupError(f"This is a backup of {manifest.kind}, not {store.kind}.")
        if not store.is_empty():
            if not replace:
                raise BackupError(f"{store.name} is not empty.")
            store.clear()
        try:
            store.load(data, collation=manifest.collation)
            _compare(store, manifest, Path(folder, "again"))
        except BaseException:
            store.undo()
            raise
    return manifest


def _compare(store: Store, manifest: Manifest, copy: Path) -> None:
    """:raises BackupError: naming the tables whose rows are not those of the backup"""
    store.save(copy)
    found = store.tables_in(copy)
    if found != manifest.tables:
        names = found.keys() | manifest.tables.keys()
        wrong = [n for n in sorted(names) if found.get(n) != manifest.tables.get(n)]
        raise BackupError(f"Not restored as they were: {', '.join(wrong)}.")


def _give_name(draft: Path, target: Path) -> None:
    """Let the finished file appear; unlike a rename, this never replaces another."""
    try:
        os.link(draft, target)
    except FileExistsError as error:
        raise BackupError(f"{target} exists already.") from error
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
