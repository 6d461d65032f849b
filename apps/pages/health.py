"""``/healthz`` and ``/readyz``, for whatever starts, stops and balances this process.

``/healthz`` says that the process answers; it looks at nothing else. ``/readyz`` is 503 while the
database does not answer or lacks migrations. It is 200 and ``degraded`` while viewers are served, but
not as well as they should be: no model (popular films are shown) or no Redis, if one is configured.
"""

import logging
from functools import cache

from django.conf import settings
from django.core.cache import cache as shared_cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from apps.experiments.services import assign
from apps.training.registry import engine

logger = logging.getLogger(__name__)

OK = "ok"
NEEDED = ("database", "migrations")


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": OK})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    checks = _checks()
    if any(checks[name] != OK for name in NEEDED):
        return JsonResponse({"status": "unavailable", "checks": checks}, status=503)
    is_whole = all(state == OK for state in checks.values())
    return JsonResponse({"status": OK if is_whole else "degraded", "checks": checks})


def _checks() -> dict[str, str]:
    try:
        migrations = _migrations()
        model = _model() if migrations == OK else "unknown"
        checks = {"database": OK, "migrations": migrations, "model": model}
    except DatabaseError:
        logger.exception("readyz_database_failed")
        checks = {"database": "does not answer", "migrations": "unknown", "model": "unknown"}
    return checks | ({"redis": _redis()} if settings.REDIS_URL else {})


def _migrations() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK if is_migrated() else "missing: run manage.py migrate"


def is_migrated() -> bool:
    """Whether every migration has run. Looked up until it has, then known."""
    try:
        return _found_migrated()
    except _NotMigrated:
        return False


class _NotMigrated(Exception):
    """Raised so that only the good answer is kept."""


@cache
def _found_migrated() -> bool:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise _NotMigrated
    return True


def _model() -> str:
    return OK if engine(assign(None, {}).recipe) is not None else "none: run manage.py train"


def _redis() -> str:
    try:
        shared_cache.get("readyz")
    except (RedisError, OSError):
        return "does not answer"
    return OK
