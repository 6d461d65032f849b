"""What the bandit earns of a simulated public, beside simpler ways; and how quick it is.

    python benchmarks/bandit.py [--seeds 6] [--only regret slates equal speed] [--publics reference]
        [--requests 20000]

All traffic is simulated (apps/algorithms/simulation.py). Regret is what is missed of always serving the best
arm of the moment; it is given relative to plain Thompson sampling, with a Beta(1, 1) of its own for each
context and arm, which counts films shown and successes in the same way. Prints Markdown, with each mark
met or missed.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from apps.algorithms.bandits.propensity import rank_probabilities
from apps.algorithms.bandits.state import BanditState
from apps.algorithms.bandits.thompson import Beliefs, ThompsonSampler
from apps.algorithms.context import N_CONTEXTS
from apps.algorithms.drafting import draw_owners
from apps.algorithms.simulation import (
    EQUAL_ARMS,
    NO_STRUCTURE,
    REFERENCE,
    Learner,
    Public,
    Tastes,
    play,
)
from apps.algorithms.types import Float64

N_ARMS = REFERENCE.n_arms
ARMS = tuple("abcdef")
REFRESH = 50
"""Requests between two looks at the state: what a busy site serves within the two seconds of its cache."""
N_SLOTS = 12
SLATE = replace(REFERENCE, examined=tuple(1 / (1 + 0.25 * slot) for slot in range(N_SLOTS)))
HORIZONS = {5_000: 0.45, 20_000: 0.38, 60_000: 0.55}


class PlainBeta:
    """Beta(1, 1) for each context and arm, nothing shared."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._shown, self._successes = np.zeros((N_CONTEXTS, N_ARMS)), np.zeros((N_CONTEXTS, N_ARMS))

    def choose(self, request: int, context: int) -> Sequence[int]:
        successes = self._successes[context]
        arm = int(np.argmax(self._rng.beta(1 + successes, 1 + self._shown[context] - successes)))
        self._shown[context, arm] += 1
        return (arm,)

    def reward(self, request: int, context: int, arm: int) -> None:
        self._successes[context, arm] += 1


class Unlogged(Beliefs):
    """Draws the same, without the propensities: working them out takes most of a run, and none is read."""

    def rank_propensities(self, context: int) -> Float64:
        return np.zeros((N_ARMS, N_ARMS))


class Bandit:
    """The sampler as a site runs it: counts at once, beliefs a little old. ``k`` arms share a slate."""

    def __init__(
        self, seed: int, k: int = 1, n_slots: int = 1, sampler: ThompsonSampler | None = None
    ) -> None:
        self._rng = np.random.default_rng(seed)
        self._sampler = sampler or ThompsonSampler(ARMS)
        self._k, self._n_slots = k, n_slots
        self._shown, self._successes = np.zeros((N_CONTEXTS, N_ARMS)), np.zeros((N_CONTEXTS, N_ARMS))
        self._first = np.zeros(N_ARMS)
        self._beliefs = self._look(1.0)

    def choose(self, request: int, context: int) -> Sequence[int]:
        weight = self._sampler.weight(request)
        if request % REFRESH == 0:
            self._beliefs = self._look(weight)
        drawn = self._beliefs.select(context, self._k, self._rng)
        self._first[drawn.arms[0]] += 1
        owners = draw_owners(self._k, self._n_slots, self._rng)
        arms: list[int] = drawn.arms[owners].tolist()
        np.add.at(self._shown[context], arms, weight)
        return arms

    def reward(self, request: int, context: int, arm: int) -> None:
        self._successes[context, arm] += self._sampler.weight(request)

    def _look(self, unit: float) -> Beliefs:
        state = BanditState(self._shown.copy(), self._successes.copy(), self._first.copy(), unit=unit)
        return Unlogged(self._sampler, state)


class Even:
    """A slate whose slots belong to these arms with equal chances, whatever is said."""

    def __init__(self, seed: int, arms: Sequence[int], n_slots: int = 1) -> None:
        self._rng, self._arms, self._n_slots = np.random.default_rng(seed), np.asarray(arms), n_slots

    def choose(self, request: int, context: int) -> Sequence[int]:
        chosen: list[int] = self._rng.choice(self._arms, size=self._n_slots).tolist()
        return chosen

    def reward(self, request: int, context: int, arm: int) -> None:
        """Learns nothing."""


