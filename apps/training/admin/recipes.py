"""Recipes for staff."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from apps.core.admin import ExplainedAdmin, RefusalsAsMessages
from apps.core.admin.columns import column
from apps.core.services import record_audit
from apps.training.models import ModelVersion, Recipe
from apps.training.services import delete_recipe, require_removable


@admin.register(Recipe)
class RecipeAdmin(RefusalsAsMessages, ExplainedAdmin):
    group, icon, rank = "Training", "science", 0
    about = (
        "What staff choose about the models. Parameters are settled by the first training: to try others, add"
        " a recipe."
    )
    empty = "The first training makes the standard recipe."
    list_display = ["name", "description", "live_version", "trained_at", "created_at"]
    search_fields = ["name"]
    explanations = {
        "name": "Serving policies know a recipe by its name, so it is chosen once.",
        "parameters": 'By arm, those that differ from the defaults, such as {"als": {"factors": 128}};'
        ' likewise of "predictor"; and in "data" what is learned from beside ratings, such as'
        ' {"data": {"thumbs": 0.8, "clicks": 0.2}}. They are settled by the first training.',
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
        if obj is None:
            return []
        # Policies and experiments know a recipe by its name. Other parameters would serve with the next fit,
        # before they proved themselves.
        return ["name", "parameters"] if obj.versions.exists() else ["name"]

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
