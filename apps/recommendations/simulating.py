"""A simulated public on this site: viewers nobody is behind, served and answering through the services.

Each page view asks ``recommend()`` for a list in whatever situation the site finds the viewer in; the public
(publics.py) says which of its films they look at and like, by the arm that placed each or by the film, and
the viewer says so through ``give_feedback()`` some seconds later, now and then twice or never. Time is a
clock of the simulation's own. Everything that comes of it is simulated traffic.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import numpy as np
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.services import create_simulated_viewers
from apps.algorithms.simulation import REFERENCE, Tastes
from apps.bandits.services import renew_landmarks
from apps.core import clock
from apps.core.errors import Conflict, InvalidInput
from apps.core.identifiers import uuid7
from apps.events.models import Kind, Slate, Surface
from apps.events.services import expire_pending, roll_up_movie_days
from apps.experiments.services import roll_up, start, watch
from apps.recommendations.publics import ArmPublic, SitePublic
from apps.recommendations.services import FeedbackRequest, give_feedback, recommend
from apps.recommendations.slates import MAX_LENGTH, ServedSlate, SlateRequest, Slot
from apps.training.services import reconcile_rollouts
from apps.training.services.rollouts import ask_for_rollout

DAY = timedelta(days=1)
LIKED_SAYS = ((Kind.RATE, 0.30), (Kind.THUMBS_UP, 0.10), (Kind.FAVORITE, 0.05), (Kind.WATCHLIST, 0.10))
"""What a viewer adds to the click on a film they like, and how often."""
LIKED_STARS = (4.0, 4.5, 5.0)
REFUSED = 0.01
"""The chance that a film looked at and not liked is dismissed or rated low."""
HOURS = ((0, 0.12), (6, 0.18), (12, 0.30), (18, 0.40))
"""Where a quarter of the day begins, by the site's clock, and its part of the page views."""
STARTED = "Simulated traffic"
"""Why an experiment is started with a simulation."""
GAP_SECONDS = 90.0
"""Mean time between two page views of a visit."""
OVERLAP = timedelta(minutes=5)
"""That is counted again each time: a list is counted by whole minutes."""


@dataclass(frozen=True)
class Plan:
    """What is simulated. ``visits`` is the mean number a viewer and day, ``views`` of pages a visit.

    ``start`` is aware; the simulation ends ``days`` later. ``tastes`` in seconds where they count requests.
    ``experiment`` is the key of a draft that is started with it, and ``rollout`` the name of a recipe whose
    rollout is asked for, both empty for none. What runs is counted and watched each ``watched_every``.
    """

    start: datetime
    days: int = 14
    n_viewers: int = 200
    visits: float = 0.5
    views: float = 2.5
    length: int = 12
    seed: int = 1
    tastes: Tastes = REFERENCE
    experiment: str = ""
    rollout: str = ""
    watched_every: timedelta = DAY

    def __post_init__(self) -> None:
        for name, least, most in (("days", 1, 366), ("n_viewers", 1, 1_000_000), ("length", 1, MAX_LENGTH)):
            if not least <= getattr(self, name) <= most:
                raise InvalidInput(f"{name} must lie between {least} and {most}, not {getattr(self, name)}")
        if not 0 < self.visits <= 50 or not 1 <= self.views <= 50:
            raise InvalidInput("visits must lie above 0 and up to 50, views between 1 and 50")
        if not timedelta(minutes=1) <= self.watched_every <= DAY or DAY % self.watched_every:
            raise InvalidInput("watched_every must divide a day, and be a minute or more")


@dataclass
class Tally:
    """What came of it.

    ``expected`` is the mean number of likes of the lists served, and ``best`` of the best there could have
    been: of a public of arms, that the best of the bandit's arms in that situation had filled alone.
    ``arms``, by name, are films shown and films liked.
    """

    slates: int = 0
    films: int = 0
    feedback: int = 0
    replays: int = 0
    expected: float = 0.0
    best: float = 0.0
    arms: dict[str, list[int]] = field(default_factory=dict)


