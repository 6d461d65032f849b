"""Experiments for tests."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.utils import timezone

from apps.experiments.models import Experiment
from apps.experiments.services import Design, VariantDesign, create_experiment, start
from apps.training.artifacts import save_artifact
from apps.training.models import ModelVersion, Recipe
from tests.factories import make_staff

HYBRID = {"policy": "fixed", "arms": {"hybrid": 1.0}, "diversity": 0.0}
POPULAR = {"policy": "fixed", "arms": {"popular": 1.0}, "diversity": 0.0}
ARMS = ("hybrid", "item_cf", "popular", "svd")
_numbers = iter(range(1, 1_000_000))


def make_version(recipe: str = "standard", arms: Sequence[str] = ARMS) -> ModelVersion:
    """The live version of a recipe that knows these arms alone; nothing is trained."""
    about: dict[str, Any] = {"arms": {name: {} for name in arms}}
    folder, name = Path(settings.ARTIFACT_DIR), f"{recipe}-{next(_numbers)}"
    return ModelVersion.objects.create(
        recipe=Recipe.objects.get_or_create(name=recipe)[0],
        name=name,
        artifact=name,
        manifest_sha256=save_artifact(folder / name, {"films": {"ids": np.arange(3)}}, about).manifest_sha256,
        status=ModelVersion.Status.LIVE,
        read_at=timezone.now(),
        n_users=1,
        n_movies=3,
        n_ratings=1,
        fit_seconds=1.0,
    )


def make_design(
    key: str = "",
    *,
    strategies: Mapping[str, Mapping[str, Any]] | None = None,
    weights: Mapping[str, float] | None = None,
    **values: Any,
) -> Design:
    """Control against treatment, half and half; the first of ``strategies`` is the control."""
    key = key or f"test-{next(_numbers)}"
    strategies = strategies or {"control": HYBRID, "treatment": POPULAR}
    weights = weights or dict.fromkeys(strategies, 1 / len(strategies))
    variants = tuple(
        VariantDesign(name, weights[name], is_control=number == 0, strategy=strategy)
        for number, (name, strategy) in enumerate(strategies.items())
    )
    return Design(**{"key": key, "name": f"Test {key}", "layer": "strategy", "variants": variants, **values})


def make_recipe_design(key: str = "", *, recipes: Sequence[str], **values: Any) -> Design:
    """A variant of each recipe, by its name; the first is the control."""
    variants = tuple(
        VariantDesign(name, 1 / len(recipes), is_control=number == 0, recipe=name)
        for number, name in enumerate(recipes)
    )
    return make_design(key, **{"layer": "recipe", "variants": variants, **values})


def make_experiment(key: str = "", **values: Any) -> Experiment:
    """A draft."""
    return create_experiment(design=make_design(key, **values), by=make_staff())


def make_running(key: str = "", *, reason: str = "a test", **values: Any) -> Experiment:
    return start(key=make_experiment(key, **values).key, by=make_staff(), reason=reason)


def make_running_recipes(key: str = "", *, recipes: Sequence[str], **values: Any) -> Experiment:
    """Recipes without a version get one."""
    for name in recipes:
        if not ModelVersion.objects.filter(recipe__name=name).exists():
            make_version(name)
    design = make_recipe_design(key, recipes=recipes, **values)
    return start(key=create_experiment(design=design, by=make_staff()).key, by=make_staff(), reason="a test")
