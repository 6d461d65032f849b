"""A small house of films, and what a browser sends to it."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from apps.bandits.beliefs import forget_bandits
from apps.catalog.models import Movie
from apps.experiments.policy import forget_policy
from apps.experiments.running import forget_field
from apps.training import registry
from tests.house import House, make_house


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path: Path, settings: Any) -> Iterator[None]:
    """No model, policy and experiment but the test's own: rows that were rolled back come again with the
    same names.
    """
    settings.ARTIFACT_DIR = tmp_path
    _forget()
    yield
    _forget()


def _forget() -> None:
    registry.reset()
    forget_policy()
    forget_field()
    forget_bandits()


@pytest.fixture
def house(db: None, nothing_kept: None) -> House:
    return make_house()


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