@dataclass(frozen=True)
class Run:
    """One public served by one learner; ``until`` are the horizons to look at."""

    name: str
    tastes: Tastes
    n_requests: int
    seed: int

    def public(self) -> Public:
        return Public(self.tastes, self.n_requests, np.random.default_rng(self.seed))


@dataclass(frozen=True)
class Outcome:
    """``regret`` summed, ``reward`` a request, ``best_fixed`` that of the best arm for all, ``even`` of all
    arms with equal weights; ``largest`` an arm's share of the first slots.
    """

    regret: float
    reward: float
    best_fixed: float
    even: float
    largest: float


LEARNERS: dict[str, Callable[[int], Learner]] = {
    "plain Beta": PlainBeta,
    "bandit": Bandit,
    "bandit without exploration": lambda seed: Bandit(seed, sampler=ThompsonSampler(ARMS, explore=0)),
    "bandit, low draws counting": lambda seed: Bandit(seed, sampler=ThompsonSampler(ARMS, optimistic=False)),
}


def outcome(run: Run) -> Outcome:
    public = run.public()
    record = play(public, LEARNERS[run.name](run.seed + 1_000))
    rates = public.probabilities.mean(axis=0)
    counts = np.bincount(record.chosen[:, 0], minlength=N_ARMS)
    return Outcome(
        regret=record.regret(),
        reward=record.reward(),
        best_fixed=float(rates.max()),
        even=float(rates.mean()),
        largest=float(counts.max() / counts.sum()),
    )


def _all(pool: ProcessPoolExecutor, name: str, tastes: Tastes, n_requests: int, seeds: int) -> list[Outcome]:
    return list(pool.map(outcome, [Run(name, tastes, n_requests, seed) for seed in range(seeds)]))


PUBLICS = {"reference": REFERENCE, "no-structure": NO_STRUCTURE}


def regrets(
    pool: ProcessPoolExecutor, seeds: int, publics: Sequence[str], horizons: Sequence[int]
) -> Iterator[str]:
    yield from _header(
        "public",
        "requests",
        "policy",
        "regret, of plain Beta's",
        "reward, of fixed weights'",
        "reward, of the best fixed arm's",
        "regret by public",
        "marks",
    )
    for title in publics:
        tastes = PUBLICS[title]
        for n_requests in horizons:
            plain = _all(pool, "plain Beta", tastes, n_requests, seeds)
            for name in list(LEARNERS)[1:]:
                found = _all(pool, name, tastes, n_requests, seeds)
                regret = sum(one.regret for one in found) / sum(one.regret for one in plain)
                error, lowest, highest = _spread(found, plain, regret)
                even = sum(one.reward for one in found) / sum(one.even for one in found)
                best = sum(one.reward for one in found) / sum(one.best_fixed for one in found)
                limit = HORIZONS[n_requests] if title == "reference" else 1.05
                marks = [f"regret ≤ {limit}: {_met(regret <= limit)}"]
                if title == "reference" and n_requests >= 20_000:
                    marks += [f"≥ 1.15: {_met(even >= 1.15)}", f"≥ 1: {_met(best >= 1)}"]
                yield (
                    f"| {title} | {n_requests:,} | {name} | {regret:.3f} ± {error:.3f} | {even:.2f} "
                    f"| {best:.3f} | {lowest:.2f} to {highest:.2f} | {', '.join(marks)} |"
                )


def _spread(found: Sequence[Outcome], plain: Sequence[Outcome], ratio: float) -> tuple[float, float, float]:
    """Of a ratio of two sums of regret: its standard error by linearisation, and the least and greatest ratio
    of one public.
    """
    ones, others = (np.array([one.regret for one in outcomes]) for outcomes in (found, plain))
    error = (
        (ones - ratio * others).std(ddof=1) * np.sqrt(len(ones)) / others.sum() if len(ones) > 1 else np.nan
    )
    return float(error), float((ones / others).min()), float((ones / others).max())


