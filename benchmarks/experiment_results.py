"""What counting an experiment's log costs, and reading its results.

    python benchmarks/experiment_results.py                            20,000 units on PostgreSQL
    python benchmarks/experiment_results.py --units 1000000 --events 10000000
    python benchmarks/experiment_results.py --database sqlite

Simulated traffic: ``benchmarks/experiment_log.py`` writes 28 days of one experiment's log straight into a
database of the run's own, which is gone after it. Then the whole log is counted once; minutes of traffic are,
50 lists a second each and 300 clicks of which half are on films shown on another day, with a run of the
roll-up after every one; and the results are read. Seconds in parentheses are processor time of that process,
without the database's. On SQLite another process writes a row again and again
meanwhile: what it has to wait for is the longest hold of the write lock.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.databases import own_database  # noqa: E402 - the path above comes first
from benchmarks.experiment_log import KEY, N_FILMS, N_USERS, VARIANTS, Span, Traffic, click  # noqa: E402

DATABASE, SETTINGS = "marquee_experiment_results", "recommender_site.settings.dev"
DAYS, MINUTE, READS = 28, timedelta(minutes=1), 30
START = datetime(2026, 3, 2, 6, tzinfo=UTC)
END = START + timedelta(days=DAYS)
LISTS_A_MINUTE, FILMS_A_MINUTE, CLICKS_A_MINUTE = 3000, 10, 300
# Units whose first list is in the minutes; one of ten lists is one of theirs.
NEW_UNITS = 10_000
# Feedback of the last five minutes is looked at again: only then is a minute like the next.
WARM_UP = 6
MARK_MS, MARK_MINUTE_S, MARK_HELD_MS, MARK_RATE = 200, 5, 500, 5000


def main() -> None:
    options = _options()
    if options.role:
        _play(options)
        return
    with own_database(options.database, DATABASE, server=options.postgres, settings=SETTINGS) as environment:
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=environment, cwd=ROOT, check=True)
        _print_log(_run("fill", environment, options))
        held = options.database == "sqlite"
        print("\n| what | measured | mark |\n|---|---|---|", flush=True)
        for role, rows in (("count", _count_rows), ("minutes", _minute_rows), ("read", _read_rows)):
            with _writing(environment, options, role if held else "read") as waits:
                told = _run(role, environment, options)
            for row in [*rows(told), *_wait_rows(role, waits)]:
                print(f"| {' | '.join(row)} |", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--units", type=int, default=20_000)
    parser.add_argument("--events", type=int, default=200_000, help="films shown, in all")
    parser.add_argument("--films", type=int, default=5, help="of a list of the 28 days")
    parser.add_argument("--minutes", type=int, default=10, help="measured after the first six")
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--postgres", default="postgres://postgres@127.0.0.1:5432", help="without a database")
    roles = ("fill", "count", "minutes", "read", "write")
    parser.add_argument("--role", choices=roles, help=argparse.SUPPRESS)
    return parser.parse_args()


# --- The parent ----------------------------------------------------------------------------------


def _run(role: str, environment: Mapping[str, str], options: argparse.Namespace) -> dict[str, Any]:
    process = _start(role, environment, options)
    said, errors = process.communicate()
    if process.returncode:
        raise SystemExit(f"{role} failed:\n{errors}")
    told: dict[str, Any] = json.loads(said.splitlines()[-1])
    return told


def _start(role: str, environment: Mapping[str, str], options: argparse.Namespace) -> "subprocess.Popen[str]":
    names = ("units", "events", "films", "minutes", "database")
    words = [word for name in names for word in (f"--{name}", str(getattr(options, name)))]
    return subprocess.Popen(
        [sys.executable, __file__, "--role", role, *words],
        env=dict(environment),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def _writing(
    environment: Mapping[str, str], options: argparse.Namespace, role: str
) -> Iterator[dict[str, float]]:
    """What another process waited for that wrote all the while; nothing where ``role`` only reads."""
    waits: dict[str, float] = {}
    if role == "read":
        yield waits
        return
    process = _start("write", environment, options)
    try:
        yield waits
    finally:
        said, errors = process.communicate("stop")
    if process.returncode:
        raise SystemExit(f"write failed:\n{errors}")
    waits |= json.loads(said)


def _print_log(told: Mapping[str, Any]) -> None:
    print(
        f"Simulated traffic on {told['database']}: {told['units']:,} units, {told['lists']:,} lists and "
        f"{told['events']:,} films shown in {DAYS} days, {told['feedback']:,} clicks; written in "
        f"{told['seconds']:.0f} s, {told['gigabytes']:.1f} GB."
    )


def _count_rows(told: Mapping[str, Any]) -> list[Sequence[str]]:
    rate = told["unit_days"] / told["seconds"]
    took = f"{told['seconds']:.0f} ({told['processor']:.0f}) s"
    said = f"{told['unit_days']:,} days of units in {took}: {rate:,.0f} a second"
    return [
        ("the whole log, counted once", said, _marked(rate > MARK_RATE, f"more than {MARK_RATE:,} a second")),
        ("memory of that process at its peak", f"{told['peak_mb']:.0f} MB", ""),
    ]


def _minute_rows(told: Mapping[str, Any]) -> list[Sequence[str]]:
    seconds, queries = told["seconds"], told["queries"]
    own = told["processor"]
    said = f"median {median(seconds):.1f} ({median(own):.1f}) s, highest {max(seconds):.1f} of {len(seconds)}"
    again = f"{median(told['unit_days']):,.0f} days of units looked at"
    return [
        (
            f"one minute of traffic, {LISTS_A_MINUTE:,} lists of {FILMS_A_MINUTE} films",
            said,
            _marked(max(seconds) <= MARK_MINUTE_S, f"{MARK_MINUTE_S} s"),
        ),
        ("of that", f"{again}, {median(queries):.0f} queries", ""),
        ("memory of that process at its peak", f"{told['peak_mb']:.0f} MB", ""),
    ]


def _read_rows(told: Mapping[str, Any]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for name, times in told["ms"].items():
        said = f"median {median(times):.0f} ms, highest {max(times):.0f} ms of {len(times)}"
        mark = _marked(median(times) < MARK_MS, f"{MARK_MS} ms") if name == "results" else ""
        rows.append((name, said, mark))
    return [
        *rows,
        ("rows that they read", f"{told['snapshots']:,}", ""),
        ("memory of that process at its peak", f"{told['peak_mb']:.0f} MB", ""),
    ]


def _wait_rows(role: str, waits: Mapping[str, float]) -> list[Sequence[str]]:
    if not waits:
        return []
    said = f"highest {waits['highest']:.0f} ms, 99 % within {waits['p99']:.0f} ms"
    mark = _marked(waits["highest"] <= MARK_HELD_MS, f"{MARK_HELD_MS} ms")
    return [("what another writer waits for meanwhile", said, mark)]


def _marked(is_met: bool, mark: str) -> str:
    return f"{mark}: {'met' if is_met else 'missed'}"


# --- The children --------------------------------------------------------------------------------


def _play(options: argparse.Namespace) -> None:
    import django

    django.setup()
    roles = {"fill": _fill, "count": _count, "minutes": _minutes, "read": _read, "write": _write}
    told = roles[options.role](options)
    print(json.dumps(told | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def _fill(options: argparse.Namespace) -> dict[str, Any]:
    from django.db import connection

    started = time.perf_counter()
    _make_experiment()
    traffic, n_lists = Traffic(options.units, options.films), options.events // options.films
    traffic.write_history(n_lists, Span(START, END - START))
    counts = {}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
        for name in ("slates", "feedback"):
            cursor.execute(f"SELECT count(*) FROM {name}")  # noqa: S608 - constants
            counts[name] = cursor.fetchone()[0]
        size = "pg_database_size(current_database())"
        if connection.vendor == "sqlite":
            size = "page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        cursor.execute(f"SELECT {size}")
        n_bytes = cursor.fetchone()[0]
    return {
        "database": options.database,
        "units": options.units,
        "lists": counts["slates"],
        "events": traffic.n_events,
        "feedback": counts["feedback"],
        "seconds": time.perf_counter() - started,
        "gigabytes": n_bytes / 1e9,
    }


def _make_experiment() -> None:
    """One that runs since the first day; no model is there, since nothing is served."""
    from apps.accounts.models import User
    from apps.catalog.models import Movie
    from apps.core import clock
    from apps.experiments.models import Decision, Experiment
    from apps.experiments.services import Design, VariantDesign, create_experiment
    from apps.experiments.services.phases import begin_phase

    Movie.objects.bulk_create(Movie(id=n, title=f"Film {n}") for n in range(1, N_FILMS + 1))
    User.objects.bulk_create(User(id=n, username=f"viewer-{n}") for n in range(1, N_USERS + 1))
    by, strategies = User.objects.first(), ({"hybrid": 1.0}, {"popular": 1.0})
    assert by is not None
    variants = tuple(
        VariantDesign(name, 0.5, is_control=name == VARIANTS[0], strategy={"policy": "fixed", "arms": arms})
        for name, arms in zip(VARIANTS, strategies, strict=True)
    )
    with clock.simulated(clock.SimulatedClock(START)):
        design = Design(key=KEY, name="Simulated", layer="strategy", variants=variants)
        experiment = create_experiment(design=design, by=by)
        Experiment.objects.filter(pk=KEY).update(state=Experiment.State.RUNNING, started_at=START)
        begin_phase(experiment, by=by, reason="a benchmark", kind=Decision.Kind.START)


def _count(options: argparse.Namespace) -> dict[str, Any]:
    from apps.core import clock
    from apps.experiments.services import roll_up

    with clock.simulated(clock.SimulatedClock(END)):
        started = time.process_time()
        counted = roll_up()
    own = time.process_time() - started
    return {"unit_days": counted.unit_days, "seconds": counted.seconds, "processor": own}


def _minutes(options: argparse.Namespace) -> dict[str, Any]:
    from apps.core import clock
    from apps.events.models import RecommendationEvent

    n_known = RecommendationEvent.objects.latest("pk").pk
    day = _Day(Traffic(options.units + NEW_UNITS, FILMS_A_MINUTE), np.random.default_rng(2), n_known)
    day.traffic.n_events = n_known
    found: dict[str, list[float]] = {"seconds": [], "processor": [], "queries": [], "unit_days": []}
    with clock.simulated(clock.SimulatedClock(END)) as now:
        for number in range(WARM_UP + options.minutes):
            told = day.play(now)
            if number >= WARM_UP:
                for name, value in told.items():
                    found[name].append(value)
    return dict(found)


@dataclass
class _Day:
    """Minute after minute of traffic. ``n_known`` are the films shown before it, that clicks come late on."""

    traffic: Traffic
    rng: np.random.Generator
    n_known: int

    def play(self, now: Any) -> dict[str, float]:
        from django.db import connection

        from apps.experiments.services import roll_up

        first, start = self.traffic.n_events + 1, now.at
        known = self.traffic.units - NEW_UNITS
        owners = self.rng.integers(known, size=LISTS_A_MINUTE)
        owners[::10] = known + self.rng.integers(NEW_UNITS, size=len(owners[::10]))
        self.traffic.write_lists(owners, Span(start, MINUTE), answered=False)
        now.move_by(MINUTE)
        half = CLICKS_A_MINUTE // 2
        fresh = first + self.rng.choice(LISTS_A_MINUTE * FILMS_A_MINUTE, half, replace=False)
        late = 1 + self.rng.choice(self.n_known, half, replace=False)
        click([*fresh.tolist(), *late.tolist()], now.at)
        n_queries = 0

        def count(execute: Callable[..., Any], *given: Any) -> Any:
            nonlocal n_queries
            n_queries += 1
            return execute(*given)

        with connection.execute_wrapper(count):
            started = time.process_time()
            counted = roll_up()
        return {
            "seconds": counted.seconds,
            "processor": time.process_time() - started,
            "queries": n_queries,
            "unit_days": counted.unit_days,
        }


def _read(options: argparse.Namespace) -> dict[str, Any]:
    from apps.experiments.figures import by_age, by_day, by_segment, figures_of
    from apps.experiments.judging import judge
    from apps.experiments.models import Phase, Snapshot
    from apps.experiments.plans import plan_of

    phase = Phase.objects.get()
    plan = plan_of(phase)
    reads: dict[str, Callable[[], Any]] = {
        "results": lambda: judge(plan, figures_of(phase, plan, now=END)),
        "by segment": lambda: by_segment(phase),
        "by age": lambda: by_age(phase, "ctr"),
        "by day": lambda: by_day(phase, "ctr"),
    }
    ms = {name: [_milliseconds(read) for _ in range(READS)] for name, read in reads.items()}
    return {"ms": ms, "snapshots": Snapshot.objects.count()}


def _milliseconds(read: Callable[[], Any]) -> float:
    started = time.perf_counter()
    read()
    return (time.perf_counter() - started) * 1000


def _write(options: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds that a row's update waited for the lock, again and again until something is said."""
    import select
    import sqlite3

    from django.conf import settings

    connection = sqlite3.connect(settings.DATABASES["default"]["NAME"], timeout=0, isolation_level=None)
    waits: list[float] = []
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        started = time.perf_counter()
        while not _has_written(connection):
            time.sleep(0.001)
        waits.append((time.perf_counter() - started) * 1000)
    return {"highest": max(waits), "p99": float(np.quantile(waits, 0.99))}


def _has_written(connection: Any) -> bool:
    import sqlite3

    try:
        connection.execute("UPDATE movies SET rating_count = rating_count + 1 WHERE id = 1")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        return False
    return True


if __name__ == "__main__":
    main()
