from typing import Any

import pytest
from django.core.checks import run_checks

REDIS_CACHE = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://r"}}
THROTTLES = (
    "core.W001 REDIS_URL is not set: each process counts throttles for itself, so that more processes let "
    "more requests through"
)
BROKER = (
    "core.W002 Neither REDIS_URL nor CELERY_BROKER_URL is set: tasks wait in the memory of one process, "
    "where no worker finds them"
)
DEBUG = (
    "core.E001 DEBUG is on and ALLOWED_HOSTS names a public host: error pages would show settings and code"
)
COOKIES = (
    "core.E003 Cookies of a public site travel by plain HTTP, where anybody on the way can take over a "
    "session"
)
RANDOM = "Zt4_qW7xK1pVb9NdY3sLhR6mCgE0fUaJ8oTiQ5wXyBzMnHk-2vPr"


def found(*, deploying: bool = True) -> list[str]:
    problems = run_checks(include_deployment_checks=deploying)
    return [f"{problem.id} {problem.msg}" for problem in problems if str(problem.id).startswith("core.")]


def test_warns_of_a_deployment_whose_processes_share_nothing() -> None:
    assert found() == [THROTTLES, BROKER]


def test_asks_nothing_of_one_persons_machine() -> None:
    assert found(deploying=False) == []


def test_finds_nothing_wrong_with_redis(settings: Any) -> None:
    settings.CACHES, settings.CELERY_BROKER_URL = REDIS_CACHE, "redis://r"
    assert found() == []


def test_a_broker_of_its_own_leaves_the_throttles_to_warn_of(settings: Any) -> None:
    settings.CELERY_BROKER_URL = "amqp://queue"
    assert found() == [THROTTLES]


# --- A public site: errors of every command, not of check --deploy alone ------------------------


@pytest.fixture
def public(settings: Any) -> Any:
    """A site that nothing is wrong with."""
    settings.ALLOWED_HOSTS = ["marquee.example"]
    settings.SECRET_KEY = RANDOM
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    return settings


def test_finds_nothing_wrong_with_a_public_site_that_is_closed(public: Any) -> None:
    assert found(deploying=False) == []


@pytest.mark.parametrize("host", ["marquee.example", "*", ".example", "10.0.0.4", "127.0.0.1.nip.example"])
def test_refuses_debug_on_a_public_host(public: Any, host: str) -> None:
    public.DEBUG, public.ALLOWED_HOSTS = True, ["localhost", host]
    assert found(deploying=False) == [DEBUG]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2", "[::1]", "a.localhost"])
def test_lets_one_persons_machine_debug(public: Any, host: str) -> None:
    public.DEBUG, public.ALLOWED_HOSTS = True, [host]
    assert found(deploying=False) == []


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("django-insecure-" + RANDOM, "is a placeholder"),
        ("please-change-me-" + RANDOM, "is a placeholder"),
        ("CHANGEME", "is a placeholder"),
        ("your-key-" + RANDOM, "is a placeholder"),
        (RANDOM[:49], "has 49 characters, and 50 are the least"),
        ("abcdefghijk" * 5, "has only 11 different characters, and 12 are the least"),
    ],
)
def test_refuses_a_secret_key_that_can_be_guessed(public: Any, key: str, wrong: str) -> None:
    public.SECRET_KEY = key
    says = f"core.E002 SECRET_KEY {wrong}: who guesses it signs in as anybody"
    assert found(deploying=False) == [says]


@pytest.mark.parametrize("name", ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"])
def test_refuses_cookies_that_travel_in_the_clear(public: Any, name: str) -> None:
    setattr(public, name, False)
    assert found(deploying=False) == [COOKIES]
