"""The vocabulary of preferences."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from django.db import models
from django.db.models import Q

from apps.core.rows import Row as ReadRow
from apps.core.rows import read_rows

if TYPE_CHECKING:
    from apps.ratings.models import Import, ImportRow  # noqa: F401 - the models import this module

Row = TypeVar("Row", bound=models.Model)

RATING, THUMB, FAVORITE, WATCHLIST, DISMISSAL = "rating", "thumb", "favorite", "watchlist", "dismissal"
UNSEEN = "unseen"
CLICK = "click"
"""No preference: what the log holds of films that a viewer opened."""

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
    """``STANDING`` picks the rows that hold: tombstones are left out."""

    STANDING: ClassVar[Q]

    def of(self, user_id: int) -> Self:
        return self.filter(user_id=user_id)

    def standing(self) -> Self:
        return self.filter(self.STANDING)

    def listed(self) -> Self:
        """Those that hold of films that may be shown, the latest first."""
        return self.standing().filter(movie__is_available=True).order_by("-changed_at", "-pk")


class RatingQuerySet(PreferenceQuerySet[Row]):
    STANDING = Q(value__isnull=False)


class FlagQuerySet(PreferenceQuerySet[Row]):
    STANDING = Q(is_active=True)


class ThumbQuerySet(PreferenceQuerySet[Row]):
    STANDING = ~Q(direction=0)


class ImportQuerySet(models.QuerySet["Import"]):
    def of(self, user_id: int) -> Self:
        return self.filter(user_id=user_id)

    def waiting(self) -> Self:
        """Previews that nobody applied."""
        return self.filter(status="previewed")

    def older_than(self, moment: datetime) -> Self:
        return self.filter(created_at__lt=moment)


class ImportRowQuerySet(models.QuerySet["ImportRow"]):
    def matched(self) -> Self:
        """Those whose film was found, each kind together, by film."""
        return self.exclude(movie=None).order_by("kind", "movie_id")

    def unmatched(self) -> Self:
        return self.filter(status="unmatched").order_by("id")

    def written(self) -> Self:
        """Those that an import has written, each kind together, by film."""
        return self.exclude(movie=None).exclude(written_at=None).order_by("kind", "movie_id")


def history_rows(user_id: int) -> list[ReadRow]:
    """All that stands of a viewer's preferences, in one query: (kind, movie id, value, changed at).

    ``value`` is stars for a rating, +1.0 or -1.0 for a thumb, None else. ``HISTORY_SQL`` may be
    joined by UNION ALL to other rows of these four columns.
    """
    return read_rows(HISTORY_SQL, {"user": user_id})
