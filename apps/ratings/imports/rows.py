"""One row of a file, its cells by the column's name, and what a cell must look like."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.utils import timezone

from apps.core.errors import InvalidInput
from apps.ratings.services import STARS

_SHOWN = 60
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
# Clocks of other sites may run ahead of ours, and their today may be our tomorrow.
_MAX_AHEAD = timedelta(minutes=5)
_DAY = timedelta(days=1)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OLD_IMDB_DATE = "%a %b %d %H:%M:%S %Y"
_SECONDS = re.compile(r"[0-9]{1,10}")
_ID = re.compile(r"[0-9]{1,10}")
_IMDB_ID = re.compile(r"(?:tt)?([0-9]{1,10})")
_YEAR = re.compile(r"[0-9]{4}")
_WHOLE = re.compile(r"[0-9]{1,2}(?:\.0)?")
_STARS = re.compile(r"[0-5](?:\.[05])?")
MAX_ID = 2**31 - 1


@dataclass(frozen=True)
class Row:
    """``place`` is what ``number`` counts: lines of a table, entries of a list in JSON."""

    file: str
    number: int
    cells: Mapping[str, str]
    place: str = "line"

    def __getitem__(self, column: str) -> str:
        """Empty for a column that the file does not have."""
        return self.cells.get(column, "")

    def first_of(self, *columns: str) -> str:
        """The first of the columns that is not empty."""
        return next((self[column] for column in columns if self[column]), "")

    def refusal(self, expected: str, found: str) -> InvalidInput:
        return refusal(self.file, self.place, self.number, expected, found)

    def stars(self, column: str) -> float:
        """0.5 to 5 by halves."""
        text = self[column]
        if not _STARS.fullmatch(text) or float(text) not in STARS:
            raise self.refusal(f"{column} from 0.5 to 5 by halves", text)
        return float(text)

    def half_of_ten(self, column: str) -> float:
        """1 to 10, halved."""
        text = self[column]
        if not _WHOLE.fullmatch(text) or not 1 <= float(text) <= 10:
            raise self.refusal(f"{column} as a whole number from 1 to 10", text)
        return float(text) / 2

    def year(self, column: str) -> int | None:
        text = self[column]
        if not text:
            return None
        if not _YEAR.fullmatch(text):
            raise self.refusal(f"{column} as a year of four digits", text)
        return int(text)

    def moment(self, column: str) -> datetime | None:
        """A date, or a date and time; without a zone it is UTC."""
        text = self[column]
        if not text:
            return None
        at = _moment(text)
        now = timezone.now()
        if at is None or at < _FIRST or at > now + (_DAY if _DATE.fullmatch(text) else _MAX_AHEAD):
            raise self.refusal(f"{column} as a date from 1970 until now", text)
        return min(at, now) if _DATE.fullmatch(text) else at

    def second(self, column: str) -> datetime:
        """Seconds since 1970."""
        text = self[column]
        if not _SECONDS.fullmatch(text) or int(text) > timezone.now().timestamp():
            raise self.refusal(f"{column} in seconds since 1970, until now", text)
        return datetime.fromtimestamp(int(text), UTC)

    def number_of(self, column: str) -> int:
        """An id that a row cannot do without."""
        found = id_of(self[column])
        if found is None:
            raise self.refusal(f"{column} as a whole number from 1 to {MAX_ID}", self[column])
        return found


def refusal(file: str, place: str, number: int, expected: str, found: str) -> InvalidInput:
    """ "ratings.csv, line 17: expected …, but found '7'"."""
    shown = found if len(found) <= _SHOWN else f"{found[:_SHOWN]}…"
    return InvalidInput(f"{file}, {place} {number}: expected {expected}, but found {shown!r}")


def id_of(text: str) -> int | None:
    """None for what is no id: a film may be found without it."""
    if not _ID.fullmatch(text) or not 1 <= int(text) <= MAX_ID:
        return None
    return int(text)


def imdb_id_of(text: str) -> str | None:
    """As the catalogue writes it: ``tt`` and at least seven digits."""
    match = _IMDB_ID.fullmatch(text)
    return f"tt{int(match[1]):07}" if match and int(match[1]) else None


def _moment(text: str) -> datetime | None:
    if not text.isascii():
        return None
    try:
        if _DATE.fullmatch(text):
            return datetime.combine(datetime.fromisoformat(text), time(tzinfo=UTC))
        is_old = text[:1].isalpha()
        at = datetime.strptime(text, _OLD_IMDB_DATE) if is_old else datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
