"""Experiments of simulated traffic, judged every day: what ``verdicts.py`` counts."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from apps.algorithms.types import Float64
from apps.experiments.assigning import Targeting
from apps.experiments.contributions import PARTS
from apps.experiments.figures import Figures
from apps.experiments.judging import judge
from apps.experiments.metrics import default_guardrails
from apps.experiments.plans import Plan, PlannedVariant
from apps.experiments.ramping import WHOLE

DAYS = 30
OUTCOMES = ("ship", "keep_control", "roll_back", "unhealthy")
NAMES = ("control", "one", "two")
Days = dict[str, int]
"""On which day, from 1, each of ``OUTCOMES`` was said first."""


@dataclass(frozen=True)
class Traffic:
    """``lift`` is what treatments add to every click rate, ``fall`` what they take from that, from the long
    tail, novelty and genres, both relative.
    """

    a_day: int = 40
    comes_back: float = 0.25
    one_film: bool = False
    lift: float = 0.0
    fall: float = 0.0


def plan_of(test: str, n_variants: int, traffic: Traffic) -> Plan:
    names = NAMES[:n_variants]
    guardrails = default_guardrails()
    del guardrails["latency_p95"]
    variants = tuple(
        PlannedVariant(name, 1 / n_variants, is_control=number == 0, strategy=None, recipe=None)
        for number, name in enumerate(names)
    )
    return Plan(
        kind="strategy",
        range_start=0.0,
        range_end=1.0,
        targeting=Targeting(),
        variants=variants,
        goals=("ctr", "clicked_units"),
        guardrails=guardrails,
        min_effect=0.05,
        alpha=0.05,
        power=0.8,
        test=test,
        horizon_days=DAYS,
        steps=WHOLE,
        only_differing=False,
        dry_run=False,
        planned_units=float(DAYS * traffic.a_day * n_variants),
    )


class Units:
    """What units have come to, and in which variant they are."""

    def __init__(self, rng: np.random.Generator, n_variants: int, traffic: Traffic) -> None:
        self._rng, self._traffic = rng, traffic
        n = DAYS * traffic.a_day * n_variants
        self._first = np.repeat(np.arange(DAYS), traffic.a_day * n_variants)
        self.variant = rng.integers(0, n_variants, n)
        self.names = NAMES[:n_variants]
        treated = self.variant > 0
        left = np.where(treated, 1 - traffic.fall, 1.0)
        rates = np.full(n, 0.1) if traffic.one_film else rng.beta(1, 9, n)
        self._clicks = np.minimum(rates * np.where(treated, 1 + traffic.lift, 1.0) * left, 1.0)
        self._tail = rng.beta(3, 7, n) * left
        self._bits = np.maximum(rng.normal(8, 1.5, n), 0) * left
        self._kinds = np.maximum(rng.normal(5, 1, n), 1) * left
        names = "lists shown clicks rated stars long_tail novelty genres degraded empty".split()
        self._sums: dict[str, Float64] = {name: np.zeros(n) for name in names}

    def live(self, day: int) -> None:
        """A day more of everybody."""
        rng, traffic, sums = self._rng, self._traffic, self._sums
        back = rng.random(len(self._first)) < traffic.comes_back
        who = np.flatnonzero((self._first == day) | ((self._first < day) & back))
        lists = np.ones(len(who), dtype=np.int64) if traffic.one_film else rng.geometric(0.5, len(who))
        shown = lists * (1 if traffic.one_film else 12)
        clicks = rng.binomial(shown, self._clicks[who])
        rated = rng.binomial(clicks, 0.15)
        brought = {
            "lists": lists,
            "shown": shown,
            "clicks": clicks,
            "rated": rated,
            "stars": np.round(2 * (3.5 * rated + rng.normal(0, 1, len(who)) * np.sqrt(rated))) / 2,
            "long_tail": rng.binomial(shown, self._tail[who]),
            "novelty": lists * self._bits[who],
            "genres": lists * self._kinds[who],
            "degraded": rng.binomial(lists, 0.002),
            "empty": rng.binomial(lists, 0.001),
        }
        for name, values in brought.items():
            sums[name][who] += values

    def metrics(self, day: int) -> dict[str, dict[str, tuple[float, ...]]]:
        sums, seen = self._sums, self._first <= day
        one = np.ones(len(seen))
        of = {
            "ctr": (sums["clicks"], sums["shown"]),
            "clicked_units": ((sums["clicks"] > 0).astype(np.float64), one),
            "clicked_rating": (sums["stars"], sums["rated"]),
            "long_tail_rate": (sums["long_tail"], sums["shown"]),
            "novelty": (sums["novelty"], sums["lists"]),
            "genres_per_list": (sums["genres"], sums["lists"]),
            "fallback_rate": (sums["degraded"], sums["lists"]),
            "empty_rate": (sums["empty"], sums["lists"]),
        }
        return {metric: self._parts(top[seen], bottom[seen], seen) for metric, (top, bottom) in of.items()}

    def _parts(self, top: Float64, bottom: Float64, seen: np.ndarray) -> dict[str, tuple[float, ...]]:
        columns = (np.ones(len(top)), top, top**2, bottom, bottom**2, top * bottom)
        labels, k = self.variant[seen], len(self.names)
        summed = np.zeros((k, len(PARTS)))
        for number, column in enumerate(columns):
            summed[:, number] = np.bincount(labels, weights=column, minlength=k)
        return {name: tuple(row.tolist()) for name, row in zip(self.names, summed, strict=True)}


def judged(plan: Plan, traffic: Traffic, seed: int) -> Days:
    """What the rule says on thirty days, of one experiment. It goes on unless it is rolled back."""
    units = Units(np.random.default_rng(seed), len(plan.variants), traffic)
    looks: list[dict[str, dict[str, tuple[float, ...]]]] = []
    said: Days = {}
    for day in range(DAYS):
        units.live(day)
        metrics = units.metrics(day)
        looks.append({name: metrics[name] for name in plan.goals})
        figures = Figures(metrics, tuple(looks), {}, float(day + 1), plan.planned_units)
        said.setdefault(judge(plan, figures).outcome, day + 1)
        if "roll_back" in said:
            break
    return said


def _shares(pool: ProcessPoolExecutor, tests: int, plan: Plan, traffic: Traffic) -> tuple[list[Days], str]:
    found = list(pool.map(partial(judged, plan, traffic), range(tests), chunksize=10))
    return found, " | ".join(f"{_share(found, outcome):.1%}" for outcome in OUTCOMES)


def _share(found: list[Days], *outcomes: str, by: int = DAYS) -> float:
    return sum(any(one.get(name, DAYS + 1) <= by for name in outcomes) for one in found) / len(found)


def _met(condition: bool) -> str:
    return "met" if condition else "missed"


def _header(first: str) -> Iterator[str]:
    names = (first, "test", "variants", *OUTCOMES, "marks")
    yield f"| {' | '.join(name.replace('_', ' ') for name in names)} |"
    yield f"|{'---|' * len(names)}"


SMALL = Traffic(a_day=10)


def nothing(pool: ProcessPoolExecutor, tests: int) -> Iterator[str]:
    yield from _header("no effect")
    settings = [(test, n, Traffic()) for test in ("planned", "any_time") for n in (2, 3)]
    for test, n_variants, traffic in [*settings, ("planned", 2, SMALL), ("any_time", 2, SMALL)]:
        found, shares = _shares(pool, tests, plan_of(test, n_variants, traffic), traffic)
        told, back = _share(found, "ship", "keep_control"), _share(found, "roll_back")
        marks = f"told {told:.1%} ≤ 6 %: {_met(told <= 0.06)}, rolled back ≤ 5 %: {_met(back <= 0.05)}"
        name = f"{traffic.a_day} a variant and day, who return"
        yield f"| {name} | {test} | {n_variants} | {shares} | {marks} |"


def effect(pool: ProcessPoolExecutor, tests: int) -> Iterator[str]:
    yield from _header("10 %, +15 %")
    traffic = Traffic(a_day=200, comes_back=0.0, one_film=True, lift=0.15)
    for test, least in (("planned", 0.70), ("any_time", 0.44)):
        found, shares = _shares(pool, tests, plan_of(test, 2, traffic), traffic)
        mark = f"ships ≥ {least:.0%}: {_met(_share(found, 'ship') >= least)}"
        yield f"| 200 a variant and day, once | {test} | 2 | {shares} | {mark} |"


def harm(pool: ProcessPoolExecutor, tests: int) -> Iterator[str]:
    yield from _header("guardrails -25 %")
    traffic = Traffic(a_day=100, fall=0.25)
    for test in ("planned", "any_time"):
        found, shares = _shares(pool, tests, plan_of(test, 2, traffic), traffic)
        early = _share(found, "roll_back", by=7)
        mark = f"by day 7 {early:.1%} ≥ 99 %: {_met(early >= 0.99)}"
        yield f"| {traffic.a_day} a variant and day, who return | {test} | 2 | {shares} | {mark} |"


PARTS_OF_RUN = {"nothing": nothing, "effect": effect, "harm": harm}
