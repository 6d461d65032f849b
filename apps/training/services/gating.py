"""Whether a recipe may be rolled out."""

from apps.core.errors import Conflict
from apps.training.models import ModelVersion, Recipe


def require_gate(recipe: Recipe, *, against: str) -> None:
    """Raises ``Conflict`` unless a version of the recipe can serve."""
    live = ModelVersion.objects.filter(recipe=recipe, status=ModelVersion.Status.LIVE)
    if not live.exists():
        raise Conflict(
            f"Recipe {recipe.name!r} has no version that passed the gate: fit it first (manage.py train"
            f" --recipe {recipe.name})."
        )
