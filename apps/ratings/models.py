"""A viewer's lasting preferences: ratings, favourites, watchlist, thumbs, dismissals.

Nothing is deleted when a viewer takes a preference back: the row stays as a tombstone with the
time of the change, so that a late or repeated message cannot bring it back, and training sees
that it went.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.catalog.models import Movie
from apps.ratings.querysets import PreferenceQuerySet, RatingQuerySet


class Preference(models.Model):
    """``changed_at`` is when the viewer acted (not when we heard of it); the latest act wins.

    Written by ``ratings.services.record_preference`` and the importers alone.
    """

    # No index of its own: the unique constraint on user and movie begins with the user.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False)
    movie = models.ForeignKey(Movie, on_delete=models.PROTECT)
    changed_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Flag(Preference):
    """A preference that is there or is not."""

    is_active = models.BooleanField(default=True)

    objects = PreferenceQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.user_id}:{self.movie_id}"


class Rating(Preference):
    """``value`` is 0.5 to 5.0 stars by halves; NULL is the tombstone of a withdrawn rating.

    ``rated_at`` of the outside world is ``changed_at``.
    """

    value = models.FloatField(null=True)

    objects = RatingQuerySet.as_manager()

    class Meta:
        db_table = "ratings"
        constraints = [
            models.UniqueConstraint(fields=["user", "movie"], name="ratings_once"),
            models.CheckConstraint(
                condition=Q(value=None) | Q(value__in=[half / 2 for half in range(1, 11)]),
                name="ratings_halves",
            ),
        ]
        indexes = [models.Index(fields=["updated_at"], name="ratings_updated")]

    def __str__(self) -> str:
        return f"{self.user_id}:{self.movie_id}={self.value}"


class Favorite(Flag):
    class Meta:
        db_table = "favorites"
        constraints = [models.UniqueConstraint(fields=["user", "movie"], name="favorites_once")]


class WatchlistItem(Flag):
    class Meta:
        db_table = "watchlist_items"
        constraints = [models.UniqueConstraint(fields=["user", "movie"], name="watchlist_items_once")]


class Dismissal(Flag):
    """ "Not for me": the film is kept out of every list until it is restored."""

    class Meta:
        db_table = "dismissals"
        constraints = [models.UniqueConstraint(fields=["user", "movie"], name="dismissals_once")]


class Thumb(Preference):
    """``direction`` is +1 for up, -1 for down, 0 for the tombstone of a cleared thumb."""

    direction = models.SmallIntegerField()

    objects = PreferenceQuerySet.as_manager()

    class Meta:
        db_table = "thumbs"
        constraints = [
            models.UniqueConstraint(fields=["user", "movie"], name="thumbs_once"),
            models.CheckConstraint(condition=Q(direction__in=[-1, 0, 1]), name="thumbs_direction"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}:{self.movie_id}={self.direction:+d}"
