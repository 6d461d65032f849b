"""The admin's front page: a few figures, what needs a hand, what is shown most and what was done last,
each for who may follow it further.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Model, Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.timesince import timesince

from apps.accounts.models import ApiKey, User
from apps.catalog.models import Movie
from apps.core.admin import list_url, may_see, row_url
from apps.core.cached import Brief
from apps.core.identifiers import first_uuid7
from apps.core.models import AuditEntry, Heartbeat
from apps.events.models import Feedback, Kind, MovieDay, Slate
from apps.experiments.policy import current_policy
from apps.monitoring.parts.part import State
from apps.monitoring.readiness import readiness
from apps.recommendations.models import Viewer
from apps.training.backlog import Backlog, backlog
from apps.training.models import ModelVersion, TrainingRun

DAY, WEEK = timedelta(days=1), timedelta(days=7)
MOST_ROWS = 6


@dataclass(frozen=True)
class Figure:
    """``note`` says what the value leaves out; ``url`` is the table that it counts."""

    name: str
    value: str
    note: str
    url: str


@dataclass(frozen=True)
class Need:
    text: str
    url: str


@dataclass(frozen=True)
class Overview:
    """``films`` are rows of ``movie_id title year shown clicked``, most shown in 7 days of UTC first."""

    figures: Sequence[Figure]
    needs: Sequence[Need]
    films: Sequence[dict[str, Any]]
    acts: Sequence[AuditEntry]


@dataclass(frozen=True)
class _Counted:
    """What the database says, as of a moment ago. No count reads more of the log than a week."""

    films: dict[str, int]
    people: dict[str, int]
    slates: dict[str, int]
    clicks: dict[str, int]
    live: ModelVersion | None
    backlog: Backlog
    heartbeats: dict[str, datetime]
    last_run: TrainingRun | None
    expiring_keys: int
    films_shown: Sequence[dict[str, Any]]
    acts: Sequence[AuditEntry]


def add_overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's hook for the front page."""
    return context | {"overview": overview(request)}


def overview(request: HttpRequest) -> Overview:
    """What this member of staff may see of it."""
    counted = _lately.get()
    figures = [figure for model, make in _FIGURES for figure in _if_seen(request, model, make, counted)]
    needs = [need for model, need in _needs(counted) if may_see(request, model)]
    films = counted.films_shown if may_see(request, MovieDay) else []
    acts = counted.acts if may_see(request, AuditEntry) else []
    return Overview(figures, needs, films, acts)


def _count() -> _Counted:
    now = timezone.now()
    recipe = current_policy().recipe
    live = ModelVersion.objects.filter(recipe__name=recipe, status=ModelVersion.Status.LIVE)
    expiring = ApiKey.objects.filter(revoked_at=None, expires_at__gt=now, expires_at__lte=now + WEEK)
    return _Counted(
        films=Movie.objects.aggregate(
            shown=Count("pk", filter=Q(is_available=True)), hidden=Count("pk", filter=Q(is_available=False))
        ),
        people=User.objects.viewers().aggregate(
            accounts=Count("pk", filter=Q(is_guest=False)), guests=Count("pk", filter=Q(is_guest=True))
        ),
        slates=_slates(now),
        clicks=_clicks(now),
        live=live.first(),
        backlog=backlog(recipe),
        heartbeats=dict(Heartbeat.objects.values_list("name", "at")),
        last_run=TrainingRun.objects.exclude(status=TrainingRun.Status.RUNNING).first(),
        expiring_keys=expiring.count(),
        films_shown=_most_shown(now),
        acts=list(AuditEntry.objects.order_by("-pk")[:MOST_ROWS]),
    )


_lately = Brief(_count)


def _slates(now: datetime) -> dict[str, int]:
    """By ranges of the primary key, which begins with the time."""
    since = Q(pk__gte=first_uuid7(now - DAY))
    return Slate.objects.filter(pk__gte=first_uuid7(now - WEEK)).aggregate(
        week=Count("pk"), day=Count("pk", filter=since), fell_back=Count("pk", filter=since & ~Q(degraded=""))
    )


def _clicks(now: datetime) -> dict[str, int]:
    clicks = Feedback.objects.filter(kind__in=[Kind.CLICK, Kind.VIEW], received_at__gte=now - WEEK)
    return clicks.aggregate(week=Count("pk"), day=Count("pk", filter=Q(received_at__gte=now - DAY)))


