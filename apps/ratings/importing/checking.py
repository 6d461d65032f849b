"""A data set whose lines fit together."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from apps.core.importing.bad_lines import BadLine, BadLines, bad_line
from apps.core.importing.downloading import Progress
from apps.ratings.importing.records import FilmLine, LinkLine, PersonLine, RatingLine, Source, TagLine

_OfFilm = LinkLine | RatingLine | TagLine
Line = TypeVar("Line")
Check = Callable[[Line], BadLine | None]


class CheckedSource:
    """The lines of ``source`` of which each id is there, and each film once; others are bad, too.

    Films must be read before what refers to them.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._lines: Counter[str] = Counter()
        self._films: set[int] = set()
        self._people: set[int] = set()

    def check(self, *, bad: BadLines, progress: Progress) -> None:
        """Reads every line once. Raises ``BadLine`` for the first bad one, unless ``bad`` skips."""
        source = self.source
        parts: list[tuple[str, Callable[[BadLines], Iterator[object]]]] = [
            (source.films_file, self.films),
            (source.links_file, self.links),
            (source.people_file, self.people),
            (source.ratings_file, self.ratings),
            (source.tags_file, self.tags),
        ]
        for file, read in parts:
            self._lines[file] = sum(1 for _ in progress(read(bad), None, f"checking {file}"))

    def total(self, file: str) -> tuple[int, str]:
        """Number of lines and label of a file, for a progress bar."""
        return self._lines[file], file

    def films(self, bad: BadLines) -> Iterator[FilmLine]:
        file = self.source.films_file
        seen: set[int] = set()
        for line in self.source.films(bad):
            if line.film in seen:
                bad.take(bad_line(file, line.line, "each movieId once", str(line.film)))
                continue
            seen.add(line.film)
            yield line
        self._films = seen

    def links(self, bad: BadLines) -> Iterator[LinkLine]:
        return _kept(self.source.links(bad), self._knows_film(self.source.links_file), bad)

    def people(self, bad: BadLines) -> Iterator[PersonLine]:
        seen = set()
        for line in self.source.people(bad):
            seen.add(line.person)
            yield line
        self._people = seen

    def ratings(self, bad: BadLines) -> Iterator[RatingLine]:
        file = self.source.ratings_file
        lines = _kept(self.source.ratings(bad), self._knows_film(file), bad)
        return _kept(lines, self._knows_person(file), bad) if self._people else lines

    def tags(self, bad: BadLines) -> Iterator[TagLine]:
        return _kept(self.source.tags(bad), self._knows_film(self.source.tags_file), bad)

    def _knows_film(self, file: str) -> Check[_OfFilm]:
        known, expected = self._films, f"a movieId that {self.source.films_file} has"

        def check(line: _OfFilm) -> BadLine | None:
            return None if line.film in known else bad_line(file, line.line, expected, str(line.film))

        return check

    def _knows_person(self, file: str) -> Check[RatingLine]:
        known, expected = self._people, f"a userId that {self.source.people_file} has"

        def check(line: RatingLine) -> BadLine | None:
            return None if line.person in known else bad_line(file, line.line, expected, str(line.person))

        return check


def _kept(lines: Iterable[Line], check: Check[Line], bad: BadLines) -> Iterator[Line]:
    for line in lines:
        error = check(line)
        if error is None:
            yield line
        else:
            bad.take(error)
