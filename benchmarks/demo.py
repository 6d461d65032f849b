"""The demo's ratings, as often as a benchmark needs them: by more people, or of more films."""

from collections.abc import Iterable, Iterator, Sequence

from apps.ratings.importing.records import FilmLine, RatingLine

PEOPLE_APART = 1_000
FILMS_APART = 1_000_000
"""More than the demo has people, and higher than its films' ids, so that no two copies share one."""


def repeat_people(ratings: Sequence[RatingLine], copies: int) -> Iterator[RatingLine]:
    """Copy after copy, with people and times shifted: each brings people who rate the same films."""
    for copy in range(copies):
        shift = copy * PEOPLE_APART
        yield from (RatingLine(r.line, r.person + shift, r.film, r.stars, r.at + copy) for r in ratings)


def repeat_films(
    films: Sequence[FilmLine], ratings: Iterable[RatingLine], n_films: int
) -> tuple[list[FilmLine], list[RatingLine]]:
    """``n_films`` films and their ratings: each copy is rated by the same people as its original.

    Good for time and memory, for nothing else.
    """
    once = list(ratings)
    more_films: list[FilmLine] = []
    more_ratings: list[RatingLine] = []
    for copy in range(-(-n_films // len(films))):
        shift = copy * FILMS_APART
        chosen = films[: n_films - len(more_films)]
        kept = {film.film for film in chosen}
        more_films += [film._replace(film=film.film + shift) for film in chosen]
        more_ratings += [r._replace(film=r.film + shift) for r in once if r.film in kept]
    return more_films, more_ratings
