"""A viewer's lasting preferences: ratings, favourites, watchlist, thumbs, dismissals; and their imports.

Nothing is deleted when a viewer takes a preference back: the row stays as a tombstone with the
time of the change, so that a late or repeated message cannot bring it back, and training sees
that it went.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.catalog.models import Movie
from apps.ratings.querysets import (
    DISMISSAL,
    FAVORITE,
    RATING,
    THUMB,
    UNSEEN,
    WATCHLIST,
    FlagQuerySet,
    ImportQuerySet,
    ImportRowQuerySet,
    RatingQuerySet,
    ThumbQuerySet,
)


class Preference(models.Model):
    """``changed_at`` is when the viewer acted (not when we heard of it); the latest act wins.

    Written by ``ratings.services.record_preference`` and the importers alone.
    """

    KIND: ClassVar[str]
    """As in ``querysets``."""

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

    objects = FlagQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.user_id}:{self.movie_id}"


class Rating(Preference):
    """``value`` is 0.5 to 5.0 stars by halves; NULL is the tombstone of a withdrawn rating.

    ``rated_at`` of the outside world is ``changed_at``.
    """

    KIND = RATING

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


class RatingDeparture(models.Model):
    """A person of whom ratings left the table without a tombstone: erased, handed to an account, of a film
    that turned out to be another one, or of an import that was undone. ``kind`` says of which table: other
    preferences, and what they clicked, are learned from too where a recipe asks for it.

    Who keeps a copy of the rows reads this person's anew; ``is_erasure`` says that this must be soon.
    The number of somebody who was erased is
    in no other row; it goes from here once no copy is older (``ratings.services.forget_departures``).
    """

    user_id = models.BigIntegerField()
    kind = models.CharField(max_length=10, default=RATING)
    is_erasure = models.BooleanField(default=False)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "rating_departures"

    def __str__(self) -> str:
        return f"{self.user_id} at {self.at:%Y-%m-%d %H:%M}"


class Favorite(Flag):
    KIND = FAVORITE

    class Meta:
        db_table = "favorites"
        constraints = [models.UniqueConstraint(fields=["user", "movie"], name="favorites_once")]
        indexes = [models.Index(fields=["updated_at"], name="favorites_updated")]


class WatchlistItem(Flag):
    KIND = WATCHLIST

    class Meta:
        db_table = "watchlist_items"
        constraints = [models.UniqueConstraint(fields=["user", "movie"], name="watchlist_items_once")]
        indexes = [models.Index(fields=["updated_at"], name="watchlist_items_updated")]


class Dismissal(Flag):
    """ "Not for me": the film is kept out of every list until it is restored."""

    KIND = DISMISSAL

    class Meta:
        db_table = "dismissals"
        constraints = [models.UniqueConstraint(fields=["user", "movie"], name="dismissals_once")]
        indexes = [models.Index(fields=["updated_at"], name="dismissals_updated")]


class Unseen(Flag):
    """The viewer was asked to rate the film and has not seen it: it is not asked about again. This says
    nothing of taste, and no list looks at it.
    """

    KIND = UNSEEN

    class Meta:
        db_table = "unseen_films"
        verbose_name, verbose_name_plural = "film not seen", "films not seen"
        constraints = [models.UniqueConstraint(fields=["user", "movie"], name="unseen_films_once")]


class Thumb(Preference):
    """``direction`` is +1 for up, -1 for down, 0 for the tombstone of a cleared thumb."""

    KIND = THUMB

    direction = models.SmallIntegerField()

    objects = ThumbQuerySet.as_manager()

    class Meta:
        db_table = "thumbs"
        constraints = [
            models.UniqueConstraint(fields=["user", "movie"], name="thumbs_once"),
            models.CheckConstraint(condition=Q(direction__in=[-1, 0, 1]), name="thumbs_direction"),
        ]
        indexes = [models.Index(fields=["updated_at"], name="thumbs_updated")]

    def __str__(self) -> str:
        return f"{self.user_id}:{self.movie_id}={self.direction:+d}"


class Import(models.Model):
    """One file of a viewer's own ratings: kept as a preview, applied by a rule, undone.

    The numbers ``n_new`` to ``n_repeated`` are of the preview; ``n_added`` to ``n_kept`` of applying,
    which compares anew; ``n_restored`` and ``n_left`` of undoing. ``n_newer`` are those conflicts in
    which the file's date is the later. Once ``pruned_at`` is set the rows are gone, and with them
    the way back.
    """

    class Site(models.TextChoices):
        MARQUEE = "marquee", "Marquee"
        LETTERBOXD = "letterboxd", "Letterboxd"
        IMDB = "imdb", "IMDb"
        TRAKT = "trakt", "Trakt"
        MOVIELENS = "movielens", "MovieLens"

    class Status(models.TextChoices):
        PREVIEWED = "previewed", "Not applied yet"
        APPLIED = "applied", "Applied"
        UNDONE = "undone", "Undone"

    class Rule(models.TextChoices):
        """Which counts where the viewer and the file say different things of a film."""

        MINE = "mine", "Keep mine"
        FILE = "file", "Take the file's"
        NEWER = "newer", "The newer one counts"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=100)
    site = models.CharField(max_length=12, choices=Site.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PREVIEWED)
    rule = models.CharField(max_length=6, choices=Rule.choices, blank=True, help_text="Empty until applied")
    n_new = models.PositiveIntegerField(default=0)
    n_unchanged = models.PositiveIntegerField(default=0)
    n_conflicts = models.PositiveIntegerField(default=0)
    n_newer = models.PositiveIntegerField(default=0)
    n_unmatched = models.PositiveIntegerField(default=0)
    n_repeated = models.PositiveIntegerField(default=0)
    skipped = models.JSONField(default=dict, help_text="How many rows were left out, by reason")
    n_added = models.PositiveIntegerField(default=0)
    n_changed = models.PositiveIntegerField(default=0)
    n_kept = models.PositiveIntegerField(default=0)
    n_restored = models.PositiveIntegerField(default=0)
    n_left = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    pruned_at = models.DateTimeField(null=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        db_table = "imports"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.file_name} of {self.user_id}"

    def changed_by(self, rule: str) -> int:
        """How many conflicts a rule decides for the file, as of the preview."""
        return {self.Rule.FILE: self.n_conflicts, self.Rule.NEWER: self.n_newer}.get(self.Rule(rule), 0)

    @property
    def can_be_undone(self) -> bool:
        return self.status == self.Status.APPLIED and self.pruned_at is None


class ImportRow(models.Model):
    """What one row of a file says of one film, and what the viewer said before it was written.

    ``state`` is stars of a rating, 1 or 0 of what is there or not, 1, 0 or -1 of a thumb; None of a
    rating that was taken back. ``before_at`` None: there was nothing before. ``written_at`` is the
    time that the preference got, None when nothing was written.
    """

    class Kind(models.TextChoices):
        RATING = RATING
        THUMB = THUMB
        FAVORITE = FAVORITE
        WATCHLIST = WATCHLIST
        DISMISSAL = DISMISSAL
        UNSEEN = UNSEEN

    class Status(models.TextChoices):
        NEW = "new"
        UNCHANGED = "unchanged"
        CONFLICT = "conflict"
        UNMATCHED = "unmatched"

    # No index of its own: the index on import and status begins with the import.
    parent = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rows", db_index=False)
    file = models.CharField(max_length=100)
    line = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=10, choices=Status.choices)
    title = models.CharField(max_length=300, blank=True)
    year = models.PositiveSmallIntegerField(null=True)
    ids = models.JSONField(default=dict)
    movie = models.ForeignKey(Movie, null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.FloatField(null=True)
    at = models.DateTimeField(null=True)
    why = models.CharField(max_length=100, blank=True, help_text="Why no film was found")
    before_state = models.FloatField(null=True)
    before_at = models.DateTimeField(null=True)
    written_at = models.DateTimeField(null=True)

    objects = ImportRowQuerySet.as_manager()

    class Meta:
        db_table = "import_rows"
        ordering = ["id"]
        indexes = [models.Index(fields=["parent", "status"], name="import_rows_status")]

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"


class MovieMerge(models.Model):
    """Two films that turned out to be one: ``duplicate`` was hidden, and what viewers had said of it
    went to ``kept``. ``moved`` counts by kind of preference. Who did it, and why, is in the audit.
    """

    duplicate = models.ForeignKey(Movie, on_delete=models.PROTECT, related_name="+")
    kept = models.ForeignKey(Movie, on_delete=models.PROTECT, related_name="+")
    merged_at = models.DateTimeField()
    moved = models.JSONField(default=dict)

    class Meta:
        db_table = "movie_merges"
        ordering = ["-id"]
        verbose_name = "merge"

    def __str__(self) -> str:
        return f"film {self.duplicate_id} into film {self.kept_id}"


class MovedPreference(models.Model):
    """A preference as it stood before a merge moved or overruled it, so that nothing is lost by one.

    ``movie`` is the film that it was about; ``state`` is stars, a direction, or 1 and 0 for a flag.
    """

    merge = models.ForeignKey(MovieMerge, on_delete=models.CASCADE, related_name="preferences")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    movie = models.ForeignKey(Movie, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12)
    state = models.FloatField(null=True)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "moved_preferences"
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.user_id}:{self.movie_id} {self.kind}={self.state}"
