"""What staff choose."""

import re
from collections.abc import Mapping
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from apps.algorithms.types import Parameters
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.core.services import Actor, record_audit
from apps.experiments.policy import recipes_in_use
from apps.training.models import Recipe

STANDARD = "standard"
_PROPOSED = re.compile(r"-tuned-[0-9]{8}$")


def ensure_standard_recipe() -> Recipe:
    """The recipe that serves everybody from the start: every arm with its defaults."""
    recipe, _ = Recipe.objects.get_or_create(
        name=STANDARD, defaults={"description": "Every algorithm with its default parameters."}
    )
    return recipe


def find_recipe(name: str) -> Recipe:
    """Raises ``NotFound`` saying which recipes there are."""
    recipe = Recipe.objects.filter(name=name).first()
    if recipe is not None:
        return recipe
    if name == STANDARD:
        return ensure_standard_recipe()
    raise NotFound(no_such_recipe(name))


def no_such_recipe(name: str) -> str:
    """A sentence that says which recipes there are."""
    known = ", ".join(Recipe.objects.values_list("name", flat=True)[:20]) or "none yet"
    return f"There is no recipe {name!r}; the recipes are: {known}."


def require_tunable(name: str) -> None:
    """Raises ``InvalidInput`` for a name that no recipe can have, for the standard recipe, which is every
    arm's default, and for one that serves: its next fit would go live unproved."""
    if name == STANDARD:
        raise InvalidInput(f"Recipe {STANDARD!r} is every arm's default: save to another name.")
    if name in recipes_in_use():
        raise InvalidInput(f"Recipe {name!r} serves: save to another name, and it is tested beside this one.")
    try:
        Recipe(name=name).clean_fields()
    except ValidationError as refusal:
        raise InvalidInput(f"{name!r} is no name for a recipe. {' '.join(refusal.messages)}") from refusal


@transaction.atomic
def save_tuned(*, recipe: str, parameters: Mapping[str, Parameters]) -> Recipe:
    """Writes parameters by arm into a recipe, which is made when it is not there; its other arms stay.

    Raises as ``require_tunable``.
    """
    require_tunable(recipe)
    found = Recipe.objects.select_for_update().filter(name=recipe).first() or Recipe(
        name=recipe, description="Parameters found by manage.py tune."
    )
    before, found_now = dict(found.parameters), {name: dict(one) for name, one in parameters.items()}
    found.parameters = {**before, **found_now}
    found.save()
    record_audit("training.tune_recipe", by=None, target=found, before=before, after=found_now)
    return found


def candidate_name(base: str, day: date) -> str:
    """``base-tuned-YYYYMMDD``; for a base that was proposed itself, by the name that it was proposed from."""
    ending = f"-tuned-{day:%Y%m%d}"
    return _PROPOSED.sub("", base)[: _longest_name() - len(ending)] + ending


@transaction.atomic
def save_candidate(*, base: str, parameters: Mapping[str, Parameters], description: str) -> Recipe:
    """Today's proposal in the place of ``base``, by ``candidate_name``. It serves nobody.

    An earlier one of today is replaced. Raises ``Conflict`` once that was trained or serves.
    """
    name = candidate_name(base, timezone.localdate())
    found = Recipe.objects.select_for_update().filter(name__iexact=name).first() or Recipe(name=name)
    if found.pk and (found.runs.exists() or found.versions.exists() or found.name in recipes_in_use()):
        raise Conflict(f"Recipe {name!r} was proposed today and is in use: it stays as it is.")
    before = {"parameters": found.parameters, "description": found.description} if found.pk else {}
    found.parameters = {arm: dict(one) for arm, one in parameters.items()}
    found.description = description
    found.save()
    after = {"parameters": found.parameters, "description": description}
    record_audit("training.propose_recipe", by=None, target=found, before=before, after=after)
    return found


def _longest_name() -> int:
    return int(Recipe._meta.get_field("name").max_length or 0)


def require_removable(recipe: Recipe) -> None:
    """Raises ``Conflict`` while the recipe serves, and for good once something was fitted from it."""
    if recipe.name in recipes_in_use():
        raise Conflict(
            f"Recipe {recipe.name!r} serves: choose another one in the serving policy before you delete it."
        )
    if recipe.runs.exists() or recipe.versions.exists():
        raise Conflict(
            f"Recipe {recipe.name!r} has been trained: its runs and versions stay, and so does it."
        )


@transaction.atomic
def delete_recipe(*, recipe: Recipe, by: Actor) -> None:
    """Raises ``Conflict`` as ``require_removable`` does."""
    require_removable(recipe)
    before = {"name": recipe.name, "parameters": recipe.parameters}
    record_audit("training.delete_recipe", by=by, target=recipe, before=before)
    recipe.delete()
