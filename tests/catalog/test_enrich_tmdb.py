"""``enrich_tmdb`` against a server on this machine that answers as TMDB does."""

import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.core.management import call_command

from apps.catalog.models import Movie, MovieKeyword, MoviePerson, Triple
from apps.core.management.base import Refused
from tests.catalog.stand_in import KEY, StandIn, tmdb_stand_in
from tests.factories import make_movie, make_rating
from tests.processes import production, running, wait_until

HEAT = {
    "title": "Heat",
    "original_title": "Heat",
    "original_language": "en",
    "overview": "Obsessive master thief.",
    "release_date": "1995-12-15",
    "runtime": 170,
    "poster_path": "/zMyfPUelumio3tiDKPffaUpsQTD.jpg",
    "imdb_id": "tt0113277",
    "vote_average": 7.9,
    "vote_count": 6543,
    "genres": [{"id": 80, "name": "Crime"}],
    "production_countries": [{"iso_3166_1": "US", "name": "United States of America"}],
    "belongs_to_collection": {"id": 1, "name": "Heat Collection"},
    "credits": {
        "cast": [
            {"id": 1158, "name": "Al Pacino", "order": 0},
            {"id": 380, "name": "Robert De Niro", "order": 1},
        ],
        "crew": [{"id": 638, "name": "Michael Mann", "job": "Director"}],
    },
    "keywords": {"keywords": [{"id": 642, "name": "Heist"}]},
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def tmdb(settings: Any) -> Iterator[StandIn]:
    with tmdb_stand_in() as stand_in:
        settings.TMDB_API_URL, settings.TMDB_API_KEY = stand_in.url, KEY
        settings.TMDB_REQUESTS_PER_SECOND = 1000
        stand_in.films[949] = HEAT
        yield stand_in


def enrich(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("enrich_tmdb", "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


def refusal(*arguments: str) -> str:
    with pytest.raises(Refused) as refused:
        enrich(*arguments)
    return str(refused.value)


def outcomes(report: dict[str, Any]) -> dict[str, int]:
    return {name: count for name, count in report["films"].items() if count}


def test_takes_over_all_that_tmdb_knows(tmdb: StandIn) -> None:
    movie = make_movie("Heat", tmdb_id=949)
    assert outcomes(enrich()) == {"enriched": 1}
    movie.refresh_from_db()
    facts = (movie.overview, movie.year, movie.language, movie.runtime, movie.poster_path, movie.imdb_id)
    poster = "/zMyfPUelumio3tiDKPffaUpsQTD.jpg"
    assert facts == ("Obsessive master thief.", 1995, "en", 170, poster, "tt0113277")
    assert (movie.tmdb_vote_average, movie.tmdb_vote_count, movie.genre_names) == (7.9, 6543, ["Crime"])
    people = MoviePerson.objects.values_list("role", "position", "person__name", "person__tmdb_id")
    assert list(people) == [
        ("cast", 0, "Al Pacino", 1158),
        ("cast", 1, "Robert De Niro", 380),
        ("director", 0, "Michael Mann", 638),
    ]
    assert MovieKeyword.objects.get().keyword.name == "heist"
    tails = Triple.objects.values_list("relation", "tail__name")
    assert set(tails) == {("country", "United States of America"), ("series", "Heat Collection")}


def test_keeps_what_staff_wrote_and_takes_newer_votes(tmdb: StandIn) -> None:
    make_movie("HEAT!", tmdb_id=949, overview="Ours", tmdb_vote_average=9.0, tmdb_vote_count=5)
    enrich()
    movie = Movie.objects.get()
    assert (movie.title, movie.overview, movie.tmdb_vote_count) == ("HEAT!", "Ours", 6543)


def test_finds_films_by_their_id_at_imdb_else_by_title_and_year(tmdb: StandIn) -> None:
    make_movie("Heat", imdb_id="tt0113277")
    make_movie("Ran", year=1985)
    tmdb.by_imdb_id["tt0113277"] = [949]
    tmdb.films[11645] = {"title": "Ran", "release_date": "1985-06-01", "runtime": 160}
    others = [{"id": 1, "title": "Ran", "release_date": "2007-01-01"}, {"id": 2, "title": "Ran away"}, "?"]
    tmdb.results["Ran"] = [*others, {"id": 11645, "original_title": "RAN", "release_date": "1986-02-01"}]
    assert outcomes(enrich()) == {"enriched": 2}
    assert set(Movie.objects.values_list("title", "tmdb_id")) == {("Heat", 949), ("Ran", 11645)}


def test_lists_films_that_are_not_there_that_could_be_several_and_that_another_film_is(tmdb: StandIn) -> None:
    gone, emma = make_movie("Gone", tmdb_id=7), make_movie("Emma", year=1996)
    known, twin = make_movie("Heat", tmdb_id=949), make_movie("Heat", year=1995, imdb_id="tt0113277")
    tmdb.by_imdb_id["tt0113277"] = [949]
    both = {"title": "Emma", "release_date": "1996-08-02"}
    tmdb.results["Emma"] = [both | {"id": 3573}, both | {"id": 12254}]
    report = enrich()
    assert outcomes(report) == {"enriched": 1, "not found": 1, "ambiguous": 1, "taken": 1}
    assert report["listed"] == [
        f"film {gone.pk}, Gone: TMDB has no film 7",
        f"film {emma.pk}, Emma (1996): could be 3573 or 12254 at TMDB",
        f"film {twin.pk}, Heat (1995): film {known.pk} has its id at TMDB, 949",
    ]
    asked = sum(tmdb.asked.values())
    assert outcomes(enrich()) == {}
    assert sum(tmdb.asked.values()) == asked


def test_asks_about_the_most_rated_films_first_and_about_no_more_than_the_limit(tmdb: StandIn) -> None:
    rare, common = make_movie("Heat", tmdb_id=949), make_movie("Ran", tmdb_id=11645)
    make_movie("Neither id nor year")
    make_rating(movie=common)
    report = enrich("--limit", "1")
    assert (report["films"]["not found"], report["left"]) == (1, 1)
    rare.refresh_from_db()
    assert rare.tmdb_asked_at is None


def test_asks_again_after_so_many_days(tmdb: StandIn) -> None:
    movie = make_movie("Heat", tmdb_id=949)
    enrich()
    assert outcomes(enrich("--older-than", "30")) == {}
    Movie.objects.filter(pk=movie.pk).update(tmdb_asked_at=datetime.now(UTC) - timedelta(days=31))
    assert outcomes(enrich("--older-than", "30")) == {"unchanged": 1}


# --- When TMDB is busy or away -------------------------------------------------------------------


def test_waits_as_long_as_tmdb_says_and_asks_again(tmdb: StandIn) -> None:
    make_movie("Heat", tmdb_id=949)
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    tmdb.faults.extend([(429, {"Retry-After": "1"}), (429, {"Retry-After": at}), (502, {})])
    started = time.monotonic()
    assert outcomes(enrich()) == {"enriched": 1}
    assert time.monotonic() - started > 1.5
    assert tmdb.asked["/3/movie/949"] == 4


def test_gives_up_on_a_film_lists_it_and_asks_again_the_next_time(tmdb: StandIn, quick: None) -> None:
    movie, other = make_movie("Heat", tmdb_id=949), make_movie("Ran", tmdb_id=11645)
    tmdb.films[11645] = {"title": "Ran"}
    tmdb.faults.extend([(500, {})] * 4)
    report = enrich()
    assert outcomes(report) == {"unchanged": 1, "failed": 1}
    assert report["listed"] == [f"film {movie.pk}, Heat: no answer after 4 tries (status 500)"]
    assert report["left"] == 1
    assert outcomes(enrich()) == {"enriched": 1}
    assert tmdb.asked[f"/3/movie/{other.tmdb_id}"] == 1


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once."""
    monkeypatch.setattr("apps.catalog.importing.tmdb_api._FIRST_PAUSE_SECONDS", 0.001)


def test_stops_when_film_after_film_fails_and_keeps_what_was_done(tmdb: StandIn, quick: None) -> None:
    for number in range(7):
        make_movie(f"Film {number}", tmdb_id=number + 1)
    tmdb.films[1] = {"title": "Film 0", "runtime": 90}
    assert outcomes(enrich("--limit", "1")) == {"enriched": 1}
    tmdb.faults.extend([(503, {})] * 20)
    told = "TMDB does not answer: no answer after 4 tries (status 503). 0 films are done; run again to go on"
    assert refusal() == told
    assert Movie.objects.exclude(tmdb_asked_at=None).count() == 1


def test_stops_when_tmdb_asks_for_a_long_pause(tmdb: StandIn) -> None:
    make_movie("Heat", tmdb_id=949)
    tmdb.faults.append((429, {"Retry-After": "3600"}))
    assert refusal() == "TMDB asks to come back in 3600 seconds; what was done is kept"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"title": ""}, "TMDB's answer about film 949 lacks a title"),
        (
            {"title": "Heat", "runtime": "long"},
            "TMDB's answer about film 949 lacks a running time from 0 to 6000 minutes as runtime",
        ),
        (
            {"title": "Heat", "credits": {"cast": [1]}},
            "TMDB's answer about film 949 lacks people with a name and an id",
        ),
    ],
)
def test_an_answer_that_makes_no_sense_is_a_failure_of_that_film(
    tmdb: StandIn, answer: dict[str, Any], reason: str
) -> None:
    movie = make_movie("Heat", tmdb_id=949)
    tmdb.films[949] = answer
    assert enrich()["listed"] == [f"film {movie.pk}, Heat: {reason}"]


def test_keeps_to_the_rate(tmdb: StandIn, settings: Any) -> None:
    settings.TMDB_REQUESTS_PER_SECOND = 20
    for number in range(5):
        make_movie(tmdb_id=number + 1)
    started = time.monotonic()
    enrich()
    assert time.monotonic() - started > 4 / 20


# --- Settings ------------------------------------------------------------------------------------


def test_refuses_to_start_without_a_key(tmdb: StandIn, settings: Any) -> None:
    settings.TMDB_API_KEY = ""
    assert refusal() == "TMDB_API_KEY is not set: TMDB gives one to every account, under Settings, API"


def test_says_when_tmdb_refuses_the_key_without_showing_it(tmdb: StandIn, settings: Any) -> None:
    settings.TMDB_API_KEY = "wrong"
    make_movie("Heat", tmdb_id=949)
    assert refusal() == "TMDB refuses the key in TMDB_API_KEY"


def test_refuses_an_address_that_is_no_web_address(tmdb: StandIn, settings: Any) -> None:
    settings.TMDB_API_URL = "file:///etc/passwd"
    assert refusal() == "TMDB_API_URL must begin with https://, not 'file:///etc/passwd'"


# --- Killed and restarted ------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_killed_run_goes_on_where_it_stopped(tmdb: StandIn) -> None:
    for number in range(1, 31):
        make_movie(f"Film {number}", tmdb_id=number)
        tmdb.films[number] = {"title": f"Film {number}", "runtime": number}
    environment = production(
        DJANGO_SETTINGS_MODULE="recommender_site.settings.test",
        TMDB_API_URL=tmdb.url,
        TMDB_API_KEY=KEY,
        TMDB_REQUESTS_PER_SECOND="25",
    )
    done = Movie.objects.exclude(tmdb_asked_at=None)
    with running(environment, "django", "enrich_tmdb") as program:
        wait_until(lambda: done.count() >= 5, "five films are enriched")
        program.kill()
    before = set(done.values_list("tmdb_id", flat=True))
    assert 5 <= len(before) < 30
    report = enrich()
    assert report["films"]["enriched"] == 30 - len(before)
    assert all(movie.runtime == movie.tmdb_id for movie in Movie.objects.all())
    assert {tmdb.asked[f"/3/movie/{number}"] for number in before} == {1}
    assert max(tmdb.asked.values()) <= 2
