"""Clients as the tests of accounts need them."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import clear_url_caches, set_urlconf
from rest_framework_simplejwt.tokens import RefreshToken

from apps.accounts.models import User

CallMe = Callable[..., Client]


@pytest.fixture(autouse=True)
def addresses(settings) -> Iterator[None]:
    settings.ROOT_URLCONF = "tests.accounts.urls"
    clear_url_caches()
    set_urlconf(None)
    yield
    clear_url_caches()


@pytest.fixture
def browser() -> Client:
    """A browser that keeps its cookies and gets no favours about CSRF."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def visitor(browser: Client) -> Client:
    """A browser that has seen its first page, so it holds the unit and the CSRF cookie."""
    browser.get("/page/")
    return browser


def csrf(client: Client) -> dict[str, str]:
    """The header that a script of the page adds to its writes."""
    return {"X-CSRFToken": client.cookies["csrftoken"].value}


def bearer(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {RefreshToken.for_user(user).access_token}"}


def with_key(text: str) -> dict[str, str]:
    return {"Authorization": f"Api-Key {text}"}


def detail(response) -> str:
    """The sentence of a refusal, which must be a problem."""
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.json()["detail"]
