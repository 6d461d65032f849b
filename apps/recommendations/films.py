"""The few facts of a film that serving needs, read at serving time so that hiding works at once."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from apps.catalog.models import Movie


class Film(NamedTuple):
    movie_id: int
    title: str
    is_long_tail: bool
    is_niche: bool
    rating_count: int


_COLUMNS = ("pk", "title", "is_long_tail", "is_niche", "rating_count")


def available_films(movie_ids: Iterable[int]) -> dict[int, Film]:
    """Those of the films that may be shown, by id. One query."""
    rows = Movie.objects.available().filter(pk__in=set(movie_ids)).values_list(*_COLUMNS)
    return {row[0]: Film(*row) for row in rows}


def hidden_ids() -> list[int]:
    return list(Movie.objects.filter(is_available=False).values_list("pk", flat=True))


def most_popular(n: int, *, excluded: Collection[int], genre: str | None) -> list[Film]:
    """The ``n`` films that most people rated, ties by id. One query, no model needed."""
    films = Movie.objects.available().exclude(pk__in=excluded).order_by("-rating_count", "pk")
    if genre:
        films = films.filter(genres__name__iexact=genre)
    return [Film(*row) for row in films.values_list(*_COLUMNS)[:n]]
