"""Parameters of one arm, searched for on a slice of the training part."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from apps.algorithms.arms.learned import ConfiguredArm
from apps.algorithms.arms.parameters import near_settings
from apps.algorithms.base import InvalidParameter, Recommender
from apps.algorithms.evaluation import (
    ArmLists,
    Difference,
    FilmFacts,
    Report,
    compare,
    film_facts,
    measure,
    report,
)
from apps.algorithms.registry import ARMS, fit_arms, make_arm
from apps.algorithms.splitting import Split
from apps.algorithms.types import Interactions, Parameters
from apps.core.errors import Conflict, InvalidInput
from apps.training.datasets import build_measured_interactions
from apps.training.services.evaluating import NOTHING_TO_MEASURE, Plan, part_ratings, require_measurable

WIDE, NARROW = 4.0, 1.5
WIDE_SHARE = 0.6
"""Of the trials are drawn around where the search began, the others closer around the best so far."""


@dataclass(frozen=True)
class Trial:
    """``ndcg`` is that of the validation slice."""

    parameters: Parameters
    ndcg: float


@dataclass(frozen=True)
class Tuned:
    """``trials`` in order, the first with the parameters that the search began with.

    ``before`` and ``after`` are measured on the part that the search never saw, fitted on all the rest;
    ``difference`` is after less before.
    """

    arm: str
    plan: Plan
    trials: tuple[Trial, ...]
    best: Trial
    before: Report
    after: Report
    difference: Difference | None


def tune_catalogue(
    plan: Plan, *, n_trials: int, progress: Callable[[str], None] = lambda step: None
) -> Tuned:
    """Tunes on all ratings of the database.

    Raises as ``tune_arm``, and ``InvalidInput`` for an arm that may come to need vectors that cannot be made.
    """
    (name,) = plan.arms
    # The search gives a weight to parts that have none yet.
    weighed = {field: 1.0 for field in make_arm(name).parameters if field.startswith("weight_")}
    interactions = build_measured_interactions([name], {name: weighed})
    return tune_arm(plan, interactions, n_trials=n_trials, progress=progress)


def tune_arm(
    plan: Plan,
    interactions: Interactions,
    *,
    n_trials: int,
    progress: Callable[[str], None] = lambda step: None,
) -> Tuned:
    """Random search for the parameters of the plan's one arm, by nDCG.

    The protocol parts the ratings twice: what it holds back first is the test part, which nothing looks
    at until the search is over; what it holds back of the rest is the validation slice. An arm that is
    made of others is tuned over parts that are fitted once. Of several splits the first is taken.
    Raises ``Conflict`` when there is nothing to measure, ``InvalidInput`` for an arm without parameters and
    a ``k`` over the catalogue.
    """
    (name,) = plan.arms
    if not make_arm(name).parameters:
        raise InvalidInput(f"The arm {name!r} has no parameters to tune.")
    require_measurable(plan, interactions)
    rng = np.random.default_rng(plan.seed)
    outer = next(part_ratings(plan, interactions, rng))
    inner = next(part_ratings(plan, outer.train, rng))
    with threadpool_limits(os.cpu_count()):
        trials = _search(_Bench(plan, inner), n_trials, rng, progress)
        best = max(trials, key=lambda trial: trial.ndcg)
        progress("the part held back")
        final = _Bench(plan, outer)
        before, after = final.measure(trials[0].parameters), final.measure(best.parameters)
    return Tuned(
        arm=name,
        plan=plan,
        trials=tuple(trials),
        best=best,
        before=before,
        after=after,
        difference=compare(before, after, rng),
    )


class _Bench:
    """One split on which parameters are tried."""

    def __init__(self, plan: Plan, split: Split) -> None:
        (self.name,) = plan.arms
        self.plan, self.split = plan, split
        self.facts: FilmFacts = film_facts(split.train)
        self.given: Mapping[str, Parameters] = {
            name: given for name, given in plan.parameters.items() if name in ARMS
        }
        self._parts: dict[str, Recommender] = {}

    def measure(self, parameters: Parameters) -> Report:
        plan, split = self.plan, self.split
        arm = self._fitted(parameters)
        return report(
            [measure(ArmLists(arm), split.known, split.test, self.facts, k=plan.k, relevant=plan.relevant)]
        )

    def _fitted(self, parameters: Parameters) -> Recommender:
        arm: ConfiguredArm = ARMS[self.name](**parameters)
        rng = np.random.default_rng(self.plan.seed)
        if not arm.needs:
            return fit_arms([self.name], self.split.train, rng, parameters={self.name: parameters})[self.name]
        # A weight of 0 spares a part, so which are needed is only known as they are tried.
        missing = [name for name in arm.needs if name not in self._parts]
        self._parts |= fit_arms(missing, self.split.train, rng, parameters=self.given)
        return arm.link(self._parts).learn(self.split.train, rng)


def _search(
    bench: _Bench, n_trials: int, rng: np.random.Generator, progress: Callable[[str], None]
) -> list[Trial]:
    start: Parameters = make_arm(bench.name, bench.given.get(bench.name)).parameters
    first = bench.measure(start).ndcg
    if first is None:
        raise Conflict(NOTHING_TO_MEASURE)
    trials = [Trial(start, first.value)]
    for number in range(1, n_trials + 1):
        best = max(trials, key=lambda trial: trial.ndcg)
        progress(f"trial {number} of {n_trials}, nDCG {best.ndcg:.4f}")
        is_wide = number <= n_trials * WIDE_SHARE
        parameters = near_settings(
            ARMS[bench.name].settings_class,
            start if is_wide else best.parameters,
            rng,
            WIDE if is_wide else NARROW,
        )
        try:
            found = bench.measure(parameters).ndcg
        except InvalidParameter:
            continue  # such as a blend without any weight
        trials.append(Trial(parameters, found.value if found else 0.0))
    return trials
