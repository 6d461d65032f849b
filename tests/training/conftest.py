"""A small public with two tastes, and model files that are each test's own."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from apps.catalog.models import Genre, Movie, MovieGenre
from apps.ratings.models import Rating
from apps.training import registry
from tests.factories import make_user

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
