"""How well liked a film is, from 0 to 10 and in stars; in Python and as database expressions."""

from django.db.models import Case, F, FloatField, IntegerField, Q, Value, When
from django.db.models.functions import Coalesce

# The usual mean of half-star ratings (3.54 in the demo data), given the weight of three people.
PRIOR_STARS = 3.5
PRIOR_WEIGHT = 3.0


def bayesian_mean(rating_sum: float, rating_count: int) -> float:
    """Mean in stars, pulled to ``PRIOR_STARS`` while there are few ratings."""
    return (rating_sum + PRIOR_WEIGHT * PRIOR_STARS) / (rating_count + PRIOR_WEIGHT)


def vote_average(tmdb: tuple[float | None, int | None], rating_sum: float, rating_count: int) -> float | None:
    """0 to 10: TMDB's where people voted there, else twice our Bayesian mean. None without votes."""
    average, count = tmdb
    if average is not None and count:
        return average
    return 2 * bayesian_mean(rating_sum, rating_count) if rating_count else None


def vote_count(tmdb: tuple[float | None, int | None], rating_count: int) -> int:
    """How many votes ``vote_average`` rests on."""
    average, count = tmdb
    return count if average is not None and count else rating_count


_TMDB_KNOWN = Q(tmdb_vote_average__isnull=False, tmdb_vote_count__gt=0)

# The same as ``vote_average`` and ``Movie.vote_count``, to filter and order by.
VOTE_AVERAGE = Case(
    When(_TMDB_KNOWN, then=F("tmdb_vote_average")),
    When(
        rating_count__gt=0,
        then=Value(2.0)
        * (F("rating_sum") + Value(PRIOR_WEIGHT * PRIOR_STARS))
        / (F("rating_count") + Value(PRIOR_WEIGHT)),
    ),
    default=None,
    output_field=FloatField(null=True),
)
VOTE_COUNT = Case(
    When(_TMDB_KNOWN, then=Coalesce("tmdb_vote_count", Value(0))),
    default=F("rating_count"),
    output_field=IntegerField(),
)
