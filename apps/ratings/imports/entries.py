"""What every format hands on: one thing that a file says of one film."""

from dataclasses import dataclass
from datetime import datetime

NOT_RATED = "without a rating"
NO_FILM = "series, episodes and others that are no films"


@dataclass(frozen=True)
class FilmIds:
    """What a file calls a film by. ``movie`` is our own id, in a file that was exported here."""

    movie: int | None = None
    imdb: str | None = None
    tmdb: int | None = None
    movielens: int | None = None

    def as_json(self) -> dict[str, int | str]:
        named = {"imdb": self.imdb, "tmdb": self.tmdb, "movielens": self.movielens}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True)
class Entry:
    """``state`` is stars for a rating, 1 or 0 for what is there or not, 1, 0 or -1 for a thumb, and
    None for a rating that was taken back. ``at`` None: the file does not say when.

    Of two entries about the same film and kind the higher ``weight`` counts, then the later.
    """

    file: str
    line: int
    kind: str
    state: float | None
    at: datetime | None
    title: str
    year: int | None
    ids: FilmIds
    weight: int = 1


@dataclass(frozen=True)
class Skipped:
    """A row that is left out on purpose, and why."""

    why: str
