"""A whole data set, file by file."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from apps.catalog.matching import FilmIndex
from apps.catalog.services import RefreshedFlags, refresh_flags
from apps.core.importing.bad_lines import BadLines
from apps.core.importing.counts import Upserted, sentence
from apps.core.importing.downloading import Progress
from apps.ratings.importing.checking import CheckedSource
from apps.ratings.importing.films import Links, LoadedFilms, film_record, load_films
from apps.ratings.importing.people import load_people
from apps.ratings.importing.ratings import RatingCounts, load_ratings
from apps.ratings.importing.records import CITATION, TERMS, Source
from apps.ratings.importing.tags import load_tags


@dataclass(frozen=True)
class LoadReport:
    """What a load did. ``skipped`` counts by reason what was left out or is not shown."""

    source: Source
    films: LoadedFilms
    people: Upserted
    ratings: RatingCounts
    tags: Upserted
    skipped: Mapping[str, int]
    flags: RefreshedFlags
    seconds: float

    def as_json(self) -> dict[str, object]:
        ratings = asdict(self.ratings)
        ratings.pop("people")
        parts = {
            "films": self.films.counts,
            "people": self.people,
            "ratings": self.ratings.upserted,
            "tags": self.tags,
        }
        return {
            "result": sentence(parts),
            "source": self.source.name,
            "films": asdict(self.films.counts),
            "people": {"new": self.people.new},
            "ratings": ratings,
            "tags": asdict(self.tags),
            "skipped": self.skipped,
            "ambiguous": {"count": self.films.n_ambiguous, "listed": self.films.ambiguous},
            "ignored_files": self.source.ignored,
            "flags": {"long_tail": self.flags.long_tail, "niche": self.flags.niche},
            "seconds": round(self.seconds, 1),
            "citation": CITATION,
            "terms": TERMS,
        }


def load(source: Source, *, bad: BadLines, progress: Progress) -> LoadReport:
    """Films, people, ratings, tags, batch by batch, then the films' flags.

    Every line is read before any is loaded, so that one that is refused leaves nothing of the data
    set; with ``bad`` skipping, bad lines alone are left out.
    """
    started = time.monotonic()
    checked = CheckedSource(source)
    checked.check(bad=BadLines(skip=bad.skip), progress=progress)
    films = _load_films(checked, source, bad, progress)
    made = load_people(source.name, progress(checked.people(bad), *checked.total(source.people_file)))
    lines = progress(checked.ratings(bad), *checked.total(source.ratings_file))
    ratings = load_ratings(source.name, lines, movie_ids=films.movie_ids)
    lines_of_tags = progress(checked.tags(bad), *checked.total(source.tags_file))
    tags, unusable = load_tags(lines_of_tags, movie_ids=films.movie_ids)
    return LoadReport(
        source=source,
        films=films,
        people=Upserted(new=made + ratings.people),
        ratings=ratings,
        tags=tags,
        skipped={
            "films without title, hidden": films.untitled,
            "external ids of another film": films.taken,
            "duplicate ratings": ratings.duplicates,
            "tags blank or too long": unusable,
        },
        flags=refresh_flags(),
        seconds=time.monotonic() - started,
    )


def _load_films(checked: CheckedSource, source: Source, bad: BadLines, progress: Progress) -> LoadedFilms:
    keys = source.film_keys
    links: Links = {line.film: line for line in checked.links(bad)}
    index = FilmIndex(keys=keys)
    # A source with ids of its own may name a film twice: there two lines may claim one film.
    for line in () if keys else checked.films(BadLines(skip=True)):
        index.claim(film_record(line, links, keys), line.line, even_if_known=True)
    lines = progress(checked.films(bad), *checked.total(source.films_file))
    return load_films(lines, links=links, index=index, keys=keys)
