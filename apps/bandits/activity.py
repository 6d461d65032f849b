"""What a version of the bandit did day by day, by its log: whom it drew, explored and held back, and how each
arm fared.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Case, Count, Q, Subquery, When
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from apps.algorithms.context import N_CONTEXTS
from apps.algorithms.ope import UnitSums
from apps.bandits.beliefs import Bandit, believed
from apps.bandits.models import BanditPolicy
from apps.events.models import Slate

MAX_LISTS = 100_000
"""Of the newest of a version that are read."""
FLOOR = 1e-3
"""Above what exploring gives it, the chance to be drawn first of an arm that is there to be explored only."""

# The films are read once, by arm, day and viewer: sums by day, and those over viewers, are sums of these.
_DAYS = {
    "postgresql": "to_char(slates.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
    "sqlite": "substr(slates.created_at, 1, 10)",
}
_FILMS = """
WITH told AS (
SELECT film.algorithm AS arm, COALESCE(slates.unit_key, slates.id) AS unit, {day} AS day, COUNT(*) AS shown,
SUM(CASE WHEN film.outcome = 'success' THEN 1 ELSE 0 END) AS successes
FROM slates JOIN recommendation_events AS film ON film.slate_id = slates.id
WHERE slates.bandit_version = %(version)s AND slates.counted AND slates.created_at >= %(since)s
AND film.bandit_context IS NOT NULL AND film.propensity IS NOT NULL
GROUP BY film.algorithm, COALESCE(slates.unit_key, slates.id), {day}
), of_arms AS (
SELECT arm, SUM(shown) AS shown, SUM(successes) AS successes FROM told GROUP BY arm, unit
), of_all AS (
SELECT SUM(shown) AS shown, SUM(successes) AS successes FROM told GROUP BY unit
)
SELECT arm, day, 0, SUM(shown), SUM(successes), 0, 0, 0 FROM told GROUP BY arm, day
UNION ALL
SELECT arm, NULL, COUNT(*), SUM(shown), SUM(successes), SUM(shown * shown), SUM(successes * successes),
SUM(shown * successes) FROM of_arms GROUP BY arm
UNION ALL
SELECT NULL, NULL, COUNT(*), SUM(shown), SUM(successes), SUM(shown * shown), SUM(successes * successes),
SUM(shown * successes) FROM of_all
"""
_NO_FILMS = UnitSums(0, 0, 0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Day:
    """Lists that count of one day in UTC. ``drawn`` were drawn by belief or to explore, the others by fixed
    weights. ``first`` is how often each arm was drawn first, ``films`` how many slots were its own.
    """

    day: date
    lists: int
    drawn: int
    explored: int
    capped: int
    first: Mapping[str, int]
    films: Mapping[str, int]

    @property
    def by_belief(self) -> int:
        return self.drawn - self.explored


@dataclass(frozen=True)
class ArmActivity:
    """``held_back`` is how often the arm was put second because of its share, ``days_over`` on how many days
    its share of first draws was above ``max_share``. ``share_now`` is that of the fading window that the cap
    goes by, and ``n_floor`` the number of contexts in which only exploring draws it first, both as of now.
    """

    name: str
    first: int
    held_back: int
    days_over: int
    share_now: float
    n_floor: int
    films: UnitSums


@dataclass(frozen=True)
class Activity:
    """``days`` has every day from the first with a list to today, oldest first. ``undrawn`` are the lists
    that the version was asked for and left to the fixed policy, since an arm knew nothing of the viewer; they
    are in none of the other figures. ``is_cut`` says that there are more than ``MAX_LISTS`` lists in the
    period, and the oldest are left out.
    """

    arms: tuple[ArmActivity, ...]
    days: tuple[Day, ...]
    films: UnitSums
    undrawn: int
    is_cut: bool

    @property
    def lists(self) -> int:
        return sum(day.lists for day in self.days)

    @property
    def drawn(self) -> int:
        return sum(day.drawn for day in self.days)

    @property
    def explored(self) -> int:
        return sum(day.explored for day in self.days)

    @property
    def capped(self) -> int:
        return sum(day.capped for day in self.days)


@dataclass(frozen=True)
class _Films:
    by_day: Mapping[str, Mapping[str, int]]
    by_arm: Mapping[str, UnitSums]
    all: UnitSums


def activity_of(version: int, *, days: int) -> Activity:
    """What the version did in the last ``days``. Five queries. Raises ``KeyError`` for one that is none.

    Only lists that count are in it, and of them only films that the drawn arm placed itself.
    """
    now = timezone.now()
    since, is_cut = _start(version, now - timedelta(days=days))
    bandit = believed(version)
    films = _films(version, since)
    lists = _lists(version, since)
    by_day = _days(lists, films.by_day, bandit.arms, now)
    arms = tuple(
        _arm(bandit, spot, by_day, lists, films.by_arm.get(arm, _NO_FILMS))
        for spot, arm in enumerate(bandit.arms)
    )
    return Activity(arms, by_day, films.all, _count_undrawn(bandit.policy, since), is_cut)


def has_lists(version: int, *, days: int) -> bool:
    """Whether the version made a list in the last ``days``, counted or not. One query."""
    since = timezone.now() - timedelta(days=days)
    return Slate.objects.filter(bandit_version=version, created_at__gte=since).exists()


def _start(version: int, since: datetime) -> tuple[datetime, bool]:
    lists = Slate.objects.filter(bandit_version=version, counted=True, created_at__gte=since)
    times = lists.order_by("-created_at").values_list("created_at", flat=True)
    left_out = list(times[MAX_LISTS : MAX_LISTS + 1])
    return (left_out[0] + timedelta(microseconds=1), True) if left_out else (since, False)


def _lists(version: int, since: datetime) -> Sequence[Mapping[str, Any]]:
    """Counts by day, by the arm drawn first and by the one held back, if there is one."""
    held_back = Case(When(posterior__capped=True, then=KT("posterior__arms__1")), default=None)
    lists = Slate.objects.filter(bandit_version=version, counted=True, created_at__gte=since).order_by()
    return list(
        lists.values(
            day=TruncDate("created_at", tzinfo=UTC), first=KT("posterior__arms__0"), held_back=held_back
        ).annotate(
            n=Count("pk"),
            n_explored=Count("pk", filter=Q(posterior__explored=True)),
            n_capped=Count("pk", filter=Q(posterior__capped=True)),
        )
    )


def _count_undrawn(policy: BanditPolicy, since: datetime) -> int:
    """Lists that count of the time in which the version served its arms."""
    newer = BanditPolicy.objects.filter(arms=policy.arms, version__gt=policy.version).order_by("version")
    lists = Slate.objects.filter(
        strategy="bandit",
        bandit_version=None,
        degraded="",
        counted=True,
        created_at__gte=max(since, policy.started_at),
        created_at__lt=Coalesce(Subquery(newer.values("started_at")[:1]), timezone.now()),
    )
    # A strategy names its arms in whatever order.
    by_arms = lists.order_by().values_list(KT("strategy_config__arms")).annotate(n=Count("pk"))
    return sum(n for arms, n in by_arms if arms and sorted(json.loads(arms)) == policy.arms)


def _films(version: int, since: datetime) -> _Films:
    by_day: dict[str, dict[str, int]] = defaultdict(dict)
    by_arm: dict[str, UnitSums] = {}
    total = _NO_FILMS
    with connection.cursor() as cursor:
        start = connection.ops.adapt_datetimefield_value(since)
        cursor.execute(_FILMS.format(day=_DAYS[connection.vendor]), {"version": version, "since": start})
        for arm, day, *numbers in cursor.fetchall():
            # Sums are numerics on PostgreSQL, and NULL where there is nothing to add up.
            units, shown, successes, *squares = (float(number or 0) for number in numbers)
            if day is not None:
                by_day[day][arm] = int(shown)
                continue
            sums = UnitSums(int(units), int(shown), int(successes), *squares)
            if arm is None:
                total = sums
            else:
                by_arm[arm] = sums
    return _Films(by_day, by_arm, total)


def _days(
    lists: Sequence[Mapping[str, Any]],
    films: Mapping[str, Mapping[str, int]],
    arms: Iterable[str],
    now: datetime,
) -> tuple[Day, ...]:
    if not lists:
        return ()
    rows: dict[date, list[Mapping[str, Any]]] = defaultdict(list)
    for row in lists:
        rows[row["day"]].append(row)
    first, last = min(rows), max(*rows, now.astimezone(UTC).date())
    every = [first + timedelta(days=spot) for spot in range((last - first).days + 1)]
    return tuple(_day(day, rows[day], films.get(day.isoformat(), {}), arms) for day in every)


def _day(day: date, rows: Sequence[Mapping[str, Any]], films: Mapping[str, int], arms: Iterable[str]) -> Day:
    first: Counter[str] = Counter()
    for row in rows:
        if row["first"] is not None:
            first[row["first"]] += row["n"]
    return Day(
        day=day,
        lists=sum(row["n"] for row in rows),
        drawn=first.total(),
        explored=sum(row["n_explored"] for row in rows),
        capped=sum(row["n_capped"] for row in rows),
        first={arm: first[arm] for arm in arms},
        films={arm: films.get(arm, 0) for arm in arms},
    )


def _arm(
    bandit: Bandit, spot: int, days: Sequence[Day], lists: Sequence[Mapping[str, Any]], films: UnitSums
) -> ArmActivity:
    name, sampler = bandit.arms[spot], bandit.beliefs.sampler
    firsts = np.array([bandit.beliefs.rank_propensities(context)[spot, 0] for context in range(N_CONTEXTS)])
    return ArmActivity(
        name=name,
        first=sum(day.first[name] for day in days),
        held_back=sum(row["n"] for row in lists if row["held_back"] == name),
        days_over=sum(day.first[name] > sampler.max_share * day.drawn for day in days),
        share_now=float(bandit.beliefs.state.shares[spot]),
        n_floor=int((firsts - sampler.explore / sampler.n_arms < FLOOR).sum()),
        films=films,
    )