@dataclass(order=True, frozen=True)
class _Due:
    """One act that is told at ``at``."""

    at: datetime
    number: int
    request: FeedbackRequest = field(compare=False)


def require_no_real_traffic() -> None:
    """Raises ``Conflict`` where the log holds a list that was made for somebody real."""
    if Slate.objects.exclude(user__is_simulated=True).exists():
        raise Conflict(
            "The log holds lists of real visitors: simulated ones would teach the bandit and the models, and "
            "stand in every report beside them. Name a database of its own in DATABASE_URL, or pass "
            "--beside-real"
        )


def simulate(plan: Plan, public: SitePublic | None = None) -> Iterator[Tally]:
    """Plays the plan, day after day; the tally so far after each. Between days the time is the machine's.

    ``public`` None likes by the arms, as the plan's ``tastes`` say. Raises ``NotFound`` and ``Conflict`` of
    an experiment or a rollout that cannot start, before anybody is made.
    """
    rng, time = np.random.default_rng(plan.seed), clock.SimulatedClock(plan.start)
    with clock.simulated(time):
        if plan.experiment:
            start(key=plan.experiment, by=None, reason=STARTED)
        if plan.rollout:
            ask_for_rollout(recipe=plan.rollout, by=None, reason=STARTED)
        viewers = create_simulated_viewers(plan.n_viewers, joined=plan.start)
    views = list(_page_views(plan, viewers, rng))
    public = public or ArmPublic(plan.tastes, rng)
    public.begin(viewers, n_requests=len(views), length=plan.length, at=plan.start)
    play = _Play(plan, public, rng, time)
    for day in range(1, plan.days + 1):
        end = plan.start + DAY * day
        with clock.simulated(time):
            for looked_at in _looks(end - DAY, end, plan.watched_every):
                play.view_until(views, looked_at)
                _watch(since=looked_at - plan.watched_every)
            _upkeep(end)
        yield play.tally


def _looks(first: datetime, last: datetime, every: timedelta) -> Iterator[datetime]:
    """Each ``every`` after ``first``, up to ``last``."""
    while first < last:
        first += every
        yield first


def _page_views(plan: Plan, viewers: list[User], rng: np.random.Generator) -> Iterator[tuple[datetime, User]]:
    """In order of time."""
    # From the midnight before the start to the last one before the end: a day more than it lasts.
    visits = rng.poisson(plan.visits, (plan.days + 1, len(viewers)))
    hours, shares = zip(*HOURS, strict=True)
    found: list[tuple[datetime, int]] = []
    for day, viewer in np.argwhere(visits).tolist():
        for _ in range(visits[day, viewer]):
            hour = float(rng.choice(hours, p=shares)) + rng.uniform(0, 6)
            at = site_midnight(plan.start + DAY * day) + timedelta(hours=hour)
            for _ in range(rng.geometric(1 / plan.views)):
                found.append((at, viewer))
                at += timedelta(seconds=rng.exponential(GAP_SECONDS))
    end = plan.start + DAY * plan.days
    for at, viewer in sorted(found):
        if plan.start <= at < end:
            yield at, viewers[viewer]


def site_midnight(at: datetime) -> datetime:
    """The one before, or at, that moment, by the site's time zone."""
    return timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)


def _watch(*, since: datetime) -> None:
    """What beat runs every few minutes on a site that is not simulated."""
    # The site may have counted by its own clock, which is ahead of this one.
    roll_up(since=since - OVERLAP)
    watch()
    reconcile_rollouts()


def _upkeep(now: datetime) -> None:
    """What it runs every day at least."""
    expire_pending(now=now)
    renew_landmarks(now=now)
    roll_up_movie_days(first=(now - DAY).date(), last=now.date())


