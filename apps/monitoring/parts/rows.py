"""What the database says besides whether it answers: its version and clock, schedules, the model's files."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection
from django_celery_beat.models import PeriodicTask

from apps.core.schedules import is_own
from apps.experiments.services import assign
from apps.monitoring.parts.database import age_seconds
from apps.monitoring.parts.installation import is_production
from apps.monitoring.parts.looking import Look
from apps.monitoring.parts.part import Part, ok, problem, warning
from apps.training.artifacts import ArtifactRefused, open_artifact, verify_artifact
from apps.training.backlog import backlog
from apps.training.models import ModelVersion
from apps.training.services.runs import artifact_path

SKEW, BAD_SKEW = 2.0, 30.0
OLD_MODEL = timedelta(hours=48)


def rows() -> list[Look]:
    """For a database that answers and has every migration."""
    return [
        Look(("database version", "clock", "schedules", "backlog"), _rows),
        Look(("model files",), _model_files),
    ]


def _rows() -> Iterator[Part]:
    yield _version()
    yield _clock()
    yield _schedules()
    yield _backlog()


def _version() -> Part:
    if connection.vendor == "sqlite":
        says = f"SQLite {sqlite3.sqlite_version}"
        if is_production():
            return warning("database version", f"{says} serves one process: set DATABASE_URL to PostgreSQL")
        return ok("database version", says)
    # Django refuses a server that is too old on the first connection.
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return ok("database version", f"PostgreSQL {cursor.fetchone()[0].partition(' ')[0]}")


def _clock() -> Part:
    if connection.vendor == "sqlite":
        return ok("clock", "the database has no other")
    with connection.cursor() as cursor:
        before = datetime.now(UTC)
        cursor.execute("SELECT clock_timestamp()")
        theirs, after = cursor.fetchone()[0], datetime.now(UTC)
    skew = abs((theirs - (before + (after - before) / 2)).total_seconds())
    says = f"{skew:.1f} s from the database's"
    advice = "let both machines take the time from NTP"
    if skew <= SKEW:
        return ok("clock", says, skew_seconds=skew)
    judge = problem if skew > BAD_SKEW else warning
    return judge("clock", f"{says}: {advice}", skew_seconds=skew)


def _schedules() -> Part:
    own = [task for task in PeriodicTask.objects.all() if is_own(task.name)]
    off = sorted(task.name for task in own if not task.enabled)
    if not own:
        return problem(
            "schedules", "none: beat has nothing to do; run manage.py migrate on an empty database"
        )
    if off:
        return warning("schedules", f"switched off in the admin: {', '.join(off)}")
    return ok("schedules", f"{len(own)} are on")


def _backlog() -> Part:
    recipe = assign(None).recipe
    waiting = backlog(recipe)
    says = f"{waiting.buffer_size} ratings came since the model was fitted on {waiting.total_processed}"
    if not waiting.total_processed or not waiting.should_update:
        return ok("backlog", says)
    if settings.AUTO_UPDATE:
        return ok("backlog", f"{says}; an update takes them in within minutes")
    return warning("backlog", f"{says}, and AUTO_UPDATE is off: run manage.py train --recipe {recipe}")


def _model_files() -> Iterator[Part]:
    """Reads every byte of the live version's files."""
    recipe = assign(None).recipe
    live = ModelVersion.objects.filter(recipe__name=recipe, status=ModelVersion.Status.LIVE).first()
    if live is None:
        yield problem("model files", f"recipe {recipe} has no version: run manage.py train --recipe {recipe}")
        return
    try:
        open_artifact(artifact_path(live.artifact), live.manifest_sha256)
        verify_artifact(artifact_path(live.artifact))
    except ArtifactRefused as refusal:
        yield problem(
            "model files",
            f"{refusal} Bring them back from the backup, or run manage.py train --recipe {recipe}",
        )
        return
    age = timedelta(seconds=age_seconds(live.read_at))
    says = f"{live.name}: checksums hold, {age.total_seconds() / 3600:.0f} h old"
    if settings.AUTO_UPDATE and age > OLD_MODEL:
        yield warning("model files", f"{says}: the nightly fit failed or did not run; see Training runs")
    else:
        yield ok("model files", says)
