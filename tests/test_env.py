"""Values of the environment that cannot be read."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from recommender_site import env
from recommender_site.settings.base import BASE_DIR

DATABASE = "DATABASE_URL must look like postgres://user:password@host:5432/name or sqlite:///path"


@pytest.mark.filterwarnings("ignore:Engine not recognized")
@pytest.mark.parametrize("url", ["nonsense", "postgres://a:b@host:port/name"])
def test_a_database_url_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured) as refusal:
        env.database("sqlite:///x")
    assert str(refusal.value) == DATABASE


def test_the_default_database_counts_without_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert env.database("sqlite:////x/y.sqlite3")["NAME"] == "/x/y.sqlite3"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("many", "UPDATE_THRESHOLD must be a number, not 'many'"),
        ("1.5", "UPDATE_THRESHOLD must be a whole number, not 1.5"),
        ("0", "UPDATE_THRESHOLD must lie between 1 and 9, not 0"),
    ],
)
def test_a_number_out_of_range_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, value: str, sentence: str
) -> None:
    monkeypatch.setenv("UPDATE_THRESHOLD", value)
    with pytest.raises(ImproperlyConfigured) as refusal:
        env.integer("UPDATE_THRESHOLD", 5, minimum=1, maximum=9)
    assert str(refusal.value) == sentence


def test_a_flag_that_is_neither_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTO_UPDATE", "perhaps")
    with pytest.raises(ImproperlyConfigured) as refusal:
        env.flag("AUTO_UPDATE", default=True)
    assert str(refusal.value) == "AUTO_UPDATE must be true or false, not 'perhaps'"


@pytest.mark.parametrize("value", ["Mars/Base", "Europe", "../UTC", "", "europe/berlin "])
def test_a_time_zone_that_there_is_not_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TIME_ZONE", value)
    with pytest.raises(ImproperlyConfigured) as refusal:
        env.time_zone("TIME_ZONE", "UTC")
    assert str(refusal.value) == f"TIME_ZONE must be a zone such as Europe/Berlin or UTC, not {value!r}"


def test_a_choice_that_there_is_not_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(ImproperlyConfigured) as refusal:
        env.choice("LOG_LEVEL", "INFO", choices=("DEBUG", "INFO"))
    assert str(refusal.value) == "LOG_LEVEL must be one of DEBUG, INFO, not 'loud'"


def test_a_choice_may_be_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "debug")
    assert env.choice("LOG_LEVEL", "INFO", choices=("DEBUG", "INFO")) == "DEBUG"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("TIME_ZONE", "Mars/Base", "TIME_ZONE must be a zone such as Europe/Berlin or UTC, not 'Mars/Base'"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, not 'loud'"),
        ("UPDATE_THRESHOLD", "many", "UPDATE_THRESHOLD must be a number, not 'many'"),
    ],
)
def test_a_command_stops_with_the_sentence_alone(name: str, value: str, sentence: str) -> None:
    stopped = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env={**os.environ, name: value, "DJANGO_SETTINGS_MODULE": "recommender_site.settings.test"},
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (stopped.returncode, stopped.stderr) == (1, f"{sentence}\n")


@pytest.mark.parametrize(
    "value",
    [
        "image.tmdb.org",
        "http://image.tmdb.org",
        "ftp://image.tmdb.org",
        "https://",
        "https://*",
        "https://a.example; script-src *",
        "https://a.example 'unsafe-inline'",
        "https://user@a.example",
        "https://a.example/x?y=z",
    ],
)
def test_an_address_of_the_web_that_is_none_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TMDB_IMAGE_URL", value)
    with pytest.raises(ImproperlyConfigured) as refusal:
        env.web_address("TMDB_IMAGE_URL")
    assert str(refusal.value).startswith("TMDB_IMAGE_URL must be empty or look like https://host/path, not ")


@pytest.mark.parametrize(
    ("value", "address", "origin"),
    [
        ("https://image.tmdb.org/t/p/w342/", "https://image.tmdb.org/t/p/w342", "https://image.tmdb.org"),
        ("http://127.0.0.1:8001/images", "http://127.0.0.1:8001/images", "http://127.0.0.1:8001"),
    ],
)
def test_an_address_of_the_web_has_an_origin(
    monkeypatch: pytest.MonkeyPatch, value: str, address: str, origin: str
) -> None:
    monkeypatch.setenv("TMDB_IMAGE_URL", value)
    assert env.web_address("TMDB_IMAGE_URL") == address
    assert env.origin(address) == origin
