"""What every layout hands to the loader."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from apps.core.importing.bad_lines import BadLines

# Asked for by GroupLens wherever its data is used.
CITATION = (
    "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
    "ACM Transactions on Interactive Intelligent Systems 5, 4, Article 19."
)
TERMS = (
    "MovieLens data by GroupLens Research, University of Minnesota: for research; no commercial use "
    "without permission; no endorsement by GroupLens or the university may be implied. "
    "See https://grouplens.org/datasets/movielens/"
)


class FilmLine(NamedTuple):
    """``title`` as the source writes it, without the year; empty when the source has none."""

    line: int
    film: int
    title: str
    year: int | None
    genres: tuple[str, ...]


class LinkLine(NamedTuple):
    line: int
    film: int
    imdb_id: str | None
    tmdb_id: int | None


class PersonLine(NamedTuple):
    """Somebody who rated; what else a source says of them is not kept."""

    line: int
    person: int


class RatingLine(NamedTuple):
    """``at`` is in seconds since 1970, UTC."""

    line: int
    person: int
    film: int
    stars: float
    at: int


class TagLine(NamedTuple):
    line: int
    person: int
    film: int
    tag: str


class Source(Protocol):
    """One data set. Every iterator reads its file once, from the start, and hands lines that cannot
    be read to ``bad``; one of a file that the data set may lack yields nothing.

    ``name`` marks the people it brings: ``ml-<name>-<id>``. ``film_keys`` is empty where films have
    the ids of MovieLens, else the beginning of the keys by which they are remembered. The
    ``*_file`` names are for messages. ``ignored`` are files that are there and not read.
    """

    name: str
    film_keys: str
    films_file: str
    links_file: str
    people_file: str
    ratings_file: str
    tags_file: str

    @property
    def ignored(self) -> list[str]: ...

    def films(self, bad: BadLines) -> Iterator[FilmLine]: ...

    def links(self, bad: BadLines) -> Iterator[LinkLine]: ...

    def people(self, bad: BadLines) -> Iterator[PersonLine]: ...

    def ratings(self, bad: BadLines) -> Iterator[RatingLine]: ...

    def tags(self, bad: BadLines) -> Iterator[TagLine]: ...
