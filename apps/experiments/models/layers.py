"""What experiments share out among them: the units."""

import secrets

from django.db import models
from django.db.models import Q


def new_salt() -> str:
    return secrets.token_hex(8)


class Layer(models.Model):
    """The units, in an order of their own, shared out among the experiments of one kind.

    Each of its experiments owns a range of the order, and no two ranges meet: a unit is in one experiment of
    a layer at most. The two kinds decide different things, so a unit may be in one of each, and where it
    stands in one says nothing of the other.
    """

    class Kind(models.TextChoices):
        STRATEGY = "strategy", "Strategies"
        RECIPE = "recipe", "Recipes"

    kind = models.CharField(max_length=10, primary_key=True, choices=Kind.choices)
    salt = models.CharField(max_length=32, default=new_salt, editable=False)

    class Meta:
        db_table = "experiment_layers"

    def __str__(self) -> str:
        return self.get_kind_display()


class Holdout(models.Model):
    """The one row that says which share of all units is in no experiment, 0 to a half."""

    SINGLETON = 1
    MOST = 0.5

    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLETON, editable=False)
    salt = models.CharField(max_length=32, default=new_salt, editable=False)
    share = models.FloatField(default=0.0)
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.CharField(max_length=150, blank=True, editable=False)
    reason = models.TextField(blank=True)

    class Meta:
        db_table = "experiment_holdout"
        verbose_name_plural = "holdout"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="experiment_holdout_single"),
            models.CheckConstraint(
                condition=Q(share__gte=0) & Q(share__lte=0.5), name="experiment_holdout_share"
            ),
        ]

    def __str__(self) -> str:
        return f"holdout of {self.share:.1%}"
