"""Parameters searched for on a slice of the training part, of one arm or of all that a recipe serves with."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.algorithms.base import InvalidParameter
from apps.algorithms.evaluation import (
    Accuracy,
    ArmLists,
    Difference,
    Report,
    accuracy,
    compare,
    compare_predictions,
    film_facts,
    measure,
    prediction_errors,
    report,
)
from apps.algorithms.prediction import RatingPredictor
from apps.algorithms.registry import ARMS, fit_arms, make_arm, with_needs
from apps.algorithms.splitting import Split
from apps.algorithms.strategy import DEFAULT_ARM, Strategy
from apps.algorithms.types import Interactions, Parameters
from apps.core.errors import InvalidInput
from apps.experiments.policy import current_policy
from apps.experiments.running import running_field
from apps.training.cores import training_cores
from apps.training.parameters import PREDICTOR, split_parameters
from apps.training.services.benches import ArmBench, Bench, PredictorBench
from apps.training.services.evaluating import (
    Plan,
    Progress,
    build_measured,
    is_drill,
    part_ratings,
    require_measurable,
    without_rotation,
)
from apps.training.services.searching import Searched, search_parameters

OTHER_AIMS = frozenset({"popular", "long_tail", "serendipity"})
"""Arms that are there for what nDCG does not see: people of whom nothing is known, and films that others do
not find. By it their parameters would make them like the others."""


@dataclass(frozen=True)
class Budget:
    """``n_trials`` configurations of each arm at most, and no more than can be measured in ``minutes`` of
    all arms together; None for no limit."""

    n_trials: int
    minutes: float | None = None


@dataclass(frozen=True)
class TunedArm:
    """``before`` and ``after`` are measured on the part that no search saw, fitted on all the rest with the
    parameters of the recipe and with all that were found; ``difference`` is after less before."""

    searched: Searched
    before: Report
    after: Report
    difference: Difference | None


@dataclass(frozen=True)
class TunedPredictor:
    """As ``TunedArm``; a ``difference`` of RMSE below 0 is a gain."""

    searched: Searched
    before: Accuracy
    after: Accuracy
    difference: Difference | None


@dataclass(frozen=True)
class Tuning:
    """``parameters`` are those of the plan with what was found in their place."""

    plan: Plan
    n_ratings: int
    arms: tuple[TunedArm, ...]
    predictor: TunedPredictor | None
    parameters: Mapping[str, Parameters]


def served_arms(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """The arms that anybody is served with now, and those that they are made of under a recipe's
    ``parameters``, which nDCG can tune."""
    running = [one.plan.variants for one in running_field().live]
    tried = [variant.strategy for variants in running for variant in variants if variant.strategy]
    return tunable_arms([current_policy().strategy, *tried], parameters)


def tunable_arms(strategies: Sequence[Strategy], parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Of the strategies' arms, of ``hybrid``, which serves whoever gets nothing else, and of what they are
    made of, those with parameters whose aim is nDCG."""
    names = {DEFAULT_ARM}.union(*(strategy.arms for strategy in strategies))
    given = split_parameters(dict(parameters))
    needed = with_needs(sorted(names), given.arms)
    return tuple(name for name in needed if name not in OTHER_AIMS and make_arm(name).parameters)


def tune_catalogue(
    plan: Plan, *, budget: Budget, predictor: bool = False, progress: Progress = lambda step: None
) -> Tuning:
    """Tunes on all ratings of the database.

    Raises as ``tune_arms``, and ``InvalidInput`` for an arm that may come to need vectors that cannot be
    made.
    """
    # The search gives a weight to parts that have none yet.
    weighed = {
        name: {field: 1.0 for field in make_arm(name).parameters if field.startswith("weight_")}
        for name in plan.arms
    }
    interactions = build_measured(plan.arms, plan, arms=weighed)
    return tune_arms(plan, interactions, budget=budget, predictor=predictor, progress=progress)