def equal_arms(pool: ProcessPoolExecutor, seeds: int) -> Iterator[str]:
    yield from _header("equal arms, requests", "largest share of single draws, by seed", "mark ≤ .40")
    for n_requests in (5_000, 20_000):
        shares = [one.largest for one in _all(pool, "bandit", EQUAL_ARMS, n_requests, seeds)]
        said = ", ".join(f"{share:.2f}" for share in shares)
        yield f"| {n_requests:,} | {said} | {_met(max(shares) <= 0.40)} |"


def _slate_rewards(run: Run) -> tuple[float, float, float]:
    public = run.public()
    rates = public.probabilities.mean(axis=0)
    best = np.argsort(-rates)[:3]
    learners: list[Learner] = [
        Bandit(run.seed + 1_000, k=3, n_slots=N_SLOTS),
        Even(run.seed + 1_000, best.tolist(), N_SLOTS),
        Even(run.seed + 1_000, range(N_ARMS), N_SLOTS),
    ]
    bandit, blend, even = (play(public, learner).reward() for learner in learners)
    return bandit, blend, even


def slates(pool: ProcessPoolExecutor, seeds: int) -> Iterator[str]:
    yield from _header(
        f"slates of {N_SLOTS}, requests",
        "bandit, 3 of 6 arms",
        "equal blend of the best three",
        "of all six",
        "bandit, of the best three's",
    )
    for n_requests in (5_000, 20_000):
        runs = [Run("slates", SLATE, n_requests, seed) for seed in range(seeds)]
        bandit, blend, even = np.mean(list(pool.map(_slate_rewards, runs)), axis=0)
        yield f"| {n_requests:,} | {bandit:.3f} | {blend:.3f} | {even:.3f} | {bandit / blend:.3f} |"


def speeds() -> Iterator[str]:
    sampler, rng = ThompsonSampler(ARMS), np.random.default_rng(1)
    trials = rng.poisson(300, (N_CONTEXTS, N_ARMS)).astype(np.float64)
    state = BanditState(
        trials, rng.binomial(trials.astype(np.int64), 0.15).astype(np.float64), np.ones(N_ARMS)
    )
    beliefs = sampler.beliefs(state)
    steps: dict[str, tuple[Callable[[int], object], int]] = {
        "selections of three, the context seen before": (lambda i: beliefs.select(i % 96, 3, rng), 5_000),
        "propensities of a context not seen before": (
            lambda i: rank_probabilities(beliefs.alpha[i % 96], beliefs.beta[i % 96]),
            500,
        ),
        "folds: beliefs of 96 × 6 cells from the counts": (lambda i: Beliefs(sampler, state), 200),
        "updates of a state as a value": (lambda i: sampler.reward(state, i % 96, i % 6, 1), 5_000),
    }
    yield from _header("what", "a second")
    for what, (step, times) in steps.items():
        yield f"| {what} | {_rate(step, times):,.0f} |"


def _header(*names: str) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"


def _rate(step: Callable[[int], object], times: int) -> float:
    step(0)
    began = time.perf_counter()
    for number in range(times):
        step(number)
    return times / (time.perf_counter() - began)


def _met(condition: bool) -> str:
    return "met" if condition else "missed"


def main() -> None:
    parts = ("regret", "equal", "slates", "speed")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=6, help="publics of each kind (default: 6)")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--publics", nargs="+", choices=PUBLICS, default=list(PUBLICS), help="of regret")
    parser.add_argument(
        "--requests", nargs="+", type=int, choices=HORIZONS, default=list(HORIZONS), help="of regret"
    )
    options = parser.parse_args()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        tables = {
            "regret": lambda: regrets(pool, options.seeds, options.publics, options.requests),
            "equal": lambda: equal_arms(pool, options.seeds),
            "slates": lambda: slates(pool, options.seeds),
            "speed": speeds,
        }
        for part in options.only:
            for line in tables[part]():
                print(line, flush=True)
            print()


if __name__ == "__main__":
    main()
