"""Values of the environment that cannot be read."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from recommender_site import env

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
