"""``manage.py tune``: parameters searched for where the test part cannot be seen."""

import io
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

from apps.algorithms.arms.parameters import near_settings
from apps.algorithms.prediction import RatingPredictor
from apps.algorithms.registry import ARMS, fit_arms, make_arm
from apps.core.management.base import Refused
from apps.core.models import AuditEntry
from apps.experiments.models import ServingPolicy
from apps.experiments.policy import forget_policy
from apps.training.datasets import build_interactions
from apps.training.models import Recipe
from apps.training.services import benches, evaluating
from apps.training.services.tuning import Budget, tune_arms
from tests.factories import make_movie, make_rating, make_user
from tests.house import House, make_house

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(tmp_path: Path, settings: Any) -> House:
    settings.ARTIFACT_DIR = tmp_path / "models"
    return make_house()


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each arm was asked to be fitted for the search."""
    counted: Counter[str] = Counter()

    def counting(names: Any, *rest: Any, **more: Any) -> Any:
        counted.update(names)
        return fit_arms(names, *rest, **more)

    monkeypatch.setattr(benches, "fit_arms", counting)
    return counted


def ask(*arguments: str) -> str:
    out = io.StringIO()
    call_command("tune", "--k", "3", "--protocol", "within-viewer", *arguments, stdout=out)
    return out.getvalue()


def tuned(*arguments: str) -> dict[str, Any]:
    return dict(json.loads(ask(*arguments, "--json")))


def found(*arguments: str) -> dict[str, Any]:
    """What was tuned, without the seconds that it took."""
    return {name: {**one, "seconds": 0} for name, one in tuned(*arguments)["tuned"].items()}


def refusal(*arguments: str) -> str:
    with pytest.raises(Refused) as refused:
        ask(*arguments)
    return str(refused.value)


def test_begins_with_what_is_there_and_never_ends_with_less(house: House) -> None:
    result = tuned("svd", "--trials", "6")["tuned"]["svd"]
    assert result["trials"] == 6
    assert result["began_with"] == dict(make_arm("svd").parameters)
    assert result["validation"]["after"] >= result["validation"]["before"]
    assert make_arm("svd", result["best"])  # accepted
    test = result["test"]
    assert test["difference"]["value"] == pytest.approx(test["after"]["value"] - test["before"]["value"])


def test_the_same_seed_finds_the_same(house: House) -> None:
    first, second = (found("svd", "item_cf", "--trials", "3", "--seed", "5") for _ in range(2))
    assert first == second


def test_an_arm_finds_the_same_whatever_is_tuned_beside_it(house: House) -> None:
    assert found("svd", "--trials", "3")["svd"] == found("als", "svd", "--trials", "3")["svd"]


def test_the_search_never_sees_the_part_held_back(house: House) -> None:
    """Whatever the test part says, the trials are the same."""
    plan = evaluating.make_plan(arms=["svd"], k=3, protocol="within-viewer")
    data = evaluating.without_rotation(build_interactions())
    (outer,) = plan.protocol.splits(data, np.random.default_rng(plan.seed), plan.test_share)
    emptied = replace(outer, test=replace(outer.test, ratings=outer.test.ratings * 0))
    emptied.test.ratings.eliminate_zeros()

    def parts(part: Any, rng: Any, share: float) -> Any:
        made = plan.protocol.splits(part, rng, share)
        return iter([*made, emptied][1:]) if part.ratings is data.ratings else made

    blind = replace(plan, protocol=replace(plan.protocol, splits=parts))
    with_it, without = (tune_arms(one, data, budget=Budget(4)).arms[0] for one in (plan, blind))
    assert without.searched.trials == with_it.searched.trials
    assert (with_it.after.n_users, without.after.n_users) == (12, 0)


@pytest.mark.parametrize("arm", [name for name in ARMS if make_arm(name).needs])
def test_tunes_what_is_made_of_others_over_parts_that_are_fitted_once(
    house: House, fits: Counter[str], arm: str
) -> None:
    result = tuned(arm, "--trials", "5")["tuned"][arm]
    assert set(result["best"]) == set(make_arm(arm).parameters)
    assert {fits[part] for part in make_arm(arm).needs} == {1}
    assert max(fits.values()) == 1


def test_fits_only_the_parts_that_are_needed(house: House, fits: Counter[str]) -> None:
    tuned("serendipity", "--trials", "3")
    assert set(fits) == {"item_cf", "svd"}


def test_tunes_a_blend_over_what_was_found_for_its_parts(house: House) -> None:
    """And last, in whatever order they are asked for."""
    plan = evaluating.make_plan(arms=["hybrid", "svd"], k=3, protocol="within-viewer")
    tuning = tune_arms(plan, build_interactions(), budget=Budget(6))
    assert [one.searched.name for one in tuning.arms] == ["svd", "hybrid"]
    assert tuning.parameters["svd"] == tuning.arms[0].searched.best.configuration
    given = {**plan.parameters, "svd": tuning.parameters["svd"]}
    alone = tune_arms(
        replace(plan, arms=("hybrid",), parameters=given), build_interactions(), budget=Budget(6)
    )
    assert alone.arms[0].searched.trials == tuning.arms[1].searched.trials


def test_tunes_the_rating_predictor_by_its_rmse(house: House) -> None:
    found = tuned("predictor", "--trials", "4")["tuned"]
    assert list(found) == ["predictor"]
    result = found["predictor"]
    assert (result["measure"], result["trials"]) == ("rmse", 4)
    assert 0 < result["validation"]["after"] <= result["validation"]["before"]
    assert RatingPredictor(**result["best"])  # accepted
    test = result["test"]
    assert test["difference"]["value"] == pytest.approx(test["after"]["value"] - test["before"]["value"])


def test_without_a_name_tunes_what_serves_and_what_it_is_made_of(house: House) -> None:
    assert list(tuned("--trials", "1")["tuned"]) == ["content", "svd", "sequence", "hybrid", "predictor"]
    bandit = {"policy": "bandit", "arms": ["als", "long_tail"]}
    ServingPolicy.objects.update(strategy=bandit)
    forget_policy()
    # Not long_tail, which is not there for what nDCG sees, but what it is made of.
    assert list(tuned("--trials", "1")["tuned"]) == [
        "content", "svd", "als", "item_cf", "sequence", "embeddings", "hybrid", "predictor"
    ]  # fmt: skip


def test_ends_in_time(house: House) -> None:
    """With nothing left there is no round, and the answer is what was there."""
    plan = evaluating.make_plan(arms=["svd"], k=3, protocol="within-viewer")
    tuning = tune_arms(plan, build_interactions(), budget=Budget(100, minutes=1e-9))
    assert len(tuning.arms[0].searched.trials) == 1
    assert not tuning.arms[0].searched.is_changed
    assert tuning.parameters == {}
    assert tuning.arms[0].after is tuning.arms[0].before


def test_no_more_are_tried_than_was_asked_for(house: House) -> None:
    assert tuned("svd", "--trials", "7", "--minutes", "1")["tuned"]["svd"]["trials"] == 7


def test_saves_into_a_recipe_and_keeps_the_rest_of_it(house: House) -> None:
    Recipe.objects.create(name="tuned", parameters={"als": {"factors": 8}})
    result = tuned("svd", "--trials", "2", "--save", "tuned")["tuned"]
    recipe = Recipe.objects.get(name="tuned")
    assert recipe.parameters == {"als": {"factors": 8}, "svd": result["svd"]["best"]}
    entry = AuditEntry.objects.get(action="training.tune_recipe")
    assert entry.after == {"svd": result["svd"]["best"]}


def test_says_what_was_gained(house: House) -> None:
    lines = ask("svd", "predictor", "--trials", "2", "--save", "new").splitlines()
    assert lines[0] == "the database; protocol within-viewer, k 3"
    assert re.fullmatch(r"svd: 3 on 12 people measured, \d+ s", lines[2])
    assert lines[4].startswith("nDCG on the validation slice: ")
    assert lines[5].startswith("nDCG on what the search never saw: ")
    assert lines[10].startswith("RMSE on what the search never saw: ")
    assert lines[-1] == "Saved in recipe new; to fit it: manage.py train --recipe new"


@pytest.mark.parametrize("arm", ARMS)
def test_whatever_is_tried_is_accepted(arm: str) -> None:
    rng = np.random.default_rng(9)
    parameters = make_arm(arm).parameters
    for _ in range(200):
        parameters = near_settings(ARMS[arm].settings_class, parameters, rng, 4.0)
        if any(value for name, value in parameters.items() if name.startswith("weight_")) or arm != "hybrid":
            make_arm(arm, parameters)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["oracle"], f"There is no arm 'oracle'; the arms are: {', '.join(ARMS)}."),
        (["item_cf", "--k", "33"], "k must be at most the number of films, which is 32, not 33."),
        (["svd", "--seed", "-1"], "The seed must be a whole number from 0, not -1."),
        (
            ["svd", "--trials", "1", "--save", "standard"],
            "Recipe 'standard' is every arm's default: save to another name.",
        ),
        (
            ["svd", "--trials", "1", "--save", "no name"],
            "'no name' is no name for a recipe. "
            "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens.",
        ),
        (
            ["--propose", "--save", "better"],
            "Give --propose, which chooses the name, or --save, not both.",
        ),
        (["svd", "--propose"], "--propose tunes every arm that serves: leave the names out."),
        (
            ["--propose", "--data", "somewhere"],
            "--propose goes by a recipe and the database: leave --data and --parameters out.",
        ),
    ],
)
def test_refuses_with_a_sentence(house: House, arguments: list[str], sentence: str) -> None:
    assert refusal(*arguments) == sentence


def test_never_saves_into_a_recipe_that_serves(house: House) -> None:
    ServingPolicy.objects.update(recipe="wide")
    assert refusal("svd", "--trials", "1", "--save", "wide") == (
        "Recipe 'wide' serves: save to another name, and it is tested beside this one."
    )


@pytest.mark.parametrize("arm", ["embeddings", "hybrid", "long_tail"])
def test_refuses_an_arm_that_may_need_vectors_which_cannot_be_made(
    house: House, settings: Any, arm: str
) -> None:
    settings.TEXT_ENCODER = "oracle"
    assert refusal(arm, "--trials", "1") == (
        f"Without films' vectors there is no measuring {arm}: mend the encoder, or choose other arms. Films "
        "that are new or changed have no vectors of oracle. There is no text encoder 'oracle': set "
        "TEXT_ENCODER to lsa or minilm."
    )
    assert tuned("svd", "--trials", "1")["tuned"]["svd"]["trials"] == 1


def test_says_when_there_are_fewer_ratings_than_parts() -> None:
    make_rating(make_user(), make_movie(), 3)
    assert refusal("svd", "--protocol", "k-fold", "--k", "1") == (
        "These ratings cannot be parted so: folds must be 2 to the number of ratings, 1, not 5."
    )


def test_refuses_to_search_in_nothing() -> None:
    assert refusal("svd") == (
        "There are no ratings to measure with: load some with manage.py load_movielens demo."
    )
