"""Recipes, the versions fitted from them, and the runs that fitted them."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from apps.algorithms.base import InvalidParameter
from apps.training.parameters import check_parameters


class Recipe(models.Model):
    """What staff choose: the arms' parameters and blend weights. A version is its latest fit.

    ``parameters`` maps an arm's name, or ``predictor``, to the parameters that differ from its defaults.
    While ``held_because`` says why, no version goes live that nobody asked for (``services.holding``).
    """

    name = models.SlugField(max_length=60, unique=True)
    parameters = models.JSONField(default=dict, blank=True)
    description = models.TextField(blank=True)
    held_because = models.TextField(blank=True, editable=False, help_text="Empty where it learns by itself")
    held_by = models.CharField(max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "recipes"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="recipes_one_a_name_in_any_case",
                violation_error_message="There is a recipe of this name, perhaps in other capitals.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ``ValidationError`` saying which parameter is wrong and what would be right."""
        try:
            check_parameters(self.parameters)
        except InvalidParameter as refusal:
            raise ValidationError({"parameters": str(refusal)}) from refusal


class UpdateType(models.TextChoices):
    """How a version came to be: by what changed since the live one, or from nothing."""

    WARM_START = "warm_start_rebuild", "update"
    FULL = "full_retrain", "full retrain"


class TrainingRun(models.Model):
    """One fit of one recipe, from its request to its end. The row is the lock and the truth.

    One run at a time on the whole site, whatever its recipe: a fit takes every core. ``phase`` is
    ``requested`` until a process takes the run up, then what that process is at; ``steps`` are those behind
    it, of ``n_steps``. Without a sign of life for ``services.runs.STALE_AFTER`` the run counts as abandoned
    and blocks nobody.
    """

    class Status(models.TextChoices):
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        ABANDONED = "abandoned"
        REFUSED = "refused"

    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, related_name="runs")
    update_type = models.CharField(
        max_length=20,
        choices=UpdateType.choices,
        default=UpdateType.FULL,
        help_text="What was asked for; an update that has nothing to start from is a full retrain",
    )
    trigger = models.CharField(max_length=100, help_text="What asked for it")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.RUNNING)
    phase = models.CharField(max_length=40, blank=True)
    steps = models.JSONField(default=dict, blank=True, help_text="What is done, and its seconds")
    n_steps = models.PositiveSmallIntegerField(default=0)
    warnings = models.JSONField(default=list, blank=True, help_text="What it had to do without")
    log = models.JSONField(default=list, blank=True, help_text="What it said, and in which second")
    started_at = models.DateTimeField(auto_now_add=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        db_table = "training_runs"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["status"], condition=Q(status="running"), name="training_runs_one_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"run {self.pk}, {self.get_update_type_display()}: {self.status}"

    @property
    def is_alive(self) -> bool:
        return self.status == self.Status.RUNNING

    @property
    def n_done(self) -> int:
        return len(self.steps)


class ModelVersion(models.Model):
    """One fit, and the artifact that holds it.

    At most one version of a recipe is live. A refused one is kept with its reason, also once staff let it
    serve for one of theirs; ``checks`` are those that it passed or failed (``gate.Check``), those of its
    recipe's back-test among them. ``artifact`` is empty once the files of an old version were removed.
    """

    class Status(models.TextChoices):
        CANDIDATE = "candidate"
        LIVE = "live"
        RETIRED = "retired"
        REFUSED = "refused"

    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, related_name="versions")
    run = models.ForeignKey(TrainingRun, null=True, on_delete=models.SET_NULL, related_name="versions")
    name = models.CharField(max_length=40, unique=True, help_text="Time of the fit and a counter")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.CANDIDATE)
    artifact = models.CharField(max_length=200, blank=True, help_text="Folder below ARTIFACT_DIR")
    manifest_sha256 = models.CharField(max_length=64)
    update_type = models.CharField(max_length=20, choices=UpdateType.choices, default=UpdateType.FULL)
    metrics = models.JSONField(default=dict, blank=True)
    checks = models.JSONField(default=list, blank=True)
    parameters = models.JSONField(default=dict, blank=True, help_text="What each arm was fitted with")
    read_at = models.DateTimeField(help_text="When its ratings were read; later changes are not in it")
    n_users = models.PositiveIntegerField()
    n_movies = models.PositiveIntegerField()
    n_ratings = models.PositiveBigIntegerField()
    fit_seconds = models.FloatField()
    refused_because = models.TextField(blank=True)
    overridden_because = models.TextField(blank=True, help_text="Why staff let it serve all the same")
    is_pinned = models.BooleanField(
        "pinned", default=False, help_text="Its files are kept, however many versions come after it"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "model_versions"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["recipe"], condition=Q(status="live"), name="model_versions_one_live"
            )
        ]
        permissions = [("override_gate", "Can let a version serve that the gate refused")]

    def __str__(self) -> str:
        return self.name


