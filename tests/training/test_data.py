"""The group ``data`` of a recipe: what it learns from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.exceptions import ValidationError

from apps.algorithms.base import InvalidParameter
from apps.catalog.models import Movie
from apps.training.data import DataParameters
from apps.training.datasets import build_interactions
from apps.training.models import Recipe, UpdateType
from apps.training.parameters import split_parameters
from apps.training.services import train

pytestmark = pytest.mark.django_db


def test_a_recipe_that_says_nothing_of_it_learns_from_explicit_ratings() -> None:
    parts = split_parameters({"als": {"factors": 3}})
    assert (dict(parts.arms), parts.predictor, parts.data) == ({"als": {"factors": 3}}, {}, DataParameters())


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (3, "data: its parameters are an object, not 3."),
        ({"clicks": -1}, "data: clicks must be a number from 0 to 10, not -1."),
        ({"shuffled": 1}, "data: shuffled must be true or false, not 1."),
        (
            {"likes": 1},
            "data has no parameter 'likes'; its parameters are: clicks, favorites, inverse_propensity, "
            "propensity_cap, shuffled, thumbs, watchlist.",
        ),
    ],
)
def test_refuses_what_it_cannot_learn_from(data: Any, text: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        split_parameters({"data": data})
    assert str(refused.value) == text
    with pytest.raises(ValidationError) as not_saved:
        Recipe(name="odd", parameters={"data": data}).full_clean()
    assert not_saved.value.message_dict == {"parameters": [text]}


def test_a_shuffled_recipe_keeps_who_rated_how_often_and_not_what(films: list[Movie]) -> None:
    whole, shuffled = build_interactions(), build_interactions(DataParameters(shuffled=True))
    np.testing.assert_array_equal(whole.ratings.indptr, shuffled.ratings.indptr)
    assert (whole.ratings != shuffled.ratings).nnz > whole.ratings.nnz


def test_a_shuffled_recipe_is_never_updated(films: list[Movie], own_artifacts: Path) -> None:
    Recipe.objects.create(name="drill", parameters={"data": {"shuffled": True}})
    train(recipe="drill")
    again = train(recipe="drill", update_type=UpdateType.WARM_START)
    assert again.update_type == UpdateType.FULL
    assert again.metrics["warnings"] == [
        "Fitted from nothing: the recipe shuffles its ratings, and an update could not tell whose rating is "
        "of which film."
    ]


def test_what_learned_from_other_data_is_no_start(films: list[Movie], own_artifacts: Path) -> None:
    recipe = Recipe.objects.create(name="spare")
    first = train(recipe="spare")
    recipe.parameters = {"data": {"thumbs": 0.5}}
    recipe.save()
    again = train(recipe="spare", update_type=UpdateType.WARM_START)
    assert again.metrics["warnings"] == [
        f"Fitted from nothing: version {first.name} learned from other data."
    ]
