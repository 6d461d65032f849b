"""From a rating to a changed list: milliseconds over HTTP, with no training in between.

    python benchmarks/feedback.py --url http://127.0.0.1:8000

Signs up a viewer of its own at a running site, rates popular films, and after each rating asks for the
list. A round counts from the moment the rating is sent to the moment the new list is read.
"""

import argparse
import http.client
import json
import secrets
import time
from typing import Any
from urllib.parse import urlsplit


class Site:
    """One kept-alive connection, signed in as a new viewer."""

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        name = f"bench-{secrets.token_hex(4)}"
        account = {"username": name, "password": secrets.token_urlsafe(16)}
        self.token = ""
        self.token = str(self.call("POST", "/auth/register", account)["access"])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        text = None if body is None else json.dumps(body)
        self.connection.request(method, f"/api/v1{path}", text, headers)
        answer = self.connection.getresponse()
        data = json.loads(answer.read())
        if answer.status >= 400:
            raise SystemExit(f"{method} {path}: {data['detail']}")
        return data

    def slate(self) -> Any:
        return self.call("GET", "/movies/recommendations?n=20")


def measure(site: Site, rounds: int) -> list[tuple[float, bool]]:
    """(ms, whether the list changed and lost the rated film), round by round."""
    results = []
    for _ in range(rounds):
        before = [slot["movie_id"] for slot in site.slate()["recommendations"]]
        rated = before[0]
        started = time.perf_counter()
        site.call("POST", "/events", {"item_id": rated, "event_type": "rate", "rating": 5.0})
        after = site.slate()
        elapsed = (time.perf_counter() - started) * 1000
        shown = [slot["movie_id"] for slot in after["recommendations"]]
        results.append((elapsed, shown != before and rated not in shown))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args()
    site = Site(options.url)
    version = site.slate()["model_version"]
    results = measure(site, options.rounds)
    unchanged = sum(not changed for _, changed in results)
    times = sorted(elapsed for elapsed, _ in results)
    print(f"{len(times)} ratings, each followed by the list; lists that did not change: {unchanged}")
    print(f"same model version before and after: {version == site.slate()['model_version']}")
    median, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
    print(f"ms: median {median:.1f}, p95 {p95:.1f}, max {times[-1]:.1f}")


if __name__ == "__main__":
    main()
