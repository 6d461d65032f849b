"""A whole data set, file by file."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from apps.catalog.services import Upserted, refresh_flags
from apps.ratings.importing.films import load_films, load_links, movie_ids
from apps.ratings.importing.ratings import RatingCounts, load_ratings
from apps.ratings.importing.records import CITATION, TERMS, Source
from apps.ratings.importing.tags import load_tags

Progress = Callable[[Iterable[Any], int | None, str], Iterator[Any]]


@dataclass(frozen=True)
class LoadReport:
    """What a load did. ``skipped`` counts by reason what was left out or is not shown."""

    source: str
    films: Upserted
    links: Upserted
    ratings: RatingCounts
    tags: Upserted
    skipped: dict[str, int]
    long_tail: int
    niche: int
    seconds: float

    def as_json(self) -> dict[str, object]:
        ratings = asdict(self.ratings)
        return {
            "source": self.source,
            "films": asdict(self.films),
            "links": asdict(self.links),
            "people": {"new": ratings.pop("people")},
            "ratings": ratings,
            "tags": asdict(self.tags),
            "skipped": self.skipped,
            "flags": {"long_tail": self.long_tail, "niche": self.niche},
            "seconds": round(self.seconds, 1),
            "citation": CITATION,
            "terms": TERMS,
        }


def load(source: Source, *, progress: Progress) -> LoadReport:
    """Films, links, ratings, tags, in one transaction each, then the films' flags.

    A refused line leaves nothing of its file; the files before it stay loaded.
    """
    started = time.monotonic()
    films, untitled = load_films(source, progress(source.films(), None, source.films_file))
    ids = movie_ids()
    links, taken = load_links(source, progress(source.links(), None, source.links_file), known=ids)
    lines = progress(source.ratings(), source.n_ratings, source.ratings_file)
    ratings = load_ratings(source, lines, movie_ids=ids)
    tags, unusable = load_tags(source, progress(source.tags(), None, source.tags_file), movie_ids=ids)
    flags = refresh_flags()
    return LoadReport(
        source=source.name,
        films=films,
        links=links,
        ratings=ratings,
        tags=tags,
        skipped={
            "films without title, hidden": untitled,
            "external ids of another film": taken,
            "duplicate ratings": ratings.duplicates,
            "tags blank or too long": unusable,
        },
        long_tail=flags.long_tail,
        niche=flags.niche,
        seconds=time.monotonic() - started,
    )
