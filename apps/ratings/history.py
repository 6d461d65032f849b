"""What a viewer's preferences say to the arms. No query here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from apps.ratings.querysets import DISMISSAL, FAVORITE, RATING, THUMB

# In stars. What people rate after such an act is not in any public data; these say "liked", "liked
# a lot" and "disliked" on the scale that the arms cut at 4.0 and 2.0.
IMPLIED_BY_FAVORITE = 4.5
IMPLIED_BY_THUMB = {1.0: 4.0, -1.0: 1.5}
IMPLIED_BY_INTEREST = 4.0
"""Of a film that was opened or put on the watchlist. Training alone may count these, and for less than a
rating; no list of the viewer's own does, since the film is still to be seen."""

# Of what is said about one film in several ways, the heaviest counts.
_WEIGHTS = {RATING: 3, THUMB: 2, FAVORITE: 1}
_BY_TIME = itemgetter(2, 0)

HistoryRow = tuple[str, int, float | None, datetime]


@dataclass(frozen=True)
class Preferences:
    """``rated`` is (film id, stars, time), oldest first, each film once.

    A rating counts as it stands. Without one a thumb up counts as 4.0 stars, a thumb down as 1.5,
    and without either a favourite as 4.5. ``excluded`` are the films that no list shows: those of
    ``rated`` and the ``dismissed``, which no sentence calls liked either, whatever else was said of them. A
    film on the watchlist is still to be seen and stays in the lists. ``n_ratings`` counts real ratings alone.
    """

    rated: tuple[tuple[int, float, datetime], ...]
    excluded: frozenset[int]
    dismissed: frozenset[int]
    n_ratings: int


def preferences_from(rows: Iterable[HistoryRow]) -> Preferences:
    """From rows of ``querysets.history_rows`` in any order; rows of other kinds say nothing."""
    said: dict[int, tuple[int, float, datetime]] = {}
    dismissed: set[int] = set()
    for kind, movie_id, value, at in rows:
        weight = _WEIGHTS.get(kind, 0)
        if weight and (movie_id not in said or weight > said[movie_id][0]):
            said[movie_id] = (weight, implied_stars(kind, value), at)
        elif kind == DISMISSAL:
            dismissed.add(movie_id)
    rated = [(movie_id, stars, at) for movie_id, (_, stars, at) in said.items()]
    rated.sort(key=_BY_TIME)
    n_ratings = sum(weight == _WEIGHTS[RATING] for weight, _, _ in said.values())
    return Preferences(tuple(rated), frozenset(dismissed.union(said)), frozenset(dismissed), n_ratings)


def implied_stars(kind: str, value: float | None) -> float:
    """What a rating, thumb or favourite says in stars; ``value`` is there for ratings and thumbs."""
    if kind == FAVORITE or value is None:
        return IMPLIED_BY_FAVORITE
    return value if kind == RATING else IMPLIED_BY_THUMB[value]
