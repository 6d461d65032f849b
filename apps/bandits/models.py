"""What the bandit has counted, and under which terms.

``bandit_states`` is a cache: each of its sums is its base plus what the log says, and can be made again.
Nothing in these tables is deleted, and no person is in them.
"""

from datetime import datetime

from django.db import models

from apps.algorithms.bandits.thompson import ThompsonSampler
from apps.bandits.querysets import PolicyQuerySet

DAY_SECONDS = 86_400.0


class BanditPolicy(models.Model):
    """One version of the terms on which some arms are drawn. The newest version of its arms serves them.

    ``arms`` are sorted. Weights grow with the days since ``started_at``, the landmark of forward decay:
    twofold in ``half_life_days``, never where it is None, and those of first draws in
    ``share_half_life_days``. While ``frozen`` the slots of a slate belong to the arms by
    ``frozen_weights``, equally where these are empty. ``arm_recipes`` says by a digest what each arm was made
    with when its counts were last looked at; an arm that is not in it was not looked at yet.
    """

    version = models.PositiveIntegerField(primary_key=True)
    arms = models.JSONField()
    alpha = models.FloatField(default=1.0)
    beta = models.FloatField(default=1.0)
    sharpness = models.FloatField(default=0.3)
    optimistic = models.BooleanField(default=True)
    half_life_days = models.FloatField(null=True, blank=True)
    share_half_life_days = models.FloatField(default=7.0)
    explore = models.FloatField(default=0.03)
    max_share = models.FloatField(default=0.70)
    started_at = models.DateTimeField()
    frozen = models.BooleanField(default=False)
    frozen_weights = models.JSONField(default=dict, blank=True)
    arm_recipes = models.JSONField(default=dict, blank=True, editable=False)
    reason = models.TextField(blank=True)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        db_table = "bandit_policies"
        ordering = ["-version"]
        verbose_name_plural = "bandit policies"

    def __str__(self) -> str:
        return f"bandit policy, version {self.version}"

    def sampler(self) -> ThompsonSampler:
        """The sampler on these terms, arms in their order here, time in days. Raises ``ValueError``."""
        return ThompsonSampler(
            self.arms,
            alpha=self.alpha,
            beta=self.beta,
            sharpness=self.sharpness,
            optimistic=self.optimistic,
            half_life=self.half_life_days,
            explore=self.explore,
            max_share=self.max_share,
        )

    def days_at(self, at: datetime) -> float:
        return (at - self.started_at).total_seconds() / DAY_SECONDS

    def weight_at(self, at: datetime) -> float:
        """What a slate served then weighs in the sums."""
        return 1.0 if self.half_life_days is None else float(2.0 ** (self.days_at(at) / self.half_life_days))

    def draw_weight_at(self, at: datetime) -> float:
        """What a slate served then weighs among first draws."""
        return float(2.0 ** (self.days_at(at) / self.share_half_life_days))


class BanditState(models.Model):
    """What one arm was shown and earned in one context under one policy.

    Only lists that count are in it, and of them only films that the drawn arm placed itself. ``…_weighted``
    sums the weights of the slates. ``first_draws`` sums those of slates in which the arm was drawn first.
    ``base_…`` is what no log row tells of: carried over from the version before, or folded at pruning.
    """

    policy = models.ForeignKey(
        BanditPolicy,
        on_delete=models.PROTECT,
        related_name="states",
        db_column="policy_version",
        db_index=False,
    )
    context = models.PositiveSmallIntegerField()
    arm = models.CharField(max_length=50)
    shown = models.PositiveIntegerField(default=0, db_default=0)
    successes = models.IntegerField(default=0, db_default=0)
    shown_weighted = models.FloatField(default=0.0, db_default=0.0)
    successes_weighted = models.FloatField(default=0.0, db_default=0.0)
    first_draws = models.FloatField(default=0.0, db_default=0.0)
    base_shown = models.PositiveIntegerField(default=0, db_default=0)
    base_successes = models.IntegerField(default=0, db_default=0)
    base_shown_weighted = models.FloatField(default=0.0, db_default=0.0)
    base_successes_weighted = models.FloatField(default=0.0, db_default=0.0)
    base_first_draws = models.FloatField(default=0.0, db_default=0.0)

    class Meta:
        db_table = "bandit_states"
        ordering = ["policy", "context", "arm"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "context", "arm"], name="bandit_states_cell")
        ]

    def __str__(self) -> str:
        return f"{self.arm} in context {self.context}, version {self.policy_id}"


class BanditCheck(models.Model):
    """The last comparison of a version's counts with the log; ``differing`` holds the first such cells."""

    policy = models.OneToOneField(
        BanditPolicy, on_delete=models.PROTECT, related_name="last_check", db_column="policy_version"
    )
    checked_at = models.DateTimeField()
    n_cells = models.PositiveIntegerField()
    n_differing = models.PositiveIntegerField()
    differing = models.JSONField(default=list)

    class Meta:
        db_table = "bandit_checks"
        ordering = ["-checked_at"]

    def __str__(self) -> str:
        return f"check of bandit policy {self.policy_id}"
