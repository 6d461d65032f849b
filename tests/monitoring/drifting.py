"""A version with a baseline, and a made-up public that rates and is shown films."""

import itertools
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import numpy as np

from apps.accounts.models import User
from apps.algorithms.context import Context
from apps.catalog.models import Movie
from apps.core.identifiers import first_uuid7
from apps.events.models import RecommendationEvent, Slate
from apps.monitoring.models import DriftDay
from apps.ratings.models import Rating
from apps.training.baseline import FORMAT, STARS
from apps.training.models import ModelVersion
from apps.training.services import ensure_standard_recipe
from tests.factories import make_user
from tests.rows import make_row

_numbers = itertools.count(1)

DAY = date(2026, 3, 14)
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
TRAINED = datetime(2026, 3, 7, 3, tzinfo=UTC)
"""The night before the seven days that end with ``DAY``."""
TASTE = dict(zip(STARS, (1, 3, 2, 7, 4, 20, 11, 29, 8, 15), strict=True))
TURNED = dict(zip(STARS, reversed(TASTE.values()), strict=True))


def baseline(**counts: dict[str, int]) -> dict[str, Any]:
    """Of 100,000 ratings, by as many people as it takes for each to count as one."""
    n = 100_000
    rest: dict[str, dict[str, int]] = {
        "ratings": {name: 1000 * share for name, share in TASTE.items()},
        "rated_genres": {"Comedy": n // 2, "Drama": n // 2, "other": 0},
        "rated_decades": {"1990": n, "other": 0},
        "rated_long_tail": {"yes": n // 10, "other": n - n // 10},
        "rated_niche": {"yes": 0, "other": n},
    }
    return {"format": FORMAT, "n": n, "sum_squares": float(n), **rest, **counts}


def make_version(**values: Any) -> ModelVersion:
    version = make_row(ModelVersion)
    assert isinstance(version, ModelVersion)
    defaults = {
        "recipe": ensure_standard_recipe(),
        "status": "retired",
        "read_at": TRAINED,
        "activated_at": TRAINED,
        "metrics": {"baseline": baseline()},
    }
    for name, value in (defaults | values).items():
        setattr(version, name, value)
    version.save()
    return version


def make_people(n: int, **values: Any) -> list[User]:
    first = make_user(**values)
    rest = [User(username=f"{first.username}-{number}", **values) for number in range(n - 1)]
    return [first, *User.objects.bulk_create(rest)]


def rate(film: Movie, taste: dict[str, int], *, at: datetime = NOON, **whose: Any) -> None:
    """A rating each of a hundred people, so many of each number of stars as ``taste`` says."""
    stars = [float(name) for name, count in taste.items() for _ in range(count)]
    people = make_people(len(stars), **whose)
    Rating.objects.bulk_create(
        Rating(user=user, movie=film, value=value, changed_at=at, updated_at=at)
        for user, value in zip(people, stars, strict=True)
    )


def context(segment: str) -> Context:
    return Context("evening", "weekend", segment, "low", "early")  # type: ignore[arg-type] # a segment's name


def show(
    film: Movie,
    scores: "np.typing.NDArray[np.float64] | list[float]",
    *,
    at: datetime = NOON,
    arm: str = "hybrid",
    segment: str = "regular",
    **values: Any,
) -> list[Slate]:
    """A list to a person each, whose first film is ``film`` with that score."""
    slates = [
        Slate(
            id=UUID(int=first_uuid7(at).int + next(_numbers)),
            unit_key=user.unit_key,
            surface="home.for_you",
            strategy=arm,
            recipe="standard",
            policy_version=1,
            context_index=context(segment).index,
            counted=True,
            n_requested=1,
            n_returned=1,
            latency_ms=3.0,
            seed=1,
            created_at=at,
        )
        for user in make_people(len(scores))
    ]
    for slate in slates:
        for name, value in values.items():
            setattr(slate, name, value)
    Slate.objects.bulk_create(slates)
    RecommendationEvent.objects.bulk_create(
        impression(slate, film, float(score), arm) for slate, score in zip(slates, scores, strict=True)
    )
    return slates


def impression(slate: Slate, film: Movie, score: float, arm: str, position: int = 1) -> RecommendationEvent:
    return RecommendationEvent(
        slate=slate,
        movie=film,
        algorithm=arm,
        recommendation_score=score,
        position=position,
        is_long_tail=film.is_long_tail,
        is_niche=film.is_niche,
        created_at=slate.created_at,
    )


def by_subject(rows: list[DriftDay]) -> dict[str, DriftDay]:
    return {row.subject: row for row in rows}
