"""A simulated rotation: which films 30 days of lists show, and what showing them costs.

    python benchmarks/rotation.py
    python benchmarks/rotation.py --days 60 --try serendipity=2 hybrid=0

Simulated, not measured on a site: nobody looks at these lists, and nobody rates. Every day each person of the
demo's ratings opens the home page (12 films of the hybrid at the default diversity, then 12 hidden gems), and
on one day a week, drawn for each, the pages of gems (24 films) and of surprises (12). Every film of a list
counts as shown. Nights are the site's: what was shown in the last 30 days goes into the features, and what
learns from it learns anew; what learns from ratings stays. The rows of popular films and of films like one
that was liked are left out. nDCG is of lists of 10 by the protocol ``last``, with films shown as often as in
the end.

The same is done with no rotation at all, and with other weights of it where ``--try`` names some.
"""

import argparse
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import django
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from apps.algorithms.arms.rotation import freshness  # noqa: E402 - the path above comes first
from apps.algorithms.base import Folded, Recommender  # noqa: E402
from apps.algorithms.evaluation import PROTOCOLS, ArmLists, ListMaker, RerankedLists, film_facts, measure  # noqa: E402
from apps.algorithms.metrics import gini  # noqa: E402
from apps.algorithms.registry import default_parameters, fit_arms, make_arm  # noqa: E402
from apps.algorithms.strategy import DEFAULT_DIVERSITY  # noqa: E402
from apps.algorithms.traits import ROTATION_WEIGHT, film_traits  # noqa: E402
from apps.algorithms.types import Arrays, Bool, Float32, History, Int64, Interactions  # noqa: E402

ENOUGH_RATINGS = 5
MARK = 0.8
KEPT_DAYS = 30
ROW, GEMS, SURPRISES, WEEK, K = 12, 24, 12, 7, 10
SURFACES = ("for you", "home gems", "gems", "surprise")
ARMS = ("hybrid", "long_tail", "serendipity")
Weights = Mapping[str, float]
"""Of rotation, by the arm; that of the hybrid is its re-ranking's."""


class Remembered:
    """A fitted arm that scores each history once, since histories do not change."""

    def __init__(self, arm: Recommender) -> None:
        self._arm = arm
        self._known: dict[int, tuple[History, Folded]] = {}

    def fold(self, history: History) -> Folded:
        # The history is kept beside its scores, so that no other one can take its id.
        if id(history) not in self._known:
            self._known[id(history)] = history, self._arm.fold(history)
        return self._known[id(history)][1]

    def scores(self, histories: Sequence[History]) -> Float32:
        return self._arm.scores(histories)

    def arrays(self) -> Arrays:
        return self._arm.arrays()

    @property
    def personal(self) -> bool:
        return self._arm.personal


class Site:
    """What was fitted once, and what the nights make of it."""

    def __init__(self, interactions: Interactions, seed: int) -> None:
        self.interactions = interactions
        self._rng = np.random.default_rng(seed)
        arms = fit_arms([*ARMS, "als"], interactions, self._rng)
        self._traits = film_traits(arms, interactions, self._rng)
        self._arms = {name: cast("Recommender", Remembered(arm)) for name, arm in arms.items()}

    def night(self, shown: Int64, weights: Weights) -> dict[str, ListMaker]:
        """What makes the next day's lists, films having been ``shown`` so often, int64 ``(n_items,)``."""
        known = replace(self.interactions, features=replace(self.interactions.features, n_shown=shown))
        # The weight of re-ranking is a constant, so its share is taken of what it weighs.
        fresh = freshness(shown) * np.float32(weights["hybrid"] / ROTATION_WEIGHT)
        traits = replace(self._traits, fresh=fresh)
        made: dict[str, ListMaker] = {
            "hybrid": RerankedLists(self._arms["hybrid"], traits, DEFAULT_DIVERSITY)
        }
        for name in ARMS[1:]:
            arm = make_arm(name, {"rotation": weights[name]}).link(self._arms)
            made[name] = ArmLists(arm.learn(known, self._rng))
        return made


