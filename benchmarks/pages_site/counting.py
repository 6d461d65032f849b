"""What a page costs the server, said in its headers."""

import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

QUERIES, MILLISECONDS = "X-Queries", "X-Milliseconds"
UNCOUNTED = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


class CountingMiddleware:
    """Stands outside of all others, so that the session and the viewer count too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked: list[str] = []

        def count(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
            asked.append(sql)
            return execute(sql, *rest)

        began = time.perf_counter()
        with connection.execute_wrapper(count):
            response = self.get_response(request)
        response.headers[MILLISECONDS] = f"{(time.perf_counter() - began) * 1000:.2f}"
        response.headers[QUERIES] = str(sum(not sql.startswith(UNCOUNTED) for sql in asked))
        return response
