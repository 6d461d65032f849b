"""An expansion of a site's ratings (``expand_ratings``) in its PostgreSQL database, in place of them.

The site was loaded with a data set before. Its own database, which nobody else uses: constraints are not
checked while it is filled, since the expansion keeps them.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.services import ensure_imported_users
from apps.algorithms.types import Float64, Int64, Interactions
from apps.catalog.models import Movie, MovieGenre
from apps.catalog.services import count_ratings, refresh_flags
from apps.ratings.models import Rating
from apps.training.datasets import build_interactions
from benchmarks.expand_ratings import NOTE, Part, expand, shape_of

_BATCH = 5_000
_COLUMNS = ("user_id", "movie_id", "value", "changed_at", "updated_at")
_EPOCH_OF_POSTGRES = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
# A row of COPY's binary format: the number of fields, and before each its length. Times are microseconds.
_ROW = np.dtype(
    [("n", ">i2"), *(part for name in _COLUMNS for part in ((f"{name}_length", ">i4"), (name, ">i8")))]
)
_HEAD, _TAIL = b"PGCOPY\n\xff\r\n\x00" + bytes(8), b"\xff\xff"


def fill_site(n_ratings: int, seed: int) -> str:
    """Replaces people and ratings by an expansion and adds films; a sentence that says what there is then.

    Raises ``ValueError`` where it is not PostgreSQL, or where somebody has an account already.
    """
    if connection.vendor != "postgresql":
        raise ValueError("An expansion is written by COPY: name a PostgreSQL database.")
    if User.objects.filter(is_imported=False).exists():
        raise ValueError("Somebody has an account on this site: an expansion takes an empty database.")
    source = build_interactions()
    shape = shape_of(source.ratings, n_ratings)
    Rating.objects.all()._raw_delete(Rating.objects.db)
    User.objects.all().delete()
    films = _add_films(source, shape.n_film_copies)
    counts, sums = np.zeros(len(films), dtype=np.int64), np.zeros(len(films))
    written = timezone.now() - timedelta(days=1)
    n_people = 0
    with _indexed_later():
        for part in expand(source.ratings, source.rated_at, shape, seed):
            people = _add_people(n_people, part.ratings.shape[0])
            n_people += len(people)
            _copy_ratings(part, people, films, written)
            counts += np.bincount(part.ratings.indices, minlength=len(films))
            sums += np.bincount(part.ratings.indices, part.ratings.data, minlength=len(films))
    Movie.objects.update(rating_sum=0, rating_count=0)
    rows = zip(films.tolist(), sums.tolist(), counts.tolist(), strict=True)
    count_ratings(deltas={film: (total, count) for film, total, count in rows if count})
    refresh_flags()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    return f"{counts.sum():,} ratings by {n_people:,} people of {len(films):,} films. {NOTE}"


def _add_films(source: Interactions, n_copies: int) -> Int64:
    """Ids by column of the expansion: the films that there are, and copies of them with their genres."""
    known: Int64 = source.items.ids
    ids = [known]
    genres = list(MovieGenre.objects.filter(movie__in=known.tolist()).order_by("movie_id", "position"))
    for _ in range(1, n_copies):
        films = list(Movie.objects.filter(pk__in=known.tolist()).order_by("pk"))
        for film in films:
            film.pk = film.movielens_id = film.tmdb_id = film.imdb_id = None
        made = Movie.objects.bulk_create(films, batch_size=_BATCH)
        copies = np.array([film.pk for film in made], dtype=np.int64)
        of = dict(zip(known.tolist(), copies.tolist(), strict=True))
        MovieGenre.objects.bulk_create(
            (MovieGenre(movie_id=of[g.movie_id], genre_id=g.genre_id, position=g.position) for g in genres),
            batch_size=_BATCH,
        )
        ids.append(copies)
    return np.concatenate(ids)


def _add_people(first: int, n_people: int) -> Int64:
    names = [f"expanded-{number:09d}" for number in range(first, first + n_people)]
    ids, _ = ensure_imported_users(usernames=names)
    return np.array([ids[name] for name in names], dtype=np.int64)


@contextmanager
def _indexed_later() -> Iterator[None]:
    """Without the indexes that no constraint needs: row by row they cost more than all the rest."""
    table = Rating._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT IN "
            "(SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass)",
            [table, table],
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        cursor.execute("SET maintenance_work_mem = '1GB'")
        for _, definition in indexes:
            cursor.execute(definition)


@transaction.atomic
def _copy_ratings(part: Part, people: Int64, films: Int64, written: datetime) -> None:
    values: dict[str, npt.NDArray[Any]] = {
        "user_id": np.repeat(people, np.diff(part.ratings.indptr)),
        "movie_id": films[part.ratings.indices],
        "value": part.ratings.data.astype(np.float64).view(np.int64),
        "changed_at": _microseconds(part.rated_at),
        "updated_at": np.full(part.ratings.nnz, _microseconds(np.array([written.timestamp()]))[0]),
    }
    rows = np.zeros(part.ratings.nnz, dtype=_ROW)
    rows["n"] = len(_COLUMNS)
    for name, column in values.items():
        rows[name], rows[f"{name}_length"] = column, 8
    with connection.cursor() as cursor:
        # Two look-ups a row would find what was just made.
        cursor.execute("SET LOCAL session_replication_role = replica")
        names = ", ".join(_COLUMNS)
        statement = f"COPY {Rating._meta.db_table} ({names}) FROM STDIN (FORMAT BINARY)"
        cursor.copy_expert(statement, io.BytesIO(_HEAD + rows.tobytes() + _TAIL))


def _microseconds(moments: Float64) -> Int64:
    found: Int64 = np.round((moments - _EPOCH_OF_POSTGRES) * 1e6).astype(np.int64)
    return found
