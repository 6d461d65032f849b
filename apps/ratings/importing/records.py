"""What every layout hands to the loader."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

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
    """One data set. Every iterator reads its file once, from the start, and may raise
    ``InvalidInput`` with file, line and what was expected.

    ``name`` marks the people it brings: ``ml-<name>-<id>``. The ``*_file`` names are for messages;
    ``n_ratings`` is None when only reading would tell.
    """

    name: str
    films_file: str
    links_file: str
    ratings_file: str
    tags_file: str
    n_ratings: int | None

    def films(self) -> Iterator[FilmLine]: ...

    def links(self) -> Iterator[LinkLine]: ...

    def ratings(self) -> Iterator[RatingLine]: ...

    def tags(self) -> Iterator[TagLine]: ...
