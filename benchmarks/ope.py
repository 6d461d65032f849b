"""Whether intervals of policies judged from a log hold what they promise, on simulated traffic.

    python benchmarks/ope.py [--repetitions 1000] [--viewers 600]

A bandit's beliefs serve slates to a simulated public (apps/algorithms/simulation.py), whose viewers come back
and differ from each other. From each repetition's log, of other viewers each time, three other policies are
judged in the four ways of apps/algorithms/ope; what they truly earn is known. Prints Markdown: how far off an
estimate is on average, how much it varies, how often its 95 % interval holds the true value, and the
effective sample.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from scipy.special import expit, logit

from apps.algorithms import ope
from apps.algorithms.bandits.state import BanditState
from apps.algorithms.bandits.thompson import Beliefs, ThompsonSampler
from apps.algorithms.context import N_CONTEXTS, Context
from apps.algorithms.drafting import equal_slot_probabilities, slot_propensities
from apps.algorithms.ope import Rows
from apps.algorithms.simulation import REFERENCE, Public
from apps.algorithms.types import Float64, Int64

ARMS = tuple("abcdef")
N_SLOTS, K = 6, 3
TASTES = replace(REFERENCE, examined=tuple(1 / (1 + 0.25 * slot) for slot in range(N_SLOTS)))
N_REQUESTS = 60_000
MEAN_SLATES = 5
VIEWERS_DIFFER = 0.5
"""Standard deviation, on the logit scale, of how much a viewer likes at all."""
ESTIMATORS = {"IPS": ope.ips, "SNIPS": ope.snips, "DM": ope.dm, "DR": ope.dr}
LOWEST, HIGHEST = 0.93, 0.98


@dataclass(frozen=True)
class World:
    """A public, who of its requests comes from whom, the bandit that serves it, and the policies to judge.

    ``starts`` ``(n_viewers + 1,)``: the requests of viewer ``v`` are ``starts[v]`` up to ``starts[v + 1]`` of
    ``contexts`` and ``chances``, ``(n_requests, n_arms)``. ``targets`` are the probability with which a slot
    of a context is given to each arm, ``(N_CONTEXTS, n_arms)``.
    """

    contexts: Int64
    chances: Float64
    starts: Int64
    served_by: Beliefs
    logged: Float64
    targets: dict[str, Float64]

    def value(self, policy: Float64) -> float:
        """The mean reward a film shown, what is never answered left out."""
        liked = float((policy[self.contexts] * self.chances).sum(axis=1).mean())
        return liked * float(np.mean(TASTES.examined)) * (1 - TASTES.lost)


@cache
def world() -> World:
    rng = np.random.default_rng(1)
    public = Public(TASTES, N_REQUESTS, rng)
    # A viewer stays in a segment.
    segments = [Context.from_index(context).user_segment for context in range(N_CONTEXTS)]
    order = np.argsort(np.array(segments)[public.contexts], kind="stable")
    ends = np.cumsum(rng.geometric(1 / MEAN_SLATES, N_REQUESTS))
    starts = np.concatenate([[0], ends[ends < N_REQUESTS], [N_REQUESTS]])
    shifts = np.repeat(rng.normal(0, VIEWERS_DIFFER, len(starts) - 1), np.diff(starts))
    chances = expit(logit(public.probabilities[order]) + shifts[:, None])
    now, before = (_beliefs(public, n_films, rng) for n_films in (60_000, 6_000))
    rates = chances.mean(axis=0)
    return World(
        contexts=public.contexts[order],
        chances=chances,
        starts=starts,
        served_by=now,
        logged=_slot_propensities(now),
        targets={
            "every arm alike": np.full((N_CONTEXTS, len(ARMS)), 1 / len(ARMS)),
            "the second best arm alone": np.tile(np.eye(len(ARMS))[np.argsort(-rates)[1]], (N_CONTEXTS, 1)),
            "the bandit of a tenth of the counts": _slot_propensities(before),
        },
    )


def _beliefs(public: Public, n_films: int, rng: np.random.Generator) -> Beliefs:
    """A bandit's after ``n_films``, each in the first slot, every arm as often."""
    requests, arms = rng.integers(0, N_REQUESTS, n_films), rng.integers(0, len(ARMS), n_films)
    spots = (public.contexts[requests], arms)
    shown, successes = np.zeros((2, N_CONTEXTS, len(ARMS)))
    np.add.at(shown, spots, 1)
    np.add.at(successes, spots, rng.random(n_films) < public.probabilities[requests, arms])
    return Beliefs(ThompsonSampler(ARMS), BanditState(shown, successes, np.zeros(len(ARMS))))