def tune_arms(
    plan: Plan,
    interactions: Interactions,
    *,
    budget: Budget,
    predictor: bool = False,
    progress: Progress = lambda step: None,
) -> Tuning:
    """Successive halving for the parameters of each of the plan's arms by nDCG, those that are made of
    others last and over what was found for their parts; and of the rating predictor by RMSE.

    The protocol parts the ratings twice: what it holds back first is the test part, which nothing looks
    at until all searches are over; what it holds back of the rest is the validation slice. Of several
    splits the first is taken. Without ``budget.minutes`` the same seed finds the same, unless the clock
    chooses otherwise what grows (``Bench.choose_growth``). Raises ``Conflict`` when there is nothing to
    measure, ``InvalidInput`` for an arm without parameters, parameters that cannot be fitted and a ``k``
    over the catalogue.
    """
    bare = [name for name in plan.arms if not make_arm(name).parameters]
    if bare:
        raise InvalidInput(f"The arm {bare[0]!r} has no parameters to tune.")
    if is_drill(plan):
        raise InvalidInput("This recipe shuffles what it learns from: there is nothing to tune it for.")
    require_measurable(plan, interactions)
    interactions = without_rotation(interactions)
    rng = np.random.default_rng(plan.seed)
    outer = next(part_ratings(plan, interactions, rng))
    inner = next(part_ratings(plan, outer.learned, rng))
    searches = _Searches(plan, inner, budget, progress)
    try:
        with training_cores():
            found = searches.run(predictor=predictor)
            progress("the part held back")
            final = HeldBack(plan, outer, searches.parameters)
            arms = tuple(final.arm(one) for one in found if one.name != PREDICTOR)
            predicted = [final.predictor(one) for one in found if one.name == PREDICTOR]
    except InvalidParameter as error:
        raise InvalidInput(f"These parameters cannot be fitted: {error}") from error
    return Tuning(
        plan=plan,
        n_ratings=int(interactions.explicit.ratings.nnz),
        arms=arms,
        predictor=predicted[0] if predicted else None,
        parameters=searches.parameters,
    )


class _Searches:
    """One search after the other on the validation slice. ``parameters`` grow by what each found."""

    def __init__(self, plan: Plan, split: Split, budget: Budget, progress: Progress) -> None:
        self.plan, self.split, self.budget, self.progress = plan, split, budget, progress
        self.parameters: dict[str, Parameters] = dict(plan.parameters)
        self._ends_at = time.monotonic() + 60 * budget.minutes if budget.minutes else None

    def run(self, *, predictor: bool) -> list[Searched]:
        # In registry order an arm comes after those that it is made of.
        names = [name for name in ARMS if name in self.plan.arms] + ([PREDICTOR] if predictor else [])
        found = []
        for number, name in enumerate(names):
            slot = self._slot(len(names) - number)
            one = search_parameters(self._bench(name), self.budget.n_trials, slot, self.progress)
            if one.is_changed:
                self.parameters[name] = one.best.configuration
            found.append(one)
        return found

    def _slot(self, n_left: int) -> float | None:
        """Seconds of the next search: what is left, shared equally."""
        return None if self._ends_at is None else max(self._ends_at - time.monotonic(), 0.0) / n_left

    def _bench(self, name: str) -> Bench[Any]:
        arms, predicting, _ = split_parameters(self.parameters)
        if name == PREDICTOR:
            return PredictorBench(self.plan, self.split, predicting)
        return ArmBench(name, self.plan, self.split, arms)


class HeldBack:
    """The part that no search saw, measured with the plan's parameters and with those found."""

    def __init__(self, plan: Plan, split: Split, parameters: Mapping[str, Parameters]) -> None:
        self.plan, self.split = plan, split
        self.given = (dict(plan.parameters), parameters)
        self.facts = film_facts(split.train)

    def arm(self, searched: Searched) -> TunedArm:
        before, after = self._both(searched.name)
        # The same resamples for every arm, so that no figure hangs on what else was tuned.
        change = compare(before, after, np.random.default_rng(self.plan.seed))
        return TunedArm(searched, before, after, change)

    def predictor(self, searched: Searched) -> TunedPredictor:
        errors = [
            prediction_errors(
                RatingPredictor(**split_parameters(given).predictor).fit(self.split.learned),
                self.split.known,
                self.split.test,
            )
            for given in map(dict, self.given)
        ]
        change = compare_predictions(errors[0], errors[1], np.random.default_rng(self.plan.seed))
        return TunedPredictor(searched, accuracy(errors[0]), accuracy(errors[1]), change)

    def _both(self, name: str) -> tuple[Report, Report]:
        before, after = ({part: dict(one.get(part, {})) for part in ARMS} for one in self.given)
        first = self._report(name, before)
        parts: Collection[str] = {*with_needs([name], before), *with_needs([name], after)}
        return first, first if all(before[one] == after[one] for one in parts) else self._report(name, after)

    def _report(self, name: str, given: Mapping[str, Parameters]) -> Report:
        rng = np.random.default_rng(self.plan.seed)
        arm = fit_arms([name], self.split.learned, rng, parameters=given)[name]
        measured = measure(
            ArmLists(arm),
            self.split.known,
            self.split.test,
            self.facts,
            k=self.plan.k,
            relevant=self.plan.relevant,
        )
        return report([measured])
