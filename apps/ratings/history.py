"""What a viewer's preferences say to the arms. No query here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from apps.ratings.querysets import DISMISSAL, FAVORITE, RATING, THUMB

# In stars. What people rate after such an act is not in any public data; these say "liked", "liked
# a lot" and "disliked" on the scale that the arms cut at 4.0 and 2.0.
IMPLIED_BY_FAVORITE = 4.5
IMPLIED_BY_THUMB = {1.0: 4.0, -1.0: 1.5}

HistoryRow = tuple[str, int, float | None, datetime]


@dataclass(frozen=True)
class Preferences:
    """``rated`` is (film id, stars, time), oldest first, each film once.

    A rating counts as it stands. Without one a thumb up counts as 4.0 stars, a thumb down as 1.5,
    and without either a favourite as 4.5. ``excluded`` are the films that no list shows: those of
    ``rated`` and the dismissed. A film on the watchlist is still to be seen and stays in the lists.
    ``n_ratings`` counts real ratings alone.
    """

    rated: tuple[tuple[int, float, datetime], ...]
    excluded: frozenset[int]
    n_ratings: int


def preferences_from(rows: Iterable[HistoryRow]) -> Preferences:
    """From rows of ``querysets.history_rows`` in any order; rows of other kinds say nothing."""
    stars: dict[int, tuple[int, float, datetime]] = {}
    dismissed: set[int] = set()
    n_ratings = 0
    for kind, movie_id, value, at in rows:
        n_ratings += kind == RATING
        if kind == DISMISSAL:
            dismissed.add(movie_id)
        said = _stars(kind, value)
        if said is not None and (movie_id not in stars or said[0] > stars[movie_id][0]):
            stars[movie_id] = (*said, at)
    rated = [(movie_id, value, at) for movie_id, (_, value, at) in stars.items()]
    rated.sort(key=lambda one: (one[2], one[0]))
    return Preferences(tuple(rated), frozenset(dismissed.union(stars)), n_ratings)


def _stars(kind: str, value: float | None) -> tuple[int, float] | None:
    """(how much the kind weighs against others about the same film, stars)."""
    if kind == RATING and value is not None:
        return 3, value
    if kind == THUMB and value is not None:
        return 2, IMPLIED_BY_THUMB[value]
    return (1, IMPLIED_BY_FAVORITE) if kind == FAVORITE else None
