"""An experiment, its variants, its phases, and who was put into it by hand."""

from django.db import models
from django.db.models import F, Q

from apps.experiments.models.layers import Layer, new_salt
from apps.experiments.querysets import ExperimentQuerySet, PhaseQuerySet


class Experiment(models.Model):
    """What staff configure. What serves is the plan of its open phase, which a change here does not touch.

    ``range_start`` and ``range_end``, 0 to 1, are its part of the layer, the end left out. Empty lists and
    ages target anybody. ``goals`` are names of metrics, the first of them the one that decides, and
    ``guardrails`` maps names to the relative fall that is too much. ``min_effect`` is the smallest relative
    effect that is worth finding. ``planned_units`` is how many units all variants together are to have at the
    horizon, as was foreseen at the start; None where nothing was known to foresee it by. ``ramp`` is a list
    of steps (``apps.experiments.ramping``). ``version`` grows with each change and each new state.

    A *rollout* need not be better, only not worse: it goes on where no difference is found, and a timed one,
    of a site too small for statistics, also where nothing can be told. Whoever is in an experiment of
    strategies with a ``pinned_recipe`` is served by that recipe, whatever the policy's or a rollout's is.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        COMPLETED = "completed", "Completed"
        ROLLED_BACK = "rolled_back", "Rolled back"

    class Test(models.TextChoices):
        ANY_TIME = "any_time", "May be read at any time"
        PLANNED = "planned", "Planned for a horizon"

    class Purpose(models.TextChoices):
        COMPARE = "compare", "Comparison"
        ROLLOUT = "rollout", "Rollout"
        TIMED_ROLLOUT = "timed_rollout", "Timed rollout"

    key = models.SlugField(primary_key=True, max_length=60)
    name = models.CharField(max_length=120)
    hypothesis = models.TextField(blank=True)
    layer = models.ForeignKey(Layer, on_delete=models.PROTECT, related_name="experiments")
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT, editable=False)
    range_start = models.FloatField(default=0.0)
    range_end = models.FloatField(default=1.0)
    segments = models.JSONField(default=list, blank=True)
    languages = models.JSONField(default=list, blank=True)
    age_from_days = models.FloatField(null=True, blank=True)
    age_to_days = models.FloatField(null=True, blank=True)
    goals = models.JSONField(default=list)
    guardrails = models.JSONField(default=dict, blank=True)
    min_effect = models.FloatField(default=0.05)
    alpha = models.FloatField(default=0.05)
    power = models.FloatField(default=0.8)
    test = models.CharField(max_length=10, choices=Test.choices, default=Test.PLANNED)
    horizon_days = models.PositiveSmallIntegerField(default=28)
    ramp = models.JSONField(default=list, blank=True)
    only_differing = models.BooleanField(default=False)
    purpose = models.CharField(max_length=15, choices=Purpose.choices, default=Purpose.COMPARE)
    pinned_recipe = models.CharField(max_length=60, blank=True)
    dry_run = models.BooleanField(default=False)
    planned_units = models.FloatField(null=True, editable=False)
    coverage_salt = models.CharField(max_length=32, default=new_salt, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_by = models.CharField(max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)

    objects = ExperimentQuerySet.as_manager()

    class Meta:
        db_table = "experiments"
        ordering = ["-created_at", "key"]
        # To view, and to design (add, change, delete), are Django's own.
        permissions = [
            ("start_experiment", "Can start experiments, and resume them"),
            ("stop_experiment", "Can pause and stop experiments"),
            ("roll_back_experiment", "Can roll experiments back, and undo what was done to one"),
            ("override_experiment", "Can put a viewer into a variant"),
            ("ship_experiment", "Can ship a variant to everybody"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(range_start__gte=0) & Q(range_end__lte=1) & Q(range_start__lt=F("range_end")),
                name="experiments_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.key


class Variant(models.Model):
    """``weight``, from 0, is 1 in sum over the variants. A strategy or a recipe's name, as the layer is."""

    experiment = models.ForeignKey(
        Experiment, on_delete=models.CASCADE, related_name="variants", db_index=False
    )
    name = models.SlugField(max_length=60)
    is_control = models.BooleanField(default=False)
    weight = models.FloatField(default=0.5)
    strategy = models.JSONField(null=True, blank=True)
    recipe = models.CharField(max_length=60, blank=True)
    description = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "experiment_variants"
        ordering = ["experiment", "-is_control", "name"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "name"], name="experiment_variants_once"),
            models.UniqueConstraint(
                fields=["experiment"], condition=Q(is_control=True), name="experiment_variants_control"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Phase(models.Model):
    """A time during which an experiment's plan was the same. Only what one phase counted is ever pooled.

    ``plan`` is all that serves and decides (``apps.experiments.plans``), ``digest`` the SHA-256 of its
    canonical JSON: neither is changed once the phase has begun. ``verdict`` is what was last found in what it
    counted.
    """

    experiment = models.ForeignKey(
        Experiment, on_delete=models.PROTECT, related_name="phases", db_index=False
    )
    number = models.PositiveIntegerField()
    split_salt = models.CharField(max_length=32, editable=False)
    plan = models.JSONField()
    digest = models.CharField(max_length=64)
    reason = models.TextField(blank=True)
    begun_by = models.CharField(max_length=150, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    verdict = models.JSONField(default=dict, editable=False)
    judged_at = models.DateTimeField(null=True, editable=False)

    objects = PhaseQuerySet.as_manager()

    class Meta:
        db_table = "experiment_phases"
        ordering = ["experiment", "number"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "number"], name="experiment_phases_once"),
            models.UniqueConstraint(
                fields=["experiment"], condition=Q(ended_at=None), name="experiment_phases_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.experiment_id}, phase {self.number}"


class Override(models.Model):
    """A unit that gets a variant whatever its hash says, and is never counted."""

    experiment = models.ForeignKey(
        Experiment, on_delete=models.CASCADE, related_name="overrides", db_index=False
    )
    unit_key = models.UUIDField()
    variant = models.SlugField(max_length=60)
    reason = models.CharField(max_length=500, blank=True)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "experiment_overrides"
        ordering = ["experiment", "created_at"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "unit_key"], name="experiment_overrides_once")
        ]
        indexes = [models.Index(fields=["unit_key"], name="experiment_overrides_unit")]

    def __str__(self) -> str:
        return f"{self.experiment_id}:{self.variant}"
