"""A changed recipe beside the one that serves, on ratings that neither was fitted on."""

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import reduce
from typing import Any

import numpy as np

from apps.algorithms.evaluation import FilmFacts, Report, compare, film_facts, relevant_films
from apps.algorithms.splitting import Split, held_back_of, newest_share_from, take_items, temporal_split
from apps.algorithms.types import Interactions, Parameters
from apps.core.errors import Conflict, InvalidInput
from apps.experiments.policy import read_policy, recipes_in_use
from apps.training.corpus import Corpus
from apps.training.datasets import build_interactions
from apps.training.gate import Check, failed_among
from apps.training.models import BackTest, ModelVersion, Recipe, TrainingRun
from apps.training.parameters import split_parameters
from apps.training.reporting import measures_as_json
from apps.training.services.evaluating import (
    Evaluation,
    Plan,
    evaluate_split,
    make_plan,
    without_rotation,
)
from apps.training.services.sanity import ARM, NDCG_TOP

POPULAR = "popular"
TEST_SHARE = 0.2
"""Of all ratings, the newest: rated at or after the cut."""
TOLD_SHARE = 0.5
"""Of the ratings of people who came after the cut. Few people rate on both sides of one: without the others
the demo's 671 people would leave 22 to measure, and with them there are 143."""
LEAST_PEOPLE, MOST_PEOPLE = 50, 5_000
LEAST_NDCG, LEAST_COVERAGE, MOST_RMSE = 0.99, 0.9, 1.05
"""Of those of the recipe that serves."""
SEED = 20_011_103
PEOPLE = "people of the test"


@dataclass(frozen=True)
class Tested:
    """What ``BackTest`` holds, before it is a row."""

    cut_at: datetime | None
    n_train: int
    n_test: int
    n_people: int
    checks: tuple[Check, ...]
    metrics: Mapping[str, Any]
    seconds: float

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


@dataclass(frozen=True)
class Ground:
    """What both recipes are measured on: ``n_people`` have a list."""

    cut: float
    split: Split
    facts: FilmFacts
    n_people: int


def recipe_to_beat(recipe: Recipe) -> Recipe | None:
    """The recipe that serves, beside which ``recipe`` has to prove itself before a fit of it goes live.

    None for a recipe that serves somebody itself, one that proved itself already, and while nothing of the
    recipe that should serve is live.
    """
    if recipe.name in recipes_in_use():
        return None
    live = Recipe.objects.filter(versions__status=ModelVersion.Status.LIVE)
    serving = live.filter(name=read_policy().recipe).first()
    return serving if serving and find_leave(recipe, serving) is None else None


def was_tested(recipe: Recipe, against: Recipe) -> bool:
    """Whether there is a back-test of the two with the parameters that they have now, whatever came of it."""
    tests = BackTest.objects.filter(recipe=recipe, against=against.name)
    now = recipe.parameters, against.parameters
    return any((test.parameters, test.against_parameters) == now for test in tests)


def find_leave(recipe: Recipe, against: Recipe) -> BackTest | None:
    """The last back-test that allows ``recipe`` beside ``against``, each with the parameters it has now."""
    for test in BackTest.objects.filter(recipe=recipe, against=against.name):
        is_same = (test.parameters, test.against_parameters) == (recipe.parameters, against.parameters)
        if is_same and test.allows:
            return test
    return None


def back_test(
    recipe: Recipe, against: Recipe, corpus: Corpus, *, seed: int = SEED, cut: float | None = None
) -> Tested:
    """Fits both recipes on what they learn from before ``cut``, in seconds since 1970, and compares them
    after it.

    None cuts where the newest fifth of the ratings begins. Measured are lists of ten of the arm ``hybrid``
    and the predicted ratings, on explicit ratings of people of whom something is known: of those who came
    after the cut the older half is told. Of more than ``MOST_PEOPLE`` so many are drawn by ``seed``, as are
    the fits. With fewer than ``LEAST_PEOPLE`` there is no verdict, which is no pass. What one of the two
    learns from and ``corpus`` does not hold is read. Raises ``InvalidInput`` for parameters that cannot be
    fitted and ``Conflict`` for numbers that are not finite.
    """
    began = time.perf_counter()
    truth, ours, theirs = _material(recipe, against, corpus)
    ground = make_ground(truth, newest_share_from(truth, TEST_SHARE) if cut is None else cut, seed)
    checks = [Check(PEOPLE, ground.n_people, LEAST_PEOPLE)]
    metrics: dict[str, Any] = {}
    if ground.n_people:
        found = measure_recipe(recipe, ours, ground, seed)
        served = measure_recipe(against, theirs, ground, seed)
        checks += compare_measured(found, served)
        metrics = _metrics(found, served, seed)
    return Tested(
        cut_at=datetime.fromtimestamp(ground.cut, UTC) if math.isfinite(ground.cut) else None,
        n_train=int((ours.rated_at < ground.cut).sum()),
        n_test=int(ground.split.test.ratings.nnz),
        n_people=ground.n_people,
        checks=tuple(checks),
        metrics=metrics,
        seconds=round(time.perf_counter() - began, 3),
    )


def make_ground(truth: Interactions, cut: float, seed: int) -> Ground:
    """``truth`` are explicit ratings; ``cut`` is in seconds since 1970. ``seed`` draws whom to measure."""
    split = temporal_split(truth, cut=cut, told_share=TOLD_SHARE)
    facts = film_facts(split.train)
    wanted = relevant_films(split.known, split.test, facts, _relevant(facts, seed))
    people = np.array(list(wanted), dtype=np.int64)
    if len(people) > MOST_PEOPLE:
        people = np.random.default_rng(seed).permutation(people)[:MOST_PEOPLE]
        split = held_back_of(split, people)
    return Ground(cut, split, facts, len(people))


