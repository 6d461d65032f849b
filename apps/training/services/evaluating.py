"""Arms measured on ratings held back."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from apps.algorithms.base import InvalidParameter, Recommender
from apps.algorithms.drills import shuffle_films
from apps.algorithms.evaluation import (
    PROTOCOLS,
    Accuracy,
    ArmLists,
    Difference,
    FilmFacts,
    ListMaker,
    Measured,
    Protocol,
    Report,
    RerankedLists,
    accuracy,
    compare,
    film_facts,
    folds_of,
    measure,
    prediction_errors,
    report,
)
from apps.algorithms.prediction import RatingPredictor
from apps.algorithms.registry import ARMS, fit_arms
from apps.algorithms.splitting import Split
from apps.algorithms.traits import FilmTraits, film_traits
from apps.algorithms.types import Float64, Interactions, Parameters
from apps.core.errors import Conflict, InvalidInput
from apps.training.cores import training_cores
from apps.training.datasets import build_measured_interactions
from apps.training.parameters import split_parameters

LOWEST_RELEVANT, HIGHEST_RELEVANT = 0.5, 5.0
NOTHING_TO_MEASURE = (
    "There is nothing to measure: no viewer has a rating to learn from and another one, held back, to find. "
    "More ratings are needed, or another protocol."
)
_FOR_TRAITS = ("als", "hybrid")
_SHARE_ROUNDING = 0.005
Progress = Callable[[str], None]
"""Told what is measured next."""


@dataclass(frozen=True)
class Plan:
    """What is measured and how.

    ``relevant`` is the rating from which on a held-back film counts as a hit, None for any;
    ``parameters`` are a recipe's. Each arm is measured at each of ``diversities``. ``make_plan`` makes one,
    with every refusal.
    """

    arms: tuple[str, ...]
    diversities: tuple[float, ...]
    protocol: Protocol
    test_share: float
    relevant: float | None
    k: int
    seed: int
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """``reports`` by the name of what was measured, an arm or an arm with a diversity; ``differences`` in
    nDCG to ``best``, the one with the highest, by the others; ``prices`` those of an arm with a diversity to
    the same at the plan's first one.

    ``seconds`` holds how long each arm took to fit, with what it is made of, and its lists to make and
    measure; not what re-ranking reads of the films, which is the same for all.
    """

    plan: Plan
    n_users: int
    n_films: int
    n_ratings: int
    reports: Mapping[str, Report]
    seconds: Mapping[str, float]
    best: str
    differences: Mapping[str, Difference | None]
    prices: Mapping[str, Difference | None]
    predictions: Accuracy


def make_plan(
    *,
    arms: Sequence[str] | None = None,
    diversities: Sequence[float] = (0.0,),
    protocol: str = "last",
    test_share: float | None = None,
    relevant: float | str | None = None,
    k: int = 10,
    seed: int = 42,
    parameters: Mapping[str, Any] | None = None,
) -> Plan:
    """A plan in which all names exist. ``relevant`` "any" counts every held-back film; None of an argument
    takes the protocol's own. Raises ``InvalidInput``."""
    if protocol not in PROTOCOLS:
        raise InvalidInput(f"There is no protocol {protocol!r}; the protocols are: {', '.join(PROTOCOLS)}.")
    chosen = PROTOCOLS[protocol]
    unknown = [name for name in arms or () if name not in ARMS]
    if unknown:
        raise InvalidInput(f"There is no arm {unknown[0]!r}; the arms are: {', '.join(ARMS)}.")
    if k < 1:
        raise InvalidInput(f"k must be at least 1, not {k}.")
    if seed < 0:
        raise InvalidInput(f"The seed must be a whole number from 0, not {seed}.")
    wrong = [diversity for diversity in diversities if not 0 <= diversity <= 1]
    if wrong:
        raise InvalidInput(f"Diversity lies between 0 and 1, not at {wrong[0]:g}.")
    return Plan(
        arms=tuple(dict.fromkeys(arms or ARMS)),
        diversities=tuple(dict.fromkeys(diversities)) or (0.0,),
        protocol=chosen,
        test_share=_held_back(chosen, chosen.test_share if test_share is None else test_share),
        relevant=_relevant(chosen.relevant if relevant is None else relevant),
        k=k,
        seed=seed,
        parameters=parameters or {},
    )


