"""What each kind of database that can be saved does in its own way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from .archive import Tables


class Store(ABC):
    """One database of a server, or one file."""

    kind: ClassVar[str]

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    @abstractmethod
    def url(self) -> str:
        """What ``DATABASE_URL`` has to be for the shop to work on it."""

    @abstractmethod
    def collation(self) -> str:
        """Name the order of texts that new tables get; empty if there is no choice."""

    @abstractmethod
    def save(self, data: Path) -> None:
        """Write one moment of the database to a file, while others go on writing.

        :raises BackupError: if that fails
        """

    @abstractmethod
    def tables_in(self, data: Path) -> Tables:
        """Count and digest the rows in a file that ``save`` has written."""

    @abstractmethod
    def is_empty(self) -> bool:
        """Return whether there is no table yet; a database that is missing has none."""

    @abstractmethod
    def clear(self) -> None:
        """Remove every table."""

    @abstractmethod
    def load(self, data: Path, *, collation: str) -> None:
        """Fill the database, which is made if it is missing.

        :raises BackupError: if that fails, with whatever is there by then
        """

    @abstractmethod
    def undo(self) -> None:
        """Remove what ``load`` brought, and the database if ``load`` made it."""
