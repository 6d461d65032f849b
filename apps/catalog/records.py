"""A film, and what belongs to it, as a data set tells of them."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class FilmRecord:
    """A film as a source knows it; what is empty or None the source does not say.

    ``key`` names the film where the source has ids of its own (``ml-100k:246``). A film without
    ``title`` is hidden. ``keywords`` are in lower case.
    """

    title: str
    original_title: str = ""
    year: int | None = None
    genres: tuple[str, ...] = ()
    movielens_id: int | None = None
    tmdb_id: int | None = None
    imdb_id: str | None = None
    key: str = ""
    overview: str = ""
    language: str = ""
    runtime: int | None = None
    poster_path: str = ""
    tmdb_vote_average: float | None = None
    tmdb_vote_count: int | None = None

    @property
    def has_id(self) -> bool:
        return bool(self.movielens_id or self.tmdb_id or self.imdb_id or self.key)

    @property
    def name(self) -> str:
        """For a person to read."""
        return f"{self.title} ({self.year})" if self.year else self.title


class Credit(NamedTuple):
    """One person of a film, in the order of the source; ``role`` is one of ``MoviePerson.Role``."""

    name: str
    role: str
    tmdb_id: int | None = None


class Link(NamedTuple):
    """What a film has in the knowledge graph: ``relation`` to the thing that ``key`` names."""

    relation: str
    key: str
    kind: str
    name: str
