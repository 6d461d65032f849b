"""What a learned blend would gain over fixed weights: nDCG on ratings that neither saw.

    DATABASE_URL=sqlite:///some.sqlite3 python benchmarks/blending.py --protocol last
    ... --protocol within-viewer --parameters benchmarks/parameters/ml-100k-within-viewer.json

On the database, by the two splits that ``manage.py tune`` makes. On the validation slice the weights of a
linear blend are searched for, and two rankers are learned that re-rank its best films by each arm's score
and rank, popularity and the length of the history: a logistic regression and gradient-boosted trees. All
are compared on the test part, viewer by viewer, with the blend and with the best single arm.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from apps.algorithms.evaluation import PROTOCOLS, film_facts  # noqa: E402 - the path above comes first
from apps.algorithms.metrics import ndcg_at_k  # noqa: E402
from apps.algorithms.registry import fit_arms  # noqa: E402
from apps.algorithms.splitting import Split  # noqa: E402
from apps.algorithms.top import top_items  # noqa: E402
from apps.algorithms.types import Bool, Float32, Float64, Int64  # noqa: E402

if TYPE_CHECKING:
    from apps.algorithms.types import Interactions

ARMS = ("sequence", "item_cf", "svd", "als", "content", "graph", "embeddings")
K, CANDIDATES, SEED, RESAMPLES = 10, 150, 42, 4_000


@dataclass(frozen=True)
class Slice:
    """What the arms say of the viewers to be measured, ``(n_viewers, n_rated)`` each, standardised by viewer.

    ``seen`` and ``relevant`` are bool of that shape, ``popularity`` ``(n_rated,)``, ``lengths``
    ``(n_viewers,)``.
    """

    scores: Mapping[str, Float32]
    seen: Bool
    relevant: Bool
    popularity: Float64
    lengths: Int64

    def ndcg(self, scores: Float32) -> Float64:
        """By viewer; seen films are left out."""
        open_to_choice = np.where(self.seen, -np.inf, scores).astype(np.float32)
        lists = [top_items(row, K).tolist() for row in open_to_choice]
        wanted = [set(np.flatnonzero(row).tolist()) for row in self.relevant]
        return np.array(
            [ndcg_at_k(films, hits, K) for films, hits in zip(lists, wanted, strict=True)], dtype=np.float64
        )


def main() -> None:
    options = _options()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recommender_site.settings.dev")
    django.setup()
    from apps.training.datasets import build_interactions
    from apps.training.parameters import read_parameters, split_parameters

    given = split_parameters(read_parameters(options.parameters) if options.parameters else {})
    parameters = {name: given.arms[name] for name in ARMS if name in given.arms}
    rng = np.random.default_rng(SEED)
    outer, inner = _splits(build_interactions(), options.protocol, rng)
    relevant = PROTOCOLS[options.protocol].relevant
    validation, test = (_slice(split, parameters, relevant) for split in (inner, outer))
    weights = _search(validation, rng)
    learned = _rankers(validation, _blend(validation, weights))
    _print(test, weights, _blend(test, weights), learned, rng)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--protocol", choices=PROTOCOLS, default="last")
    parser.add_argument("--parameters", metavar="FILE", help="parameters by arm, as JSON")
    return parser.parse_args()


def _splits(interactions: "Interactions", protocol: str, rng: np.random.Generator) -> tuple[Split, Split]:
    chosen = PROTOCOLS[protocol]
    outer = next(chosen.splits(interactions, rng, chosen.test_share))
    return outer, next(chosen.splits(outer.train, rng, chosen.test_share))


def _slice(split: Split, parameters: Mapping[str, Any], relevant: float | None) -> Slice:
    arms = fit_arms(ARMS, split.train, np.random.default_rng(SEED), parameters=parameters)
    facts = film_facts(split.train)
    rated = np.flatnonzero(~facts.is_cold)
    hits = split.test.ratings.toarray()[:, rated]
    hits = hits > 0 if relevant is None else hits >= relevant
    users = np.flatnonzero(hits.any(axis=1) & (np.diff(split.train.ratings.indptr) > 0))
    histories = [split.train.history(int(user)) for user in users]
    return Slice(
        scores={name: _standardised(arms[name].scores(histories)[:, rated]) for name in ARMS},
        seen=split.train.ratings[users].toarray()[:, rated] > 0,
        relevant=hits[users],
        popularity=np.log1p(facts.counts[rated]),
        lengths=np.array([len(history) for history in histories]),
    )


def _standardised(rows: Float32) -> Float32:
    spread = rows.std(axis=1, keepdims=True)
    centred = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(np.divide(centred, spread, out=np.zeros_like(rows), where=spread > 1e-6))


def _blend(part: Slice, weights: Mapping[str, float]) -> Float32:
    return np.asarray(sum(np.float32(weight) * part.scores[name] for name, weight in weights.items()))


def _search(part: Slice, rng: np.random.Generator, trials: int = 120) -> dict[str, float]:
    """Random draws, then steps from the best so far, as ``manage.py tune hybrid`` does."""
    best = {max(ARMS, key=lambda name: part.ndcg(part.scores[name]).mean()): 1.0}
    reached = part.ndcg(_blend(part, best)).mean()
    for trial in range(trials):
        weights = dict.fromkeys(ARMS, 0.0) | best
        for name in rng.choice(ARMS, size=len(ARMS) if trial < trials * 0.4 else 2, replace=False):
            moved = (
                weights[name] + rng.normal() * 0.2
                if trial >= trials * 0.4
                else rng.gamma(1) * rng.integers(2)
            )
            weights[str(name)] = max(0.0, float(moved))
        weights = {name: weight for name, weight in weights.items() if weight}
        if weights and (found := part.ndcg(_blend(part, weights)).mean()) > reached:
            best, reached = weights, found
    return best


def _candidates(part: Slice, blend: Float32) -> tuple[Int64, Float32]:
    """The blend's best films by viewer, ``(n_viewers, CANDIDATES)``, and their features, a row each."""
    open_to_choice = np.where(part.seen, -np.inf, blend).astype(np.float32)
    films = np.argsort(-open_to_choice, axis=1, kind="stable")[:, :CANDIDATES]
    columns: list[Any] = []
    for scores in (*part.scores.values(), blend):
        ranks = np.argsort(np.argsort(-np.where(part.seen, -np.inf, scores), axis=1), axis=1)
        columns += [np.take_along_axis(scores, films, 1), np.log1p(np.take_along_axis(ranks, films, 1))]
    columns += [part.popularity[films], np.broadcast_to(np.log1p(part.lengths)[:, None], films.shape)]
    return films, np.stack(columns, axis=-1).reshape(films.size, -1).astype(np.float32)


