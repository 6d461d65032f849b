"""Seconds and peak memory of reading, fitting and updating at twenty million ratings.

    python benchmarks/large.py                              svd, als and item_cf
    python benchmarks/large.py --train                      and manage.py train, all arms, fit and update
    python benchmarks/large.py --filled postgres://…/large  on a database that expand_ratings.py filled

The ratings are made up by ``expand_ratings.py`` of the demo's, for time and memory only, in a PostgreSQL
database that is dropped at the end (one that was filled before stays, with the new ratings in it). Each step
is a process of its own, and its peak the resident memory that the system saw, in which files that it maps
count too. Fits and updates read the ratings from the files that an update begins with. The new ratings are by
people who rated before, ten each, of films drawn by popularity. The marks: svd, als and item_cf in 600 s and
6 GB together, and an update of them in 60 s. Seconds of a fit and an update are without the opening of files;
processor seconds are those of both cores.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.databases import load_source, own_database  # noqa: E402 - the path above comes first
from benchmarks.expand_ratings import NOTE, SEED, SETTINGS, fill_database  # noqa: E402

DATABASE = "marquee_large"
ARMS = ("svd", "als", "item_cf")
VERSION = "large"
MARK_SECONDS, MARK_GB, MARK_UPDATE_SECONDS = 600, 6, 60
EACH = 10
"""New ratings of one person."""


@dataclass(frozen=True)
class Step:
    """Seconds, and seconds of processor time; ``parts`` are such pairs by name."""

    seconds: float
    processor: float
    peak_gb: float
    parts: Mapping[str, Sequence[float]]


def main() -> None:
    options = _options()
    if options.step:
        print(json.dumps(_run_step(options)))
        return
    with _site(options) as environment:
        for line in _report(options, environment):
            print(line, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ratings", type=int, default=20_000_000, help="about how many to make")
    parser.add_argument("--new", type=int, default=5_000, help="ratings of the update")
    parser.add_argument("--data", default="demo", help="demo, or a folder or zip of MovieLens")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--postgres", default="postgres://postgres@127.0.0.1:5432", help="without a database")
    parser.add_argument("--filled", default="", help="the URL of a database that was filled before")
    parser.add_argument("--train", action="store_true", help="all arms too, by manage.py train")
    parser.add_argument("--step", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


@contextmanager
def _site(options: argparse.Namespace) -> Iterator[dict[str, str]]:
    """The environment of a process on the filled database, with folders that are removed at the end."""
    kind = "sqlite" if options.filled else "postgresql"
    with own_database(kind, DATABASE, server=options.postgres, settings=SETTINGS) as own:
        environment = {**own, "PYTHONPATH": str(ROOT)}
        if options.filled:
            yield environment | {"DATABASE_URL": options.filled}
            return
        environment = load_source(environment, options.data)
        fill_database(environment, options.ratings, options.seed)
        yield environment


def _report(options: argparse.Namespace, environment: Mapping[str, str]) -> Iterator[str]:
    yield NOTE
    yield f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before"
    yield ""
    yield "| step | seconds | processor seconds | peak GB | mark |"
    yield "|---|---|---|---|---|"
    names = ["build", *ARMS, ",".join(ARMS), "rate", "update"]
    if options.train:
        names += ["train", "rate", "train --warm-start"]
    marks = {",".join(ARMS): f"{MARK_SECONDS} s, {MARK_GB} GB", "update": f"{MARK_UPDATE_SECONDS} s"}
    for name in names:
        step = _step(options, environment, name)
        if name == "rate":
            continue
        cells = [f"{step.seconds:.1f}", f"{step.processor:.1f}", f"{step.peak_gb:.2f}", marks.get(name, "")]
        yield f"| {name} | {' | '.join(cells)} |"
        for part, (seconds, processor) in step.parts.items():
            yield f"| {name}: {part} | {seconds:.1f} | {processor:.1f} | | |"
    yield ""
    yield f"Load {os.getloadavg()[0]:.1f} after."


def _step(options: argparse.Namespace, environment: Mapping[str, str], name: str) -> Step:
    """What a process took: of ``manage.py`` all of it, of another what it says itself."""
    words = ["manage.py", *name.split(), "--json"]
    if not name.startswith("train"):
        words = [__file__, "--step", name, "--new", str(options.new), "--seed", str(options.seed)]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *words], env=dict(environment), cwd=ROOT, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{name} failed: {said.decode()}")
    seconds, processor = time.perf_counter() - began, usage.ru_utime + usage.ru_stime
    parts: Mapping[str, Sequence[float]] = json.loads(said)
    if name.startswith("train"):
        parts = {part: (took, float("nan")) for part, took in _steps_of_run(environment).items()}
    else:
        seconds, processor = (sum(both[spot] for both in parts.values()) for spot in (0, 1))
    return Step(seconds, processor, usage.ru_maxrss * _rss_unit() / 1e9, parts if len(parts) > 1 else {})


def _rss_unit() -> int:
    """Bytes in a unit of ``ru_maxrss``: kilobytes, except on macOS."""
    return 1 if sys.platform == "darwin" else 1024


def _steps_of_run(environment: Mapping[str, str]) -> Mapping[str, Any]:
    command = [sys.executable, __file__, "--step", "steps"]
    done = subprocess.run(command, env=dict(environment), cwd=ROOT, check=True, stdout=subprocess.PIPE)
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found


def _run_step(options: argparse.Namespace) -> Mapping[str, Any]:
    import django

    django.setup()
    from threadpoolctl import threadpool_limits

    with threadpool_limits(os.cpu_count()):
        if options.step == "build":
            return _build()
        if options.step == "rate":
            return _rate(options.new, options.seed)
        if options.step == "update":
            return _update()
        if options.step == "steps":
            return _last_steps()
        return _fit(options.step.split(","))


Took = dict[str, tuple[float, float]]
"""Seconds, and seconds of processor time, by the name of what was begun."""


class _Clock:
    def __init__(self) -> None:
        self._parts: Took = {}
        self._name, self._since = "", (0.0, 0.0)

    def begin(self, name: str) -> None:
        self.end()
        self._name, self._since = name, (time.perf_counter(), time.process_time())

    def end(self) -> Took:
        if self._name:
            began, processor = self._since
            self._parts[self._name] = (time.perf_counter() - began, time.process_time() - processor)
            self._name = ""
        return self._parts


def _build() -> Took:
    from apps.training.corpus import save_corpus
    from apps.training.datasets import build_corpus

    clock = _Clock()
    clock.begin("build")
    corpus = build_corpus()
    told = clock.end()
    save_corpus(VERSION, corpus)
    return told


def _fit(names: Sequence[str]) -> Took:
    import numpy as np

    from apps.algorithms.registry import fit_arms
    from apps.training.corpus import open_corpus

    interactions = open_corpus(VERSION).interactions
    clock = _Clock()
    arms = fit_arms(names, interactions, np.random.default_rng(1), before_each=clock.begin)
    told = clock.end()
    for name, arm in arms.items():
        arrays: dict[str, Any] = dict(arm.arrays())
        np.savez(_kept(name), **arrays)
    return told


def _rate(n_ratings: int, seed: int) -> Took:
    """Ratings that were not there, by people who rated before, of films as popular as those rated."""
    import numpy as np
    from django.utils import timezone

    from apps.ratings.models import Rating
    from apps.training.corpus import corpus_folder, open_corpus

    # A training leaves its own alone.
    newest = max(corpus_folder().iterdir(), key=lambda path: path.stat().st_mtime)
    corpus, rng, now = open_corpus(newest.name), np.random.default_rng(seed), timezone.now()
    ratings, ids = corpus.interactions.ratings, corpus.interactions.items.ids
    rows = []
    for person in rng.choice(len(corpus.people), n_ratings // EACH, replace=False).tolist():
        own = ratings.indices[ratings.indptr[person] : ratings.indptr[person + 1]]
        drawn = ratings.indices[rng.integers(ratings.nnz, size=20 * EACH)]
        films = np.setdiff1d(drawn, own)
        for film in rng.permutation(films)[:EACH].tolist():
            stars = float(rng.integers(1, 11)) / 2
            user, movie = int(corpus.people[person]), int(ids[film])
            rows.append(Rating(user_id=user, movie_id=movie, value=stars, changed_at=now))
    Rating.objects.bulk_create(rows, batch_size=1_000)
    return {}


def _update() -> Took:
    import numpy as np

    from apps.algorithms.registry import load_arms, make_arm, update_arms
    from apps.training.catching_up import catch_up
    from apps.training.corpus import open_corpus

    before = open_corpus(VERSION)
    saved = {name: (make_arm(name).parameters, dict(np.load(_kept(name)))) for name in ARMS}
    arms = load_arms(saved)
    clock = _Clock()
    clock.begin("read")
    caught = catch_up(before)
    update_arms(arms, caught.delta, np.random.default_rng(2), before_each=clock.begin)
    return clock.end()


def _last_steps() -> Mapping[str, Any]:
    from apps.training.models import TrainingRun

    steps: Mapping[str, Any] = TrainingRun.objects.latest("pk").steps
    return steps


def _kept(name: str) -> Path:
    folder = Path(os.environ["ARTIFACT_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder.with_name(f"{name}.npz")


if __name__ == "__main__":
    main()
