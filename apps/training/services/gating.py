"""Whether a recipe may be rolled out."""

from apps.core.errors import Conflict
from apps.training.models import ModelVersion, Recipe
from apps.training.services.backtesting import find_leave
from apps.training.services.recipes import find_recipe


def require_gate(recipe: Recipe, *, against: str) -> None:
    """Raises ``Conflict`` unless a version of the recipe can serve, and a back-test beside the recipe that
    serves allows it.
    """
    fitting = f"fit it, which tests it (manage.py train --recipe {recipe.name})"
    if not ModelVersion.objects.filter(recipe=recipe, status=ModelVersion.Status.LIVE).exists():
        raise Conflict(f"Recipe {recipe.name!r} has no version that passed the gate: {fitting}.")
    if find_leave(recipe, find_recipe(against)) is None:
        raise Conflict(f"Recipe {recipe.name!r} was not tested beside {against!r}, which serves: {fitting}.")
