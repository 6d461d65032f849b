"""The vocabulary of preferences."""

from typing import Self, TypeVar

from django.db import models

from apps.core.rows import Row as ReadRow
from apps.core.rows import read_rows

Row = TypeVar("Row", bound=models.Model)

RATING, THUMB, FAVORITE, WATCHLIST, DISMISSAL = "rating", "thumb", "favorite", "watchlist", "dismissal"

# Every list waits for this query: as an ORM union of five it takes longer to build than to run.
HISTORY_SQL = """
SELECT 'rating', movie_id, value, changed_at FROM ratings
WHERE user_id = %(user)s AND value IS NOT NULL
UNION ALL SELECT 'thumb', movie_id, CAST(direction AS double precision), changed_at FROM thumbs
WHERE user_id = %(user)s AND direction <> 0
UNION ALL SELECT 'favorite', movie_id, NULL, changed_at FROM favorites
WHERE user_id = %(user)s AND is_active
UNION ALL SELECT 'watchlist', movie_id, NULL, changed_at FROM watchlist_items
WHERE user_id = %(user)s AND is_active
UNION ALL SELECT 'dismissal', movie_id, NULL, changed_at FROM dismissals
WHERE user_id = %(user)s AND is_active
"""


class PreferenceQuerySet(models.QuerySet[Row]):
    def of(self, user_id: int) -> Self:
        return self.filter(user_id=user_id)


class RatingQuerySet(PreferenceQuerySet[Row]):
    def standing(self) -> Self:
        """Ratings that hold: tombstones left out."""
        return self.filter(value__isnull=False)


def history_rows(user_id: int) -> list[ReadRow]:
    """All that stands of a viewer's preferences, in one query: (kind, movie id, value, changed at).

    ``value`` is stars for a rating, +1.0 or -1.0 for a thumb, None else. ``HISTORY_SQL`` may be
    joined by UNION ALL to other rows of these four columns.
    """
    return read_rows(HISTORY_SQL, {"user": user_id})
