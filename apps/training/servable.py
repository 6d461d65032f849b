"""Whether a recipe can serve a policy: it exists, and its live version holds the arms that are asked for."""

from collections.abc import Collection, Sequence

from apps.algorithms.strategy import Strategy
from apps.core.errors import InvalidInput
from apps.experiments.requirements import register_policy_check, register_recipe_gate, register_recipes
from apps.training.artifacts import ArtifactRefused, open_artifact
from apps.training.models import ModelVersion, Recipe
from apps.training.services.gating import require_served
from apps.training.services.recipes import no_such_recipe
from apps.training.services.runs import artifact_path


def register() -> None:
    register_policy_check("training", _check_strategy)
    register_recipes(_recipe_names)
    register_recipe_gate(require_served)


def require_arms(recipe: str, arms: Collection[str], *, pointer: str, asker: str) -> None:
    """Raises ``InvalidInput`` saying what to do when the recipe's live version cannot serve ``arms``.

    A refusal of the recipe itself is at ``/recipe``, one of the arms at ``pointer``, naming the ``asker``.
    """
    held = _live_arms(recipe)
    lacking = sorted(set(arms) - held)
    if lacking:
        raise InvalidInput.of(
            pointer,
            f"The live version of recipe {recipe!r} has only {', '.join(sorted(held))}, and {asker} asks for"
            f" {', '.join(lacking)}: {_training(recipe)}.",
        )


def _check_strategy(strategy: Strategy, recipe: str) -> None:
    require_arms(recipe, strategy.arms, pointer="/strategy/arms", asker="the strategy")


def _recipe_names() -> Sequence[str]:
    return list(Recipe.objects.values_list("name", flat=True))


def _live_arms(recipe: str) -> frozenset[str]:
    """Read from the manifest, since this process may serve another version for two seconds more."""
    live = ModelVersion.objects.filter(recipe__name=recipe, status=ModelVersion.Status.LIVE).first()
    if live is None:
        raise InvalidInput.of("/recipe", _why_none(recipe))
    try:
        artifact = open_artifact(artifact_path(live.artifact), live.manifest_sha256)
    except ArtifactRefused as refusal:
        said = f"The live version of recipe {recipe!r} cannot be loaded ({refusal.reason}): "
        raise InvalidInput.of("/recipe", f"{said}{_training(recipe)}.") from refusal
    return frozenset(artifact.about["arms"])


def _why_none(recipe: str) -> str:
    if Recipe.objects.filter(name=recipe).exists():
        first = f"train it first (manage.py train --recipe {recipe})"
        return f"Recipe {recipe!r} has no trained version yet: {first}."
    return no_such_recipe(recipe)


def _training(recipe: str) -> str:
    return f"train it again (manage.py train --recipe {recipe})"
