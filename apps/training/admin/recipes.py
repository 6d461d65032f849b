"""Recipes for staff."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from apps.core.admin import ExplainedAdmin, RefusalsAsMessages, list_url, may_see, row_url
from apps.core.admin.columns import column
from apps.core.services import record_audit
from apps.experiments.policy import read_policy, recipes_in_use
from apps.training.admin.back_tests import difference_of, verdict_of
from apps.training.admin.holding import let_go_view, may_let_go
from apps.training.models import BackTest, ModelVersion, Recipe, Rollout
from apps.training.services import delete_recipe, require_removable
from apps.training.services.gating import why_not_rolled_out

COPY = "copy"
_TESTS_SHOWN = 10


@admin.register(Recipe)
class RecipeAdmin(RefusalsAsMessages, ExplainedAdmin):
    group, icon, rank = "Training", "science", 0
    about = (
        "What staff choose about the models. Parameters are settled by the first training: to try others, add"
        " or copy a recipe. One that serves nobody is tested beside the one that does before it may."
    )
    empty = "The first training makes the standard recipe."
    list_display = ["name", "description", "live_version", "trained_at", "held", "created_at"]
    search_fields = ["name"]
    change_form_outer_before_template = "training/recipe.html"
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

    @column("Held", ordering="held_because")
    def held(self, recipe: Recipe) -> str:
        return recipe.held_because or "–"

    def get_readonly_fields(self, request: HttpRequest, obj: Recipe | None = None) -> list[str]:
        if obj is None:
            return []
        # Policies and experiments know a recipe by its name. Other parameters would serve with the next fit,
        # before they proved themselves.
        return ["name", "parameters"] if obj.versions.exists() else ["name"]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Of a copy all but the name, which is chosen once."""
        copied = _copied(request)
        if copied is None:
            return dict(super().get_changeform_initial_data(request))
        return {"parameters": copied.parameters, "description": copied.description}

    def save_model(self, request: HttpRequest, obj: Recipe, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        verb = "change" if change else "create"
        after = {"parameters": obj.parameters}
        if not change and (copied := _copied(request)):
            after["copy_of"] = copied.name
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

    # --- Pages -----------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap, ask = self.admin_site.admin_view, require_http_methods(["GET", "HEAD", "POST"])
        return [
            path("<id:object_id>/let-go/", wrap(ask(self.let_go_view)), name="training_recipe_let_go"),
            *super().get_urls(),
        ]

    def let_go_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return let_go_view(self, request, object_id)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        recipe = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if recipe is not None:
            context |= _standing_of(request, recipe)
        if recipe is not None and may_see(request, BackTest):
            context |= {
                "tests": [_told(test) for test in recipe.back_tests.all()[:_TESTS_SHOWN]],
                "tests_url": list_url(BackTest, recipe__id__exact=recipe.pk),
            }
        answer: HttpResponse = super().change_view(request, object_id, form_url, context)
        return answer


def _copied(request: HttpRequest) -> Recipe | None:
    """The recipe of which a new one begins as a copy."""
    asked = request.GET.get(COPY, "")
    # More digits than a 64-bit column holds are no row.
    is_key = asked.isascii() and asked.isdecimal() and len(asked) <= 18
    return Recipe.objects.filter(pk=asked).first() if is_key and may_see(request, Recipe) else None


def _standing_of(request: HttpRequest, recipe: Recipe) -> dict[str, Any]:
    """Whether it serves, can be rolled out or let go, and where its last rollout stands."""
    is_idle = recipe.name not in recipes_in_use()
    rollout = recipe.rollouts.select_related("recipe").first() if may_see(request, Rollout) else None
    is_asked_for = recipe.rollouts.filter(status=Rollout.Status.WAITING).exists()
    may_roll_out = is_idle and not is_asked_for and request.user.has_perm("training.add_rollout")
    why_not = why_not_rolled_out(recipe, against=read_policy().recipe) if may_roll_out else ""
    return {
        "is_idle": is_idle,
        "rollout": rollout,
        "rollout_url": row_url(Rollout, rollout.pk) if rollout else "",
        "may_roll_out": may_roll_out and not why_not,
        "why_not_rolled_out": why_not,
        "may_let_go": may_let_go(request, recipe),
    }


def _told(test: BackTest) -> dict[str, Any]:
    return {
        "url": row_url(BackTest, test.pk),
        "at": test.created_at,
        "against": test.against,
        "difference": difference_of(test) or "–",
        "verdict": verdict_of(test),
    }