def measure_recipe(recipe: Recipe, learned: Interactions, ground: Ground, seed: int) -> Evaluation:
    """The recipe's ``hybrid``, its popularity and its predictor, fitted on what of ``learned`` came before
    the cut. Raises as ``back_test``."""
    plan = _plan(recipe.parameters, (ARM, POPULAR), ground.facts, seed)
    split = replace(ground.split, learned=learned.part(learned.rated_at < ground.cut))
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            found = evaluate_split(plan, split, ground.facts)
    except InvalidInput as refusal:
        raise InvalidInput(f"Recipe {recipe.name!r} cannot be fitted: {refusal.detail}") from refusal
    if not math.isfinite(_rmse(found)):
        raise Conflict(
            f"Recipe {recipe.name!r} predicts ratings that are not finite; the version before serves on."
        )
    return found


def compare_measured(ours: Evaluation, theirs: Evaluation) -> list[Check]:
    """The rule: by the means, whatever their intervals."""
    ndcg, served, popular = (
        _ndcg(report) for report in (ours.reports[ARM], theirs.reports[ARM], theirs.reports[POPULAR])
    )
    coverage, covered = (one.reports[ARM].coverage or 0.0 for one in (ours, theirs))
    return [
        Check(f"nDCG@{ours.plan.k} in the test", round(ndcg, 4), round(LEAST_NDCG * served, 4)),
        Check(f"nDCG@{ours.plan.k} beside popularity", round(ndcg, 4), round(popular, 4), "above"),
        Check("coverage in the test", round(coverage, 4), round(LEAST_COVERAGE * covered, 4)),
        Check("RMSE in the test", round(_rmse(ours), 4), round(MOST_RMSE * _rmse(theirs), 4), "at most"),
    ]


def save_test(tested: Tested, *, run: TrainingRun, against: Recipe) -> BackTest:
    return BackTest.objects.create(
        recipe=run.recipe,
        against=against.name,
        parameters=run.recipe.parameters,
        against_parameters=against.parameters,
        run=run,
        cut_at=tested.cut_at,
        n_train=tested.n_train,
        n_test=tested.n_test,
        n_people=tested.n_people,
        checks=[check.as_json() for check in tested.checks],
        metrics=dict(tested.metrics),
        passed=tested.passed,
        seconds=tested.seconds,
    )


def why_refused(tested: Tested, *, recipe: str, against: str) -> str:
    """What the back-test says against the recipe, and what to do; empty when it passed."""
    if tested.passed:
        return ""
    failed = failed_among(tested.checks)
    too_few = tested.n_people < LEAST_PEOPLE
    said = (
        f"Too few people rated lately to tell whether recipe {recipe!r} is as good as {against!r}, which"
        f" serves: {failed}. Fit it again when there are more"
        if too_few
        else f"Recipe {recipe!r} did worse than {against!r}, which serves, in its back-test: {failed}. Change"
        " its parameters in a copy of it"
    )
    return f"{said}, or override this with a reason in the admin."


def _material(
    recipe: Recipe, against: Recipe, corpus: Corpus
) -> tuple[Interactions, Interactions, Interactions]:
    """The explicit ratings, to measure on, and what each of the two learns from, over the same films."""
    data = [split_parameters(one.parameters).data for one in (recipe, against)]
    read = {corpus.data: corpus.interactions}
    for one in data:
        if one not in read:
            read[one] = build_interactions(one)
    honest = [read[one] for one in data if not one.shuffled]
    truth = (honest[0] if honest else build_interactions()).explicit
    found = [truth, *(read[one] for one in data)]
    # A hidden film is in it where somebody rated it, or did what else the recipe learns from.
    films = reduce(np.intersect1d, [one.items.ids for one in found])
    truth, ours, theirs = (without_rotation(take_items(one, films)) for one in found)
    return truth, ours, theirs


def _relevant(facts: FilmFacts, seed: int) -> float | None:
    return _plan({}, (ARM,), facts, seed).relevant


def _plan(parameters: Mapping[str, Parameters], arms: tuple[str, ...], facts: FilmFacts, seed: int) -> Plan:
    # Of a catalogue of fewer films than a list has, all are on it.
    k = max(1, min(NDCG_TOP, facts.n_items))
    return make_plan(arms=arms, protocol="temporal", k=k, seed=seed, parameters=parameters)


def _metrics(ours: Evaluation, theirs: Evaluation, seed: int) -> dict[str, Any]:
    # Which way a difference lies beside its interval is for whoever reads it: the rule goes by the means.
    difference = compare(theirs.reports[ARM], ours.reports[ARM], np.random.default_rng(seed))
    return {
        "k": ours.plan.k,
        "recipe": _figures(ours, ARM),
        "against": _figures(theirs, ARM),
        "popularity": measures_as_json(theirs.reports[POPULAR]),
        "ndcg_difference": difference and asdict(difference),
    }


def _figures(one: Evaluation, arm: str) -> dict[str, Any]:
    return {**measures_as_json(one.reports[arm]), "predictions": asdict(one.predictions)}


def _ndcg(report: Report) -> float:
    return report.ndcg.value if report.ndcg else 0.0


def _rmse(one: Evaluation) -> float:
    return one.predictions.rmse.value if one.predictions.rmse else 0.0
