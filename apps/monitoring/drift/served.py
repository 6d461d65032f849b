"""What counted lists showed first of late, beside lists of the time before the version was trained.

A score has the scale of its arm, and changes with how much is known of a viewer: with 10 and with 100
ratings known of the same people one version's scores are up to 1.7 apart (PSI). Scores of a sample of the
people of the training would therefore tell who visits the site, and not that anything moved. Both sides
are read from the log, where lists were made alike, and compared arm by arm and segment by segment.

The first film of a list is its owner's best with nothing beside it, whatever the list's length and its other
arms, and owners are drawn without a look at films. Each viewer counts once for each arm, by the newest list:
what one is shown first again and again says it once.

Where nothing of the viewer goes into a score, it is one number for everybody, which each fit moves a little:
no distribution. So scores are those of personal arms for viewers who rated.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np

from apps.algorithms.context import N_CONTEXTS, Context
from apps.algorithms.registry import ARMS
from apps.core.identifiers import first_uuid7
from apps.events.models import RecommendationEvent
from apps.monitoring.drift.comparing import Compared, Side, compare
from apps.training.baseline import OTHER, YES

SCORES, SHOWN_GENRES = "scores", "shown_genres"
SHOWN_LONG_TAIL, SHOWN_NICHE = "shown_long_tail", "shown_niche"
SERVED = (SCORES, SHOWN_GENRES, SHOWN_LONG_TAIL, SHOWN_NICHE)
FIFTHS = ("lowest fifth", "second", "middle", "fourth", "highest fifth")
COLD = "cold"
MOST_LISTS = 50_000
"""Of either side, newest first."""


class First(NamedTuple):
    """The first film of a list. ``segment`` is of the viewer, empty where the context is not known."""

    unit_key: UUID
    arm: str
    segment: str
    score: float
    genre: str
    is_long_tail: bool
    is_niche: bool

    @property
    def has_own_score(self) -> bool:
        """Whether the score is one of this viewer; of an arm that there is no more nobody knows."""
        return self.segment != COLD and self.arm in ARMS and ARMS[self.arm].personal

    @property
    def stratum(self) -> tuple[str, str]:
        return self.arm, self.segment


Namer = Callable[[First], str]


class Period(NamedTuple):
    """From ``since``, included, to ``until``."""

    since: datetime
    until: datetime


def compare_served(recipe: str, *, before: Period, now: Period) -> list[Compared]:
    """Each of ``SERVED``, and the scores of each arm. Two queries, of ``MOST_LISTS`` rows at most each.

    Where an arm was not there before, or not for such viewers, there is nothing to hold its lists against,
    and they are not counted.
    """
    training, shown = _firsts(recipe, before), _firsts(recipe, now)
    scored = [[row for row in rows if row.has_own_score] for rows in (training, shown)]
    return [
        *_compare_scores(*scored),
        _compare(SHOWN_GENRES, training, shown, lambda row: row.genre),
        _compare(SHOWN_LONG_TAIL, training, shown, lambda row: YES if row.is_long_tail else OTHER),
        _compare(SHOWN_NICHE, training, shown, lambda row: YES if row.is_niche else OTHER),
    ]


def _compare_scores(training: Sequence[First], shown: Sequence[First]) -> Iterator[Compared]:
    """Of all arms together, and of each that placed a film now."""
    fifth = _fifths(training)
    yield _compare(SCORES, training, shown, fifth)
    for arm in sorted({row.arm for row in shown}):
        before, now = ([row for row in rows if row.arm == arm] for rows in (training, shown))
        yield _compare(f"{SCORES}_{arm}", before, now, fifth)


def _firsts(recipe: str, period: Period) -> list[First]:
    """One for each viewer and arm, of the newest list."""
    rows: Any = (
        RecommendationEvent.objects.filter(
            slate_id__gte=first_uuid7(period.since),
            slate_id__lt=first_uuid7(period.until),
            position=1,
            slate__counted=True,
            slate__recipe=recipe,
            slate__degraded="",
            slate__unit_key__isnull=False,
        )
        .order_by("-slate_id")
        .values_list(
            "slate__unit_key",
            "algorithm",
            "slate__context_index",
            "recommendation_score",
            "movie__primary_genre__name",
            "is_long_tail",
            "is_niche",
        )[:MOST_LISTS]
    )
    newest: dict[tuple[UUID, str], First] = {}
    for unit_key, arm, context, score, genre, is_long_tail, is_niche in rows:
        row = First(unit_key, arm, _SEGMENTS.get(context, ""), score, genre or OTHER, is_long_tail, is_niche)
        newest.setdefault((unit_key, arm), row)
    return list(newest.values())


_SEGMENTS = {index: Context.from_index(index).user_segment for index in range(N_CONTEXTS)}


def _fifths(training: Sequence[First]) -> Namer:
    """Names the fifth of its arm's scores before that a score lies in. Of level scores some stay empty."""
    scores: dict[str, list[float]] = defaultdict(list)
    for row in training:
        scores[row.arm].append(row.score)
    inner = np.arange(1, len(FIFTHS)) / len(FIFTHS)
    edges = {arm: np.quantile(values, inner) for arm, values in scores.items()}
    return lambda row: FIFTHS[int(np.searchsorted(edges[row.arm], row.score, side="right"))]


def _compare(subject: str, training: Sequence[First], shown: Sequence[First], name: Namer) -> Compared:
    if not training:
        return compare(subject, None, Side({}, len(shown)))
    strata = {row.stratum for row in training}
    now = [row for row in shown if row.stratum in strata]
    counts = Counter(name(row) for row in now)
    return compare(subject, _as_mixed_now(training, now, name), Side(counts, len(now)))


def _as_mixed_now(training: Sequence[First], now: Sequence[First], name: Namer) -> Side:
    """What was counted before, had arms and segments been mixed as they are now (direct standardisation).

    Who comes to the site, and which arm a bandit prefers, is then no drift. With shares ``w`` now and ``m``
    viewers before of each stratum it is worth ``1 / sum(w^2 / m)`` of them (Kish 1965).
    """
    before: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in training:
        before[row.stratum][name(row)] += 1
    mixed = Counter(row.stratum for row in now) or Counter(row.stratum for row in training)
    total = mixed.total()
    shares: dict[str, float] = defaultdict(float)
    variance = 0.0
    for stratum, count in mixed.items():
        weight, of_stratum = count / total, before[stratum]
        variance += weight * weight / of_stratum.total()
        for one, number in of_stratum.items():
            shares[one] += weight * number / of_stratum.total()
    n = len(training)
    counts = {one: n * share for one, share in _in_order(shares).items()}
    # Rounding may find a hair more than were counted.
    return Side(counts, n, max(n * variance, 1.0))


def _in_order(shares: Mapping[str, float]) -> dict[str, float]:
    """Fifths from the lowest, other bins by name."""
    return dict(sorted(shares.items(), key=lambda one: (_PLACES.get(one[0], len(FIFTHS)), one[0])))


_PLACES = {name: place for place, name in enumerate(FIFTHS)}
