"""Asking TMDB about the films of the catalogue, one by one."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.catalog.importing.films import FilmRow
from apps.catalog.importing.tmdb_answers import choose, film_of
from apps.catalog.importing.tmdb_api import TmdbApi, TmdbFailure
from apps.catalog.matching import FilmIndex
from apps.catalog.models import Movie
from apps.catalog.services import (
    add_credits,
    add_keywords,
    fill_film,
    link_films,
    note_asked,
    refresh_flags,
)
from apps.core.errors import Unavailable
from apps.core.importing.bad_lines import MAX_LISTED
from apps.core.importing.downloading import Progress

# Failures in a row after which TMDB, and not a film, must be the reason.
MAX_FAILURES = 5

ENRICHED, UNCHANGED = "enriched", "unchanged"
NOT_FOUND, AMBIGUOUS, TAKEN, FAILED = "not found", "ambiguous", "taken", "failed"
OUTCOMES = (ENRICHED, UNCHANGED, NOT_FOUND, AMBIGUOUS, TAKEN, FAILED)


class _NoFilm(Exception):
    """TMDB was asked, and there is nothing to take over. ``outcome`` says why in a word."""

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


@dataclass
class _Report:
    outcomes: Counter[str] = field(default_factory=Counter)
    listed: list[str] = field(default_factory=list)
    failures_in_a_row: int = 0

    def note(self, outcome: str, movie: Movie, reason: str = "") -> None:
        self.outcomes[outcome] += 1
        self.failures_in_a_row = self.failures_in_a_row + 1 if outcome == FAILED else 0
        if reason and len(self.listed) < MAX_LISTED:
            self.listed.append(f"film {movie.pk}, {movie}: {reason}")


def enrich(
    api: TmdbApi, *, limit: int | None, older_than_days: int | None, progress: Progress
) -> dict[str, object]:
    """Asks about each film that TMDB was not asked about (in so many days), the most rated first.

    Each film is a transaction and remembers that it was asked about, so that a run that was cut off
    goes on where it stopped. A film that failed is asked about again by the next run.
    """
    started = time.monotonic()
    before = None if older_than_days is None else timezone.now() - timedelta(days=older_than_days)
    movie_ids = Movie.objects.to_ask_about(before).values_list("pk", flat=True)[:limit]
    index, report = FilmIndex(), _Report()
    wanted = list(movie_ids)
    for movie_id in progress(wanted, len(wanted), "films"):
        _enrich_one(api, Movie.objects.get(pk=movie_id), index, report)
        if report.failures_in_a_row >= MAX_FAILURES:
            done = sum(report.outcomes.values()) - report.outcomes[FAILED]
            reason = report.listed[-1].rpartition(": ")[2] if report.listed else ""
            raise Unavailable(f"TMDB does not answer: {reason}. {done} films are done; run again to go on")
    flags = refresh_flags()
    return {
        "films": {outcome: report.outcomes[outcome] for outcome in OUTCOMES},
        "left": Movie.objects.to_ask_about(before).count(),
        "listed": report.listed,
        "requests": api.requests,
        "flags": {"long_tail": flags.long_tail, "niche": flags.niche},
        "seconds": round(time.monotonic() - started, 1),
    }


def _enrich_one(api: TmdbApi, movie: Movie, index: FilmIndex, report: _Report) -> None:
    now = timezone.now()
    try:
        row = _ask(api, movie, index)
    except TmdbFailure as error:
        report.note(FAILED, movie, str(error))
    except _NoFilm as error:
        note_asked(movie=movie, at=now)
        report.note(error.outcome, movie, str(error))
    else:
        report.note(ENRICHED if _take_over(movie, row, index, now) else UNCHANGED, movie)


def _ask(api: TmdbApi, movie: Movie, index: FilmIndex) -> FilmRow:
    tmdb_id = movie.tmdb_id or _tmdb_id(api, movie)
    other = index.by_id("tmdb_id", tmdb_id)
    if other not in (None, movie.pk):
        raise _NoFilm(TAKEN, f"film {other} has its id at TMDB, {tmdb_id}")
    answer = api.film(tmdb_id, language=settings.SITE_LANGUAGE)
    if answer is None:
        raise _NoFilm(NOT_FOUND, f"TMDB has no film {tmdb_id}")
    try:
        return film_of(answer)
    except ValueError as error:
        raise TmdbFailure(f"TMDB's answer about film {tmdb_id} lacks {error}") from None


def _tmdb_id(api: TmdbApi, movie: Movie) -> int:
    """By the id at IMDb, else by title and year."""
    if movie.imdb_id:
        found = [entry.get("id") for entry in api.films_by_imdb_id(movie.imdb_id) if isinstance(entry, dict)]
        ids = [key for key in found if isinstance(key, int)]
    else:
        ids = choose(movie, api.search(movie.title, movie.year or 0))
    if not ids:
        raise _NoFilm(NOT_FOUND, "TMDB has no such film")
    if len(ids) > 1:
        raise _NoFilm(AMBIGUOUS, f"could be {_alternatives(ids)} at TMDB")
    return ids[0]


@transaction.atomic
def _take_over(movie: Movie, row: FilmRow, index: FilmIndex, now: datetime) -> bool:
    """Whether anything was new."""
    changed = [
        fill_film(movie=movie, record=row.record, index=index),
        add_keywords(weights={(movie.pk, name): 1 for name in row.keywords}),
        add_credits(credits={movie.pk: row.credits}),
        link_films(links={movie.pk: row.links}),
    ]
    note_asked(movie=movie, at=now)
    return any(counts.new or counts.updated for counts in changed)


def _alternatives(ids: Iterable[int]) -> str:
    return " or ".join(str(key) for key in sorted(ids))
