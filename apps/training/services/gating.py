"""Whether a recipe may be rolled out."""

from apps.core.errors import ApplicationError, Conflict
from apps.core.models import AuditEntry
from apps.training.models import ModelVersion, Recipe, Rollout
from apps.training.services.backtesting import find_leave, was_tested
from apps.training.services.recipes import find_recipe


def require_gate(recipe: Recipe, *, against: str) -> None:
    """Raises ``Conflict`` unless a version of the recipe can serve, and a back-test beside the recipe that
    serves allows it.
    """
    fitting = f"fit it, which tests it (manage.py train --recipe {recipe.name})"
    if not ModelVersion.objects.filter(recipe=recipe, status=ModelVersion.Status.LIVE).exists():
        raise Conflict(_why_none_is_live(recipe, fitting))
    serving = find_recipe(against)
    if find_leave(recipe, serving) is None:
        if was_tested(recipe, serving):
            raise Conflict(f"Recipe {recipe.name!r} did not pass its test beside {against!r}, which serves.")
        raise Conflict(f"Recipe {recipe.name!r} was not tested beside {against!r}, which serves: {fitting}.")


def why_not_rolled_out(recipe: Recipe, *, against: str) -> str:
    """What ``require_gate`` has against it, or that the recipe which serves is gone; empty for nothing."""
    try:
        require_gate(recipe, against=against)
    except ApplicationError as refusal:
        return refusal.detail
    return ""


def _why_none_is_live(recipe: Recipe, fitting: str) -> str:
    last = ModelVersion.objects.filter(recipe=recipe).order_by("-id").first()
    if last is None or last.status != ModelVersion.Status.REFUSED:
        return f"Recipe {recipe.name!r} has no version that passed the gate: {fitting}."
    if not last.artifact:
        return f"Recipe {recipe.name!r} was fitted and refused (version {last.name}): {fitting}."
    return (
        f"Recipe {recipe.name!r} was fitted and refused (version {last.name}): override the refusal on that"
        f" version's page, as staff may, or fit it again, which tests it (manage.py train --recipe"
        f" {recipe.name})."
    )


def require_served(recipe: str, serving: str) -> None:
    """Raises ``Conflict`` unless the recipe has served everybody before, or nothing of the one that should
    serve is there.
    """
    is_live = ModelVersion.objects.filter(recipe__name=serving, status=ModelVersion.Status.LIVE).exists()
    if not is_live or _has_served(recipe):
        return
    raise Conflict(
        f"Recipe {recipe!r} has not served everybody yet: roll it out first (Training > Rollouts, or"
        f" manage.py promote {recipe})."
    )


def _has_served(recipe: str) -> bool:
    finished = Rollout.objects.filter(recipe__name=recipe, status=Rollout.Status.FINISHED)
    named = AuditEntry.objects.filter(action="policy.change", before__recipe=recipe)
    return finished.exists() or named.exists()
