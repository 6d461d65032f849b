"""What a request costs at the edge, in µs: its id, its log line, its counters, with one process and several.

Run it as ``python -m benchmarks.edge``. ``/healthz`` does nothing itself, so that the edge is not lost in
the noise of a page. Each figure is the processor time of the best of nine rounds of 2,000 requests; the
lines go to nowhere.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROUNDS, REQUESTS = 9, 2_000


def main() -> None:
    with TemporaryDirectory() as folder:
        bare = measure(False, "")
        print(f"without the edge          {bare:6.1f}")
        print(f"with it, one process      {measure(True, '') - bare:+6.1f}")
        print(f"with it, several processes{measure(True, folder) - bare:+6.1f}")


def measure(is_on: bool, folder: str) -> float:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "recommender_site.settings.prod",
        "SECRET_KEY": "made-up-" * 8,
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": "sqlite://:memory:",
        "PROMETHEUS_MULTIPROC_DIR": folder,
    }
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.edge", "on" if is_on else "off"],
        env=environment,
        cwd=Path(__file__).resolve().parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return float(ended.stdout)


def ask(is_on: bool) -> float:
    """Microseconds of one request in this process."""
    import django
    from django.conf import settings
    from django.test import Client

    settings.MIDDLEWARE = ["apps.core.edge.EdgeMiddleware"] if is_on else []
    django.setup()
    browser, rounds = Client(), []
    browser.get("/healthz")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(REQUESTS):
            browser.get("/healthz")
        rounds.append((time.process_time() - began) / REQUESTS * 1e6)
    return min(rounds)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(ask(sys.argv[1] == "on"))
    else:
        main()
