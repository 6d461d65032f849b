"""A small public with two tastes, and model files that are each test's own."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from apps.catalog.models import Genre, Movie, MovieGenre
from apps.ratings.models import Rating
from apps.training import registry
from apps.training.models import ModelVersion
from apps.training.services import train
from tests.factories import make_user
from tests.processes import database_url

N_FILMS = 12
N_PEOPLE = 10


@pytest.fixture(autouse=True)
def own_artifacts(tmp_path: Path, settings: Any) -> Iterator[Path]:
    settings.ARTIFACT_DIR = tmp_path / "artifacts"
    registry.reset()
    yield settings.ARTIFACT_DIR
    registry.reset()


@pytest.fixture
def films(db: None) -> list[Movie]:
    return make_public()


def make_public() -> list[Movie]:
    """Films of two genres by turns; people like those of their own genre and few of the other.

    The last film has no rating.
    """
    genres = [Genre.objects.create(name=name) for name in ("Comedy", "Drama")]
    films = [
        Movie.objects.create(
            title=f"Story {number} of Rivers",
            search_title=f"story {number}",
            year=1990 + number,
            primary_genre=genres[number % 2],
        )
        for number in range(N_FILMS)
    ]
    for number, film in enumerate(films):
        MovieGenre.objects.create(movie=film, genre=genres[number % 2])
    Rating.objects.bulk_create(_ratings(films))
    return films


def _ratings(films: list[Movie]) -> list[Rating]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        Rating(
            user=user,
            movie=film,
            value=5.0 if spot % 2 == number % 2 else 2.0,
            changed_at=start + timedelta(days=number, seconds=spot),
        )
        for number, user in enumerate(make_user(is_imported=True) for _ in range(N_PEOPLE))
        for spot, film in enumerate(films[:-1])
        if spot % 2 == number % 2 or (spot + number) % 5 == 0
    ]


@pytest.fixture
def live(films: list[Movie]) -> ModelVersion:
    """A version that was fitted on what was written long ago."""
    # The ratings came past the services that count them.
    Movie.objects.update(rating_count=1_000, rating_sum=4_000)
    for model in (Rating, Movie):
        model.objects.update(updated_at=timezone.now() - timedelta(days=2))
    return train(trigger="nightly")


@pytest.fixture
def own_process(own_artifacts: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """What a process of its own needs to see this test's rows and files."""
    monkeypatch.setenv("DATABASE_URL", database_url())
    monkeypatch.setenv("ARTIFACT_DIR", str(own_artifacts))
    settings.SETTINGS_MODULE = "recommender_site.settings.dev"


N_TASTES, FILMS_OF_A_TASTE, CROWD, RATED = 4, 12, 90, 20


def make_crowd() -> list[Movie]:
    """Enough people to tell recipes apart: each likes the films of one taste of four, which nothing but the
    ratings tells, and rates now one of these and now any other, in an order and at moments of their own.
    """
    rng = np.random.default_rng(7)
    films = [
        Movie.objects.create(title=f"Film {number}", search_title=f"film {number}")
        for number in range(N_TASTES * FILMS_OF_A_TASTE)
    ]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    ratings = []
    for number in range(CROWD):
        user, taste = make_user(is_imported=True), number % N_TASTES
        chance = np.where(np.arange(len(films)) % N_TASTES == taste, 8.0, 1.0)
        seen = rng.choice(len(films), RATED, replace=False, p=chance / chance.sum())
        minutes = np.sort(rng.integers(0, 60 * 24 * 300, RATED))
        ratings += [
            Rating(
                user=user,
                movie=films[spot],
                value=5.0 if spot % N_TASTES == taste else 2.0,
                changed_at=start + timedelta(minutes=minute),
            )
            for spot, minute in zip(seen.tolist(), minutes.tolist(), strict=True)
        ]
    Rating.objects.bulk_create(ratings)
    return films


@pytest.fixture
def crowd(db: None) -> list[Movie]:
    return make_crowd()
