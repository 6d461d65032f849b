"""Our fits beside calling ``implicit`` alone where we call it, for ``benchmarks/arms.py``.

    python -m benchmarks.arm_costs.beside_implicit DATA --rounds 3

Prints JSON: median seconds of both, and each round's ratio. Both begin with
the ratings and weigh them, have the same parameters and threads, and take turns.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender
from threadpoolctl import threadpool_limits

from apps.algorithms.arms.als import Als, AlsSettings
from apps.algorithms.arms.item_cf import ItemCf, ItemCfSettings
from apps.algorithms.types import Interactions
from apps.algorithms.weights import signal_matrix
from benchmarks.arm_costs.data import load_interactions

SEED = 0


@dataclass(frozen=True)
class Comparison:
    """Median seconds on the clock; ratios are ours over theirs, round by round.

    ``cpu_ratios`` are of processor time, which other programs disturb less.
    """

    ours: float
    theirs: float
    ratios: list[float]
    cpu_ratios: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    interactions = load_interactions(options.data)
    # implicit converts its matrices itself, and says so.
    warnings.simplefilter("ignore")
    # implicit asks for one thread of BLAS, since its own would fight with more.
    with threadpool_limits(1, "blas"):
        found = {
            name: compare(ours, theirs, interactions, options.rounds) for name, (ours, theirs) in FITS.items()
        }
    print(json.dumps({name: asdict(one) for name, one in found.items()}))


def fit_als(interactions: Interactions) -> None:
    Als().fit(interactions, np.random.default_rng(SEED))


def fit_implicit_als(interactions: Interactions) -> None:
    settings = AlsSettings()
    model = AlternatingLeastSquares(
        factors=settings.factors,
        regularization=settings.regularization,
        alpha=settings.alpha,
        iterations=settings.iterations,
        random_state=SEED,
    )
    model.fit(signal_matrix(interactions.ratings, settings.signal), show_progress=False)


def fit_neighbours(interactions: Interactions) -> None:
    ItemCf(method="bm25").fit(interactions, np.random.default_rng(SEED))


def fit_implicit_neighbours(interactions: Interactions) -> None:
    """One neighbour more than ours, since each film is its own."""
    settings = ItemCfSettings()
    model = BM25Recommender(K=settings.neighbours + 1, K1=settings.bm25_k1, B=settings.bm25_b)
    model.fit(signal_matrix(interactions.ratings, settings.signal), show_progress=False)


Fit = Callable[[Interactions], None]
FITS: Mapping[str, tuple[Fit, Fit]] = {
    "als": (fit_als, fit_implicit_als),
    "item_cf, BM25": (fit_neighbours, fit_implicit_neighbours),
}


def compare(ours: Fit, theirs: Fit, interactions: Interactions, rounds: int) -> Comparison:
    ours(interactions)
    theirs(interactions)
    taken = np.array([(seconds(ours, interactions), seconds(theirs, interactions)) for _ in range(rounds)])
    middle = np.median(taken[:, :, 0], axis=0)
    ratios, cpu_ratios = (taken[:, 0] / taken[:, 1]).T.tolist()
    return Comparison(float(middle[0]), float(middle[1]), ratios, cpu_ratios)


def seconds(fit: Fit, interactions: Interactions) -> tuple[float, float]:
    """On the clock and of the processor, all threads."""
    began, cpu_began = time.perf_counter(), time.process_time()
    fit(interactions)
    return time.perf_counter() - began, time.process_time() - cpu_began


if __name__ == "__main__":
    main()
