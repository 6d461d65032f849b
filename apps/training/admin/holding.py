"""Going back to a version that served, which holds its recipe there, and letting the recipe learn again."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from apps.core.admin.asking import ReasonForm, add_refusal
from apps.core.admin.links import row_url
from apps.core.errors import ApplicationError
from apps.training.admin.asking import asking_page
from apps.training.models import ModelVersion, Recipe
from apps.training.services import go_back, let_go

MAY_GO_BACK = "training.roll_back_rollout"


def may_go_back(request: HttpRequest, version: ModelVersion) -> bool:
    is_there = version.status == ModelVersion.Status.RETIRED and version.artifact
    return bool(is_there and request.user.has_perm(MAY_GO_BACK))


def may_let_go(request: HttpRequest, recipe: Recipe) -> bool:
    return bool(recipe.held_because and request.user.has_perm(MAY_GO_BACK))


def go_back_view(table: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    def run(version: ModelVersion, reason: str) -> str:
        served = go_back(version=version, by=request.user, reason=reason)
        return f"Version {served.name} serves again, and recipe {served.recipe.name!r} is held there."

    return _act(
        table,
        request,
        _found(request, ModelVersion, object_id, "recipe"),
        run,
        title="Serve version {} again?",
        button="Serve this version again",
        about="Whoever its recipe serves gets it within two seconds. The recipe is held there: what was rated"
        " since is not learned until somebody lets it learn again, or asks for a fit.",
    )


def let_go_view(table: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    def run(recipe: Recipe, reason: str) -> str:
        let_go(recipe=recipe, by=request.user, reason=reason)
        return f"Recipe {recipe.name!r} learns by itself again."

    return _act(
        table,
        request,
        _found(request, Recipe, object_id),
        run,
        title="Let {} learn again?",
        button="Let it learn again",
        about="What was rated since is learned with the next update, at once where enough waits.",
    )


def _found(request: HttpRequest, model: type[Model], object_id: int, *related: str) -> Any:
    if not request.user.has_perm(MAY_GO_BACK):
        raise PermissionDenied
    return get_object_or_404(model._default_manager.select_related(*related), pk=object_id)


def _act(
    table: Any, request: HttpRequest, row: Any, run: Callable[[Any, str], str], *, title: str, **told: str
) -> HttpResponse:
    """``run`` gives what is said once it is done; a refusal is said on the page."""
    form, back = ReasonForm(request.POST if request.method == "POST" else None), row_url(type(row), row.pk)
    if form.is_valid():
        try:
            said = run(row, form.cleaned_data["reason"])
        except ApplicationError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, said)
            return redirect(back)
    return asking_page(table, request, form, title=title.format(row), back=back, **told)
