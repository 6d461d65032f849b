"""What a format of files must say of itself."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar

from apps.ratings.imports.entries import Entry, Skipped
from apps.ratings.imports.rows import Row
from apps.ratings.models import Import


class Format(ABC):
    """``scale`` tells the viewer what becomes of the site's stars or points."""

    site: ClassVar[Import.Site]
    scale: ClassVar[str]

    @abstractmethod
    def takes(self, file: str, columns: frozenset[str]) -> bool:
        """Whether a file of this name with these columns, in lower case, is of this format."""

    @abstractmethod
    def entry(self, row: Row) -> Entry | Skipped:
        """What one row says, or ``InvalidInput`` with file, line and what was expected."""

    def entries(self, rows: Iterable[Row]) -> Iterator[Entry | Skipped]:
        return map(self.entry, rows)


def is_watchlist(file: str) -> bool:
    """Lists of films have the same columns whatever they are for; only the name tells a watchlist."""
    return "watchlist" in file.lower()
