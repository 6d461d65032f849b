"""What staff choose."""

from apps.core.errors import NotFound
from apps.training.models import Recipe

STANDARD = "standard"


def ensure_standard_recipe() -> Recipe:
    """The recipe that serves everybody from the start: every arm with its defaults."""
    recipe, _ = Recipe.objects.get_or_create(
        name=STANDARD, defaults={"description": "Every algorithm with its default parameters."}
    )
    return recipe


def find_recipe(name: str) -> Recipe:
    """Raises ``NotFound`` saying which recipes there are."""
    if name == STANDARD:
        return ensure_standard_recipe()
    recipe = Recipe.objects.filter(name=name).first()
    if recipe is None:
        known = ", ".join(Recipe.objects.values_list("name", flat=True)[:20]) or "none yet"
        raise NotFound(f"There is no recipe {name!r}; the recipes are: {known}.")
    return recipe