def _rankers(part: Slice, blend: Float32) -> dict[str, Any]:
    films, features = _candidates(part, blend)
    hits = np.take_along_axis(part.relevant, films, 1).ravel()
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    rankers = {
        "logistic regression": LogisticRegression(C=0.1, max_iter=300),
        "boosted trees": HistGradientBoostingClassifier(
            max_iter=60, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=200, random_state=SEED
        ),
    }
    fitted = {name: ranker.fit((features - mean) / spread, hits) for name, ranker in rankers.items()}
    return {"mean": mean, "spread": spread, "rankers": fitted}


def _print(
    test: Slice,
    weights: Mapping[str, float],
    blend: Float32,
    learned: Mapping[str, Any],
    rng: np.random.Generator,
) -> None:
    found = {name: test.ndcg(scores) for name, scores in test.scores.items()}
    best = max(found, key=lambda name: found[name].mean())
    found["blend"] = test.ndcg(blend)
    films, features = _candidates(test, blend)
    for name, ranker in learned["rankers"].items():
        chances = ranker.predict_proba((features - learned["mean"]) / learned["spread"])[:, 1]
        scores = np.full(test.seen.shape, -np.inf, dtype=np.float32)
        np.put_along_axis(scores, films, chances.reshape(films.shape).astype(np.float32), 1)
        found[name] = test.ndcg(scores)
    print(f"Weights of the blend: {', '.join(f'{name} {weight:.2f}' for name, weight in weights.items())}.\n")
    print(f"| | nDCG@{K} | less the blend's | less {best}'s |\n|---|---|---|---|")
    for name, values in found.items():
        beside = [_difference(values - found[other], rng) for other in ("blend", best)]
        print(f"| {name} | {values.mean():.4f} | {' | '.join(beside)} |")


def _difference(differences: Float64, rng: np.random.Generator) -> str:
    """With its interval of 95 % from resampled viewers; nothing for a difference from itself."""
    if not differences.any():
        return ""
    means = differences[rng.integers(0, len(differences), (RESAMPLES, len(differences)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{differences.mean():+.4f} ({low:+.4f} to {high:+.4f})"


if __name__ == "__main__":
    main()