def _most_shown(now: datetime) -> list[dict[str, Any]]:
    """Of the counts by film and day, which are a few minutes old."""
    lately = MovieDay.objects.filter(day__gt=(now - WEEK).astimezone(UTC).date())
    films = lately.values("movie_id", title=F("movie__title"), year=F("movie__year"))
    counts: QuerySet[MovieDay, Any] = films.annotate(shown=Sum("shown"), clicked=Sum("clicked"))
    return list(counts.order_by("-shown", "movie_id")[:MOST_ROWS])


# --- Figures --------------------------------------------------------------------------------------


def _films(counted: _Counted) -> Figure:
    return Figure(
        "Films",
        f"{counted.films['shown']:,}",
        f"{counted.films['hidden']:,} hidden",
        list_url(Movie, shown="yes"),
    )


def _viewers(counted: _Counted) -> Figure:
    accounts, guests = counted.people["accounts"], counted.people["guests"]
    note = f"accounts {accounts:,}, guests {guests:,}"
    return Figure("Viewers", f"{accounts + guests:,}", note, list_url(Viewer))


def _shown(counted: _Counted) -> Figure:
    note = f"in 24 hours; {counted.slates['week']:,} in 7 days"
    return Figure("Lists shown", f"{counted.slates['day']:,}", note, list_url(Slate))


def _clicked(counted: _Counted) -> Figure:
    note = f"in 24 hours; {counted.clicks['week']:,} in 7 days"
    return Figure("Clicks", f"{counted.clicks['day']:,}", note, list_url(Feedback, kind__exact="click"))


def _model(counted: _Counted) -> Figure:
    live = counted.live
    if live is None:
        return Figure("Live version", "none", "popular films are shown", list_url(ModelVersion))
    age = f"{_since(live.read_at)} old"
    return Figure("Live version", age, live.name, row_url(ModelVersion, live.pk))


def _backlog(counted: _Counted) -> Figure:
    note = f"not in the live version, which has {counted.backlog.total_processed:,}"
    return Figure("Ratings waiting", f"{counted.backlog.buffer_size:,}", note, list_url(TrainingRun))


def _worker(counted: _Counted) -> Figure:
    at = counted.heartbeats.get("worker")
    value = "never seen" if at is None else f"{_since(at)} ago"
    return Figure("Worker's last sign of life", value, "one a minute is usual", list_url(Heartbeat))


_FIGURES: Sequence[tuple[type[Model], Callable[[_Counted], Figure]]] = (
    (Movie, _films),
    (Viewer, _viewers),
    (Slate, _shown),
    (Feedback, _clicked),
    (ModelVersion, _model),
    (TrainingRun, _backlog),
    (Heartbeat, _worker),
)


def _if_seen(
    request: HttpRequest, model: type[Model], make: Callable[[_Counted], Figure], counted: _Counted
) -> Iterator[Figure]:
    if may_see(request, model):
        yield make(counted)


def _since(at: datetime) -> str:
    """In the largest unit alone: "3 hours"."""
    return timesince(at, depth=1).replace("\xa0", " ")


# --- What needs a hand ----------------------------------------------------------------------------


def _needs(counted: _Counted) -> Iterator[tuple[type[Model], Need]]:
    for part in readiness().parts:
        if part.state is State.PROBLEM:
            model = ModelVersion if part.name == "model" else Heartbeat
            yield model, Need(f"{part.name.capitalize()}: {part.says}", list_url(model))
    yield from _training_needs(counted)
    fell_back = counted.slates["fell_back"]
    if fell_back:
        text = f"Lists that fell back to popular films in 24 hours: {fell_back:,}"
        yield Slate, Need(text, list_url(Slate, fell_back="yes"))
    if counted.expiring_keys:
        text = f"API keys that expire within 7 days: {counted.expiring_keys}"
        yield ApiKey, Need(text, list_url(ApiKey, state="good"))


def _training_needs(counted: _Counted) -> Iterator[tuple[type[Model], Need]]:
    run = counted.last_run
    if run is not None and run.status != TrainingRun.Status.SUCCEEDED:
        yield TrainingRun, Need(f"The last training {run.status}: look why", row_url(TrainingRun, run.pk))
    if counted.live is not None and counted.backlog.should_update:
        text = f"Ratings that wait for a training: {counted.backlog.buffer_size:,}"
        yield TrainingRun, Need(text, list_url(TrainingRun))
