"""Save the shop's database to one file, and bring it back under the same or a new name.

A backup is a ``.tar.gz`` with ``manifest.json`` and the data: the statements of MySQL's
or MariaDB's own dump program, or an SQLite file. The manifest has a digest of the data,
and for each table the number and a digest of its rows. So a damaged file is refused
before anything is touched, and a restored database is compared row by row with the one
that was saved.
"""

from .archive import BackupError
from .save_restore import restore, save
from .store_lookup import store_named

__all__ = ["BackupError", "restore", "save", "store_named"]
