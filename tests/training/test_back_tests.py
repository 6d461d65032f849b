"""A changed recipe has to prove itself beside the one that serves."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import User
from apps.accounts.privacy import erase_user
from apps.catalog.models import Movie
from apps.core.errors import Conflict, InvalidInput
from apps.core.models import AuditEntry
from apps.experiments.models import ServingPolicy
from apps.experiments.policy import forget_policy
from apps.ratings.models import Rating
from apps.training.datasets import build_corpus
from apps.training.gate import Check
from apps.training.models import BackTest, ModelUpdateLog, ModelVersion, Recipe, TrainingRun
from apps.training.services import VersionRefused, activate, backtesting, override_refusal, train
from apps.training.services.backtesting import back_test, recipe_to_beat
from apps.training.services.training import STEPS
from tests.factories import make_staff

pytestmark = pytest.mark.django_db

TOO_FEW = (
    "Too few people rated lately to tell whether recipe 'wide' is as good as 'standard', which serves:"
    " people of the test are 2, fewer than 50. Fit it again when there are more, or override this with a"
    " reason in the admin."
)


@pytest.fixture(autouse=True)
def no_policy_kept() -> Iterator[None]:
    """A policy that was rolled back with its test."""
    forget_policy()
    yield
    forget_policy()


def make_recipe(name: str, **parameters: Any) -> Recipe:
    return Recipe.objects.create(name=name, parameters=parameters)


def refused(recipe: str) -> VersionRefused:
    with pytest.raises(VersionRefused) as found:
        train(recipe=recipe)
    return found.value


def test_an_equal_recipe_passes_and_is_live_of_its_own_alone(crowd: list[Movie]) -> None:
    standard = train()
    make_recipe("same")
    version = train(recipe="same")
    standard.refresh_from_db()
    assert (standard.status, version.status) == ("live", "live")
    test = BackTest.objects.get()
    assert (test.recipe.name, test.against, test.run, test.allows) == ("same", "standard", version.run, True)
    assert test.n_people >= 50
    assert test.metrics["ndcg_difference"] == {"value": 0.0, "low": 0.0, "high": 0.0, "p_value": 1.0}
    assert test.metrics["recipe"]["ndcg"]["value"] > test.metrics["popularity"]["ndcg"]["value"]
    assert [check["name"] for check in test.checks] == [
        "people of the test",
        "nDCG@10 in the test",
        "nDCG@10 beside popularity",
        "coverage in the test",
        "RMSE in the test",
    ]
    assert [check["passed"] for check in test.checks] == [True] * 5
    assert version.checks == test.checks
    assert TrainingRun.objects.latest("pk").log[-1]["line"] == (
        f"Version {version.name} passed, and is the live version of recipe 'same', which serves nobody yet."
    )


def test_a_recipe_of_shuffled_ratings_is_refused_and_kept(crowd: list[Movie]) -> None:
    standard = train()
    make_recipe("shuffled", data={"shuffled": True})
    refusal = refused("shuffled")
    test, version = BackTest.objects.get(), refusal.version
    checks = {check["name"]: check for check in test.checks}
    ndcg, popular = checks["nDCG@10 in the test"], checks["nDCG@10 beside popularity"]
    served = test.metrics["against"]["ndcg"]["value"]
    assert ndcg["limit"] == round(0.99 * served, 4)
    assert ndcg["figure"] < 0.8 * served
    error = checks["RMSE in the test"]
    assert error["limit"] == pytest.approx(
        1.05 * test.metrics["against"]["predictions"]["rmse"]["value"], abs=1e-4
    )
    assert refusal.detail == (
        "Recipe 'shuffled' did worse than 'standard', which serves, in its back-test: nDCG@10 in the test is"
        f" {ndcg['figure']:.4f}, less than {ndcg['limit']:.4f}; nDCG@10 beside popularity is"
        f" {popular['figure']:.4f}, not above {popular['limit']:.4f}; RMSE in the test is"
        f" {error['figure']:.4f}, more than {error['limit']:.4f}. Change its parameters in a copy of it, or"
        " override this with a reason in the admin."
    )
    assert (version.status, version.refused_because) == ("refused", refusal.detail)
    assert version.artifact
    assert not test.allows
    assert test.metrics["ndcg_difference"]["high"] < 0
    run = TrainingRun.objects.latest("pk")
    assert (run.status, run.error) == ("refused", refusal.detail)
    log = ModelUpdateLog.objects.get(model_type="shuffled")
    assert (log.success, log.error_message, log.version) == (False, refusal.detail, version.name)
    assert log.metrics["checks"] == test.checks
    standard.refresh_from_db()
    assert standard.status == "live"
    assert not ModelVersion.objects.filter(recipe__name="shuffled", status="live").exists()


def test_staff_let_a_refused_recipe_serve_with_a_reason(crowd: list[Movie]) -> None:
    train()
    make_recipe("shuffled", data={"shuffled": True})
    boss = make_staff()
    version = override_refusal(version=refused("shuffled").version, by=boss, because="A drill")
    assert (version.status, version.overridden_because) == ("live", "A drill")
    assert version.refused_because
    test = BackTest.objects.get()
    assert (test.passed, test.allows) == (False, True)
    assert (test.overridden_by, test.overridden_because) == (boss.username, "A drill")
    entry = AuditEntry.objects.get(action="training.override_gate")
    assert (entry.target_id, entry.reason, entry.after) == (str(version.pk), "A drill", {"status": "live"})
    again = train(recipe="shuffled")
    assert (again.status, BackTest.objects.count()) == ("live", 1), "what was allowed is not tested again"
    log = ModelUpdateLog.objects.latest("pk")
    assert (log.success, log.error_message) == (True, "")


def test_too_few_people_are_no_verdict_and_no_pass(films: list[Movie]) -> None:
    train()
    make_recipe("wide")
    assert refused("wide").detail == TOO_FEW
    test = BackTest.objects.get()
    assert (test.passed, test.n_people) == (False, 2)
    assert refused("wide").detail == TOO_FEW
    assert BackTest.objects.count() == 2, "it is tested anew until it passes"


def test_ratings_of_one_moment_leave_nobody_to_measure(films: list[Movie]) -> None:
    train()
    Rating.objects.update(changed_at=Rating.objects.latest("changed_at").changed_at)
    make_recipe("wide")
    assert "people of the test are 0, fewer than 50." in refused("wide").detail
    test = BackTest.objects.get()
    assert (test.n_train, test.n_people, test.metrics) == (0, 0, {})
    assert [check["name"] for check in test.checks] == ["people of the test"]


def test_nothing_is_tested_before_anything_serves_nor_what_serves_itself(films: list[Movie]) -> None:
    make_recipe("wide")
    train(recipe="wide")
    train()
    train()
    assert not BackTest.objects.exists()


def test_other_parameters_of_either_recipe_ask_for_another_test(films: list[Movie]) -> None:
    train()
    wide = make_recipe("wide")
    override_refusal(version=refused("wide").version, by=None, because="Small")
    assert recipe_to_beat(wide) is None
    standard = Recipe.objects.get(name="standard")
    for recipe in (wide, standard):
        recipe.parameters = {"als": {"factors": 3}}
        recipe.save()
        assert recipe_to_beat(wide) == standard
        recipe.parameters = {}
        recipe.save()
        assert recipe_to_beat(wide) is None


def test_when_another_recipe_serves_it_is_tested_beside_that_one(films: list[Movie]) -> None:
    train()
    wide, third = make_recipe("wide"), make_recipe("third")
    for recipe in (wide, third):
        override_refusal(version=refused(recipe.name).version, by=None, because="Small")
    ServingPolicy.objects.update_or_create(pk=1, defaults={"strategy": {}, "recipe": "third"})
    forget_policy()
    assert recipe_to_beat(wide) == third
    assert "is as good as 'third', which serves" in refused("wide").detail
    assert ModelVersion.objects.filter(recipe=wide, status="live").exists(), "the one before stays"
    assert recipe_to_beat(third) is None


def test_the_back_test_is_a_step_of_the_run(films: list[Movie]) -> None:
    train()
    make_recipe("wide")
    told: list[tuple[str, int]] = []

    def progress(step: str) -> None:
        told.append((step, TrainingRun.objects.get(status="running").n_steps))

    with pytest.raises(VersionRefused):
        train(recipe="wide", progress=progress)
    assert [step for step, _ in told] == [STEPS[0], "back-test", *STEPS[1:]]
    assert {n_steps for _, n_steps in told} == {len(STEPS) + 1}
    run = TrainingRun.objects.latest("pk")
    assert (run.n_done, run.n_steps) == (len(STEPS) + 1, len(STEPS) + 1)


def test_a_fit_that_fails_afterwards_leaves_no_back_test(
    films: list[Movie], monkeypatch: pytest.MonkeyPatch
) -> None:
    train()
    make_recipe("wide")

    def stop(step: str) -> None:
        if step == "check":
            raise Conflict("Stopped.")

    with pytest.raises(Conflict, match=r"^Stopped\.$"):
        train(recipe="wide", progress=stop)
    assert not BackTest.objects.exists()


def test_the_same_seed_measures_the_same_and_a_crowd_is_capped(
    crowd: list[Movie], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtesting, "MOST_PEOPLE", 51)
    one, other = make_recipe("one"), make_recipe("other", svd={"factors": 3})
    corpus = build_corpus()
    first, second = (back_test(one, other, corpus, seed=3) for _ in range(2))
    assert (first.checks, first.metrics) == (second.checks, second.metrics)
    assert (first.n_people, first.metrics["recipe"]["n_users"]) == (51, 51)
    assert back_test(one, other, corpus, seed=4).metrics["recipe"] != first.metrics["recipe"]


def test_parameters_that_cannot_be_fitted_are_refused_by_name(crowd: list[Movie]) -> None:
    empty = {"weight_sequence": 0, "weight_svd": 0, "weight_content": 0}
    with pytest.raises(InvalidInput) as found:
        back_test(make_recipe("empty", hybrid=empty), make_recipe("other"), build_corpus())
    assert found.value.detail.startswith("Recipe 'empty' cannot be fitted: ")


def test_overriding_takes_a_reason_and_something_refused(films: list[Movie]) -> None:
    live = train()
    make_recipe("wide")
    version = refused("wide").version
    with pytest.raises(InvalidInput) as unsaid:
        override_refusal(version=version, by=None, because=" ")
    assert unsaid.value.errors[0].detail == "Say why: it goes into the audit."
    with pytest.raises(Conflict) as served:
        override_refusal(version=live, by=None, because="A look")
    assert served.value.detail == f"Version {live.name} is not refused: there is nothing to override."
    ModelVersion.objects.filter(pk=version.pk).update(artifact="")
    with pytest.raises(Conflict) as gone:
        override_refusal(version=version, by=None, because="A look")
    text = f"Version {version.name} was refused or its files were removed; fit the recipe again."
    assert gone.value.detail == text
    version.refresh_from_db()
    assert (version.status, BackTest.objects.get().allows) == ("refused", False)
    with pytest.raises(Conflict):
        activate(version=version)


def test_who_overrode_is_forgotten_with_them(films: list[Movie]) -> None:
    train()
    make_recipe("wide")
    boss = make_staff()
    override_refusal(version=refused("wide").version, by=boss, because="A drill")
    erase_user(User.objects.get(pk=boss.pk))
    assert BackTest.objects.get().overridden_by == "an erased user"


def test_the_command_prints_the_checks_and_exits_with_the_reason(films: list[Movie]) -> None:
    train()
    make_recipe("wide")
    said = StringIO()
    with pytest.raises(CommandError) as found:
        call_command("train", "--recipe", "wide", stdout=said)
    assert str(found.value) == TOO_FEW
    rows = said.getvalue().splitlines()
    assert rows[0].split() == ["people", "of", "the", "test", "2", "at", "least", "50", "failed"]
    assert len(rows) == len(BackTest.objects.get().checks)


def test_the_command_gives_the_checks_as_json(crowd: list[Movie]) -> None:
    train()
    make_recipe("same")
    said = StringIO()
    call_command("train", "--recipe", "same", "--json", stdout=said)
    assert json.loads(said.getvalue())["checks"] == BackTest.objects.get().checks


@pytest.mark.parametrize(
    ("check", "passed", "text"),
    [
        (Check("nDCG", 0.5, 0.5), True, "nDCG is 0.5000, less than 0.5000"),
        (Check("nDCG", 0.5, 0.5, "above"), False, "nDCG is 0.5000, not above 0.5000"),
        (Check("RMSE", 0.5, 0.5, "at most"), True, "RMSE is 0.5000, more than 0.5000"),
        (Check("RMSE", 0.51, 0.5, "at most"), False, "RMSE is 0.5100, more than 0.5000"),
        (Check("people", 1_200, 5_000), False, "people are 1,200, fewer than 5,000"),
    ],
)
def test_a_check_goes_by_its_way(check: Check, passed: bool, text: str) -> None:
    assert (check.passed, str(check)) == (passed, text)


def test_no_more_is_fitted_on_than_was_rated_before_the_cut(crowd: list[Movie]) -> None:
    corpus = build_corpus()
    cut = float(np.quantile(corpus.interactions.rated_at, 0.5))
    tested = back_test(make_recipe("one"), make_recipe("other"), corpus, cut=cut)
    assert tested.n_train == int((corpus.interactions.rated_at < cut).sum())
    assert tested.cut_at is not None
    assert tested.cut_at.timestamp() == pytest.approx(cut)
