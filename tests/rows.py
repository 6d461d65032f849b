"""One row more of any table that the admin shows, each with films and people of its own."""

import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Model
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from apps.accounts.models import ApiKey, User
from apps.bandits.models import BanditPolicy
from apps.bandits.services import begin_version
from apps.catalog.models import Genre, Keyword, Movie, Person
from apps.core.models import AuditEntry, Heartbeat
from apps.events.models import Feedback, MovieDay, RecommendationEvent, Slate, SlateAssignment, Surface
from apps.experiments.models import Decision, Experiment, Holdout, Override, ServingPolicy
from apps.experiments.services import override
from apps.monitoring.models import DriftDay
from apps.ratings.models import Dismissal, Favorite, MovieMerge, Rating, Thumb, Unseen, WatchlistItem
from apps.recommendations.models import Viewer
from apps.training.models import BackTest, ModelUpdateLog, ModelVersion, Recipe, Rollout, TrainingRun
from tests.experiments.setup import make_experiment
from tests.factories import make_api_key, make_movie, make_rating, make_user

NOW = datetime(2026, 3, 14, 20, tzinfo=UTC)

_numbers = itertools.count(1)


def make_row(model: type[Model]) -> Model:
    """A row that was not there before; of a table that holds one row only, that row."""
    if model not in MAKERS:
        raise LookupError(f"tests/rows.py cannot make a row of {model._meta.label}: teach it")
    return MAKERS[model]()


def make_slate(user: User | None = None, **values: Any) -> Slate:
    user = user or make_user()
    defaults: dict[str, Any] = {
        "unit_key": user.unit_key,
        "user": user,
        "surface": Surface.API,
        "strategy": "svd",
        "recipe": "standard",
        "policy_version": 1,
        "counted": True,
        "n_requested": 1,
        "n_returned": 1,
        "latency_ms": 3.0,
        "seed": 1,
        "created_at": NOW,
    }
    return Slate.objects.create(**defaults | values)


def make_impression(user: User | None = None, movie: Movie | None = None) -> RecommendationEvent:
    slate = make_slate(user)
    return RecommendationEvent.objects.create(
        slate=slate,
        user=slate.user,
        movie=movie or make_movie(),
        algorithm="svd",
        recommendation_score=0.5,
        position=1,
        created_at=NOW,
    )


def _feedback() -> Feedback:
    event = make_impression()
    return Feedback.objects.create(
        unit_key=event.slate.unit_key,
        client_id="a",
        user=event.user,
        movie=event.movie,
        kind="click",
        event=event,
        occurred_at=NOW,
        received_at=NOW,
    )


def _decision() -> Decision:
    return Decision.objects.create(experiment=make_experiment(), phase=1, kind="start", at=NOW)


def _override() -> Override:
    key = make_experiment().key
    return override(key=key, unit_key=make_user().unit_key, variant="control", by=None, reason="a look")


def _preference(model: type[Model], **state: Any) -> Callable[[], Model]:
    return lambda: model._default_manager.create(
        user=make_user(), movie=make_movie(), changed_at=NOW, **state
    )


def _movie() -> Movie:
    number = next(_numbers)
    return make_movie(f"Row {number}", year=1990, genres=[f"Genre {number}"])


def _recipe() -> Recipe:
    return Recipe.objects.create(name=f"recipe-{next(_numbers)}")


def _run() -> TrainingRun:
    # Ended, because one alone may be running.
    status = TrainingRun.Status.SUCCEEDED
    return TrainingRun.objects.create(recipe=_recipe(), trigger="test", status=status)


def _version() -> ModelVersion:
    run = _run()
    return ModelVersion.objects.create(
        recipe=run.recipe,
        run=run,
        name=f"version-{run.pk}",
        manifest_sha256="0" * 64,
        read_at=NOW,
        n_users=1,
        n_movies=1,
        n_ratings=1,
        fit_seconds=1.0,
    )


def make_drift(**values: Any) -> DriftDay:
    """Of a day of its own, unless ``values`` name one."""
    defaults: dict[str, Any] = {
        "day": date(2026, 3, 1) + timedelta(days=next(_numbers)),
        "recipe": "standard",
        "version": "20260228T030000-1",
        "subject": "ratings",
        "status": DriftDay.Status.OK,
        "psi": 0.05,
        "on_nothing": 0.02,
        "by_chance": 0.1,
        "n_training": 100_000,
        "n_now": 500,
        "bins": [{"bin": "4.0", "training": 0.75, "now": 0.5}, {"bin": "5.0", "training": 0.25, "now": 0.5}],
        "computed_at": NOW,
    }
    return DriftDay.objects.create(**defaults | values)


