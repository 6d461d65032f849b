"""What is kept per day of how the site fares."""

from django.db import models
from django.db.models import Q

from apps.algorithms.statistics import DRIFTED
from apps.monitoring.querysets import DriftQuerySet


class DriftDay(models.Model):
    """How far one thing had moved by the end of a UTC day from what the version ``version`` was trained on.

    ``subject`` is one of ``apps.monitoring.drift.SUBJECTS``, or ``scores_`` and an arm. ``on_nothing`` and
    ``by_chance`` are those of ``statistics.Stability``. ``bins`` is JSON, ``[{"bin", "training", "now"}]``
    with shares. ``n_training`` and ``n_now`` are what was counted: ratings, or viewers for what was shown.
    Written by ``monitoring.services.record_drift`` alone, which works a day out as often as it is asked.
    """

    class Status(models.TextChoices):
        OK = "ok", "Can be read"
        TOO_FEW = "too_few", "Too few"
        INSUFFICIENT_DATA = "insufficient_data", "Nothing to compare"
        NO_BASELINE = "no_baseline", "Training side unknown"

    day = models.DateField()
    recipe = models.CharField(max_length=60)
    version = models.CharField(max_length=40)
    subject = models.CharField(max_length=60)
    status = models.CharField(max_length=20, choices=Status.choices)
    psi = models.FloatField("PSI", null=True)
    on_nothing = models.FloatField(null=True)
    by_chance = models.FloatField(null=True)
    n_training = models.PositiveBigIntegerField("counted in training")
    n_now = models.PositiveBigIntegerField("counted now")
    bins = models.JSONField(default=list)
    computed_at = models.DateTimeField()

    objects = DriftQuerySet.as_manager()

    class Meta:
        db_table = "drift_days"
        ordering = ["-day", "recipe", "subject"]
        verbose_name = "drift"
        verbose_name_plural = "drift"
        constraints = [
            models.UniqueConstraint(fields=["day", "recipe", "version", "subject"], name="drift_days_once"),
            models.CheckConstraint(
                condition=Q(psi__isnull=True) | Q(psi__gte=0), name="drift_days_psi_from_0"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} of {self.recipe} on {self.day}"

    @property
    def excess(self) -> float | None:
        """The PSI less what so few give where nothing moved, at least 0; None where that says nothing."""
        if self.status != self.Status.OK or self.psi is None or self.on_nothing is None:
            return None
        return max(self.psi - self.on_nothing, 0.0)

    @property
    def has_drifted(self) -> bool:
        """An ``excess`` above ``DRIFTED``: what an alert goes by."""
        return self.excess is not None and self.excess > DRIFTED
