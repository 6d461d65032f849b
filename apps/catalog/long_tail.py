"""Long tail: good films that few have seen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from apps.algorithms.head import head_of
from apps.catalog.votes import bayesian_mean

MAX_TMDB_VOTES = 1000
MIN_TMDB_AVERAGE = 7.5
MIN_RATINGS = 5
TOP_SHARE = 0.1


@dataclass(frozen=True)
class FilmVotes:
    """What is known of how one film was received. ``tmdb_*`` are None where TMDB is not known."""

    movie_id: int
    rating_sum: float
    rating_count: int
    tmdb_average: float | None = None
    tmdb_count: int | None = None


def long_tail_of(films: Iterable[FilmVotes]) -> frozenset[int]:
    """Ids of the long tail.

    With TMDB's votes: fewer than 1000 of them, and above 7.5. Without: outside the head, at least
    5 ratings, and a Bayesian mean within the best tenth of such films (ties at the bar are in).
    """
    films = list(films)
    head = head_of((film.movie_id, film.rating_count) for film in films)
    by_tmdb = {film.movie_id for film in films if film.tmdb_count and _is_gem_on_tmdb(film)}
    tail = [
        (film.movie_id, bayesian_mean(film.rating_sum, film.rating_count))
        for film in films
        if not film.tmdb_count and film.movie_id not in head and film.rating_count >= MIN_RATINGS
    ]
    bar = _bar([mean for _, mean in tail])
    return frozenset(by_tmdb | {movie_id for movie_id, mean in tail if mean >= bar})


def _is_gem_on_tmdb(film: FilmVotes) -> bool:
    return (film.tmdb_count or 0) < MAX_TMDB_VOTES and (film.tmdb_average or 0.0) > MIN_TMDB_AVERAGE


def _bar(means: Sequence[float]) -> float:
    """The least mean of the best tenth; that of the best film while a tenth is less than one."""
    if not means:
        return float("inf")
    return sorted(means, reverse=True)[max(int(len(means) * TOP_SHARE), 1) - 1]
