"""The database, and what is known from its rows: the model and the signs of life."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.utils import timezone

from apps.core.beat import BEAT
from apps.core.migrated import is_migrated
from apps.core.models import Heartbeat
from apps.core.tasks import WORKER
from apps.experiments.services import assign
from apps.monitoring.parts.looking import Look
from apps.monitoring.parts.part import Part, ok, problem
from apps.training.models import ModelVersion, Recipe
from apps.training.registry import Refusal, engine, refusal_of
from apps.training.services.recipes import STANDARD

SILENT_AFTER = timedelta(minutes=3)


def _database() -> Iterator[Part]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        yield problem("database", "does not answer")
        return
    yield ok("database", "answers")
    if not is_migrated():
        yield problem("migrations", "missing: run manage.py migrate")
        return
    yield ok("migrations", "all run")
    yield from (_model(), _sign_of_life(WORKER), _sign_of_life(BEAT))


DATABASE = Look(("database", "migrations", "model", WORKER, BEAT), _database)


def _model() -> Part:
    recipe = assign(None).recipe
    live = ModelVersion.objects.filter(recipe__name=recipe, status=ModelVersion.Status.LIVE).first()
    serving = engine(recipe)
    refusal = refusal_of(live.name, recipe=recipe) if live else None
    if live is None or serving is None:
        return problem("model", _why_none(recipe, live, refusal))
    if live.name == serving.version:
        return ok("model", "loaded", **_facts(live.name, live))
    facts = _facts(serving.version, ModelVersion.objects.filter(name=serving.version).first())
    if refusal is None:
        return ok("model", f"{serving.version} serves until {live.name} is loaded", **facts)
    says = f"{_refused(live.name, refusal)}: {serving.version} serves instead; {_training(recipe)}"
    return problem("model", says, **facts)


def _why_none(recipe: str, live: ModelVersion | None, refusal: Refusal | None) -> str:
    missing, advice = f"recipe {recipe} has no version", _training(recipe)
    if live is not None:
        missing = _refused(live.name, refusal)
    elif recipe != STANDARD and not Recipe.objects.filter(name=recipe).exists():
        missing, advice = f"there is no recipe {recipe}", "choose another one in the serving policy"
    return f"{missing}: popular films are shown; {advice}"


def _refused(version: str, refusal: Refusal | None) -> str:
    why = f" ({refusal.reason})" if refusal else ""
    return f"the files of {version}, which is live, cannot be loaded{why}"


def _training(recipe: str) -> str:
    return f"run manage.py train --recipe {recipe}"


def _facts(version: str, row: ModelVersion | None) -> dict[str, object]:
    return {"version": version, "age_seconds": age_seconds(row.read_at) if row else None}


def _sign_of_life(name: str) -> Part:
    last = Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()
    if last is None:
        return problem(name, "no sign of life yet: start it")
    age = age_seconds(last)
    if age > SILENT_AFTER.total_seconds():
        return problem(name, f"no sign of life for {age} seconds: start it", age_seconds=age)
    return ok(name, "alive", age_seconds=age)


def age_seconds(since: datetime) -> int:
    """Whole seconds; 0 for what a clock that runs ahead has written."""
    return max(0, int((timezone.now() - since).total_seconds()))