def _every() -> IntervalSchedule:
    return IntervalSchedule.objects.create(every=next(_numbers), period=IntervalSchedule.HOURS)


def _periodic_task() -> PeriodicTask:
    every = _every()
    return PeriodicTask.objects.create(name=f"task {every.every}", task="a.task", interval=every)


def _policy() -> ServingPolicy:
    policy, _ = ServingPolicy.objects.get_or_create(
        pk=ServingPolicy.SINGLETON, defaults={"strategy": {"policy": "fixed", "arms": {"popular": 1.0}}}
    )
    return policy


def make_back_test(**values: Any) -> BackTest:
    run = _run()
    check = {"name": "people of the test", "figure": 12, "limit": 50, "way": "at least", "passed": False}
    defaults: dict[str, Any] = {
        "recipe": run.recipe,
        "against": "standard",
        "run": run,
        "n_train": 80,
        "n_test": 20,
        "n_people": 12,
        "checks": [check],
        "passed": False,
        "seconds": 1.5,
    }
    return BackTest.objects.create(**defaults | values)


def _rollout() -> Rollout:
    """One that ended: of those under way there is one at a time."""
    return Rollout.objects.create(
        recipe=_recipe(), against="standard", status="finished", reason="Better", asked_at=NOW
    )


MAKERS: Mapping[type[Model], Callable[[], Model]] = {
    ApiKey: lambda: make_api_key("metrics.read")[0],
    BackTest: make_back_test,
    BanditPolicy: lambda: begin_version(arms=["als", "svd"], reason="a test", by=None),
    AuditEntry: lambda: AuditEntry.objects.create(actor_name="ada", action="training.start"),
    CrontabSchedule: lambda: CrontabSchedule.objects.create(minute=str(next(_numbers) % 60)),
    Dismissal: _preference(Dismissal),
    DriftDay: make_drift,
    Favorite: _preference(Favorite),
    Feedback: _feedback,
    Genre: lambda: Genre.objects.create(name=f"Genre {next(_numbers)}"),
    Group: lambda: Group.objects.create(name=f"group {next(_numbers)}"),
    Heartbeat: lambda: Heartbeat.objects.create(name=f"worker-{next(_numbers)}", at=NOW),
    IntervalSchedule: _every,
    Keyword: lambda: Keyword.objects.create(name=f"keyword {next(_numbers)}"),
    ModelUpdateLog: lambda: ModelUpdateLog.objects.create(
        model_type="standard", update_type="warm_start_rebuild", update_trigger="test", duration_seconds=1.5
    ),
    ModelVersion: _version,
    Movie: _movie,
    MovieDay: lambda: MovieDay.objects.create(
        movie=make_movie(), day=date(2026, 3, 14), surface=Surface.API, shown=3, clicked=1
    ),
    MovieMerge: lambda: MovieMerge.objects.create(duplicate=make_movie(), kept=make_movie(), merged_at=NOW),
    PeriodicTask: _periodic_task,
    Person: lambda: Person.objects.create(name=f"Person {next(_numbers)}"),
    Rating: lambda: make_rating(),
    Recipe: _recipe,
    Rollout: _rollout,
    RecommendationEvent: make_impression,
    Decision: _decision,
    Experiment: make_experiment,
    Holdout: lambda: Holdout.objects.get_or_create(pk=Holdout.SINGLETON)[0],
    Override: _override,
    ServingPolicy: _policy,
    Slate: make_slate,
    SlateAssignment: lambda: SlateAssignment.objects.create(
        slate=make_slate(), experiment_key="a", phase=1, variant="b", counted=True
    ),
    Thumb: _preference(Thumb, direction=1),
    TrainingRun: _run,
    User: lambda: make_user(email="someone@example.org"),
    Unseen: _preference(Unseen),
    Viewer: lambda: Viewer.objects.get(pk=make_user().pk),
    WatchlistItem: _preference(WatchlistItem),
}
