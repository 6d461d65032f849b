"""A small house: two kinds of films, people who like one kind each, and a trained model."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from apps.catalog.models import Movie
from apps.experiments.policy import forget_policy
from apps.training import registry
from apps.training.services import train
from tests.factories import make_movie, make_rating, make_user

N_OF_A_KIND = 16


@dataclass(frozen=True)
class House:
    horror: list[Movie]
    comedy: list[Movie]


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path: Path, settings: Any) -> Iterator[None]:
    """No model and policy but the test's own: rows that were rolled back come again with the same names."""
    settings.ARTIFACT_DIR = tmp_path
    registry.reset()
    forget_policy()
    yield
    registry.reset()
    forget_policy()


@pytest.fixture
def house(db: None, nothing_kept: None) -> House:
    numbers = range(N_OF_A_KIND)
    house = House(
        horror=[make_movie(f"Fright {number}", year=1980, genres=["Horror"]) for number in numbers],
        comedy=[make_movie(f"Laugh {number}", year=1990, genres=["Comedy"]) for number in numbers],
    )
    for number in range(12):
        person = make_user(f"movielens-{number}", is_imported=True)
        films = house.horror if number % 2 else house.comedy
        # Each has missed another film, so that no two films have the same raters.
        for seat, film in enumerate(films):
            if (seat + number) % 5:
                make_rating(person, film, 4.0 + (seat + number) % 3 / 2)
    train()
    return house


def say(
    client: Client, movie: Movie, *, htmx_target: str = "", client_id: str = "", **fields: Any
) -> HttpResponse:
    """Sends what a form of the site sends."""
    headers = {"HX-Request": "true", "HX-Target": htmx_target} if htmx_target else {}
    data = {"client_id": client_id or uuid.uuid4().hex, **fields}
    return client.post(f"/film/{movie.pk}/feedback", data, headers=headers)


def rate(client: Client, movie: Movie, stars: float, **fields: Any) -> HttpResponse:
    return say(client, movie, kind="rate", value=f"{stars:g}", **fields)


@pytest.fixture
def visitor(client: Client) -> Client:
    """A browser that has been here once, so that it has its cookie."""
    client.get("/about")
    return client
