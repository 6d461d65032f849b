"""What experiments have counted: by unit and day, by unit, and added up over units. All made from the log."""

from django.db import models

from apps.experiments.models.experiments import Experiment


class Sums(models.Model):
    """``apps.experiments.metrics.SUMS`` of one unit."""

    lists = models.FloatField(default=0.0)
    degraded = models.FloatField(default=0.0)
    empty = models.FloatField(default=0.0)
    shown = models.FloatField(default=0.0)
    clicks = models.FloatField(default=0.0)
    successes = models.FloatField(default=0.0)
    rated = models.FloatField(default=0.0)
    clicked_rated = models.FloatField(default=0.0)
    clicked_stars = models.FloatField(default=0.0)
    watchlisted = models.FloatField(default=0.0)
    dismissed = models.FloatField(default=0.0)
    long_tail = models.FloatField(default=0.0)
    niche = models.FloatField(default=0.0)
    measured = models.FloatField(default=0.0)
    novelty = models.FloatField(default=0.0)
    genres = models.FloatField(default=0.0)

    class Meta:
        abstract = True


class UnitDay(Sums):
    """What one unit was shown on one UTC day of a phase, and what came of it, whenever that was.

    ``latency`` is the sparse histogram of how long its lists took.
    """

    experiment = models.ForeignKey(
        Experiment, on_delete=models.PROTECT, related_name="unit_days", db_index=False
    )
    phase = models.PositiveIntegerField()
    variant = models.CharField(max_length=60)
    unit_key = models.UUIDField()
    day = models.DateField()
    latency = models.JSONField(default=dict)

    class Meta:
        db_table = "experiment_unit_days"
        constraints = [
            models.UniqueConstraint(
                fields=["unit_key", "experiment", "phase", "day"], name="experiment_unit_days_once"
            )
        ]

    def __str__(self) -> str:
        return f"a unit of {self.experiment_id} on {self.day}"


class UnitTotal(Sums):
    """One unit of a phase: its sums over all days, and what stood fast when it was first exposed.

    ``segment`` is that of its first list, and ``pre_…`` are of its lists of ``PRE_DAYS`` before, with what
    was said of them before it was exposed.
    """

    experiment = models.ForeignKey(
        Experiment, on_delete=models.PROTECT, related_name="unit_totals", db_index=False
    )
    phase = models.PositiveIntegerField()
    variant = models.CharField(max_length=60)
    unit_key = models.UUIDField()
    segment = models.CharField(max_length=10, blank=True)
    exposed_at = models.DateTimeField()
    pre_lists = models.FloatField(default=0.0)
    pre_clicks = models.FloatField(default=0.0)
    pre_rated = models.FloatField(default=0.0)

    class Meta:
        db_table = "experiment_unit_totals"
        constraints = [
            models.UniqueConstraint(
                fields=["unit_key", "experiment", "phase"], name="experiment_unit_totals_once"
            )
        ]

    def __str__(self) -> str:
        return f"a unit of {self.experiment_id}"


class Snapshot(models.Model):
    """What one step adds to the sums over units of one metric; results read these rows alone.

    Along ``day`` a step is a UTC day, ``step`` its ordinal, and a unit's value is what it has come to by
    then: the rows up to a day add up to the sums as they stand at its end. Along ``age`` a step is the number
    of days since a unit was first exposed, and its value what that day alone brought.

    ``n`` are units; ``top`` and ``bottom`` the sums of the metric's two parts (``bottom`` is 1 a unit where
    it has one), ``…_squares`` and ``products`` those of their squares and products, ``pre…`` of what the unit
    did before it was exposed.
    """

    class Axis(models.TextChoices):
        DAY = "day", "By day"
        AGE = "age", "By day since exposure"

    experiment = models.ForeignKey(
        Experiment, on_delete=models.PROTECT, related_name="snapshots", db_index=False
    )
    phase = models.PositiveIntegerField()
    variant = models.CharField(max_length=60)
    segment = models.CharField(max_length=10, blank=True)
    axis = models.CharField(max_length=3, choices=Axis.choices)
    step = models.IntegerField()
    metric = models.CharField(max_length=30)
    n = models.FloatField(default=0.0)
    top = models.FloatField(default=0.0)
    top_squares = models.FloatField(default=0.0)
    bottom = models.FloatField(default=0.0)
    bottom_squares = models.FloatField(default=0.0)
    products = models.FloatField(default=0.0)
    pre = models.FloatField(default=0.0)
    pre_squares = models.FloatField(default=0.0)
    pre_products = models.FloatField(default=0.0)

    class Meta:
        db_table = "experiment_snapshots"
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "phase", "axis", "metric", "variant", "segment", "step"],
                name="experiment_snapshots_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.experiment_id}: {self.metric} of {self.variant}"


class LatencyDay(models.Model):
    """How long the lists of a variant took on one UTC day, as a sparse histogram."""

    experiment = models.ForeignKey(
        Experiment, on_delete=models.PROTECT, related_name="latency_days", db_index=False
    )
    phase = models.PositiveIntegerField()
    variant = models.CharField(max_length=60)
    day = models.DateField()
    counts = models.JSONField(default=dict)

    class Meta:
        db_table = "experiment_latency_days"
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "phase", "variant", "day"], name="experiment_latency_days_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.experiment_id}: latency of {self.variant} on {self.day}"


class Rollup(models.Model):
    """The one row that says how much of the log has been counted.

    Lists before ``until`` are, none where it is None, and feedback up to ``feedback_id``. ``recent`` says by
    minute how many lists the log had of the last ones, and the sum of their assignments' ids: one that comes
    late, of a long transaction, makes it another.
    """

    SINGLETON = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLETON, editable=False)
    until = models.DateTimeField(null=True)
    feedback_id = models.BigIntegerField(default=0)
    recent = models.JSONField(default=dict)
    ran_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0.0)

    class Meta:
        db_table = "experiment_rollup"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="experiment_rollup_single")]

    def __str__(self) -> str:
        return "how far the log is counted"
