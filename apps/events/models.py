"""The log: every film shown on a logged surface, and all that viewers said.

Bandit state, experiment results, dashboards, alerts and training weights are derived from these
tables. Nothing here is updated but the facts and the outcome of an impression.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.catalog.models import Movie
from apps.core.identifiers import uuid7
from apps.events.outcome import Outcome
from apps.events.querysets import ImpressionQuerySet


class Surface(models.TextChoices):
    """Where films are shown and logged. Browse and search are not."""

    FOR_YOU = "home.for_you", "Home: for you"
    BECAUSE = "home.because", "Home: because you liked"
    HOME_GEMS = "home.gems", "Home: hidden gems"
    HOME_POPULAR = "home.popular", "Home: popular"
    GEMS = "gems", "Hidden gems"
    SURPRISE = "surprise", "Surprise me"
    SIMILAR = "film.similar", "Film page: similar"
    API = "api", "API"


class Kind(models.TextChoices):
    """What a viewer can say of a film. ``view`` is a film page opened."""

    VIEW = "view"
    CLICK = "click"
    RATE = "rate"
    UNRATE = "unrate"
    FAVORITE = "favorite"
    UNFAVORITE = "unfavorite"
    WATCHLIST = "watchlist"
    UNWATCHLIST = "unwatchlist"
    THUMBS_UP = "thumbs_up"
    THUMBS_DOWN = "thumbs_down"
    THUMBS_CLEAR = "thumbs_clear"
    DISMISS = "dismiss"
    UNDISMISS = "undismiss"


class Slate(models.Model):
    """One list of films made for one request, with all that is needed to make it again.

    ``counted`` says whether it counts for experiments, the bandit and alerts. ``novelty`` and ``n_genres``
    are of what the arms placed, and unknown where they placed nothing. After erasure ``unit_key``, ``user``,
    ``history`` and ``exclusions`` are empty and the rest stands.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    unit_key = models.UUIDField(null=True, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    surface = models.CharField(max_length=20, choices=Surface.choices)
    strategy = models.CharField(max_length=40, help_text="The policy's name, or the one arm of a fixed one")
    strategy_config = models.JSONField(default=dict)
    recipe = models.CharField(max_length=60)
    model_version = models.CharField(max_length=40, blank=True, help_text="Empty when no model was there")
    policy_version = models.PositiveIntegerField()
    bandit_version = models.PositiveIntegerField(
        null=True, blank=True, help_text="Of the bandit's policy, when a bandit drew"
    )
    context = models.JSONField(default=dict)
    context_index = models.PositiveSmallIntegerField(null=True)
    overridden_by = models.CharField(max_length=200, blank=True)
    degraded = models.CharField(max_length=60, blank=True, help_text="Why popular was served instead")
    counted = models.BooleanField()
    n_requested = models.PositiveSmallIntegerField()
    n_returned = models.PositiveSmallIntegerField()
    diversity = models.FloatField(default=0)
    latency_ms = models.FloatField()
    novelty = models.FloatField(null=True, help_text="Mean bits of its films beside the most rated one")
    n_genres = models.PositiveSmallIntegerField(null=True, help_text="Primary genres on it")
    seed = models.BigIntegerField(help_text="Of the generator that drew the owners")
    owners = models.JSONField(default=list, help_text="Arm by slot, as drawn")
    posterior = models.JSONField(default=dict, help_text="All that a bandit drew by")
    history = models.BinaryField(default=b"", help_text="Packed by apps.events.packing, oldest first")
    exclusions = models.BinaryField(default=b"", help_text="Movie ids kept out besides the history, packed")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "slates"
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["unit_key", "created_at"], name="slates_unit_time"),
            # Checking and rebuilding a bandit's counts reads its slates alone, and what it did lately the
            # newest of them.
            models.Index(
                fields=["bandit_version", "created_at"],
                condition=Q(bandit_version__isnull=False),
                name="slates_bandit_time",
            ),
            # Those that a bandit was asked for and left alone, which no other index tells apart.
            models.Index(
                fields=["created_at"],
                condition=Q(strategy="bandit", bandit_version__isnull=True),
                name="slates_undrawn_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.surface} {self.id}"


class SlateAssignment(models.Model):
    """The variant a slate was served under; one row for each experiment the unit was in."""

    slate = models.ForeignKey(Slate, on_delete=models.CASCADE, related_name="assignments")
    experiment_key = models.CharField(max_length=60)
    phase = models.PositiveIntegerField()
    variant = models.CharField(max_length=60)
    counted = models.BooleanField()

    class Meta:
        db_table = "slate_assignments"
        constraints = [
            models.UniqueConstraint(fields=["slate", "experiment_key"], name="slate_assignments_once")
        ]

    def __str__(self) -> str:
        return f"{self.experiment_key}:{self.variant}"


class RecommendationEvent(models.Model):
    """One film shown in one slot: an impression. Facts and outcome are set by later feedback.

    ``propensity`` is the probability that the policy gave this slot to this arm; NULL where an arm
    passed and another filled in. ``weight`` is what the impression counts in a decaying state.
    Columns with a ``db_default`` are left out of the insert on the request path.
    """

    # No index of its own: the unique constraint on slate and position begins with the slate.
    slate = models.ForeignKey(Slate, on_delete=models.CASCADE, related_name="events", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    movie = models.ForeignKey(Movie, on_delete=models.PROTECT, related_name="+", db_index=False)
    algorithm = models.CharField(max_length=50)
    recommendation_score = models.FloatField()
    position = models.PositiveSmallIntegerField(help_text="1 is the first of the list")
    context = models.JSONField(default=dict)
    clicked = models.BooleanField(default=False, db_default=False)
    clicked_at = models.DateTimeField(null=True, blank=True)
    rated = models.BooleanField(default=False, db_default=False)
    rated_at = models.DateTimeField(null=True, blank=True)
    rating_value = models.FloatField(null=True, blank=True)
    added_to_watchlist = models.BooleanField(default=False, db_default=False)
    added_to_favorites = models.BooleanField(default=False, db_default=False)
    thumbs_up = models.BooleanField(default=False, db_default=False)
    thumbs_down = models.BooleanField(default=False, db_default=False)
    dismissed = models.BooleanField(default=False, db_default=False)
    experiment_id = models.CharField(max_length=60, blank=True, db_default="")
    variant = models.CharField(max_length=60, blank=True, db_default="")
    bandit_context = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Index of the context")
    algorithm_confidence = models.FloatField(null=True, blank=True)
    propensity = models.FloatField(null=True, blank=True)
    weight = models.FloatField(default=1, db_default=1)
    explored = models.BooleanField(default=False, db_default=False)
    is_long_tail = models.BooleanField(default=False, db_default=False)
    is_niche = models.BooleanField(default=False, db_default=False)
    reason = models.JSONField(default=dict)
    outcome = models.CharField(
        max_length=8, choices=Outcome.choices(), default=Outcome.PENDING, db_default=Outcome.PENDING.value
    )
    outcome_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    objects = ImpressionQuerySet.as_manager()

    class Meta:
        db_table = "recommendation_events"
        ordering = ["-id"]
        verbose_name = "impression"
        constraints = [
            models.UniqueConstraint(fields=["slate", "position"], name="recommendation_events_slot")
        ]
        indexes = [
            models.Index(fields=["user", "movie"], name="recommendation_events_viewer"),
            # Small, because a settled row leaves it; the expiry job reads nothing else.
            models.Index(
                fields=["created_at"], condition=Q(outcome="pending"), name="recommendation_events_pending"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.movie_id} at {self.position} by {self.algorithm}"


class Feedback(models.Model):
    """One thing a viewer said. Append-only; the same ``client_id`` of a unit is the same thing said.

    ``event`` is the impression it was attributed to, if any.
    """

    unit_key = models.UUIDField()
    client_id = models.CharField(max_length=64)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    movie = models.ForeignKey(Movie, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    value = models.FloatField(null=True, blank=True, help_text="Stars, for a rating")
    event = models.ForeignKey(
        RecommendationEvent, null=True, blank=True, on_delete=models.SET_NULL, related_name="feedback"
    )
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        db_table = "feedback"
        ordering = ["-id"]
        verbose_name_plural = "feedback"
        constraints = [models.UniqueConstraint(fields=["unit_key", "client_id"], name="feedback_once")]
        indexes = [models.Index(fields=["user", "occurred_at"], name="feedback_user_time")]

    def __str__(self) -> str:
        return f"{self.kind} {self.movie_id}"


class MovieDay(models.Model):
    """How often a film was shown and clicked on a surface in one UTC day; rolled up from the log."""

    movie = models.ForeignKey(Movie, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    surface = models.CharField(max_length=20, choices=Surface.choices)
    shown = models.PositiveIntegerField(default=0)
    clicked = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "movie_days"
        verbose_name = "film day"
        constraints = [models.UniqueConstraint(fields=["day", "surface", "movie"], name="movie_days_once")]

    def __str__(self) -> str:
        return f"{self.movie_id} {self.day} {self.surface}"
