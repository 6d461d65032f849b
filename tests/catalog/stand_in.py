"""A server that answers as TMDB does, on this machine."""

import json
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "0123456789abcdef0123456789abcdef"


@dataclass
class StandIn:
    """``films`` are answers by id. ``faults`` are sent first, one a request: (status, headers)."""

    url: str = ""
    films: dict[int, dict[str, Any]] = field(default_factory=dict)
    by_imdb_id: dict[str, list[int]] = field(default_factory=dict)
    results: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    faults: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)
    asked: Counter[str] = field(default_factory=Counter)

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        self.asked[path] += 1
        if query.get("api_key") != KEY:
            return 401, {}, {"status_code": 7, "status_message": "Invalid API key"}
        if self.faults:
            return (*self.faults.popleft(), {"status_message": "fault"})
        kind, _, last = path.removeprefix("/3/").rpartition("/")
        if kind == "movie" and int(last) in self.films:
            return 200, {}, {"id": int(last)} | self.films[int(last)]
        if kind == "find":
            return 200, {}, {"movie_results": [{"id": key} for key in self.by_imdb_id.get(last, [])]}
        if kind == "search":
            return 200, {}, {"results": self.results.get(query["query"], [])}
        return 404, {}, {"status_code": 34, "status_message": "The resource could not be found."}


@contextmanager
def tmdb_stand_in() -> Iterator[StandIn]:
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, headers, value = stand_in.answer(parts.path, query)
            body = json.dumps(value).encode()
            self.send_response(status)
            for name, text in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Silence."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        stand_in.url = f"http://127.0.0.1:{server.server_port}/3"
        try:
            yield stand_in
        finally:
            server.shutdown()