class _Play:
    """The pages of a public and what it says of them, in order of time."""

    def __init__(
        self, plan: Plan, public: SitePublic, rng: np.random.Generator, time: clock.SimulatedClock
    ) -> None:
        self._plan, self._public, self._rng, self._time = plan, public, rng, time
        self._number = 0
        self._due: list[_Due] = []
        self._numbers = count()
        self.tally = Tally()

    def view_until(self, views: Sequence[tuple[datetime, User]], at: datetime) -> None:
        """Every page view before ``at``, and what is said before it."""
        while self._number < len(views) and views[self._number][0] < at:
            self.view(self._number, *views[self._number])
            self._number += 1
        self.tell_until(at)
        self._time.move_to(at)

    def view(self, number: int, at: datetime, viewer: User) -> None:
        """Serves page ``number``, after what was to be said before it, and plans what is said of it."""
        self.tell_until(at)
        self._time.move_to(at)
        unit, length = viewer.unit_key, self._plan.length
        slate = recommend(SlateRequest(viewer=viewer, unit_key=unit, surface=Surface.FOR_YOU, n=length))
        answers = self._public.answers(number, viewer, slate)
        for answer in answers:
            self._like(viewer, slate.slots[answer.slot], [at + timedelta(seconds=s) for s in answer.arrivals])
        self._refuse(viewer, slate, {answer.slot for answer in answers}, at)
        self._count(self._public.means(number, viewer, slate), slate, {answer.slot for answer in answers})

    def tell_until(self, at: datetime) -> None:
        """Gives what is due before ``at``, each at its time."""
        while self._due and self._due[0].at < at:
            due = heapq.heappop(self._due)
            self._time.move_to(due.at)
            given = give_feedback(due.request)
            self.tally.feedback += given.is_new
            self.tally.replays += not given.is_new

    def _like(self, viewer: User, slot: Slot, told_at: list[datetime]) -> None:
        acts = [self._act(viewer, slot, Kind.CLICK)]
        for kind, chance in LIKED_SAYS:
            if self._rng.random() < chance:
                stars = float(self._rng.choice(LIKED_STARS)) if kind is Kind.RATE else None
                acts.append(self._act(viewer, slot, kind, stars))
        for at in told_at:
            self._plan_acts(acts, at)

    def _refuse(self, viewer: User, slate: ServedSlate, liked: set[int], at: datetime) -> None:
        for number in np.flatnonzero(self._rng.random(len(slate.slots)) < REFUSED).tolist():
            if number not in liked:
                slot = slate.slots[number]
                act = self._act(viewer, slot, Kind.DISMISS)
                if self._rng.random() < 0.5:
                    act = self._act(viewer, slot, Kind.RATE, 2.0)
                self._plan_acts([act], at + timedelta(seconds=self._rng.exponential(GAP_SECONDS)))

    def _act(self, viewer: User, slot: Slot, kind: Kind, stars: float | None = None) -> FeedbackRequest:
        """Told again it is the same act: its ``client_id`` is."""
        return FeedbackRequest(
            viewer=viewer,
            movie_id=slot.movie_id,
            kind=kind,
            value=stars,
            event_id=slot.event_id,
            client_id=uuid7().hex,
        )

    def _plan_acts(self, acts: list[FeedbackRequest], at: datetime) -> None:
        for second, act in enumerate(acts):
            heapq.heappush(self._due, _Due(at + timedelta(seconds=second), next(self._numbers), act))

    def _count(self, means: tuple[float, float], slate: ServedSlate, liked: set[int]) -> None:
        tally = self.tally
        expected, best = means
        tally.slates += 1
        tally.films += len(slate.slots)
        tally.expected += expected
        tally.best += best
        for spot, slot in enumerate(slate.slots):
            shown_liked = tally.arms.setdefault(slot.algorithm, [0, 0])
            shown_liked[0] += 1
            shown_liked[1] += spot in liked
