"""The vocabulary of preferences."""

from typing import Any, Self, TypeVar

from django.apps import apps
from django.db import models
from django.db.models import CharField, F, FloatField, QuerySet, Value
from django.db.models.functions import Cast

Row = TypeVar("Row", bound=models.Model)

RATING, THUMB, FAVORITE, WATCHLIST, DISMISSAL = "rating", "thumb", "favorite", "watchlist", "dismissal"


class PreferenceQuerySet(models.QuerySet[Row]):
    def of(self, user_id: int) -> Self:
        return self.filter(user_id=user_id)


class RatingQuerySet(PreferenceQuerySet[Row]):
    def standing(self) -> Self:
        """Ratings that hold: tombstones left out."""
        return self.filter(value__isnull=False)


def history_rows(user_id: int) -> QuerySet[Any, Any]:
    """All that stands of a viewer's preferences, in one query: (kind, movie id, value, changed at).

    ``value`` is stars for a rating, +1.0 or -1.0 for a thumb, NULL else. Other querysets of the same
    four columns join by ``union(…, all=True)``.
    """
    nothing = Cast(Value(None), FloatField())
    parts = [
        _rows("Rating", RATING, F("value"), user_id, value__isnull=False),
        _rows("Thumb", THUMB, Cast("direction", FloatField()), user_id, direction__in=[-1, 1]),
        *(
            _rows(model, kind, nothing, user_id, is_active=True)
            for model, kind in (
                ("Favorite", FAVORITE),
                ("WatchlistItem", WATCHLIST),
                ("Dismissal", DISMISSAL),
            )
        ),
    ]
    rows: QuerySet[Any, Any] = parts[0].union(*parts[1:], all=True)
    return rows


def _rows(model: str, kind: str, value: Any, user_id: int, **standing: Any) -> QuerySet[Any, Any]:
    rows: QuerySet[Any, Any] = apps.get_model("ratings", model)._default_manager.filter(
        user_id=user_id, **standing
    )
    return rows.order_by().values_list(Value(kind, CharField()), F("movie_id"), value, F("changed_at"))