def _slot_propensities(beliefs: Beliefs) -> Float64:
    ranks = [beliefs.rank_propensities(context)[:, :K] for context in range(N_CONTEXTS)]
    return np.stack([slot_propensities(one, equal_slot_probabilities(1, K))[0] for one in ranks])


def _draw_owners(beliefs: Beliefs, contexts: Int64, rng: np.random.Generator) -> Int64:
    """Whose each slot is, ``(n_slates, N_SLOTS)``: as ``Beliefs.select`` and the draft draw, all at once."""
    n_slates, draws = len(contexts), beliefs.draws(contexts, rng)
    explored = rng.random(n_slates) < beliefs.sampler.explore
    draws[explored] = rng.random((int(explored.sum()), len(ARMS)))
    drawn = np.argsort(-draws, axis=1)[:, :K]
    places = rng.permuted(np.tile(np.repeat(np.arange(K), N_SLOTS // K), (n_slates, 1)), axis=1)
    return np.take_along_axis(drawn, places, axis=1)


@dataclass(frozen=True)
class SeenLog:
    """One repetition's log, a film a row."""

    rewards: Float64
    propensity: Float64
    rows: Rows


def draw_log(n_viewers: int, rng: np.random.Generator) -> SeenLog:
    """What ``n_viewers`` drawn from the world were shown, and what they said."""
    served = world()
    viewers = rng.integers(0, len(served.starts) - 1, n_viewers)
    n_slates = served.starts[viewers + 1] - served.starts[viewers]
    units = np.repeat(np.arange(n_viewers), n_slates)
    within = np.arange(len(units)) - np.repeat(np.cumsum(n_slates) - n_slates, n_slates)
    requests = served.starts[viewers][units] + within
    contexts = served.contexts[requests]
    owners = _draw_owners(served.served_by, contexts, rng)
    chances = np.take_along_axis(served.chances[requests], owners, axis=1)
    chances = chances * np.asarray(TASTES.examined) * (1 - TASTES.lost)
    rewards = (rng.random(owners.shape) < chances).astype(np.float64).ravel()
    rows = Rows(
        arms=owners.ravel(),
        contexts=np.repeat(contexts, N_SLOTS),
        positions=np.tile(np.arange(N_SLOTS), len(units)),
        units=np.repeat(units, N_SLOTS),
        names=ARMS,
    )
    return SeenLog(rewards, served.logged[rows.contexts, rows.arms], rows)


def judge(run: tuple[int, int]) -> list[tuple[str, str, float, bool, float]]:
    """Policy, way, estimate, whether its interval holds the truth, effective sample; of one repetition."""
    seed, n_viewers = run
    log = draw_log(n_viewers, np.random.default_rng(1_000 + seed))
    found = []
    for policy, target in world().targets.items():
        truth, shown = world().value(target), target[log.rows.contexts]
        for way, estimator in ESTIMATORS.items():
            one = estimator(log.rewards, log.propensity, shown, log.rows)
            assert one.value is not None
            assert one.ci is not None
            found.append((policy, way, one.value, one.ci[0] <= truth <= one.ci[1], one.ess))
    return found


def table(n_repetitions: int, n_viewers: int, pool: ProcessPoolExecutor) -> None:
    runs = [(seed, n_viewers) for seed in range(n_repetitions)]
    found = [one for repetition in pool.map(judge, runs, chunksize=10) for one in repetition]
    print("| policy | true reward a film | way | bias | sd | interval holds it | effective sample |")
    print("|---|---|---|---|---|---|---|")
    for policy, target in world().targets.items():
        truth = world().value(target)
        for way in ESTIMATORS:
            mine = [one[2:] for one in found if one[:2] == (policy, way)]
            values, holds, sizes = (np.array(column) for column in zip(*mine, strict=True))
            said = f"{holds.mean():.1%}"
            if way == "DR":
                said += ": met" if LOWEST <= holds.mean() <= HIGHEST else ": missed"
            print(
                f"| {policy} | {truth:.4f} | {way} | {values.mean() - truth:+.4f} | {values.std():.4f} "
                f"| {said} | {np.median(sizes):,.0f} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=1_000, help="logs (default: 1000)")
    parser.add_argument("--viewers", type=int, default=600, help="in each log (default: 600)")
    options = parser.parse_args()
    served = world()
    even = np.full(len(ARMS), 1 / len(ARMS))
    print(f"The log's own policy earns {served.value(served.logged):.4f} a film, every arm alike ", end="")
    print(f"{served.value(np.tile(even, (N_CONTEXTS, 1))):.4f}; {options.viewers} viewers, ", end="")
    print(f"slates of {N_SLOTS}, {MEAN_SLATES} a viewer in the mean; {options.repetitions:,} logs.\n")
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        table(options.repetitions, options.viewers, pool)


if __name__ == "__main__":
    main()
