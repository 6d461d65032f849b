"""The few facts of a film that serving needs, read at serving time so that hiding works at once."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.db import connection

from apps.catalog.models import Movie


class Film(NamedTuple):
    movie_id: int
    title: str
    is_long_tail: bool
    is_niche: bool
    rating_count: int


_AVAILABLE = (
    "SELECT id, title, is_long_tail, is_niche, rating_count FROM movies WHERE is_available AND id IN ({})"
)
_COLUMNS = ("pk", "title", "is_long_tail", "is_niche", "rating_count")


def available_films(movie_ids: Iterable[int]) -> dict[int, Film]:
    """Those of the films that may be shown, by id. One query, by hand: every list waits for it."""
    wanted = ", ".join(str(int(movie_id)) for movie_id in set(movie_ids))
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_AVAILABLE.format(wanted))
        return {row[0]: Film(*row) for row in cursor.fetchall()}


def hidden_ids() -> list[int]:
    return list(Movie.objects.filter(is_available=False).values_list("pk", flat=True))


def most_popular(
    n: int, *, excluded: Collection[int], genre: str | None, only: Collection[int] | None = None
) -> list[Film]:
    """The ``n`` films that most people rated, ties by id. One query, no model needed."""
    films = Movie.objects.available().exclude(pk__in=excluded).order_by("-rating_count", "pk")
    if genre:
        films = films.filter(genres__name__iexact=genre)
    if only is not None:
        films = films.filter(pk__in=only)
    return [Film(*row) for row in films.values_list(*_COLUMNS)[:n]]
