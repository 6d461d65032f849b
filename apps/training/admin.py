"""Recipes, their runs and their versions for staff."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from apps.core.admin import DayRangeFilter, ExplainedAdmin, ReadOnlyAdmin, RefusalsAsMessages
from apps.core.admin.columns import column
from apps.core.errors import ApplicationError
from apps.core.nudges import nudge
from apps.core.services import record_audit
from apps.experiments.policy import current_policy
from apps.training.models import ModelVersion, Recipe, TrainingRun
from apps.training.registry import engine, refusal_of
from apps.training.services import delete_recipe, request_run, require_removable
from apps.training.tasks import fit


@admin.register(Recipe)
class RecipeAdmin(RefusalsAsMessages, ExplainedAdmin):
    group, icon, rank = "Training", "science", 0
    about = "What staff choose about the models. A change takes effect with the next training of the recipe."
    empty = "The first training makes the standard recipe."
    list_display = ["name", "description", "live_version", "trained_at", "created_at"]
    search_fields = ["name"]
    explanations = {
        "name": "Serving policies know a recipe by its name, so it is chosen once.",
        "parameters": 'By arm, those that differ from the defaults, such as {"als": {"factors": 128}}.',
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recipe]:
        live = ModelVersion.objects.filter(recipe_id=OuterRef("pk"), status=ModelVersion.Status.LIVE)
        rows: QuerySet[Recipe] = (
            super()
            .get_queryset(request)
            .annotate(
                live_name=Subquery(live.values("name")[:1]),
                live_since=Subquery(live.values("activated_at")[:1]),
            )
        )
        return rows

    @column("Live version")
    def live_version(self, recipe: Any) -> str:
        return recipe.live_name or "none yet"

    @column("Live since")
    def trained_at(self, recipe: Any) -> Any:
        return recipe.live_since or "–"

    def get_readonly_fields(self, request: HttpRequest, obj: Recipe | None = None) -> list[str]:
        # Policies and experiments know a recipe by its name.
        return ["name"] if obj else []

    def save_model(self, request: HttpRequest, obj: Recipe, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        verb = "change" if change else "create"
        after = {"parameters": obj.parameters}
        record_audit(f"training.{verb}_recipe", by=request.user, target=obj, after=after)

    def get_deleted_objects(self, objs: Iterable[Recipe], request: HttpRequest) -> Any:
        for recipe in objs:
            require_removable(recipe)
        return super().get_deleted_objects(objs, request)

    def delete_model(self, request: HttpRequest, obj: Recipe) -> None:
        delete_recipe(recipe=obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Recipe]) -> None:
        for recipe in queryset:
            delete_recipe(recipe=recipe, by=request.user)


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    group, icon, rank = "Training", "model_training", 1
    about = "Fits, from their request to their end. One runs at a time."
    empty = "The first training, nightly or by hand, makes a row."
    list_display = ["id", "recipe", "trigger", "state", "phase", "started_at", "took", "error"]
    list_filter = ["status", "recipe", ("started_at", DayRangeFilter)]
    list_filter_submit = True
    list_select_related = ["recipe"]
    search_fields = ["=id", "trigger", "error"]
    list_before_template = "training/retrain.html"
    explanations = {
        "phase": "requested, taken up, started, then the step that the fit is at.",
        "heartbeat_at": "The last sign of life. After five minutes without one the run is given up.",
        "error": "Why it failed or was given up.",
    }

    @column(
        "Status",
        ordering="status",
        label={"succeeded": "success", "running": "info", "failed": "danger", "abandoned": "warning"},
    )
    def state(self, run: TrainingRun) -> str:
        return run.status

    @column("Took")
    def took(self, run: TrainingRun) -> str:
        if run.finished_at is None:
            return "–"
        seconds = int((run.finished_at - run.started_at).total_seconds())
        return f"{seconds // 60} min {seconds % 60} s"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.retrain))
        return [path("retrain/", view, name="training_trainingrun_retrain"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        serving = current_policy().recipe
        names = {*Recipe.objects.values_list("name", flat=True), serving}
        context = {"recipes": sorted(names), "serving_recipe": serving}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def retrain(self, request: HttpRequest) -> HttpResponse:
        """Requests a full fit of the recipe chosen; of the one that serves when none is."""
        if not request.user.has_perm("training.add_trainingrun"):
            raise PermissionDenied
        try:
            run = request_run(recipe=request.POST.get("recipe") or current_policy().recipe, trigger="admin")
        except ApplicationError as refusal:
            messages.error(request, refusal.detail)
        else:
            record_audit("training.start", by=request.user, target=run)
            nudge(fit, run.pk)
            messages.success(
                request,
                f"Run {run.pk} of recipe {run.recipe.name!r} was requested;"
                " a worker takes it up within a minute.",
            )
        return redirect("admin:training_trainingrun_changelist")


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    group, icon, rank = "Training", "deployed_code", 2
    about = (
        "Fits that ended well. One version of each recipe is live; when its files cannot be loaded it is"
        " refused, and the version before serves."
    )
    empty = "The first training that ends well makes a version; popular films are shown until then."
    list_display = [
        "name",
        "recipe",
        "state",
        "n_users",
        "n_movies",
        "n_ratings",
        "fit_seconds",
        "activated_at",
    ]
    list_filter = ["status", "recipe"]
    list_select_related = ["recipe"]
    search_fields = ["name"]
    explanations = {
        "status": "live serves, unless the list says that its files are refused; retired did. A fit that"
        " fails its checks leaves no version.",
        "artifact": "The folder of its files below ARTIFACT_DIR. Empty once they were removed.",
        "metrics": "Seconds by step, bytes, and the share of films that reach somebody's top ten.",
        "refused_because": "Empty: nothing refuses a version yet.",
        "run": "The fit that made it.",
    }

    @column("Status", ordering="status")
    def state(self, version: ModelVersion) -> str:
        """The status; of a live version that this process could not load, why it could not."""
        recipe = version.recipe.name
        if version.status != ModelVersion.Status.LIVE:
            return version.get_status_display()
        if recipe == current_policy().recipe:
            # A process that has not served yet has not tried; of other recipes it need not.
            engine(recipe)
        refusal = refusal_of(version.name, recipe=recipe)
        return f"refused: {refusal.detail}" if refusal else version.get_status_display()
