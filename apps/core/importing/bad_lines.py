"""Lines that cannot be used: refused at the first, or left out, counted and listed."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from apps.core.errors import InvalidInput

Raw = TypeVar("Raw")
Parsed = TypeVar("Parsed")

MAX_LISTED = 100
_SHOWN = 60


class BadLine(InvalidInput):
    """ "ratings.csv, line 17: expected …, but found '7'"."""


def bad_line(file: str, line: int, expected: str, found: str | None = None) -> BadLine:
    """The refusal of one line; None for ``found`` when it is said in ``expected`` already."""
    if found is None:
        return BadLine(f"{file}, line {line}: expected {expected}")
    shown = found if len(found) <= _SHOWN else found[:_SHOWN] + "…"
    return BadLine(f"{file}, line {line}: expected {expected}, but found {shown!r}")


class BadLines:
    """Takes each bad line: raises it, or with ``skip`` counts it and keeps the first hundred.

    ``mended`` counts rows that could be put right without a guess.
    """

    def __init__(self, *, skip: bool = False) -> None:
        self.skip = skip
        self.count = self.mended = 0
        self.listed: list[str] = []

    def take(self, line: BadLine) -> None:
        if not self.skip:
            raise line
        self.count += 1
        if len(self.listed) < MAX_LISTED:
            self.listed.append(line.detail)

    def as_json(self) -> dict[str, object]:
        return {"count": self.count, "listed": self.listed, "mended": self.mended}


def parse_each(
    rows: Iterable[tuple[int, Raw]], parse: Callable[[int, Raw], Parsed], bad: BadLines
) -> Iterator[Parsed]:
    """What ``parse`` makes of each (line number, row); rows that it refuses go to ``bad``."""
    for line, row in rows:
        try:
            parsed = parse(line, row)
        except BadLine as error:
            bad.take(error)
        else:
            yield parsed