class BackTest(models.Model):
    """A changed recipe beside the one that served: both refitted on what was rated before a moment, and
    measured on what was rated since.

    ``parameters`` and ``against_parameters`` are those of the two recipes as they were tested: of others the
    test says nothing. ``checks`` are ``gate.Check`` as JSON; ``metrics`` all that was measured. ``n_train``
    ratings were fitted on, by the recipe, and ``n_test`` of ``n_people`` were to be found.
    """

    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, related_name="back_tests")
    against = models.CharField(max_length=60, help_text="The recipe that served then")
    parameters = models.JSONField(default=dict, blank=True)
    against_parameters = models.JSONField(default=dict, blank=True)
    run = models.ForeignKey(TrainingRun, null=True, on_delete=models.SET_NULL, related_name="back_tests")
    cut_at = models.DateTimeField(null=True, help_text="What was rated since was to be found")
    n_train = models.PositiveBigIntegerField()
    n_test = models.PositiveBigIntegerField()
    n_people = models.PositiveIntegerField()
    checks = models.JSONField(default=list, blank=True)
    metrics = models.JSONField(default=dict, blank=True)
    passed = models.BooleanField()
    seconds = models.FloatField()
    created_at = models.DateTimeField(auto_now_add=True)
    overridden_by = models.CharField(max_length=150, blank=True)
    overridden_because = models.TextField(blank=True)
    overridden_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "recipe_back_tests"
        verbose_name = "back-test"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.recipe} beside {self.against}"

    @property
    def allows(self) -> bool:
        """Whether the recipe may serve: it passed, or staff say so."""
        return self.passed or self.overridden_at is not None


class ModelUpdateLog(models.Model):
    """One attempt to make a version, as it ended: what asked for it, what it learned from, what came of it.

    ``model_type`` is the recipe's name; ``version`` is empty where none was made.
    """

    model_type = models.CharField("recipe", max_length=60)
    update_type = models.CharField(max_length=20, choices=UpdateType.choices)
    ratings_processed = models.PositiveBigIntegerField(
        null=True, help_text="Those that differ from the version before; all of them in a full retrain"
    )
    update_trigger = models.CharField(max_length=100)
    metrics = models.JSONField(default=dict, blank=True)
    duration_seconds = models.FloatField(help_text="From the start of the fit to the version that serves")
    success = models.BooleanField(default=True)
    error_message = models.TextField(blank=True)
    run = models.ForeignKey(TrainingRun, null=True, on_delete=models.SET_NULL, related_name="logs")
    version = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "model_update_logs"
        verbose_name = "model update"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["created_at"], name="model_update_logs_created"),
            models.Index(fields=["model_type", "created_at"], name="model_update_logs_type"),
        ]

    def __str__(self) -> str:
        return f"{self.get_update_type_display()} of {self.model_type}, {self.update_trigger}"


class Rollout(models.Model):
    """How a recipe comes to serve everybody: an experiment of recipes, whose steps are held for a time each.

    ``against`` is the recipe that serves until then. One is under way at a time, and one candidate waits at
    most; ``waits_for`` says for what. ``told`` is how much the site's traffic can tell of it. What serves
    whom is the experiment's to say: ``status`` follows it within a minute.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "In steps"
        PROMOTED = "promoted", "Promoted"
        FINISHED = "finished", "Serves everybody"
        ROLLED_BACK = "rolled_back", "Rolled back"
        WITHDRAWN = "withdrawn", "Withdrawn"
        REPLACED = "replaced", "Replaced by a newer candidate"

    UNDER_WAY = (Status.RUNNING, Status.PROMOTED)

    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, related_name="rollouts")
    against = models.CharField(max_length=60, help_text="The recipe that serves until then")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.WAITING)
    experiment = models.OneToOneField(
        "experiments.Experiment", null=True, on_delete=models.PROTECT, related_name="+"
    )
    is_timed = models.BooleanField("timed", default=False)
    told = models.TextField("what statistics can tell", blank=True)
    waits_for = models.TextField(blank=True)
    reason = models.TextField()
    asked_by = models.CharField(max_length=150, blank=True, help_text="Empty for the command line")
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    promoted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_because = models.TextField(blank=True)

    class Meta:
        db_table = "rollouts"
        ordering = ["-id"]
        permissions = [
            ("promote_rollout", "Can promote a recipe, and let it serve everybody"),
            ("roll_back_rollout", "Can roll a recipe back"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["status"],
                condition=Q(status__in=["waiting", "running", "promoted"]),
                name="rollouts_one_of_each",
            )
        ]

    def __str__(self) -> str:
        return f"rollout {self.pk} of {self.recipe.name}"


class Activation(models.Model):
    """A version that began to serve those whose recipe it is of. It did until the recipe's next one."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="activations")
    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True, help_text="Empty for a fit that went live by itself")
    reason = models.TextField(blank=True)

    class Meta:
        db_table = "model_activations"
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["recipe", "at"], name="model_activations_recipe")]

    def __str__(self) -> str:
        return f"{self.version} from {self.at:%Y-%m-%d %H:%M}"
