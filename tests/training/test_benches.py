"""What a configuration is tried on, and at what share of its cost."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from apps.algorithms.evaluation import evaluate
from apps.algorithms.registry import fit_arms
from apps.algorithms.types import Interactions
from apps.training.services import benches, searching
from apps.training.services.benches import ArmBench, PredictorBench
from apps.training.services.evaluating import make_plan, part_ratings
from apps.training.services.searching import search_parameters
from tests.algorithms.factories import make_random_interactions

PLAN = make_plan(arms=["svd"], k=5, relevant="any")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benches, "LEAST_PEOPLE", 10)


def make_bench(name: str = "svd", n_users: int = 90) -> ArmBench:
    data: Interactions = make_random_interactions(np.random.default_rng(3), n_users=n_users)
    return ArmBench(name, PLAN, next(part_ratings(PLAN, data, np.random.default_rng(PLAN.seed))), {})


def test_all_people_give_what_an_evaluation_gives() -> None:
    bench = make_bench()
    arm = fit_arms(["svd"], bench.split.train, np.random.default_rng(PLAN.seed))["svd"]
    whole = evaluate(arm, bench.split.train, bench.split.test, k=5, relevant=None).ndcg
    assert whole is not None
    assert bench.measure(bench.start, 1.0) == pytest.approx(whole.value)


def test_a_larger_share_measures_only_who_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, asked = make_bench(), list[list[int]]()
    real = bench._values

    def values(fitted: Any, people: Any) -> Any:
        asked.append(people.tolist())
        return real(fitted, people)

    monkeypatch.setattr(bench, "_values", values)
    bench.grows = "measured"
    assert bench.shares == pytest.approx((1 / 9, 1 / 3, 1))
    for share in bench.shares:
        bench.measure(bench.start, share)
    assert [len(people) for people in asked] == [10, 20, 60]
    assert len({user for people in asked for user in people}) == 90


def test_every_configuration_meets_the_same_people() -> None:
    """A whole number of factors over the rank gives the same lists, and so the same value."""
    bench = make_bench()
    bench.grows = "measured"
    values = {bench.measure({**bench.start, "factors": factors}, 1 / 9) for factors in (200, 300)}
    assert len(values) == 1


def test_fits_on_a_part_of_the_people_and_measures_all(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, asked = make_bench(), list[tuple[int, int]]()
    real_fit, real_values = bench._fit, bench._values

    def fit(parameters: Any, train: Any) -> Any:
        asked.append((train.n_users, train.ratings.nnz))
        return real_fit(parameters, train)

    def values(fitted: Any, people: Any) -> Any:
        assert len(people) == 90
        return real_values(fitted, people)

    monkeypatch.setattr(bench, "_fit", fit)
    monkeypatch.setattr(bench, "_values", values)
    bench.grows = "fitted"
    for share in bench.shares:
        bench.measure(bench.start, share)
    assert [n_users for n_users, _ in asked] == [10, 30, 90]
    assert asked[-1][1] == bench.split.train.ratings.nnz


@pytest.mark.parametrize(
    ("fit", "measure", "fixed", "grows"),
    [
        (0.0, 1.0, None, "measured"),
        (5.0, 1.0, 0.0, "fitted"),
        # A fit that takes as long on few people as on all.
        (5.0, 1.0, 5.0, "nothing"),
        # Fitting anew whatever goes on costs what measuring fewer saves.
        (1.0, 1.0, None, "nothing"),
    ],
)
def test_what_grows_is_what_saves_most(
    monkeypatch: pytest.MonkeyPatch, fit: float, measure: float, fixed: float | None, grows: str
) -> None:
    bench = make_bench(n_users=30)
    bench.fit_seconds, bench.measure_seconds = fit, measure
    monkeypatch.setattr(bench, "_time_fits", lambda: setattr(bench, "_fixed_seconds", fixed))
    bench.choose_growth()
    assert bench.grows == grows


def test_of_an_arm_that_is_made_of_others_no_part_is_fitted_on_fewer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = make_bench("hybrid")
    bench.fit_seconds, bench.measure_seconds = 5.0, 1.0
    monkeypatch.setattr(bench, "_time_fits", lambda: pytest.fail("nothing is to be timed"))
    bench.choose_growth()
    assert bench.grows == "nothing"


def test_with_few_people_there_is_one_rung() -> None:
    bench = make_bench(n_users=20)
    bench.fit_seconds, bench.measure_seconds = 0.0, 1.0
    bench.choose_growth()
    assert (bench.grows, bench.shares) == ("nothing", (1.0,))


def test_what_cannot_be_fitted_has_no_value() -> None:
    bench = make_bench("hybrid")
    assert bench.measure(dict.fromkeys(bench.start, 0.0), 1.0) is None


def test_the_predictor_is_measured_by_its_rmse_with_a_minus() -> None:
    split = make_bench().split
    bench = PredictorBench(PLAN, split, {})
    value, part = bench.measure(bench.start, 1.0), bench.measure(bench.start, 1 / 9)
    assert value is not None
    assert part is not None
    assert -3 < value < 0
    assert part != value


def test_a_search_in_time_leaves_some_for_its_last_rung(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though each configuration takes three times what the first one did."""
    bench, now = make_bench(), [0.0]
    real = bench._measured

    def measured(parameters: Any, share: float, people: Any) -> Any:
        values = real(parameters, share, people)
        now[0] += (1 if parameters is bench.start else 3) * len(people) / 90
        bench.fit_seconds, bench.measure_seconds = 0.0, len(people) / 90
        return values

    monkeypatch.setattr(bench, "_measured", measured)
    monkeypatch.setattr(searching, "time", SimpleNamespace(monotonic=lambda: now[0]))
    found = search_parameters(bench, 1000, 30.0)
    assert bench.grows == "measured"
    assert now[0] < 33
    # Beside what it began with.
    assert sum(len(trial.values) == 3 for trial in found.trials) > 2
