"""What a configuration is tried on: one split, at a share of its cost."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Generic, Literal, TypeVar

import numpy as np

from apps.algorithms.arms.parameters import Settings, near_settings
from apps.algorithms.base import InvalidParameter, Recommender
from apps.algorithms.evaluation import (
    ArmLists,
    FilmFacts,
    film_facts,
    ndcg_by_viewer,
    prediction_errors,
    relevant_films,
)
from apps.algorithms.prediction import PredictorSettings, RatingPredictor
from apps.algorithms.registry import ARMS, fit_arms, make_arm
from apps.algorithms.splitting import Split, take_people
from apps.algorithms.tuning import ETA, rung_shares
from apps.algorithms.types import Float64, Int64, Interactions, Parameters
from apps.training.parameters import PREDICTOR
from apps.training.services.evaluating import Plan

Growth = Literal["measured", "fitted", "nothing"]
"""What grows from rung to rung: the people measured, or those fitted on."""

LEAST_PEOPLE = 200
"""Of a rung. On the demo's ratings 72 order configurations by chance, 216 nearly as all people do."""
WORTH_WHILE = 0.8
"""Halving costs at most so much of a random search over as many configurations, or is not done: a rung on
fewer people orders them a little wrongly."""

Fitted = TypeVar("Fitted")


class Bench(ABC, Generic[Fitted]):
    """Measures configurations of ``name`` on one split, the higher the better.

    The people of a share are drawn once, so that all configurations meet the same ones and those of a
    smaller share are among those of a larger, and not measured again there. ``fit_seconds`` and
    ``measure_seconds`` are those of the configuration that was measured last.
    """

    settings_class: type[Settings]
    start: Parameters
    stands_alone = True

    def __init__(self, name: str, plan: Plan, split: Split, people: Sequence[int]) -> None:
        self.name, self.plan, self.split = name, plan, split
        rng = np.random.default_rng(plan.seed)
        rated = np.flatnonzero(np.diff(split.train.ratings.indptr)).astype(np.int64)
        self._people: Int64 = rng.permutation(np.asarray(people, dtype=np.int64))
        self._rows: Int64 = rng.permutation(rated)
        self._known: dict[tuple[Any, ...], Float64] = {}
        self._trains: dict[float, Interactions] = {1.0: split.learned}
        self.fit_seconds = self.measure_seconds = 0.0
        self.grows: Growth = "nothing"
        self._fixed_seconds: float | None = None

    def n_people(self, share: float) -> int:
        """How many people a rung of that share fits on if that grows, else how many it measures."""
        return round(len(self._rows if self.grows == "fitted" else self._people) * share)

    @property
    def shares(self) -> tuple[float, ...]:
        """Of the rungs, ascending, the last 1."""
        return self._shares(self.grows)

    def draw(self, centre: Parameters, factor: float, rng: np.random.Generator) -> Parameters:
        return near_settings(self.settings_class, centre, rng, factor)

    def measure(self, parameters: Parameters, share: float) -> float | None:
        """None for parameters that cannot be fitted, and without anybody to measure."""
        fitted_share = share if self.grows == "fitted" else 1.0
        n_measured = len(self._people) if self.grows == "fitted" else self.n_people(share)
        key = (*sorted(parameters.items()), fitted_share)
        known = self._known.get(key, np.empty((0, 2)))
        if len(known) < n_measured:
            try:
                more = self._measured(parameters, fitted_share, self._people[len(known) : n_measured])
            except InvalidParameter:
                return None  # such as a blend without any weight
            known = np.concatenate([known, more])
            # Of what no larger share builds on a number would be kept for each person and configuration.
            if self.grows == "measured" or parameters == self.start:
                self._known[key] = known
        sums = known[:n_measured].sum(axis=0)
        return self._value(float(sums[0] / sums[1])) if sums[1] else None

    def choose_growth(self) -> None:
        """Whatever makes halving cheapest, by the seconds that ``start`` took, which was measured in full.

        With nothing to save, nothing grows, and a search is random over one rung.
        """
        self.grows = "nothing"
        if self.stands_alone and self.fit_seconds > self.measure_seconds:
            self._time_fits()
        growths: tuple[Growth, ...] = ("nothing", "measured")
        if self._fixed_seconds is not None:
            growths += ("fitted",)
        costs = {growth: _halving_cost(self.costs(growth)) for growth in growths}
        cheapest = min(growths, key=lambda growth: costs[growth])
        self.grows = cheapest if costs[cheapest] <= WORTH_WHILE * costs["nothing"] else "nothing"

    def costs(self, growth: Growth | None = None) -> tuple[float, ...]:
        """Seconds of a configuration by rung, if ``growth`` is what grows; None for what does."""
        grows = growth or self.grows
        shares = self._shares(grows)
        if grows == "fitted":
            fixed = self._fixed_seconds or 0.0
            growing = self.fit_seconds - fixed
            return tuple(fixed + growing * share + self.measure_seconds for share in shares)
        return tuple(
            self.fit_seconds + self.measure_seconds * (share - known)
            for known, share in pairwise((0.0, *shares))
        )

    def _time_fits(self) -> None:
        """How long a fit takes however few the people are: on some catalogues, nearly as long as on all."""
        share = self._shares("fitted")[0]
        if share == 1:
            return
        seconds = []
        # The whole anew: the first fit of a process may take longer than others will.
        for part in (1.0, share):
            train = self._train(part)
            began = time.perf_counter()
            self._fit(self.start, train)
            seconds.append(time.perf_counter() - began)
        self.fit_seconds = min(self.fit_seconds, seconds[0])
        self._fixed_seconds = max(seconds[1] - self.fit_seconds * share, 0.0) / (1 - share)

    def _shares(self, growth: Growth) -> tuple[float, ...]:
        whole = {"fitted": len(self._rows), "measured": len(self._people), "nothing": 0}[growth]
        return rung_shares(whole, least=LEAST_PEOPLE)

    def _measured(self, parameters: Parameters, fitted_share: float, people: Int64) -> Float64:
        train = self._train(fitted_share)
        self._prepare(parameters)
        began = time.perf_counter()
        fitted = self._fit(parameters, train)
        done = time.perf_counter()
        values = self._values(fitted, people)
        self.fit_seconds, self.measure_seconds = done - began, time.perf_counter() - done
        return values

    def _train(self, share: float) -> Interactions:
        if share not in self._trains:
            rows = self._rows[: round(len(self._rows) * share)]
            self._trains[share] = take_people(self.split.learned, rows)
        return self._trains[share]

    def _prepare(self, parameters: Parameters) -> None:
        """Whatever is fitted once for several configurations."""

    @abstractmethod
    def _fit(self, parameters: Parameters, train: Interactions) -> Fitted:
        """Raises ``InvalidParameter``."""

    @abstractmethod
    def _values(self, fitted: Fitted, people: Int64) -> Float64:
        """A sum and a number for each of ``people``, float64 ``(len(people), 2)``; only totals are used."""

    def _value(self, mean: float) -> float:
        """What is to be high, of sum over number of all people."""
        return mean


