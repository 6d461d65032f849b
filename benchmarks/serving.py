"""Requests a second and latency of a recommendation, beside the least that such a view must do.

    python benchmarks/serving.py                       the demo's 9,066 films, PostgreSQL, gunicorn
    python benchmarks/serving.py --films 60000         a made-up catalogue: the demo repeated
    python benchmarks/serving.py --embedded            SQLite and one process, as `make demo` runs

Both views are served by one server in one run, in turns, so that the ratio holds when the machine's
speed drifts. The database ``marquee_bench`` is dropped and made anew with --fresh.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.load import Load, get, run_load  # noqa: E402 - the path above comes first
from benchmarks.servers import free_port, gunicorn, running_server  # noqa: E402

PATHS = {"bare": "/bare", "recommend": "/api/v1/movies/recommendations?n=20"}
CLIENTS = 8


def main() -> None:
    options = _options()
    environment = _environment(options)
    _prepare(environment, options)
    tokens = json.loads(_manage(environment, str(options.films), str(options.viewers)))
    port = free_port()
    embedded = ["manage.py", "serve", "--host", "127.0.0.1", "--port", str(port)]
    words = embedded if options.embedded else gunicorn(port, workers=2)
    with running_server(words, environment, port):
        rounds = [_round(port, tokens, options.seconds) for _ in range(options.rounds)]
    _report(rounds, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--films", type=int, default=9066, help="more than the demo's: its films repeated")
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10, help="of each view in each round")
    parser.add_argument("--embedded", action="store_true", help="SQLite, waitress, worker in the process")
    parser.add_argument("--fresh", action="store_true", help="load and train anew")
    parser.add_argument("--postgres", default="postgres://postgres@127.0.0.1:5432", help="without a database")
    return parser.parse_args()


def _environment(options: argparse.Namespace) -> dict[str, str]:
    folder = ROOT / "var" / f"bench-{options.films}-{'sqlite' if options.embedded else 'postgres'}"
    folder.mkdir(parents=True, exist_ok=True)
    database = (
        f"sqlite:///{folder / 'bench.sqlite3'}"
        if options.embedded
        else f"{options.postgres}/marquee_bench_{options.films}"
    )
    return os.environ | {
        "DATABASE_URL": database,
        "ARTIFACT_DIR": str(folder / "artifacts"),
        "VECTOR_DIR": "",
        "DJANGO_SETTINGS_MODULE": "benchmarks.serving_site.settings",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "REDIS_URL": "",
        "CELERY_BROKER_URL": "memory://",
    }


def _prepare(environment: dict[str, str], options: argparse.Namespace) -> None:
    if options.embedded:
        if options.fresh:
            for file in Path(environment["DATABASE_URL"].removeprefix("sqlite:///")).parent.glob(
                "bench.sqlite3*"
            ):
                file.unlink()
        return
    name = environment["DATABASE_URL"].rsplit("/", 1)[1]
    server = f"{options.postgres}/postgres"
    if options.fresh:
        subprocess.run(["psql", server, "-qc", f"DROP DATABASE IF EXISTS {name}"], check=True)
    found = subprocess.run(
        ["psql", server, "-tAc", "SELECT datname FROM pg_database"],
        check=True,
        capture_output=True,
        text=True,
    )
    if name not in found.stdout.split():
        subprocess.run(["psql", server, "-qc", f"CREATE DATABASE {name}"], check=True)


def _manage(environment: dict[str, str], *words: str) -> str:
    command = [sys.executable, "-m", "benchmarks.serving_site.preparation", *words]
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip().splitlines()[-1]


def _round(port: int, tokens: list[str], seconds: float) -> dict[str, Load]:
    loads = {}
    for name, path in PATHS.items():
        requests = [get(path, token) for token in tokens]
        run_load(port, requests, clients=CLIENTS, seconds=min(2, seconds))
        loads[name] = run_load(port, requests, clients=CLIENTS, seconds=seconds)
    return loads


def _report(rounds: list[dict[str, Load]], options: argparse.Namespace) -> None:
    place = "SQLite, one process" if options.embedded else "PostgreSQL, gunicorn gthread 2 x 4"
    print(
        f"{options.films} films, {place}, {CLIENTS} clients, {options.viewers} viewers, JWT, 20 rows logged"
    )
    print(f"{'round':>5} {'view':<10} {'req/s':>7} {'p50 ms':>7} {'p95 ms':>7} {'p99 ms':>7} {'failed':>6}")
    for number, loads in enumerate(rounds, start=1):
        for name, load in loads.items():
            quantiles = " ".join(f"{load.percentile(percent):7.1f}" for percent in (50, 95, 99))
            print(f"{number:>5} {name:<10} {load.requests_per_second:7.0f} {quantiles} {load.failures:6}")
    ratios = [loads["recommend"].requests_per_second / loads["bare"].requests_per_second for loads in rounds]
    print(f"recommend / bare, by round: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
    print(f"median ratio {sorted(ratios)[len(ratios) // 2]:.2f}")


if __name__ == "__main__":
    main()