def evaluate_catalogue(plan: Plan, *, progress: Progress = lambda step: None) -> Evaluation:
    """Evaluates on all ratings of the database.

    Raises as ``evaluate_arms``, and ``InvalidInput`` for an arm whose vectors cannot be made.
    """
    names = (*plan.arms, *(_FOR_TRAITS if any(plan.diversities) else ()))
    return evaluate_arms(plan, build_measured(names, plan), progress=progress)


def evaluate_arms(
    plan: Plan,
    interactions: Interactions,
    *,
    progress: Progress = lambda step: None,
) -> Evaluation:
    """Fits every arm of the plan on each training part and measures it on the part held back.

    Raises ``Conflict`` when there is nothing to measure, ``InvalidInput`` for parameters that no arm takes
    and a ``k`` over the catalogue.
    """
    require_measurable(plan, interactions)
    interactions = without_rotation(interactions)
    rng = np.random.default_rng(plan.seed)
    state = _State(plan, progress)
    splits = part_ratings(plan, interactions, rng)
    try:
        with training_cores():
            for number, split in enumerate(splits, start=1):
                state.take(split, number)
    except InvalidParameter as error:
        raise InvalidInput(f"These parameters cannot be fitted: {error}") from error
    return state.finish(interactions)


def evaluate_split(plan: Plan, split: Split, facts: FilmFacts) -> Evaluation:
    """Measures the plan's arms on a split that was made before, instead of the plan's own.

    ``facts`` are those of the films to find (``measure``), so that two fits on other ratings are measured on
    the same ones. Raises as ``evaluate_arms``.
    """
    try:
        with training_cores():
            state = _State(plan, lambda step: None)
            state.take(split, 1, facts)
    except InvalidParameter as error:
        raise InvalidInput(f"These parameters cannot be fitted: {error}") from error
    return state.finish(split.known)


def build_measured(
    names: Sequence[str], plan: Plan, *, arms: Mapping[str, Parameters] | None = None
) -> Interactions:
    """What the plan's recipe learns from, to measure ``names`` with; ``arms`` instead of its own parameters.

    Raises ``InvalidInput`` for parameters that are wrong and an arm whose vectors cannot be made.
    """
    try:
        given = split_parameters(dict(plan.parameters))
    except InvalidParameter as error:
        raise InvalidInput(f"These parameters cannot be fitted: {error}") from error
    # What is measured with is what people said, and only what is fitted is shuffled (``part_ratings``).
    data = replace(given.data, shuffled=False)
    return build_measured_interactions(names, given.arms if arms is None else arms, data)


def require_measurable(plan: Plan, interactions: Interactions) -> None:
    """Raises ``Conflict`` without any rating and ``InvalidInput`` for a ``k`` over the catalogue."""
    if interactions.explicit.ratings.nnz == 0:
        raise Conflict("There are no ratings to measure with: load some with manage.py load_movielens demo.")
    if plan.k > interactions.n_items:
        raise InvalidInput(
            f"k must be at most the number of films, which is {interactions.n_items}, not {plan.k}."
        )


def part_ratings(plan: Plan, interactions: Interactions, rng: np.random.Generator) -> Iterator[Split]:
    """The splits of the plan's protocol. Raises ``Conflict`` for ratings too few for it."""
    try:
        splits = plan.protocol.splits(interactions, rng, plan.test_share)
    except ValueError as error:
        raise Conflict(f"These ratings cannot be parted so: {error}.") from error
    if not is_drill(plan):
        return splits
    # A stream of its own, so that a drill is measured on the same splits.
    shuffling = np.random.default_rng(plan.seed)
    return (replace(split, learned=shuffle_films(split.learned, shuffling)) for split in splits)


def is_drill(plan: Plan) -> bool:
    """Whether the plan's recipe shuffles what it learns from."""
    return split_parameters(dict(plan.parameters)).data.shuffled


def without_rotation(interactions: Interactions) -> Interactions:
    """What was shown lately was shown after the ratings that are held back."""
    nothing = np.zeros_like(interactions.features.n_shown)
    return replace(interactions, features=replace(interactions.features, n_shown=nothing))


