"""Runs, and the log of what came of them, for staff."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from apps.core.admin import DayRangeFilter, Link, ReadOnlyAdmin, may_see, row_url
from apps.core.admin.columns import beginning, column
from apps.core.admin.sheets import Column, Sheet, decimal
from apps.core.errors import ApplicationError
from apps.core.nudges import nudge
from apps.core.services import record_audit
from apps.experiments.policy import current_policy
from apps.training.models import BackTest, ModelUpdateLog, ModelVersion, Recipe, TrainingRun, UpdateType
from apps.training.services import request_run
from apps.training.tasks import fit

FOLLOW_SECONDS = 3
STEPS = (Column.text("Step", "step"), Column("Seconds", ("seconds",), decimal))
LINES = (Column("Second", ("second",), decimal), Column.text("Line", "line"))


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    group, icon, rank = "Training", "model_training", 1
    about = "Fits, from their request to their end. One runs at a time."
    empty = "The first training, nightly or by hand, makes a row."
    list_display = ["id", "recipe", "kind", "trigger", "state", "phase", "started_at", "took", "failed"]
    list_filter = ["status", "update_type", "recipe", ("started_at", DayRangeFilter)]
    list_filter_submit = True
    list_select_related = ["recipe"]
    search_fields = ["=id", "trigger", "error"]
    list_before_template = "training/retrain.html"
    change_form_outer_before_template = "training/run.html"
    # Above the others, as tables.
    exclude = ["steps", "n_steps", "warnings", "log"]
    explanations = {
        "phase": "requested, taken up, started, then the step that the fit is at.",
        "heartbeat_at": "The last sign of life. A run without one is given up within five minutes.",
        "error": "Why it failed or was given up.",
    }

    @column(
        "Status",
        ordering="status",
        label={
            "succeeded": "success",
            "running": "info",
            "failed": "danger",
            "abandoned": "warning",
            "refused": "danger",
        },
    )
    def state(self, run: TrainingRun) -> str:
        return run.status

    @column("Kind", ordering="update_type")
    def kind(self, run: TrainingRun) -> str:
        return run.get_update_type_display()

    @column("Took")
    def took(self, run: TrainingRun) -> str:
        if run.finished_at is None:
            return "–"
        seconds = int((run.finished_at - run.started_at).total_seconds())
        return f"{seconds // 60} min {seconds % 60} s"

    @column("Error", ordering="error")
    def failed(self, run: TrainingRun) -> str:
        return beginning(run.error)

    def links_of(self, request: HttpRequest, row: TrainingRun) -> Sequence[Link]:
        """What it made: a version, and where the recipe was changed a back-test."""
        made: tuple[tuple[type[Model], str, str], ...] = (
            (BackTest, "Its back-test", "fact_check"),
            (ModelVersion, "The version that it made", "deployed_code"),
        )
        links = [*super().links_of(request, row)]
        for model, title, icon in made:
            found = model._default_manager.filter(run=row).first() if may_see(request, model) else None
            if found:
                links.append(Link(title, row_url(model, found.pk), icon))
        return links

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.retrain))
        return [path("retrain/", view, name="training_trainingrun_retrain"), *super().get_urls()]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        found.result_list = found.result_list.defer(*self.exclude)
        return found

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        serving = current_policy().recipe
        names = {*Recipe.objects.values_list("name", flat=True), serving}
        context = {"recipes": sorted(names), "serving_recipe": serving}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        still = "still" in request.GET
        run = self.get_object(request, object_id)
        context = {**(extra_context or {}), "still": still, **(_sheets_of(run) if run else {})}
        answer: HttpResponse = super().change_view(request, object_id, form_url, context)
        if not still and run is not None and run.is_alive:
            # Browsers ask again by themselves: no script is needed to follow a run.
            answer.headers["Refresh"] = str(FOLLOW_SECONDS)
        return answer

    def retrain(self, request: HttpRequest) -> HttpResponse:
        """Requests a fit of the recipe chosen; of the one that serves when none is."""
        if not request.user.has_perm("training.add_trainingrun"):
            raise PermissionDenied
        is_warm = request.POST.get("update_type") == UpdateType.WARM_START
        update_type = UpdateType.WARM_START if is_warm else UpdateType.FULL
        recipe = request.POST.get("recipe") or current_policy().recipe
        try:
            run = request_run(recipe=recipe, trigger="admin", update_type=update_type)
        except ApplicationError as refusal:
            messages.error(request, refusal.detail)
            return redirect("admin:training_trainingrun_changelist")
        record_audit("training.start", by=request.user, target=run, after={"update_type": update_type})
        nudge(fit, run.pk)
        messages.success(
            request,
            f"Run {run.pk} of recipe {run.recipe.name!r} was requested;"
            " a worker takes it up within a minute.",
        )
        return redirect("admin:training_trainingrun_change", run.pk)


def _sheets_of(run: TrainingRun) -> dict[str, Sheet]:
    """Its steps, and what it said; what is empty is left out."""
    steps = [{"step": step, "seconds": seconds} for step, seconds in run.steps.items()]
    sheets = {
        "steps": Sheet("Steps and their seconds", STEPS, steps, ""),
        "said": Sheet("What it said", LINES, run.log, ""),
    }
    return {name: sheet for name, sheet in sheets.items() if sheet.rows}


@admin.register(ModelUpdateLog)
class ModelUpdateLogAdmin(ReadOnlyAdmin):
    group, icon, rank = "Training", "history", 3
    about = (
        "Every attempt to make a model better: what asked for it, how many ratings it learned from, and what"
        " came of it."
    )
    empty = "The first training, nightly, by hand or after enough new ratings, makes a row."
    list_display = [
        "created_at",
        "model_type",
        "kind",
        "update_trigger",
        "ratings",
        "took",
        "outcome",
        "ndcg",
        "version",
    ]
    list_filter = ["success", "update_type", "model_type", ("created_at", DayRangeFilter)]
    list_filter_submit = True
    search_fields = ["version", "update_trigger", "error_message"]
    explanations = {
        "ratings_processed": "Ratings that came, changed or went since the version before; in a full retrain"
        " all there are.",
        "update_trigger": "threshold_reached_50: so many ratings waited. interval_6h: some waited so long."
        " erasure: somebody left whose ratings the model was fitted on.",
        "metrics": "nDCG@10, coverage and overlap are of a fixed panel of people, and tell two versions apart"
        " rather than how good either is.",
    }

    @column("Kind", ordering="update_type")
    def kind(self, log: ModelUpdateLog) -> str:
        return log.get_update_type_display()

    @column("Ratings", ordering="ratings_processed")
    def ratings(self, log: ModelUpdateLog) -> str:
        return "–" if log.ratings_processed is None else f"{log.ratings_processed:,}"

    @column("What came of it", ordering="success")
    def outcome(self, log: ModelUpdateLog) -> str:
        return "success" if log.success else beginning(log.error_message)

    @column("Took", ordering="duration_seconds")
    def took(self, log: ModelUpdateLog) -> str:
        return f"{log.duration_seconds:.1f} s"

    @column("nDCG@10")
    def ndcg(self, log: ModelUpdateLog) -> str:
        figure = log.metrics.get("ndcg")
        return "–" if figure is None else f"{figure:.4f}"
