"""Where a request comes in and goes out: its id, its one line in the log, its place in the counters."""

import logging
import re
import sys
import time
from collections.abc import Callable

from django.conf import settings
from django.core.signals import got_request_exception
from django.db import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject, empty

from apps.core import telemetry
from apps.core.identifiers import uuid7
from apps.core.logs import log_fields, under_request_id

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]
# Whoever invents methods must not invent counters.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ACCEPTED = re.compile(r"[A-Za-z0-9_-]{8,64}")


class EdgeMiddleware:
    """Takes a well-formed ``X-Request-ID`` or makes one; it is in every log line and answer.

    The line and the counters name the route (``/film/<id:movie_id>``), never the path.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _ACCEPTED.fullmatch(given) else uuid7().hex
        began = time.perf_counter()
        with under_request_id(request_id):
            response = self.get_response(request)
            _note(request, response.status_code, time.perf_counter() - began)
        response.headers["X-Request-ID"] = request_id
        return response


def route_of(request: HttpRequest) -> str:
    """The pattern that the path matched; ``static`` for files and ``unmatched`` for what there is not."""
    match = request.resolver_match
    if match is not None and match.route is not None:
        return f"/{match.route}"
    return "static" if request.path.startswith(settings.STATIC_URL) else "unmatched"


def _note(request: HttpRequest, status: int, seconds: float) -> None:
    method = request.method if request.method in METHODS else "other"
    route = route_of(request)
    telemetry.requests.labels(route, method, status).inc()
    telemetry.request_seconds.labels(route).observe(seconds)
    milliseconds = round(seconds * 1000, 1)
    facts = {"method": method, "route": route, "status": status, "ms": milliseconds, **_caller(request)}
    logger.info("request", extra=log_fields(**facts))


def _caller(request: HttpRequest) -> dict[str, int | None]:
    """The id of the account or key, if somebody asked for it already: a log line makes no query."""
    user = request.__dict__.get("user")
    if isinstance(user, SimpleLazyObject) and user.__dict__.get("_wrapped") is empty:
        user = None
    return {
        "user": getattr(user, "pk", None),
        "key": getattr(getattr(request, "auth", None), "pk", None),
    }


def _count_error(sender: object, **_: object) -> None:
    """Called while the exception is handled."""
    is_database = isinstance(sys.exc_info()[1], DatabaseFailure)
    telemetry.unhandled_errors.labels("database" if is_database else "other").inc()


got_request_exception.connect(_count_error, dispatch_uid="apps.core.edge")