class Simulation:
    """The days so far. ``shown`` is int64 ``(n_items,)`` by surface."""

    def __init__(self, site: Site, weights: Weights, seed: int) -> None:
        self._site, self._weights = site, weights
        data = site.interactions
        self._histories = [data.history(user) for user in range(data.n_users)]
        self._weekdays = np.random.default_rng(seed).integers(WEEK, size=data.n_users)
        self._others = ~data.features.is_long_tail
        self._lately: deque[Int64] = deque(maxlen=KEPT_DAYS)
        self.shown = {name: np.zeros(data.n_items, dtype=np.int64) for name in SURFACES}

    @property
    def lately(self) -> Int64:
        """How often each film was shown on the days that are kept."""
        return self._sum(self._lately)

    @property
    def total(self) -> Int64:
        return self._sum(self.shown.values())

    def live(self, day: int) -> None:
        makers = self._site.night(self.lately, self._weights)
        before = self.total
        for history, weekday in zip(self._histories, self._weekdays, strict=True):
            for_you = self._show("for you", makers["hybrid"], history, ROW)
            self._show("home gems", makers["long_tail"], history, ROW, self._but(for_you))
            if (day + weekday) % WEEK == 0:
                self._show("gems", makers["long_tail"], history, GEMS, self._others)
                self._show("surprise", makers["serendipity"], history, SURPRISES)
        self._lately.append(self.total - before)

    def _show(
        self, surface: str, maker: ListMaker, history: History, n: int, excluded: Bool | None = None
    ) -> Int64:
        nothing = np.zeros(len(self._others), dtype=np.bool_)
        (films,) = maker.lists([history], excluded=nothing if excluded is None else excluded, n=n)
        self.shown[surface][films] += 1
        return films

    def _sum(self, counts: Iterable[Int64]) -> Int64:
        nothing = np.zeros(len(self._others), dtype=np.int64)
        return np.asarray(np.sum([nothing, *counts], axis=0), dtype=np.int64)

    def _but(self, films: Int64) -> Bool:
        """Everything but films of the long tail that are not among ``films``."""
        others = self._others.copy()
        others[films] = True
        return others

    def row(self) -> Iterator[str]:
        """Shares of the films with enough ratings, all lists first, and how unequally films were shown."""
        counts = np.bincount(self._site.interactions.ratings.indices, minlength=len(self._others))
        enough = counts >= ENOUGH_RATINGS
        total = self.total
        for shown in (total, *self.shown.values()):
            yield f"{(shown[enough] > 0).mean():.1%}"
        yield f"{gini(total[enough]):.3f}"


def main() -> None:
    options = _options()
    data = load_demo()
    enough = int((np.bincount(data.ratings.indices) >= ENOUGH_RATINGS).sum())
    print(
        f"Simulated: {options.days} days, {data.n_users} people, seed {options.seed}. Share of the {enough:,}"
    )
    print(
        f"films with {ENOUGH_RATINGS} ratings or more that were on any list (mark {MARK:.0%} on day 30), and"
    )
    print("the Gini coefficient of how often they were.\n")
    ends = list(_simulate(data, options))
    print("\nnDCG of each arm's lists with films shown so often\n")
    _print_row("rotation", *ARMS)
    _print_row(*["---"] * (1 + len(ARMS)))
    finding = Finding(data, options.seed)
    for label, weights, shown in ends:
        _print_row(label, *finding.ndcg(shown, weights))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--try", nargs="+", metavar="ARM=WEIGHT", default=[], dest="tried")
    return parser.parse_args()


def load_demo() -> Interactions:
    """The demo as a site reads it, flags and vectors too, from a scratch database that is gone afterwards."""
    with TemporaryDirectory(prefix="marquee-rotation-") as folder:
        os.environ["DATABASE_URL"] = f"sqlite:///{Path(folder, 'data.sqlite3')}"
        os.environ["ARTIFACT_DIR"] = str(Path(folder, "models"))
        os.environ["VECTOR_DIR"] = str(Path(folder, "vectors"))
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recommender_site.settings.dev")
        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from apps.training.datasets import build_interactions

        with open(os.devnull, "w") as nowhere:
            call_command("migrate", verbosity=0)
            call_command("load_movielens", "demo", stdout=nowhere)
        data = build_interactions()
        connection.close()
        return data


def _simulate(data: Interactions, options: argparse.Namespace) -> Iterator[tuple[str, Weights, Int64]]:
    """Prints the table; each way's label, weights and how often films were shown in the end."""
    site = Site(data, options.seed)
    told = sorted({1, 7, 14, options.days})
    _print_row("rotation", "day", "all", *SURFACES, "Gini")
    _print_row(*["---"] * (4 + len(SURFACES)))
    for label, weights in _ways(options.tried).items():
        simulation = Simulation(site, weights, options.seed)
        for day in range(1, options.days + 1):
            simulation.live(day)
            if day in told:
                _print_row(label, str(day), *simulation.row())
        yield label, weights, simulation.lately


def _ways(tried: Sequence[str]) -> dict[str, Weights]:
    standard = {name: float(default_parameters(name)["rotation"] or 0) for name in ARMS[1:]}
    standard["hybrid"] = ROTATION_WEIGHT
    ways: dict[str, Weights] = {"none": dict.fromkeys(ARMS, 0.0), "as it comes": standard}
    if tried:
        given = {name: float(weight) for name, _, weight in (word.partition("=") for word in tried)}
        ways[" ".join(tried)] = {**standard, **given}
    return ways


class Finding:
    """How many of the ratings held back lists find."""

    def __init__(self, data: Interactions, seed: int) -> None:
        protocol = PROTOCOLS["last"]
        self._relevant = protocol.relevant
        self._split = next(protocol.splits(data, np.random.default_rng(seed), protocol.test_share))
        self._facts = film_facts(self._split.train)
        self._site = Site(self._split.train, seed)

    def ndcg(self, shown: Int64, weights: Weights) -> Iterator[str]:
        for maker in self._site.night(shown, weights).values():
            found = measure(
                maker, self._split.train, self._split.test, self._facts, k=K, relevant=self._relevant
            )
            yield f"{np.nanmean(found.values['ndcg']):.4f}"


def _print_row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