class _State:
    """What is measured so far, split by split."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self.plan, self.progress = plan, progress
        names = [measured_name(arm, diversity) for arm in plan.arms for diversity in plan.diversities]
        self.measured: dict[str, list[Measured]] = {name: [] for name in names}
        self.seconds = dict.fromkeys(names, 0.0)
        self.errors: list[Float64] = []
        self.arm_parameters, self.predicting, _ = split_parameters(dict(plan.parameters))

    def take(self, split: Split, number: int, facts: FilmFacts | None = None) -> None:
        facts = facts or film_facts(split.train)
        traits = None
        if any(self.plan.diversities):
            self.progress(f"what re-ranking reads, part {number}")
            traits = self._traits(split)
        for name in self.plan.arms:
            self.progress(f"{name}, part {number}")
            self._measure(name, split, facts, traits)
        self.progress(f"predicted ratings, part {number}")
        predictor = RatingPredictor(**self.predicting).fit(split.learned)
        self.errors += prediction_errors(predictor, split.known, split.test)

    def _traits(self, split: Split) -> FilmTraits:
        rng = np.random.default_rng(self.plan.seed)
        arms = fit_arms(_FOR_TRAITS, split.learned, rng, parameters=self.arm_parameters)
        return film_traits(arms, split.learned, rng)

    def _measure(self, name: str, split: Split, facts: FilmFacts, traits: FilmTraits | None) -> None:
        plan = self.plan
        began = time.perf_counter()
        # Anew for each arm, so that no two sets of arrays are held at once.
        rng = np.random.default_rng(plan.seed)
        arm = fit_arms([name], split.learned, rng, parameters=self.arm_parameters)[name]
        fit_seconds = time.perf_counter() - began
        for diversity in plan.diversities:
            row = measured_name(name, diversity)
            self.progress(f"{row}, lists")
            began = time.perf_counter()
            maker = _maker(arm, traits, diversity)
            found = measure(maker, split.known, split.test, facts, k=plan.k, relevant=plan.relevant)
            self.measured[row].append(found)
            self.seconds[row] += fit_seconds + time.perf_counter() - began

    def finish(self, interactions: Interactions) -> Evaluation:
        reports = {name: report(parts) for name, parts in self.measured.items()}
        scored = {name: one.ndcg.value for name, one in reports.items() if one.ndcg is not None}
        if not scored:
            raise Conflict(NOTHING_TO_MEASURE)
        best = max(scored, key=lambda name: scored[name])
        return Evaluation(
            plan=self.plan,
            n_users=interactions.n_users,
            n_films=interactions.n_items,
            n_ratings=int(interactions.explicit.ratings.nnz),
            reports=reports,
            seconds=self.seconds,
            best=best,
            differences={
                name: self._compare(reports[best], one) for name, one in reports.items() if name != best
            },
            prices=self._prices(reports),
            predictions=accuracy(self.errors),
        )

    def _prices(self, reports: Mapping[str, Report]) -> dict[str, Difference | None]:
        first, *others = self.plan.diversities
        return {
            measured_name(arm, diversity): self._compare(
                reports[measured_name(arm, first)], reports[measured_name(arm, diversity)]
            )
            for arm in self.plan.arms
            for diversity in others
        }

    def _compare(self, first: Report, second: Report) -> Difference | None:
        # The same resamples for every pair, so that no figure hangs on what else was measured.
        return compare(first, second, np.random.default_rng(self.plan.seed))


def measured_name(arm: str, diversity: float) -> str:
    """What a report is called: the arm, and its diversity if it has any."""
    return f"{arm} {diversity:g}" if diversity else arm


def _maker(arm: Recommender, traits: FilmTraits | None, diversity: float) -> ListMaker:
    return RerankedLists(arm, traits, diversity) if traits and diversity else ArmLists(arm)


def _held_back(protocol: Protocol, share: float) -> float:
    if not 0 < share < 1:
        raise InvalidInput(f"The share held back must lie between 0 and 1, not {share}.")
    if not protocol.takes_turns:
        return share
    exact = 1 / folds_of(share)
    # A third is written as .33.
    if abs(exact - share) > _SHARE_ROUNDING:
        raise InvalidInput(
            f"{protocol.name} holds back one of n equal parts at a time: the share must be 1/n, such as 0.5, "
            f"0.33, 0.25, 0.2 or 0.1, not {share}."
        )
    return exact


def _relevant(value: float | str | None) -> float | None:
    if value is None or value == "any":
        return None
    try:
        stars = float(value)
    except ValueError:
        stars = float("nan")
    if not LOWEST_RELEVANT <= stars <= HIGHEST_RELEVANT:
        raise InvalidInput(f"A film is relevant from 0.5 to 5 stars on, or always, by any; not {value!r}.")
    return stars
