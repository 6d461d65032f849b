"""Seconds and peak memory of loading a million ratings into an empty PostgreSQL and SQLite.

    python benchmarks/importing.py                  1,000,040 ratings: the demo's, ten times
    python benchmarks/importing.py --copies 100     ten million

The ratings are those of the demo, in a CSV made here: copy after copy, with people and times shifted, so
that each copy brings people of its own who rate the same films. Each load is a process of its own; its
peak is the resident memory that the system saw. The marks are 60 s and 500 MB for a million ratings in
PostgreSQL, 90 s in SQLite. The databases ``marquee_bench_importing`` are dropped and made anew.
"""

import argparse
import csv
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from apps.core.importing.bad_lines import BadLines  # noqa: E402 - the path above comes first
from apps.ratings.importing.demo import DemoSource  # noqa: E402
from benchmarks.demo import repeat_people  # noqa: E402

NAME = "marquee_bench_importing"
MARKS = {"PostgreSQL": (60, 500), "SQLite": (90, None)}


@dataclass(frozen=True)
class Run:
    seconds: float
    peak_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--copies", type=int, default=10, help="of the demo's 100,004 ratings")
    parser.add_argument("--postgres", default="postgres://postgres@127.0.0.1:5432", help="without a database")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        data = Path(folder, "million")
        n_ratings = write_ratings(data, options.copies)
        print(f"{n_ratings:,} ratings, {sum(file.stat().st_size for file in data.iterdir()) / 1e6:.0f} MB")
        databases = {
            "PostgreSQL": fresh_postgres(options.postgres),
            "SQLite": f"sqlite:///{Path(folder, f'{NAME}.sqlite3')}",
        }
        for name, url in databases.items():
            manage(url, "migrate", "-v0")
            first = manage(url, "load_movielens", str(data), "--json")
            again = manage(url, "load_movielens", str(data), "--json")
            report(name, first, again, is_marked=options.copies == 10)


def write_ratings(folder: Path, copies: int) -> int:
    """The CSV files of the data set; how many ratings they hold."""
    folder.mkdir()
    demo = DemoSource()
    with (folder / "movies.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["movieId", "title", "genres"])
        for film in demo.films(BadLines()):
            title = film.title or f"Film {film.film}"
            genres = "|".join(film.genres) or "(no genres listed)"
            writer.writerow([film.film, f"{title} ({film.year})" if film.year else title, genres])
    ratings = list(demo.ratings(BadLines()))
    with (folder / "ratings.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["userId", "movieId", "rating", "timestamp"])
        writer.writerows([r.person, r.film, r.stars, r.at] for r in repeat_people(ratings, copies))
    return len(ratings) * copies


def fresh_postgres(server: str) -> str:
    connection = psycopg2.connect(f"{server}/postgres")
    connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {NAME}")
        cursor.execute(f"CREATE DATABASE {NAME}")
    connection.close()
    return f"{server}/{NAME}"


def manage(url: str, *arguments: str) -> Run:
    """Runs a command in a process of its own and waits for it, and for it alone, with its usage."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "LOG_LEVEL": "WARNING"},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"manage.py {' '.join(arguments)} failed on {url}")
    return Run(seconds, usage.ru_maxrss * _rss_unit() / 1e6)


def report(name: str, first: Run, again: Run, *, is_marked: bool) -> None:
    print(f"{name}: {first.seconds:.1f} s, peak {first.peak_mb:.0f} MB; again {again.seconds:.1f} s")
    for what, value, mark in zip(("s", "MB"), (first.seconds, first.peak_mb), MARKS[name], strict=True):
        if is_marked and mark is not None and value > mark:
            print(f"  over the mark of {mark} {what}")


def _rss_unit() -> int:
    """Bytes in a unit of ``ru_maxrss``: kilobytes, except on macOS."""
    return 1 if sys.platform == "darwin" else 1024


if __name__ == "__main__":
    main()