class ArmBench(Bench[Recommender]):
    """An arm by nDCG. One that is made of others is tried over parts with the parameters of ``given``."""

    def __init__(self, name: str, plan: Plan, split: Split, given: Mapping[str, Parameters]) -> None:
        self.facts: FilmFacts = film_facts(split.train)
        self._wanted = relevant_films(split.known, split.test, self.facts, plan.relevant)
        super().__init__(name, plan, split, list(self._wanted))
        self.settings_class = ARMS[name].settings_class
        arm = make_arm(name, given.get(name))
        self.start, self.stands_alone = arm.parameters, not arm.needs
        self._given = {part: parameters for part, parameters in given.items() if part != name}
        self._parts: dict[str, Recommender] = {}

    def _prepare(self, parameters: Parameters) -> None:
        # A weight of 0 spares a part, so which are needed is only known as they are tried.
        missing = [name for name in ARMS[self.name](**parameters).needs if name not in self._parts]
        if missing:
            rng = np.random.default_rng(self.plan.seed)
            self._parts |= fit_arms(missing, self.split.learned, rng, parameters=self._given)

    def _fit(self, parameters: Parameters, train: Interactions) -> Recommender:
        rng = np.random.default_rng(self.plan.seed)
        if self.stands_alone:
            return fit_arms([self.name], train, rng, parameters={self.name: parameters})[self.name]
        return ARMS[self.name](**parameters).link(self._parts).learn(train, rng)

    def _values(self, fitted: Recommender, people: Int64) -> Float64:
        wanted = {user: self._wanted[user] for user in people.tolist()}
        values = ndcg_by_viewer(ArmLists(fitted), self.split.known, wanted, self.facts, k=self.plan.k)
        return np.column_stack([values, np.ones(len(values))])


class PredictorBench(Bench[RatingPredictor]):
    """The rating predictor by its RMSE, less being better."""

    settings_class = PredictorSettings

    def __init__(self, plan: Plan, split: Split, given: Parameters) -> None:
        held_back = np.flatnonzero(np.diff(split.test.ratings.indptr))
        super().__init__(PREDICTOR, plan, split, held_back.tolist())
        self.start = RatingPredictor(**given).parameters

    def _fit(self, parameters: Parameters, train: Interactions) -> RatingPredictor:
        return RatingPredictor(**parameters).fit(train)

    def _values(self, fitted: RatingPredictor, people: Int64) -> Float64:
        errors = prediction_errors(fitted, self.split.known, self.split.test, people.tolist())
        return np.array([[float(one @ one), len(one)] for one in errors]).reshape(-1, 2)

    def _value(self, mean: float) -> float:
        return -float(np.sqrt(mean))


def _halving_cost(costs: Sequence[float]) -> float:
    """Seconds for each configuration that a search begins with; ``costs`` are those by rung."""
    return sum(cost / float(ETA**rung) for rung, cost in enumerate(costs))
