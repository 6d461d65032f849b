"""Recipes, their runs and their versions for staff."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from apps.core.admin import ReadOnlyAdmin
from apps.core.errors import ApplicationError
from apps.core.nudges import nudge
from apps.core.services import record_audit
from apps.training.models import ModelVersion, Recipe, TrainingRun
from apps.training.services import request_run
from apps.training.tasks import fit


@admin.register(Recipe)
class RecipeAdmin(ModelAdmin):  # type: ignore[misc] # unfold ships no types
    list_display = ["name", "description", "created_at"]
    search_fields = ["name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Recipe | None = None) -> list[str]:
        # Policies and experiments know a recipe by its name.
        return ["name"] if obj else []

    def save_model(self, request: HttpRequest, obj: Recipe, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        verb = "change" if change else "create"
        after = {"parameters": obj.parameters}
        record_audit(f"training.{verb}_recipe", by=request.user, target=obj, after=after)


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    list_display = ["id", "recipe", "trigger", "status", "phase", "started_at", "finished_at"]
    list_filter = ["status", "recipe"]
    list_select_related = ["recipe"]
    search_fields = ["=id", "trigger", "error"]
    list_before_template = "training/retrain.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.retrain))
        return [path("retrain/", view, name="training_trainingrun_retrain"), *super().get_urls()]

    def retrain(self, request: HttpRequest) -> HttpResponse:
        """Requests a full fit of the standard recipe."""
        if not request.user.has_perm("training.add_trainingrun"):
            raise PermissionDenied
        try:
            run = request_run(recipe="standard", trigger="admin")
        except ApplicationError as refusal:
            messages.error(request, refusal.detail)
        else:
            record_audit("training.start", by=request.user, target=run)
            nudge(fit, run.pk)
            messages.success(request, f"Run {run.pk} was requested; a worker takes it up within a minute.")
        return redirect("admin:training_trainingrun_changelist")


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = [
        "name",
        "recipe",
        "status",
        "n_users",
        "n_movies",
        "n_ratings",
        "fit_seconds",
        "activated_at",
    ]
    list_filter = ["status", "recipe"]
    list_select_related = ["recipe"]
    search_fields = ["name"]
