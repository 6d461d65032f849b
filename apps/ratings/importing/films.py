"""Films and their ids elsewhere."""

from collections.abc import Iterable
from itertools import islice

from django.db import transaction

from apps.catalog.models import Movie
from apps.catalog.services import ExternalIds, FilmRecord, Upserted, set_external_ids, upsert_movies
from apps.catalog.titles import display_title
from apps.ratings.importing.checks import refusal
from apps.ratings.importing.records import FilmLine, LinkLine, Source

BATCH = 1000


@transaction.atomic
def load_films(source: Source, lines: Iterable[FilmLine]) -> tuple[Upserted, int]:
    """Adds the films; and how many of them have no title and are hidden."""
    total, untitled = Upserted(), 0
    seen: set[int] = set()
    stream = iter(lines)
    while batch := list(islice(stream, BATCH)):
        for line in batch:
            if line.film in seen:
                raise refusal(source.films_file, line.line, "each movieId once", str(line.film))
            seen.add(line.film)
            untitled += not line.title
        total += upsert_movies(films=[_record(line) for line in batch])
    return total, untitled


@transaction.atomic
def load_links(source: Source, lines: Iterable[LinkLine], *, known: Iterable[int]) -> tuple[Upserted, int]:
    """Fills in IMDb and TMDB ids; and how many were left out because another film has them."""
    films = frozenset(known)
    total, taken = Upserted(), 0
    stream = iter(lines)
    while batch := list(islice(stream, BATCH)):
        for line in batch:
            if line.film not in films:
                expected = f"a movieId that {source.films_file} has"
                raise refusal(source.links_file, line.line, expected, str(line.film))
        records = [ExternalIds(line.film, line.imdb_id, line.tmdb_id) for line in batch]
        counts, refused = set_external_ids(records=records)
        total, taken = total + counts, taken + refused
    return total, taken


def movie_ids() -> dict[int, int]:
    """Our ids by those of MovieLens."""
    rows = Movie.objects.exclude(movielens_id=None).values_list("movielens_id", "id")
    return {film: movie_id for film, movie_id in rows.iterator() if film is not None}


def _record(line: FilmLine) -> FilmRecord:
    title = display_title(line.title)
    return FilmRecord(
        movielens_id=line.film,
        title=title.title,
        original_title=title.original,
        year=line.year,
        genres=line.genres,
    )
