"""A table of films, and what belongs to it, into the catalogue."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction

from apps.catalog.importing.films import (
    CreditsRow,
    FilmRow,
    KeywordsRow,
    read_credits,
    read_films,
    read_keywords,
)
from apps.catalog.importing.tmdb_files import TmdbFiles
from apps.catalog.matching import FilmIndex
from apps.catalog.services import (
    RefreshedFlags,
    UpsertedFilms,
    add_credits,
    add_keywords,
    link_films,
    refresh_flags,
    upsert_films,
)
from apps.core.importing.bad_lines import MAX_LISTED, BadLines
from apps.core.importing.batches import batches
from apps.core.importing.counts import Upserted, sentence
from apps.core.importing.downloading import Progress

BATCH = 500
TERMS = (
    "This product uses the TMDB API but is not endorsed or certified by TMDB. Data of TMDB is not for "
    "commercial use without an agreement, and not to be kept for longer than six months. "
    "See https://www.themoviedb.org/documentation/api/terms-of-use"
)


@dataclass
class FilmsReport:
    """What an import of films did. ``ambiguous`` lists films that several of ours could be."""

    films: Upserted = field(default_factory=Upserted)
    credits: Upserted = field(default_factory=Upserted)
    keywords: Upserted = field(default_factory=Upserted)
    links: Upserted = field(default_factory=Upserted)
    taken: int = 0
    adult: int = 0
    n_ambiguous: int = 0
    ambiguous: list[str] = field(default_factory=list)

    def note(self, rows: Sequence[FilmRow], done: UpsertedFilms) -> None:
        self.films += done.counts
        self.taken += done.taken
        self.n_ambiguous += len(done.ambiguous)
        for number, among in done.ambiguous[: MAX_LISTED - len(self.ambiguous)]:
            row, choices = rows[number], " or ".join(map(str, among))
            self.ambiguous.append(f"line {row.line}: {row.record.name} could be film {choices}")

    def as_json(self, source: str, flags: RefreshedFlags) -> dict[str, object]:
        parts = {
            "films": self.films,
            "credits": self.credits,
            "keywords": self.keywords,
            "countries and series": self.links,
        }
        return {
            "result": sentence(parts),
            "source": source,
            "films": asdict(self.films),
            "credits": asdict(self.credits),
            "keywords": asdict(self.keywords),
            "countries_and_series": asdict(self.links),
            "skipped": {"adult films": self.adult, "external ids of another film": self.taken},
            "ambiguous": {"count": self.n_ambiguous, "listed": self.ambiguous},
            "flags": {"long_tail": flags.long_tail, "niche": flags.niche},
        }


def load(files: TmdbFiles, *, bad: BadLines, progress: Progress) -> dict[str, object]:
    """Films, then their credits and keywords, 500 films in each transaction, then all films' flags.

    Every row is read before any is loaded, so that one that is refused leaves nothing of the files.
    """
    started = time.monotonic()
    index = FilmIndex()
    lines = _check(files, index, BadLines(skip=bad.skip), progress)
    report = FilmsReport()
    add: Mapping[str, Callable[[list[Any]], None]] = {
        files.films: lambda rows: add_films(rows, index, report),
        files.credits: lambda rows: _add_credits(rows, index, report),
        files.keywords: lambda rows: _add_keywords(rows, index, report),
    }
    for file, rows in _parts(files, bad):
        for batch in batches(progress(rows, lines[file], file), BATCH):
            add[file](batch)
    return {
        **report.as_json(files.films, refresh_flags()),
        "missing_files": list(files.missing),
        "seconds": round(time.monotonic() - started, 1),
        "terms": TERMS,
    }


@transaction.atomic
def add_films(rows: Sequence[FilmRow], index: FilmIndex, report: FilmsReport) -> None:
    """Adds or fills films with all that their rows say; adult films are left out."""
    kept = [row for row in rows if not row.is_adult]
    report.adult += len(rows) - len(kept)
    done = upsert_films(records=[row.record for row in kept], index=index)
    found = [(row, movie_id) for row, movie_id in zip(kept, done.movie_ids, strict=True) if movie_id]
    words = {(movie_id, name): 1 for row, movie_id in found for name in row.keywords}
    report.keywords += add_keywords(weights=words)
    report.credits += add_credits(credits={movie_id: row.credits for row, movie_id in found if row.credits})
    report.links += link_films(links={movie_id: row.links for row, movie_id in found if row.links})
    report.note(kept, done)


def _parts(files: TmdbFiles, bad: BadLines) -> Iterator[tuple[str, Iterator[Any]]]:
    """The files that are there, with their rows."""
    yield files.films, read_films(files.place, files.films, bad)
    if files.credits:
        yield files.credits, read_credits(files.place, files.credits, bad)
    if files.keywords:
        yield files.keywords, read_keywords(files.place, files.keywords, bad)


def _check(files: TmdbFiles, index: FilmIndex, bad: BadLines, progress: Progress) -> Counter[str]:
    """Reads every row once; how many each file has. The index learns who claims which film."""
    lines: Counter[str] = Counter()
    for file, rows in _parts(files, bad):
        for row in progress(rows, None, f"checking {file}"):
            lines[file] += 1
            if isinstance(row, FilmRow) and not row.is_adult:
                index.claim(row.record, row.line)
    return lines


def _add_credits(rows: Iterable[CreditsRow], index: FilmIndex, report: FilmsReport) -> None:
    """Rows of films that were left out are passed over."""
    found = {index.by_id("tmdb_id", row.tmdb_id): row.credits for row in rows if row.credits}
    report.credits += add_credits(
        credits={movie_id: people for movie_id, people in found.items() if movie_id}
    )


def _add_keywords(rows: Iterable[KeywordsRow], index: FilmIndex, report: FilmsReport) -> None:
    found = {index.by_id("tmdb_id", row.tmdb_id): row.keywords for row in rows}
    words = {(movie_id, name): 1 for movie_id, names in found.items() if movie_id for name in names}
    report.keywords += add_keywords(weights=words)
