"""Queries, bytes, requests and server ms of every page, for a viewer with many ratings and a visitor.

    python benchmarks/pages.py                 a SQLite file of its own, gunicorn
    python benchmarks/pages.py --database postgres://postgres@127.0.0.1:5432/an_empty_one

Loads the demo data and trains the first time. Requests are what Chromium asks for with nothing cached,
the page itself included and posters left out; bytes are of the page alone.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Request, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.servers import free_port, gunicorn, running_server  # noqa: E402 - the path above comes first

FOLDER = ROOT / "var" / "bench-pages"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUERIES, MILLISECONDS = "X-Queries", "X-Milliseconds"
PAGES = {
    "home": "/",
    "browse": "/browse",
    "browse, filtered": "/browse?genre=Comedy&genre=Drama&exclude_genre=War&year_min=1990&ordering=-year",
    "browse, nothing left": "/browse?genre=Musical&genre=Film-Noir&year_min=1990",
    "search": "/search?q=the+ma",
    "titles while one types": "/search/suggestions?q=the+ma",
    "film": "/film/{film}",
    "hidden gems": "/gems",
    "surprise me": "/surprise",
    "my films": "/my-films",
    "ten films to start with": "/welcome",
    "settings": "/settings",
    "about": "/about",
    "log in": "/log-in",
    "sign up": "/sign-up",
}


@dataclass(frozen=True)
class Cost:
    status: int
    queries: int
    n_bytes: int
    requests: int
    milliseconds: float


def main() -> None:
    options = _options()
    FOLDER.mkdir(parents=True, exist_ok=True)
    environment = _environment(options.database)
    prepared = json.loads(_prepare(environment))
    port = free_port()
    with running_server(gunicorn(port, workers=1), environment, port), sync_playwright() as playwright:
        sandbox = [] if os.geteuid() else ["--no-sandbox"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*sandbox, "--disable-gpu"])
        callers = {
            f"viewer, {prepared['rated']} ratings": {prepared["name"]: prepared["cookie"]},
            "visitor": _cookies_of_a_visitor(port),
        }
        for name, cookies in callers.items():
            _report(name, _costs(browser, port, cookies, prepared["film"], options.times))
        browser.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", default=f"sqlite:///{FOLDER / 'pages.sqlite3'}", help="DATABASE_URL")
    parser.add_argument("--times", type=int, default=15, help="how often each page is asked for")
    return parser.parse_args()


def _environment(database: str) -> dict[str, str]:
    kind = database.split(":", 1)[0]
    return os.environ | {
        "DATABASE_URL": database,
        "ARTIFACT_DIR": str(FOLDER / f"artifacts-{kind}"),
        "VECTOR_DIR": "",
        "DJANGO_SETTINGS_MODULE": "benchmarks.pages_site.settings",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "REDIS_URL": "",
        "CELERY_BROKER_URL": "memory://",
    }


def _prepare(environment: Mapping[str, str]) -> str:
    command = [sys.executable, "-m", "benchmarks.pages_site.preparation"]
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip().splitlines()[-1]


def _cookies_of_a_visitor(port: int) -> dict[str, str]:
    """What a browser holds after its first page: from then on its lists are logged."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/about")
    answer = connection.getresponse()
    answer.read()
    set_cookies = [value for name, value in answer.getheaders() if name.lower() == "set-cookie"]
    return dict(value.split(";", 1)[0].split("=", 1) for value in set_cookies)


def _costs(browser: Browser, port: int, cookies: Mapping[str, str], film: int, times: int) -> dict[str, Cost]:
    paths = {name: path.format(film=film) for name, path in PAGES.items()}
    return {name: _cost(browser, port, path, cookies, times) for name, path in paths.items()}


def _cost(browser: Browser, port: int, path: str, cookies: Mapping[str, str], times: int) -> Cost:
    """Medians over ``times`` requests, the first left out: it may load a model or a template."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    milliseconds, queries, body, status = [], [], b"", 0
    for number in range(times + 1):
        connection.request("GET", path, headers={"Cookie": cookie})
        answer = connection.getresponse()
        body, status = answer.read(), answer.status
        if number:
            milliseconds.append(float(answer.headers[MILLISECONDS]))
            queries.append(int(answer.headers[QUERIES]))
    return Cost(
        status=status,
        queries=int(statistics.median(queries)),
        n_bytes=len(body),
        requests=_requests(browser, port, path, cookies),
        milliseconds=statistics.median(milliseconds),
    )


def _requests(browser: Browser, port: int, path: str, cookies: Mapping[str, str]) -> int:
    site = f"http://127.0.0.1:{port}"
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.add_cookies([{"name": name, "value": value, "url": site} for name, value in cookies.items()])
        page = context.new_page()
        asked: set[str] = set()

        def note(request: Request) -> None:
            if "/poster/" not in request.url:
                asked.add(request.url)

        page.on("request", note)
        page.goto(site + path)
        page.wait_for_load_state("networkidle")
        return len(asked)


def _report(name: str, costs: Mapping[str, Cost]) -> None:
    print(f"\n{name}\n")
    print("| page | queries | bytes | requests | server ms |\n|---|---|---|---|---|")
    for page, cost in costs.items():
        note = "" if cost.status == 200 else f" (leads on: {cost.status})"
        cells = (cost.queries, f"{cost.n_bytes:,}", cost.requests, f"{cost.milliseconds:.1f}")
        print(f"| {page}{note} | {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    main()
