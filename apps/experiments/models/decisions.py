"""What was decided on an experiment, by whom or by what rule, and from which figures."""

from django.db import models

from apps.experiments.models.experiments import Experiment


class Decision(models.Model):
    """One entry of an experiment's ledger; none is ever changed or deleted.

    ``step`` is that of the ramp which stands from here on. ``figures`` are the sufficient statistics of that
    moment, sums over units and nobody's in particular, and ``verdict`` what the rule finds in them; both are
    empty where nothing is decided from figures. ``acted`` is False for what a rule would have done in a dry
    run. ``policy`` is what a shipped variant came in the place of.
    """

    class Kind(models.TextChoices):
        START = "start", "Started"
        ADVANCE = "advance", "Went a step on"
        APPROVE = "approve", "Approved"
        HOLD = "hold", "Held"
        PAUSE = "pause", "Paused"
        RESUME = "resume", "Resumed"
        PHASE = "phase", "New phase"
        PROMOTE = "promote", "Promoted"
        ROLL_BACK = "roll_back", "Rolled back"
        STOP = "stop", "Stopped"
        SHIP = "ship", "Shipped"
        UNDO = "undo", "Undone"

    BY_RULE = frozenset((Kind.ADVANCE, Kind.HOLD, Kind.ROLL_BACK))
    """What the rule that watches does; whatever else nobody is named for came from the command line."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="decisions")
    phase = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    step = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True, help_text="Empty for a rule")
    reason = models.TextField(blank=True)
    acted = models.BooleanField(default=True)
    figures = models.JSONField(default=dict, blank=True)
    verdict = models.JSONField(default=dict, blank=True)
    policy = models.JSONField(default=dict, blank=True)
    undoes = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="undone_by")

    class Meta:
        db_table = "experiment_decisions"
        ordering = ["experiment", "at", "id"]

    def __str__(self) -> str:
        return f"{self.experiment_id}: {self.get_kind_display()}"

    @property
    def told_by(self) -> str:
        """Whose act it was, in words."""
        return self.by or ("the rule" if self.kind in self.BY_RULE else "the command line")
