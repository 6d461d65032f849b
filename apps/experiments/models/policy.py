"""What serves viewers."""

from django.db import models


class ServingPolicy(models.Model):
    """The one row that says what serves outside of experiments.

    ``strategy`` is validated JSON (``apps.algorithms.strategy``). ``version`` grows with each
    change; the history of changes is in the audit. With ``bandit_suspended`` a bandit strategy
    serves its fixed weights.
    """

    SINGLETON = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLETON, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    strategy = models.JSONField()
    recipe = models.CharField(max_length=60, default="standard")
    bandit_suspended = models.BooleanField(default=False)
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.CharField(max_length=150, blank=True, editable=False)
    reason = models.TextField(blank=True)

    class Meta:
        db_table = "serving_policy"
        verbose_name_plural = "serving policy"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="serving_policy_single")]

    def __str__(self) -> str:
        return f"serving policy, version {self.version}"
